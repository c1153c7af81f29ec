"""The report's section on the laboratory, the number of views and the number of labels."""

from __future__ import annotations

from collections.abc import Sequence

from axonet.evaluation.document import Block, Paragraph, Row, Table
from axonet.evaluation.headline import FIELD_WORDS, MODEL_WORDS, split_task
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
    "What fewer views and fewer labels cost the five nearest neighbors (balanced accuracy). Views: the first ones of "
    "every neuron, along its principal axes. Labels: a share of the groups of every class, three draws averaged. The "
    "difference is to all views or all labels; a curve that still climbs says that more would help."
)


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
        head = ["Cell type, 5 nearest neighbors", "value [95 % interval]", "difference [95 % interval]"]
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
    return f"{method.removeprefix('labels')} % of labels" if method.startswith("labels") else None
