"""Which neurons meet in a batch."""

from collections import Counter

import numpy as np
import pytest

from axonet.learning.clip_batches import NeuronBatches
from axonet.learning.clip_neurons import Neurons
from axonet.metadata.record import NeuronRecord

SIZES = {"large": 60, "middle": 24, "small": 6, "single": 1}


def neurons(sizes: dict[str, int] = SIZES) -> Neurons:
    archives = [name for name, n in sizes.items() for _ in range(n)]
    ids = tuple(f"n{i:03}" for i in range(len(archives)))
    records = tuple(NeuronRecord(i, "test", f"{i}.swc", archive=a) for i, a in zip(ids, archives, strict=True))
    return Neurons(ids, records, (None,) * len(ids), tuple(np.arange(3) + 3 * i for i in range(len(ids))))


def archives_of(parts: list[np.ndarray], found: Neurons) -> list[Counter]:
    return [Counter(found.records[i].archive for i in part) for part in parts]


@pytest.mark.parametrize("how", ["mixed", "uniform"])
@pytest.mark.parametrize("epoch", [0, 1])
def test_no_neuron_is_twice_in_a_batch(how, epoch):
    found = neurons()
    plan = NeuronBatches(found, 10, 2, seed=0, how=how)
    parts = plan.parts(epoch)
    assert len(parts) == len(plan) == 10
    assert all(len(set(part.tolist())) == len(part) <= 10 for part in parts)
    rows = plan.batches(epoch)
    assert [len(own) for own in rows] == [2 * len(part) for part in parts]


def test_uniform_shows_every_neuron_once_an_epoch():
    parts = NeuronBatches(neurons(), 10, 1, seed=0).parts(3)
    assert sorted(np.concatenate(parts).tolist()) == list(range(91))


def test_half_of_the_mixed_batches_come_from_within_an_archive():
    """Consecutive neurons of a list that is sorted by archive: at most as many archives as the list breaks there."""
    found = neurons()
    for epoch in range(4):
        counts = archives_of(NeuronBatches(found, 10, 1, seed=0, how="mixed").parts(epoch), found)
        pure = sum(len(count) == 1 for count in counts)
        assert pure >= 3  # of five: the others hold the border between two archives


def test_the_other_half_gives_archives_equal_shares():
    found = neurons({"a": 80, "b": 10, "c": 10})
    plan = NeuronBatches(found, 10, 1, seed=0, how="mixed")
    order = np.arange(100)
    first = archives_of([plan._in_turn(order)[:30]], found)[0]
    assert first == {"a": 10, "b": 10, "c": 10}
    assert sorted(plan._in_turn(order).tolist()) == list(range(100))


def test_small_archives_are_seen_more_often_than_under_uniform_but_never_twice_in_the_balanced_half():
    found = neurons({"a": 90, "b": 10})
    plan = NeuronBatches(found, 10, 1, seed=0, how="mixed")
    seen = Counter(i for epoch in range(200) for part in plan.parts(epoch) for i in part.tolist())
    small = np.mean([seen[i] for i in range(90, 100)]) / 200
    large = np.mean([seen[i] for i in range(90)]) / 200
    assert small > 1.3
    assert small <= 2
    assert 0.7 < large < 1
    assert all(seen[i] > 0 for i in range(100))


def test_with_one_archive_both_ways_are_the_same():
    found = neurons({"only": 20})
    mixed, uniform = (NeuronBatches(found, 6, 2, seed=0, how=how) for how in ("mixed", "uniform"))
    assert mixed.how == "uniform"
    for one, other in zip(mixed.batches(2), uniform.batches(2), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_epoch_can_be_drawn_again():
    one, again = (NeuronBatches(neurons(), 7, 2, seed=5, how="mixed") for _ in range(2))
    for first, second in zip(one.batches(4), again.batches(4), strict=True):
        np.testing.assert_array_equal(first, second)
    assert any((a.tolist() != b.tolist()) for a, b in zip(one.batches(4), one.batches(5), strict=True))
