"""What a finished run of the workflow says: figures with chance and interval, who was left out, what to open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axonet.core.files import read_json, read_table
from axonet.pipeline.plan import EXPLORER_PAGE, QUALITY_PAGE, Plan

# Set by a caller of the workflow that says the closing lines itself.
SAID_BY_CALLER = "AXONET_CLOSING_SAID_BY_CALLER"
NAMES_SHOWN = 5


def closing_lines(plan: Plan) -> list[str]:
    """The lines that close a run."""
    tables = (f"{file.removesuffix('.arrow')}.qc.parquet" for file in plan.views())
    lines = counts({plan.data.address(name): file for name in tables if (file := plan.data.find(name))})
    lines.append(f"  The worst of them, with pictures: {plan.data.address(QUALITY_PAGE)}")
    for run in plan.config.runs:
        folder = f"results/runs/{run}/evaluate"
        title = [] if len(plan.config.runs) == 1 else [f"  run {run}", ""]
        if (metrics := plan.home.find(f"{folder}/metrics.json")) is not None:
            lines += ["", *title, *figures(read_json(metrics)), ""]
        lines.append(f"  Read next: {plan.home.address(f'{folder}/eval_report.txt')}")
        report = plan.home.address(f"{folder}/report.html")
        lines.append(f"  Look at:   {report} (the same with pictures, on one page)")
    lines += ["", f"  Explore:   {plan.home.address(EXPLORER_PAGE)} (map, search, 3D; it works offline)"]
    return lines


def counts(tables: Mapping[str, Path]) -> list[str]:
    """How many neurons were drawn, and who was left out for which reason.

    Args:
        tables: quality tables, one beside each shard of views, by the name that a user knows them by.
    """
    left_out: list[tuple[str, str, str]] = []
    n_neurons = 0
    for name, file in tables.items():
        table = read_table(file, ["neuron_id", "status"])
        n_neurons += len(table)
        pairs = zip(table["status"].to_pylist(), table["neuron_id"].to_pylist(), strict=True)
        left_out += [(status, neuron, name) for status, neuron in pairs if status != "ok"]
    if not left_out:
        return [f"  {n_neurons} neurons drawn, none left out"]
    reasons = ", ".join(f"{status} {n}" for status, n in sorted(Counter(status for status, *_ in left_out).items()))
    lines = [f"  {n_neurons - len(left_out)} neurons drawn, {len(left_out)} left out ({reasons}):"]
    lines += [f"    {neuron}: {status} ({file})" for status, neuron, file in sorted(left_out)[:NAMES_SHOWN]]
    if len(left_out) > NAMES_SHOWN:
        lines.append(f"    and {len(left_out) - NAMES_SHOWN} more, in the tables *.qc.parquet beside them")
    return lines


def figures(metrics: Mapping[str, Any]) -> list[str]:
    """The figures that answer first, one a line."""
    from axonet.evaluation.headline import describe, headline

    rows = headline(metrics)
    width = max((len(describe(row)) for row in rows), default=0)
    return [f"  {describe(row):<{width}}  {_figure(row)}" for row in rows]


def _figure(row: Mapping[str, Any]) -> str:
    interval = row.get("interval")
    text = f"{row['value']:.2f}" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else " (no interval)")
    return f"{text:<19} chance {row['chance']:.2f}" + (f"   n = {row['n']}" if row["n"] else "")
