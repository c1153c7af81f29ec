from __future__ import annotations

from dataclasses import replace

import pytest

from axonet.evaluation.headline import describe, headline, verdict
from axonet.evaluation.report import write_report
from axonet.evaluation.run import evaluate
from axonet.evaluation.tables import number, table, with_interval
from axonet.evaluation.write import write_outputs

from .synthetic import class_vector, make_captions, make_data, settings, vectors_of


@pytest.fixture(scope="module")
def data():
    return make_data(n_judged=20, n_train=30, vector_of=class_vector)


@pytest.fixture(scope="module")
def found(data):
    return evaluate(data, make_captions(data), vectors_of, settings(bootstrap=50))


def test_few_neurons_are_said_to_prove_nothing(found):
    text = " ".join(write_report(found.metrics, found.notes).split())
    assert "prove nothing" in text
    assert "chose which epoch of the model" in text
    assert "Too few neurons for a verdict" in text


def test_the_report_says_which_constant_answer_is_shown(found):
    text = " ".join(write_report(found.metrics, found.notes).split())
    assert text.count("commonest among the neurons learned on, which need not be so among the judged") == 2
    assert "In balanced accuracy every constant answer reaches 1 / classes" in text
    crossed = {**found.metrics, "splits": {**found.metrics["splits"], "learned_on": "cross-validation"}}
    assert "zero-shot: of the judged neurons" in " ".join(write_report(crossed, ()).split())


def test_many_neurons_get_a_verdict(found):
    splits = {**found.metrics["splits"], "n_judged": 500, "groups": 90}
    text = write_report({**found.metrics, "splits": splits}, ())
    assert "prove nothing" not in text
    assert "verdict" in text


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        ("validation", "chose which epoch"),
        ("test", "Each look at them is written down"),
        ("train", "THE MODEL WAS TRAINED ON THESE NEURONS"),
        ("unknown", "not known whether the model was trained"),
    ],
)
def test_the_report_says_what_the_judged_neurons_were_used_for(found, judged, words):
    splits = {**found.metrics["splits"], "judged": judged}
    assert words in " ".join(write_report({**found.metrics, "splits": splits}, ()).split())


@pytest.mark.parametrize("held_out", ["lab", "donor", "neuron", "nothing", "unknown"])
def test_the_report_says_what_was_held_out(found, held_out):
    splits = {**found.metrics["splits"], "held_out": held_out}
    words = {
        "lab": "not a laboratory's style",
        "donor": "on a new laboratory",
        "neuron": "flatters",
        "nothing": "NOTHING IS HELD OUT",
        "unknown": "nothing is claimed to be held out",
    }
    assert words[held_out] in " ".join(write_report({**found.metrics, "splits": splits}, ()).split())


def test_every_section_is_there_and_no_value_is_left_raw(found):
    text = write_report(found.metrics, found.notes)
    for section in (
        "In short",
        "1. Retrieval",
        "2. Zero-shot",
        "3. Probes",
        "4. Laboratory, views and labels",
        "5. Stage 1",
        "6. Not judged",
        "How the figures are made",
    ):
        assert section in text
    assert "None" not in text
    assert "nan" not in text.replace("in an", "")
    assert max(len(line) for line in text.splitlines()) < 165


def test_the_headline_rows_are_described_in_words(found):
    words = [describe(row) for row in headline(found.metrics)]
    assert words[0] == "neuron finds its caption (broad+standard), R@1"
    assert any("zero-shot" in line for line in words)
    assert len(words) == 5


def test_a_verdict_goes_by_the_interval_of_the_difference():
    row = {"metric": "accuracy", "model": "image", "baseline": "majority"}
    assert verdict({**row, "difference": (0.2, 0.1, 0.3)}) == "better"
    assert verdict({**row, "difference": (0.2, -0.1, 0.3)}) == "not told apart"
    assert verdict({**row, "difference": (-0.2, -0.3, -0.1)}) == "worse"
    assert verdict({**row, "metric": "median_rank", "difference": (-2, -3, -1)}) == "better"
    assert verdict({**row, "difference": (0.2, None, None)}) == "not known"


def test_cells_are_aligned_and_missing_figures_are_dashes():
    text = table(["", "value"], [["a", "1"], ["long name", "22"]])
    assert text.splitlines()[2].endswith(" 1")
    assert number(None) == "-"
    assert with_interval({"value": 0.5, "interval": None}) == "0.50 [no interval]"


def test_all_outputs_are_written_and_the_same_twice(tmp_path, data, found):
    pictures = {"tsne_cell_type.png", "tsne_region.png", "confusion_matrix.png"}
    names = {"metrics.json", "eval_report.txt", "report.html", *pictures}
    for folder in ("a", "b"):
        write_outputs(tmp_path / folder, data, found)
        assert {path.name for path in (tmp_path / folder).iterdir()} == names
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_pictures_without_labels_say_so(tmp_path, data):
    unlabeled = tuple(replace(record, label=None, cell_type=None, region=()) for record in data.neurons.records)
    bare = replace(data, neurons=replace(data.neurons, records=unlabeled))
    write_outputs(tmp_path, bare, evaluate(bare, [], vectors_of, settings(bootstrap=0, baselines=False)))
    assert (tmp_path / "tsne_region.png").stat().st_size > 1000
    assert (tmp_path / "confusion_matrix.png").stat().st_size > 1000
    assert "No captions could be made" in (tmp_path / "eval_report.txt").read_text()
