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
        description="neurons per step; larger (128) makes the contrast harder and the gradient calmer",
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
        description="frozen text encoder: a hub id, a local folder, minilm (comes with a package, works offline) or "
        "hash:384 (hashed words, works offline)",
    )
    loss: Literal["entail", "masked", "infonce", "siglip"] = Field(
        "entail",
        description="what captions of other neurons are: entail counts those that are true of a neuron as right, "
        "masked leaves them out, infonce counts all as wrong, siglip asks about each pair by itself",
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
    lambda_clip: float = Field(1.0, ge=0, description="weight of the contrastive loss", json_schema_extra=SAFE)
    lambda_kld: float = Field(
        0.0,
        ge=0,
        description="weight of the KL divergence of the fine-tuned encoder's posterior from the prior of Stage 1, in "
        "nats per pixel; keeps it from drifting away",
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
        if self.lambda_clip == 0 and self.lambda_kld == 0:
            raise ValueError("lambda_clip and lambda_kld are both 0: there is nothing to learn")
        return self
