"""AdamW and its schedule, the same for both stages."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from torch import nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from axonet.learning.schedules import lr_factor
from axonet.learning.settings import FitSettings

BETAS = (0.9, 0.98)


def decay_groups(modules: nn.Module, lr: float, weight_decay: float) -> list[dict[str, Any]]:
    """Parameter groups: matrices and kernels decay; biases, norms and other one-dimensional parameters do not."""
    trained = [parameter for parameter in modules.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "lr": lr, "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "lr": lr, "weight_decay": 0.0},
    ]


def adamw(module: LightningModule, settings: FitSettings) -> AdamW:
    """AdamW over everything in a module that is trained; fused on GPUs."""
    groups = decay_groups(module, settings.lr, settings.weight_decay)
    # The fused kernel unscales fp16 gradients itself, which leaves nothing for clipping to look at.
    fused = module.device.type == "cuda" and not (
        settings.gradient_clip_val > 0 and module.trainer.precision == "16-mixed"
    )
    return AdamW([group for group in groups if group["params"]], betas=BETAS, fused=fused)


def scheduled(optimizer: Optimizer, settings: FitSettings, n_steps: int) -> dict[str, Any]:
    """The optimizer with its schedule per step, as Lightning takes it."""
    schedule = LambdaLR(
        optimizer, lambda step: lr_factor(step, n_steps, settings.lr_warmup_steps, settings.lr_scheduler)
    )
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def apply_settings_after_resume(trainer: Trainer, module: LightningModule) -> None:
    """What a resume restores is the old run's learning rate and decay; take those that the settings name now."""
    fresh = module.configure_optimizers()["optimizer"].param_groups  # type: ignore[index, call-overload, union-attr]
    schedule = trainer.lr_scheduler_configs[0].scheduler
    assert isinstance(schedule, LambdaLR)
    schedule.base_lrs = [group["initial_lr"] for group in fresh]
    factors = [function(schedule.last_epoch) for function in schedule.lr_lambdas]
    for group, new, factor in zip(trainer.optimizers[0].param_groups, fresh, factors, strict=True):
        rate = new["initial_lr"]
        group.update(initial_lr=rate, lr=rate * factor, weight_decay=new["weight_decay"])
