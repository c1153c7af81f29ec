"""A Stage 2 head on numbers alone, without pictures: what the words teach where no shape is seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.optim import AdamW

from axonet.core.seeds import rng, stable_seed
from axonet.learning.clip_captions import NeuronCaptions, TextVectors
from axonet.learning.clip_module import new_clip_model
from axonet.learning.clip_settings import ClipSettings
from axonet.learning.optimizer import BETAS, decay_groups
from axonet.models.clip import ClipModel
from axonet.models.losses.contrastive import LOSSES

FloatArray = npt.NDArray[np.float32]

PASSES, FEWEST_STEPS, MOST_STEPS = 40, 60, 600


def train_head(features: FloatArray, captions: NeuronCaptions, text: TextVectors, settings: ClipSettings) -> ClipModel:
    """Train the projections of Stage 2 on a vector a neuron.

    Forty passes over the neurons, between 60 and 600 steps, with the learning rate falling to zero along a cosine;
    the last state is kept, as there is nothing to choose it by.

    Args:
        features: ``(n, p)`` of the training neurons, missing values 0.
        captions: of the same neurons.
        text: vectors of texts.
        settings: loss, batch size, rates and width.
    """
    n, size = len(features), min(settings.batch_size, len(features))
    model = new_clip_model(settings, features.shape[1], text.encoder.dim)
    own = torch.from_numpy(np.ascontiguousarray(features, dtype=np.float32))
    model.image.standardize_on(own)
    model.bias.requires_grad_(settings.loss == "siglip")
    optimizer = AdamW(decay_groups(model, settings.lr, settings.weight_decay), betas=BETAS)
    n_steps = min(MOST_STEPS, max(FEWEST_STEPS, PASSES * n // size))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    stream = rng(settings.seed, "head", "batches")
    model.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stable_seed(settings.seed, "head", "noise"))
        for step in range(n_steps):
            chosen = stream.choice(n, size, replace=False).tolist()
            drawn = captions.draw(chosen, step)
            true_of = torch.from_numpy(captions.true_of(drawn, chosen).copy())
            words = model.embed_text_vectors(torch.from_numpy(text([caption.text for caption in drawn])))
            loss = LOSSES[settings.loss](model.embed_pooled(own[chosen]), words, true_of, model.scale, model.bias)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            model.clamp_scale()
            schedule.step()
    return model.eval()


@torch.inference_mode()
def head_vectors(model: ClipModel, features: FloatArray) -> FloatArray:
    """Unit vectors ``(n, d)`` of neurons' numbers ``(n, p)``."""
    found: FloatArray = model.embed_pooled(torch.from_numpy(np.ascontiguousarray(features, dtype=np.float32))).numpy()
    return found
