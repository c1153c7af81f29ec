"""The form of ``metrics.json``: models that it is checked against, and the JSON schema made from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_FILE = Path(__file__).with_name("metrics.schema.json")
HeldOut = Literal["lab", "donor", "neuron", "nothing", "unknown"]
Compartments = Literal["as_typed", "merged"] | None
SHOWN = (
    "what the model was shown: node types as the tracer gave them, or basal and apical dendrites as one, where claims "
    "are made; null for a model that reads no node types"
)
HELD_OUT = (
    "what no judged neuron shares with the neurons that probes learn on, that the model learned the words of (Stage 2) "
    "or that chose its epoch; nothing: the model learned on judged neurons; unknown: the checkpoint's neurons are not "
    "those learned on here"
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, protected_namespaces=())


class FigureRow(_Part):
    """One figure; null means that it cannot be given."""

    metric: str = Field(description="what is measured")
    value: float | None = Field(description="the figure on the judged items")
    interval: tuple[float | None, float | None] | None = Field(
        description="95 % bootstrap interval over groups, stratified by class; null with fewer than five groups"
    )
    split: HeldOut = Field(description=HELD_OUT)
    model: str = Field(description="what made the answers")
    n: int = Field(description="queries or judged items; of broad+standard the queries of both levels, neurons once")
    groups: int | None = Field(description="independent groups among them")
    chance: float = Field(description="the same metric when answers are random")
    majority: float | None = Field(
        description="the same metric for an answer that ignores the neuron. Retrieval: the list that is best for the "
        "judged queries, the same for every query. Zero-shot and probes: always the class that is commonest among the "
        "neurons learned on (zero-shot without such neurons: among the judged; cross-validation: in each fold's "
        "training part); for top-k the k commonest; for calibration their frequencies. It need not be the commonest "
        "judged class; in balanced accuracy every constant answer reaches 1 / classes"
    )
    baseline: str = Field(min_length=1, description="what the difference is taken to")
    difference: tuple[float | None, float | None, float | None] = Field(
        description="value less the baseline's, and the 95 % interval of the paired differences"
    )


class TaskRow(FigureRow):
    """A probe or a baseline on one label."""

    task: str = Field(description="method and label, such as knn5_cell_type")
    classes: int | None = Field(description="number of classes")
    compartments: Compartments = Field(
        description="node types as the tracer gave them, or with basal and apical dendrites as one, where claims are "
        "made; what reads no types stands in both; null where the question does not arise"
    )
    labs: int | None = Field(
        None, description="laboratories (archives) among the judged items, where they are compared"
    )
    labs_better: int | None = Field(None, description="laboratories in which the value is above the baseline's")
    labs_difference: float | None = Field(
        None, description="difference to the baseline, first within each laboratory, then averaged over them"
    )
    labs_p: float | None = Field(
        None, description="two-sided sign-flip test of those differences, exact up to 20; 2 / 2^labs at the least"
    )


class RetrievalRow(FigureRow):
    """Retrieval between neurons and unique captions."""

    level: str = Field(description="caption level; broad+standard is their mean, the headline")
    direction: Literal["neuron_to_text", "text_to_neuron"] = Field(description="what is the query")
    hit: Literal["equal", "true"] = Field(description="equal caption, or any caption true of the neuron")
    candidates: int | None = Field(description="different answers that are ranked; null where two levels differ")
    compartments: Compartments = Field(description=SHOWN)
    p: float | None = Field(description="one-sided p value against shuffled neurons, where computed")


class ZeroShotRow(FigureRow):
    """Zero-shot classification by prompts."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, protected_namespaces=(), populate_by_name=True)

    task: str = Field(description="zero_shot_ and the label")
    prompts: Literal["ensemble", "single"] = Field(description="several templates averaged, or one")
    compartments: Compartments = Field(description=SHOWN)
    class_name: str | None = Field(alias="class", description="for figures of a single class")
    classes: int | None = Field(description="number of classes")


class DroppedRow(_Part):
    """Something that was not judged, and why."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, populate_by_name=True)

    task: str = Field(description="the label or part of the report")
    class_name: str | None = Field(alias="class", description="the class, or null for all")
    n: int | None = Field(description="judged neurons concerned")
    n_train: int | None = Field(description="neurons of the class that could be learned on")
    reason: str = Field(description="why")


class Splits(_Part):
    """What was judged, and with which settings."""

    judged: Literal["train", "validation", "test", "mixed", "unknown"] = Field(
        description="split of the judged neurons"
    )
    held_out: HeldOut = Field(description=HELD_OUT)
    promised: Literal["neuron", "donor", "lab"] | None = Field(
        description="what the split file was made to keep together; null where no split file says"
    )
    learned_on: Literal["given neurons", "cross-validation"] = Field(description="where probes learn")
    n_judged: int = Field(description="judged neurons")
    n_learned_on: int = Field(description="neurons that probes learn on")
    groups: int = Field(description="independent groups among the judged neurons")
    same_donor: int = Field(description="judged neurons that share donor, else publication, else archive, with those")
    same_lab: int = Field(description="judged neurons that share donor, publication or archive with those")
    assignments: str = Field(description="digest of who is judged and who is learned on")
    checkpoint: str | None = Field(description="fingerprint of the judged model")
    settings: dict[str, Any] = Field(description="settings of the evaluation")


class Metrics(_Part):
    """Content of ``metrics.json``."""

    format: Literal[1] = Field(1, description="version of this form")
    splits: Splits
    tasks: list[TaskRow]
    retrieval: list[RetrievalRow]
    zero_shot: list[ZeroShotRow]
    stage1: list[TaskRow]
    dropped: list[DroppedRow]


def check(content: dict[str, Any]) -> dict[str, Any]:
    """The content as plain JSON data, checked against the form.

    Raises:
        pydantic.ValidationError: a row is not of the form: an error in this package.
    """
    # Strings in, strings out: the checked model is written, so key order and types are those of the schema.
    return Metrics.model_validate(content).model_dump(mode="json", by_alias=True)


def json_schema() -> dict[str, Any]:
    """The JSON schema of ``metrics.json``."""
    schema = Metrics.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "axonet metrics.json", **schema}
