"""``eval_report.txt``: what was asked, on what, the answer beside chance and baseline, and what it does not prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from axonet.evaluation.caveats import caveats, few
from axonet.evaluation.data import IMAGE, JOINED
from axonet.evaluation.document import Block, Bullets, Paragraph, Picture, Section, Table
from axonet.evaluation.headline import (
    FIELD_WORDS,
    METHOD_WORDS,
    METRIC_WORDS,
    MODEL_WORDS,
    describe,
    find,
    headline,
    rows_of,
    split_task,
    verdict,
)
from axonet.evaluation.laboratories import FEWEST_TO_TELL
from axonet.evaluation.report_beside import beside_blocks, stage1_blocks
from axonet.evaluation.report_end import dropped_block, how_block
from axonet.evaluation.tables import as_text, count, difference, number, with_interval

Row = Mapping[str, object]

VALUE = "[95 % interval]"
COLUMN_WORDS = {"as_typed": "", "merged": ", dendrites merged"}
MAP_WORDS = "A flat map of the embedding. Distances between groups mean nothing."
CONFUSION_WORDS = "Rows: true cell type; columns: answered. Counts in the cells, shade by share of the row."
TITLE = "axonet evaluation"


def write_report(metrics: Mapping[str, object], notes: Sequence[str]) -> str:
    """The report as plain text; arguments as of `sections`."""
    return as_text(TITLE, sections(metrics, notes))


def sections(metrics: Mapping[str, object], notes: Sequence[str]) -> list[Section]:
    """The report, from what was asked to how the figures are made.

    Args:
        metrics: content of ``metrics.json``.
        notes: sentences about this run that the reader must know.
    """
    splits = _mapping(metrics["splits"])
    retrieval, zero_shot, tasks = (rows_of(metrics, name) for name in ("retrieval", "zero_shot", "tasks"))
    return [
        Section("", [_asked(splits)]),
        Section("Read this first", [Bullets([*caveats(splits, [*retrieval, *zero_shot, *tasks]), *notes])]),
        Section("In short", _in_short(metrics, splits)),
        Section("1. Retrieval between neurons and captions", _retrieval(retrieval)),
        Section("2. Zero-shot classification", _zero_shot(zero_shot, splits)),
        Section("3. Probes of the embedding, and what must be beaten", _tasks(tasks)),
        Section("4. Laboratory, views and labels", beside_blocks(tasks)),
        Section("5. Stage 1: compartments and depth from silhouettes", stage1_blocks(rows_of(metrics, "stage1"))),
        Section("6. Not judged", [dropped_block(rows_of(metrics, "dropped"))]),
        Section("How the figures are made", [how_block(splits)]),
    ]


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, Mapping)
    return value


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _asked(splits: Row) -> Paragraph:
    pooling = {
        "mean": "The views of a neuron are averaged into one vector.",
        "max": "A neuron is compared by its best view; the logistic probe and the map use the mean of its views.",
        "none": "Every view is judged by itself, so n counts views; intervals still resample groups of neurons.",
    }[str(_mapping(splits["settings"])["pooling"])]
    learned = (
        f"Probes and baselines learn on {count(_int(splits['n_learned_on']), 'other neuron')}."
        if splits["learned_on"] == "given neurons"
        else "Probes and baselines learn by cross-validation inside the judged neurons, because no others were given."
    )
    return Paragraph(
        f"Asked: does the embedding find a neuron's caption, its cell type, its brain region, its species, its layer? "
        f"Judged: {count(_int(splits['n_judged']), 'neuron')} ({splits['judged']} split) in "
        f"{count(_int(splits['groups']), 'independent group')}. {learned} {pooling}"
    )


def _in_short(metrics: Mapping[str, object], splits: Row) -> list[Block]:
    rows = headline(metrics)
    if not rows:
        return [Paragraph("Nothing could be judged; section 6 says why.")]
    judged, commonest = not few(splits), _constant_words(splits)
    body = []
    for row in rows:
        named = MODEL_WORDS.get(str(row["baseline"]), str(row["baseline"]))
        line = [describe(row), with_interval(row), number(row["chance"]), number(row["majority"])]
        line.append("(is the baseline)" if row["model"] == row["baseline"] else f"{difference(row)} to {named}")
        body.append([*line, verdict(row)] if judged else line)
    head = ["", f"value {VALUE}", "chance", "constant", f"difference {VALUE}", *(["verdict"] if judged else [])]
    note = (
        f"'constant' ignores the neuron: in retrieval the list that is best for the judged queries, else {commonest}. "
    )
    note += "In balanced accuracy every constant answer reaches 1 / classes. "
    note += "The verdict goes by the interval of the difference." if judged else "Too few neurons for a verdict."
    return [Table(head, body, rows), Paragraph(note)]


def _constant_words(splits: Row) -> str:
    """Which constant answer stands beside zero-shot and probes."""
    if splits["learned_on"] == "given neurons":
        return "always the class that is commonest among the neurons learned on, which need not be so among the judged"
    return "always the commonest class (zero-shot: of the judged neurons; probes: of what each fold learns on)"


def _retrieval(rows: Sequence[Row]) -> list[Block]:
    if not rows:
        return [Paragraph("No captions could be made for the judged neurons.")]
    parts: list[Block] = [
        Paragraph(
            "Every different caption is one candidate, however many neurons share it. A hit is an equal caption; in "
            "the second number ('true') any caption that is true of the neuron. 'constant' is the best list that "
            "ignores the query, such as always the commonest caption: what a model that sees nothing can reach."
        )
    ]
    titles = {"neuron_to_text": "Neuron finds its caption", "text_to_neuron": "Caption finds its neurons"}
    third = {"neuron_to_text": "median_rank", "text_to_neuron": "mean_average_precision"}
    for (model, types), (direction, title) in product(_shown(rows), titles.items()):
        own = find(rows, direction=direction, model=model, compartments=types)
        title += _shown_words(model, types)
        body = [
            _retrieval_line(find(own, level=level, hit=hit), third[direction])
            for level, hit in dict.fromkeys((row["level"], row["hit"]) for row in own)
        ]
        last = ["median rank", "chance", ""] if direction == "neuron_to_text" else [f"mAP {VALUE}", "chance", "p"]
        first = [f"R@1 {VALUE}", "chance", "constant", f"MRR {VALUE}", "chance"]
        head = [title, *first, *last, "n / candidates"]
        parts.append(Table(head, body))
    parts.append(
        Paragraph(
            "Morphometric captions hold numbers of the same reconstruction; the headline is the mean of the broad and "
            "standard levels. p compares with neurons dealt out at random. R@5 and R@10 are in metrics.json: with few "
            "candidates they are near 1 by chance."
        )
    )
    return parts


def _retrieval_line(rows: Sequence[Row], third: str) -> list[str]:
    by_metric = {str(row["metric"]): row for row in rows}
    first, reciprocal, last = by_metric["recall_at_1"], by_metric["mean_reciprocal_rank"], by_metric[third]
    cells = [f"{first['level']}, {first['hit']}"]
    cells += [with_interval(first), number(first["chance"]), number(first["majority"])]
    cells += [with_interval(reciprocal), number(reciprocal["chance"])]
    p = number(last["p"], 3) if last["p"] is not None else ""
    cells += [number(last["value"], 1) if third == "median_rank" else with_interval(last), number(last["chance"]), p]
    both = first["candidates"] is None  # two levels have two lists
    return [*cells, number(first["n"]) if both else f"{number(first['n'])} / {number(first['candidates'])}"]


def _zero_shot(rows: Sequence[Row], splits: Row) -> list[Block]:
    if not rows:
        return [Paragraph("No label had two classes with enough judged neurons.")]
    body = []
    keys = [(row["model"], row["compartments"], row["task"], row["prompts"]) for row in rows]
    for model, types, task, prompts in dict.fromkeys(keys):
        own = find(rows, task=task, prompts=prompts, model=model, compartments=types, **{"class": None})
        joined = _shown_words(model, types)
        by_metric = {str(row["metric"]): row for row in own}
        balanced, plain, top = (by_metric[name] for name in ("balanced_accuracy", "accuracy", "top_3"))
        informative = _int(balanced["classes"]) > 3
        body.append(
            [f"{FIELD_WORDS[split_task(str(task))[1]]}, {prompts}{joined}", with_interval(balanced),
             number(balanced["chance"]), with_interval(plain), number(plain["majority"]),
             number(by_metric["macro_f1"]["value"]),
             f"{number(top['value'])} ({number(top['chance'])})" if informative else "-",
             f"{number(balanced['n'])} / {number(balanced['classes'])}"]
        )  # fmt: skip
    head = ["", f"balanced accuracy {VALUE}", "chance", f"accuracy {VALUE}", "constant", "macro F1", "top-3 (chance)",
            "n / classes"]  # fmt: skip
    text = (
        "The answer is the class whose prompt lies nearest: the mean of several ('ensemble'), or one ('single'). "
        f"'constant' is the accuracy of answering {_constant_words(splits)}."
    )
    typed = [row for row in rows if row["compartments"] != "merged"]
    recalled = find(typed, task="zero_shot_cell_type", prompts="ensemble", metric="recall", model=IMAGE)
    recalls = [
        [str(row["class"]), with_interval(row), number(row["chance"]), number(row["majority"]), number(row["n"])]
        for row in recalled
    ]
    head_recalls = ["Recall of each cell type (ensemble)", f"value {VALUE}", "chance", "constant", "n"]
    parts: list[Block] = [Paragraph(text), Table(head, body)]
    if recalls:
        parts.append(Table(head_recalls, recalls, recalled))
    parts.append(Picture("confusion_matrix.png", CONFUSION_WORDS))
    if declined := _declined(typed):
        parts += declined
    return parts


def _declined(rows: Sequence[Row]) -> list[Block]:
    """What the model is worth when it may say that no word is true."""
    names = ("none_separation", "none_calibration_error", "answered_share", "answered_accuracy", "risk_coverage")
    body = [
        [METRIC_WORDS[name] + (" (morphometrics joined)" if row["model"] == JOINED else ""), with_interval(row),
         number(row["chance"]), number(row["n"])]
        for model in _models(rows)
        for name in names
        for row in find(rows, metric=name, model=model)
    ]  # fmt: skip
    if not body:
        return []
    text = (
        "The model may decline: it then says that none of the words is true. When it does so was learned on its "
        "validation neurons, each asked about with its cell type among the words and without. The first two lines ask "
        "the judged neurons in the same way; the others ask with all words, and decline above a probability of one "
        "half. Nothing of this enters the figures above."
    )
    return [
        Paragraph(text),
        Table(["None of these words (cell type, ensemble)", f"value {VALUE}", "chance", "n"], body),
    ]


def _shown(rows: Sequence[Row]) -> list[tuple[object, object]]:
    """The embeddings that rows are about, and what they were shown of node types."""
    return list(dict.fromkeys((row["model"], row["compartments"]) for row in rows))


def _shown_words(model: object, types: object) -> str:
    return (", morphometrics joined" if model == JOINED else "") + COLUMN_WORDS.get(str(types), "")


def _models(rows: Sequence[Row]) -> list[object]:
    """The embeddings that rows are about, in their order."""
    return list(dict.fromkeys(row["model"] for row in rows))


def _tasks(rows: Sequence[Row]) -> list[Block]:
    probes = find(rows, metric="balanced_accuracy")
    parts: list[Block] = []
    for (field, words), (column, types) in product(FIELD_WORDS.items(), COLUMN_WORDS.items()):
        own = [row for row in find(probes, compartments=column) if split_task(str(row["task"]))[1] == field]
        if own:
            parts.append(_task_table(words + types, own))
    if not parts:
        return [Paragraph("No label had two classes that could be learned and judged.")]
    baselines = " or ".join(sorted({MODEL_WORDS.get(str(row["baseline"]), str(row["baseline"])) for row in probes}))
    intro = Paragraph(
        "Balanced accuracy: every class counts the same. That a tracer told apical from basal dendrites gives many a "
        "cell type away, so claims are made in the tables with dendrites merged, where both are one; what reads no "
        f"node types stands in both. The difference is to '{baselines}', on the same resamples; "
        "where its interval holds 0 the two cannot be told apart. An embedding is worth something where it beats the "
        "forests. 'better in labs': in how many archives the value is above the baseline's, and the sign-flip test of "
        f"the differences archive by archive, the test that counts for few of them: below {FEWEST_TO_TELL} nothing can "
        "reach p < 0.05. Accuracy and macro F1 are in metrics.json."
    )
    maps = find(rows, task="map")
    if maps:
        trust = f"trustworthiness {number(maps[0]['value'])}, {number(maps[0]['chance'])} for a shuffled map"
        parts.append(Paragraph(f"Maps (tsne_cell_type.png, tsne_region.png): {trust}."))
    parts += [Picture("tsne_cell_type.png", MAP_WORDS), Picture("tsne_region.png", MAP_WORDS)]
    return [intro, *parts]


def _task_table(words: str, rows: Sequence[Row]) -> Table:
    body = []
    labs = any(row["labs"] for row in rows)
    for row in rows:
        method, _ = split_task(str(row["task"]))
        model = MODEL_WORDS.get(str(row["model"]), str(row["model"]))
        name = METHOD_WORDS[method] if method == "majority" else f"{METHOD_WORDS.get(method, method)}: {model}"
        body.append([name, with_interval(row), "baseline" if row["model"] == row["baseline"] else difference(row)])
        body[-1] += [_labs(row)] if labs else []
    first = rows[0]
    about = f"{number(first['n'])} judged, {number(first['classes'])} classes, chance {number(first['chance'])}"
    head = [f"{words.capitalize()} ({about})", f"value {VALUE}", f"difference {VALUE}"]
    return Table([*head, *(["better in labs, p"] if labs else [])], body, rows)


def _labs(row: Row) -> str:
    """``5 of 7, p 0.12``."""
    return f"{row['labs_better']} of {row['labs']}, p {number(row['labs_p'], 3)}" if row["labs"] else "-"
