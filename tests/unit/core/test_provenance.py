"""run.json tells what was done; nothing is written when the work fails."""

from __future__ import annotations

import pytest

from axonet.core.files import read_json, sha256_file
from axonet.core.input_spec import InputSpec
from axonet.core.provenance import run_record


def test_a_run_is_recorded_with_inputs_versions_and_facts(tmp_path):
    (tmp_path / "in.txt").write_text("hello")
    with run_record(tmp_path / "out", "axonet.test", InputSpec(), [tmp_path / "in.txt", tmp_path / "absent"]) as record:
        record.add(neurons=3)
    run = read_json(tmp_path / "out" / "run.json")
    assert run["inputs"] == {str(tmp_path / "in.txt"): sha256_file(tmp_path / "in.txt")}
    assert run["neurons"] == 3
    assert run["settings"]["width"] == 512
    assert {"axonet", "python", "numpy"} <= set(run["versions"])


def test_a_failed_run_leaves_no_record(tmp_path):
    with pytest.raises(RuntimeError), run_record(tmp_path, "axonet.test", InputSpec()):
        raise RuntimeError
    assert not list(tmp_path.iterdir())
