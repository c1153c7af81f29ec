"""The full report on many neurons: made-up vectors, metadata and measurements, judged and written.

    python -m benchmarks.evaluation.report [--neurons 300000] [--dim 512] [--judged 0.15]

Prints one JSON object: wall and CPU seconds of each part, and the peak memory of the process. One vector a neuron, as
after pooling; twelve cell types of different sizes in 100 archives, and vectors that tell the type, but not surely.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from axonet.core.seeds import rng
from axonet.evaluation.captions import caption_levels
from axonet.evaluation.data import Array, EvaluationData, Neurons, join_vectors
from axonet.evaluation.labels import Field
from axonet.evaluation.lineage import Lineage
from axonet.evaluation.run import evaluate, ranked_neurons
from axonet.evaluation.settings import EvaluationSettings
from axonet.evaluation.sharing import find_sharing
from axonet.evaluation.write import prompt_vectors, write_outputs
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.record import NeuronRecord
from axonet.morphology.morphometrics import MORPHOMETRICS

TYPES = ("pyramidal", "granule", "Purkinje", "basket", "Martinotti", "chandelier", "stellate", "mitral", "medium spiny",
         "motoneuron", "ganglion", "bipolar")  # fmt: skip
REGIONS = ("neocortex", "hippocampus", "cerebellum", "main olfactory bulb", "striatum", "retina")
SPECIES, LAYERS = ("mouse", "rat", "human"), ("1", "2/3", "4", "5", "6", None)
N_ARCHIVES = 100
Result = TypeVar("Result")


class Clock:
    """Seconds of named parts."""

    def __init__(self) -> None:
        self.parts: dict[str, dict[str, float]] = {}

    def __call__(self, name: str, work: Callable[[], Result]) -> Result:
        """Do the work and note what it took."""
        wall, cpu = time.monotonic(), time.process_time()
        found = work()
        seconds = {"wall_s": round(time.monotonic() - wall, 1), "cpu_s": round(time.process_time() - cpu, 1)}
        self.parts[name] = {**seconds, "peak_gib": peak_gib()}
        print(name, self.parts[name], file=sys.stderr, flush=True)
        return found


def peak_gib() -> float:
    """Largest memory of the process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


def made_up_data(n: int, dim: int, n_judged: int) -> EvaluationData:
    """Neurons in random order; types have sizes in proportion to 12, 11, ... 1."""
    stream = np.random.default_rng(0)
    kind = stream.choice(len(TYPES), n, p=np.arange(len(TYPES), 0, -1) / 78)
    donor, layer = stream.integers(0, n // 3, n), stream.integers(0, len(LAYERS), n)
    ids = tuple(f"n{i:06}" for i in range(n))
    records = tuple(
        NeuronRecord(
            name, "made up", f"{name}.swc", SPECIES[d % 3], (REGIONS[k % 6], f"part {d % 40}"), None, TYPES[k],
            layer=LAYERS[y], label=f"{TYPES[k]} cell", donor=f"d{d}", archive=f"a{d % N_ARCHIVES}",
            publication=f"p{d % (9 * N_ARCHIVES)}",
        )
        for name, k, d, y in zip(ids, kind.tolist(), donor.tolist(), layer.tolist(), strict=True)
    )  # fmt: skip
    names = list(MORPHOMETRICS)
    values = np.exp(stream.normal(size=(len(TYPES), len(names)))[kind] + stream.normal(size=(n, len(names)))).tolist()
    measures = tuple(dict(zip(names, row, strict=True), status="ok", warnings=[]) for row in values)
    del values
    vectors = stream.normal(size=(len(TYPES), dim)).astype(np.float32)[kind]
    for at in range(0, n, 10_000):
        vectors[at : at + 10_000] += 3 * stream.normal(size=(len(vectors[at : at + 10_000]), dim)).astype(np.float32)
    sharing = find_sharing(ids, records, [None] * n, n_judged, Lineage(True, frozenset(ids[n_judged:])))
    return EvaluationData(
        Neurons(ids, records, measures, sharing.groups), n_judged, join_vectors(ids, vectors, ids), "test",
        sharing.held_out, "neuron", sharing.same_donor, sharing.same_lab, "0123456789abcdef",
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--neurons", type=int, default=300_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--judged", type=float, default=0.15)
    arguments = parser.parse_args()
    clock, settings = Clock(), EvaluationSettings()
    n_judged = int(arguments.judged * arguments.neurons)
    data = clock("made up", lambda: made_up_data(arguments.neurons, arguments.dim, n_judged))
    words: dict[str, Array] = {}

    def embed(texts: list[str] | tuple[str, ...]) -> Array:
        rows = []
        for text in texts:
            for word in text.split():
                if word not in words:
                    words[word] = rng(0, "word", word).normal(size=arguments.dim)
            rows.append(np.mean([words[word] for word in text.split()], axis=0))
        return np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)

    def class_vectors(field: Field, classes: list[str]) -> dict[str, Array]:
        return prompt_vectors(field.name, classes, embed)

    ranked = ranked_neurons(data, settings)
    captions = clock("captions", lambda: caption_levels(NeuronTextGenerator(), data.neurons, ranked, embed))
    found = clock("figures", lambda: evaluate(data, captions, class_vectors, settings))
    with tempfile.TemporaryDirectory() as folder:
        clock("written", lambda: write_outputs(Path(folder), data, found))
    wall = sum(part["wall_s"] for name, part in clock.parts.items() if name != "made up")
    size = {"neurons": arguments.neurons, "dim": arguments.dim, "judged": n_judged}
    print(json.dumps({**size, "report_wall_s": round(wall, 1), "peak_gib": peak_gib(), "parts": clock.parts}, indent=1))


if __name__ == "__main__":
    main()
