"""Progress is a bar on a terminal and plain lines in a log, and never changes what is iterated."""

from __future__ import annotations

import axonet.core.progress as progress


def test_in_a_log_there_is_a_last_line_with_the_count(capsys):
    assert list(progress.track([1, 2, 3], "Rendering")) == [1, 2, 3]
    assert capsys.readouterr().err.startswith("Rendering: 3 of 3 done in ")


def test_lines_come_while_the_work_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    list(progress.track(iter(range(3)), "Reading", total=3))
    assert [line.split(" (")[0] for line in capsys.readouterr().err.splitlines()[:2]] == [
        "Reading: 1 of 3",
        "Reading: 2 of 3",
    ]


def test_on_a_terminal_nothing_is_lost(monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    assert list(progress.track(range(5), "Drawing")) == list(range(5))
