"""Judged neurons that a model or a probe has met in another guise: told in one line, and never judged quietly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from axonet.core.errors import UserError
from axonet.core.progress import warn
from axonet.evaluation.settings import EvaluationSettings
from axonet.evaluation.sharing import Sharing

KEPT_APART = {"donor": "donors", "lab": "laboratories"}


@dataclass(frozen=True)
class Leaks:
    """Judged neurons that are not apart from the others, as they must be.

    Attributes:
        copies: judged neuron -> another neuron (learned on, or known to have made the model) of the same shape.
        torn: judged neurons that share what the split file promises to keep apart, and are no copies.
        promised: ``neuron``, ``donor`` or ``lab``: what the split file was made to keep together; None without one.
    """

    copies: Mapping[str, str]
    torn: tuple[str, ...]
    promised: str | None

    @property
    def neurons(self) -> frozenset[str]:
        """Ids of all of them."""
        return frozenset(self.copies) | frozenset(self.torn)


def find_leaks(sharing: Sharing, promised: str | None) -> Leaks:
    """What a division should have kept apart.

    Copies of one reconstruction (moved, scaled, mirrored, renumbered) are one neuron, so they leak whatever was
    promised; a shared donor or laboratory only where the split file was made to hold it out.

    Args:
        sharing: what judged neurons have in common with the others.
        promised: the scheme of the split file.
    """
    tied = {"donor": sharing.with_donor, "lab": sharing.with_lab}.get(promised or "", ())
    return Leaks(sharing.copies, tuple(sorted(set(tied) - set(sharing.copies))), promised)


def heed_leaks(leaks: Leaks, judged: Sequence[str], settings: EvaluationSettings) -> tuple[dict[str, object], ...]:
    """Stop because of leaks, or say who is left out.

    Args:
        leaks: what was found.
        judged: ids of the judged neurons.
        settings: say which of the two.

    Returns:
        Rows of what is not judged; empty without leaks.

    Raises:
        UserError: there are leaks and the setting is ``stop``, or nobody would be left.
    """
    if not leaks.neurons:
        return ()
    found = _told(leaks, len(judged))
    if settings.leaks == "stop":
        raise UserError(
            f"{found}: divide the neurons anew (--split-by donor or lab keeps copies together), or judge without "
            "these neurons: --leaks leave_out"
        )
    if len(leaks.neurons) == len(judged):
        raise UserError(f"{found}; without them nobody is left to judge: divide the neurons anew")
    warn(f"{found}: they are not judged")
    rows: list[dict[str, object]] = []
    for names, reason in (
        (leaks.copies, "copies of neurons that are learned on or made the model, moved, scaled or mirrored perhaps"),
        (leaks.torn, f"the split file keeps {KEPT_APART.get(leaks.promised or '', '')} apart, but not these"),
    ):
        if names:
            example = f"{reason} (for example {min(names)})"
            rows.append({"task": "leaks", "class": None, "n": len(names), "n_train": None, "reason": example})
    return tuple(rows)


def _told(leaks: Leaks, n_judged: int) -> str:
    parts = []
    if leaks.copies:
        own, other = min(leaks.copies.items())
        parts.append(
            f"{len(leaks.copies):,} of {n_judged:,} judged neurons are copies of neurons that are learned on or made "
            f"the model ({own} has the shape of {other})"
        )
    if leaks.torn:
        what = KEPT_APART[str(leaks.promised)]
        parts.append(
            f"{len(leaks.torn):,} of {n_judged:,} judged neurons share theirs with such neurons (for example "
            f"{leaks.torn[0]}), though the split file was made to keep {what} apart"
        )
    return "leak: " + "; ".join(parts)
