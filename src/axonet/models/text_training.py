"""A text encoder that is trained together with the projections, and that a checkpoint therefore carries."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from axonet.core.errors import UserError
from axonet.models.text import SentenceTextEncoder, TextEncoder, load_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Files = dict[str, Tensor]


class TrainableText(nn.Module):
    """Sentences to unit vectors, with gradient.

    Args:
        encoder: a language model; what of it does not enter the vectors stays fixed.

    Raises:
        UserError: the encoder has no weights.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        if not isinstance(encoder, SentenceTextEncoder):
            raise UserError(
                f"--train-text-encoder: text encoder {encoder.name!r} has no weights to train; choose minilm, a local "
                "folder or a hub id, or leave it out"
            )
        self.name = encoder.name
        self.dim = encoder.dim
        self.model: SentenceTransformer = encoder.model.requires_grad_(True).train()
        self._fix_what_plays_no_part()

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors of the texts, ``(n, dim)``."""
        features = self.model.preprocess(list(texts))
        place = next(self.model.parameters()).device
        on_device = {key: value.to(place) if isinstance(value, Tensor) else value for key, value in features.items()}
        return F.normalize(self.model(on_device)["sentence_embedding"], dim=-1)

    def _fix_what_plays_no_part(self) -> None:
        """Weights that no vector depends on (an unused pooling layer) get no gradient, which DDP would wait for."""
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        gradients = torch.autograd.grad(self(["a neuron"]).sum(), trained, allow_unused=True)
        for parameter, gradient in zip(trained, gradients, strict=True):
            parameter.requires_grad_(gradient is not None)

    def files(self) -> Files:
        """All files of the model, weights, words and settings, as ``{path: (n,) uint8}``: what a checkpoint carries."""
        with tempfile.TemporaryDirectory() as folder:
            self.model.save(folder, create_model_card=False)
            found = {str(path.relative_to(folder)): path for path in sorted(Path(folder).rglob("*")) if path.is_file()}
            return {name: torch.from_numpy(np.fromfile(path, np.uint8)) for name, path in found.items()}


def restore_text_encoder(name: str, files: Mapping[str, Tensor], device: str = "cpu") -> SentenceTextEncoder:
    """The text encoder that a checkpoint carries.

    Args:
        name: what it was before it was trained, for messages.
        files: of :meth:`TrainableText.files`.
        device: torch device.

    Raises:
        UserError: sentence-transformers is not installed, or the files hold no model.
    """
    with tempfile.TemporaryDirectory() as folder:
        for relative, content in files.items():
            path = Path(folder, relative)
            if not path.resolve().is_relative_to(Path(folder).resolve()):
                raise UserError(f"text encoder {name!r}: the checkpoint names a file outside of it, {relative!r}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.numpy().tobytes())
        return SentenceTextEncoder(name, load_folder(name, Path(folder), device))
