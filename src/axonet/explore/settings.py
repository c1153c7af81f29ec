"""Settings of the explorer. Importable without torch, numba or the server's packages."""

from __future__ import annotations

from pydantic import Field

from axonet.core.config import Settings


class ExportSettings(Settings):
    """What is written down for the explorer."""

    queries: str = Field(
        "",
        description="sentences, with ; between them, whose best neurons are found at export, so that the one-file page "
        "answers them exactly",
    )
    map_seed: int = Field(0, ge=0, description="another seed lays out the map anew")

    @property
    def sentences(self) -> list[str]:
        """The sentences one by one."""
        return [text for part in self.queries.split(";") if (text := part.strip())]


class PageSettings(Settings):
    """What goes into the one-file page."""

    max_mb: float = Field(
        25.0,
        ge=0.8,
        description="largest size of the page in MB; what does not fit is left out and named. Snakemake's report.html "
        "shows pages of up to 1.5",
    )


class ExploreSettings(ExportSettings, PageSettings):
    """The explorer: what is exported, and the one-file page."""
