"""Snakemake's own report of a run: one page, without a network, that holds the pictures and tables that matter."""

from __future__ import annotations

import base64
import re

import pytest

from tests.integration.project import Project

pytestmark = pytest.mark.workflow

SHOWN = {
    "Quality": ["The worst neurons"],
    "Stage 1": ["Losses and validation"],
    "Stage 2": ["Losses and validation"],
    "Explore": ["The explorer"],
    "Evaluation": [
        "1 The report as text",
        "2 The report with pictures",
        "3 Map: cell types",
        "4 Map: regions",
        "5 Zero-shot confusions",
    ],
}
FILES = [
    "quality.html",
    "explorer.html",
    *(f"runs/main/{stage}/history.csv" for stage in ("stage1", "stage2")),
    *(f"runs/main/evaluate/{name}" for name in ("eval_report.txt", "report.html", "tsne_cell_type.png")),
    *(f"runs/main/evaluate/{name}" for name in ("tsne_region.png", "confusion_matrix.png")),
]


def test_the_report_holds_pictures_and_tables_with_captions(finished: Project, tmp_path):
    result = finished.call("--report", str(tmp_path / "report.html"))
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "report.html").read_text()
    for category, labels in SHOWN.items():
        assert f'"{category}"' in page
        assert all(f'"{label}"' in page for label in labels)
    for name in FILES:
        data = (finished.folder / "results" / name).read_bytes()
        assert base64.b64encode(data).decode() in page, name
    assert "neurons as pictures and words" in page
    assert "Runs: main (seed 0, split by neuron)" in page
    assert "Run main, zero-shot classification" in page
    assert not re.search(r"<(script|link)[^>]+(src|href)=[\"']https?:", page)
