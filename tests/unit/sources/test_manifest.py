"""The source ``manifest``: a list of neurons whose files lie in a bucket or in folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from axonet.core.bucket import bucket_and_name
from axonet.core.errors import UserError
from axonet.core.files import sha256_bytes
from axonet.sources.catalog import catalog_table, portable
from axonet.sources.found import describe_files
from axonet.sources.listing import listing_digest
from axonet.sources.manifest import find_manifest_neurons, located
from axonet.sources.settings import AcquireSettings, ManifestSettings

SWC = "1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n3 3 20 1 0 1 2\n"
SHA = "ab" * 32


def write(folder: Path, *rows: object) -> ManifestSettings:
    file = folder / "manifest.jsonl"
    file.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return ManifestSettings(file=str(file))


def test_files_of_a_bucket_are_taken_by_their_digest_and_not_read(tmp_path):
    rows = [{"id": f"n{k}", "swc": f"gs://b/n{k}.swc", "sha256": SHA, "species": "mouse", "scale": 0.5} for k in (2, 1)]
    neurons = find_manifest_neurons(write(tmp_path, *rows), tmp_path / "out")
    assert [neuron.record.neuron_id for neuron in neurons] == ["manifest:n1", "manifest:n2"]
    table = catalog_table(neurons, describe_files(neurons, tmp_path / "f.parquet"), 1)
    assert table["swc"].to_pylist() == ["gs://b/n1.swc", "gs://b/n2.swc"]
    assert table["sha256"].to_pylist() == [SHA, SHA]
    assert table["scale"].to_pylist() == [0.5, 0.5]
    assert table["species"].to_pylist() == ["mouse", "mouse"]


def test_a_file_without_a_digest_is_read(tmp_path):
    (tmp_path / "n1.swc").write_text(SWC)
    neurons = find_manifest_neurons(write(tmp_path, {"swc": "n1.swc"}), tmp_path / "out")
    (facts,) = describe_files(neurons, tmp_path / "f.parquet")
    assert facts.sha256 == sha256_bytes(SWC.encode())


def test_a_relative_path_starts_at_the_manifest():
    assert located("swc/a.swc", "gs://b/x/m.jsonl") == "gs://b/x/swc/a.swc"
    assert located("gs://c/a.swc", "gs://b/x/m.jsonl") == "gs://c/a.swc"
    assert located("swc/a.swc", "data/m.jsonl") == Path("data/swc/a.swc")
    assert portable("gs://b/a.swc") == "gs://b/a.swc"


def test_another_manifest_makes_acquire_stale(tmp_path):
    def digest(*rows: object) -> str:
        return listing_digest(AcquireSettings(sources=["manifest"], manifest=write(tmp_path, *rows)))

    one = digest({"swc": "gs://b/a.swc", "sha256": SHA})
    assert digest({"swc": "gs://b/a.swc", "sha256": SHA}) == one
    assert digest({"swc": "gs://b/a.swc", "sha256": "cd" * 32}) != one


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("not json", "line 1: not JSON"),
        ({"id": "n"}, "line 1: expected a JSON object with swc"),
        ([1], "line 1: expected a JSON object with swc"),
        ({"swc": "a.swc", "sha256": "short"}, "row 1: sha256 must be 64 hexadecimal digits"),
        ({"swc": "a.swc", "sha256": SHA, "fingerprint": 1}, "row 1: fingerprint must be a text"),
        ({"swc": "a.swc", "scale": 0}, "row 1: scale must be a positive number"),
        ("", "no neurons in it"),
    ],
)
def test_a_wrong_row_is_named(row, words, tmp_path):
    with pytest.raises(UserError, match=words):
        find_manifest_neurons(write(tmp_path, row), tmp_path / "out")


@pytest.mark.parametrize("address", ["here", "gs://", "s3://bucket/x"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UserError, match="not an address in Google Cloud Storage"):
        bucket_and_name(address)
