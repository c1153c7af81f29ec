"""Settings of evaluation. Importable without torch, scikit-learn or matplotlib."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from axonet.core.config import Settings


class EvaluationSettings(Settings):
    """What is judged, and how carefully."""

    split: Literal["validation", "test"] = Field(
        "validation",
        description="which neurons of a split file are judged; look at test once, when nothing is tuned any more (with "
        "a manifest, the manifest says which)",
    )
    pooling: Literal["mean", "max", "none"] = Field(
        "mean",
        description="views of a neuron: averaged into one vector, compared by the best one, or judged one by one",
    )
    bootstrap: int = Field(1000, ge=0, description="resamples behind each 95 % interval; 0 gives no intervals")
    min_class_size: int = Field(
        2, ge=1, description="fewest judged neurons of a class; rarer classes are listed as not judged"
    )
    most_neurons: int = Field(
        5000,
        ge=100,
        description="neurons at most that probes and baselines learn on, and as many that they are judged on, drawn by "
        "class; raise it where hours do not matter",
    )
    most_ranked: int = Field(
        2000, ge=100, description="judged neurons at most whose captions are ranked; each is compared with all others"
    )
    leaks: Literal["stop", "leave_out"] = Field(
        "stop",
        description="judged neurons that are copies of others, or share a donor or laboratory that the split file "
        "promises to hold out: stop with a line that names one, or judge without them",
    )
    baselines: bool = Field(
        True,
        description="comparison with random forests on morphometrics, an untrained encoder and principal components of "
        "pictures",
    )
    seed: int = Field(0, ge=0, description="seed of resamples, folds, forests and maps")
    batch_size: int = Field(64, ge=1, description="views encoded at a time")
    num_workers: int = Field(0, ge=0, description="processes that read views to encode; 0 reads in the command itself")
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = Field(
        "auto", description="what to encode on; auto takes a GPU when there is one"
    )
