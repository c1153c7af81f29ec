"""The few rows that stand for the rest, and what rows say in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from axonet.evaluation.data import IMAGE, JOINED
from axonet.evaluation.retrieval import HEADLINE

Row = Mapping[str, object]

METRIC_WORDS = {
    "recall_at_1": "R@1", "recall_at_5": "R@5", "recall_at_10": "R@10", "mean_reciprocal_rank": "MRR",
    "median_rank": "median rank", "mean_average_precision": "mAP", "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "top_3": "top-3 accuracy", "recall": "recall",
    "expected_calibration_error": "calibration error", "none_separation": "tells whether a word is true (AUROC)",
    "none_calibration_error": "calibration error of that", "answered_share": "share answered",
    "answered_accuracy": "accuracy where answered", "risk_coverage": "mean risk over coverages",
    "dice": "Dice, mean over classes", "axon_called_dendrite": "axon called dendrite",
    "dendrite_called_axon": "dendrite called axon", "depth_mae_um": "error of depth, um",
    "active_units": "active channels of the bottleneck",
}  # fmt: skip
METHOD_WORDS = {
    "majority": "commonest class", "knn5": "5 nearest neighbors", "knn20": "20 nearest neighbors",
    "logistic": "logistic probe", "forest": "random forest", "fusion": "mean of probe and forest",
    "zero_shot": "zero-shot",
}  # fmt: skip
MODEL_WORDS = {
    "forest": "without compartments", "forest_no_artefacts": "without compartments and tracing artefacts",
    "forest_compartments": "all morphometrics", "forest_merged": "merged morphometrics",
    "untrained_encoder": "untrained encoder",
    "silhouette_pca": "components of pictures", "silhouette_density": "density of pictures",
    "persistence_image": "persistence picture", "morphometrics_head": "Stage 2 head on morphometrics alone",
    "constant_list": "best constant list", "majority": "commonest class",
    "all_basal": "all basal dendrite", "middle_plane": "the middle plane", "prior": "nothing carried",
    "shuffled_map": "shuffled map", "class_frequencies": "class frequencies",
    "image": "this embedding", "image+morphometrics": "this embedding with morphometrics joined",
    "image, morphometrics beside": "this embedding, morphometrics beside it",
    "image+forest_compartments": "this embedding + forest",
    "image+forest_merged": "this embedding + merged forest",
}  # fmt: skip
FIELD_WORDS = {"cell_type": "cell type", "region": "brain region", "species": "species", "layer": "cortical layer"}
LOWER_IS_BETTER = ("median_rank", "expected_calibration_error", "none_calibration_error", "risk_coverage")


def rows_of(metrics: Mapping[str, object], name: str) -> list[Row]:
    """A list of rows of ``metrics.json``."""
    rows = metrics[name]
    assert isinstance(rows, Sequence)
    return list(rows)


def find(rows: Sequence[Row], **wanted: object) -> list[Row]:
    """The rows that have all these values."""
    return [row for row in rows if wanted.items() <= row.items()]


def headline(metrics: Mapping[str, object]) -> list[Row]:
    """Retrieval both ways, zero-shot and nearest neighbors of cell types, and the forest to beat: one row each.

    Args:
        metrics: content of ``metrics.json``.

    Returns:
        At most five rows, nine where the model joins morphometrics; what was not judged is left out.
    """
    retrieval, tasks = (rows_of(metrics, name) for name in ("retrieval", "tasks"))
    retrieval = find(retrieval, compartments="merged") or retrieval  # where claims are made
    levels = [HEADLINE, "standard", "broad", "detailed", "morphometric"]
    level = next((name for name in levels if find(retrieval, level=name)), None)
    equal = find(retrieval, level=level, hit="equal")
    balanced = find(tasks, metric="balanced_accuracy")
    balanced = find(balanced, compartments="merged") or balanced
    zero_shot = find(rows_of(metrics, "zero_shot"), task="zero_shot_cell_type", metric="balanced_accuracy")
    zero_shot = find(zero_shot, compartments="merged") or zero_shot
    candidates = []
    for model in (IMAGE, JOINED):
        candidates += [
            find(equal, direction="neuron_to_text", metric="recall_at_1", model=model),
            find(equal, direction="text_to_neuron", metric="mean_average_precision", model=model),
            find(zero_shot, prompts="ensemble", model=model),
            find(balanced, task="knn5_cell_type", model=model),
        ]
    forests = find(balanced, task="forest_cell_type")
    candidates.append([row for row in forests if row["model"] == row["baseline"]])
    return [rows[0] for rows in candidates if rows]


def split_task(task: str) -> tuple[str, str]:
    """Method and label field of a task: ``knn5_cell_type`` is ``knn5`` and ``cell_type``."""
    for field in FIELD_WORDS:
        if task.endswith(f"_{field}"):
            return task[: -len(field) - 1], field
    return task, ""


def describe(row: Row) -> str:
    """What a row measures, in a few words."""
    metric = METRIC_WORDS.get(str(row["metric"]), str(row["metric"]))
    metric += " (morphometrics joined)" if row["model"] == JOINED else ""
    if "direction" in row:
        way = "neuron finds its caption" if row["direction"] == "neuron_to_text" else "caption finds its neurons"
        return f"{way} ({row['level']}), {metric}"
    method, field = split_task(str(row["task"]))
    words = METHOD_WORDS.get(method, method)
    if method in ("logistic", "forest", "fusion"):
        words += f" on {MODEL_WORDS.get(str(row['model']), str(row['model']))}"
    return f"{FIELD_WORDS.get(field, field)}, {words}, {metric}"


def verdict(row: Row) -> str:
    """``better``, ``worse`` or ``not told apart``, by the interval of the difference to the row's baseline."""
    parts = row["difference"]
    if row["model"] == row["baseline"]:
        return "-"
    if not isinstance(parts, list | tuple) or not all(isinstance(part, int | float) for part in parts):
        return "not known"
    _, low, high = parts
    if low <= 0 <= high:
        return "not told apart"
    return "better" if (low > 0) != (row["metric"] in LOWER_IS_BETTER) else "worse"
