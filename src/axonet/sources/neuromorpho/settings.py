"""Settings of a download from NeuroMorpho.Org."""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode

from axonet.sources.download_settings import DownloadSettings, ServerUrl, server_root

DEFAULT_URL = "https://neuromorpho.org"
URL_VARIABLE = "AXONET_NEUROMORPHO_URL"


class NeuroMorphoSettings(DownloadSettings):
    """Which neurons of NeuroMorpho.Org, and what of them."""

    query: str | None = Field(
        None, description="fields and values, e.g. species:mouse; several with AND; a comma means or"
    )
    filters: Annotated[dict[str, list[str]] | None, NoDecode] = Field(
        None,
        description='JSON object of exact values, for values with commas: {"domain": ["Dendrites, Soma, Axon"]}; a '
        "neuron has one of the values of each field",
    )
    fetch_morphometry: bool = Field(False, description="also fetch the measurements that the site publishes")
    find: bool = Field(
        False, description="look for a file that is not where it should be: by the API and direct links only"
    )
    max_pages: int | None = Field(None, ge=1, description="list only so many pages")
    page_size: int = Field(500, ge=1, le=500, description="neurons per page of the listing")
    base_url: ServerUrl = Field(
        None,
        description=f"root of the site; default: the environment variable {URL_VARIABLE}, or {DEFAULT_URL}",
    )

    @field_validator("filters", mode="before")
    @classmethod
    def _read_filters(cls, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except json.JSONDecodeError as error:
                raise ValueError(
                    f'not JSON ({error.msg} at character {error.pos + 1}); it looks like \'{{"species": ["mouse"]}}\''
                ) from error
        if not isinstance(value, dict):
            return value
        return {key: [inner] if isinstance(inner, str) else inner for key, inner in value.items()}

    @field_validator("filters")
    @classmethod
    def _names_values(cls, filters: dict[str, list[str]] | None) -> dict[str, list[str]] | None:
        if filters is not None and not filters:
            raise ValueError(
                "names no field, which would be all neurons: for all of them, --query 'neuron_id:[* TO *]'"
            )
        for name, values in (filters or {}).items():
            if not values or not all(value.strip() for value in values):
                raise ValueError(f'{name!r} has no value, or an empty one; it looks like \'{{"species": ["mouse"]}}\'')
        return filters

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> Self:
        if self.query is not None and self.filters is not None:
            raise ValueError("give --query or --filters, not both")
        if self.query is None and self.filters is None:
            raise ValueError(
                "say which neurons: --query 'species:mouse', or --filters '{\"species\": [\"mouse\"]}'; all of them: "
                "--query 'neuron_id:[* TO *]'"
            )
        return self

    @property
    def site(self) -> str:
        """Root of the site, without a slash at its end."""
        return server_root(self.base_url, URL_VARIABLE, DEFAULT_URL).removesuffix("/api").rstrip("/")
