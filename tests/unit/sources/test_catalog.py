from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from axonet.core.errors import UserError
from axonet.core.files import read_table, write_jsonl
from axonet.metadata.adapters import load_records
from axonet.sources.catalog import (
    catalog_table,
    index_of,
    listing_digest,
    read_entry,
    shard_entries,
    shard_of,
    write_catalog,
)
from axonet.sources.collect import collect_neurons
from axonet.sources.found import describe_files
from axonet.sources.settings import AcquireSettings, FolderSettings

MakeSwc = Callable[[int], str]


@pytest.fixture
def folder(tmp_path: Path, make_swc: MakeSwc, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with six neurons in swc/ and metadata of five."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "swc").mkdir()
    for number in range(6):
        (tmp_path / "swc" / f"n{number}.CNG.swc").write_text(make_swc(number))
    rows = [{"id": i, "swc": f"n{i}.CNG.swc", "species": "mouse", "donor": f"m{i}"} for i in range(5)]
    write_jsonl(tmp_path / "metadata.jsonl", rows)
    return tmp_path


def settings_of(folder: Path, bits: int = 2) -> AcquireSettings:
    return AcquireSettings(
        sources=["folder"],
        shard_bits=bits,
        folder=FolderSettings(swc_dir=folder / "swc", metadata=folder / "metadata.jsonl"),
    )


def acquire(folder: Path, bits: int = 2) -> dict:
    settings = settings_of(folder, bits)
    neurons = collect_neurons(settings, folder)
    facts = describe_files(neurons, folder / "fingerprints.parquet")
    table = catalog_table(neurons, facts, bits)
    return write_catalog(folder / "catalog.parquet", folder / "index.json", table, listing_digest(settings))


def digests(index: dict) -> dict[str, str]:
    return {shard["shard"]: shard["digest"] for shard in index["shards"]}


def test_the_catalog_is_a_table_of_records_with_paths(folder: Path) -> None:
    acquire(folder)
    table = read_table(folder / "catalog.parquet")
    assert table["neuron_id"].to_pylist() == [f"folder:n{i}" for i in range(6)]
    assert table["swc"].to_pylist()[0] == "swc/n0.CNG.swc"  # relative to the working directory
    records = load_records(folder / "catalog.parquet", "table")
    assert [record.neuron_id for record in records] == table["neuron_id"].to_pylist()
    assert records[0].swc == "n0.CNG.swc"
    assert [record.donor for record in records] == ["m0", "m1", "m2", "m3", "m4", None]


def test_the_same_neurons_give_the_same_bytes(folder: Path) -> None:
    acquire(folder)
    before = [(folder / name).read_bytes() for name in ("catalog.parquet", "index.json")]
    acquire(folder)
    assert [(folder / name).read_bytes() for name in ("catalog.parquet", "index.json")] == before


def test_a_new_neuron_touches_its_shard_alone(folder: Path, make_swc: MakeSwc) -> None:
    before = digests(acquire(folder))
    (folder / "swc" / "new.swc").write_text(make_swc(50))
    after = digests(acquire(folder))
    changed = {shard for shard in after if before.get(shard) != after[shard]}
    assert changed == {shard_of("folder:new", 2)}


def test_a_changed_file_touches_its_shard_alone(folder: Path, make_swc: MakeSwc) -> None:
    before = digests(acquire(folder))
    (folder / "swc" / "n3.CNG.swc").write_text(make_swc(3) + "# seen again\n")
    after = digests(acquire(folder))
    assert {shard for shard in after if before[shard] != after[shard]} == {shard_of("folder:n3", 2)}


def test_metadata_and_moved_data_change_no_shard(folder: Path) -> None:
    before = acquire(folder)
    write_jsonl(folder / "metadata.jsonl", [{"id": 1, "swc": "n1.CNG.swc", "species": "rat"}])
    after = acquire(folder)
    assert digests(before) == digests(after)
    assert before["neurons"] == after["neurons"]
    assert before["metadata"] != after["metadata"]
    (folder / "swc").rename(folder / "moved")
    moved = settings_of(folder).model_copy(
        update={"folder": FolderSettings(swc_dir=folder / "moved", metadata=folder / "metadata.jsonl")}
    )
    neurons = collect_neurons(moved, folder)
    table = catalog_table(neurons, describe_files(neurons, folder / "fingerprints.parquet"), 2)
    assert {k: v for k, v in index_of(table, "").items() if k != "listing"} == {
        k: v for k, v in after.items() if k != "listing"
    }


def test_shards_are_of_similar_size() -> None:
    sizes = Counter(shard_of(f"source:{i}", 3) for i in range(8000))
    assert set(sizes) == {f"{i:02x}" for i in range(8)}
    assert max(sizes.values()) < 1200
    assert shard_of("x", 0) == "00"
    assert len(shard_of("x", 16)) == 4


def test_a_shard_is_read_by_its_digest_only(folder: Path, make_swc: MakeSwc) -> None:
    index = acquire(folder)
    name = f"{index['shards'][0]['shard']}-{index['shards'][0]['digest']}"
    entries = shard_entries(folder / "catalog.parquet", name)
    assert len(entries) == index["shards"][0]["n"]
    assert read_entry(entries[0]).startswith(b"1 1 0 0 0")
    with pytest.raises(UserError, match="run acquire again"):
        shard_entries(folder / "catalog.parquet", f"{name[:2]}-000000000000")
    Path(entries[0].path).write_text(make_swc(99))
    with pytest.raises(UserError, match="changed since the catalog was made; run acquire again"):
        read_entry(entries[0])


def test_the_same_shape_twice_in_a_source_is_kept_and_noted(folder: Path, make_swc: MakeSwc) -> None:
    moved = "".join(
        f"{a} {b} {float(x) + 100} {y} {z} {r} {p}\n"
        for a, b, x, y, z, r, p in (line.split() for line in make_swc(2).splitlines())
    )
    (folder / "swc" / "zz.swc").write_text(moved)
    acquire(folder)
    table = read_table(folder / "catalog.parquet")
    noted = dict(zip(table["neuron_id"].to_pylist(), table["duplicate_of"].to_pylist(), strict=True))
    assert {k: v for k, v in noted.items() if v} == {"folder:zz": "folder:n2"}


def test_the_same_cell_of_a_later_source_is_left_out(folder: Path, packages: Path) -> None:
    settings = AcquireSettings(
        sources=["demo", "folder"],
        demo={"table": packages},  # type: ignore[arg-type]
        folder=FolderSettings(swc_dir=folder / "swc", metadata=folder / "metadata.jsonl"),
    )
    neurons = collect_neurons(settings, folder)
    table = catalog_table(neurons, describe_files(neurons, folder / "f.parquet"), 0)
    ids = table["neuron_id"].to_pylist()
    assert ids == ["demo:a", "demo:b", *(f"folder:n{i}" for i in range(2, 6))]
    assert table["also"].to_pylist()[:3] == [["folder:n0"], ["folder:n1"], []]


def test_a_file_that_holds_no_neuron_is_in_the_catalog_too(folder: Path) -> None:
    (folder / "swc" / "page.swc").write_text("<html><body>not found</body></html>")
    acquire(folder)
    row = next(row for row in read_table(folder / "catalog.parquet").to_pylist() if row["neuron_id"] == "folder:page")
    assert row["fingerprint"] is None
    assert len(row["sha256"]) == 64


def test_the_listing_follows_files_and_metadata(folder: Path, make_swc: MakeSwc) -> None:
    settings = settings_of(folder)
    first = listing_digest(settings)
    assert listing_digest(settings) == first
    os.utime(folder / "metadata.jsonl", (1, 1))
    assert listing_digest(settings) == first  # by content
    os.utime(folder / "swc" / "n0.CNG.swc", (1, 1))
    touched = listing_digest(settings)
    (folder / "swc" / "new.swc").write_text(make_swc(9))
    assert len({first, touched, listing_digest(settings)}) == 3


def test_a_source_that_is_not_told_what_it_needs_is_refused() -> None:
    with pytest.raises(ValueError, match=r"needs neuromorpho.query or neuromorpho.filters"):
        AcquireSettings(sources=["neuromorpho"])
    with pytest.raises(ValueError, match=r"needs folder.swc_dir"):
        AcquireSettings(sources=["folder"])
