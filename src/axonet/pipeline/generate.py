"""Files that are generated: the config's JSON schema, the settings reference, the words of the metadata."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from axonet.core.config import Settings, setting_names
from axonet.core.files import to_json, write_text
from axonet.core.progress import say
from axonet.core.resources import project_root
from axonet.metadata.vocabulary.page import words_text
from axonet.pipeline.root_config import RootConfig, json_schema

SCHEMA = "workflow/schemas/config.schema.json"
REFERENCE = "docs/reference/settings.md"
WORDS = "docs/reference/words.md"

_HEAD = """# Settings

Generated from the settings models by `make schema`. A key of `config.yaml` is the flag of its command in kebab case:
`stage1: {lr_warmup_steps: 100}` is `--lr-warmup-steps 100` of `python -m axonet.training.trainer`.
"""


def schema_text() -> str:
    """Content of the JSON schema file."""
    return to_json(json_schema(), indent=1) + "\n"


def reference_text() -> str:
    """Content of the settings reference: a table per section of ``config.yaml``."""
    lines = [_HEAD]
    for name, field in RootConfig.model_fields.items():
        model = _model_of(field)
        if model is None:
            lines += [f"## `{name}`\n", f"{_sentence(field.description)} Default: {_default(field)}.\n"]
            continue
        lines += [
            f"## `{name}`\n",
            f"{_sentence(field.description)}\n",
            "| key | type | default | what it does |",
            "|---|---|---|---|",
        ]
        lines += [*_rows(model), ""]
    return "\n".join(lines).rstrip() + "\n"


def _sentence(text: str | None) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""


def _model_of(field: FieldInfo) -> type[Settings] | None:
    options = [field.annotation, *get_args(field.annotation)]
    return next((o for o in options if isinstance(o, type) and issubclass(o, Settings)), None)


def _rows(model: type[Settings], prefix: str = "") -> Iterator[str]:
    for name in setting_names(model):
        field = model.model_fields[name]
        inner = _model_of(field)
        if inner is not None:
            yield from _rows(inner, f"{prefix}{name}.")
        else:
            text = (field.description or "").replace("|", "\\|")
            yield f"| `{prefix}{name}` | {_type(field.annotation)} | {_default(field)} | {text} |"


def _type(annotation: Any) -> str:
    options = get_args(annotation)
    if options and all(isinstance(option, str) for option in options):
        return " or ".join(f"`{option}`" for option in options)
    text = str(annotation) if options else getattr(annotation, "__name__", str(annotation))
    return (
        text.replace("typing.", "")
        .replace("pathlib._local.", "")
        .replace("pathlib.", "")
        .replace("|", "or")
        .replace("NoneType", "none")
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, dict):
        value = {
            key: item.model_dump(exclude_defaults=True) if isinstance(item, Settings) else item
            for key, item in value.items()
        }
    return "none" if value is None else f"`{to_json(value) if isinstance(value, bool | dict | list) else value}`"


def main() -> int:
    """Write the generated files into the checkout."""
    root = project_root()
    for name, text in ((SCHEMA, schema_text()), (REFERENCE, reference_text()), (WORDS, words_text())):
        write_text(root / Path(name), text)
        say(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
