import multiprocessing
import os
import signal

import numpy as np
import pytest
import torch

from axonet.core.errors import UserError
from axonet.inference.view_batch import ViewDataset, fields_of_view
from axonet.learning.views_dataset import (
    OrderedViews,
    PlannedLoader,
    ShuffledViews,
    rows_by_neuron,
    views_digest,
)

from .synthetic import draw_neuron, draw_zoom, drawn_store


def test_a_batch_holds_the_stored_images_and_their_scale():
    store = drawn_store(3, 2)
    batch = ViewDataset(store)[np.array([5, 0])]
    mask, depth = draw_neuron(32, "cell_02", 1)
    assert batch.mask.dtype == batch.depth.dtype == torch.uint8
    assert np.array_equal(batch.mask[0], mask)
    assert np.array_equal(batch.depth[0], depth)
    assert batch.row.tolist() == [5, 0]
    assert batch.fov_um.tolist() == pytest.approx([1.2 * 320, 320])
    assert batch.near_um.tolist() == [-80, -80]


def test_the_window_around_the_soma_is_read_when_it_is_asked_for():
    store = drawn_store(3, 2, zoom=True)
    assert ViewDataset(store)[np.array([0])].zoom is None
    zoom = ViewDataset(store, zoom=True)[np.array([3, 5])].zoom
    assert np.array_equal(zoom[0], draw_zoom(32, "cell_01", 1))
    assert not zoom[1].any()  # that neuron has no soma
    assert not ViewDataset(drawn_store(1, 1), zoom=True)[np.array([0])].zoom.any()  # no window was stored


class OtherImages:
    def __init__(self, mask: np.ndarray) -> None:
        self.mask = mask

    def read(self, position: int, *, zoom: bool = True):
        return self.mask, self.mask, None


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        (np.zeros((24, 32), np.uint8), "cell_00, view 1: an image of 32 x 24 pixels among views of 32 x 32"),
        (np.full((32, 32), 6, np.uint8), "cell_00, view 1: its mask holds class 6; classes are 0 to 5"),
    ],
)
def test_an_image_that_does_not_belong_is_named(mask, told):
    store = drawn_store(1, 2)
    other = type(store)(store.rows, OtherImages(mask), np.arange(2), store.spec, 8)
    with pytest.raises(UserError, match=told):
        ViewDataset(other)[np.array([1])]


def test_a_field_of_view_that_the_manifest_does_not_tell_is_not_a_number():
    store = drawn_store(1, 2)
    nulls = store.rows.column("um_per_px").slice(0, 0).type
    store.rows = store.rows.set_column(store.rows.column_names.index("um_per_px"), "um_per_px", [[None, 2.0]]).cast(
        store.rows.schema
    )
    assert str(nulls) == "double"
    assert np.isnan(fields_of_view(store)[0])
    assert fields_of_view(store)[1] == 64


def test_rows_of_a_neuron_are_all_of_its_views():
    store = drawn_store(3, 2).subset([4, 0, 3, 1])
    groups = {name: rows.tolist() for name, rows in rows_by_neuron(store).items()}
    assert groups == {"cell_02": [0], "cell_00": [1, 3], "cell_01": [2]}


def test_an_epoch_holds_every_view_once_in_an_order_of_its_own():
    plan = ShuffledViews(drawn_store(5, 3), batch_size=4, seed=1)
    first, second = (np.concatenate(plan.batches(epoch)) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(15))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, np.concatenate(plan.batches(0)))
    assert [len(batch) for batch in plan.batches(0)] == [4, 4, 4, 3]
    assert len(plan) == 4


def test_drawn_views_are_as_many_as_asked_for_and_differ_between_epochs():
    store = drawn_store(6, 4)
    plan = ShuffledViews(store, batch_size=5, seed=1, views_per_neuron=2)
    draws = [np.concatenate(plan.batches(epoch)) for epoch in range(4)]
    for draw in draws:
        assert len(set(draw)) == 12
        assert [int((draw // 4 == neuron).sum()) for neuron in range(6)] == [2] * 6
    assert len({tuple(sorted(draw)) for draw in draws}) > 1
    assert len(plan) == len(plan.batches(0)) == 3


def test_what_is_drawn_of_a_neuron_does_not_depend_on_the_others():
    many = ShuffledViews(drawn_store(6, 8), 4, seed=1, views_per_neuron=2)
    few = ShuffledViews(drawn_store(2, 8), 4, seed=1, views_per_neuron=2)
    of_first = [sorted(row for row in np.concatenate(plan.batches(3)) if row < 8) for plan in (many, few)]
    assert of_first[0] == of_first[1]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_do_not_depend_on_the_number_of_workers(num_workers):
    store = drawn_store(4, 2)
    plan = ShuffledViews(store, batch_size=3, seed=1)
    loader = PlannedLoader(ViewDataset(store), plan, training=True, num_workers=num_workers)
    loader.position = lambda: (2, 0)
    assert [batch.row.tolist() for batch in loader] == [rows.tolist() for rows in plan.batches(2)]


def test_readers_go_on_when_a_scheduler_signals_all_processes_of_a_job():
    store = drawn_store(8, 3)
    loader = PlannedLoader(ViewDataset(store), OrderedViews(store, 2), training=False, num_workers=2)
    rows = []
    for number, batch in enumerate(loader):
        # Readers take turns: with the second batch, both have started.
        for reader in multiprocessing.active_children() if number else []:
            os.kill(reader.pid, signal.SIGTERM)
            os.kill(reader.pid, signal.SIGUSR1)
        rows += batch.row.tolist()
    assert rows == list(range(24))


def test_a_loader_starts_where_training_stands():
    store = drawn_store(4, 2)
    plan = ShuffledViews(store, batch_size=3, seed=1)
    loader = PlannedLoader(ViewDataset(store), plan, training=True)
    iterator = iter(loader)
    loader.position = lambda: (1, 2)  # known only after the iterator was made
    assert [batch.row.tolist() for batch in iterator] == [plan.batches(1)[2].tolist()]
    assert len(loader) == 3


def test_processes_share_an_epoch_evenly_and_validation_counts_each_view_once():
    store = drawn_store(5, 1)
    seen = {}
    for training in (True, False):
        parts = []
        for rank in range(2):
            loader = PlannedLoader(ViewDataset(store), OrderedViews(store, 1), training=training)
            loader.rank, loader.world_size = rank, 2
            parts.append([int(batch.row[0]) for batch in loader])
            assert len(parts[-1]) == len(loader)
        seen[training] = parts
    assert seen[True] == [[0, 2, 4], [1, 3, 0]]
    assert seen[False] == [[0, 2, 4], [1, 3]]


def test_the_digest_changes_with_the_views():
    store = drawn_store(3, 2)
    assert views_digest(store) == views_digest(drawn_store(3, 2))
    assert (
        len({views_digest(store), views_digest(store.subset([0, 1, 2])), views_digest(drawn_store(3, 2, first=1))}) == 3
    )


@pytest.mark.parametrize("accumulation", [1, 2, 3])
@pytest.mark.parametrize("world_size", [1, 2])
def test_the_shares_of_a_step_make_the_mean_over_its_views(accumulation, world_size):
    store = drawn_store(7, 2)  # batches of 3, 3, 3, 3, 2
    plan = OrderedViews(store, 3)
    weights = np.zeros(len(store))  # of each view in the mean of its step
    steps = [[] for _ in range(-(-5 // (accumulation * world_size)))]
    for rank in range(world_size):
        loader = PlannedLoader(ViewDataset(store), plan, training=True)
        loader.rank, loader.world_size = rank, world_size
        for number, batch in enumerate(loader):
            factor = loader.turn(number, accumulation).share / (accumulation * world_size)
            if factor:
                np.add.at(weights, batch.row.numpy(), factor / len(batch.row))
                steps[number // accumulation] += batch.row.tolist()
    assert sorted(row for step in steps for row in step) == list(range(14))
    for step in steps:
        assert weights[step] == pytest.approx(np.full(len(step), 1 / len(step)))


def test_a_view_is_called_by_neuron_and_number():
    assert ViewDataset(drawn_store(3, 2)).name(3) == "cell_01, view 1"


@pytest.mark.parametrize(("n_views", "limit"), [(4, None), (5, None), (6, 3)])
def test_views_of_a_neuron_stay_together(n_views, limit):
    store = drawn_store(5, n_views)
    plan = ShuffledViews(store, batch_size=4, seed=1, views_per_neuron=limit, together=2)
    drawn = limit or n_views
    for epoch in range(2):
        batches = plan.batches(epoch)
        assert len(batches) == len(plan)
        rows = np.concatenate(batches)
        assert len(set(rows)) == len(rows) == plan.n_views == 5 * drawn
        alone = 0
        for batch in batches:
            counts = np.bincount(batch // n_views, minlength=5)
            assert len(batch) <= 4
            alone += int((counts % 2).sum())
        assert alone <= 5 * (drawn % 2)
    assert not np.array_equal(np.concatenate(plan.batches(0)), np.concatenate(plan.batches(1)))


def test_a_batch_of_one_view_still_holds_a_pair_when_views_are_to_stay_together():
    plan = ShuffledViews(drawn_store(2, 2), batch_size=1, seed=1, together=2)
    assert [len(batch) for batch in plan.batches(0)] == [2, 2]
