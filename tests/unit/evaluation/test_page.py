"""The page holds what the text report holds, needs no other file, and shows names as they are."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from axonet.evaluation.document import Paragraph, Picture, Section, Table
from axonet.evaluation.page import EDGE, WIDE, drawing, report_page
from axonet.evaluation.report import write_report
from axonet.evaluation.run import evaluate
from axonet.evaluation.write import write_outputs

from .synthetic import class_vector, make_captions, make_data, settings, vectors_of

WILD = '<script>alert("1")</script> & \u00e9'


class Reader(HTMLParser):
    """Text, tags and links of a page; complains about tags that are not closed."""

    VOID = frozenset({"meta", "img", "line", "circle", "path", "br"})

    def __init__(self, text):
        super().__init__()
        self.words, self.tags, self.sources, self.open = [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    data = make_data(n_judged=20, n_train=30, vector_of=class_vector)
    records = tuple(
        replace(record, label=WILD) if record.label == "Martinotti cell" else record for record in data.neurons.records
    )
    data = replace(data, neurons=replace(data.neurons, records=records))
    folder = tmp_path_factory.mktemp("page")
    found = evaluate(data, make_captions(data), vectors_of, settings(bootstrap=50, baselines=False))
    write_outputs(folder, data, found)
    return found, (folder / "report.html").read_text(encoding="utf-8")


def test_the_page_needs_no_other_file(made):
    page = Reader(made[1])
    assert page.sources
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert len(page.sources) == 3
    assert not re.search(r"url\(|@import|https?:", made[1])


def test_names_from_files_are_text_and_never_markup(made):
    page = Reader(made[1])
    assert WILD in page.text
    assert "script" not in page.tags


def test_what_the_text_report_says_the_page_says(made):
    found, html = made
    page = Reader(html).text
    for line in write_report(found.metrics, found.notes).split("\n\n"):
        words = " ".join(line.split())
        if words and not set(words) & set("-=") and "  " not in line.strip():
            assert words in page, words


def test_the_page_follows_the_reader_into_the_dark(made):
    assert "color-scheme: light dark" in made[1]
    assert "prefers-color-scheme: dark" in made[1]


def test_marks_stand_where_the_figures_are():
    row = {"value": 0.5, "interval": [0.25, 1.0], "chance": 0.0, "model": "a", "baseline": "b"}
    own = drawing({**row, "difference": [0.25, 0.1, 0.3]})
    inner = WIDE - 2 * EDGE
    assert f'<circle class="value" cx="{EDGE + inner / 2}"' in own
    assert f'class="interval" x1="{EDGE + inner / 4}" x2="{EDGE + inner}.0"' in own
    assert f'class="beside" d="M{EDGE + inner / 4 - 5.5} ' in own
    assert 'aria-label="0.50, chance 0.00, interval 0.25 to 1.00, baseline 0.25"' in own


def test_figures_that_are_not_there_are_not_drawn():
    row = {"value": None, "interval": None, "chance": 3.0, "difference": [None, None, None], "model": "a"}
    own = drawing({**row, "baseline": "b"})
    assert "circle" not in own
    assert "interval" not in own
    assert "beside" not in own
    assert "chance" not in own


def test_a_picture_that_is_not_there_leaves_no_gap():
    splits = {"n_judged": 1, "groups": 1, "n_learned_on": 0, "judged": "test", "held_out": "lab"}
    sections = [Section("", [Paragraph("a")]), Section("b", [Picture("c.png", "d"), Table(["e"], [["f"]])])]
    page = Reader(report_page("t", splits, sections, {}))
    assert "img" not in page.tags
    assert "cross-validation" in page.text
