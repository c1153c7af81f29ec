"""Runs an evaluation and writes its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from axonet.core.files import read_jsonl, write_json, write_jsonl, write_text
from axonet.core.progress import say
from axonet.evaluation.captions import EmbedText, caption_levels
from axonet.evaluation.data import IMAGE, JOINED, Array, EvaluationData
from axonet.evaluation.figures import draw_confusion, draw_map, draw_nothing
from axonet.evaluation.headline import describe, headline
from axonet.evaluation.labels import FIELDS, Field, labels_of
from axonet.evaluation.load import load_data
from axonet.evaluation.page import report_page
from axonet.evaluation.places import Places, choose
from axonet.evaluation.report import TITLE, sections, write_report
from axonet.evaluation.run import Evaluation, assignments, evaluate, ranked_neurons
from axonet.evaluation.settings import EvaluationSettings
from axonet.evaluation.silence import Silence
from axonet.evaluation.tables import number, with_interval
from axonet.evaluation.zero_shot import ENSEMBLE, SINGLE, class_vectors
from axonet.inference.abstention import Abstention
from axonet.inference.device import torch_device
from axonet.inference.embed import EmbeddingModel
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.prompts import null_prompts, prompt, prompts
from axonet.models.checkpoint import Checkpoint, load_checkpoint

METRICS, REPORT, PAGE, TOUCHES = "metrics.json", "eval_report.txt", "report.html", "test_touches.jsonl"
MAPS = {"cell_type": ("tsne_cell_type.png", "cell type"), "region": ("tsne_region.png", "brain region")}
CONFUSION = "confusion_matrix.png"


def evaluate_checkpoint(places: Places, settings: EvaluationSettings) -> Evaluation:
    """Judge a checkpoint and write metrics, report and pictures.

    Raises:
        UserError: something is missing, or there is nothing to judge.
    """
    checkpoint = load_checkpoint(places.checkpoint, 2)
    model = EmbeddingModel(checkpoint, torch_device(settings.accelerator))
    merged = None
    if model.spec.inputs == "shape":
        merged = EmbeddingModel(checkpoint, torch_device(settings.accelerator), merge_dendrites=True)
    data = load_data(places, choose(places, settings.split), model, settings, checkpoint.get("data", {}), merged)
    if data.judged_split in ("test", "mixed"):
        record_touch(places.output_dir, data)  # before any figure exists: a run that is killed has looked, too
    captions = caption_levels(
        NeuronTextGenerator.from_json(model.captions), data.neurons, ranked_neurons(data, settings), model.embed_text
    )

    def vectors_of(field: Field, classes: Sequence[str]) -> dict[str, Array]:
        return prompt_vectors(field.name, classes, model.embed_text)

    found = evaluate(data, captions, vectors_of, settings, silence_of(checkpoint, model.embed_text))
    write_outputs(places.output_dir, data, found)
    for row in headline(found.metrics):
        say(f"{describe(row)}: {with_interval(row)}, chance {number(row['chance'])}")
    say(f"{places.output_dir / REPORT} tells the rest; {places.output_dir / PAGE} shows it")
    return found


def silence_of(checkpoint: Checkpoint, embed: EmbedText) -> Silence | None:
    """When a checkpoint's model says that no word is true; None for one that was saved without it."""
    if "abstention" not in checkpoint:
        return None
    names = {"image": IMAGE, "joined": JOINED}
    fitted = {names[kind]: Abstention.from_json(own) for kind, own in checkpoint["abstention"].items() if own}
    return Silence(class_vectors([np.asarray(embed(list(null_prompts())), dtype=np.float64)])[0], fitted)


def prompt_vectors(field: str, classes: Sequence[str], embed: EmbedText) -> dict[str, Array]:
    """Class vectors of a label field by kind of prompts; every sentence is embedded once."""
    sentences: dict[str, list[Sequence[str]]] = {
        ENSEMBLE: [prompts(name, field) for name in classes],
        SINGLE: [[prompt(name, field)] for name in classes],
    }
    unique = sorted({text for own in sentences.values() for texts in own for text in texts})
    vectors = dict(zip(unique, np.asarray(embed(unique), dtype=np.float64), strict=True))
    return {
        kind: class_vectors([np.stack([vectors[text] for text in texts]) for texts in own])
        for kind, own in sentences.items()
    }


def write_outputs(folder: Path, data: EvaluationData, found: Evaluation) -> None:
    """Write ``metrics.json``, ``eval_report.txt``, the three pictures, and ``report.html`` with all of it."""
    write_json(folder / METRICS, found.metrics)
    write_text(folder / REPORT, write_report(found.metrics, found.notes))
    shown = data.embedding.items[found.layout.shown]
    for field in FIELDS:
        if field.name in MAPS:
            name, words = MAPS[field.name]
            labels = labels_of(data.neurons, field)
            own = [labels[i] for i in shown]
            if any(own):
                draw_map(folder / name, found.layout, own, shown < data.n_judged, f"Neurons by {words}")
            else:
                draw_nothing(folder / name, f"Neurons by {words}", f"The metadata names no {words} of these neurons.")
    _draw_confusion(folder / CONFUSION, found)
    names = [CONFUSION, *(name for name, _ in MAPS.values())]
    splits = found.metrics["splits"]
    assert isinstance(splits, Mapping)
    pictures = {name: (folder / name).read_bytes() for name in names}
    write_text(folder / PAGE, report_page(TITLE, splits, sections(found.metrics, found.notes), pictures))


def _draw_confusion(path: Path, found: Evaluation) -> None:
    title = "Zero-shot classification of cell types"
    result = found.zero_shot.get("cell_type")
    if result is None:
        draw_nothing(path, title, "Fewer than two cell types have enough judged neurons; eval_report.txt lists them.")
        return
    rows = found.metrics["zero_shot"]
    assert isinstance(rows, list)
    wanted = {"task": "zero_shot_cell_type", "prompts": "ensemble", "metric": "balanced_accuracy"}
    row = next(row for row in rows if wanted.items() <= row.items())
    note = (
        f"Balanced accuracy {with_interval(row)}, chance {number(row['chance'])}; {row['n']:,} judged items in "
        f"{row['groups']:,} groups, {row['classes']} classes. Shade: share of the true class."
    )
    draw_confusion(path, result.confusion("ensemble"), result.classes, title, note)


def record_touch(folder: Path, data: EvaluationData) -> None:
    """Write down that test neurons are looked at; the one output with a time in it besides ``run.json``."""
    path = folder / TOUCHES
    former = read_jsonl(path) if path.is_file() else []
    row = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "checkpoint": data.checkpoint,
        "assignments": assignments(data),
        "n_judged": data.n_judged,
    }
    write_jsonl(path, [*former, row])
    say(f"test neurons: this is look {len(former) + 1} from here; {path} lists when")
