"""The plan of a folder in which the workflow runs."""

from __future__ import annotations

from pathlib import Path

import yaml

from axonet.core.errors import UserError
from axonet.pipeline.code_epochs import code_states, read_record
from axonet.pipeline.plan import CODE_RECORD, Plan
from axonet.pipeline.root_config import load_config


def plan_of(folder: Path) -> Plan:
    """Read the config of a working directory.

    Raises:
        UserError: there is no config.yaml, or it holds a wrong key or value.
    """
    file = folder / "config.yaml"
    if not file.is_file():
        raise UserError(f"{file}: no such file; the workflow runs where its config.yaml is")
    config = load_config(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    return Plan(config, code_states(read_record(folder / CODE_RECORD), config.code.policy))
