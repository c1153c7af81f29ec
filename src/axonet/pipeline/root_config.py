"""The root config: every section of ``config.yaml``, composed from the commands' own settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from pydantic import Field, field_validator, model_validator

from axonet.core.config import Settings, load_settings
from axonet.datasets.splits import SplitSettings
from axonet.evaluation.settings import EvaluationSettings
from axonet.explore.settings import ExploreSettings
from axonet.learning.clip_settings import ClipSettings
from axonet.learning.settings import Stage1Settings
from axonet.pipeline.sections import section
from axonet.rendering.settings import RenderSettings
from axonet.sources.settings import AcquireSettings

GIVEN = (
    str | None,
    Field(
        None,
        description="path of a given checkpoint: nothing is trained, new neurons are only measured, drawn and encoded",
    ),
)
RenderSection = section(RenderSettings, "seed")
Stage1Section = section(Stage1Settings, "seed", checkpoint=GIVEN)
Stage2Section = section(ClipSettings, "seed", checkpoint=GIVEN)
ExploreSection = section(
    ExploreSettings, run=(str | None, Field(None, description="which of the runs is shown; the first by default"))
)


class RunSettings(Settings):
    """One run: a split and a seed. What is not given comes from the sections ``split`` and ``seed``."""

    seed: int | None = Field(None, ge=0, description="seed of this run's training")
    split_by: Literal["neuron", "donor", "lab"] | None = Field(None, description="what is kept together in this run")
    split_seed: int | None = Field(None, ge=0, description="seed of this run's split")


class CodeSettings(Settings):
    """What happens when axonet's own code changed since outputs were made."""

    policy: Literal["warn", "rerun"] = Field("warn", description="keep the outputs and say so, or make them anew")


class RootConfig(Settings):
    """The whole of ``config.yaml``."""

    seed: int = Field(0, ge=0, description="seed of views and of every run that names none")
    data: str | None = Field(
        None,
        description="another place, a folder or gs://bucket/folder, that holds catalog, measurements and views: to "
        "train on what a former run made there",
    )
    acquire: AcquireSettings = Field(AcquireSettings(), description="where the neurons come from")
    render: RenderSection = Field(RenderSection(), description="how they are drawn")  # type: ignore[valid-type]
    split: SplitSettings = Field(SplitSettings(), description="which neurons train, validate and test")
    stage1: Stage1Section = Field(Stage1Section(), description="pre-training of SegVAE2D")  # type: ignore[valid-type]
    stage2: Stage2Section = Field(Stage2Section(), description="the contrastive model")  # type: ignore[valid-type]
    evaluate: EvaluationSettings = Field(EvaluationSettings(), description="what is judged")
    explore: ExploreSection = Field(ExploreSection(), description="the explorer's page")  # type: ignore[valid-type]
    runs: dict[str, RunSettings] = Field({"main": RunSettings()}, description="the runs, by name")
    code: CodeSettings = Field(CodeSettings(), description="what a change of axonet's code does")

    @model_validator(mode="after")
    def _what_is_looked_at_is_drawn(self) -> RootConfig:
        stage1, render = cast(Any, self.stage1), cast(Any, self.render)
        if stage1.zoom and stage1.checkpoint is None and render.zoom_um is None:
            raise ValueError(
                "stage1.zoom looks at the window around the soma, but render.zoom_um draws none; set it, e.g. to 160"
            )
        return self

    @model_validator(mode="after")
    def _the_run_that_is_shown_is_one(self) -> RootConfig:
        shown = cast(Any, self.explore).run
        if shown is not None and shown not in self.runs:
            raise ValueError(f"explore.run: no run {shown!r}; there are: {', '.join(self.runs)}")
        return self

    @field_validator("runs")
    @classmethod
    def _names_are_folders(cls, runs: dict[str, RunSettings]) -> dict[str, RunSettings]:
        for name in runs:
            if not name.replace("_", "").replace("-", "").isalnum():
                raise ValueError(f"run name {name!r}: use letters, digits, _ and -")
        if not runs:
            raise ValueError("at least one run is needed, for example `runs: {main: {}}`")
        return runs


def load_config(values: Mapping[str, Any]) -> RootConfig:
    """Check the content of ``config.yaml``.

    Raises:
        UserError: one line that names the key, the value and what is allowed.
    """
    # An empty section (`stage1:`) is None in YAML and means: all defaults.
    known = RootConfig.model_fields.keys()
    return load_settings(
        RootConfig, {k: v for k, v in values.items() if v is not None or k not in known}, "config.yaml"
    )


def json_schema() -> dict[str, Any]:
    """The schema that Snakemake validates ``config.yaml`` against, generated from the models."""
    schema = RootConfig.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "axonet workflow configuration"
    return schema
