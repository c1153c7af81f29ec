"""Figures of the folds pooled, with intervals over groups, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from benchmarks.study.answers import N_RESAMPLES, Answers, figure, pooled
from benchmarks.study.protocols import Cohort
from benchmarks.words.corpus import TASKS, Part
from benchmarks.words.judge import BEFORE, RANKED, Found

from axonet.core.files import atomic_path
from axonet.core.seeds import rng
from axonet.evaluation.data import Array, Ints
from axonet.evaluation.scoring import Figure, Sample, mean_figure
from axonet.evaluation.zero_shot import recall_figures
from axonet.metrics.bootstrap import bootstrap_weights, interval, paired_difference


@dataclass(frozen=True)
class Folds:
    """The answers of one row to the folds of a scheme.

    Attributes:
        cohort: the neurons, with labels.
        scheme: ``donors`` or ``labs``.
        parts: the folds.
        found: what was judged in each of them.
    """

    cohort: Cohort
    scheme: str
    parts: Sequence[Part]
    found: Sequence[Found]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The embeddings that were judged."""
        return tuple(dict.fromkeys(name.split("/")[0] for name in self.found[0]))

    def figures(self, kind: str) -> dict[str, Figure]:
        """Every figure of an embedding, by name."""
        result: dict[str, Figure] = {}
        for probe in ("zero", "knn"):
            for task in TASKS[self.scheme]:
                name = f"{probe}_{task}"
                if f"{kind}/{name}" in self.found[0]:
                    result[name] = figure(self.cohort, self.parts[0].questions[task], self._answers(kind, task, probe))
        if kind != BEFORE:
            result |= self._retrieval(kind)
        return result

    def recalls(self, kind: str, task: str) -> tuple[tuple[str, ...], list[Figure], Ints]:
        """Zero-shot recall class by class, and how many neurons each has."""
        question, answers = self.parts[0].questions[task], self._answers(kind, task, "zero")
        truth = question.truth[answers.judged]
        sample = Sample(answers.judged, truth, len(question.classes), 0, self._weights(answers.judged, truth.tolist()))
        return question.classes, recall_figures(sample, answers.scores), np.bincount(truth)

    def _answers(self, kind: str, task: str, probe: str) -> Answers:
        pairs = zip(self.parts, self.found, strict=True)
        return pooled(
            [Answers(part.questions[task].judged, own[f"{kind}/{probe}_{task}"]) for part, own in pairs]  # type: ignore[arg-type]
        )

    def _retrieval(self, kind: str) -> dict[str, Figure]:
        judged = np.concatenate([part.judged for part in self.parts])
        labels = self.cohort.labels("coarse")
        weights = self._weights(judged, [str(labels[i]) for i in judged])
        result = {}
        for level in RANKED:
            rank = np.concatenate([own[f"{kind}/to_{level}"] for own in self.found])
            right = np.concatenate([own[f"{kind}/true_{level}"] for own in self.found])
            constant = np.concatenate([own[f"{kind}/constant_{level}"] for own in self.found])
            back = np.concatenate([own[f"{kind}/from_{level}"] for own in self.found])
            result |= {
                f"R@1 {level}": mean_figure(rank == 1, weights),
                f"R@1 {level}, commonest": mean_figure(constant == 1, weights),
                f"true@1 {level}": mean_figure(right == 1, weights),
                f"MRR {level}": mean_figure(1 / rank, weights),
                f"MRR {level}, chance": Figure(self._mean(kind, f"to_chance_{level}")),
                f"back MRR {level}": Figure(float((1 / back).mean())),
                f"back MRR {level}, chance": Figure(self._mean(kind, f"from_chance_{level}")),
            }
        return result

    def _mean(self, kind: str, name: str) -> float:
        return float(np.mean([float(own[f"{kind}/{name}"]) for own in self.found]))

    def _weights(self, judged: Ints, strata: Sequence[object]) -> Array | None:
        groups = [self.cohort.neurons.groups[i] for i in judged]
        return bootstrap_weights(groups, [str(s) for s in strata], N_RESAMPLES, rng(0, "bootstrap", "words"))


def cell(value: Figure) -> str:
    """``78.1 [74, 82]`` in percent."""
    ends = interval(value.resampled)
    return f"{100 * value.value:.1f}" + ("" if ends is None else f" [{100 * ends[0]:.0f}, {100 * ends[1]:.0f}]")


def difference(one: Figure, other: Figure) -> str:
    """``+3.9 [+2, +7]``, in points, on the same resamples."""
    value, low, high = paired_difference(one.value, other.value, one.resampled, other.resampled)
    ends = "" if low is None or high is None else f" [{100 * low:+.0f}, {100 * high:+.0f}]"
    return f"{100 * value:+.1f}{ends}"


def save(path: Path, found: Found) -> None:
    """Keep what was judged."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **found)  # type: ignore[arg-type]


def load(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    """What was judged."""
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}
