"""Retrieval and zero-shot of a model that reads node types, also with dendrites merged, where claims are made."""

from __future__ import annotations

from dataclasses import replace

from axonet.evaluation.headline import headline
from axonet.evaluation.report import write_report
from axonet.evaluation.run import evaluate
from axonet.metadata.captions import NeuronTextGenerator

from .synthetic import find_rows, make_captions, make_data, random_vector, settings, spoken_vector, vectors_of


def test_words_are_judged_with_dendrites_merged_too_and_the_headline_takes_that():
    data = make_data(24, 40, spoken_vector(NeuronTextGenerator(), "standard"))
    merged = make_data(24, 40, random_vector).embedding
    plain = settings(baselines=False, bootstrap=20)
    typed = replace(data, compartments="as_typed", merged=merged)
    metrics = evaluate(typed, make_captions(data), vectors_of, plain).metrics
    for name, wanted in (
        ("retrieval", {"level": "standard", "hit": "equal", "direction": "neuron_to_text", "metric": "recall_at_1"}),
        ("zero_shot", {"task": "zero_shot_cell_type", "prompts": "ensemble", "metric": "balanced_accuracy"}),
    ):
        rows = {row["compartments"]: row for row in find_rows(metrics[name], **wanted)}
        assert set(rows) == {"as_typed", "merged"}
        assert rows["merged"]["value"] < rows["as_typed"]["value"]
    assert {row["compartments"] for row in headline(metrics) if "direction" in row} == {"merged"}
    assert "Neuron finds its caption, dendrites merged" in write_report(metrics, ())


def test_a_model_that_reads_no_types_is_judged_once():
    data = make_data(24, 40)
    metrics = evaluate(data, make_captions(data), vectors_of, settings(baselines=False, bootstrap=0)).metrics
    assert {row["compartments"] for row in [*metrics["retrieval"], *metrics["zero_shot"]]} == {None}
