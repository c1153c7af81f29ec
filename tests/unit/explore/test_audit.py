"""The audit finds what was planted, and nothing in neurons that are as they should be."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from axonet import cli
from axonet.core.files import sha256_file
from axonet.datasets.build import list_entries
from axonet.explore.audit import WORDS, Finding, audit
from axonet.explore.audit_labels import contradicted_labels, copy_words
from axonet.explore.audit_measure import audit_entry
from axonet.explore.audit_page import audit_page, neurons_to_draw, shown
from axonet.metadata.record import NeuronRecord
from axonet.morphology.checks import QUALITY_CODES
from axonet.morphology.swc import read_swc, write_swc
from tests.fakes.neurons import made_up_swc


def cell(number: int) -> str:
    """A neuron of ordinary size (the made-up ones are some 40 um) with its dendrites and axon."""
    return made_up_swc(number, 60).decode()


def scaled(text: str, factor: float) -> str:
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return "\n".join(
        " ".join([a, b, *(f"{factor * float(v):.6f}" for v in xyz), f"{factor * float(r):.6f}", p])
        for a, b, *xyz, r, p in lines
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cells").mkdir()
    for number in range(12):
        (tmp_path / "cells" / f"cell_{number:02d}.swc").write_text(cell(number))
    return tmp_path / "cells"


def findings_of(folder: Path, records: dict[str, NeuronRecord] | None = None) -> list[Finding]:
    entries = list_entries(folder)
    digests = {entry.neuron_id: sha256_file(entry.path) for entry in entries}
    return audit([audit_entry(entry) for entry in entries], digests, records)


def codes(findings: list[Finding], name: str) -> set[str]:
    return {finding.code for finding in findings if finding.neuron_id == name}


def test_neurons_that_are_as_they_should_be_have_no_finding(folder: Path) -> None:
    assert findings_of(folder) == []


@pytest.mark.parametrize(
    ("change", "code", "level"),
    [
        (lambda text: scaled(text, 1000.0), "suspicious_units", "wrong"),
        (lambda text: scaled(text, 0.01), "tiny", "wrong"),
        (lambda text: text.replace(" 1 0 0 0 ", " 3 0 0 0 "), "no_soma", "look"),
        (lambda text: "\n".join(line.replace(" 2 ", " 3 ", 1) for line in text.splitlines()), "no_axon", "look"),
        (lambda text: "", "empty_file", "wrong"),
        (lambda text: text + "99 3 5000 0 0 1 2\n", "long_edge", "wrong"),
        (lambda text: text + "99 3 50 60 0 1 -1\n100 3 60 60 0 1 99\n", "multiple_roots", "wrong"),
    ],
)
def test_what_is_planted_is_found(folder: Path, change: Callable[[str], str], code: str, level: str) -> None:
    (folder / "planted.swc").write_text(change(cell(40)))
    found = findings_of(folder)
    assert code in codes(found, "planted")
    assert {finding.neuron_id for finding in found} == {"planted"}
    (own,) = [finding for finding in found if finding.code == code]
    assert own.level == level


def test_a_straight_jump_in_a_fine_tracing_is_found_and_a_coarse_skeleton_is_not(folder: Path) -> None:
    fine = ["1 1 0 0 0 5 -1", *(f"{k} {2 + k % 2} {k}.5 {(k * k) % 7} {k % 5} 0.5 {k - 1}" for k in range(2, 130))]
    (folder / "fine.swc").write_text("\n".join(fine))
    assert "spider_leg" not in codes(findings_of(folder), "fine")
    (folder / "jump.swc").write_text("\n".join([*fine, "130 3 220 0 0 0.5 129"]))
    (own,) = [finding for finding in findings_of(folder) if finding.code == "spider_leg"]
    assert (own.neuron_id, own.level) == ("jump", "wrong")
    (folder / "coarse.swc").write_text("1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n3 2 300 0 0 1 2\n")
    assert "spider_leg" not in codes(findings_of(folder), "coarse")


def test_a_cell_of_another_size_than_the_folder_is_found_where_there_are_enough_to_compare(folder: Path) -> None:
    (folder / "planted.swc").write_text(scaled(cell(40), 400.0))
    assert "unlike_folder" in codes(findings_of(folder), "planted")
    for file in sorted(folder.glob("cell_*"))[:4]:
        file.unlink()
    assert "unlike_folder" not in codes(findings_of(folder), "planted")


def test_the_same_cell_is_found_in_disguise(folder: Path) -> None:
    one = read_swc(folder / "cell_03.swc")
    (folder / "again.swc").write_bytes((folder / "cell_03.swc").read_bytes())
    moved = replace(one, xyz=one.xyz[:, [1, 0, 2]] * (-1, 1, 1) + 55.0, node_id=one.node_id + 1000)
    write_swc(moved, folder / "moved.swc")
    write_swc(one.scaled(8.0), folder / "voxels.swc")
    found = {finding.neuron_id: finding for finding in findings_of(folder) if finding.kind == "copies"}
    assert found.keys() == {"cell_03", "again", "moved", "voxels"}
    assert found["again"].code == found["cell_03"].code == "same_file"
    assert found["voxels"].code == "same_cell_scaled"
    assert "sizes differ by 8 times" in found["voxels"].detail
    assert set(found["moved"].others) == {"cell_03", "again", "voxels"}
    (folder / "voxels.swc").unlink()
    found = {finding.neuron_id: finding for finding in findings_of(folder)}
    assert found["moved"].code == "same_cell"


def test_metadata_decide_whether_a_missing_part_is_a_fault(folder: Path) -> None:
    text = "\n".join(line.replace(" 2 ", " 3 ", 1) for line in cell(40).splitlines())
    (folder / "planted.swc").write_text(text)

    def found(*traced: str) -> set[str]:
        record = NeuronRecord("planted", "table", "planted.swc", traced=traced)
        return codes(findings_of(folder, {"planted": record}), "planted")

    assert found("soma", "axon", "dendrites") == {"axon_missing"}
    assert found("soma", "dendrites") == set()  # as it should be
    assert found() == {"no_axon"}


def test_every_code_that_can_be_found_has_its_words() -> None:
    assert set(QUALITY_CODES) | {"few_nodes", "unlike_folder", "same_cell_scaled", "dendrites_missing"} <= WORDS.keys()


def contradicted_slowly(
    vectors: np.ndarray, labels: list[str | None], copies: list[str], n_neighbors: int = 20
) -> set[int]:
    """The rule, written neuron by neuron."""
    known = [i for i, label in enumerate(labels) if label is not None]
    voters = [i for i in known if copies[i] not in [copies[j] for j in known if j < i]]
    found = set()
    for i in known:
        others = [j for j in voters if copies[j] != copies[i]]
        others.sort(key=lambda j: (-float(vectors[i] @ vectors[j]), j))
        near = [labels[j] for j in others[:n_neighbors]]
        n_own = sum(labels[j] == labels[i] for j in voters)
        for label in {*near} - {labels[i]}:
            share = sum(labels[j] == label for j in voters) / len(voters)
            is_clear = near.count(label) >= n_neighbors / 2 and near.count(label) >= 2 * share * n_neighbors
            if n_own >= 6 and is_clear and near.count(labels[i]) < n_own / len(voters) * n_neighbors:
                found.add(i)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_swapped_labels_are_found_and_the_rule_is_what_it_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(4), 30)
    center = np.eye(4, 8)
    vectors = (center[kinds] + 0.15 * rng.normal(size=(120, 8))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels: list[str | None] = [f"kind {kind}" for kind in kinds]
    labels[5], labels[70], labels[100] = "kind 3", "kind 0", None
    ids = [f"n{i:03d}" for i in range(120)]
    found = contradicted_labels(ids, vectors, labels, ids, "cell_type")
    assert {finding.neuron_id for finding in found} == {"n005", "n070"}
    by_name = {finding.neuron_id: finding for finding in found}
    assert "cell_type kind 3: 0 of its 20 nearest neighbors, 20 are kind 0" in by_name["n005"].detail
    mixed: list[str | None] = [f"kind {rng.integers(3)}" if rng.random() < 0.4 else label for label in labels]
    copies = [f"copy {i // 2}" if i % 7 < 2 else name for i, name in enumerate(ids)]
    fast = {ids.index(finding.neuron_id) for finding in contradicted_labels(ids, vectors, mixed, copies, "x")}
    assert fast == contradicted_slowly(vectors, mixed, copies)


def test_copies_have_one_voice() -> None:
    """Forty deposits of one mislabelled cell in the midst of others say nothing against those."""
    rng = np.random.default_rng(0)
    vectors = np.vstack([np.tile([1.0, 0, 0], (40, 1)), [1.0, 0, 0] + 0.05 * rng.normal(size=(60, 3))])
    vectors = np.vstack([vectors, [0.0, 1, 0] + 0.05 * rng.normal(size=(200, 3))]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = ["granule"] * 40 + ["Purkinje"] * 60 + ["basket"] * 200
    ids = [f"n{i:03d}" for i in range(300)]
    assert contradicted_labels(ids, vectors, labels, ids, "cell_type")
    copies = copy_words(ids, [Finding(n, "", "copies", "same_cell", "", tuple(ids[:40])) for n in ids[:40]])
    assert not contradicted_labels(ids, vectors, labels, copies, "cell_type")


def test_the_page_escapes_names_caps_its_cards_and_says_where_the_rest_is() -> None:
    name = "<script>alert(1)</script>"
    many = [Finding(f"{name}{i}", f"{i}.swc", "parts", "no_axon", "no <b>axon</b>") for i in range(30)]
    picture = (np.eye(64, dtype=np.uint8), 1500.0)
    drawn = neurons_to_draw(shown(many))
    assert len(drawn) == 24
    page = audit_page("cells", 40, many, ["labels <i>not</i> looked at"], dict.fromkeys(drawn, picture), "audit.csv")
    assert "<script" not in page
    assert "<b>axon" not in page
    assert "<i>not" not in page
    assert page.count("data:image/png") == 24
    assert "6 more of this kind are in <code>audit.csv</code>" in page
    assert "1.5 mm wide" in page
    assert "http" not in page


def test_the_command_writes_a_page_and_a_table(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "again.swc").write_bytes((folder / "cell_00.swc").read_bytes())
    (folder / "page.swc").write_text("<html>no</html>")
    out = tmp_path / "audit"
    before = {file: file.read_bytes() for file in folder.iterdir()}
    assert cli.main(["audit", str(folder), "--out", str(out)]) == 0
    assert "14 neurons: 3 most likely wrong, 0 worth a look" in capsys.readouterr().err
    with (out / "audit.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["neuron_id"], row["kind"], row["code"], row["others"]) for row in rows] == [
        ("page", "file", "html_page", ""),
        ("again", "copies", "same_file", "cell_00"),
        ("cell_00", "copies", "same_file", "again"),
    ]
    page = (out / "audit.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 2  # one card for the two copies, with both
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_vectors_without_labels_and_vectors_of_others_are_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["audit", str(folder), "--vectors", "v.parquet", "--out", str(tmp_path / "audit")]) == 2
    assert "give --metadata too" in capsys.readouterr().err
    assert not (tmp_path / "audit").exists()
