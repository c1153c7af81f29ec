"""The report's last sections: what was not judged, and how the figures are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from axonet.evaluation.document import Block, Bullets, Paragraph, Row
from axonet.evaluation.headline import FIELD_WORDS, split_task
from axonet.evaluation.tables import count


def dropped_block(rows: Sequence[Row]) -> Block:
    """Who and what was left out, and why: one line a reason."""
    if not rows:
        return Paragraph("Everything was judged.")
    together: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        method, field = split_task(str(row["task"]))
        what = FIELD_WORDS.get(field or method, method.replace("_", " "))
        what = f"zero-shot, {what}" if method == "zero_shot" else what
        n = f" ({row['n']})" if row["class"] is not None else ""
        name = (
            f"{row['class']}{n}"
            if row["class"] is not None
            else count(int(str(row["n"])), "neuron")
            if row["n"]
            else ""
        )
        together.setdefault((what, str(row["reason"])), []).append(name)
    lines = []
    for (what, reason), names in together.items():
        listed = f": {', '.join(names)}" if any(names) else ""
        lines.append(f"{what}{listed}: {reason}")
    return Bullets(lines)


def how_block(splits: Row) -> Paragraph:
    """How intervals, ties and labels are dealt with, and what the run can be told by."""
    settings = splits["settings"]
    assert isinstance(settings, Mapping)
    return Paragraph(
        f"Intervals: 95 % percentile bootstrap, {settings['bootstrap']} resamples of groups (donor, else publication, "
        "else archive, and equal shapes), drawn within classes (from all together where classes of a single group "
        "hold half of the neurons); 'no interval': fewer than five groups. From captions to neurons the resampled "
        "lists are compared at the chance level of the whole list. Ties count against the model. Labels come from the "
        "metadata, never from captions. Many figures are shown, and the best of many is always too good. Seed "
        f"{settings['seed']}, checkpoint {splits['checkpoint']}, assignments {splits['assignments']}; versions, "
        "device and time are in run.json."
    )
