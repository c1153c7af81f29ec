"""The page of the worst neurons: who is on it, in which order, and that it needs no other file."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from axonet.datasets.page_parts import thumbnail
from axonet.datasets.quality import Picture, remarks, worst_neurons
from axonet.datasets.quality_page import quality_page
from axonet.datasets.quality_words import OF_THE_FILE, REASONS, REMARKS, meaning
from axonet.morphology.compartments import PALETTE

SOURCE = Path(__file__).resolve().parents[3] / "src" / "axonet"


def row(name: str, status: str = "ok", warnings: tuple[str, ...] = (), **facts: object) -> dict[str, object]:
    drawn = {"n_nodes": 500, "qc": 1.0, "drawn_px": 4000} if status == "ok" else {}
    fixed = {"neuron_id": name, "neuron": name, "swc": f"{name}.swc", "status": status, "detail": None}
    return {**fixed, "warnings": list(warnings), **drawn, **facts}


def names(rows: list[dict[str, object]], most: int = 24) -> list[str]:
    return [str(row["neuron_id"]) for row in worst_neurons(rows, most)]


def picture(name: str, view: int, label: int = 3) -> Picture:
    mask = np.zeros((40, 60), np.uint8)
    mask[10 : 12 + view, 5:50] = label
    return Picture({"neuron_id": name, "view": view, "tier": "canonical", "um_per_px": 2.0}, mask)


def test_those_that_were_not_drawn_come_first_then_the_most_remarks_then_the_figures():
    rows = [
        row("fine"),
        row("thin", drawn_px=900),
        row("cut", qc=0.8),
        row("odd", warnings=("no_soma", "flat_z")),
        row("page", "html_page"),
        row("form", warnings=("unsorted", "comma_separated")),
        row("small", drawn_px=900, n_nodes=40),
    ]
    assert names(rows) == ["page", "odd", "cut", "small", "thin", "fine", "form"]
    assert names(rows[::-1]) == names(rows)


def test_at_most_half_are_without_a_picture_while_there_are_others():
    rows = [row(f"bad{i:02d}", "empty_file") for i in range(30)] + [row(f"good{i:02d}") for i in range(30)]
    assert sum(name.startswith("bad") for name in names(rows)) == 12
    assert sum(name.startswith("bad") for name in names(rows[:35])) == 24 - 5
    assert len(names(rows[:7])) == 7


def test_remarks_are_read_off_the_row():
    assert remarks(row("a")) == []
    found = remarks(row("a", warnings=("no_soma",), qc=0.9, drawn_px=10, n_nodes=5))
    assert found == ["no_soma", "cut_off", "hardly_drawn", "few_nodes"]
    assert remarks(row("a", "no_neurites", warnings=("no_neurites",), n_nodes=1)) == []
    assert remarks({**row("a"), "qc": None, "drawn_px": None, "n_nodes": None}) == []  # a table of an older version


class Reader(HTMLParser):
    """Collects what a page names, and that its elements close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.names: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        values = dict(attrs)
        assert not {"href", "onclick", "onerror"} & values.keys()
        if tag == "img":
            self.images.append(values["src"])
        if tag not in ("img", "meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_the_page_names_and_shows_its_neurons_and_counts_everybody():
    rows = [row("cell", warnings=("no_soma",)), row("page", "html_page", detail="page.swc: this is a web page")]
    rows += [row(f"other{i}", "empty_file") for i in range(3)]
    page = read(quality_page(rows, worst_neurons(rows[:2]), [picture("cell", view) for view in range(5)], "qc.csv"))
    assert len(page.images) == 3  # the fullest, a middling and the emptiest view
    assert re.search(r"view 04\s*120 µm wide.*view 02.*view 00", page.text, re.DOTALL)
    assert "page.swc: this is a web page" in page.text
    assert re.search(r"3empty_file" + meaning("empty_file"), page.text)
    assert re.search(r"1no_soma" + meaning("no_soma"), page.text)
    assert "500 nodes · qc 1.000 · at least 4,000 px drawn" in page.text


def test_the_page_needs_no_other_file_and_follows_the_reader_s_theme():
    rows = [row("cell")]
    page = quality_page(rows, rows, [picture("cell", 0)], "qc.csv")
    assert not re.search(r"(src|href)=\"(?!data:)|url\(|@import|<script", page)
    assert "prefers-color-scheme: dark" in page
    assert page == quality_page(rows, rows, [picture("cell", 0)], "qc.csv")


def test_names_and_reasons_cannot_become_markup():
    evil = '<script>alert("1")</script>&amp;'
    rows = [row(evil, "no_root", detail=evil), row("x", warnings=(evil,))]
    page = read(quality_page(rows, worst_neurons(rows), [], evil))
    assert "script" not in page.names
    assert page.text.count(evil) == 6  # name, file (with .swc), detail; the remark twice; the table


def test_no_neuron_at_all_is_a_page_too():
    assert "None." in read(quality_page([], [], [], "qc.csv")).text


@pytest.mark.parametrize("shape", [(24, 32), (96, 96), (512, 400), (4096, 100)])
def test_thumbnails_are_small_transparent_and_in_the_colors_of_the_classes(shape):
    mask = np.zeros(shape, np.uint8)
    mask[shape[0] // 2] = 2
    image = Image.open(io.BytesIO(thumbnail(mask)))
    assert max(image.size) <= 176
    pixels = np.asarray(image)
    inked = pixels[pixels[..., 3] > 0]
    assert len(inked) == image.size[0]  # a line that is one pixel wide stays whole
    assert (inked[:, :3] == PALETTE[2]).all()
    assert (inked[:-1, 3] >= 50).all()


def test_every_code_that_the_sources_know_has_words():
    text = "".join(path.read_text() for path in (SOURCE / "morphology").glob("*.py"))
    checks = (SOURCE / "morphology" / "checks.py").read_text()
    warnings = set(re.findall(r"warnings\.(?:add|update)\(\s*\"(\w+)\"", text))
    warnings |= set(re.findall(r"\"(\w+)\"", checks[checks.index("QUALITY_CODES = (") : checks.index("\n)\n")]))
    reasons = set(re.findall(r"SWCError\(\s*\"(\w+)\"", text))
    drawing = "".join(path.read_text() for path in (SOURCE / "rendering").glob("*.py"))
    reasons |= set(re.findall(r"RenderError\(\s*\"(\w+)\"", drawing))
    assert len(warnings) > 20
    assert len(reasons) > 8
    assert warnings <= {*REMARKS, "no_neurites"}
    assert reasons <= REASONS.keys()
    assert REMARKS.keys() >= OF_THE_FILE


def test_images_are_embedded_whole():
    rows = [row("cell")]
    (source,) = read(quality_page(rows, rows, [picture("cell", 0)], "qc.csv")).images
    data = base64.b64decode(source.removeprefix("data:image/png;base64,"))
    assert np.asarray(Image.open(io.BytesIO(data))).shape == (40, 60, 4)
