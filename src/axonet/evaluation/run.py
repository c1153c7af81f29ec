"""From data to figures: every question, every model, one table. Arrays in, plain data out; no files here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from axonet.core.files import short_hash
from axonet.evaluation import schema
from axonet.evaluation.answers import columns
from axonet.evaluation.batch_effect import batch_rows
from axonet.evaluation.curves import curve_rows
from axonet.evaluation.data import Array, EvaluationData, Ints
from axonet.evaluation.folds import Question, ask
from axonet.evaluation.labels import FIELDS, Field, choose_classes, labels_of
from axonet.evaluation.laboratories import compare_laboratories, laboratories
from axonet.evaluation.maps import Map, make_map
from axonet.evaluation.remarks import remarks, sample_notes
from axonet.evaluation.retrieval import CaptionLevel, ask_level, headline, retrieval_rows
from axonet.evaluation.sampling import drawn
from axonet.evaluation.scoring import (
    Figure,
    Row,
    classification_figures,
    classification_rows,
    draw_sample,
    make_row,
)
from axonet.evaluation.settings import EvaluationSettings
from axonet.evaluation.silence import Silence, silence_rows
from axonet.evaluation.stage1 import stage1_rows
from axonet.evaluation.zero_shot import ENSEMBLE, ZeroShot, answer_zero_shot, zero_shot_rows

ClassVectors = Callable[[Field, Sequence[str]], dict[str, Array] | None]


@dataclass(frozen=True)
class Evaluation:
    """What a run found out.

    Attributes:
        metrics: content of ``metrics.json``, checked.
        notes: sentences for the report.
        zero_shot: answers by label field, for the confusion matrix.
        layout: the map.
    """

    metrics: dict[str, object]
    notes: tuple[str, ...]
    zero_shot: Mapping[str, ZeroShot]
    layout: Map


def evaluate(
    data: EvaluationData,
    captions: Sequence[CaptionLevel],
    class_vectors: ClassVectors,
    settings: EvaluationSettings,
    silence: Silence | None = None,
) -> Evaluation:
    """Judge an embedding.

    Args:
        data: neurons, vectors, measurements, groups.
        captions: per level; empty when none could be made.
        class_vectors: for a label field and classes the vectors of their prompts, by kind of prompts; None for a field
            without prompts.
        settings: how carefully.
        silence: when the model says that no word is true; None for a model that cannot.
    """
    dropped: list[Row] = [dict(row) for row in data.dropped]
    # A model that reads node types is asked again with dendrites merged.
    shown = [data, *([] if data.merged is None else [data.dendrites_merged])]
    embeddings = [embedded for own in shown for embedded in own.embeddings]
    retrieval = [row for own in embeddings for row in _retrieval(own, captions, settings)]
    found, zero_rows = _zero_shot(data, class_vectors, settings, dropped, silence)
    for own in embeddings[1:]:
        zero_rows += _zero_shot(own, class_vectors, settings, [], silence)[1]
    if silence is not None and not silence.fitted:
        reason = "too few validation neurons, classes or groups to learn when no word is true: every answer is given"
        dropped.append(_row("none_of_these_words", reason))
    questions: list[Question] = []
    for field in FIELDS:
        question, left_out = ask(field, data, settings)
        dropped += left_out
        questions += [] if question is None else [question]
    tasks = [row for question in questions for row in _tasks(question, data, settings)]
    for embedded in data.embeddings:
        batch, missing = batch_rows(embedded, settings.bootstrap, settings.seed)
        tasks += batch
        dropped += [_row("batch_effect", missing)] if missing is not None and embedded is data else []
    layout = make_map(data.embedding.item_vectors, settings.seed)
    tasks += _map_rows(layout, data)
    if data.stage1 is None:
        dropped.append(_row("stage1", "nothing is decoded: the model is shown compartments and depth"))
    if not captions:
        dropped.append(_row("retrieval", "no captions: the metadata names none of the judged neurons"))
    content = {
        "format": 1,
        "splits": _splits(data, settings),
        "tasks": tasks,
        "retrieval": retrieval,
        "zero_shot": zero_rows,
        "stage1": _stage1(data, settings),
        "dropped": dropped,
    }
    n_known = sum(data.neurons.records[i] is not None for i in data.judged)
    samples = sample_notes(questions, len(ranked_neurons(data, settings)), n_known, settings)
    notes = (*data.notes, *remarks(questions, data), *samples)
    return Evaluation(schema.check(content), notes, found, layout)


def _row(task: str, reason: str) -> Row:
    return {"task": task, "class": None, "n": None, "n_train": None, "reason": reason}


def assignments(data: EvaluationData) -> str:
    """Digest of who is judged and who is learned on."""
    ids = data.neurons.ids
    return short_hash([sorted(ids[: data.n_judged]), sorted(ids[data.n_judged :])])


def _splits(data: EvaluationData, settings: EvaluationSettings) -> Row:
    neurons = data.neurons
    kept = (
        "split",
        "pooling",
        "bootstrap",
        "min_class_size",
        "most_neurons",
        "most_ranked",
        "leaks",
        "baselines",
        "seed",
    )
    return {
        "judged": data.judged_split,
        "held_out": data.held_out,
        "promised": data.promised,
        "learned_on": "given neurons" if len(data.learned_on) else "cross-validation",
        "n_judged": data.n_judged,
        "n_learned_on": len(data.learned_on),
        "groups": len(set(neurons.groups[: data.n_judged])),
        "same_donor": data.same_donor,
        "same_lab": data.same_lab,
        "assignments": assignments(data),
        "checkpoint": data.checkpoint,
        "settings": settings.model_dump(mode="json", include=set(kept)),
    }


def _stage1(data: EvaluationData, settings: EvaluationSettings) -> list[Row]:
    if data.stage1 is None or not len(data.stage1.neurons):
        return []
    own = data.stage1.neurons
    groups, strata = [data.neurons.groups[i] for i in own], _strata(data)[own].tolist()
    return stage1_rows(data.stage1, groups, strata, data.held_out, settings.bootstrap, settings.seed)


def _strata(data: EvaluationData) -> Ints:
    """Cell type of every neuron as a class, the unlabeled as one class of their own: what resamples keep in balance."""
    labels = labels_of(data.neurons, FIELDS[0])
    place = {label: index for index, label in enumerate(sorted({label or "" for label in labels}))}
    return np.array([place[label or ""] for label in labels], dtype=np.int64)


def ranked_neurons(data: EvaluationData, settings: EvaluationSettings) -> Ints:
    """The judged neurons whose captions are ranked: those that are known, or a sample of them."""
    known = np.array([i for i in data.judged if data.neurons.records[i] is not None], dtype=np.int64)
    return drawn(known, settings.most_ranked, settings.seed, "retrieval")


def _retrieval(data: EvaluationData, captions: Sequence[CaptionLevel], settings: EvaluationSettings) -> list[Row]:
    strata, ranked = _strata(data), ranked_neurons(data, settings)
    sample = draw_sample(data, data.embedding, ranked, strata, 0, settings.bootstrap, settings.seed, "retrieval")
    directions = [way for level in captions for way in ask_level(level, data.embedding, sample, settings.seed)]
    head: Row = {"split": data.held_out, "model": data.model, "compartments": data.compartments}
    return retrieval_rows(headline(directions) + directions, head)


def _zero_shot(
    data: EvaluationData,
    class_vectors: ClassVectors,
    settings: EvaluationSettings,
    dropped: list[Row],
    silence: Silence | None,
) -> tuple[dict[str, ZeroShot], list[Row]]:
    found: dict[str, ZeroShot] = {}
    rows: list[Row] = []
    for field in FIELDS:
        labels = labels_of(data.neurons, field)
        classes = choose_classes(labels, data.judged, None, settings.min_class_size, f"zero_shot_{field.name}")
        vectors = class_vectors(field, classes.names) if len(classes.names) >= 2 else None
        if vectors is None:
            if len(classes.names) < 2:
                dropped.append(_row(f"zero_shot_{field.name}", "fewer than two classes with enough judged neurons"))
            continue
        dropped += [dict(row) for row in classes.dropped]
        judged = data.judged[classes.truth[data.judged] >= 0]
        name = f"zero_shot_{field.name}"
        sample = draw_sample(
            data, data.embedding, judged, classes.truth, len(classes.names), settings.bootstrap, settings.seed, name
        )
        result = answer_zero_shot(field, classes, vectors, data, sample)
        found[field.name] = result
        learned = data.learned_on[classes.truth[data.learned_on] >= 0] if len(data.learned_on) else judged
        counts = np.bincount(classes.truth[learned], minlength=len(classes.names)).astype(np.float64)
        groups = [data.neurons.groups[i] for i in data.embedding.items[sample.items]]
        head: Row = {"split": data.held_out, "model": data.model, "compartments": data.compartments}
        rows += zero_shot_rows(result, counts, head, groups, settings.seed)
        if silence is not None and field is FIELDS[0]:  # it was learned on cell types, with the ensemble of prompts
            about: Row = {"task": name, "prompts": ENSEMBLE, "class": None, **head}
            rows += silence_rows(about, result.scores[ENSEMBLE], sample, data.embedding, silence)
    return found, rows


def _tasks(question: Question, data: EvaluationData, settings: EvaluationSettings) -> list[Row]:
    """All probes and baselines on one label, with the difference to the strongest forest of each column."""
    embedding, name = data.embedding, question.field.name
    sample = draw_sample(
        data, embedding, question.judged, question.truth, len(question.classes), settings.bootstrap, settings.seed, name
    )
    rows: list[Row] = []
    labs = laboratories(data, sample.items)
    for column in columns(question, data, settings):
        figures = {key: classification_figures(sample, scores) for key, scores in column.answers.items()}
        majority, against = figures["majority", "majority"], figures[column.baseline]
        for (method, model), own in figures.items():
            head: Row = {"task": f"{method}_{name}", "split": data.held_out, "model": model}
            head["compartments"] = column.name
            beside = (column.answers[method, model], column.answers[column.baseline], labs, (name, method, model))
            told = {} if (method, model) == column.baseline else compare_laboratories(sample, *beside, settings.seed)
            found = classification_rows(head, own, sample, majority, column.baseline[1], against)
            rows += [{**row, **(told if row["metric"] == "balanced_accuracy" else {})} for row in found]
    if question.field is FIELDS[0]:
        for embedded in data.embeddings:
            forest = settings.baselines and embedded is data
            rows += curve_rows(question, embedded, sample, settings.seed, forest=forest)
    return rows


def _map_rows(layout: Map, data: EvaluationData) -> list[Row]:
    if layout.trustworthiness is None or layout.random is None:
        return []
    about: Row = {"n": len(layout.shown), "groups": None, "classes": None}
    head: Row = {"task": "map", "split": data.held_out, "model": data.model, "compartments": None}
    shuffled = Figure(layout.random)
    own = Figure(layout.trustworthiness)
    return [make_row(head, "trustworthiness", own, about, layout.random, None, "shuffled_map", shuffled)]
