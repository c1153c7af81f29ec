"""Stage 2 as Lightning sees it: steps, losses, what is logged, and the optimizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW

from axonet.core.config import setting_values
from axonet.core.input_spec import InputSpec
from axonet.core.seeds import stable_seed
from axonet.inference.inputs import apply_spec, fov_feature
from axonet.learning.clip_captions import NeuronCaptions, TextVectors
from axonet.learning.clip_data import ClipBatch
from axonet.learning.clip_settings import ClipSettings
from axonet.learning.clip_validation import LossBatch, ValidationWords, mean_reciprocal_rank, weighted_over_levels
from axonet.learning.optimizer import BETAS, decay_groups, scheduled
from axonet.models.checkpoint import KEY, Checkpoint, build_seg_vae, fingerprint, make_checkpoint
from axonet.models.clip import ClipModel
from axonet.models.losses.contrastive import LOSSES
from axonet.models.losses.kl import kl_loss
from axonet.models.seg_vae import LATENT, SegVAE2D
from axonet.models.variational import Posterior


@dataclass(frozen=True)
class ClipWords:
    """The language side of a training.

    Attributes:
        text: the text encoder.
        train: captions of the training neurons.
        val: fixed captions of the validation neurons; None without any.
    """

    text: TextVectors
    train: NeuronCaptions
    val: ValidationWords | None


def new_clip_model(settings: ClipSettings, image_dim: int, text_dim: int) -> ClipModel:
    """Untrained projections; their parameters depend on the settings alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stable_seed(settings.seed, "stage2", "init"))
        return ClipModel(
            image_dim=image_dim,
            text_dim=text_dim,
            embed_dim=settings.clip_embed_dim,
            hidden=settings.hidden_dim,
            dropout=settings.dropout,
            temperature=settings.temperature,
            learnable_temperature=settings.learnable_temperature,
        )


class ClipModule(LightningModule):
    """Trains the projections and, unless it is frozen, the Stage 1 encoder.

    Args:
        settings: everything that was set.
        stage1: the Stage 1 checkpoint.
        words: captions and their vectors.
        n_steps: optimizer steps of the run, for the schedule.
        data: digests of what is learned from, carried in the checkpoint.
    """

    def __init__(
        self, settings: ClipSettings, stage1: Checkpoint, words: ClipWords, n_steps: int, data: dict[str, str]
    ) -> None:
        super().__init__()
        self.settings = settings
        self.spec = InputSpec.model_validate(stage1["input_spec"])
        self.words = words
        self.n_steps = n_steps
        self.data_digests = data
        self._stage1 = stage1
        self.seg_vae: SegVAE2D | None = None if settings.freeze_encoder else trainable_encoder(stage1)
        vector_size = build_seg_vae(stage1).vector_size
        self.model = new_clip_model(settings, vector_size, words.text.encoder.dim)
        self._posterior: Posterior | None = None
        if self.seg_vae is not None:
            self.seg_vae.encoder.latent.register_forward_hook(self._keep_posterior)
        self._pooled: Tensor | None = None

    def checkpoint(self) -> Checkpoint:
        """The model as a checkpoint dictionary, the Stage 1 network inside."""
        encoder = self._stage1["state"] if self.seg_vae is None else _detached(self.seg_vae)
        stage1 = {"architecture": self._stage1["architecture"], "state": encoder}
        text = self.words.text.encoder
        found = make_checkpoint(
            2,
            self.model.architecture,
            _detached(self.model),
            setting_values(self.settings),
            self.spec,
            captions=self.words.train.generator.to_json(),
            text_encoder={"name": text.name, "digest": text.digest},
            stage1=stage1,
            data=self.data_digests,
        )
        # Vectors depend on both networks, and so must what names the model.
        parts = {"clip": found, "stage1": stage1}
        state = {f"{name}.{key}": value for name, part in parts.items() for key, value in part["state"].items()}
        architecture = {name: part["architecture"] for name, part in parts.items()}
        return found | {"fingerprint": fingerprint(state, architecture, found["input_spec"])}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put our dictionary into Lightning's resumable file; the tensors are shared, so it costs no space."""
        checkpoint[KEY] = self.checkpoint()

    def configure_optimizers(self) -> Any:
        """AdamW; the encoder learns at its own multiple of the learning rate."""
        settings = self.settings
        groups = decay_groups(self.model, settings.lr, settings.weight_decay)
        if self.seg_vae is not None:
            groups += decay_groups(self.seg_vae, settings.lr * settings.encoder_lr_mult, settings.weight_decay)
        optimizer = AdamW([group for group in groups if group["params"]], betas=BETAS)
        return scheduled(optimizer, settings, self.n_steps)

    def optimizer_step(self, *args: Any, **named: Any) -> None:
        """A step, after which the temperature is brought back into its range."""
        super().optimizer_step(*args, **named)
        self.model.clamp_scale()

    def on_train_batch_start(self, batch: ClipBatch, batch_idx: int) -> None:
        """Tie this batch's noise to its place in the run, so that a resumed run draws what an unbroken one would."""
        torch.manual_seed(stable_seed(self.settings.seed, "stage2 noise", self.current_epoch, batch_idx))

    def training_step(self, batch: ClipBatch, batch_idx: int) -> Tensor:
        """The loss of a batch of neurons, each with a caption of this epoch."""
        chosen = batch.neuron.tolist()
        captions = self.words.train.draw(chosen, self.current_epoch)
        text = torch.from_numpy(self.words.text([caption.text for caption in captions]))
        true_of = torch.from_numpy(self.words.train.true_of(captions, chosen).copy())
        image = self._embed_neurons(batch)
        clip = self._contrast(image, text.to(self.device), true_of.to(self.device))
        terms = {"clip_loss": clip, "loss": self.settings.lambda_clip * clip}
        if self._posterior is not None and batch.images is not None:
            n_pixels = self.spec.input_size[0] * self.spec.input_size[1]
            terms["kld"], _ = kl_loss({LATENT: self._posterior}, n_pixels)
            terms["loss"] = terms["loss"] + self.settings.lambda_kld * terms["kld"]
        values = {f"train/{name}": value.detach() for name, value in terms.items()}
        values["train/temperature"] = 1 / self.model.scale.detach()
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=len(chosen))
        return terms["loss"]

    def validation_step(self, batch: ClipBatch, batch_idx: int) -> None:
        """Add views to the vectors of their neurons."""
        unit = self._embed_views(batch)  # (v, d)
        if self._pooled is None:
            assert self.words.val is not None
            self._pooled = unit.new_zeros((self.words.val.n_neurons, unit.shape[1]), dtype=torch.float32)
        self._pooled.index_add_(0, batch.neuron[batch.owner], unit.float())

    def on_validation_epoch_end(self) -> None:
        """Judge the neurons: does each find its caption?"""
        assert self._pooled is not None
        assert self.words.val is not None
        image = functional.normalize(self._pooled, dim=1)  # (n, d)
        self._pooled = None
        losses = [self._loss_of(image, part) * len(part.neuron) for part in self.words.val.loss_batches]
        values = {"val/loss": self.settings.lambda_clip * torch.stack(losses).sum() / len(image)}
        ranks = {}
        for level, candidates in self.words.val.candidates.items():
            text = self.model.embed_text_vectors(torch.from_numpy(candidates.vectors).to(self.device))
            ranks[level] = mean_reciprocal_rank(image.cpu().numpy(), text.float().cpu().numpy(), candidates.answer)
        values |= {f"val/mrr_{level}": torch.tensor(value) for level, value in ranks.items()}
        values["val/mrr"] = torch.tensor(weighted_over_levels(ranks))
        self.log_dict(values)

    def _loss_of(self, image: Tensor, part: LossBatch) -> Tensor:
        text, true_of = torch.from_numpy(part.vectors), torch.from_numpy(part.true_of.copy())
        own = image[torch.from_numpy(part.neuron).to(self.device)]
        return self._contrast(own, text.to(self.device), true_of.to(self.device))

    def _contrast(self, image: Tensor, text: Tensor, true_of: Tensor) -> Tensor:
        # In 32 bits: the logits of a learned temperature are too large for half the precision.
        with torch.autocast(self.device.type, enabled=False):
            projected = self.model.embed_text_vectors(text.float())
            return LOSSES[self.settings.loss](
                image.float(), projected, true_of, self.model.scale.float(), self.model.bias
            )

    def _embed_neurons(self, batch: ClipBatch) -> Tensor:
        """``(b, d)`` unit vectors of neurons: the normalized mean over their views, as inference pools."""
        unit = self._embed_views(batch)
        total = unit.new_zeros((len(batch.neuron), unit.shape[1])).index_add(0, batch.owner, unit)
        return functional.normalize(total, dim=1)

    def _embed_views(self, batch: ClipBatch) -> Tensor:
        """``(v, d)`` unit vectors of views."""
        if batch.vectors is not None:
            return self.model.embed_pooled(batch.vectors)
        assert self.seg_vae is not None
        images = batch.images
        assert images is not None
        pooled = self.seg_vae.encode(apply_spec(images, self.spec), fov_feature(images.fov_um, self.spec))
        return self.model.embed_pooled(pooled.float())

    def _keep_posterior(self, _module: Any, _inputs: Any, posterior: Posterior) -> None:
        self._posterior = posterior


def trainable_encoder(stage1: Checkpoint) -> SegVAE2D:
    """The Stage 1 network with everything fixed that plays no part in its vectors."""
    network = build_seg_vae(stage1).train().requires_grad_(False)
    network.encoder.requires_grad_(True)
    network.generalized_mean.requires_grad_(True)
    return network


def _detached(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in module.state_dict().items()}
