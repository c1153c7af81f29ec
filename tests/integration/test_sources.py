"""Several sources become one catalog, downloads among them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from axonet.core.files import read_json, read_table
from axonet.utils import acquire
from tests.fakes.allen import Allen
from tests.fakes.neuromorpho import NeuroMorpho, made_up_record
from tests.fakes.neurons import made_up_swc
from tests.fakes.server import Replica
from tests.integration.project import CONFIG, Project

CELL = 300_000  # one that the Allen replica serves


@pytest.fixture
def replicas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Replica, Replica]]:
    """NeuroMorpho.Org and the Allen Institute; the first has a cell of the second, renumbered and moved."""
    monkeypatch.chdir(tmp_path)
    site, institute = NeuroMorpho.made_up(12), Allen.made_up()
    site.add(made_up_record(900, "copied", "Allen Cell Types"), moved(made_up_swc(CELL)))
    with Replica(site) as one, Replica(institute) as other:
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setenv("AXONET_NEUROMORPHO_URL", one.url)
        for name in ("AXONET_ALLEN_URL", "AXONET_BIL_URL"):
            monkeypatch.setenv(name, other.url)
        monkeypatch.setenv("AXONET_CACHE", str(institute.write_package(tmp_path / "cache")))
        yield one, other


def moved(swc: bytes) -> bytes:
    """The same cell a hundred um further on."""
    rows = [line.split() for line in swc.decode().splitlines() if line.strip() and not line.startswith("#")]
    return "".join(f"{r[0]} {r[1]} {float(r[2]) + 100:.3f} {' '.join(r[3:])}\n" for r in rows).encode()


def run(*sources: str) -> list[dict]:
    flags = [part for source in sources for part in ("--sources", source)]
    flags += ["--neuromorpho.query", "neuron_id:[* TO *]"] if "neuromorpho" in sources else []
    for source in sources:
        flags += [f"--{source}.rate", "0", f"--{source}.backoff", "0.01"]
    assert acquire.main([*flags, "--shard-bits", "1"]) == 0
    return read_table("results/acquire/catalog.parquet").to_pylist()


def test_downloads_of_two_sources_become_one_catalog(replicas) -> None:
    rows = run("neuromorpho")
    assert len(rows) == 13
    assert {row["source"] for row in rows} == {"neuromorpho"}
    assert all(Path(row["swc"]).is_file() for row in rows)


def test_a_cell_of_two_sources_is_kept_once_with_both_ids(replicas) -> None:
    rows = run("allen", "neuromorpho")
    assert len({row["neuron_id"] for row in rows}) == len(rows) == 12 + 13 - 1
    (kept,) = [row for row in rows if row["neuron_id"] == f"allen:{CELL}"]
    assert kept["also"] == ["neuromorpho:900"]


def test_the_source_named_first_is_the_one_that_is_kept(replicas) -> None:
    (kept,) = [row for row in run("neuromorpho", "allen") if row["neuron_id"] == "neuromorpho:900"]
    assert kept["also"] == [f"allen:{CELL}"]


def test_acquiring_again_asks_for_no_file_and_changes_no_digest(replicas) -> None:
    run("allen", "neuromorpho")
    before = read_json("results/acquire/index.json")
    for replica in replicas:
        replica.log.clear()
    run("allen", "neuromorpho")
    assert read_json("results/acquire/index.json") == before
    assert not [entry for replica in replicas for entry in replica.log if ".swc" in str(entry)]


@pytest.mark.workflow
def test_the_workflow_downloads_once_and_asks_again_when_the_snapshot_changes(replicas, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.folder.mkdir()
    source = {"query": "neuron_id:[* TO *]", "rate": 0}
    project.configure(**{**CONFIG, "acquire": {"sources": ["neuromorpho"], "shard_bits": 1, "neuromorpho": source}})
    assert project.run("--until", "acquire") == {"acquire": 1}
    assert project.plan()["acquire"] == 0
    assert project.plan(*project.set_config(acquire={"snapshot": "autumn"}))["acquire"] == 1
