"""What Stage 1 recovers of judged neurons: compartments, depth, and what its posteriors carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from axonet.core.seeds import rng
from axonet.evaluation.data import Array, Ints
from axonet.evaluation.scoring import Figure, Row, make_row
from axonet.metrics.bootstrap import bootstrap_weights
from axonet.morphology.compartments import CLASS_NAMES, N_CLASSES, Compartment

if TYPE_CHECKING:
    from axonet.datasets.view_store import ViewStore
    from axonet.inference.encode import ViewEncoder

MOST_NEURONS, FEWEST_NEURONS, VIEWS_PER_NEURON = 500, 10, 6
MOST_PIXELS = 30_000_000  # decoded; about 3,200 views of 96 x 96 pixels
AXON, DENDRITES = [Compartment.AXON], [Compartment.BASAL, Compartment.APICAL]
KEYS = [name.replace(" ", "_") for name in CLASS_NAMES]


@dataclass(frozen=True)
class Decoded:
    """What was recovered, neuron by neuron.

    Attributes:
        neurons: ``(k,)`` indices of neurons.
        confusion: ``(k, 6, 6)`` pixels of each true class (rows) that were given each class.
        depth_um: ``(k, 3)`` error in um summed over views, that of the middle plane, views of known depth.
        kl: level of the network -> ``(k,)`` nats per pixel, mean over views.
        active: channels of the bottleneck that carry something.
        channels: channels of the bottleneck.
    """

    neurons: Ints
    confusion: Array
    depth_um: Array
    kl: Mapping[str, Array]
    active: int
    channels: int


def sampled_neurons(judged: Sequence[str], n_pixels: int, seed: int) -> list[int]:
    """Indices of the neurons that are decoded: all, or as many drawn at random as the budget of pixels allows."""
    most = min(MOST_NEURONS, max(FEWEST_NEURONS, MOST_PIXELS // (VIEWS_PER_NEURON * n_pixels)))
    if len(judged) <= most:
        return list(range(len(judged)))
    drawn: list[int] = np.sort(rng(seed, "stage1_sample").choice(len(judged), most, replace=False)).tolist()
    return drawn


def decode(encoder: ViewEncoder, stores: Sequence[ViewStore], judged: Sequence[str], seed: int) -> Decoded | None:
    """Decode the first views of judged neurons; None for a model that decodes nothing.

    Args:
        encoder: holds the Stage 1 network.
        stores: views, of other neurons too.
        judged: ids of the judged neurons.
        seed: of the sample.
    """
    if encoder.seg_vae.decoder is None:
        return None
    from axonet.datasets.selection import keep_neurons
    from axonet.evaluation.references import first_views
    from axonet.evaluation.stage1_batches import Totals, add_store

    height, width = encoder.spec.input_size
    chosen = sampled_neurons(judged, height * width, seed)
    totals = Totals({judged[i]: place for place, i in enumerate(chosen)})
    for store in stores:
        own = first_views(keep_neurons(store, [judged[i] for i in chosen]))
        if len(own):
            add_store(encoder, own, totals)
    return totals.decoded(np.array(chosen, dtype=np.int64))


def stage1_rows(
    decoded: Decoded, groups: Sequence[str], strata: Sequence[int], split: str, n_resamples: int, seed: int
) -> list[Row]:
    """Rows of ``metrics.json``, each beside a constant answer.

    Compartments: every pixel of the foreground called basal dendrite, which is what most of it is; chance is every
    class alike. Depth: the middle plane. What posteriors carry: 0, which a posterior that ignores its input has.

    Args:
        decoded: what was recovered.
        groups: ``(k,)`` group of every decoded neuron.
        strata: ``(k,)`` its class.
        split: what is held out.
        n_resamples: bootstrap resamples.
        seed: of the run.
    """
    weights = bootstrap_weights(groups, strata, n_resamples, rng(seed, "bootstrap", "stage1"))
    head: Row = {"task": "stage1", "split": split, "model": "stage1", "compartments": None}
    about: Row = {"n": len(decoded.neurons), "groups": len(set(groups)), "classes": None}
    own = _summed(decoded.confusion, weights)
    true = own.sum(axis=2)
    basal, uniform = np.zeros_like(own), np.zeros_like(own)
    basal[:, :, Compartment.BASAL] = true
    uniform[:, 1:, 1:] = true[:, 1:, None] / (N_CLASSES - 1)
    figures, constant, chance = (_mask_figures(counts) for counts in (own, basal, uniform))
    rows = [
        make_row(head, name, figure, about, chance[name].value, constant[name].value, "all_basal", constant[name])
        for name, figure in figures.items()
    ]
    error, middle, known = _summed(decoded.depth_um, weights).T
    if known[0] > 0:
        with np.errstate(invalid="ignore"):
            depth, plane = (_figure(values / known) for values in (error, middle))
        rows.append(make_row(head, "depth_mae_um", depth, about, plane.value, plane.value, "middle_plane", plane))
    for level, values in decoded.kl.items():
        mean = _figure(_summed(values, weights) / _summed(np.ones_like(values), weights))
        rows.append(make_row(head, f"kl_{level}", mean, about, 0.0, None, "prior", _zero(mean)))
    units = Figure(float(decoded.active))
    rows.append(make_row({**head}, "active_units", units, {**about, "classes": None}, 0.0, None, "prior", Figure(0.0)))
    return rows


def _summed(values: Array, weights: Array | None) -> Array:
    """Sums over neurons: first of those that are there, then of every resample, ``(1 + b, ...)``."""
    total = values.sum(axis=0)[None]
    return total if weights is None else np.concatenate([total, np.tensordot(weights, values, axes=1)])


def _figure(values: Array) -> Figure:
    return Figure(float(values[0]), values[1:] if len(values) > 1 else None)


def _zero(like: Figure) -> Figure:
    return Figure(0.0, None if like.resampled is None else np.zeros(len(like.resampled)))


@np.errstate(invalid="ignore")
def _mask_figures(counts: Array) -> dict[str, Figure]:
    """Dice of every class that is there and their mean, and how often axon and dendrite are taken for one another.

    Args:
        counts: ``(1 + b, 6, 6)``.
    """
    true, given = counts.sum(axis=2), counts.sum(axis=1)
    there = [k for k in range(1, N_CLASSES) if true[0, k] > 0]
    dice = np.stack([2 * counts[:, k, k] / (true[:, k] + given[:, k]) for k in there], axis=1)
    found = {f"dice_{KEYS[k]}": _figure(dice[:, i]) for i, k in enumerate(there)}
    found["dice"] = _figure(np.nanmean(dice, axis=1))
    for name, rows, columns in (
        ("axon_called_dendrite", AXON, DENDRITES),
        ("dendrite_called_axon", DENDRITES, AXON),
    ):
        if true[0, rows].sum() > 0:
            share = counts[:, rows][:, :, columns].sum(axis=(1, 2)) / true[:, rows].sum(axis=1)
            found[name] = _figure(share)
    return found
