"""What a finished run says."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from axonet.core.files import write_table
from axonet.pipeline.closing import counts


def table(file: Path, **status: str) -> Path:
    write_table(file, pa.table({"neuron_id": list(status), "status": list(status.values())}))
    return file


def test_a_run_without_losses_says_so(tmp_path):
    assert counts({"a": table(tmp_path / "a", n1="ok", n2="ok"), "b": table(tmp_path / "b", n3="ok")}) == [
        "  3 neurons drawn, none left out"
    ]


def test_who_was_left_out_is_named_with_reason_and_table(tmp_path):
    lines = counts({"a": table(tmp_path / "a", n1="ok", n2="no_data_rows"), "b": table(tmp_path / "b", n3="html_page")})
    assert lines[0] == "  1 neurons drawn, 2 left out (html_page 1, no_data_rows 1):"
    assert lines[1:] == ["    n3: html_page (b)", "    n2: no_data_rows (a)"]


def test_many_losses_are_counted_whole_and_shown_in_part(tmp_path):
    lines = counts({"a": table(tmp_path / "a", **{f"n{i}": "empty_file" for i in range(9)})})
    assert lines[0].startswith("  0 neurons drawn, 9 left out (empty_file 9)")
    assert lines[-1] == "    and 4 more, in the tables *.qc.parquet beside them"
    assert len(lines) == 7
