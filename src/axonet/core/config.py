"""One setting, one place: a pydantic field is the flag, the YAML key, the schema and the docs row.

A command is a :class:`CommandSettings` model, a function and :func:`run_command`. Every other use of a setting
(``config.yaml``, the JSON schema, the flags that a rule passes) is read off the same fields.
"""

from __future__ import annotations

import difflib
import errno
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from axonet.core.errors import UserError
from axonet.core.files import FULL_DISK, to_json
from axonet.core.progress import say


class Settings(BaseModel):
    """A group of settings: unknown keys are refused, values never change after they were checked."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False, protected_namespaces=()
    )


class CommandSettings(Settings):
    """The settings of a command; the docstring of a subclass is the command's help text."""


# What is wrong with a place rather than with the program: a full disk, a folder that is closed or is a file.
_OF_A_PLACE = (
    *FULL_DISK,
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG),
)
SettingsType = TypeVar("SettingsType", bound=Settings)
CommandType = TypeVar("CommandType", bound=CommandSettings)


def _extra(field: FieldInfo) -> Mapping[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def setting_names(model: type[Settings], *, io: bool = False) -> list[str]:
    """Names of the fields that are settings (``io=False``) or paths given anew with each call (``io=True``)."""
    return [name for name, field in model.model_fields.items() if bool(_extra(field).get("io")) is io]


def resume_safe_names(model: type[Settings]) -> set[str]:
    """Names of the fields that may change when a run is resumed; those given per call count too."""
    return {
        name
        for name, field in model.model_fields.items()
        if _extra(field).get("resume") == "safe" or _extra(field).get("io")
    }


def setting_values(settings: Settings, names: Sequence[str] | None = None) -> dict[str, Any]:
    """The values of settings as plain JSON data, without the paths given per call."""
    chosen = set(setting_names(type(settings)) if names is None else names)
    return settings.model_dump(mode="json", include=chosen)


def to_flags(settings: Settings, prefix: str = "--") -> list[str]:
    """The command-line arguments that set what differs from the defaults."""
    arguments: list[str] = []
    for name in setting_names(type(settings)):
        value, flag = getattr(settings, name), prefix + name.replace("_", "-")
        if value == type(settings).model_fields[name].get_default(call_default_factory=True):
            continue
        if isinstance(value, Settings):
            arguments += to_flags(value, f"{flag}.")
        elif isinstance(value, bool):
            arguments.append(flag if value else f"--no-{flag[2:]}")
        elif isinstance(value, list | tuple | dict):
            arguments += [flag, to_json(list(value) if isinstance(value, tuple) else value)]
        elif value is not None:
            arguments += [flag, str(value)]
    return arguments


def load_settings(model: type[SettingsType], values: Mapping[str, Any], where: str) -> SettingsType:
    """Check a mapping (a section of a YAML file) against a model.

    Raises:
        UserError: a wrong key or value; the message names ``where``, the key, the value and what is allowed.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise UserError("; ".join(f"{where}: {line}" for line in describe(error, model, flags=False))) from error


def describe(error: ValidationError, model: type[BaseModel], *, flags: bool) -> Iterator[str]:
    """One line per wrong value, in the words of the command line (``flags``) or of a YAML file."""
    for item in error.errors(include_url=False):
        path = [str(part) for part in item["loc"] if not str(part).startswith(("function-", "list[", "dict["))]
        name = ".".join(path)
        if flags:
            name = "--" + name.replace("_", "-") if name else "arguments"
        if item["type"] == "missing":
            yield f"{name} is required"
        elif item["type"] == "extra_forbidden":
            yield f"unknown key {name!r}{_nearest(path, model)}"
        else:
            message = re.sub(r"^(Value error|Assertion failed), ", "", item["msg"])
            message = re.sub(r"^Input should be ", "must be ", message)
            # A check of several values together names them itself; the whole section would only be noise.
            together = item["type"] == "value_error" and (not path or isinstance(item["input"], dict))
            given = "" if together else f" (got {_brief(item['input'])})"
            yield f"{name}: {message}{given}" if name and path else f"{message}{given}"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _nearest(path: Sequence[str], model: type[BaseModel]) -> str:
    """A hint at the key that was probably meant."""
    for part in path[:-1]:
        field = model.model_fields.get(part)
        candidates = [] if field is None else [field.annotation, *get_args(field.annotation)]
        inner = [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]
        if not inner:
            return ""
        model = inner[0]
    known = list(model.model_fields)
    close = difflib.get_close_matches(path[-1], known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known keys: {', '.join(sorted(known))}" if len(known) <= 12 else ""


def parse_command(model: type[CommandType], argv: Sequence[str], program: str | None = None) -> CommandType:
    """Parse command-line arguments into a settings model.

    Booleans are plain flags (``--no-x`` for those that are on by default), lists are given by repeating a flag or as
    JSON, mappings as JSON.

    Raises:
        UserError: an unknown flag or a wrong value.
        SystemExit: after ``--help``, with code 0.
    """
    # Reading environment variables or dotenv files would be a second place for a setting: only the arguments count.
    from pydantic_settings import BaseSettings, CliApp, SettingsConfigDict
    from pydantic_settings.exceptions import SettingsError
    from pydantic_settings.sources import PydanticBaseSettingsSource

    short_names = {name: _extra(field).get("short") for name, field in model.model_fields.items()}
    shortcuts: dict[str, str | list[str]] = {
        name.replace("_", "-"): short for name, short in short_names.items() if short is not None
    }

    class Parsed(model, BaseSettings):  # type: ignore[valid-type, misc]
        model_config = SettingsConfigDict(
            cli_prog_name=program,
            cli_kebab_case=True,
            cli_implicit_flags="toggle",
            cli_hide_none_type=True,
            cli_avoid_json=True,
            cli_exit_on_error=False,
            cli_shortcuts=shortcuts,
        )

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **named: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (sources[0] if sources else named["init_settings"],)

    Parsed.__doc__ = inspect.cleandoc(model.__doc__ or "")
    for field in Parsed.model_fields.values():
        if field.default is True:  # its flag is --no-name, and the description tells what it does while it is on
            field.description = f"switch off: {field.description}"
    try:
        parsed = CliApp.run(Parsed, cli_args=list(argv), cli_exit_on_error=False)
    except ValidationError as error:
        raise UserError("; ".join(describe(error, model, flags=True))) from error
    except SettingsError as error:
        raise UserError(_explain(str(error), model)) from error
    # The plain model, checked already: what was parsed carries the machinery of the command line with it.
    values = {name: getattr(parsed, name) for name in model.model_fields}
    return cast(CommandType, model.model_construct(_fields_set=set(parsed.model_fields_set), **values))


def _explain(message: str, model: type[Settings]) -> str:
    message = message.removeprefix("error parsing CLI: ")
    unknown = re.match(r"unrecognized arguments: (\S+)", message)
    unpaired = re.match(r"Parsing error encountered for (\S+): not enough values to unpack", message)
    if unpaired:
        return f"--{unpaired[1].replace('_', '-')}: give name=value"
    if not unknown:
        return message
    flags = ["--" + name.replace("_", "-") for name in model.model_fields]
    close = difflib.get_close_matches(unknown[1], flags, n=1)
    return f"unknown argument {unknown[1]}; " + (f"did you mean {close[0]}?" if close else "--help lists what is known")


def program_name() -> str:
    """How the running command was called, for the usage line."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return f"python -m {spec.name}" if spec is not None else "axonet"


def run_command(
    model: type[CommandType],
    run: Callable[[CommandType], None],
    argv: Sequence[str] | None = None,
    program: str | None = None,
) -> int:
    """Parse, run, and turn a :class:`UserError` into one line and exit code 2.

    Args:
        model: the settings of the command.
        run: does the work.
        argv: arguments; ``sys.argv[1:]`` by default.
        program: name in the usage line; found out by default.

    Returns:
        The exit code: 0, 2 for bad input, 130 when interrupted.
    """
    # Threads that wait by spinning take the cores of other jobs on a shared machine: training was three times slower.
    # It must be said before the first library that uses OpenMP is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return guarded(lambda: run(parse_command(model, sys.argv[1:] if argv is None else argv, program or program_name())))


def guarded(work: Callable[[], None]) -> int:
    """Run a piece of a command line; bad input is one line and exit code 2 (``AXONET_DEBUG=1``: the traceback).

    A full disk, a folder that may not be written to and a file in the place of a folder are bad input as well.
    """
    try:
        work()
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read the output has seen enough (| head). What is still buffered must not fail when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except UserError as error:
        if os.environ.get("AXONET_DEBUG") == "1":
            raise
        say(f"error: {error}")
        return 2
    except OSError as error:
        if os.environ.get("AXONET_DEBUG") == "1" or error.errno is None or error.errno not in _OF_A_PLACE:
            raise
        # The libraries below word the same error in their own ways.
        reason = os.strerror(error.errno)
        remedy = "; make room, then run again" if error.errno in FULL_DISK else ""
        say(f"error: {reason if error.filename is None else f'{error.filename}: {reason}'}{remedy}")
        return 2
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0
