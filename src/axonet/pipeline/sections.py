"""A command's settings as a section of ``config.yaml``: the same fields, less the paths given per call."""

from __future__ import annotations

from typing import Any

from pydantic import create_model

from axonet.core.config import Settings, setting_names


def section(command: type[Settings], *leave_out: str) -> type[Settings]:
    """The settings of a command that belong into ``config.yaml``.

    Args:
        command: the command's settings model.
        leave_out: settings that the workflow decides by itself (a run's seed, for example).

    Returns:
        A model with the same names, types, bounds, defaults and descriptions.
    """
    names = [name for name in setting_names(command) if name not in leave_out]
    fields: dict[str, Any] = {
        name: (command.model_fields[name].annotation, command.model_fields[name]) for name in names
    }
    return create_model(
        f"{command.__name__.removesuffix('Config')}Section", __base__=Settings, __doc__=command.__doc__, **fields
    )
