"""A frozen embedding on a published benchmark, as the papers count and as one should."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from axonet.core.seeds import rng, stable_seed
from axonet.evaluation.baselines import N_TREES
from axonet.evaluation.data import Array, Ints
from axonet.evaluation.protocols import N_FOLDS, PROTOCOLS, Entry
from axonet.evaluation.scoring import Row, rounded
from axonet.metrics.bootstrap import interval

Bools = npt.NDArray[np.bool_]
K, TEMPERATURE = 20, 0.5  # of the weighted vote of nearest neighbors that the papers report
DECIMALS = 6


def weighted_votes(bank: Array, labels: Ints, queries: Array, n_classes: int) -> Array:
    """Votes of the twenty nearest neighbors, each weighted by ``exp(cosine / 0.5)``.

    Args:
        bank: ``(n, d)`` unit vectors.
        labels: ``(n,)`` their classes.
        queries: ``(q, d)`` unit vectors.
        n_classes: number of classes.

    Returns:
        ``(q, c)``.

    Source:
        Chen et al. 2022, TreeMoCo, after Wu et al. 2018, "Unsupervised Feature Learning via Non-Parametric Instance
        Discrimination".
    """
    similarity = np.round(queries @ bank.T, DECIMALS)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :K]  # (q, k)
    weight = np.exp(np.take_along_axis(similarity, nearest, axis=1) / TEMPERATURE)
    votes = np.zeros((len(queries), n_classes))
    np.add.at(votes, (np.arange(len(queries))[:, None], labels[nearest]), weight)
    return votes


def forest_votes(bank: Array, labels: Ints, queries: Array, n_classes: int, seed: int) -> Array:
    """Class probabilities ``(q, c)`` of a random forest on morphometrics, classes weighted alike."""
    from sklearn.ensemble import RandomForestClassifier

    state = stable_seed(seed, "bench", "forest")
    forest = RandomForestClassifier(N_TREES, class_weight="balanced", random_state=state, n_jobs=1)
    forest.fit(bank, labels)
    votes = np.zeros((len(queries), n_classes))
    votes[:, forest.classes_] = forest.predict_proba(queries)
    return votes


def bench_rows(entries: Sequence[Entry], vectors: Array, measures: Array, n_resamples: int, seed: int) -> list[Row]:
    """Accuracy on the published test folds, and of every neuron with its own fold left out.

    Args:
        entries: the neurons.
        vectors: ``(n, d)`` unit vectors.
        measures: ``(n, f)`` morphometrics that need no compartment types.
        n_resamples: bootstrap resamples of neurons: the benchmarks tell no donors.
        seed: of the run.
    """
    names = sorted({entry.label for entry in entries})
    labels = np.array([names.index(entry.label) for entry in entries], dtype=np.int64)
    tested = np.array([entry.tested for entry in entries])
    fold = np.array([entry.fold for entry in entries])
    rows = []
    splits = {"published": [(~tested, tested)], "out_of_fold": [(fold != k, fold == k) for k in range(N_FOLDS)]}
    for name, parts in splits.items():
        parts = [(train, test) for train, test in parts if test.any() and train.any()]
        asked = np.concatenate([np.flatnonzero(test) for _, test in parts])
        hits = {
            "knn20": _hits(parts, labels, lambda train, test: weighted_votes(
                vectors[train], labels[train], vectors[test], len(names))),
            "forest": _hits(parts, labels, lambda train, test: forest_votes(
                measures[train], labels[train], measures[test], len(names), seed)),
            "majority": _hits(parts, labels, lambda train, test: np.tile(
                np.bincount(labels[train], minlength=len(names)), (int(test.sum()), 1)).astype(np.float64)),
        }  # fmt: skip
        rows += _rows(name, hits, labels[asked], len(labels) - len(asked), n_resamples, seed)
    return rows


def _hits(parts: Sequence[tuple[Bools, Bools]], labels: Ints, vote: Callable[[Bools, Bools], Array]) -> Bools:
    """Whether each asked neuron got its class; of equal votes the first class counts."""
    return np.concatenate([np.round(vote(train, test), 9).argmax(axis=1) == labels[test] for train, test in parts])


def _rows(name: str, hits: Mapping[str, Bools], truth: Ints, n_train: int, n_resamples: int, seed: int) -> list[Row]:
    """Accuracy and balanced accuracy of every method, with the paired difference to the forest."""
    draws = rng(seed, "bench", name).multinomial(len(truth), np.full(len(truth), 1 / len(truth)), size=n_resamples)
    size = np.bincount(truth)
    rows: list[Row] = []
    for metric, weight in (
        ("accuracy", np.ones(len(truth))),
        ("balanced_accuracy", (1 / np.maximum(size, 1))[truth]),
    ):
        scores = {}
        for method, own in hits.items():
            value = float((own * weight).sum() / weight.sum())
            scores[method] = value, (draws @ (own * weight)) / (draws @ weight) if n_resamples else None
        base, base_draws = scores["forest"]
        for method, (value, resampled) in scores.items():
            ends = interval(resampled)
            apart = None if resampled is None or base_draws is None else interval(resampled - base_draws)
            rows.append({
                "split": name, "method": method, "metric": metric, "value": rounded(value),
                "interval": None if ends is None else [rounded(end) for end in ends],
                "n": len(truth), "n_train": n_train if name == "published" else None, "classes": int((size > 0).sum()),
                "difference_to_forest": [rounded(value - base), *map(rounded, apart or (None, None))],
            })  # fmt: skip
    return rows


def bench_text(key: str, rows: Sequence[Row], n_left_out: Mapping[str, int]) -> str:
    """The result as a person reads it, with what papers reported beside it."""
    from axonet.evaluation.tables import number, table

    protocol = PROTOCOLS[key]
    titles = {
        "published": "Learned on folds 0-7, tested on 8-9" if protocol.table else "Folders train and test",
        "out_of_fold": "Every neuron, its fold of ten left out",
    }
    words = {"knn20": f"this embedding, {K} nearest neighbors", "forest": "random forest on morphometrics",
             "majority": "commonest class"}  # fmt: skip
    parts = [f"{protocol.name}\n{'=' * len(protocol.name)}"]
    for split, title in titles.items():
        body = []
        for method, word in words.items():
            own = {row["metric"]: row for row in rows if row["split"] == split and row["method"] == method}
            body.append([word, *(_percent(own[metric]) for metric in ("accuracy", "balanced_accuracy"))])
        n = next(row["n"] for row in rows if row["split"] == split)
        head = [f"{title} ({number(n)} neurons)", "accuracy [95 %]", "balanced accuracy [95 %]"]
        parts.append(table(head, body))
    reported = [[method, f"{value:.1f}"] for method, value in protocol.published.items()]
    parts.append(table(["Reported by papers (nearest neighbors, accuracy in percent)", ""], reported))
    tested = next(row["n"] for row in rows if row["split"] == "published")
    notes = ["The papers' figures are of the published test folds, often of the best epoch on them: prefer the second "
             "table. Intervals resample neurons, as donors are not told, and are too narrow for that."]  # fmt: skip
    if protocol.sizes is not None and tested != protocol.sizes[1]:
        notes.append(f"{number(tested)} test neurons instead of the published {protocol.sizes[1]}: not comparable.")
    notes += [f"Left out: {n} ({reason})." for reason, n in n_left_out.items()]
    return "\n\n".join([*parts, *notes]) + "\n"


def _percent(row: Row) -> str:
    ends = row["interval"]
    value = 100 * float(str(row["value"]))
    if not isinstance(ends, list):
        return f"{value:.1f}"
    return f"{value:.1f} [{100 * ends[0]:.1f}, {100 * ends[1]:.1f}]"
