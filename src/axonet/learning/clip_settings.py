"""Settings of Stage 2. Importable without torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from axonet.learning.settings import SAFE, FitSettings


class ClipSettings(FitSettings):
    """Model, loss and data of Stage 2."""

    batch_size: int = Field(
        64,
        ge=2,
        description="neurons per step, over all devices; larger (128) makes the contrast harder and the gradient "
        "calmer",
        json_schema_extra=SAFE,
    )
    max_epochs: int = Field(50, ge=1, description="passes over the training neurons at most", json_schema_extra=SAFE)
    clip_embed_dim: int = Field(512, ge=2, description="length of the vectors that shapes and words share")
    hidden_dim: int = Field(256, ge=2, description="width of the image projection's hidden layer")
    dropout: float = Field(
        0.1, ge=0, lt=1, description="share of that layer dropped while training", json_schema_extra=SAFE
    )
    temperature: float = Field(
        0.07, ge=0.01, le=1.0, description="temperature of the contrastive loss; where it starts when it is learnable"
    )
    learnable_temperature: bool = Field(False, description="learn the temperature, within 0.01 and 1")
    text_encoder: str = Field(
        "distilbert-base-uncased",
        description="text encoder: a hub id, a local folder, minilm (comes with a package, works offline) or hash:384 "
        "(hashed words, works offline)",
    )
    train_text_encoder: bool = Field(
        False,
        description="train the text encoder too, and carry it in the checkpoint; for many thousand different captions, "
        "fewer are soon known by heart",
    )
    text_lr_mult: float = Field(
        0.1,
        ge=0,
        description="learning rate of the text encoder as a multiple of lr, when it is trained",
        json_schema_extra=SAFE,
    )
    caption_levels: list[Literal["broad", "standard", "detailed", "morphometric"]] | None = Field(
        None,
        min_length=1,
        description="which levels of captions are drawn; by default all four, in the shares 10, 30, 40 and 20 %: leave "
        "one out to see what it teaches",
    )
    loss: Literal["entail", "masked", "infonce", "siglip"] = Field(
        "entail",
        description="what captions of other neurons are: entail counts those that are true of a neuron as right, "
        "masked leaves them out, infonce counts all as wrong, siglip asks about each pair by itself; entail is the "
        "default because the caption that it puts first is most often true of the neuron (86 % of them; masked 79, "
        "infonce 68), though masked told classes apart better (6 points)",
    )
    batches: Literal["mixed", "uniform"] = Field(
        "mixed",
        description="which neurons meet in a batch: mixed draws half of the batches within one archive, where a "
        "laboratory's style answers nothing, and the others with equal shares of all archives; uniform draws from all "
        "alike, every neuron once an epoch",
    )
    morphometrics: bool = Field(
        False,
        description="join the measurements of each neuron to its picture; one checkpoint then gives vectors of the "
        "picture alone and joined ones. The largest single gain for fine classes, where neurons are measured alike",
    )
    morphometric_names: list[str] | None = Field(
        None,
        description="which measurements --morphometrics joins; by default those that tell neither of tracing nor of "
        "the types that a tracer gave: thickness and sampling differ between laboratories more than between cells",
    )
    morphometrics_dropout: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="share of training steps without them, so that the picture alone stays good",
        json_schema_extra=SAFE,
    )
    freeze_encoder: bool = Field(
        False,
        description="train the projections only, on vectors of the Stage 1 encoder that are computed once; the right "
        "choice for a few thousand neurons",
    )
    encoder_lr_mult: float = Field(
        0.1,
        ge=0,
        description="learning rate of the encoder as a multiple of lr, when it is not frozen",
        json_schema_extra=SAFE,
    )
    lambda_clip: float = Field(1.0, gt=0, description="weight of the contrastive loss", json_schema_extra=SAFE)
    lambda_kld: float = Field(
        0.0,
        ge=0,
        description="weight of the KL divergence of the fine-tuned encoder's posterior from that of Stage 1, in nats "
        "per pixel; keeps it from drifting away, at the cost of another forward pass",
        json_schema_extra=SAFE,
    )
    views_per_neuron: int | None = Field(
        None,
        ge=1,
        description="views of each neuron in a step, drawn at random and pooled; by default 6 with a frozen encoder, "
        "else 1 (each costs memory)",
        json_schema_extra=SAFE,
    )

    @property
    def views_per_step(self) -> int:
        """Views of each neuron in a step."""
        if self.views_per_neuron is not None:
            return self.views_per_neuron
        return 6 if self.freeze_encoder else 1

    @model_validator(mode="after")
    def _fits_together(self) -> ClipSettings:
        if self.freeze_encoder and self.lambda_kld > 0:
            raise ValueError("lambda_kld holds back an encoder that is trained; leave out freeze_encoder or lambda_kld")
        if self.morphometric_names is not None:
            from axonet.inference.morphometrics import check_names

            if not self.morphometrics:
                raise ValueError("morphometric_names says which ones morphometrics joins: give both")
            check_names(self.morphometric_names)
        return self
