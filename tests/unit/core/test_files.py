"""Files are whole or absent, and the same content has the same bytes."""

from __future__ import annotations

import errno

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axonet.core.errors import UserError
from axonet.core.files import (
    atomic_folder,
    atomic_path,
    naming_full_disk,
    read_json,
    read_jsonl,
    read_table,
    safe_name,
    short_hash,
    write_json,
    write_jsonl,
    write_table,
)


def test_a_failed_write_leaves_the_former_file_and_no_rest(tmp_path):
    file = tmp_path / "deep" / "a.json"
    write_json(file, {"a": 1})
    with pytest.raises(RuntimeError), atomic_path(file) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(file) == {"a": 1}
    assert [path.name for path in file.parent.iterdir()] == ["a.json"]


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_key_order_does_not_change_a_hash():
    assert short_hash({"a": 1, "b": [2]}) == short_hash({"b": [2], "a": 1})


def test_a_broken_line_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(UserError, match=r"a\.jsonl, line 2"):
        read_jsonl(tmp_path / "a.jsonl")


def test_json_lines_round_trip(tmp_path):
    rows = [{"b": "µ", "a": [1, 2]}, {"b": None, "a": []}]
    write_jsonl(tmp_path / "a.jsonl", rows)
    assert read_jsonl(tmp_path / "a.jsonl") == rows


def test_the_same_table_gives_the_same_bytes(tmp_path):
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    for name in ("one", "two"):
        write_table(tmp_path / name, table)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert read_table(tmp_path / "one").equals(table)


def test_missing_files_and_columns_are_said(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_table(tmp_path / "a.parquet")
    write_table(tmp_path / "a.parquet", pa.table({"a": [1]}))
    (tmp_path / "b.parquet").write_text("hello")
    with pytest.raises(UserError, match="not a readable Parquet"):
        read_table(tmp_path / "b.parquet")
    with pytest.raises(UserError, match=r"a\.parquet: missing columns b, c") as caught:
        read_table(tmp_path / "a.parquet", ["a", "b", "c"])
    assert "\n" not in str(caught.value)
    assert read_table(tmp_path / "a.parquet", ["a"]).column_names == ["a"]


@given(st.text(min_size=1), st.text(min_size=1))
def test_safe_names_are_safe_and_stay_different(one, two):
    assert set(safe_name(one)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert safe_name(one) not in ("", ".", "..")
    assert (safe_name(one) == safe_name(two)) == (one == two)


def test_ordinary_names_stay_as_they_are():
    assert safe_name("cnic_001.CNG-2") == "cnic_001.CNG-2"
    assert safe_name("neuromorpho:17").startswith("neuromorpho_17-")
    assert safe_name("con.swc").startswith("_con.swc-")


def test_a_folder_is_whole_or_as_it_was(tmp_path):
    target = tmp_path / "folder"
    for text in ("first", "second"):
        with atomic_folder(target) as folder:
            (folder / text).write_text(text)
            assert target.exists() == (text == "second")
        assert [path.name for path in target.iterdir()] == [text]
    (tmp_path / ".folder.part").mkdir()  # of a process that was killed
    (tmp_path / ".folder.part" / "old").touch()
    with pytest.raises(OSError, match="No space left") as caught, atomic_folder(target) as folder:
        (folder / "third").touch()
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(target)
    with pytest.raises(OSError, match="No space left") as caught, naming_full_disk(target):
        raise OSError(errno.ENOSPC, "No space left on device", "what was copied", None, "copy")
    assert caught.value.filename == str(target)
    assert [path.name for path in target.iterdir()] == ["second"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
