"""Vectors of views as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from axonet.core.errors import UserError
from axonet.core.files import write_table
from axonet.core.input_spec import InputSpec
from axonet.inference.vectors import ViewVectors, read_vectors, write_vectors


def example(*ids: str) -> ViewVectors:
    n = len(ids)
    values = np.random.default_rng(n).normal(size=(n, 6)).astype(np.float32)
    return ViewVectors(list(ids), np.arange(n), values, "c" * 64, 1, InputSpec(width=64, height=64, log_fov_mean=6.5))


def test_what_is_written_is_read_back_bit_by_bit(tmp_path: Path) -> None:
    vectors = example("demo:1", "demo:1", "demo:2")
    write_vectors(tmp_path / "v.parquet", vectors)
    back = read_vectors(tmp_path / "v.parquet")
    assert back.neuron_id == vectors.neuron_id
    np.testing.assert_array_equal(back.vector, vectors.vector)
    np.testing.assert_array_equal(back.view, vectors.view)
    assert (back.checkpoint, back.stage, back.spec) == (vectors.checkpoint, 1, vectors.spec)


def test_the_same_vectors_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_vectors(tmp_path / name, example("x", "y"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_several_files_of_one_model_are_one_table(tmp_path: Path) -> None:
    parts = [example("a", "b"), example("c"), example()]
    for number, part in enumerate(parts):
        write_vectors(tmp_path / str(number), part)
    back = read_vectors([tmp_path / "0", tmp_path / "1", tmp_path / "2"])
    assert back.neuron_id == ["a", "b", "c"]
    np.testing.assert_array_equal(back.vector[2], parts[1].vector[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"checkpoint": "d" * 64}, "encode both with one model"),
        ({"stage": 2}, "encode both with one model"),
        ({"spec": InputSpec(width=128, height=64)}, "width 128 instead of 64"),
        ({"spec": InputSpec(width=64, height=64, merge_dendrites=True)}, "dendrites are merged"),
        ({"vector": np.zeros((1, 3), np.float32)}, "length 3 instead of 6"),
    ],
)
def test_files_of_different_models_are_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    write_vectors(tmp_path / "a", example("a"))
    write_vectors(tmp_path / "b", replace(example("b"), **change))  # type: ignore[arg-type]
    with pytest.raises(UserError, match=message):
        read_vectors([tmp_path / "a", tmp_path / "b"])


def test_another_table_is_no_vector_file(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", pa.table({"neuron_id": ["a"], "view": [0], "vector": [[1.0]]}))
    with pytest.raises(UserError, match="not a file of vectors"):
        read_vectors(tmp_path / "t.parquet")
    with pytest.raises(UserError, match="no such file"):
        read_vectors(tmp_path / "missing.parquet")
