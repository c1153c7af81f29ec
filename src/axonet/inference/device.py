"""Which device to compute on."""

from __future__ import annotations

import torch

from axonet.core.errors import UserError


def torch_device(accelerator: str) -> str:
    """The torch device of an ``--accelerator``.

    Args:
        accelerator: ``auto``, ``cpu``, ``gpu`` or ``mps``.

    Raises:
        UserError: the machine has no such device.
    """
    available = {"gpu": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if accelerator == "auto":
        accelerator = next(name for name, here in available.items() if here)
    if not available[accelerator]:
        raise UserError(f"--accelerator {accelerator}: this machine has none that torch can use; try auto")
    return "cuda" if accelerator == "gpu" else accelerator
