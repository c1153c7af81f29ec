"""Where the words of neurons come from: settings that commands take alike."""

from __future__ import annotations

from pydantic import Field, field_validator

from axonet.core.config import Settings


class TableColumns(Settings):
    """Names of columns in a table of one's own."""

    columns: dict[str, str] = Field(
        {},
        description="columns of a table that have names of their own, as field=column: cell_type=mtype",
        json_schema_extra={"io": True, "short": "column"},
    )

    @field_validator("columns")
    @classmethod
    def _fields_that_exist(cls, columns: dict[str, str]) -> dict[str, str]:
        from axonet.metadata.adapters.table import COLUMNS

        for field in columns:
            if field not in COLUMNS:
                raise ValueError(f"no field {field!r}; there are {', '.join(COLUMNS)}")
        return columns
