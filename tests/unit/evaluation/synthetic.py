"""Synthetic neurons whose vectors, labels and captions are known."""

from __future__ import annotations

import numpy as np

from axonet.core.seeds import rng
from axonet.evaluation.captions import caption_levels
from axonet.evaluation.data import EvaluationData, Neurons, join_vectors
from axonet.evaluation.lineage import Lineage
from axonet.evaluation.settings import EvaluationSettings
from axonet.evaluation.sharing import find_sharing
from axonet.evaluation.write import prompt_vectors
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.record import NeuronRecord
from axonet.morphology.morphometrics import MORPHOMETRICS

DIM, VIEWS = 32, 4
CLASSES = (
    ("Purkinje cell", "Purkinje", "mouse", ("cerebellum",), None),
    ("pyramidal neuron", "pyramidal", "rat", ("neocortex", "somatosensory"), "5"),
    ("granule cell", "granule", "rat", ("hippocampus", "dentate gyrus"), None),
    ("Martinotti cell", "Martinotti", "human", ("neocortex", "somatosensory"), "2/3"),
)


def hashed_text(texts):
    """A text encoder without weights: the mean of fixed random vectors of the words."""
    rows = []
    for text in texts:
        rows.append(np.mean([rng(0, "word", word).normal(size=DIM) for word in text.split()], axis=0))
    rows = np.array(rows)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_records(n, archives=5):
    records = []
    for i in range(n):
        label, cell_type, species, region, layer = CLASSES[(i * i + i // 3) % len(CLASSES)]
        records.append(
            NeuronRecord(
                f"n{i:03}", "synthetic", f"n{i:03}.swc", species, region, None, cell_type, layer=layer, label=label,
                donor=f"d{i // 2}", archive=f"a{i % archives}", publication=f"p{i % archives}",
            )
        )  # fmt: skip
    return records


def make_measures(records, noise=0.3):
    """Measurements that tell the class, but not perfectly."""
    rows = []
    for record in records:
        stream = rng(0, "measures", record.id)
        base = rng(0, "class", record.label)
        values = {name: float(np.exp(base.normal() + noise * stream.normal())) for name in MORPHOMETRICS}
        values["soma_radius"] = float("nan") if record.id.endswith("7") else values["soma_radius"]
        rows.append({**values, "status": "ok", "warnings": [], "fingerprint": record.id, "neuron_id": record.id})
    return rows


def make_data(n_judged=24, n_train=40, vector_of=None, pooling="mean", references=None, archives=5):
    """Neurons whose view vectors are given by a function of (record, measures, stream)."""
    records = make_records(n_judged + n_train, archives)
    measures = make_measures(records)
    ids = tuple(record.id for record in records)
    sharing = find_sharing(ids, records, measures, n_judged, Lineage(n_train > 0, frozenset(ids[n_judged:])))
    owners, vectors = [], []
    for record, own in zip(records, measures, strict=True):
        stream = rng(0, "vectors", record.id)
        for _ in range(VIEWS):
            owners.append(record.id)
            vectors.append((vector_of or random_vector)(record, own, stream))
    embedding = join_vectors(owners, np.array(vectors), ids, pooling)
    return EvaluationData(
        neurons=Neurons(ids, tuple(records), tuple(measures), sharing.groups),
        n_judged=n_judged,
        embedding=embedding,
        judged_split="validation",
        held_out=sharing.held_out,
        same_donor=sharing.same_donor,
        same_lab=sharing.same_lab,
        checkpoint="0123456789abcdef",
        references=references or {},
    )


def random_vector(record, measures, stream):
    return stream.normal(size=DIM)


def constant_vector(record, measures, stream):
    return np.ones(DIM)


def class_vector(record, measures, stream, noise=0.5):
    return rng(0, "class", record.label).normal(size=DIM) + noise * stream.normal(size=DIM)


def spoken_vector(generator, level):
    """The vector of a neuron's own caption: a perfect embedding for that level."""

    def vector(record, measures, stream):
        return hashed_text([generator.caption(record, measures, level).text])[0]

    return vector


def make_captions(data, generator=None):
    generator = generator or NeuronTextGenerator()
    return caption_levels(generator, data.neurons, data.judged, hashed_text)


def vectors_of(field, classes):
    return prompt_vectors(field.name, classes, hashed_text)


def settings(**changes):
    return EvaluationSettings(**{"bootstrap": 200, **changes})


def pick(rows, **wanted):
    """The one row with these values; of two columns the one with types as given, unless the other is wanted."""
    found = [row for row in rows if wanted.items() <= row.items()]
    if "compartments" not in wanted:
        found = [row for row in found if row.get("compartments") != "merged"]
    assert len(found) == 1, f"{len(found)} rows are {wanted}"
    return found[0]


def find_rows(rows, **wanted):
    """All rows with these values."""
    return [row for row in rows if wanted.items() <= row.items()]
