"""Copies among many neurons: fingerprints, the groups that keep copies in one split, and the look for leaks.

    python -m benchmarks.evaluation.duplicates [--neurons 300000] [--drawn 2000]

Prints one JSON object: CPU seconds and peak memory of one process. ``--drawn`` made-up neurons of some 1,000 nodes are
fingerprinted, each also as a copy that is moved, scaled, mirrored and renumbered; the seconds of all neurons are
theirs times the number. Groups and leaks are made of all neurons, one in fifty of them a copy of another.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np

from axonet.datasets.groups import connected_groups, group_keys
from axonet.evaluation.lineage import Lineage
from axonet.evaluation.sharing import find_sharing
from axonet.metadata.record import NeuronRecord
from axonet.morphology.fingerprint import fingerprint
from axonet.morphology.neuron import Neuron

N_NODES, COPY_EVERY, JUDGED_SHARE = 1000, 50, 0.15
PER_DONOR, PER_PUBLICATION, PER_ARCHIVE = 3, 30, 300


def made_up_neuron(stream: np.random.Generator) -> Neuron:
    """A random tree: most nodes go on from the one before, one in twenty branches off an earlier one."""
    parent = np.arange(N_NODES) - 1
    branches = np.flatnonzero(stream.random(N_NODES) < 0.05)
    branches = branches[branches > 1]
    parent[branches] = [int(stream.integers(0, node)) for node in branches]
    xyz = np.zeros((N_NODES, 3))
    steps = stream.normal(size=(N_NODES, 3))
    for node in range(1, N_NODES):
        xyz[node] = xyz[parent[node]] + steps[node]
    return Neuron.from_arrays(xyz, parent, np.where(np.arange(N_NODES) == 0, 1, 3))


def copied(neuron: Neuron, stream: np.random.Generator) -> Neuron:
    """The same neuron moved, scaled, mirrored and renumbered (parents still before their children)."""
    key = stream.random(len(neuron.parent))
    for node, parent in enumerate(neuron.parent):  # a child comes after its parent
        key[node] = key[node] + key[parent] if parent >= 0 else -1.0
    order = np.argsort(key, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    parent = np.array([-1 if neuron.parent[old] < 0 else place[neuron.parent[old]] for old in order])
    xyz = (neuron.xyz[order] * (1, 1, -1)) * float(stream.uniform(0.1, 10)) + stream.normal(size=3) * 100
    return Neuron.from_arrays(xyz, parent, neuron.swc_type[order])


def fingerprints(n: int) -> dict[str, float]:
    """CPU seconds a neuron, and the share of copies that are recognized."""
    stream = np.random.default_rng(0)
    pairs = []
    for _ in range(n):
        neuron = made_up_neuron(stream)
        pairs.append((neuron, copied(neuron, stream)))
    started = time.process_time()
    words = [(fingerprint(own), fingerprint(other)) for own, other in pairs]
    seconds = (time.process_time() - started) / (2 * n)
    different = len({word for word, _ in words})
    return {
        "milliseconds_a_fingerprint": round(1000 * seconds, 3),
        "copies_recognized": sum(own == other for own, other in words) / n,
        "taken_for_another": n - different,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--neurons", type=int, default=300_000)
    parser.add_argument("--drawn", type=int, default=2000)
    arguments = parser.parse_args()
    n = arguments.neurons
    found: dict[str, object] = {"neurons": n, **fingerprints(arguments.drawn)}
    each = found["milliseconds_a_fingerprint"]
    assert isinstance(each, float)
    found["cpu_minutes_of_fingerprints"] = round(each * n / 60_000, 1)
    ids = [f"n{i:06}" for i in range(n)]
    records = [
        NeuronRecord(
            name, "made up", f"{name}.swc", donor=f"d{i // PER_DONOR}", publication=f"p{i // PER_PUBLICATION}",
            archive=f"a{i // PER_ARCHIVE}",
        )
        for i, name in enumerate(ids)
    ]  # fmt: skip
    # Every other archive holds copies of neurons of the one before it.
    copied_from = [i - PER_ARCHIVE if i % COPY_EVERY == 0 and i // PER_ARCHIVE % 2 else i for i in range(n)]
    shapes = [f"{i:032x}" for i in copied_from]
    for scheme in ("donor", "lab"):
        started = time.process_time()
        groups = connected_groups(ids, group_keys(records, scheme, shapes))
        found[f"seconds_of_groups_by_{scheme}"] = round(time.process_time() - started, 1)
        found[f"groups_by_{scheme}"] = len(set(groups))
    n_judged = int(JUDGED_SHARE * n)
    order = np.random.default_rng(0).permutation(n).tolist()  # divided neuron by neuron, so copies leak
    shuffled = [ids[i] for i in order]
    rows = [{"fingerprint": shapes[i]} for i in order]
    started = time.process_time()
    made = Lineage(True, frozenset(shuffled[n_judged:]))
    sharing = find_sharing(shuffled, [records[i] for i in order], rows, n_judged, made)
    found["seconds_of_leaks"] = round(time.process_time() - started, 1)
    found["judged_copies"] = len(sharing.copies)
    found["peak_gib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
