"""Stage 1 as Lightning sees it: steps, losses, what is logged, and the optimizer."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from axonet.core.config import setting_values
from axonet.core.input_spec import InputSpec
from axonet.core.seeds import stable_seed
from axonet.inference.view_batch import ViewBatch
from axonet.learning.augmentation import augment
from axonet.learning.averaging import average_decay, update_average
from axonet.learning.finite import LossWatch
from axonet.learning.neuron_targets import NeuronTable, Targets
from axonet.learning.optimizer import adamw, scheduled
from axonet.learning.running_means import RunningMeans
from axonet.learning.schedules import kl_factor, total_steps
from axonet.learning.settings import Stage1Settings
from axonet.learning.stage1_inputs import Stage1Inputs, stage1_inputs
from axonet.learning.stage1_losses import Terms, contrast_terms, decoder_terms, kl_terms, vector_terms
from axonet.learning.stage1_validation import ValidationMeasures
from axonet.learning.views_dataset import Turn
from axonet.models.checkpoint import KEY, Checkpoint, stage1_checkpoint
from axonet.models.heads import Stage1Heads
from axonet.models.seg_vae import LATENT, SegVAE2D, SegVAEOutput, auto_levels

_WEIGHTED = ("charge", "decoded", "described", "compared")


def new_seg_vae(settings: Stage1Settings, spec: InputSpec) -> SegVAE2D:
    """An untrained network; its parameters depend on the settings alone, not on what was drawn before."""
    if settings.levels is None:
        levels = auto_levels(*(-(-side // settings.patch) for side in spec.input_size)) + 1  # 2 x 2 for square views
    else:
        levels = settings.levels
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stable_seed(settings.seed, "stage1", "init"))
        return SegVAE2D(
            levels=levels,
            base_channels=settings.base_channels,
            latent_channels=settings.latent_channels,
            num_classes=settings.num_classes,
            skip_mode=settings.skip_mode,
            max_channels=settings.max_channels,
            skip_channels=settings.skip_channels,
            skip_dropout=settings.skip_dropout,
            in_channels=spec.n_channels,
            zoom=spec.zoom,
            decoder=spec.inputs == "silhouette",
            patch=settings.patch,
            pool_levels=settings.pool_levels,
        )


def new_heads(settings: Stage1Settings, vector_size: int, n_measures: int, *, contrast: bool) -> Stage1Heads:
    """Untrained heads; their parameters depend on the settings alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stable_seed(settings.seed, "stage1", "heads"))
        return Stage1Heads(vector_size, n_measures, contrast=contrast)


class Stage1Module(LightningModule):
    """Trains a SegVAE2D.

    Args:
        settings: everything that was set.
        spec: the input specification, complete with image size and statistics of the field of view.
        n_batches: training batches of an epoch over all processes, for the schedule.
        data: digests of the views, carried in the checkpoint.
        targets: which measurements are predicted from the neuron vector.
        tables: neurons and targets of the rows of ``train`` and ``val``; without them nothing hangs on the vector.

    Attributes:
        compares: whether batches hold several views of each neuron, which are then told from those of others.
        turn: what a batch counts in its optimizer step; see :meth:`PlannedLoader.turn`.
        means: of what a training epoch logs.
        watch: sees losses that are no numbers.
    """

    def __init__(
        self,
        settings: Stage1Settings,
        spec: InputSpec,
        n_batches: int,
        data: dict[str, str] | None = None,
        *,
        targets: Targets | None = None,
        tables: Mapping[str, NeuronTable] | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.spec = spec
        self.n_batches = n_batches
        self.data_digests = data or {}
        self.model: SegVAE2D = new_seg_vae(settings, spec).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.train_table, self.val_table = ((tables or {}).get(split) for split in ("train", "val"))
        names = targets.names if targets is not None else []
        # Whether a batch holds views to compare may change when a run goes on; the parameters may not.
        contrast = settings.lambda_contrast > 0 and self.train_table is not None
        self.heads = new_heads(settings, self.model.vector_size, len(names), contrast=contrast)
        # Without heads the vector is read from a trained bottleneck, and no loss reaches the pooling's exponent.
        self.model.generalized_mean.requires_grad_(bool(names) or contrast)
        self.compares = True
        self.average: SegVAE2D | None = None
        self.average_heads: Stage1Heads | None = None
        if settings.ema_decay > 0:
            self.average = copy.deepcopy(self.model).requires_grad_(False)
            self.average_heads = copy.deepcopy(self.heads).requires_grad_(False)
        if settings.compile:
            self.model.compile()
        self.measures = ValidationMeasures(names)
        self.watch = LossWatch()
        self.means = RunningMeans()
        self.turn: Callable[[int], Turn] = lambda batch_idx: Turn()

    @property
    def result(self) -> SegVAE2D:
        """The network that is validated and saved: the average of the weights where there is one."""
        return self.model if self.average is None else self.average

    def checkpoint(self) -> Checkpoint:
        """The model as a checkpoint dictionary."""
        return stage1_checkpoint(self.result, setting_values(self.settings), self.spec) | {"data": self.data_digests}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put our dictionary into Lightning's resumable file; the tensors are shared, so it costs no space."""
        self.watch.finish()  # weights that are lost replace no others
        checkpoint[KEY] = self.checkpoint()

    def configure_optimizers(self) -> Any:
        """AdamW with the schedule of the settings."""
        settings, n_batches = self.settings, math.ceil(self.n_batches / self.trainer.world_size)
        n_steps = total_steps(n_batches, settings.gradient_accumulation_steps, settings.max_epochs, settings.max_steps)
        return scheduled(adamw(self, settings), settings, n_steps)

    def on_train_batch_start(self, batch: ViewBatch, batch_idx: int) -> None:
        """Tie this batch's noise to its place in the run, so that a resumed run draws what an unbroken one would."""
        torch.manual_seed(stable_seed(self.settings.seed, "noise", self.current_epoch, batch_idx, self.global_rank))

    def training_step(self, batch: ViewBatch, batch_idx: int) -> Tensor:
        """The loss of a batch."""
        settings, every = self.settings, self.settings.decode_every
        inputs = augment(stage1_inputs(batch, self.spec), self.spec, settings)
        output = self._forward(self.model, inputs, every)
        terms = self._terms(output, inputs.every(every))
        turn = self.turn(batch_idx)
        if self.train_table is not None:
            neuron, target = self.train_table(batch.row)
            terms |= vector_terms(output.vector, self.heads, target, settings)
            if not self.compares:  # each view as of a neuron of its own: the head is there, and nothing pulls at it
                neuron = torch.arange(len(neuron), device=neuron.device)
            terms |= contrast_terms(output.vector, self.heads, neuron, settings, turn.sizes if self.compares else ())
        self.means.add(_logged("train", terms), len(batch.row) if turn.share > 0 else 0)
        own = _rest(terms) + kl_factor(self.global_step, settings.kl_warmup_steps) * terms["charge"]
        loss = turn.share * own + turn.share_together * terms.get("compared", own.new_zeros(()))
        place = f"epoch {self.current_epoch + 1}, batch {batch_idx + 1}"
        self.watch.look(loss, _sound(inputs, output), batch.row, place)
        return loss

    def on_train_epoch_end(self) -> None:
        """See that no loss is left unseen."""
        self.watch.finish()

    def validation_step(self, batch: ViewBatch, batch_idx: int) -> None:
        """Losses and counts of a batch, with posterior means and without augmentation."""
        inputs = stage1_inputs(batch, self.spec)
        output = self._forward(self.result, inputs)
        terms = self._terms(output, inputs)
        heads = self.heads if self.average_heads is None else self.average_heads
        if self.val_table is not None:
            _, target = self.val_table(batch.row)
            terms |= vector_terms(output.vector, heads, target, self.settings)
            if heads.morphometrics is not None:
                self.measures.add_predicted(heads.morphometrics(output.vector), target)
        values = _logged("val", terms)
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=len(batch.row), sync_dist=True)
        self.measures.add(output, inputs)

    def on_validation_epoch_end(self) -> None:
        """Metrics of the whole validation set."""
        self.log_dict(self.measures.values(self.trainer.strategy), sync_dist=True)

    def optimizer_step(self, *args: Any, **named: Any) -> None:
        """Change the weights, and let their average follow."""
        super().optimizer_step(*args, **named)
        if self.average is not None:
            assert self.average_heads is not None
            kept = average_decay(self.global_step, self.settings.ema_decay)
            update_average(self.average, self.model, kept)
            update_average(self.average_heads, self.heads, kept)

    def _forward(self, model: SegVAE2D, inputs: Stage1Inputs, decode_every: int = 1) -> SegVAEOutput:
        image = inputs.network_input.contiguous(memory_format=torch.channels_last)
        output: SegVAEOutput = model(image, inputs.fov, decode_every)
        return output

    def _terms(self, output: SegVAEOutput, decoded: Stage1Inputs) -> Terms:
        n_pixels = decoded.silhouette[0, 0].numel()
        return kl_terms(output, n_pixels, self.settings) | decoder_terms(output, decoded, self.settings)


def _logged(stage: str, terms: Terms) -> dict[str, Tensor]:
    """Loss and terms by the names under which they are logged.

    The loss is at the full KL weight, so that a warm-up does not make the first epochs look best.
    """
    total = _rest(terms) + terms["charge"] + terms.get("compared", 0)
    values = {f"{stage}/loss": total.detach()}
    return values | {f"{stage}/{key}": value.detach() for key, value in terms.items() if key not in _WEIGHTED}


def _rest(terms: Terms) -> Tensor:
    """The loss of this process's views without what the posteriors are charged."""
    parts = [terms[name] for name in ("decoded", "described") if name in terms]
    return torch.stack(parts).sum() if parts else torch.zeros_like(terms["charge"])


def _sound(inputs: Stage1Inputs, output: SegVAEOutput) -> Tensor:
    """``(b,)`` bool: neither an image's depth nor its latent map holds anything that is not a finite number."""
    depth = torch.where(inputs.has_depth, inputs.depth, 0.0).sum(dim=(1, 2, 3))
    latent = output.posteriors[LATENT].mean.detach().float().sum(dim=(1, 2, 3))
    return torch.isfinite(depth) & torch.isfinite(latent)
