"""The report's section on the laboratory, the number of views and the number of labels."""

from __future__ import annotations

from collections.abc import Sequence

from axonet.evaluation.document import Block, Paragraph, Row, Table
from axonet.evaluation.headline import FIELD_WORDS, METRIC_WORDS, MODEL_WORDS, split_task
from axonet.evaluation.stage1 import VIEWS_PER_NEURON
from axonet.evaluation.tables import difference, number, with_interval

BATCH_WORDS = {
    "archive_accuracy": "archive read off 5 neighbors of the same type",
    "same_archive_neighbors": "share of these neighbors of the same archive",
}
BATCH_NOTE = (
    "How far the vectors tell the laboratory: of a judged neuron the five nearest of the same cell type and another "
    "donor, in cell types that two archives have. At chance there is nothing of the laboratory in a vector; high "
    "figures say that a laboratory's style is in it, not that the shape is not."
)
CURVE_NOTE = (
    "What fewer views and fewer labels cost (balanced accuracy of the five nearest neighbors where no other method is "
    "named). Views: the first ones of every neuron, along its principal axes. Labels: a share of the groups of every "
    "class, three draws averaged, beside a forest on morphometrics that learns from the same. The "
    "difference is to all views or all labels; a curve that still climbs says that more would help."
)
LEARNERS = {"labels": "", "logistic": ", logistic probe", "forest": ", random forest"}


def beside_blocks(rows: Sequence[Row]) -> list[Block]:
    """Tables of the batch effect and of both curves; a sentence where there is neither."""
    blocks: list[Block] = []
    batch = [row for row in rows if row["metric"] in BATCH_WORDS]
    if batch:
        body = [
            [f"{BATCH_WORDS[str(row['metric'])]}: {_model(row)}", with_interval(row), number(row["chance"]),
             difference(row), f"{number(row['n'])} / {number(row['classes'])}"]
            for row in batch
        ]  # fmt: skip
        head = ["Laboratory", "value [95 % interval]", "chance", "difference [95 % interval]", "n / archives of types"]
        blocks += [Paragraph(BATCH_NOTE), Table(head, body, batch)]
    curve = [row for row in rows if _step(row) is not None]
    if curve:
        body = [[f"{_step(row)}: {_model(row)}", with_interval(row), difference(row)] for row in curve]
        head = ["Cell type", "value [95 % interval]", "difference [95 % interval]"]
        blocks += [Paragraph(CURVE_NOTE), Table(head, body, curve)]
    return blocks or [Paragraph("Too little is known of these neurons for any of it.")]


def _model(row: Row) -> str:
    return MODEL_WORDS.get(str(row["model"]), str(row["model"]))


def _step(row: Row) -> str | None:
    """``1 view``, ``3 views``, ``25 % of labels``; None for another row."""
    method, field = split_task(str(row["task"]))
    if field not in FIELD_WORDS:
        return None
    if method.startswith("views"):
        n_views = method.removeprefix("views")
        return f"{n_views} view" if n_views == "1" else f"{n_views} views"
    for name, words in LEARNERS.items():
        if method.startswith(name) and method.removeprefix(name).isdigit():
            return f"{method.removeprefix(name)} % of labels{words}"
    return None


STAGE1_NOTE = (
    "Of {n} judged neurons the first {views} views, decoded by the Stage 1 network of this checkpoint. Dice: overlap "
    "of answered and true pixels, 1 at best, beside calling the whole neuron basal dendrite; 'chance' answers every "
    "class alike. Depth: mean error over the visible surface, up to the front and back that no silhouette tells, "
    "beside the middle plane. kl: nats per pixel that a level of the network carries."
)


def stage1_blocks(rows: Sequence[Row]) -> list[Block]:
    """The table of Stage 1, or a sentence where nothing was decoded."""
    if not rows:
        return [Paragraph("Nothing was decoded.")]
    body = [
        [_stage1_words(str(row["metric"])), with_interval(row), number(row["chance"]),
         MODEL_WORDS[str(row["baseline"])], difference(row)]
        for row in rows
    ]  # fmt: skip
    head = ["Stage 1", "value [95 % interval]", "chance", "baseline", "difference [95 % interval]"]
    note = STAGE1_NOTE.format(n=number(rows[0]["n"]), views=VIEWS_PER_NEURON)
    return [Paragraph(note), Table(head, body)]


def _stage1_words(metric: str) -> str:
    if metric.startswith("dice_"):
        return f"Dice, {metric.removeprefix('dice_').replace('_', ' ')}"
    return METRIC_WORDS.get(metric, metric.replace("_", " "))
