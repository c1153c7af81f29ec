"""Stage 2 as Lightning sees it: steps, losses, what is logged, and the optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW

from axonet.core.config import setting_values
from axonet.core.input_spec import InputSpec, MorphometricInput
from axonet.core.seeds import rng, stable_seed
from axonet.inference.abstention import Abstention
from axonet.inference.inputs import apply_spec, fov_feature
from axonet.learning.clip_anchor import StageOnePosterior
from axonet.learning.clip_captions import NeuronCaptions, TextVectors
from axonet.learning.clip_data import ClipBatch
from axonet.learning.clip_settings import ClipSettings
from axonet.learning.clip_validation import LossBatch, ValidationWords
from axonet.learning.gather import gather_rows
from axonet.learning.optimizer import BETAS, decay_groups, scheduled
from axonet.learning.running_means import RunningMeans
from axonet.models.checkpoint import KEY, Checkpoint, build_seg_vae, fingerprint, make_checkpoint
from axonet.models.clip import ClipModel
from axonet.models.losses.contrastive import LOSSES
from axonet.models.seg_vae import SegVAE2D
from axonet.models.text import TextEncoder, model_digest
from axonet.models.text_training import TrainableText

FloatArray = npt.NDArray[np.float32]
IMAGE, JOINED = "image", "joined"
TEXTS_AT_ONCE = 256  # of a text encoder that is trained, in validation


@dataclass(frozen=True)
class ClipWords:
    """The language side of a training.

    Attributes:
        text: the text encoder.
        train: captions of the training neurons.
        val: fixed captions of the validation neurons; None without any.
    """

    text: TextEncoder
    train: NeuronCaptions
    val: ValidationWords | None


def new_clip_model(settings: ClipSettings, image_dim: int, text_dim: int, n_morphometrics: int = 0) -> ClipModel:
    """Untrained projections; their parameters depend on the settings alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stable_seed(settings.seed, "stage2", "init"))
        model = ClipModel(
            image_dim=image_dim,
            text_dim=text_dim,
            embed_dim=settings.clip_embed_dim,
            hidden=settings.hidden_dim,
            dropout=settings.dropout,
            temperature=settings.temperature,
            learnable_temperature=settings.learnable_temperature,
            n_morphometrics=n_morphometrics,
        )
    model.bias.requires_grad_(settings.loss == "siglip")  # the other losses have none
    return model


class ClipModule(LightningModule):
    """Trains the projections and, unless they are frozen, the Stage 1 encoder and the text encoder.

    Args:
        settings: everything that was set.
        stage1: the Stage 1 checkpoint.
        words: captions and the text encoder.
        n_steps: optimizer steps of the run, for the schedule.
        data: digests of what is learned from, carried in the checkpoint.
        morphometrics: what is joined to the pictures; none for pictures alone.
    """

    def __init__(
        self,
        settings: ClipSettings,
        stage1: Checkpoint,
        words: ClipWords,
        n_steps: int,
        data: dict[str, str],
        morphometrics: tuple[MorphometricInput, ...] = (),
    ) -> None:
        super().__init__()
        self.settings = settings
        spec = InputSpec.model_validate(stage1["input_spec"])
        self.spec = spec.model_copy(update={"morphometrics": morphometrics})
        self.words = words
        self.n_steps = n_steps
        self.data_digests = data
        self._stage1 = stage1
        self.seg_vae: SegVAE2D | None = None if settings.freeze_encoder else trainable_encoder(stage1)
        vector_size = build_seg_vae(stage1).vector_size
        self.model = new_clip_model(settings, vector_size, words.text.dim, len(morphometrics))
        self.trained_text = TrainableText(words.text) if settings.train_text_encoder else None
        self._frozen_text = TextVectors(words.text)
        self.means = RunningMeans()
        self._anchor = StageOnePosterior(self.seg_vae, stage1) if self.seg_vae and settings.lambda_kld > 0 else None
        self._pooled: dict[str, Tensor] = {}
        self._abstention: dict[str, Abstention | None] = {}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The embeddings that the model gives: of the image alone, and joined with morphometrics."""
        return (IMAGE, JOINED) if self.spec.morphometrics else (IMAGE,)

    def checkpoint(self) -> Checkpoint:
        """The model as a checkpoint dictionary, the Stage 1 network inside."""
        encoder = self._stage1["state"] if self.seg_vae is None else _detached(self.seg_vae)
        stage1 = {"architecture": self._stage1["architecture"], "state": encoder}
        text = self.words.text
        stored: dict[str, Any] = {"name": text.name, "digest": text.digest}
        if self.trained_text is not None:
            stored |= {"digest": model_digest(self.trained_text.model), "files": self.trained_text.files()}
        found = make_checkpoint(
            2,
            self.model.architecture,
            _detached(self.model),
            setting_values(self.settings),
            self.spec,
            captions=self.words.train.generator.to_json(),
            text_encoder=stored,
            stage1=stage1,
            data=self.data_digests,
            abstention={kind: None if a is None else a.to_json() for kind, a in self._abstention.items()},
        )
        # Vectors depend on all networks, and so must what names the model.
        parts = {"clip": found, "stage1": stage1}
        state = {f"{name}.{key}": value for name, part in parts.items() for key, value in part["state"].items()}
        architecture = {name: part["architecture"] for name, part in parts.items()} | {"text": stored["digest"]}
        return found | {"fingerprint": fingerprint(state, architecture, found["input_spec"])}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put our dictionary into Lightning's resumable file; the tensors are shared, so it costs no space."""
        checkpoint[KEY] = self.checkpoint()

    def configure_optimizers(self) -> Any:
        """AdamW; the encoders learn at their own multiples of the learning rate."""
        settings = self.settings
        groups = decay_groups(self.model, settings.lr, settings.weight_decay)
        if self.seg_vae is not None:
            groups += decay_groups(self.seg_vae, settings.lr * settings.encoder_lr_mult, settings.weight_decay)
        if self.trained_text is not None:
            groups += decay_groups(self.trained_text, settings.lr * settings.text_lr_mult, settings.weight_decay)
        optimizer = AdamW([group for group in groups if group["params"]], betas=BETAS)
        return scheduled(optimizer, settings, self.n_steps)

    def optimizer_step(self, *args: Any, **named: Any) -> None:
        """A step, after which the temperature is brought back into its range."""
        super().optimizer_step(*args, **named)
        self.model.clamp_scale()

    def on_train_batch_start(self, batch: ClipBatch, batch_idx: int) -> None:
        """Tie this batch's noise to its place in the run, so that a resumed run draws what an unbroken one would."""
        other = [self.global_rank] if self.global_rank else []
        torch.manual_seed(stable_seed(self.settings.seed, "stage2 noise", self.current_epoch, batch_idx, *other))

    def training_step(self, batch: ClipBatch, batch_idx: int) -> Tensor:
        """The loss of a batch of neurons, each with a caption of this epoch."""
        everyone, own = batch.everyone.tolist(), set(batch.neuron.tolist())
        captions = self.words.train.draw(everyone, self.current_epoch)
        true_of = torch.from_numpy(self.words.train.true_of(captions, everyone).copy())
        own_texts = [caption.text for caption, neuron in zip(captions, everyone, strict=True) if neuron in own]
        image = gather_rows(self._embed_neurons(batch, self._kind_of_step(batch_idx)), len(everyone))
        text = gather_rows(self._embed_texts(own_texts), len(everyone))
        clip = self._contrast(image, text, true_of.to(self.device))
        terms = {"clip_loss": clip, "loss": self.settings.lambda_clip * clip}
        if self._anchor is not None and batch.images is not None:
            images = batch.images
            height, width = self.spec.input_size
            terms["kld"] = self._anchor.drift(
                apply_spec(images, self.spec), fov_feature(images.fov_um, self.spec), height * width
            )
            terms["loss"] = terms["loss"] + self.settings.lambda_kld * terms["kld"]
        values = {f"train/{name}": value.detach() for name, value in terms.items()}
        values["train/temperature"] = 1 / self.model.scale.detach()
        self.means.add(values, len(everyone))
        return terms["loss"]

    def on_validation_epoch_start(self) -> None:
        """Nothing was seen yet."""
        assert self.words.val is not None
        size = (self.words.val.n_neurons, self.settings.clip_embed_dim)
        self._pooled = {kind: torch.zeros(size, device=self.device) for kind in self.kinds}

    def validation_step(self, batch: ClipBatch, batch_idx: int) -> None:
        """Add views to the vectors of their neurons."""
        for kind, total in self._pooled.items():
            total.index_add_(0, batch.neuron[batch.owner], self._embed_views(batch, kind).float())

    def on_validation_epoch_end(self) -> None:
        """Judge the neurons: does each find its caption, and its class?"""
        assert self.words.val is not None
        values: dict[str, float] = {}
        for kind, total in self._pooled.items():
            image = functional.normalize(total, dim=1)  # (n, d)
            found = self.words.val.judge(image.cpu().numpy(), self._texts_as_numpy)
            self._abstention[kind] = found.abstention
            ending = "" if kind == IMAGE else f"_{kind}"
            values |= {f"val/{name}{ending}": value for name, value in found.values.items()}
            losses = [float(self._loss_of(image, part)) * len(part.neuron) for part in self.words.val.loss_batches]
            values[f"val/loss{ending}"] = self.settings.lambda_clip * sum(losses) / len(image)
        self._pooled = {}
        # One checkpoint gives both embeddings, so both choose it.
        scores = [value for name, value in values.items() if name.startswith("val/score")]
        values |= {"val/score_image": values["val/score"], "val/score": sum(scores) / len(scores)}
        self.log_dict(values)

    def _kind_of_step(self, batch_idx: int) -> str:
        """Whether this step sees morphometrics: the same in all processes."""
        if not self.spec.morphometrics:
            return IMAGE
        stream = rng(self.settings.seed, "stage2 morphometrics", self.current_epoch, batch_idx)
        return IMAGE if stream.random() < self.settings.morphometrics_dropout else JOINED

    def _loss_of(self, image: Tensor, part: LossBatch) -> Tensor:
        own = image[torch.from_numpy(part.neuron).to(self.device)]
        true_of = torch.from_numpy(part.true_of.copy()).to(self.device)
        return self._contrast(own, torch.from_numpy(self._texts_as_numpy(part.texts)).to(self.device), true_of)

    def _contrast(self, image: Tensor, text: Tensor, true_of: Tensor) -> Tensor:
        # In 32 bits: the logits of a learned temperature are too large for half the precision.
        with torch.autocast(self.device.type, enabled=False):
            scale, bias = self.model.scale.float(), self.model.bias
            return LOSSES[self.settings.loss](image.float(), text.float(), true_of, scale, bias)

    def _embed_texts(self, texts: Sequence[str]) -> Tensor:
        """``(k, d)`` unit vectors of sentences."""
        if self.trained_text is not None:
            vectors = self.trained_text(texts)
        else:
            vectors = torch.from_numpy(self._frozen_text(texts)).to(self.device)
        with torch.autocast(self.device.type, enabled=False):
            return self.model.embed_text_vectors(vectors.float())

    @torch.no_grad()
    def _texts_as_numpy(self, texts: Sequence[str]) -> FloatArray:
        starts = range(0, len(texts), TEXTS_AT_ONCE)
        parts = [self._embed_texts(texts[start : start + TEXTS_AT_ONCE]).cpu().numpy() for start in starts]
        return np.concatenate(parts)

    def _embed_neurons(self, batch: ClipBatch, kind: str = IMAGE) -> Tensor:
        """``(b', d)`` unit vectors of neurons: the normalized mean over their views, as inference pools."""
        unit = self._embed_views(batch, kind)
        total = unit.new_zeros((len(batch.neuron), unit.shape[1])).index_add(0, batch.owner, unit)
        return functional.normalize(total, dim=1)

    def _embed_views(self, batch: ClipBatch, kind: str = IMAGE) -> Tensor:
        """``(v, d)`` unit vectors of views."""
        block = None
        if kind == JOINED:
            assert batch.morphometrics is not None
            block = batch.morphometrics[batch.owner]  # (v, 2 m)
        if batch.vectors is not None:
            return self.model.embed_pooled(batch.vectors, block)
        assert self.seg_vae is not None
        images = batch.images
        assert images is not None
        pooled = self.seg_vae.encode(apply_spec(images, self.spec), fov_feature(images.fov_um, self.spec))
        return self.model.embed_pooled(pooled.float(), block)


def trainable_encoder(stage1: Checkpoint) -> SegVAE2D:
    """The Stage 1 network with everything fixed that plays no part in its vectors."""
    network = build_seg_vae(stage1).train().requires_grad_(False)
    network.encoder.requires_grad_(True)
    network.generalized_mean.requires_grad_(True)
    return network


def _detached(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in module.state_dict().items()}
