"""What is learned on and what is judged: given neurons, or cross-validation that keeps groups together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from axonet.core.seeds import rng
from axonet.evaluation.data import EvaluationData, Ints
from axonet.evaluation.labels import Classes, Field, choose_classes, labels_of
from axonet.evaluation.sampling import drawn_by_class
from axonet.evaluation.settings import EvaluationSettings
from axonet.metrics.bootstrap import group_strata

N_FOLDS = 5


@dataclass(frozen=True)
class Fold:
    """Indices of neurons: learn on ``train``, answer for ``test``."""

    train: Ints
    test: Ints


@dataclass(frozen=True)
class Question:
    """A label to predict, for which neurons, from which neurons.

    Attributes:
        field: the label.
        classes: names, the commonest judged one first.
        truth: ``(n,)`` class of every neuron, -1 for those not in question.
        folds: predictions for the ``test`` of all folds are pooled; no neuron is in two of them.
        kept_apart: what folds keep together: ``manifest`` (training neurons were given), ``group`` or ``neuron``.
        sampled: whether not all neurons are learned on and judged.
    """

    field: Field
    classes: tuple[str, ...]
    truth: Ints
    folds: tuple[Fold, ...]
    kept_apart: str
    sampled: bool = False

    @property
    def judged(self) -> Ints:
        """Indices of the judged neurons, ascending."""
        return np.sort(np.concatenate([fold.test for fold in self.folds]))


def grouped_folds(groups: Sequence[str], strata: Sequence[int], n_folds: int, generator: np.random.Generator) -> Ints:
    """Deal groups to folds, class by class, always to the fold that has least of the class.

    Args:
        groups: ``n`` group keys; a group is never torn.
        strata: ``n`` classes.
        n_folds: number of folds.
        generator: decides the order of groups of equal size.

    Returns:
        ``(n,)`` fold of every item.
    """
    group, stratum = group_strata(groups, strata)
    size = np.bincount(group)
    fold_of = np.zeros(len(size), dtype=np.int64)
    total = np.zeros(n_folds)
    for code in np.unique(stratum):
        members = generator.permutation(np.flatnonzero(stratum == code))
        load = np.zeros(n_folds)
        for member in members[np.argsort(-size[members], kind="stable")]:
            fold = int(np.lexsort((total, load))[0])  # least of this class, then least of everything
            fold_of[member] = fold
            load[fold] += size[member]
            total[fold] += size[member]
    return fold_of[group]


def ask(
    field: Field, data: EvaluationData, settings: EvaluationSettings
) -> tuple[Question | None, list[dict[str, object]]]:
    """Put a question to the data.

    With training neurons, they are learned on and the judged ones answered for. Without, both happen inside the judged
    ones, by cross-validation over their groups; where too few classes have two groups, over single neurons.

    Returns:
        The question, or None when fewer than two classes can be asked about; and the rows of what was left out.
    """
    labels, min_class_size, seed = labels_of(data.neurons, field), settings.min_class_size, settings.seed
    if len(data.learned_on):
        classes = choose_classes(labels, data.judged, data.learned_on, min_class_size, field.name)
        folds: tuple[Fold, ...] = (Fold(_of(classes, data.learned_on), _of(classes, data.judged)),)
        kept_apart = "manifest"
    else:
        classes, folds, kept_apart = _cross_validation(labels, data, min_class_size, field.name, seed)
    dropped = [dict(row) for row in classes.dropped]
    unlabeled = sum(labels[i] is None for i in data.judged)
    if unlabeled:
        reason = "the metadata does not say"
        dropped.append({"task": field.name, "class": None, "n": unlabeled, "n_train": None, "reason": reason})
    if len(classes.names) < 2:
        if unlabeled < data.n_judged:
            reason = f"{'one class is' if classes.names else 'no class is'} left: nothing to tell apart"
            dropped.append({"task": field.name, "class": None, "n": None, "n_train": None, "reason": reason})
        return None, dropped
    share = -(-settings.most_neurons // len(folds))  # of what is judged, over all folds
    small = tuple(_sampled(fold, n, classes.truth, share, field, settings) for n, fold in enumerate(folds))
    sampled = sum(len(fold.test) for fold in small) < sum(len(fold.test) for fold in folds)
    sampled |= any(len(few.train) < len(all_.train) for few, all_ in zip(small, folds, strict=True))
    return Question(field, classes.names, classes.truth, small, kept_apart, sampled), dropped


def _sampled(
    fold: Fold, number: int, truth: Ints, most_judged: int, field: Field, settings: EvaluationSettings
) -> Fold:
    """A fold with as many neurons as may be learned on and, over all folds, judged."""
    name = f"{field.name} {number}"
    return Fold(
        drawn_by_class(fold.train, truth, settings.most_neurons, settings.seed, f"learned on {name}"),
        drawn_by_class(fold.test, truth, most_judged, settings.seed, f"judged {name}"),
    )


def _of(classes: Classes, indices: Ints) -> Ints:
    return indices[classes.truth[indices] >= 0]


def _cross_validation(
    labels: Sequence[str | None], data: EvaluationData, min_class_size: int, task: str, seed: int
) -> tuple[Classes, tuple[Fold, ...], str]:
    """Folds inside the judged neurons: over groups if two classes can be asked about, else over neurons."""
    kept_apart, groups = "group", data.neurons.groups
    usable, lonely = _with_two_groups(labels, groups, data.judged)
    classes = choose_classes(usable, data.judged, None, max(min_class_size, 2), task)
    if len(classes.names) < 2:
        kept_apart, groups = "neuron", data.neurons.ids
        usable, lonely = _with_two_groups(labels, groups, data.judged)
        classes = choose_classes(usable, data.judged, None, max(min_class_size, 2), task)
    lonely_rows: tuple[dict[str, object], ...] = tuple(
        {"task": task, "class": name, "n": n, "n_train": None, "reason": "all its neurons are one group"}
        for name, n in sorted(lonely.items())
    )
    classes = Classes(classes.names, classes.truth, classes.dropped + lonely_rows)
    members = _of(classes, data.judged)
    if len(classes.names) < 2:
        return classes, (), kept_apart
    own = [groups[i] for i in members]
    strata = [int(classes.truth[i]) for i in members]
    n_folds = min(N_FOLDS, len(set(own)))
    fold = grouped_folds(own, strata, n_folds, rng(seed, "folds", task))
    folds = [Fold(members[fold != number], members[fold == number]) for number in range(n_folds)]
    return classes, tuple(part for part in folds if len(part.test)), kept_apart


def _with_two_groups(
    labels: Sequence[str | None], groups: Sequence[str], judged: Ints
) -> tuple[list[str | None], dict[str, int]]:
    """Blank the labels that only one group has: such a class is learned or judged, never both."""
    of_class: dict[str, list[str]] = {}
    for index in judged:
        label = labels[index]
        if label is not None:
            of_class.setdefault(label, []).append(groups[index])
    lonely = {label: len(own) for label, own in of_class.items() if len(own) > 1 and len(set(own)) < 2}
    return [None if label in lonely else label for label in labels], lonely
