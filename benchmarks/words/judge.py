"""Train a row on a fold and judge it: what every judged neuron was given, as plain arrays."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from benchmarks.study.answers import N_NEIGHBORS, neuron_embedding
from benchmarks.words.corpus import Part, Remembered, shuffled_words
from benchmarks.words.rows import Row

from axonet.evaluation.captions import caption_levels
from axonet.evaluation.data import Array, Neurons
from axonet.evaluation.probes import neighbor_scores, standardized
from axonet.inference.encode import build_view_encoder
from axonet.inference.morphometrics import morphometric_features
from axonet.inference.pool import group_sum, unit
from axonet.learning import clip_fit
from axonet.learning.clip_fit import ClipData
from axonet.learning.clip_validation import EmbedText, class_vectors
from axonet.learning.clip_views import Views
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.prompts import prompts
from axonet.metrics import ranks
from axonet.models.checkpoint import Checkpoint, load_checkpoint

Found = dict[str, npt.NDArray[np.generic]]
RANKED = ("standard", "detailed")
IMAGE, JOINED, BEFORE = "image", "joined", "before"


def train(row: Row, seed: int, part: Part, text: Remembered) -> tuple[Checkpoint, Views]:
    """The model of the last step, and the views that it is shown; nothing is chosen on judged neurons."""
    learned = shuffled_words(part.train) if row.shuffled else part.train
    views = part.views
    if row.constant:
        assert views.vectors is not None
        views = replace(views, vectors=np.ones_like(views.vectors))
    clip_fit.load_text_encoder = lambda name, device: text  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        stage1, data = load_checkpoint(part.checkpoint, 1), ClipData(learned, views, None, None, [])
        clip_fit.train_clip(row.settings(seed), stage1, data, save_dir=out, log_dir=out / "logs")
        return load_checkpoint(out / "last.ckpt", 2), views


def judge(checkpoint: Checkpoint, views: Views, part: Part, text: Remembered) -> Found:
    """Ranks and scores of the judged neurons under each embedding of the model, by ``embedding/what``."""
    encoder = build_view_encoder(checkpoint)
    clip, inputs = encoder.clip, encoder.spec.morphometrics
    assert clip is not None
    assert views.vectors is not None

    @torch.inference_mode()
    def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return clip.embed_text_vectors(torch.from_numpy(text.encode(list(texts)))).numpy()

    blocks = {IMAGE: None}
    if inputs:
        known = [measured or {} for measured in part.cohort.measures]
        blocks[JOINED] = torch.from_numpy(morphometric_features(known, inputs))[torch.from_numpy(part.owner)]
    found: Found = {}
    for kind, block in blocks.items():
        with torch.inference_mode():
            of_views = clip.embed_pooled(torch.from_numpy(views.vectors), block).numpy().astype(np.float64)
        vectors = unit(group_sum(of_views, part.owner, len(part.cohort))).astype(np.float64)
        own = {**zero_shot(part, vectors, embed), **neighbors(part, vectors), **retrieval(part, vectors, embed)}
        found |= {f"{kind}/{name}": values for name, values in own.items()}
    return found


def zero_shot(part: Part, vectors: Array, embed: EmbedText) -> Found:
    """``(m, c)`` cosines with the classes, each the mean of its prompts."""
    return {
        f"zero_{task}": vectors[question.judged] @ class_vectors([prompts(n) for n in question.classes], embed).T
        for task, question in part.questions.items()
    }


def neighbors(part: Part, vectors: Array, *, scaled: bool = False) -> Found:
    """``(m, c)`` votes of the nearest neurons that were learned from."""
    found: Found = {}
    for task, question in part.questions.items():
        own = standardized(vectors, question.folds[0].train) if scaled else vectors
        found[f"knn_{task}"] = neighbor_scores(question, neuron_embedding(own), N_NEIGHBORS)
    return found


def before(part: Part) -> Found:
    """What the nearest neighbors say before Stage 2."""
    return {f"{BEFORE}/{name}": values for name, values in neighbors(part, part.before, scaled=True).items()}


def retrieval(part: Part, vectors: Array, embed: EmbedText) -> Found:
    """Ranks both ways over the distinct captions of the judged neurons, what chance and a constant list reach."""
    generator = NeuronTextGenerator.fit(part.train.records, part.train.by_record)
    known = part.cohort
    records, measures = ([sequence[i] for i in part.judged] for sequence in (known.records, known.measures))
    judged = Neurons(tuple(known.ids[i] for i in part.judged), tuple(records), tuple(measures), ())
    image = vectors[part.judged]
    found: Found = {}
    for level in caption_levels(generator, judged, len(judged), embed):
        if level.level not in RANKED:
            continue
        similarity = image @ level.vectors.T  # (n, u)
        equal = level.answer[:, None] == np.arange(len(level.texts))
        n_right = equal.sum(axis=1), equal.sum(axis=0)
        found |= {
            f"to_{level.level}": ranks.first_hit_ranks(similarity, equal),
            f"true_{level.level}": ranks.first_hit_ranks(similarity, level.true | equal),
            f"constant_{level.level}": ranks.constant_list_ranks(equal),
            f"from_{level.level}": ranks.first_hit_ranks(similarity.T, equal.T),
            f"to_chance_{level.level}": np.array(ranks.chance_reciprocal_rank(n_right[0], equal.shape[1])),
            f"from_chance_{level.level}": np.array(ranks.chance_reciprocal_rank(n_right[1], equal.shape[0])),
        }
    return found
