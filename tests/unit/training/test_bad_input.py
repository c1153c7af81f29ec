"""Bad input to the commands that render: one clear line or a row with a reason, and nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from axonet import cli
from axonet.core.files import read_jsonl
from axonet.training.dataset_generator import main

GOOD = "1 1 0 0 0 5 -1\n2 3 20 0 0 1 1\n3 3 60 30 0 1 2\n4 3 60 -30 9 1 2\n5 2 -40 5 0 0.5 1\n"
SMALL = ["--width", "32", "--height", "24", "--supersample-factor", "1", "--backend", "cpu"]
SMALL += ["--canonical-views", "2", "--biased-views", "1", "--random-views", "1"]
NO_DRIVER = {"__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent.json", "__EGL_VENDOR_LIBRARY_DIRS": "/nonexistent"}


def scaled(factor: float) -> str:
    rows = [line.split() for line in GOOD.splitlines()]
    return "".join(f"{a} {b} {' '.join(repr(float(v) * factor) for v in rest)} {z}\n" for a, b, *rest, z in rows)


OK = "ok"
NEURONS = {  # name: file, status of its row, a word of what is said about it
    "good": (GOOD, OK, ""),
    "nan-point": (GOOD.replace("60 -30", "nan -30"), OK, "bad_coordinate_dropped"),
    "nan-everywhere": ("1 1 nan nan nan 5 -1\n2 3 nan nan nan 1 1\n", "no_data_rows", "no row has finite coordinates"),
    "beyond-double": (GOOD.replace("60 -30", "1e400 -30"), OK, "bad_coordinate_dropped"),
    "beyond-sense": (GOOD.replace("60 -30", "1e200 -30"), "bad_coordinates", "a coordinate or radius is 1e+200 um"),
    "huge-radius": (GOOD.replace("-30 9 1 2", "-30 9 1e300 2"), "bad_coordinates", "a coordinate or radius is 1e+300"),
    "one-soma": ("1 1 0 0 0 5 -1\n", "no_neurites", "no neurite to draw, all 1 points are soma"),
    "one-axon-point": ("1 2 3 3 3 1 -1\n", OK, "no_soma"),
    "ten-nanometers": (scaled(1e-4), OK, ""),
    "one-meter": (scaled(1e4), OK, "suspicious_units"),
    "one-place": ("1 1 5 5 5 2 -1\n2 3 5 5 5 1 1\n3 3 5 5 5 1 2\n", OK, "zero_length_edges"),
    "one-place-no-size": ("1 2 5 5 5 1e-14 -1\n2 2 5 5 5 1e-14 1\n", "no_extent", "all 2 points lie at one place"),
    "radius-beyond-extent": (GOOD.replace("60 30 0 1", "60 30 0 5000"), OK, ""),
}


@pytest.fixture
def swc_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "swc"
    folder.mkdir()
    for name, (text, _, _) in NEURONS.items():
        (folder / f"{name}.swc").write_text(text)
    return folder


@pytest.mark.parametrize("projection", ["ortho", "perspective"])
@pytest.mark.parametrize("layout", ["png", "shards"])
def test_every_odd_neuron_is_rendered_or_a_row_with_a_reason(
    swc_dir: Path, tmp_path: Path, layout: str, projection: str
) -> None:
    out = tmp_path / "data"
    flags = ["--swc-dir", str(swc_dir), "--out", str(out), *SMALL, "--layout", layout, "--projection", projection]
    assert main(flags) == 0
    rows = {row["neuron"]: row for row in read_jsonl(out / "qc.jsonl") if row["view"] is None}
    assert {name: row["status"] for name, row in rows.items()} == {
        name: status for name, (_, status, _) in NEURONS.items()
    }
    for name, (_, status, said) in NEURONS.items():
        assert said in (" ".join(rows[name]["warnings"]) if status == OK else rows[name]["detail"])
    views = read_jsonl(out / "manifest_train.jsonl")
    shown = {name for name, (_, status, _) in NEURONS.items() if status == OK}
    assert {row["neuron"] for row in views} == shown
    assert len(views) == 4 * len(shown)
    for row in views:
        assert row["qc"] == 1.0
        assert np.isfinite([row["um_per_px"], row["near_um"], row["far_um"], *row["center"], *row["basis"]]).all()
        assert sum(row["class_fractions"]) == pytest.approx(1.0)
    if layout == "png":
        assert {path.name for path in (out / "images").iterdir()} == shown
        for path in (out / "images").rglob("*_mask.png"):
            mask = np.asarray(Image.open(path))
            assert mask.any()
            assert not np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).any()


@pytest.mark.parametrize("name", NEURONS)
def test_one_odd_neuron_is_a_page_or_one_line(
    name: str, swc_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, status, said = NEURONS[name]
    page = tmp_path / "page.png"
    code = cli.main(["render", str(swc_dir / f"{name}.swc"), "-o", str(page), *SMALL])
    lines = capsys.readouterr().err.splitlines()
    assert code == (0 if status == OK else 2)
    assert page.exists() == (status == OK)
    assert [line for line in lines if said in line]
    assert [line.startswith("error: ") for line in lines].count(True) == (status != OK)
    assert not any("Traceback" in line for line in lines)
    assert sorted(path.name for path in tmp_path.iterdir()) == (["page.png", "swc"] if status == OK else ["swc"])


@pytest.mark.parametrize("command", ["dataset_generator", "render"])
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--margin", "-0.1"], "--margin: must be greater than or equal to 0 (got '-0.1')"),
        (["--margin", "nan"], "--margin: must be a finite number"),
        (["--width", "0"], "--width: must be greater than or equal to 8 (got '0')"),
        (["--width", "20000"], "--width: must be less than or equal to 4096 (got '20000')"),
        (["--height", "20000"], "--height: must be less than or equal to 4096"),
        (["--height", "4096", "--supersample-factor", "8"], "needs 32768 samples a side, more than 16384; lower"),
        (["--backend", "vulkan"], "--backend: must be 'auto', 'gl' or 'cpu' (got 'vulkan')"),
        (["--backend", "cpu", "--device", "0"], "but backend is cpu; use --backend gl or auto"),
        (["--zoom-um", "0"], "--zoom-um: must be greater than 0"),
        (["--canonical-views", "0", "--biased-views", "0", "--random-views", "0"], "no views asked for"),
    ],
)
def test_wrong_settings_are_one_line_and_nothing_is_written(
    command: str, flags: list[str], said: str, swc_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made"
    if command == "render":
        code = cli.main(["render", str(swc_dir / "good.swc"), "-o", str(out / "page.png"), *flags])
    else:
        code = main(["--swc-dir", str(swc_dir), "--out", str(out), *flags])
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error
    assert not out.exists()


def dataset_command(swc_dir: Path, out: Path) -> list[str]:
    return ["axonet.training.dataset_generator", "--swc-dir", str(swc_dir), "--out", str(out), *SMALL]


def page_command(swc_dir: Path, out: Path) -> list[str]:
    return ["axonet.utils.render", str(swc_dir / "good.swc"), "-o", str(out / "page.png"), *SMALL]


Command = Callable[[Path, Path], list[str]]


@pytest.mark.parametrize("command", [dataset_command, page_command])
def test_where_there_is_no_gl_nothing_is_written(command: Command, swc_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "made"
    arguments = [sys.executable, "-m", *command(swc_dir, out), "--backend", "gl"]
    done = subprocess.run(arguments, capture_output=True, text=True, env={**os.environ, **NO_DRIVER}, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: --backend gl: no OpenGL here. Tried: ")
    assert "Remedy: use --backend cpu, or install" in done.stderr
    assert not out.exists()


def on_a_disk_of(size: str, folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a module with a file system of a size mounted on a folder, which only it sees; then show what it left."""
    script = (
        f'mount -t tmpfs -o size={size} tmpfs "$0" || exit 77; "$@"; code=$?; '
        'find "$0" -type f -printf "%P %s\\n"; exit $code'
    )
    command = ["unshare", "-rm", "sh", "-c", script, str(folder), sys.executable, "-m", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
    return done


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
@pytest.mark.parametrize("layout", ["png", "shards"])
def test_a_full_disk_is_one_line_and_no_file_is_cut(layout: str, jobs: str, swc_dir: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    flags = ["--layout", layout, "-j", jobs, "--width", "256", "--height", "256"]
    done = on_a_disk_of("200k", disk, [*dataset_command(swc_dir, disk / "data"), *flags])
    assert done.returncode == 2, done.stderr
    error = done.stderr.splitlines()[-1]
    assert error.startswith(f"error: {disk / 'data'}")
    assert error.endswith(": No space left on device; make room, then run again")
    assert "Traceback" not in done.stderr
    left = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert left
    hidden = {name for name in left if Path(name).name.startswith(".")}
    assert all(name.endswith(".unfinished") for name in hidden)
    assert all(int(size) > 0 for name, size in left.items() if name not in hidden)
    if layout == "png":  # the images of a neuron are there, all of them, or none is
        images = [Path(name).parent.name for name in left if name.startswith("data/images/")]
        assert {images.count(neuron) for neuron in images} <= {16}
        assert not any(name.startswith("data/images/.") for name in left)


def test_a_full_disk_leaves_no_page(swc_dir: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    done = on_a_disk_of("4k", disk, page_command(swc_dir, disk))
    assert done.returncode == 2
    assert done.stderr == f"error: {disk / 'page.png'}: No space left on device; make room, then run again\n"
    assert done.stdout == ""


@pytest.mark.parametrize("layout", ["png", "shards"])
def test_after_a_full_disk_a_second_run_makes_what_a_first_would_have(
    layout: str, swc_dir: Path, tmp_path: Path
) -> None:
    # A limit on the size of a file is met as a full disk is, and lifted for the second run.
    limit = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0})); sys.argv = sys.argv[1:]; "
    )
    limit += "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
    arguments = [*dataset_command(swc_dir, tmp_path / "data"), "--layout", layout]
    size = 1500 if layout == "png" else 5000
    command = [sys.executable, "-c", limit.format(size), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].endswith(": File too large; make room, then run again")
    assert main(arguments[1:]) == 0
    assert main([*dataset_command(swc_dir, tmp_path / "other")[1:], "--layout", layout]) == 0

    def files(folder: Path) -> dict[str, bytes]:
        found = (path for path in folder.rglob("*") if path.is_file() and path.name != "run.json")
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}

    assert files(tmp_path / "data") == files(tmp_path / "other")


@pytest.mark.slow
@pytest.mark.parametrize("projection", ["ortho", "perspective"])
def test_a_neuron_of_300_000_points_is_one_like_any_other(tmp_path: Path, projection: str) -> None:
    rng = np.random.default_rng(0)
    n = 300_000
    parent = np.where(rng.random(n) < 0.02, (rng.random(n) * np.arange(n)).astype(int), np.arange(n) - 1)
    step = rng.normal(size=(n, 3))
    xyz = np.zeros((n, 3))
    for row in range(1, n):
        xyz[row] = xyz[parent[row]] + step[row]
    table = np.column_stack([np.arange(1, n + 1), np.where(np.arange(n) > 0, 2, 1), xyz, np.full(n, 0.3), parent + 1])
    table[0, 6] = -1
    (tmp_path / "swc").mkdir()
    np.savetxt(tmp_path / "swc" / "large.swc", table, fmt=["%d", "%d", "%.3f", "%.3f", "%.3f", "%.1f", "%d"])
    script = (
        "import resource, sys; from axonet.training.dataset_generator import main; code = main(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
    )
    flags = dataset_command(tmp_path / "swc", tmp_path / "data")[1:]
    command = [sys.executable, "-c", script, *flags, "--projection", projection]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (row,) = (row for row in read_jsonl(tmp_path / "data" / "qc.jsonl") if row["view"] is None)
    assert row["status"] == OK
    if sys.platform == "linux":
        assert int(done.stdout) < 800 * 1024  # KiB; the file itself has 12 MB
