"""Checkpoints: one plain dictionary that says everything about a model, so that nothing is guessed from shapes."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping
from os import PathLike
from typing import Any

import torch
from torch import Tensor

from axonet.core.errors import UserError
from axonet.core.files import atomic_path, to_json
from axonet.core.input_spec import InputSpec
from axonet.models.seg_vae import SegVAE2D
from axonet.morphology.compartments import CLASS_NAMES
from axonet.version import __version__

FORMAT = 1
KEY = "axonet_checkpoint"
STAGES = {1: "Stage 1 (SegVAE2D)", 2: "Stage 2 (CLIP)"}

Checkpoint = dict[str, Any]


def make_checkpoint(
    stage: int,
    architecture: Mapping[str, Any],
    state: Mapping[str, Tensor],
    config: Mapping[str, Any],
    spec: InputSpec,
    **more: Any,
) -> Checkpoint:
    """Put together the dictionary that a checkpoint file holds.

    Args:
        stage: 1 or 2.
        architecture: the constructor's arguments.
        state: the model's parameters and buffers.
        config: the settings it was trained with, as plain JSON data.
        spec: what its input images must look like.
        more: what only this stage has, e.g. caption bins.
    """
    spec_values = spec.model_dump(mode="json")
    return {
        "format": FORMAT,
        "stage": stage,
        "axonet": __version__,
        "config": dict(config),
        "input_spec": spec_values,
        "class_names": list(CLASS_NAMES),
        "architecture": dict(architecture),
        "state": dict(state),
        "fingerprint": fingerprint(state, architecture, spec_values),
        **more,
    }


def stage1_checkpoint(model: SegVAE2D, config: Mapping[str, Any], spec: InputSpec) -> Checkpoint:
    """The checkpoint dictionary of a trained SegVAE2D."""
    state = {name: value.detach() for name, value in model.state_dict().items()}
    return make_checkpoint(1, model.architecture, state, config, spec)


def fingerprint(state: Mapping[str, Tensor], architecture: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits that change with any parameter, constructor argument or input property."""
    digest = hashlib.sha256(to_json({"architecture": dict(architecture), "input_spec": dict(spec)}).encode("utf-8"))
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def save_checkpoint(path: str | PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically; the same checkpoint gives the same bytes."""
    # Given a path, torch names the archive's records after it; given a file on a full disk, it dies in its own words.
    archive = io.BytesIO()
    torch.save(checkpoint, archive)
    with atomic_path(path) as temporary:
        temporary.write_bytes(archive.getbuffer())


def load_checkpoint(path: str | PathLike[str], stage: int | None = None) -> Checkpoint:
    """Read a checkpoint, be it ``best.ckpt`` or the resumable ``last.ckpt``; no code in the file is run.

    Args:
        path: the file.
        stage: the stage that is needed, None for any.

    Raises:
        UserError: the file is missing, is no checkpoint of axonet, or is of another stage or of a newer format.
    """
    content = read_torch_file(path)
    checkpoint = content.get(KEY, content)
    if not isinstance(checkpoint, dict) or not {"format", "stage", "architecture", "state"} <= checkpoint.keys():
        raise UserError(f"{path}: not a checkpoint of axonet")
    if checkpoint["format"] != FORMAT:
        raise UserError(f"{path}: checkpoint format {checkpoint['format']}, this axonet reads format {FORMAT}")
    found = checkpoint["stage"]
    if stage is not None and found != stage:
        raise UserError(f"{path}: a {STAGES.get(found, found)} checkpoint, but a {STAGES[stage]} checkpoint is needed")
    if (classes := checkpoint.get("class_names", list(CLASS_NAMES))) != list(CLASS_NAMES):
        raise UserError(
            f"{path}: trained with other mask classes ({', '.join(classes)}) than this axonet's "
            f"({', '.join(CLASS_NAMES)}); train it anew on views of this version"
        )
    return dict(checkpoint)


def read_torch_file(path: str | PathLike[str]) -> dict[str, Any]:
    """Read a file of ``torch.save`` that holds a dictionary of tensors and plain data.

    Raises:
        UserError: the file is missing or holds anything else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, not a checkpoint file") from None
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
    ):
        # Bytes that are no pickle lead the unpickler anywhere.
        raise UserError(f"{path}: not a checkpoint of axonet (damaged or another kind of file)") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: not a checkpoint of axonet")
    return content


def build_seg_vae(checkpoint: Checkpoint) -> SegVAE2D:
    """The SegVAE2D of a Stage 1 checkpoint, or the one inside a Stage 2 checkpoint, in evaluation mode.

    Raises:
        UserError: the parameters do not fit the architecture that the checkpoint names.
    """
    part = checkpoint if checkpoint["stage"] == 1 else checkpoint["stage1"]
    try:
        model = SegVAE2D(**part["architecture"])
        model.load_state_dict(part["state"])
    except (RuntimeError, TypeError) as error:
        brief = str(error).splitlines()[0]
        raise UserError(f"the checkpoint's parameters do not fit its architecture ({brief})") from error
    return model.eval()
