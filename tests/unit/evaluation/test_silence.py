"""Both embeddings side by side, and answers that may be "none of these words"."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from axonet.evaluation.data import IMAGE, JOINED
from axonet.evaluation.headline import headline
from axonet.evaluation.report import write_report
from axonet.evaluation.run import evaluate
from axonet.evaluation.silence import Silence
from axonet.evaluation.zero_shot import class_vectors
from axonet.inference.abstention import Abstention
from axonet.metadata.prompts import null_prompts, prompts

from .synthetic import CLASSES, hashed_text, make_captions, make_data, pick, settings, vectors_of

FITTED = Abstention(0.05, 12.0, -1.0, 0.05, 0.8, (1.0,), (0.5,), 100, 4)


def word_vector(noise):
    """Near the words of the neuron's class."""

    def vector(record, measures, stream):
        own = np.asarray(hashed_text(prompts(record.label, "cell_type"))).mean(axis=0)
        return own / np.linalg.norm(own) + noise * stream.normal(size=len(own)) / np.sqrt(len(own))

    return vector


@pytest.fixture(scope="module")
def data():
    joined = make_data(n_judged=40, vector_of=word_vector(0.4)).embedding
    return replace(make_data(n_judged=40, vector_of=word_vector(8.0)), joined=joined)


@pytest.fixture(scope="module")
def found(data):
    null = class_vectors([np.asarray(hashed_text(null_prompts()))])[0]
    silence = Silence(null, {IMAGE: FITTED, JOINED: FITTED})
    return evaluate(data, make_captions(data), vectors_of, settings(bootstrap=100), silence)


def test_every_question_is_asked_of_both_embeddings(found):
    keys = ("task", "level", "direction", "hit", "metric", "prompts", "class")
    for rows in (found.metrics["retrieval"], found.metrics["zero_shot"]):
        alone, both = (
            {tuple(str(row.get(key)) for key in keys) for row in rows if row["model"] == model}
            for model in (IMAGE, JOINED)
        )
        assert alone == both
        assert alone
    tasks = {(row["task"], row["model"]) for row in found.metrics["tasks"]}
    for method in ("knn5", "knn20", "logistic"):
        assert {(f"{method}_cell_type", model) for model in (IMAGE, JOINED)} <= tasks


def test_the_joined_rows_are_about_the_joined_vectors(found):
    alone, both = (
        pick(found.metrics["zero_shot"], task="zero_shot_cell_type", prompts="ensemble", metric="accuracy", model=model)
        for model in (IMAGE, JOINED)
    )
    assert both["value"] > alone["value"] + 0.1
    assert both["interval"] is not None


def test_the_plain_answers_do_not_depend_on_silence(data, found):
    plain = evaluate(data, make_captions(data), vectors_of, settings(bootstrap=100))
    kept = [row for row in found.metrics["zero_shot"] if not row["metric"].startswith(("none_", "answered_", "risk_"))]
    assert kept == plain.metrics["zero_shot"]


def test_the_figures_are_those_of_slow_counts(data, found):
    vectors = data.joined.item_vectors[: data.n_judged]
    names = sorted({record.label for record in data.neurons.records})
    words = class_vectors([np.asarray(hashed_text(prompts(name, "cell_type"))) for name in names])
    null = class_vectors([np.asarray(hashed_text(null_prompts()))])[0]
    cosine, lead = vectors @ words.T, vectors @ null
    truth = np.array([names.index(record.label) for record in data.neurons.records[: data.n_judged]])
    away = [np.delete(row, t).max() - n for row, t, n in zip(cosine, truth, lead, strict=True)]
    score = np.concatenate([cosine.max(axis=1) - lead, away])

    def value(metric):
        return pick(found.metrics["zero_shot"], metric=metric, model=JOINED)["value"]

    assert value("none_separation") == pytest.approx(roc_auc_score(np.arange(80) < 40, score), abs=1e-6)
    none = 1 / (1 + np.exp(12.0 * score[:40] - 1.0))
    assert value("answered_share") == pytest.approx((none <= 0.5).mean())
    right = cosine.argmax(axis=1) == truth
    assert value("answered_accuracy") == pytest.approx(right[none <= 0.5].mean())
    assert len(names) == len(CLASSES)


def test_headline_and_report_name_both(found):
    models = [row["model"] for row in headline(found.metrics)]
    assert models.count(IMAGE) == models.count(JOINED) == 4
    text = write_report(found.metrics, ())
    for words in ("morphometrics joined", "None of these words (cell type, ensemble)", "accuracy where answered"):
        assert words in text


def test_a_model_that_learned_no_silence_says_so(data):
    found = evaluate(data, make_captions(data), vectors_of, settings(bootstrap=0), Silence(np.ones(32) / 32**0.5))
    assert [row["task"] for row in found.metrics["dropped"]].count("none_of_these_words") == 1
    assert not [row for row in found.metrics["zero_shot"] if row["metric"].startswith("none_")]
