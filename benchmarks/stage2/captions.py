"""Captions per second: drawn for training, fixed for evaluation, and the mask of what is true of whom.

    python -m benchmarks.stage2.captions [--metadata FILE --source SOURCE] [--neurons 20000] [--batch-size 64]

Prints one JSON object of rates per CPU second of one process, and its peak memory. The records are repeated under other
ids up to the number of neurons; measurements are made up. Without a file the table of the demo's neurons is used.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from axonet.core.resources import project_file
from axonet.metadata.adapters import load_records
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.claims import LEVELS, entailment_mask
from axonet.metadata.record import NeuronRecord

EPOCHS = 2


def made_up_measures(random: np.random.Generator) -> dict[str, Any]:
    """Measurements with the spread of real neurons, a third of them without an axon or a soma."""
    dendrites, axon = (float(value) for value in np.exp(random.normal(8, 1, 2)))
    axon *= float(random.random() > 0.3)
    return {
        **{"status": "ok", "warnings": [], "n_branch_points": float(random.integers(0, 300))},
        **{"n_stems": float(random.integers(1, 9)), "n_tips": float(random.integers(2, 300))},
        **{"cable_length": dendrites + axon, "max_path_distance": float(np.exp(random.normal(6, 1)))},
        **{"axon_cable_length": axon, "basal_cable_length": 0.6 * dendrites, "apical_cable_length": 0.4 * dendrites},
        **{"other_cable_length": 0.0, "soma_radius": None if random.random() < 0.3 else 6.0},
    }


def rate(work: Callable[[], Iterable[object]]) -> float:
    """Items per CPU second."""
    started = time.process_time()
    count = sum(1 for _ in work())
    return round(count / (time.process_time() - started))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--metadata", type=Path, default=project_file("data/demo/neurons.csv"))
    parser.add_argument("--source", default="table")
    parser.add_argument("--neurons", type=int, default=20_000)
    parser.add_argument("--batch-size", type=int, default=64)
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    given = load_records(arguments.metadata, arguments.source)
    records: list[NeuronRecord] = [
        replace(given[number % len(given)], id=f"benchmark-{number}") for number in range(arguments.neurons)
    ]
    measures = [made_up_measures(random) for _ in records]
    pairs = list(zip(records, measures, strict=True))

    started = time.process_time()
    generator = NeuronTextGenerator.fit(
        records, dict(zip((record.neuron_id for record in records), measures, strict=True))
    )
    fit_seconds = time.process_time() - started
    epochs = [
        rate(lambda epoch=epoch: (generator.draw(record, row, 0, epoch) for record, row in pairs))
        for epoch in range(EPOCHS)
    ]
    facts = [generator.facts(record, row) for record, row in pairs]
    captions = [generator.draw(record, row, 0, 0) for record, row in pairs]
    size = arguments.batch_size
    batches = range(0, len(pairs) - size + 1, size)
    report = {
        "neurons": len(records),
        "fit_seconds": round(fit_seconds, 2),
        "drawn_per_s": {"first epoch": epochs[0], "later epochs": epochs[-1]},
        "fixed_per_s": rate(lambda: (generator.caption(*pair, level) for pair in pairs for level in LEVELS)),
        "facts_per_s": rate(lambda: (generator.facts(*pair) for pair in pairs)),
        f"masks_of_{size}_per_s": rate(
            lambda: (entailment_mask(captions[i : i + size], facts[i : i + size]) for i in batches)
        ),
        "different_captions": len({caption.text for caption in captions}),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
