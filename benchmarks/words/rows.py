"""The trainings that are compared: each differs in one thing from the first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from axonet.core.config import setting_values
from axonet.core.files import short_hash
from axonet.learning.clip_settings import ClipSettings
from axonet.metadata.claims import LEVELS

BASE: dict[str, Any] = {
    "text_encoder": "minilm",
    "freeze_encoder": True,
    "morphometrics": True,
    "learnable_temperature": True,
    "clip_embed_dim": 64,
    "max_epochs": 12,
    "lr": 1e-3,
    "lr_warmup_steps": 20,
    "num_workers": 0,
    "accelerator": "cpu",
}


@dataclass(frozen=True)
class Row:
    """One training.

    Attributes:
        changes: settings that differ from ``BASE``.
        inputs: what the Stage 1 encoder sees: ``silhouette`` or ``shape``.
        shuffled: every neuron is given the words of another.
        constant: all pictures are the same.
    """

    changes: dict[str, Any] = field(default_factory=dict)
    inputs: str = "silhouette"
    shuffled: bool = False
    constant: bool = False

    def settings(self, seed: int) -> ClipSettings:
        """Of the training."""
        return ClipSettings.model_validate(BASE | {"seed": seed} | self.changes)

    def key(self, seed: int) -> str:
        """Changes with anything that the figures depend on."""
        return short_hash([setting_values(self.settings(seed)), self.inputs, self.shuffled, self.constant], 10)


SHAPE = "shape"
IMAGE_ALONE: dict[str, Any] = {"morphometrics": False}
MAIN: dict[str, Row] = {
    "default": Row(),
    "masks, depth and zoom as input": Row(inputs=SHAPE),
    "morphometrics alone": Row({"morphometrics_dropout": 0.0}, constant=True),
    "captions shuffled": Row(IMAGE_ALONE, shuffled=True),
    "constant picture": Row(IMAGE_ALONE, constant=True),
    "untrained projections": Row({**IMAGE_ALONE, "max_steps": 1, "lr": 1e-12}),
}
CHOICES: dict[str, Row] = {
    "default": Row(),
    "loss masked": Row({"loss": "masked"}),
    "loss infonce": Row({"loss": "infonce"}),
    "loss siglip": Row({"loss": "siglip"}),
    "batches uniform": Row({"batches": "uniform"}),
    "never joined": Row(IMAGE_ALONE),
    "1 view a step": Row({"views_per_neuron": 1}),
    "3 views a step": Row({"views_per_neuron": 3}),
    **{f"no {level} captions": Row({"caption_levels": [own for own in LEVELS if own != level]}) for level in LEVELS},
    "standard captions alone": Row({"caption_levels": ["standard"]}),
    "hashed words": Row({"text_encoder": "hash:384"}),
}
UNSEEN_LABS: dict[str, Row] = {
    "default": Row(inputs=SHAPE),
    "batches uniform": Row({"batches": "uniform"}, SHAPE),
    **{f"loss {loss}": Row({"loss": loss}, SHAPE) for loss in ("masked", "infonce", "siglip")},
    "morphometrics alone": Row({"morphometrics_dropout": 0.0}, SHAPE, constant=True),
    "captions shuffled": Row(IMAGE_ALONE, SHAPE, shuffled=True),
}


@dataclass(frozen=True)
class Comparison:
    """Rows on the same folds.

    Attributes:
        scheme: what is held out.
        folds: which of the folds are judged.
        rows: the trainings by name; the first is what the others are compared with.
    """

    scheme: str
    folds: tuple[int, ...]
    rows: dict[str, Row]


PARTS: dict[str, Comparison] = {
    "main": Comparison("donors", (0, 1, 2), MAIN),
    "labs": Comparison("labs", (0, 1, 2), UNSEEN_LABS),
    "choices": Comparison("donors", (1,), CHOICES),
}
