"""A command's settings as a section of ``config.yaml``: the same fields, bounds and checks."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, create_model
from pydantic.json_schema import SkipJsonSchema

from axonet.core.config import Settings


def _refuse(value: object) -> None:
    if value is not None:
        raise ValueError("the workflow sets this: give a seed at the top of config.yaml, or to a run under `runs`")


Unset = Annotated[SkipJsonSchema[None], BeforeValidator(_refuse)]


def section(settings: type[Settings], *decided: str, **more: Any) -> type[Settings]:
    """A section of ``config.yaml`` made of a command's settings.

    Args:
        settings: the settings, without the paths that are given with each call.
        decided: fields that the workflow itself decides (a run's seed, for example): not to be set in the section.
        more: fields that only the workflow has, as ``(type, Field(...))``.

    Returns:
        A model with the same names, types, bounds, defaults, descriptions and checks.
    """
    hidden: dict[str, Any] = {
        name: (Unset, Field(None, exclude=True, description="", json_schema_extra={"io": True})) for name in decided
    }
    name = f"{settings.__name__.removesuffix('Settings')}Section"
    return create_model(name, __base__=settings, __doc__=settings.__doc__, **hidden, **more)
