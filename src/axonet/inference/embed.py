"""A trained model as one object: neurons and sentences to unit vectors of one space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from axonet.core.config import load_settings
from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.datasets.shards import ViewImages
from axonet.datasets.view_store import ViewStore
from axonet.inference.encode import FloatArray, build_view_encoder, encode_batches, encode_store
from axonet.inference.inputs import warn_of_scale
from axonet.inference.morphometrics import Measures, morphometric_features
from axonet.inference.pool import pool_poses
from axonet.inference.shipped import checkpoint_path
from axonet.inference.vectors import ViewVectors
from axonet.inference.view_batch import ViewBatch
from axonet.models.checkpoint import Checkpoint, load_checkpoint
from axonet.models.text import TextEncoder, check_digest, load_text_encoder
from axonet.models.text_training import restore_text_encoder
from axonet.morphology.neuron import Neuron
from axonet.morphology.swc import read_swc
from axonet.rendering.render import render_neuron
from axonet.rendering.settings import RenderSettings
from axonet.rendering.view import View


def load_model(
    path: str | PathLike[str],
    device: str = "cpu",
    text_encoder: str | None = None,
    *,
    merge_dendrites: bool = False,
) -> EmbeddingModel:
    """Load a Stage 2 checkpoint; nothing else is needed but its text encoder.

    Args:
        path: ``best.ckpt`` or ``last.ckpt`` of Stage 2, or the name of a model that comes with axonet.
        device: torch device.
        text_encoder: where the text encoder is now, when its name in the checkpoint no longer leads there; it must
            be the same one.
        merge_dendrites: show basal and apical dendrites as one, to a model that sees types.

    Raises:
        UserError: no such file, not a Stage 2 checkpoint, or a model by name: this version ships none.
    """
    return EmbeddingModel(
        load_checkpoint(checkpoint_path(path), 2), device, text_encoder, merge_dendrites=merge_dendrites
    )


class EmbeddingModel:
    """Embeds SWC files, views and sentences.

    Args:
        checkpoint: a loaded Stage 2 checkpoint.
        device: torch device.
        text_encoder: name that replaces the checkpoint's.
        merge_dendrites: show basal and apical dendrites as one, to a model that sees types.

    Attributes:
        spec: how neurons are rendered.
        dim: length of the vectors.
        fingerprint: of the checkpoint.
        captions: the caption bins as JSON data.
        takes_morphometrics: whether it was trained with morphometrics; neurons are then embedded with theirs.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "cpu",
        text_encoder: str | None = None,
        *,
        merge_dendrites: bool = False,
    ) -> None:
        self.encoder = build_view_encoder(checkpoint, merge_dendrites=merge_dendrites).to(device)
        self.spec: InputSpec = self.encoder.spec
        self.dim = self.encoder.dim
        self.fingerprint = self.encoder.fingerprint
        self.captions = checkpoint["captions"]
        self.takes_morphometrics = bool(self.spec.morphometrics)
        self._stored_text: dict[str, Any] = checkpoint["text_encoder"]
        if text_encoder is not None and "files" in self._stored_text:
            raise UserError(f"text encoder {text_encoder!r}: not needed, the checkpoint carries its own, trained one")
        self._text_place = text_encoder or self._stored_text["name"]
        self._text: TextEncoder | None = None
        self._device = device

    def embed(self, neurons: Sequence[Neuron | str | PathLike[str]], image_only: bool = False) -> FloatArray:
        """Unit vectors of neurons or SWC files, the views of each pooled, ``(n, dim)`` float32.

        Args:
            neurons: neurons, or paths of SWC files with lengths in um, in any mixture.
            image_only: leave out the neurons' morphometrics, if the model takes them.

        Raises:
            SWCError: a file is no reconstruction; ``code`` says why.
            RenderError: a neuron cannot be drawn.
        """
        if isinstance(neurons, str | PathLike) or not hasattr(neurons, "__iter__"):
            raise UserError(f"embed takes a list of neurons or of SWC files, not one alone: {neurons!r}")
        vectors = [
            self._embed_neuron(neuron if isinstance(neuron, Neuron) else read_swc(neuron), image_only)
            for neuron in neurons
        ]
        return np.stack(vectors) if vectors else np.zeros((0, self.dim), np.float32)

    def embed_swc(self, paths: Sequence[str | PathLike[str]], image_only: bool = False) -> FloatArray:
        """Unit vectors of SWC files: :meth:`embed` by the name that says so."""
        if isinstance(paths, str | PathLike):
            raise UserError(f"embed_swc takes a list of files: embed_swc([{str(paths)!r}])")
        return self.embed(paths, image_only)

    def embed_views(
        self,
        store: ViewStore,
        batch_size: int = 64,
        workers: int = 0,
        measures: Mapping[str, Measures] | None = None,
    ) -> ViewVectors:
        """Unit vectors of rendered views, one per view; joined ones too, given measurements by neuron id.

        Raises:
            UserError: they were rendered otherwise than the model's training views.
        """
        return encode_store(self.encoder, store, batch_size, workers, measures)

    def embed_text(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors of sentences, ``(n, dim)`` float32.

        Raises:
            UserError: the text encoder cannot be loaded, or is not the one that the model was trained with.
        """
        if isinstance(texts, str):
            raise UserError(f"embed_text takes a list of sentences: embed_text([{texts!r}])")
        clip = self.encoder.clip
        assert clip is not None
        vectors = torch.from_numpy(self.text_encoder.encode(list(texts)))
        with torch.inference_mode():
            found: FloatArray = clip.embed_text_vectors(vectors.to(self._device)).cpu().numpy()
        return found

    @property
    def text_encoder(self) -> TextEncoder:
        """The text encoder, loaded when it is first needed."""
        if self._text is None:
            stored = self._stored_text
            if "files" in stored:
                self._text = restore_text_encoder(stored["name"], stored["files"], self._device)
            else:
                encoder = load_text_encoder(self._text_place, self._device)
                check_digest(encoder, stored["name"], stored["digest"])
                self._text = encoder
        return self._text

    def embed_drawn(self, views: Sequence[View], neuron: Neuron | None = None) -> FloatArray:
        """A unit vector for each view of one neuron, ``(n, dim)`` float32.

        Args:
            views: drawn with :func:`render_settings` of the model.
            neuron: gives its morphometrics, for a model that takes them; without it the pictures stand alone.
        """
        if not views:
            return np.zeros((0, self.dim), np.float32)
        block = None
        if self.takes_morphometrics and neuron is not None:
            measured = {**neuron.morphometrics(), "warnings": neuron.warnings}
            block = np.repeat(morphometric_features([measured], self.spec.morphometrics), len(views), axis=0)
        batch = batch_of_views(views, render_settings(self.spec).depth_bits)
        warn_of_scale(self.spec, np.asarray(batch.fov_um, dtype=np.float64))
        return encode_batches(self.encoder, [batch], morphometrics=block)[:, -self.dim :]

    def _embed_neuron(self, neuron: Neuron, image_only: bool) -> FloatArray:
        views = render_neuron(neuron, render_settings(self.spec))
        vectors = self.embed_drawn(views, None if image_only else neuron)
        pooled: FloatArray = pool_poses(vectors, [neuron.name] * len(views), "mean").vectors[0]
        return pooled


def batch_of_views(views: Sequence[View], depth_bits: Literal[8, 16] = 8) -> ViewBatch:
    """Rendered views as they would be read again after storing them.

    Args:
        views: of one size, all with the window around the soma or all without.
        depth_bits: bits of a stored depth.
    """
    return _batch(
        masks=[view.mask for view in views],
        depths=[view.depth_image(depth_bits) for view in views],
        near_um=[view.near_um for view in views],
        far_um=[view.far_um for view in views],
        fov_um=[view.camera.um_per_px * view.camera.width for view in views],
        zooms=[view.zoom_bw for view in views if view.zoom_bw is not None],
    )


def batch_of_images(images: Sequence[ViewImages]) -> ViewBatch:
    """Views that were made small to be stored, without storing them.

    Args:
        images: of one size, all with the window around the soma or all without.
    """
    return _batch(
        masks=[image.mask for image in images],
        depths=[image.depth for image in images],
        near_um=[image.row["near_um"] for image in images],
        far_um=[image.row["far_um"] for image in images],
        fov_um=[image.row["um_per_px"] * image.row["width"] for image in images],
        zooms=[image.zoom for image in images if image.zoom is not None],
    )


def _batch(
    masks: Sequence[npt.NDArray[np.uint8]],
    depths: Sequence[npt.NDArray[Any]],
    near_um: Sequence[float],
    far_um: Sequence[float],
    fov_um: Sequence[float],
    zooms: Sequence[npt.NDArray[np.uint8]],
) -> ViewBatch:
    return ViewBatch(
        row=torch.arange(len(masks)),
        mask=torch.from_numpy(np.stack(masks)),
        depth=torch.from_numpy(np.stack(depths)),
        near_um=torch.tensor(near_um, dtype=torch.float32),
        far_um=torch.tensor(far_um, dtype=torch.float32),
        fov_um=torch.tensor(fov_um, dtype=torch.float32),
        zoom=torch.from_numpy(np.stack(zooms)) if zooms else None,
    )


def render_settings(spec: InputSpec) -> RenderSettings:
    """The settings that draw a neuron as the model's training views were drawn."""
    names = RenderSettings.model_fields.keys() & InputSpec.model_fields.keys()
    values = {name: getattr(spec, name) for name in sorted(names)}
    if not spec.zoom:  # rendered for others to see
        values["zoom_um"] = None
    # A view that shows little of a neuron is still the best there is of it here: nothing is set aside.
    return load_settings(RenderSettings, {**values, "seed": spec.view_seed, "min_qc": 0.0}, "input specification")
