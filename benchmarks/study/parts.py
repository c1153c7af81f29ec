"""The parts of the study by name: what is trained, what it is compared with, and where the figures are written."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from benchmarks.study.answers import gain
from benchmarks.study.baselines import WORDS
from benchmarks.study.pixels import all_basal, dice, learn_local, model_masks, rule_masks, thickest_path, true_masks
from benchmarks.study.prepare import entries_of, study_views
from benchmarks.study.training import Run, study_settings, train_run
from benchmarks.study.work import Figures, Study, judge_baselines, judge_folds, judge_seeds, write_row

from axonet.core.progress import say
from axonet.datasets.measures import load_entry
from axonet.datasets.selection import keep_neurons
from axonet.morphology.compartments import Compartment

SELECTION_FOLD = 1
HEADLINES: dict[str, dict[str, object]] = {
    "silhouette + soma zoom": {},
    "shape (compartments, depth) + soma zoom": {"inputs": "shape"},
}
ABLATIONS: dict[str, dict[str, object]] = {
    "as the headline": {},
    "bottleneck pooled alone": {"pool_levels": 0},
    "no soma zoom": {"zoom": False},
    "no scale": {"scale_dropout": 0.999},
    "no morphometrics head": {"lambda_morphometrics": 0.0},
    "no contrast of views": {"lambda_contrast": 0.0},
    "nothing decoded": {"lambda_seg": 0.0, "lambda_depth": 0.0},
    "every image decoded": {"decode_every": 1},
    "no skip dropout": {"skip_dropout": 0.0},
    "one level less": {"levels": 2},
    "one level more": {"levels": 4},
    "any rotation": {"rotation": 180.0},
    "pixels instead of blocks": {"patch": 1, "levels": 4},
}
# Parts of the headline's vector that are not looked at.
READS = ("no generalized mean", "no levels above", "no bottleneck", "no field of view")
SHARES = (0.125, 0.25, 0.5, 1.0)
PIXEL_VIEWS = (0, 2, 4)
PIXEL_NEURONS, LOCAL_NEURONS = 150, 200
PROBE = {"knn": "kNN", "logistic": "logistic"}


def make_views(study: Study) -> None:
    """Render and measure."""
    say(f"{len(study.cohort):,} neurons, {len(study.store):,} views")


def find_baselines(study: Study) -> None:
    """Forests and the commonest class, all folds and the selection fold alone."""
    for name, answers in judge_baselines(study).items():
        write_row(study, "three folds", WORDS[name], study.figures(answers))
        alone = {task: parts[SELECTION_FOLD : SELECTION_FOLD + 1] for task, parts in answers.items()}
        write_row(study, "selection fold", WORDS[name], study.figures(alone))


def find_models(study: Study) -> None:
    """The two headline rows with donors and with labs held out; an untrained network and components of pictures."""
    rows: dict[str, dict[str, Figures]] = {}
    for kind, words in (("pictures", "components of silhouettes"), ("untrained", "untrained encoder")):
        run = Run(study_settings())
        rows[words] = judge_folds(study, run, kind=kind)
        add(rows[words], judge_folds(study, replace(run, scheme="labs"), kind=kind))
    for row, changes in HEADLINES.items():
        seeds = [Run(study_settings(seed=seed, **changes)) for seed in range(study.seeds)]
        for kind, name in (("trained", row), ("merged", f"{row}, apical shown as basal")):
            if kind == "merged" and "inputs" not in changes:
                continue
            rows[name], spread = judge_seeds(study, seeds, kind)
            apart, spread_apart = judge_seeds(study, [replace(run, scheme="labs") for run in seeds], kind)
            add(rows[name], apart)
            for probe, words in spread.items():
                say(f"{name}, {PROBE[probe]}: deviation of {study.seeds} seeds {words}, {spread_apart[probe]}")
    for name, found in rows.items():
        _write(study, "three folds", name, found)
    _compare(study, rows)


def add(figures: dict[str, Figures], more: dict[str, Figures]) -> None:
    """Put figures of more tasks beside those by probe."""
    for probe, found in more.items():
        figures[probe].update(found)


def _compare(study: Study, rows: dict[str, dict[str, Figures]]) -> None:
    """Write down what every row is above or below every baseline, in paired resamples."""
    for baseline, answers in judge_baselines(study).items():
        other = study.figures(answers)
        for name, found in rows.items():
            figures = found["logistic"]
            cells = {task: gain(value, other[task]) for task, value in figures.items()}
            study.notebook.add(f"above: {WORDS[baseline]}", name, cells)


def find_ablations(study: Study) -> None:
    """One change each, judged on the selection fold, and what it gains there over the headline row."""
    headline = judge_folds(study, Run(study_settings()), [SELECTION_FOLD])
    for row, changes in ABLATIONS.items():
        run = Run(study_settings(**changes), fold=SELECTION_FOLD)
        kind = "unscaled" if row == "no scale" else "trained"
        found = judge_folds(study, run, [SELECTION_FOLD], kind) if changes else headline
        _write_ablation(study, row, found, headline)
        study.notebook.add("ablations, logistic", row, {"Dice": last_dice(study, run)})
    for read in READS:
        found = judge_folds(study, Run(study_settings()), [SELECTION_FOLD], read=read)
        _write_ablation(study, f"as the headline, read with {read}", found, headline)


def _write_ablation(study: Study, row: str, found: dict[str, Figures], headline: dict[str, Figures]) -> None:
    for probe, figures in found.items():
        cells = {task: f"{100 * value.value:.1f}" for task, value in figures.items()}
        if found is not headline:
            cells = {task: f"{cells[task]}, {gain(value, headline[probe][task])}" for task, value in figures.items()}
        mean = np.mean([value.value - headline[probe][task].value for task, value in figures.items()])
        study.notebook.add(f"ablations, {PROBE[probe]}", row, cells | {"mean gain": f"{100 * mean:+.1f}"})


def last_dice(study: Study, run: Run) -> str:
    """Validation Dice of a run's last epoch; a dash where nothing is decoded."""
    with (study.cache / "runs" / run.key / "history.csv").open() as file:
        value = list(csv.DictReader(file))[-1].get("val/dice", "")
    return f"{float(value):.2f}" if value else "-"


def find_sizes(study: Study) -> None:
    """Shares of the training neurons, judged on the selection fold; probes learn from all of them."""
    for share in SHARES:
        run = Run(study_settings(), share=share)
        _write(study, "share of neurons", f"{share:g}", judge_folds(study, run, [SELECTION_FOLD]))


def find_pixels(study: Study) -> None:
    """Foreground Dice of the silhouette model and of rules, on pixels of the selection fold."""
    cohort = study.cohort
    ids, folds = np.array(cohort.neurons.ids), cohort.folds
    order = np.random.default_rng(0).permutation(len(ids))
    judged = ids[order[folds[order] == SELECTION_FOLD]][:PIXEL_NEURONS]
    learned = ids[order[(folds[order] != SELECTION_FOLD) & (folds[order] >= 0)]][:LOCAL_NEURONS]
    views = keep_neurons(study.store, judged.tolist())
    views = views.subset(np.flatnonzero(np.isin(np.asarray(views.rows.column("view")), PIXEL_VIEWS)))
    entries = entries_of(study.tables[0], study.cache)
    namings = {
        "thickest path is the axon": thickest_path(Compartment.AXON),
        "thickest path is the apical dendrite": thickest_path(Compartment.APICAL),
        "random forest on local features of nodes": learn_local([load_entry(entries[i]) for i in learned]),
    }
    settings = study_views().model_copy(update={"biased_views": 0, "random_views": 0, "zoom_um": None})
    masks = {"all basal dendrite": all_basal(views)} | rule_masks(views, entries, namings, settings)
    run = Run(study_settings(), fold=SELECTION_FOLD)
    checkpoint = train_run(run, cohort, study.store, study.prepared, study.cache / "runs")
    masks["silhouette + soma zoom"] = model_masks(checkpoint, views)
    truth = true_masks(views)
    for row, found in masks.items():
        study.notebook.add("foreground Dice", row, dice(found, truth).cells)


def show(study: Study) -> None:
    """Print every table."""
    for table in study.notebook.tables:
        print(f"\n{study.notebook.show(table)}")


def _write(study: Study, table: str, row: str, found: dict[str, Figures]) -> None:
    for probe, figures in found.items():
        write_row(study, table, f"{row}, {PROBE[probe]}", figures)


PARTS: dict[str, Callable[[Study], None]] = {
    "prepare": make_views,
    "baselines": find_baselines,
    "models": find_models,
    "ablations": find_ablations,
    "sizes": find_sizes,
    "pixels": find_pixels,
    "show": show,
}
