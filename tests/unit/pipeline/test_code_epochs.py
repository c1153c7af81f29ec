"""What a change of the package's own code does."""

from __future__ import annotations

import ast

import pytest

import axonet.pipeline.code_epochs as code_epochs
from axonet.core.files import write_json
from axonet.pipeline.code_epochs import ENTRY, EPOCHS, code_hash, code_states, read_record, write_record


def normalized(text: str) -> str:
    return ast.dump(code_epochs._without_docstrings(ast.parse(text)))


def recorded(stage: str = "render", **changes: object) -> dict[str, dict[str, object]]:
    entry = {"code": code_hash(ENTRY[stage]), "epoch": EPOCHS[stage], "token": str(EPOCHS[stage])}
    return {stage: {**entry, **changes}}


def test_comments_docstrings_and_layout_are_no_change():
    assert normalized('"""Doc."""\nx = [1, 2]  # why\n') == normalized("x = [\n    1,\n    2,\n]\n")
    assert normalized("x = 1") != normalized("x = 2")


def test_a_module_imported_inside_a_function_counts():
    found = set(code_epochs._imports(ast.parse("def f():\n    from axonet.core import files\n"), "axonet.x"))
    assert {"axonet.core", "axonet.core.files"} <= found


def test_relative_imports_are_followed():
    assert "axonet.core.files" in set(code_epochs._imports(ast.parse("from .files import sha256_file"), "axonet.core"))
    assert "axonet.core.files" in set(code_epochs._imports(ast.parse("from ..core import files"), "axonet.datasets"))


def test_every_stage_has_an_epoch_and_an_entry_that_exists():
    assert EPOCHS.keys() == ENTRY.keys()
    assert all(code_epochs._file_of(module) is not None for module in ENTRY.values())


def test_a_new_folder_depends_on_the_epoch_alone():
    assert code_states({}, "warn")["render"].token == str(EPOCHS["render"])
    assert code_states({}, "rerun")["render"].token == str(EPOCHS["render"])


def test_drift_under_warn_keeps_the_token_and_says_so():
    state = code_states(recorded(code="former", token="1"), "warn")["render"]
    assert (state.token, state.drifted) == ("1", True)


def test_drift_under_rerun_gives_a_new_token_that_stays(tmp_path):
    states = code_states(recorded(code="former"), "rerun")
    assert states["render"].token == f"{EPOCHS['render']}-{states['render'].code}"
    write_record(tmp_path / "code.json", states)
    for policy in ("warn", "rerun"):
        again = code_states(read_record(tmp_path / "code.json"), policy)["render"]
        assert (again.token, again.drifted) == (states["render"].token, False)


def test_a_raised_epoch_reruns_under_each_policy(monkeypatch):
    record = recorded()
    monkeypatch.setitem(code_epochs.EPOCHS, "render", EPOCHS["render"] + 1)
    assert {code_states(record, policy)["render"].token for policy in ("warn", "rerun")} == {str(EPOCHS["render"])}


def test_a_stage_whose_outputs_were_kept_is_still_said_next_time(tmp_path):
    file = tmp_path / "code.json"
    write_json(file, recorded(code="former"))
    write_record(file, code_states(read_record(file), "warn"))
    assert read_record(file)["render"]["code"] == "former"
    assert code_states(read_record(file), "warn")["render"].drifted


@pytest.mark.parametrize("stage", sorted(ENTRY))
def test_a_hash_is_stable(stage):
    assert code_hash(ENTRY[stage]) == code_hash.__wrapped__(ENTRY[stage])
