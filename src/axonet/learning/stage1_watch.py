"""Warns in words when Stage 1 learns something else than it should."""

from __future__ import annotations

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from axonet.core.progress import warn
from axonet.learning.stage1_module import Stage1Module
from axonet.models.losses.kl import ACTIVE_NATS

EPOCHS_IN_A_ROW = 3


class Stage1Watch(Callback):
    """Says once that the latent space is not used, and which classes are never predicted."""

    def __init__(self) -> None:
        self._collapse_said = False
        self._missing: dict[str, int] = {}
        self._missing_said: set[str] = set()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at the epoch."""
        if not trainer.is_global_zero:
            return
        assert isinstance(pl_module, Stage1Module)
        for text in [*self._collapse(trainer, pl_module), *self._never_predicted(trainer, pl_module)]:
            warn(text)
            for logger in trainer.loggers:
                if isinstance(logger, TensorBoardLogger):
                    logger.experiment.add_text("warnings", text, trainer.global_step)

    def _collapse(self, trainer: Trainer, module: Stage1Module) -> list[str]:
        settings, metrics = module.settings, trainer.callback_metrics
        per_pixel = metrics.get("val/kl_latent", metrics.get("train/kl_latent"))
        weight = settings.kld_weight * settings.beta
        rising = trainer.global_step < settings.kl_warmup_steps
        if per_pixel is None or weight == 0 or rising or self._collapse_said:
            return []
        height, width = module.spec.input_size
        nats = float(per_pixel) * height * width / settings.latent_channels
        if nats >= ACTIVE_NATS:
            return []
        self._collapse_said = True
        return [
            f"the KL divergence has collapsed: a latent channel carries {nats:.2g} nats, so the embedding tells almost "
            f"nothing of a neuron; raise --free-nats (now {settings.free_nats:g}, try 0.1), lower --kld-weight (now "
            f"{settings.kld_weight:g}) or raise --kl-warmup-steps (now {settings.kl_warmup_steps})"
        ]

    def _never_predicted(self, trainer: Trainer, module: Stage1Module) -> list[str]:
        missing = module.measures.never_predicted
        self._missing = {name: self._missing.get(name, 0) + 1 for name in missing}
        last = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        said = [
            name
            for name, epochs in self._missing.items()
            if (epochs >= EPOCHS_IN_A_ROW or last) and name not in self._missing_said
        ]
        self._missing_said.update(said)
        return [
            f"no validation pixel is ever predicted as {name}, though there are such pixels: train longer, or try "
            "--seg-loss focal; is the class in the training data?"
            for name in said
        ]
