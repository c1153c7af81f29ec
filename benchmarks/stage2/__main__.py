"""Speed and memory of Stage 2: encoding of views, captions, and an epoch over cached vectors.

    python -m benchmarks.stage2 [--views 1000000] [--device cpu]

Prints one JSON object. Seconds are CPU seconds of this process (on a GPU: wall seconds); the neurons, their metadata
and their vectors are made up, 24 views each. The epoch is that of the command: captions drawn, text vectors looked up,
masks of true captions, loss, gradient, step; without validation.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from axonet.core.input_spec import InputSpec
from axonet.inference.encode import ViewEncoder, encode_batches
from axonet.inference.view_batch import ViewBatch
from axonet.learning.clip_fit import ClipData, train_clip
from axonet.learning.clip_neurons import Neurons
from axonet.learning.clip_settings import ClipSettings
from axonet.learning.clip_views import Views
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.record import NeuronRecord
from axonet.models.checkpoint import stage1_checkpoint
from axonet.models.seg_vae import SegVAE2D
from axonet.models.text import load_text_encoder

N_VIEWS = 24
SPEC = InputSpec(width=512, height=512, log_fov_mean=6.0, log_fov_std=1.0)
TYPES = ("pyramidal", "Purkinje", "granule", "Martinotti", "basket", "chandelier", "spiny stellate")
PLACES = (("neocortex", "somatosensory"), ("hippocampus", "CA1"), ("cerebellum",), ("neocortex", "visual"))


def timed(work: Callable[[], Any], device: str) -> tuple[Any, float]:
    """What some work gives, and its seconds."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    started = clock()
    result = work()
    if device != "cpu":
        torch.cuda.synchronize()
    return result, clock() - started


def encoding(device: str) -> dict[str, float]:
    """Views per second by size of the picture and width of the network."""
    found = {}
    for size, base, levels, n in ((64, 8, 4, 512), (256, 64, 6, 32), (512, 64, 7, 8)):
        n *= 1 if device == "cpu" else 16
        spec = SPEC.model_copy(update={"width": size, "height": size})
        encoder = ViewEncoder(SegVAE2D(levels=levels, base_channels=base), None, spec, "benchmark").eval().to(device)
        mask = (torch.rand(n, size, size) < 0.02).to(torch.uint8)
        unknown = torch.zeros(n)
        parts = [
            ViewBatch(torch.arange(k, k + 8), mask[k : k + 8], mask[k : k + 8], *(unknown[k : k + 8] + 500,) * 3, None)
            for k in range(0, n, 8)
        ]
        encode_batches(encoder, parts[:1])  # warm
        _, seconds = timed(lambda e=encoder, p=parts: encode_batches(e, p), device)
        found[f"{size} px, base {base}"] = round(n / seconds, 1)
    return found


def made_up(n: int) -> Neurons:
    """Neurons with metadata and measurements."""
    random = np.random.default_rng(0)
    records, measures = [], []
    for i in range(n):
        records.append(
            NeuronRecord(
                f"n{i}", "benchmark", f"n{i}.swc", ("mouse", "rat", "human")[i % 3], PLACES[i % 4], None, TYPES[i % 7],
                layer=("2/3", "5", "6")[i % 3], archive=f"lab {int(random.pareto(1.0)) % 200}",
                traced=("dendrites", "axon"),
            )
        )  # fmt: skip
        length = float(random.lognormal(8, 1))
        measures.append({
            "status": "ok", "warnings": [], "cable_length": length, "n_branch_points": int(length / 100),
            "n_stems": i % 9, "max_radial_distance": length / 20, "n_tips": int(length / 90),
        })  # fmt: skip
    rows = tuple(np.arange(N_VIEWS) + N_VIEWS * i for i in range(n))
    return Neurons(tuple(f"n{i}" for i in range(n)), tuple(records), tuple(measures), rows)


def captions(neurons: Neurons) -> dict[str, float]:
    """Captions drawn per second, and sentences encoded per second by the offline language model."""
    some = range(min(2000, len(neurons)))
    generator = NeuronTextGenerator.fit([neurons.records[i] for i in some], neurons.by_record)
    drawn, seconds = timed(
        lambda: [generator.draw(neurons.records[i], neurons.measures[i], 0, 0).text for i in some], "cpu"
    )
    encoder = load_text_encoder("minilm")
    texts = sorted(set(drawn))[:200]
    _, encoded = timed(lambda: encoder.encode(texts), "cpu")
    return {"captions": round(len(some) / seconds), "minilm": round(len(texts) / encoded, 1)}


def epoch(neurons: Neurons, device: str) -> dict[str, float]:
    """One epoch over cached vectors."""
    stage1 = stage1_checkpoint(SegVAE2D(base_channels=8, latent_channels=32, levels=4), {}, SPEC)
    size = SegVAE2D(base_channels=8, latent_channels=32, levels=4).vector_size
    ids = [name for name in neurons.ids for _ in range(N_VIEWS)]
    vectors = np.random.default_rng(1).standard_normal((len(ids), size), dtype=np.float32)
    views = Views(ids, np.tile(np.arange(N_VIEWS), len(neurons)), vectors=vectors)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    settings = ClipSettings(
        freeze_encoder=True, text_encoder="hash:384", max_epochs=1, batch_size=128, num_workers=0,
        accelerator="cpu" if device == "cpu" else "gpu",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        data = ClipData(neurons, views, None, None, [])
        result, seconds = timed(lambda: train_clip(settings, stage1, data, save_dir=out, log_dir=out / "logs"), device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "neurons": len(neurons),
        "views": len(ids),
        "numbers per vector": size,
        "steps": result.steps,
        "seconds": round(seconds, 1),
        "MiB with the vectors": round(before),
        "peak MiB": round(peak),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--views", type=int, default=1_000_000, help="cached vectors")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="torch device")
    chosen = parser.parse_args()
    neurons = made_up(-(-chosen.views // N_VIEWS))
    found = {
        "device": chosen.device,
        "threads": torch.get_num_threads(),
        "views encoded per second": encoding(chosen.device),
        "texts per second": captions(neurons),
        "epoch": epoch(neurons, chosen.device),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
