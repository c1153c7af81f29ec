"""Differences laboratory by laboratory: few laboratories are no sample that a bootstrap could resample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from axonet.core.seeds import rng
from axonet.evaluation.data import Array, EvaluationData, Ints
from axonet.evaluation.scoring import Row, Sample, answer, rounded
from axonet.metrics.permutation import sign_flip

FEWEST_TO_TELL = 6  # below, no difference can reach p < .05


def laboratories(data: EvaluationData, items: Ints) -> Ints:
    """The laboratory of every item: its archive, without one its publication; -1 where neither is told."""
    owners = data.embedding.items[items]
    records = [data.neurons.records[i] for i in owners]
    names = [None if record is None else record.archive or record.publication for record in records]
    place = {name: index for index, name in enumerate(sorted({name.casefold() for name in names if name}))}
    return np.array([-1 if not name else place[name.casefold()] for name in names], dtype=np.int64)


def compare_laboratories(
    sample: Sample, scores: Array, against: Array, labs: Ints, names: Sequence[str], seed: int
) -> Row:
    """Whether one model is better than another in laboratory after laboratory.

    Within a laboratory every item counts as in balanced accuracy over all judged items: by one over the size of its
    class. Every laboratory then counts the same.

    Args:
        sample: the judged items.
        scores: ``(m, c)`` of the model.
        against: ``(m, c)`` of the baseline.
        labs: ``(m,)`` laboratory of every item, -1 for unknown.
        names: of the random stream that is needed above 20 laboratories.
        seed: of the run.

    Returns:
        Fields of a row of ``metrics.json``; empty with fewer than two laboratories.
    """
    known = labs >= 0
    if len(np.unique(labs[known])) < 2:
        return {}
    better = (answer(scores) == sample.truth).astype(np.float64) - (answer(against) == sample.truth)
    weight = (1 / np.bincount(sample.truth, minlength=sample.n_classes).clip(min=1))[sample.truth] * known
    place = np.maximum(labs, 0)
    total, sums = (np.bincount(place, values) for values in (weight, weight * better))
    there = total > 0
    differences = np.round(sums[there] / total[there], 12)
    return {
        "labs": int(there.sum()),
        "labs_better": int((differences > 0).sum()),
        "labs_difference": rounded(float(differences.mean())),
        "labs_p": rounded(sign_flip(differences, rng(seed, "sign_flip", *names))),
    }
