"""Whatever goes wrong on the way, the data come out the same: one fault at a time, and many at once."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from axonet.utils.neuromorpho_bulk import main
from tests.fakes.folders import rows, stable_files, status
from tests.fakes.neuromorpho import NeuroMorpho
from tests.fakes.neurons import made_up_swc
from tests.fakes.server import Fault, Replica

FLAGS = ["--query", "species:mouse", "--fetch-morphometry", "--find", "--page-size", "6", "--rate", "0"]
QUICK = ["--backoff", "0.01", "--timeout", "0.4"]
N = 24


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def download(replica: Replica, out: Path, *flags: str) -> int:
    return main([*FLAGS, *QUICK, "--base-url", replica.url, "--out", str(out), *flags])


@cache
def undisturbed() -> dict[str, bytes]:
    """The files of a run that nothing disturbed."""
    with TemporaryDirectory() as folder, Replica(NeuroMorpho.made_up(N)) as replica:
        assert download(replica, Path(folder)) == 0
        return stable_files(Path(folder))


WHERE = {
    "fields": "/neuron/fields",
    "first page": r"/neuron/select\?.*page=0",
    "a page": r"/neuron/select\?.*page=2",
    "a file": "cell-00017",
    "morphometry": "/morphometry/select",
}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("kind", ["503", "429", "timeout", "reset", "cut", "html", "empty"])
def test_a_fault_that_passes_leaves_no_trace_in_the_data(kind: str, where: str, tmp_path: Path) -> None:
    fault = Fault(kind, match=WHERE[where], seconds=0.5, retry_after="0")
    with Replica(NeuroMorpho.made_up(N), faults=[fault]) as replica:
        assert download(replica, tmp_path) == 0
        assert sum(entry.fault is not None for entry in replica.log) == 1
    assert stable_files(tmp_path) == undisturbed()
    if where == "a file":
        assert status(tmp_path)[17]["attempts"] == 2
    assert not (tmp_path / "refused").exists() or not list((tmp_path / "refused").iterdir())


def test_a_single_503_is_waited_out_as_long_as_it_asks(tmp_path: Path) -> None:
    with Replica(NeuroMorpho.made_up(N), faults=[Fault("503", match="cell-00017", retry_after="1")]) as replica:
        assert download(replica, tmp_path) == 0
        first, second = (entry.at for entry in replica.log if "cell-00017" in entry.path)
        assert second - first >= 1.0
    assert stable_files(tmp_path) == undisturbed()


@pytest.mark.parametrize("match", [r"page=1&", r"page=3&", r"page="])
def test_a_neuron_on_two_pages_is_one_row_and_the_one_it_pushed_out_is_not_lost(match: str, tmp_path: Path) -> None:
    with Replica(NeuroMorpho.made_up(N), faults=[Fault("duplicate", match=match, skip=match == "page=")]) as replica:
        assert download(replica, tmp_path) == 0
    assert stable_files(tmp_path) == undisturbed()


def test_a_page_without_its_rows_is_asked_for_again(tmp_path: Path) -> None:
    with Replica(
        NeuroMorpho.made_up(N), faults=[Fault("no_embedded", match=r"/neuron/select\?.*page=1", times=2)]
    ) as one:
        assert download(one, tmp_path) == 0
    assert stable_files(tmp_path) == undisturbed()


def test_a_server_whose_pages_never_add_up_is_told_and_the_rest_is_downloaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Replica(NeuroMorpho.made_up(N), faults=[Fault("duplicate", match=r"select\?.*page=2", times=None)]) as replica:
        assert download(replica, tmp_path) == 0
    assert len(rows(tmp_path / "metadata.jsonl")) == N - 1
    assert f"there are {N} neurons, but lists {N - 1}" in capsys.readouterr().err


def test_null_cell_types_and_latin_1_files_are_taken_as_they_are(tmp_path: Path) -> None:
    faults = [Fault("null_cell_type", match="/select", times=None), Fault("latin1", match="cell-00004")]
    with Replica(NeuroMorpho.made_up(N), faults=faults) as replica:
        assert download(replica, tmp_path) == 0
    assert {row["cell_type"] for row in rows(tmp_path / "metadata.jsonl")} == {None}
    assert (tmp_path / "swc" / "cell-00004.CNG.swc").read_bytes().endswith(made_up_swc(4))
    assert status(tmp_path)[4]["ok"]


def test_a_fault_that_lasts_is_a_row_with_its_reason_and_a_later_run_mends_it(tmp_path: Path) -> None:
    faults = [Fault(kind, f"cell-0000{number}", times=None) for number, kind in enumerate(["html", "empty", "cut"], 1)]
    with Replica(NeuroMorpho.made_up(N), faults=faults) as replica:
        assert download(replica, tmp_path, "--retries", "2") == 0
        reasons = {number: row["reason"] for number, row in status(tmp_path).items() if not row["ok"]}
        assert reasons == {1: "html_page", 2: "empty_file", 3: "cut_body"}
        assert sorted(path.name for path in (tmp_path / "refused").iterdir()) == [
            "cell-00001.CNG.swc.part",
            "cell-00002.CNG.swc.part",
        ]
        replica.faults.clear()
        replica.log.clear()
        assert download(replica, tmp_path) == 0
        assert len(replica.paths("/dableFiles/")) == 3
    assert stable_files(tmp_path) == undisturbed()


KINDS: list[Callable[[random.Random], Fault]] = [
    lambda draw: Fault("503", retry_after=draw.choice(["", "0"])),
    lambda draw: Fault("500", retry_after=""),
    lambda draw: Fault("429", retry_after=draw.choice(["", "0"])),
    lambda draw: Fault("reset"),
    lambda draw: Fault("cut"),
    lambda draw: Fault("cut_silent"),
    lambda draw: Fault("html"),
    lambda draw: Fault("empty"),
    lambda draw: Fault("timeout", seconds=0.5),
    lambda draw: Fault("no_embedded", match=r"/neuron/select"),
    lambda draw: Fault("duplicate", match=r"/neuron/select\?.*page=[1-3]"),
]


def random_faults(seed: int) -> list[Fault]:
    draw = random.Random(seed)
    faults = []
    for _ in range(draw.randint(3, 14)):
        fault = draw.choice(KINDS)(draw)
        fault.times = draw.randint(1, 3)
        fault.skip = draw.randint(0, 15)
        fault.match = fault.match or draw.choice([*WHERE.values(), "/dableFiles/", "/api/", "", r"cell-000[0-2]\d"])
        faults.append(fault)
    return faults


def disturbed_until_done(seed: int, out: Path) -> None:
    """Run under random faults, again as often as it takes."""
    with Replica(NeuroMorpho.made_up(N), faults=random_faults(seed)) as replica:
        for _ in range(12):
            code = download(replica, out, "--jobs", str(1 + seed % 5))
            if (
                code == 0
                and len(status(out)) == N  # a listing that fell short says so, and that a later run may find the rest
                and all(row["ok"] for row in status(out).values())
                and "morphometry.jsonl" in stable_files(out)
            ):
                break
        else:
            pytest.fail("the faults ended long ago")
    assert stable_files(out) == undisturbed()


@pytest.mark.parametrize("seed", range(6))
def test_any_combination_of_faults_ends_in_the_same_data(seed: int, tmp_path: Path) -> None:
    disturbed_until_done(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 80))
def test_many_more_combinations_of_faults_end_in_the_same_data(seed: int, tmp_path: Path) -> None:
    disturbed_until_done(seed, tmp_path)
