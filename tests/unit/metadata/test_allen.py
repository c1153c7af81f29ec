from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from axonet.core.errors import UserError
from axonet.metadata.adapters import load_records
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.record import NeuronRecord

CELL = {
    "line_name": "Cux2-CreERT2",
    "specimen__id": 4001,
    "structure__name": '"Primary visual area, layer 2/3"',
    "structure__acronym": "VISp2/3",
    "structure_parent__acronym": "VISp",
    "structure__layer": "2/3",
    "nr__reconstruction_type": "dendrite-only",
    "tag__apical": "intact",
    "tag__dendrite_type": "spiny",
    "donor__sex": None,
    "donor__species": "Mus musculus",
    "donor__disease_state": None,
    "donor__id": 77,
}
HUMAN = {
    **CELL,
    "line_name": "",
    "specimen__id": 4002,
    "structure__acronym": "MTG",
    "structure_parent__acronym": "MTG",
    "structure__layer": "3",
    "nr__reconstruction_type": "full",
    "tag__apical": "NA",
    "tag__dendrite_type": "aspiny",
    "donor__sex": "Male",
    "donor__species": "Homo Sapiens",
    "donor__disease_state": "epilepsy",
}
PATCHED = """\
project,cell_specimen_id,structure,donor_id,biological_sex,age,medical_conditions,full_genotype,dendrite_type,\
apical_dendrite_status,neuron_reconstruction_type,{t_type}
mIVSCC-MET,601,VISpm4,331,M,P55,,Vip-IRES-Cre/wt;Ai14(RCL-tdT)/wt,sparsely spiny,,full,Vip Gpc3 Slc18a3
hIVSCC-METx,541,MTG,H16.03.007,F,28 yrs,epilepsy,,spiny,intact,dendrite-only,Exc L2-3 LINC00507 FREM3
"""


def answer(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"success": True, "num_rows": len(rows), "msg": list(rows)}), encoding="utf-8")
    return path


def test_cells_of_the_database_are_normalized(tmp_path: Path) -> None:
    mouse, human = load_records(answer(tmp_path / "cells.json", CELL, HUMAN), "allen")
    assert mouse == NeuronRecord(
        id="4001",
        source="allen",
        swc="4001.swc",
        species="mouse",
        region=("neocortex", "VISp"),
        modifiers=("spiny",),
        markers=("Cux2-CreERT2",),
        layer="2/3",
        apical_status="intact",
        traced=("soma", "dendrites"),
        donor="77",
        archive="Allen Cell Types",
        licence="Allen Institute Terms of Use (non-commercial, citation required)",
        label="spiny neuron",
    )
    assert (human.species, human.markers, human.apical_status, human.sex) == ("human", (), None, "male")
    assert human.region == ("neocortex", "MTG")


def test_rows_may_come_as_json_lines_with_the_path_of_their_file(tmp_path: Path) -> None:
    path = tmp_path / "metadata.jsonl"
    path.write_text(json.dumps(CELL | {"swc": "swc/cell_m.swc"}) + "\n", encoding="utf-8")
    (record,) = load_records(path, "allen")
    assert record.swc == "cell_m.swc"


@pytest.mark.parametrize("column", ["corresponding_AIT2.3.1_alias", "T-type Label", "t_type"])
def test_patch_seq_tables_of_all_editions_are_read(tmp_path: Path, column: str) -> None:
    path = tmp_path / "metadata.csv"
    path.write_text(PATCHED.format(t_type=column), encoding="utf-8")
    mouse, human = load_records(path, "allen")
    assert (mouse.species, human.species) == ("mouse", "human")
    assert (mouse.region, mouse.layer) == (("neocortex", "VISpm"), "4")
    assert (mouse.markers, mouse.t_type) == (("Vip-IRES-Cre", "Vip-expressing"), "Vip Gpc3 Slc18a3")
    assert (human.layer, human.markers, human.apical_status) == (None, (), "intact")
    assert human.donor == "H16.03.007"
    assert mouse.swc == "601_transformed.swc"
    caption = NeuronTextGenerator().caption(human, None, "standard")
    assert caption.text == "a human spiny neuron from the middle temporal gyrus"


def test_an_error_inside_an_answer_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "cells.json"
    path.write_text(json.dumps({"success": False, "msg": "no such model"}), encoding="utf-8")
    with pytest.raises(UserError, match=r"cells\.json: no rows of an RMA answer \(no such model\)"):
        load_records(path, "allen")


def test_rows_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="row 2: neither specimen__id nor cell_specimen_id"):
        load_records(answer(tmp_path / "cells.json", CELL, {"neuron_id": 1}), "allen")


def test_what_allen_bulk_wrote_is_read_in_both_dialects(tmp_path: Path) -> None:
    path = tmp_path / "metadata.jsonl"
    row = {"id": "7", "source": "allen", "species": "Mus musculus", "region": ["VISp"], "layer": "4"}
    path.write_text(json.dumps({**row, "modifiers": ["spiny"], "markers": [], "swc": "swc/7.swc"}), encoding="utf-8")
    (own,), (table,) = load_records(path, "allen"), load_records(path, "table")
    assert (own.neuron_id, own.swc, own.swc_path) == ("allen:7", "7.swc", "")
    assert own == replace(table, swc_path="")


def test_a_driver_line_is_said_unless_its_gene_was(tmp_path: Path) -> None:
    (record,) = load_records(answer(tmp_path / "cells.json", CELL), "allen")
    drawn = {NeuronTextGenerator().draw(record, None, 0, epoch).text for epoch in range(100)}
    assert any("a mouse Cux2-CreERT2-labeled spiny neuron with an intact apical dendrite" in text for text in drawn)
    path = tmp_path / "metadata.csv"
    path.write_text(PATCHED.format(t_type="t_type"), encoding="utf-8")
    vip = load_records(path, "allen")[0]
    drawn = {NeuronTextGenerator().draw(vip, None, 0, epoch).text for epoch in range(100)}
    assert any("a mouse Vip-IRES-Cre-labeled neuron" in text for text in drawn)
    assert not any("labeled" in text and "Vip-expressing" in text for text in drawn)
