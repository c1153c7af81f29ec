"""What the choices of Stage 2 are worth on real neurons, on frozen vectors of a Stage 1 encoder.

    python -m benchmarks.stage2_choices --vectors vectors.parquet --table neurons.parquet --measures measure.parquet
        [--epochs 8] [--folds 3] [--by donor lab] [--only mixed uniform]

A training a row: losses, batches, morphometrics, and two controls. Donors (or whole laboratories) are held out, one
fold of them; nothing is chosen on the judged neurons: the model of the last step is judged. Prints a Markdown table;
chance of zero-shot is one over the number of classes. Stage 1 must not have seen words; that it has seen pictures of
judged neurons is possible and is not part of this comparison.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from axonet.core.files import read_table
from axonet.core.input_spec import InputSpec
from axonet.core.seeds import rng
from axonet.datasets.measured import read_measures
from axonet.evaluation.folds import grouped_folds
from axonet.inference.encode import build_view_encoder
from axonet.inference.morphometrics import morphometric_features
from axonet.learning import clip_fit
from axonet.learning.clip_captions import NeuronCaptions, TextVectors
from axonet.learning.clip_fit import ClipData
from axonet.learning.clip_neurons import Neurons, rows_by_neuron
from axonet.learning.clip_settings import ClipSettings
from axonet.learning.clip_validation import ValidationWords
from axonet.learning.clip_views import Views
from axonet.metadata.adapters import load_records
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metrics.ranks import chance_reciprocal_rank, first_hit_ranks
from axonet.models.checkpoint import load_checkpoint, stage1_checkpoint
from axonet.models.seg_vae import SegVAE2D
from axonet.models.text import TextEncoder, load_text_encoder

QUICK = ClipSettings(
    text_encoder="minilm", freeze_encoder=True, batch_size=96, clip_embed_dim=64, lr=1e-3, lr_warmup_steps=20,
    num_workers=0, accelerator="cpu", learnable_temperature=True, morphometrics=True, batches="uniform",
)  # fmt: skip
ROWS: dict[str, dict[str, Any]] = {
    "entail, uniform batches": {},
    "entail, mixed batches": {"batches": "mixed"},
    "masked": {"loss": "masked"},
    "infonce": {"loss": "infonce"},
    "siglip": {"loss": "siglip"},
    "captions shuffled": {"shuffled": True},
    "constant picture, nothing joined": {"constant": True, "morphometrics": False},
}


class Remembered:
    """A text encoder that encodes every sentence once for all trainings."""

    def __init__(self, encoder: TextEncoder) -> None:
        self.name, self.dim, self.digest = encoder.name, encoder.dim, encoder.digest
        self._vectors = TextVectors(encoder, limit=1_000_000)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors of the texts."""
        return self._vectors(texts)


def read_views(path: Path) -> Views:
    """Frozen vectors, whatever version wrote them."""
    table = read_table(path, ["neuron_id", "view", "vector"]).combine_chunks()
    flat = table.column("vector").chunk(0)
    vectors = flat.flatten().to_numpy(zero_copy_only=False).astype(np.float32).reshape(len(table), -1)
    return Views(
        table.column("neuron_id").to_pylist(), table.column("view").to_numpy().astype(np.int64), vectors=vectors
    )


def stand_in(size: int) -> dict[str, Any]:
    """A Stage 1 checkpoint of which nothing but the length of its vectors is used: these are there already."""
    for latent in range(2, size):
        network = SegVAE2D(levels=1, base_channels=4, latent_channels=latent)
        if network.vector_size == size:
            return stage1_checkpoint(network, {}, InputSpec(log_fov_mean=0.0, log_fov_std=1.0))
    raise SystemExit(f"no network has vectors of length {size}")


def everyone(vectors: Views, table: Path, measures: Path) -> Neurons:
    """The neurons that have vectors and metadata."""
    known = read_measures([measures])
    rows = rows_by_neuron(vectors.neuron_id)
    records = {name: record for record in load_records(table, "table") for name in (record.id, record.neuron_id)}
    found = [name for name in rows if name in records]
    return Neurons(
        tuple(found),
        tuple(records[name] for name in found),
        tuple(known.get(name) for name in found),
        tuple(rows[name] for name in found),
    )


def held_out(neurons: Neurons, by: str, n_folds: int) -> npt.NDArray[np.bool_]:
    """Whether a neuron is judged: one fold of donors or of laboratories, of about equal shares of every class."""
    labels = [record.type_label or "" for record in neurons.records]
    names = sorted(set(labels))
    groups = [
        (record.archive if by == "lab" else record.donor or record.publication or record.archive) or record.id
        for record in neurons.records
    ]
    fold = grouped_folds(groups, [names.index(label) for label in labels], n_folds, rng(0, "stage2 choices", by))
    return np.asarray(fold == 0)


def part_of(neurons: Neurons, chosen: npt.NDArray[np.bool_]) -> Neurons:
    """Some of the neurons."""
    kept = np.flatnonzero(chosen)
    return Neurons(*(tuple(getattr(neurons, name)[i] for i in kept) for name in ("ids", "records", "measures", "rows")))


def judge(checkpoint: dict[str, Any], views: Views, words: ValidationWords, neurons: Neurons, text: Remembered) -> dict:
    """Figures of both embeddings of a trained model."""
    encoder = build_view_encoder(checkpoint)
    clip, inputs = encoder.clip, encoder.spec.morphometrics
    assert clip is not None
    assert views.vectors is not None
    rows = np.concatenate(neurons.rows)
    owner = torch.from_numpy(np.repeat(np.arange(len(neurons)), [len(own) for own in neurons.rows]))
    pooled = torch.from_numpy(views.vectors[rows])

    @torch.inference_mode()
    def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return clip.embed_text_vectors(torch.from_numpy(text.encode(list(texts)))).numpy()

    figures = {}
    with torch.inference_mode():
        blocks = {"image": None}
        if inputs:
            blocks["joined"] = torch.from_numpy(morphometric_features(neurons.measures, inputs))[owner]
        for kind, block in blocks.items():
            unit = clip.embed_pooled(pooled, block)
            total = torch.zeros(len(neurons), unit.shape[1]).index_add_(0, owner, unit)
            image = functional.normalize(total, dim=1).numpy()
            values = words.judge(image, embed).values
            own = words.candidates["standard"]
            relevant = own.answer[:, None] == np.arange(len(own.texts))
            rank = first_hit_ranks(image @ embed(own.texts).T, relevant)
            figures[kind] = {
                "zero-shot": values.get("zero_shot", float("nan")),
                "R@1 standard": float((rank == 1).mean()),
                "MRR standard": values["mrr_standard"],
                "MRR detailed": values["mrr_detailed"],
            }
    return figures


def compare(neurons: Neurons, views: Views, stage1: dict[str, Any], by: str, chosen: argparse.Namespace) -> None:
    """Train and judge every row, and print the table."""
    text = Remembered(load_text_encoder("minilm"))
    clip_fit.load_text_encoder = lambda name, device: text  # type: ignore[assignment]
    out = held_out(neurons, by, chosen.folds)
    train, judged = part_of(neurons, ~out), part_of(neurons, out)
    generator = NeuronTextGenerator.fit(train.records, train.by_record)
    words = ValidationWords(NeuronCaptions(judged, generator, 0), 96, 0)
    own = words.candidates["standard"]
    commonest = np.bincount(own.answer).max() / len(own.answer)
    chance = chance_reciprocal_rank(np.ones(len(own.answer), np.int64), len(own.texts))
    print(
        f"\n{by} held out: {len(train)} learned from, {len(judged)} judged, {len(words.classes.prompts)} classes "
        f"(chance {1 / max(len(words.classes.prompts), 1):.3f}), {len(own.texts)} standard captions (MRR chance "
        f"{chance:.3f}, R@1 of the commonest {commonest:.3f})\n"
    )
    for name, changes in ROWS.items():
        if chosen.only and not any(word in name for word in chosen.only):
            continue
        settings = {k: v for k, v in changes.items() if k not in ("shuffled", "constant")}
        learned, seen = train, views
        if changes.get("shuffled"):
            order = rng(0, "shuffled captions").permutation(len(train))
            learned = replace(
                train, records=tuple(train.records[i] for i in order), measures=tuple(train.measures[i] for i in order)
            )
            settings["morphometrics"] = False  # they would be shuffled with the words
        if changes.get("constant"):
            assert views.vectors is not None
            seen = replace(views, vectors=np.ones_like(views.vectors))
        with tempfile.TemporaryDirectory() as folder:
            clip_fit.train_clip(
                QUICK.model_copy(update={"max_epochs": chosen.epochs, "seed": chosen.seed, **settings}),
                stage1,
                ClipData(learned, seen, None, None, []),
                save_dir=Path(folder),
                log_dir=Path(folder) / "logs",
            )
            found = judge(load_checkpoint(Path(folder) / "last.ckpt"), seen, words, judged, text)
        for kind, figures in found.items():
            cells = " | ".join(f"{value:.3f}" for value in figures.values())
            print(f"| {name} | {kind} | {cells} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("vectors", "table", "measures"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--by", nargs="+", default=["donor", "lab"], choices=["donor", "lab"])
    parser.add_argument("--only", nargs="*", help="rows whose name holds one of these")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    views = read_views(chosen.vectors)
    assert views.vectors is not None
    neurons = everyone(views, chosen.table, chosen.measures)
    stage1 = stand_in(views.vectors.shape[1])
    for by in chosen.by:
        compare(neurons, views, stage1, by, chosen)


if __name__ == "__main__":
    main()
