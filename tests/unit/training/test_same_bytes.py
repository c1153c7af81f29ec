"""The command makes the same bytes of a neuron alone, in a crowd, with any number of workers, in any order."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from axonet.core.files import read_jsonl
from axonet.datasets.view_store import ViewStore

NAMES = ["alpha", "beta.CNG", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota"]
FLAGS = ["--width", "48", "--height", "48", "--supersample-factor", "2", "--zoom-um", "40", "--backend", "cpu"]


def made(seed: int) -> str:
    """A soma and two branching random walks."""
    rng = np.random.default_rng(seed)
    lines, place = ["1 1 0 0 0 6 -1"], {1: np.zeros(3)}
    for number in range(2, 60):
        parent = 1 if number in (2, 3) else int(rng.integers(max(2, number - 4), number))
        place[number] = place[parent] + rng.normal(size=3) * [9.0, 6.0, 3.0]
        x, y, z = place[number].round(3).tolist()
        lines.append(f"{number} {2 + number % 2} {x} {y} {z} {rng.uniform(0.2, 1.5):.2f} {parent}")
    return "\n".join(lines) + "\n"


def write_neurons(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for name in names:
        (folder / f"{name}.swc").write_text(made(NAMES.index(name)))
    return folder


def generate(swc_dir: Path, out: Path, *flags: str) -> None:
    command = [sys.executable, "-m", "axonet.training.dataset_generator", "--swc-dir", str(swc_dir), "--out", str(out)]
    done = subprocess.run([*command, *FLAGS, *flags], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def whole_folder(out: Path) -> dict[str, str]:
    """Digest of every file but run.json, which tells times."""
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "run.json")
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def neurons_of(out: Path, layout: str) -> dict[str, list[Any]]:
    """By neuron: its rows in the manifest, and its stored images, byte for byte."""
    rows = read_jsonl(out / "manifest_train.jsonl")
    found: dict[str, list[Any]] = {}
    if layout == "png":
        for row in rows:
            kinds = ("mask_bw", "mask", "mask_color", "depth", "zoom_bw")
            found.setdefault(row["neuron"], []).append((row, [(out / row[kind]).read_bytes() for kind in kinds]))
        return found
    for path in sorted((out / "shards").glob("*.arrow")):
        with pa.memory_map(str(path)) as file:
            for row in pa.ipc.open_file(file).read_all().to_pylist():
                found.setdefault(row["neuron"], []).append(row)
    for row in rows:
        found[row["neuron"]].append({name: value for name, value in row.items() if name != "shard"})
    return found


@pytest.fixture(scope="module", params=["png", "shards"])
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """Layout, folder of all neurons, and what one worker made of them."""
    folder = tmp_path_factory.mktemp("crowd")
    swc_dir = write_neurons(folder / "swc", NAMES)
    generate(swc_dir, folder / "one", "--layout", request.param)
    return request.param, swc_dir, folder / "one"


def test_alone_as_in_a_crowd(crowd: tuple[str, Path, Path], tmp_path: Path) -> None:
    layout, _, together = crowd
    everyone = neurons_of(together, layout)
    assert len(everyone) == len(NAMES)
    for name in ("beta.CNG", "theta"):
        swc_dir = write_neurons(tmp_path / name, [name])
        generate(swc_dir, tmp_path / f"out-{name}", "--layout", layout)
        ((neuron, alone),) = neurons_of(tmp_path / f"out-{name}", layout).items()
        assert len(alone) >= 24
        assert alone == everyone[neuron]
    assert len({repr(rows) for rows in everyone.values()}) == len(NAMES)


def test_in_any_order(crowd: tuple[str, Path, Path], tmp_path: Path) -> None:
    # Those that come last are finished first; the rest are added in the opposite order of their names.
    layout, _, together = crowd
    first, rest = NAMES[5:], sorted(NAMES[:5], reverse=True)
    swc_dir = write_neurons(tmp_path / "swc", first)
    generate(swc_dir, tmp_path / "out", "--layout", layout)
    for name in rest:
        (swc_dir / f"{name}.swc").write_text(made(NAMES.index(name)))
    generate(swc_dir, tmp_path / "out", "--layout", layout)
    store = ViewStore.from_manifest(tmp_path / "out", tmp_path / "out" / "manifest_train.jsonl")
    assert len(store) == 24 * len(NAMES)
    if layout == "png":
        assert neurons_of(tmp_path / "out", layout) == neurons_of(together, layout)
        return
    other = ViewStore.from_manifest(together, together / "manifest_train.jsonl")
    assert store.rows.drop_columns(["shard"]).equals(other.rows.drop_columns(["shard"]))
    assert all(
        np.array_equal(one, two)
        for index in range(len(store))
        for one, two in zip(store.read(index), other.read(index), strict=True)
    )


@pytest.mark.parametrize("jobs", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_with_any_number_of_workers(crowd: tuple[str, Path, Path], tmp_path: Path, jobs: int) -> None:
    layout, swc_dir, one = crowd
    generate(swc_dir, tmp_path / "out", "--layout", layout, "-j", str(jobs))
    assert whole_folder(tmp_path / "out") == whole_folder(one)


def test_with_any_number_of_threads(
    crowd: tuple[str, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, swc_dir, one = crowd
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.setenv(name, "3")
    generate(swc_dir, tmp_path / "out", "--layout", layout)
    assert whole_folder(tmp_path / "out") == whole_folder(one)
