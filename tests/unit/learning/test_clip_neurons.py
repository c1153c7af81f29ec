"""The join of views, metadata and measurements, and the batches that are made of it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from axonet.core.errors import UserError
from axonet.inference.encode import build_view_encoder, encode_views
from axonet.learning.clip_batches import AllViews, NeuronBatches
from axonet.learning.clip_data import ClipDataset
from axonet.learning.clip_fit import describe
from axonet.learning.clip_neurons import describe_neurons
from axonet.learning.clip_views import content_digest, encode_once, stored_views
from axonet.metadata.index import RecordIndex
from axonet.metadata.record import NeuronRecord

from .clip_toy import N_VIEWS, toy_data, toy_measures, toy_records, toy_stage1, toy_store


def test_a_neuron_without_metadata_is_listed_not_lost():
    views = stored_views(toy_store(range(4)), named_by_swc=True)
    index = RecordIndex(toy_records([0, 3]))
    neurons, skipped = describe_neurons(views, index, toy_measures([0]), "train")
    assert neurons.ids == ("cell_000", "cell_003")
    assert [record.swc for record in neurons.records] == ["cell_000.swc", "cell_003.swc"]
    assert neurons.measures[1] is None
    assert [(row["neuron_id"], row["reason"], row["split"]) for row in skipped] == [
        ("cell_001", "no_metadata", "train"),
        ("cell_002", "no_metadata", "train"),
    ]


def test_digits_in_a_name_join_nothing():
    """A record of cell 1 is not that of cell_001, whatever its digits."""
    views = stored_views(toy_store([1]), named_by_swc=True)
    record = toy_records([1])[0]
    index = RecordIndex([type(record)(id="1", source="toy", swc="001.swc")])
    neurons, skipped = describe_neurons(views, index, {}, "train")
    assert len(neurons) == 0
    assert len(skipped) == 1


def test_ids_of_a_catalog_are_matched_by_id():
    store = toy_store([5])
    views = stored_views(store, named_by_swc=False)
    records = toy_records([5])
    found, _ = describe_neurons(views, RecordIndex(records), {}, "train")
    assert len(found) == 0
    renamed = type(views)(["toy:5"] * len(views), views.view, None)
    found, _ = describe_neurons(renamed, RecordIndex(records), {}, "train")
    assert found.records == tuple(records)


def test_when_nothing_matches_one_line_names_both_sides():
    views = stored_views(toy_store(range(3)), named_by_swc=True)
    with pytest.raises(UserError, match=r"'cell_000.swc' is not in meta.jsonl, which knows for example 'cell_077.swc'"):
        describe(views, None, toy_records([77]), {}, Path("meta.jsonl"))


def test_every_batch_holds_a_neuron_at_most_once_and_an_epoch_every_neuron():
    data = toy_data(n_train=10, n_val=0)
    plan = NeuronBatches(data.train, batch_size=4, views=2, seed=0)
    dataset = ClipDataset(data.train_views, data.train)
    for epoch in range(3):
        batches = [dataset[rows] for rows in plan.batches(epoch)]
        assert len(batches) == len(plan) == 3
        neurons = np.concatenate([batch.neuron.numpy() for batch in batches])
        assert sorted(neurons) == list(range(10))
        for batch in batches:
            assert np.bincount(batch.owner.numpy()).tolist() == [2] * len(batch.neuron)


def test_no_batch_is_left_with_a_single_neuron():
    data = toy_data(n_train=9, n_val=0)
    sizes = [len(rows) for rows in NeuronBatches(data.train, batch_size=4, views=1, seed=0).batches(0)]
    assert sorted(sizes) == [3, 3, 3]


def test_epochs_differ_but_an_epoch_can_be_repeated():
    train = toy_data(n_train=12, n_val=0).train
    one, again = (NeuronBatches(train, 4, 1, seed=0) for _ in range(2))
    np.testing.assert_array_equal(np.concatenate(one.batches(3)), np.concatenate(again.batches(3)))
    assert not np.array_equal(np.concatenate(one.batches(3)), np.concatenate(one.batches(4)))


def test_views_drawn_of_a_neuron_do_not_depend_on_the_others():
    few, many = toy_data(n_train=4, n_val=0).train, toy_data(n_train=16, n_val=0).train
    drawn = [set(np.concatenate(NeuronBatches(n, 4, 2, seed=0).batches(1)).tolist()) for n in (few, many)]
    assert drawn[0] == {row for row in drawn[1] if row < 4 * N_VIEWS}


def test_validation_sees_every_view_once():
    data = toy_data(n_train=5, n_val=0)
    rows = np.concatenate(AllViews(data.train, batch_size=4).batches(0))
    assert sorted(rows) == list(range(5 * N_VIEWS))


def test_a_batch_reads_the_images_of_its_rows():
    data = toy_data(n_train=4, n_val=0)
    rows = np.array([7, 1, 6])
    batch = ClipDataset(data.train_views, data.train)[rows]
    assert batch.neuron.tolist() == [0, 2]
    assert batch.owner.tolist() == [1, 0, 1]
    store = toy_store(range(4))
    for place, row in enumerate(rows):
        np.testing.assert_array_equal(batch.images.mask[place].numpy(), store.read(int(row))[0])


def test_cached_vectors_are_those_of_encoding_and_are_found_again(tmp_path, capsys):
    store = toy_store(range(3))
    encoder = build_view_encoder(toy_stage1())
    views = stored_views(store, named_by_swc=True)
    first = encode_once(views, encoder, tmp_path, 4, 0)
    again = encode_once(views, encoder, tmp_path, 4, 0)
    np.testing.assert_array_equal(first.vectors, again.vectors)
    np.testing.assert_array_equal(first.vectors, encode_views(encoder, store, batch_size=4))
    assert "taken from" in capsys.readouterr().err
    assert len(list(tmp_path.glob("*.parquet"))) == 1


def test_another_shape_under_the_same_name_is_not_taken_from_the_cache():
    store, other = toy_store(range(3)), toy_store(range(3))
    rows = other.rows.to_pylist()
    rows[0]["class_fractions"] = [0.0, 0.1, 0.0, 0.9, 0.0, 0.0]
    other.rows = type(other.rows).from_pylist(rows, other.rows.schema)
    assert content_digest(store) == content_digest(toy_store(range(3)))
    assert content_digest(store) == content_digest(toy_store(range(5)).subset(np.arange(9)))
    assert content_digest(store) != content_digest(other)
    rows[0]["um_per_px"] = None
    other.rows = type(other.rows).from_pylist(rows, other.rows.schema)
    assert content_digest(other) is None


def test_two_files_of_one_name_never_share_a_row():
    views = SimpleNamespace(
        neuron_id=["a", "b"], swc=["x/cell.swc", "y/cell.swc"], fov_um=np.ones(2), digest="d", __len__=lambda: 2
    )
    index = RecordIndex([NeuronRecord(id="1", source="table", swc="cell.swc")])
    neurons, skipped = describe_neurons(views, index, {}, "train")
    assert neurons.ids == ()
    assert [row["reason"] for row in skipped] == ["ambiguous_metadata"] * 2
