"""Batch effect and curves against slow loops, and on vectors that hold the laboratory or nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from axonet.core.seeds import rng
from axonet.evaluation.batch_effect import batch_rows
from axonet.evaluation.curves import curve_rows, fewer_labels, first_views
from axonet.evaluation.data import Embedding
from axonet.evaluation.folds import ask
from axonet.evaluation.labels import FIELDS
from axonet.evaluation.probes import neighbor_scores
from axonet.evaluation.report_beside import beside_blocks
from axonet.evaluation.run import draw_sample

from .synthetic import DIM, class_vector, make_data, pick, random_vector, settings


def archive_vector(record, measures, stream):
    return rng(0, "archive", record.archive).normal(size=DIM) + 0.1 * stream.normal(size=DIM)


def figures(data, n_resamples=50):
    rows, missing = batch_rows(data, n_resamples, 0)
    assert missing is None
    return {row["metric"]: row for row in rows}


def test_vectors_that_hold_the_archive_tell_it_and_vectors_of_noise_do_not():
    told = figures(make_data(120, 0, archive_vector, archives=2))
    assert told["archive_accuracy"]["value"] == 1
    assert told["same_archive_neighbors"]["value"] == 1
    assert told["archive_accuracy"]["difference"][1] > 0
    noise = figures(make_data(400, 0, random_vector, archives=2))
    for row in noise.values():
        assert abs(row["value"] - row["chance"]) < 0.06
        assert row["interval"][0] <= row["value"] <= row["interval"][1]


def test_the_archive_is_read_as_a_slow_loop_reads_it():
    data = make_data(50, 0, lambda *own: class_vector(*own) + 0.5 * archive_vector(*own), archives=3)
    rows = figures(data, 0)
    records, vectors = data.neurons.records, data.embedding.item_vectors
    members = {}
    for record in records:
        members.setdefault((record.type_label, record.archive), set()).add(record.donor)
    usable = {pair for pair, donors in members.items() if len(donors) > 1}
    kinds = {kind for kind, _ in usable if sum(kind == other for other, _ in usable) > 1}
    shares, recalls = [], {}
    for i, own in enumerate(records):
        if (own.type_label, own.archive) not in usable or own.type_label not in kinds:
            continue
        others = [
            j
            for j, other in enumerate(records)
            if (other.type_label, other.archive) in usable
            and other.type_label == own.type_label
            and (other.archive, other.donor) != (own.archive, own.donor)
        ]
        nearest = sorted(others, key=lambda j: (-round(float(vectors[i] @ vectors[j]), 7), j))[:5]
        votes = [records[j].archive for j in nearest]
        shares.append(votes.count(own.archive) / len(votes))
        best = max(votes.count(name) for name in votes)
        first = [name for name in set(votes) if votes.count(name) == best]
        hit = own.archive in first
        recalls.setdefault(own.type_label, {}).setdefault(own.archive, []).append(hit / len(first))
    accuracy = np.mean([np.mean([np.mean(hits) for hits in own.values()]) for own in recalls.values()])
    assert rows["same_archive_neighbors"]["value"] == pytest.approx(np.mean(shares), abs=1e-6)
    assert rows["archive_accuracy"]["value"] == pytest.approx(accuracy, abs=1e-6)
    chance = np.mean([1 / len(own) for own in recalls.values()])
    assert rows["archive_accuracy"]["chance"] == pytest.approx(chance, abs=1e-6)


def test_without_two_archives_of_a_type_there_is_a_reason_and_no_row():
    rows, missing = batch_rows(make_data(20, 0, archives=1), 0, 0)
    assert rows == []
    assert "two archives" in missing


def test_the_first_views_are_those_of_every_neuron():
    vectors, owner = np.eye(6), np.array([0, 0, 0, 1, 2, 2])
    kept = first_views(Embedding(vectors, owner), 2)
    assert kept.owner.tolist() == [0, 0, 1, 2, 2]
    assert kept.vectors.argmax(axis=1).tolist() == [0, 1, 3, 4, 5]


def test_curves_climb_to_what_all_views_and_labels_give():
    data = make_data(40, 80, lambda *own: class_vector(*own, noise=3.0))
    question, _ = ask(FIELDS[0], data, settings())
    sample = draw_sample(data, data.embedding, question.judged, question.truth, len(question.classes), 20, 0, "t")
    rows = curve_rows(question, data, sample, 0, forest=True)
    learned = [f"{name}{share}" for name in ("labels", "logistic", "forest") for share in (10, 25, 50)]
    assert [row["task"] for row in rows] == [f"{name}_cell_type" for name in ("views1", "views3", *learned)]
    for kind, baseline in (("views1", "4_views"), ("labels10", "all_labels"), ("logistic10", "all_labels")):
        row = pick(rows, task=f"{kind}_cell_type")
        assert row["baseline"] == baseline
        assert row["difference"][0] < 0
    assert pick(rows, task="forest10_cell_type")["model"] == "forest"
    text = [cell for block in beside_blocks(rows) if hasattr(block, "body") for line in block.body for cell in line]
    assert "1 view: this embedding" in text
    assert "10 % of labels: this embedding" in text
    assert "25 % of labels, random forest: without compartments" in text


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_fewer_labels_are_whole_groups_of_every_class(share):
    data = make_data(12, 60)
    question, _ = ask(FIELDS[0], data, settings())
    groups = data.neurons.groups
    few = fewer_labels(question, groups, share, 0, 0)
    for whole, part in zip(question.folds, few.folds, strict=True):
        assert (part.test == whole.test).all()
        assert set(part.train) < set(whole.train)
        assert set(question.truth[part.train]) == set(question.truth[whole.train])
        kept = {groups[i] for i in part.train}
        assert all(i in part.train for i in whole.train if groups[i] in kept)
    assert neighbor_scores(few, data.embedding, 5).shape == neighbor_scores(question, data.embedding, 5).shape


def test_views_judged_one_by_one_have_no_curve():
    data = make_data(12, 20, pooling="none")
    question, _ = ask(FIELDS[0], data, settings())
    assert curve_rows(question, replace(data), None, 0, forest=False) == []
