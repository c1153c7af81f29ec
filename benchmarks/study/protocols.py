"""What is asked, of which neurons, and what is held out: labels, groups and folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from benchmarks.study.prepare import Prepared

from axonet.core.files import read_table
from axonet.core.seeds import rng
from axonet.evaluation.data import Ints, Neurons
from axonet.evaluation.folds import Fold, Question, grouped_folds
from axonet.evaluation.labels import Field

N_FOLDS = 3
FEWEST_GROUPS = 3
ONE_LAB = "markram"
PARENTS = ("basket cell",)  # names a family whose members are classes of their own
WORDS = {"coarse": "cell class", "fine": "cell type", "types": "interneuron types of one lab", "layer": "layer"}
FEWEST = {"coarse": 15, "fine": 12, "types": 12, "layer": 15}


@dataclass(frozen=True)
class Cohort:
    """The neurons of a prepared table with everything that is known of them.

    Attributes:
        neurons: ids, measurements and groups.
        table: label columns, in the order of ``neurons``.
        apart: ``(n,)`` whether a neuron is of another table than the first: judged by ``allen`` alone, never learned.
    """

    neurons: Neurons
    table: dict[str, list[str | None]]
    apart: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.neurons)

    def labels(self, task: str) -> list[str | None]:
        """The label of every neuron for a task, None where it is not asked about."""
        if task in ("coarse", "layer"):
            return self.table["coarse_class" if task == "coarse" else "layer"]
        fine = [None if label in PARENTS else label for label in self.table["fine_class"]]
        if task == "fine":
            return fine
        own = zip(fine, self.table["source_set"], self.table["coarse_class"], strict=True)
        return [name if lab == ONE_LAB and kind == "cortical interneuron" else None for name, lab, kind in own]

    @cached_property
    def folds(self) -> Ints:
        """``(n,)`` fold of every neuron, groups whole; -1 for those in no question, which are only learned from."""
        asked = [self._first_class(i) for i in range(len(self))]
        fold = np.full(len(self), -1, dtype=np.int64)
        members = [i for i, name in enumerate(asked) if name is not None and not self.apart[i]]
        names = sorted({asked[i] for i in members if asked[i] is not None})
        strata = [names.index(str(asked[i])) for i in members]
        from sklearn.model_selection import StratifiedGroupKFold

        groups = [self.neurons.groups[i] for i in members]
        parts = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=0).split(members, strata, groups)
        for number, (_, test) in enumerate(parts):
            fold[np.asarray(members)[test]] = number
        return fold

    @cached_property
    def lab_folds(self) -> Ints:
        """``(n,)`` fold of every neuron, labs whole; -1 for classes of a single lab."""
        own = zip(self.labels("coarse"), self.apart, strict=True)
        labels = [None if apart else label for label, apart in own]
        labs = [lab or "unknown" for lab in self.table["lab"]]
        several = set(classes(labels, labs, FEWEST["coarse"], 2))
        members = np.array([i for i, name in enumerate(labels) if name in several and not self.apart[i]])
        names = sorted(several)
        strata = [names.index(str(labels[i])) for i in members]
        fold = np.full(len(self), -1, dtype=np.int64)
        fold[members] = grouped_folds([labs[i] for i in members], strata, N_FOLDS, rng(0, "labs"))
        return fold

    def _first_class(self, i: int) -> str | None:
        for task in ("fine", "coarse", "layer"):
            if self._of[task][i] >= 0:
                return f"{task}:{self.labels(task)[i]}"
        return None

    @cached_property
    def _of(self) -> dict[str, Ints]:
        return {task: self.truth(task)[1] for task in ("fine", "coarse", "layer")}

    def truth(self, task: str) -> tuple[tuple[str, ...], Ints]:
        """Classes of a task, and the class of every neuron, -1 where it is not asked about."""
        labels = self.labels(task)
        own = [None if apart else label for label, apart in zip(labels, self.apart, strict=True)]
        names = classes(own, self.neurons.groups, FEWEST[task], FEWEST_GROUPS)
        place = {name: index for index, name in enumerate(names)}
        return names, np.array([-1 if label is None else place.get(label, -1) for label in labels], dtype=np.int64)

    def question(self, task: str, folds: Ints, number: int) -> Question:
        """A task with one fold judged and everything outside of it learned from."""
        names, truth = self.truth("coarse" if task in ("labs", "allen") else task)
        if task in ("labs", "allen"):
            # Labs held out: the classes that several labs have. Allen: the two classes of the other table.
            wanted = truth[self.apart] if task == "allen" else truth[folds >= 0]
            kept = np.unique(wanted[wanted >= 0])
            names, truth = (
                tuple(names[k] for k in kept),
                np.where(np.isin(truth, kept), np.searchsorted(kept, truth), -1),
            )
        asked = truth >= 0
        test = self.apart if task == "allen" else (folds == number) & ~self.apart
        part = Fold(np.flatnonzero(asked & (folds != number) & ~self.apart), np.flatnonzero(asked & test))
        return Question(Field(task, WORDS.get(task, task), lambda record: None), names, truth, (part,), "group")


def classes(labels: Sequence[str | None], groups: Sequence[str], fewest: int, fewest_groups: int) -> tuple[str, ...]:
    """Classes with enough neurons and enough groups, the commonest first."""
    counts = Counter(label for label in labels if label is not None)
    own: dict[str, set[str]] = {name: set() for name in counts}
    for label, group in zip(labels, groups, strict=True):
        if label is not None:
            own[label].add(group)
    kept = [name for name, n in counts.items() if n >= fewest and len(own[name]) >= fewest_groups]
    return tuple(sorted(kept, key=lambda name: (-counts[name], name)))


def load_cohort(prepared: Sequence[Prepared]) -> Cohort:
    """The neurons of prepared tables, sorted by id; those of all but the first table are never learned from."""
    rows = []
    for number, one in enumerate(prepared):
        rows += [{**row, "apart": number > 0} for row in read_table(one.labels).to_pylist()]
    measured = {row["neuron_id"]: row for one in prepared for row in read_table(one.measures).to_pylist()}
    rows.sort(key=lambda row: row["neuron_id"])
    ids = tuple(row["neuron_id"] for row in rows)
    neurons = Neurons(ids, (None,) * len(ids), tuple(measured[i] for i in ids), tuple(row["group"] for row in rows))
    apart = np.array([row.pop("apart") for row in rows])
    return Cohort(neurons, {name: [row[name] for row in rows] for name in rows[0]}, apart)


def in_um(cohort: Cohort) -> npt.NDArray[np.bool_]:
    """Whether the unit of each neuron's file is known."""
    return np.array([unit is not None for unit in cohort.table["um_per_unit"]])
