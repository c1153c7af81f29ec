"""What limits every figure of a run, in sentences that stand before the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from axonet.evaluation.tables import count

Row = Mapping[str, object]

FEW_NEURONS, FEW_GROUPS = 100, 30
HELD_OUT = {
    "lab": "No judged neuron shares a donor, publication or archive with another one that the model's Stage 2 "
    "or a probe learned on or that chose the epoch: the figures tell whether the shape was learned, and not a "
    "laboratory's style.",
    "donor": "No judged neuron shares a donor with another one that the model's Stage 2 or a probe learned on or that "
    "chose the epoch, but laboratories are on both sides: a laboratory's style can pass for shape, so expect lower "
    "figures on a new laboratory.",
    "neuron": "Neurons of one donor, publication or laboratory are on both sides, or nobody says that they are not: a "
    "laboratory's style can pass for shape, so every figure flatters.",
    "nothing": "NOTHING IS HELD OUT: the model learned the words of neurons that are judged here.",
    "unknown": "It is not known what the judged neurons have in common with those that the model was trained on: "
    "the checkpoint records no training neurons, or others than those learned on here (or their metadata or "
    "measurements have changed since), so nothing is claimed to be held out.",
}
_CHECKED = "Looked for leaks: no judged neuron is a copy (moved, scaled, mirrored, renumbered) of one of those"
PROMISED = {
    "neuron": f"{_CHECKED}. The split file keeps single neurons apart and promises nothing about donors.",
    "donor": f"{_CHECKED}, and none shares a donor with them, as the split file promises.",
    "lab": f"{_CHECKED}, and none shares a donor, publication or archive with them, as the split file promises.",
}
JUDGED = {
    "validation": "These are validation neurons: they chose which epoch of the model was kept, so its figures are a "
    "little too good. A test split, which chose nothing, gives the honest figure.",
    "test": "These are test neurons. Each look at them is written down before it is taken (test_touches.jsonl); once "
    "something was tuned on them, their figures are worth no more than those of validation neurons.",
    "train": "THE MODEL WAS TRAINED ON THESE NEURONS: the figures say nothing about neurons that it has not seen.",
    "mixed": "The judged neurons are of several splits; some may have trained the model or chosen its epoch.",
    "unknown": "It is not known whether the model was trained on these neurons, or chosen by them.",
}


def caveats(splits: Row, rows: Sequence[Row]) -> list[str]:
    """The sentences, the gravest first.

    Args:
        splits: of ``metrics.json``.
        rows: all rows with figures.
    """
    n, groups = _int(splits["n_judged"]), _int(splits["groups"])
    lines = []
    if few(splits):
        lines.append(
            f"With {count(n, 'neuron')} in {count(groups, 'independent group')} these numbers prove nothing; they "
            f"show that every step works. A share of {count(groups, 'group')} is uncertain by about +-"
            f"{100 / max(groups, 1) ** 0.5:.0f} percentage points, and with fewer than {FEW_GROUPS} groups even the "
            "intervals below are too narrow."
        )
    lines.append(JUDGED[str(splits["judged"])])
    lines.append(HELD_OUT[str(splits["held_out"])])
    if splits["held_out"] in ("lab", "donor"):
        lines.append(
            "Which neurons Stage 1 saw (their shapes, no words) is not in the checkpoint and not part of this."
        )
    if splits["learned_on"] == "given neurons":
        lines.append(
            f"Of {count(n, 'judged neuron')}, {_int(splits['same_donor'])} share their donor (where none is told, "
            f"their publication or archive) with a neuron learned on or known to have chosen the epoch; "
            f"{_int(splits['same_lab'])} share a donor, publication or archive."
        )
        if splits["promised"] is not None:
            lines.append(PROMISED[str(splits["promised"])])
        if splits["held_out"] == "neuron":
            lines.append("A split that holds out donors or laboratories (--split-by donor, --split-by lab) is harder.")
    if any(_no_width(row) for row in rows):
        lines.append(
            "An interval without width, like 1.00 [1.00, 1.00], is no certainty: all groups agree, so no resample "
            f"differs. With {count(groups, 'group')} the truth may still be off by about "
            f"{min(100, 300 // max(groups, 1))} percentage points."
        )
    return lines


def few(splits: Row) -> bool:
    """Whether there are too few neurons or groups for any claim."""
    return _int(splits["n_judged"]) < FEW_NEURONS or _int(splits["groups"]) < FEW_GROUPS


def _no_width(row: Row) -> bool:
    interval = row["interval"]
    flat = isinstance(interval, list | tuple) and interval[0] == interval[1]
    return flat and row["model"] != "majority" and row["chance"] != 1


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
