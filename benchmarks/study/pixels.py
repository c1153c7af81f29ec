"""Compartments of pixels: foreground macro Dice of a model and of rules that see the reconstruction itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from axonet.core.progress import track
from axonet.core.seeds import rng
from axonet.datasets.measures import load_entry
from axonet.datasets.view_store import ViewStore
from axonet.evaluation.data import Array, Ints
from axonet.inference.encode import load_view_encoder
from axonet.inference.inputs import apply_spec, fov_feature
from axonet.inference.view_batch import ViewDataset
from axonet.learning.stage1_validation import confusion_counts
from axonet.morphology.compartments import CLASS_NAMES, N_CLASSES, Compartment
from axonet.morphology.neuron import Neuron
from axonet.rendering import RenderSettings, render_neuron
from axonet.sources.catalog import CatalogEntry
from axonet.sources.workers import map_ordered

NODES_PER_NEURON = 60
Masks = npt.NDArray[np.uint8]
Naming = Callable[[Neuron], npt.NDArray[np.uint8]]


@dataclass(frozen=True)
class Dice:
    """Dice of every foreground class over all pixels of all views, NaN where neither side has the class."""

    per_class: Array

    @property
    def macro(self) -> float:
        """Mean over the classes that the truth or the prediction has."""
        return float(np.nanmean(self.per_class))

    @property
    def cells(self) -> dict[str, str]:
        """The figures by name."""
        parts = zip(CLASS_NAMES[1:], self.per_class, strict=True)
        return {"macro": f"{self.macro:.3f}"} | {name: f"{value:.2f}" for name, value in parts if np.isfinite(value)}


def dice(predicted: Masks, truth: Masks) -> Dice:
    """Dice of ``(v, h, w)`` predicted class ids."""
    counts = confusion_counts(torch.from_numpy(predicted), torch.from_numpy(truth), N_CLASSES).numpy()
    both, mine, true = np.diagonal(counts)[1:], counts.sum(axis=0)[1:], counts.sum(axis=1)[1:]
    return Dice(np.where(true > 0, 2 * both / np.maximum(mine + true, 1), np.nan))


def true_masks(views: ViewStore) -> Masks:
    """``(v, h, w)`` class ids as rendered."""
    return np.stack([views.read(i)[0] for i in range(len(views))])


@torch.inference_mode()
def model_masks(checkpoint: Path, views: ViewStore, batch_size: int = 64) -> Masks:
    """``(v, h, w)`` class ids that a Stage 1 model recovers from what it sees."""
    encoder = load_view_encoder(checkpoint, 1)
    dataset, spec = ViewDataset(views, zoom=encoder.spec.zoom), encoder.spec
    found = []
    for rows in np.split(np.arange(len(views)), range(batch_size, len(views), batch_size)):
        batch = dataset[rows]
        output = encoder.seg_vae(apply_spec(batch, spec), fov_feature(batch.fov_um, spec))
        found.append(output.classes.numpy().astype(np.uint8))
    return np.concatenate(found)


def all_basal(views: ViewStore) -> Masks:
    """Every foreground pixel is basal dendrite."""
    return np.where(true_masks(views) > 0, Compartment.BASAL, 0).astype(np.uint8)


def thickest_path(kind: Compartment) -> Naming:
    """A rule: the path to the tip with the largest mean radius is of a kind, the rest is basal dendrite; soma given."""

    def name(neuron: Neuron) -> npt.NDArray[np.uint8]:
        shape = neuron.topology
        tips = np.flatnonzero(shape.is_tip)
        named = np.where(neuron.is_soma, Compartment.SOMA, Compartment.BASAL).astype(np.uint8)
        if not len(tips):
            return named
        widths = path_means(neuron)[tips]
        node = int(tips[np.lexsort((shape.path_distance[tips], widths))[-1]])
        while node >= 0 and not neuron.is_soma[node]:
            named[node] = kind
            node = int(neuron.parent[node])
        return named

    return name


def path_means(neuron: Neuron) -> Array:
    """``(n,)`` mean radius in um along the path from the root to each node, weighted by cable."""
    from axonet.morphology.forest import sum_from_root

    shape = neuron.topology
    total = sum_from_root(neuron.parent, shape.cable * neuron.radius)
    return np.asarray(np.divide(total, shape.path_distance, out=neuron.radius.copy(), where=shape.path_distance > 0))


def local_features(neuron: Neuron) -> Array:
    """``(n, 9)`` what a node tells: thickness, distances, orders and sizes of what lies beyond and around it."""
    shape = neuron.topology
    section = shape.sections.of_node
    inside = np.maximum(section, 0)
    has = (section >= 0) & (len(shape.sections) > 0)

    def of_section(values: npt.NDArray[np.generic]) -> Array:
        return np.where(has, values[inside], 0.0) if len(values) else np.zeros(neuron.n_nodes)

    columns = [
        neuron.radius,
        neuron.radius / max(float(np.median(neuron.radius)), 1e-9),
        shape.path_distance,
        shape.path_distance / max(float(shape.path_distance.max()), 1e-9),
        shape.radial_distance,
        shape.branch_order.astype(np.float64),
        of_section(shape.sections.strahler),
        of_section(shape.sections.length),
        of_section(shape.sections.n_tips),
    ]
    return np.stack(columns, axis=1)


def learn_local(neurons: Sequence[Neuron], seed: int = 0) -> Naming:
    """A random forest on :func:`local_features`, soma given; learned from some nodes of each neuron."""
    from sklearn.ensemble import RandomForestClassifier

    features, kinds = [], []
    for number, neuron in enumerate(neurons):
        nodes = np.flatnonzero(~neuron.is_soma)
        nodes = rng(seed, "nodes", number).permutation(nodes)[:NODES_PER_NEURON]
        features.append(local_features(neuron)[nodes])
        kinds.append(neuron.compartment[nodes])
    forest = RandomForestClassifier(100, min_samples_leaf=5, random_state=seed, n_jobs=1)
    forest.fit(np.concatenate(features), np.concatenate(kinds))

    def name(neuron: Neuron) -> npt.NDArray[np.uint8]:
        found: Ints = forest.predict(local_features(neuron))
        return np.where(neuron.is_soma, Compartment.SOMA, found).astype(np.uint8)

    return name


def rule_masks(
    views: ViewStore, entries: dict[str, CatalogEntry], namings: dict[str, Naming], settings: RenderSettings
) -> dict[str, Masks]:
    """Pixels of neurons whose nodes are named by rules, drawn as the views were.

    Returns:
        By rule, ``(v, h, w)`` class ids in the order of the views.
    """
    ids = sorted(set(views.neuron_ids))
    wanted: dict[str, list[int]] = {neuron: [] for neuron in ids}
    for neuron, view in zip(views.neuron_ids, views.rows.column("view").to_pylist(), strict=True):
        wanted[neuron].append(view)
    found: dict[str, list[Masks]] = {rule: [] for rule in namings}
    for neuron_id, neuron in track(map_ordered(_load, [entries[i] for i in ids], 1), "naming nodes", len(ids)):
        for rule, naming in namings.items():
            drawn = render_neuron(replace(neuron, compartment=naming(neuron)), settings, neuron_id)
            found[rule] += [drawn[view].mask for view in wanted[neuron_id]]
    return {rule: np.stack(masks) for rule, masks in found.items()}


def _load(entry: CatalogEntry) -> tuple[str, Neuron]:
    return entry.neuron_id, load_entry(entry)
