"""Samples of captions with the origin of each phrase, and how many different ones there are."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from axonet.core.seeds import rng
from axonet.metadata.captions import LEVEL_WEIGHTS, NeuronTextGenerator
from axonet.metadata.claims import LEVELS, Caption, Level
from axonet.metadata.origins import Origin, origins
from axonet.metadata.record import NeuronRecord
from axonet.metadata.shape import Measures

Described = tuple[NeuronRecord, Measures | None]


@dataclass(frozen=True, slots=True)
class Sample:
    """A caption, whose it is, and what it rests on."""

    caption: Caption
    record: NeuronRecord
    origins: list[Origin]


@dataclass(frozen=True, slots=True)
class CaptionReport:
    """What ``axonet captions`` shows.

    Attributes:
        samples: level by level.
        n_neurons: of how many neurons captions were made.
        fixed: different captions of evaluation among all neurons, by level.
        drawn: different captions among all neurons in one epoch of training, by the level that was drawn.
        in_epoch: different captions in that epoch.
        bins: where words of size begin.
        warnings: what the reader should know.
    """

    samples: list[Sample]
    n_neurons: int
    fixed: dict[Level, int]
    drawn: dict[Level, int]
    in_epoch: int
    bins: dict[str, list[float]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "captions": [
                {
                    **{"level": sample.caption.level, "text": sample.caption.text},
                    **{"neuron_id": sample.record.neuron_id, "swc": sample.record.swc_path or sample.record.swc},
                    "claims": dict(sample.caption.claims),
                    "phrases": [asdict(origin) for origin in sample.origins],
                }
                for sample in self.samples
            ],
            "neurons": self.n_neurons,
            "different_captions": {"fixed": self.fixed, "drawn": self.drawn, "in_an_epoch": self.in_epoch},
            "bins": self.bins,
            "warnings": self.warnings,
        }


def caption_report(
    neurons: Sequence[Described],
    generator: NeuronTextGenerator,
    *,
    n: int,
    level: Level | None = None,
    fixed: bool = False,
    seed: int = 0,
    batch_size: int = 64,
) -> CaptionReport:
    """Draw samples of captions, and count over all neurons.

    Args:
        neurons: records with their measurements.
        generator: with its bins.
        n: how many samples; of more than there are neurons, some neurons have several.
        level: of all samples; by default each level has its share of training.
        fixed: the captions of evaluation instead of drawn ones.
        seed: picks the neurons and the details.
        batch_size: of training, for the warning.
    """
    order = sorted(range(len(neurons)), key=rng(seed, "caption samples").random(len(neurons)).__getitem__)
    samples = []
    for number, own in enumerate(_levels(n, level)):
        record, measures = neurons[order[number % len(order)]]
        epoch = number // len(order)
        caption = (
            generator.caption(record, measures, own) if fixed else generator.draw(record, measures, seed, epoch, own)
        )
        samples.append(Sample(caption, record, origins(caption, record, measures, generator.bins)))
    texts: dict[Level, set[str]] = {own: set() for own in LEVELS}
    for record, measures in neurons:
        caption = generator.draw(record, measures, seed, 0)
        texts[caption.level].add(caption.text)
    in_epoch = len(set().union(*texts.values()))
    return CaptionReport(
        samples,
        len(neurons),
        {own: len({generator.caption(*neuron, own).text for neuron in neurons}) for own in LEVELS},
        {own: len(found) for own, found in texts.items()},
        in_epoch,
        generator.bins.to_json(),
        _few_captions(len(neurons), in_epoch, batch_size),
    )


def _levels(n: int, level: Level | None) -> list[Level]:
    """The levels of ``n`` samples, coarse ones first; each has its share, and small shares are rounded up first."""
    if level is not None:
        return [level] * n
    counts = {own: int(n * weight) for own, weight in LEVEL_WEIGHTS.items()}
    missing = sorted(LEVELS, key=lambda own: counts[own] - n * LEVEL_WEIGHTS[own])
    for own in missing[: n - sum(counts.values())]:
        counts[own] += 1
    return [own for own in LEVELS for _ in range(counts[own])]


def _few_captions(n_neurons: int, in_epoch: int, batch_size: int) -> list[str]:
    if in_epoch >= batch_size:
        return []
    return [
        f"{n_neurons} neurons have {in_epoch} different captions in an epoch, fewer than a batch of {batch_size}: in "
        "every batch neurons share a caption, which then counts as right for all of them, so that little is learned "
        "about what tells them apart; more neurons, metadata that say more, or a smaller --batch-size help"
    ]


def report_text(report: CaptionReport, *, width: int | None = None, color: bool = False) -> str:
    """The report for people.

    Args:
        report: what to show.
        width: of the terminal; None: lines are not wrapped.
        color: whether to use bold and dim letters.
    """
    bold, dim = ("\x1b[1m{}\x1b[0m", "\x1b[2m{}\x1b[0m") if color else ("{}", "{}")
    lines: list[str] = []
    for level in LEVELS:
        own = [sample for sample in report.samples if sample.caption.level == level]
        if own:
            lines += [bold.format(f"{level} ({LEVEL_WEIGHTS[level]:.0%} of training)")]
        for sample in own:
            lines += _wrapped(sample.caption.text, "  ", width)
            origin = "  ·  ".join(map(_origin_text, sample.origins))
            lines += [dim.format(line) for line in _wrapped(f"{sample.record.neuron_id}: {origin}", "      ", width)]
        lines += [""] if own else []
    lines += [bold.format(f"different captions of {report.n_neurons:,} neurons")]
    lines += [f"  {'':<14}{'evaluation':>12}{'one epoch':>12}"]
    lines += [f"  {level:<14}{report.fixed[level]:>12,}{report.drawn[level]:>12,}" for level in LEVELS]
    lines += [f"  {'together':<14}{'':>12}{report.in_epoch:>12,}"]
    return "\n".join(lines) + "\n"


def _origin_text(origin: Origin) -> str:
    """``rat ← species``; the value too where the phrase does not say it."""
    behind = [name if value == origin.phrase else f"{name} {value}" for name, value in origin.values.items()]
    return f"{origin.phrase} ← {', '.join(behind) or 'nothing else is said'}"


def _wrapped(text: str, indent: str, width: int | None) -> list[str]:
    if width is None or width < 40:
        return [indent + text]
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent + "  ")
