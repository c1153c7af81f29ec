"""Settings of training: what both stages share, and what Stage 1 adds. Importable without torch."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic.config import JsonDict

from axonet.core.config import Settings
from axonet.morphology.compartments import N_CLASSES

SAFE: JsonDict = {"resume": "safe"}


class FitSettings(Settings):
    """How a network is fitted, whatever it is."""

    batch_size: int = Field(
        8, ge=1, description="items per step and device; lower it when memory runs out", json_schema_extra=SAFE
    )
    lr: float = Field(
        1e-4, gt=0, description="peak learning rate of AdamW; lower it when the loss jumps", json_schema_extra=SAFE
    )
    weight_decay: float = Field(
        0.05, ge=0, description="decay of weights (not of biases and scales)", json_schema_extra=SAFE
    )
    max_epochs: int = Field(100, ge=1, description="passes over the training data at most", json_schema_extra=SAFE)
    max_steps: int | None = Field(
        None,
        ge=1,
        description="optimizer steps at most; overrides epochs, e.g. for a quick trial",
        json_schema_extra=SAFE,
    )
    lr_scheduler: Literal["cosine", "step", "constant"] = Field(
        "cosine",
        description="learning rate after warm-up: cosine to zero, step (a tenth after 50 % and after 75 % of the "
        "steps), or constant for runs of open length",
        json_schema_extra=SAFE,
    )
    lr_warmup_steps: int = Field(
        0, ge=0, description="steps of linear warm-up; raise it when the first steps diverge", json_schema_extra=SAFE
    )
    gradient_clip_val: float = Field(
        0.0, ge=0, description="largest norm of the gradient, 0 = no clipping; 1 tames jumps", json_schema_extra=SAFE
    )
    gradient_accumulation_steps: int = Field(
        1, ge=1, description="batches per optimizer step: large batches on little memory", json_schema_extra=SAFE
    )
    early_stopping: bool = Field(
        False, description="stop when the selection value no longer improves", json_schema_extra=SAFE
    )
    patience: int = Field(
        10, ge=1, description="epochs without improvement that early stopping waits", json_schema_extra=SAFE
    )
    precision: Literal["auto", "32", "16", "bf16"] = Field(
        "auto",
        description="number format: auto takes bf16 on recent GPUs, fp16 on older ones, 32 bit elsewhere",
        json_schema_extra=SAFE,
    )
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = Field(
        "auto", description="what to compute on; auto takes a GPU when there is one", json_schema_extra=SAFE
    )
    devices: int | None = Field(
        None, ge=1, description="number of GPUs; all of them by default (one process on a CPU)", json_schema_extra=SAFE
    )
    num_workers: int | None = Field(
        None,
        ge=0,
        description="processes that read views; by default one less than there are cores, at most 8; the result does "
        "not depend on it",
        json_schema_extra=SAFE,
    )
    save_minutes: float = Field(
        10.0,
        ge=0,
        description="within an epoch, last.ckpt is written every so many minutes, and at the end of the epoch; lower "
        "it where machines are often lost, 0 = at the ends of epochs alone",
        json_schema_extra=SAFE,
    )
    seed: int = Field(0, ge=0, description="seed of initialization, order, augmentation and noise")

    @property
    def workers(self) -> int:
        """Number of reading processes."""
        if self.num_workers is not None:
            return self.num_workers
        # A job on a cluster may use fewer cores than the machine has.
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(0, min(8, cores - 1))


class Stage1Settings(FitSettings):
    """Model, losses and data of Stage 1."""

    base_channels: int = Field(64, ge=4, description="channel width at full size; doubles each level")
    max_channels: int = Field(256, ge=4, description="cap on the channel width of deep levels")
    levels: int | None = Field(
        None,
        ge=1,
        le=9,
        description="halvings; by default one more than it takes for every unit of the bottleneck to see the whole "
        "image, down to 2 x 2 units for square views: fewer gave worse vectors",
    )
    patch: int = Field(
        1,
        ge=1,
        le=8,
        description="side of the blocks of pixels that the network works on; 2 takes a third of the time and loses "
        "little, since the silhouette tells the exact outline",
    )
    pool_levels: int = Field(
        2,
        ge=0,
        le=9,
        description="levels above the bottleneck that are pooled into the neuron vector too: they hold how the "
        "branches look, the bottleneck where they are; 0 gives shorter vectors",
    )
    latent_channels: int = Field(128, ge=2, description="channels of the bottleneck; the embedding has twice as many")
    num_classes: int = Field(N_CLASSES, description=f"mask classes with background; always {N_CLASSES}")
    skip_mode: Literal["variational", "deterministic"] = Field(
        "variational",
        description="variational: thin sampled skips, so that the shape passes through the bottleneck; deterministic: "
        "plain U-Net skips, better masks and a poorer embedding",
    )
    skip_channels: int = Field(8, ge=1, description="channels of a variational skip")
    skip_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of a variational skip's channels dropped in training; 0.3 made vectors no better where it "
        "was measured, so raise it only when val/kl_latent falls to 0 while masks stay good",
        json_schema_extra=SAFE,
    )

    kld_weight: float = Field(
        0.1,
        ge=0,
        description="weight of the KL divergence; lower it (0.01) when train/kld falls to 0",
        json_schema_extra=SAFE,
    )
    beta: float = Field(
        1.0,
        ge=0,
        description="further factor of the KL weight, for changes by hand from run to run",
        json_schema_extra=SAFE,
    )
    free_nats: float = Field(
        0.0,
        ge=0,
        description="nats per channel that cost nothing; raise it (0.1) when train/kld falls to 0",
        json_schema_extra=SAFE,
    )
    kl_warmup_steps: int = Field(
        0, ge=0, description="steps over which the KL weight rises from 0 to its value", json_schema_extra=SAFE
    )
    lambda_morphometrics: float = Field(
        1.0,
        ge=0,
        description="weight of predicting the neuron's morphometrics from its vector, which makes sizes and counts "
        "easy to read off it; 0 = off",
    )
    lambda_contrast: float = Field(
        0.3,
        ge=0,
        description="weight of telling which views of a batch show the same neuron, which makes the vector depend less "
        "on the view; batches then hold two views of each neuron; 0 = off",
    )
    contrast_temperature: float = Field(
        0.1, gt=0, le=1, description="temperature of that contrast; lower it to push harder against the most alike"
    )
    lambda_seg: float = Field(1.0, ge=0, description="weight of the segmentation loss", json_schema_extra=SAFE)
    lambda_depth: float = Field(1.0, ge=0, description="weight of the depth loss", json_schema_extra=SAFE)
    seg_loss: Literal["ce", "focal"] = Field(
        "ce",
        description="pixel loss beside Dice: cross-entropy, or focal (gamma 2) when rare compartments are missed",
        json_schema_extra=SAFE,
    )

    ema_decay: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="running average of the weights over the steps, which is then what is validated and saved; "
        "0 = off, 0.999 makes the best epoch depend less on chance",
    )
    compile: bool = Field(
        False,
        description="compile the network, which takes minutes at the start and makes each step of a long run on a GPU "
        "faster",
        json_schema_extra=SAFE,
    )
    inputs: Literal["silhouette", "shape"] = Field(
        "silhouette",
        description="what the encoder sees: silhouettes, or compartments and depth too, which are then not decoded; "
        "shape when neurons are typed alike everywhere and vectors are all you want",
    )
    merge_dendrites: float = Field(
        0.3,
        ge=0,
        le=1,
        description="share of training views whose basal and apical dendrites are shown as one, so that neurons of "
        "which nobody told them apart can be embedded; with inputs shape",
        json_schema_extra=SAFE,
    )
    drop_types: float = Field(
        0.3,
        ge=0,
        le=1,
        description="share of training views that are shown without types, so that untyped neurons can be embedded; "
        "with inputs shape",
        json_schema_extra=SAFE,
    )
    decode_every: int = Field(
        1,
        ge=1,
        description="decode only every so many training images, the others are only encoded; 4 makes steps on a CPU "
        "1.7 times as fast, for when the vector matters more than the masks",
        json_schema_extra=SAFE,
    )
    width: int | None = Field(
        None, ge=16, description="resize views to this width, e.g. 256 when memory runs out; as rendered by default"
    )
    height: int | None = Field(None, ge=16, description="resize views to this height; follows the width by default")
    views_per_neuron: int | None = Field(
        None, ge=1, description="views drawn per neuron and epoch; all by default", json_schema_extra=SAFE
    )
    flips: bool = Field(True, description="mirror training views at random", json_schema_extra=SAFE)
    rotation: float = Field(
        0.0,
        ge=0,
        le=180,
        description="largest random rotation of training views in degrees; 180 = any angle",
        json_schema_extra=SAFE,
    )
    magnification: tuple[float, float] = Field(
        (1.0, 1.0),
        description="range of random magnification of training views, whose field of view is corrected; [0.95, 1.2] "
        "when there are few neurons",
        json_schema_extra=SAFE,
    )
    scale_dropout: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of training views whose field of view is withheld, so that views of "
        "unknown scale can be embedded",
        json_schema_extra=SAFE,
    )

    zoom: bool = Field(
        False,
        description="also look at the window around the soma, rendered with zoom_um; tells cells apart by their stems "
        "when the whole neuron is too large for the image to show them",
    )
    zoom_dropout: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of training views whose window around the soma is blank, so that neurons without soma can "
        "be embedded; with zoom",
        json_schema_extra=SAFE,
    )

    @field_validator("num_classes")
    @classmethod
    def _only_our_classes(cls, value: int) -> int:
        if value != N_CLASSES:
            raise ValueError(
                f"masks have {N_CLASSES} classes (background, soma, axon, basal and apical dendrite, other); only "
                f"{N_CLASSES} is possible"
            )
        return value

    @field_validator("magnification")
    @classmethod
    def _a_range_of_factors(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0.25 <= value[0] <= value[1] <= 4:
            raise ValueError("must be a smaller and a larger factor between 0.25 and 4, e.g. [0.95, 1.2]")
        return value

    @model_validator(mode="after")
    def _something_to_learn(self) -> Stage1Settings:
        if self.inputs == "shape" and self.lambda_morphometrics == 0 and self.lambda_contrast == 0:
            raise ValueError(
                "inputs shape decodes nothing, because it is given everything: without lambda_morphometrics and "
                "lambda_contrast there is nothing to learn"
            )
        return self

    @model_validator(mode="after")
    def _cap_above_base(self) -> Stage1Settings:
        if self.max_channels < self.base_channels:
            raise ValueError(f"max-channels {self.max_channels} is below base-channels {self.base_channels}")
        return self
