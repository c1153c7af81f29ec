"""The plan of a folder in which the workflow runs."""

from __future__ import annotations

from pathlib import Path

import yaml

from axonet.core.errors import UserError
from axonet.pipeline.code_epochs import states_at
from axonet.pipeline.places import Folder, place
from axonet.pipeline.plan import Plan
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
    home = Folder(folder)
    data = home if config.data is None else place(config.data)
    return Plan(config, states_at(home, data, config.code.policy), home)
