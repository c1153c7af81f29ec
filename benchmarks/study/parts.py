"""The parts of the study by name: what is trained, what it is compared with, and where the figures are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from benchmarks.study.baselines import WORDS
from benchmarks.study.pixels import all_basal, dice, learn_local, model_masks, rule_masks, thickest_path, true_masks
from benchmarks.study.prepare import entries_of, study_views
from benchmarks.study.protocols import N_FOLDS
from benchmarks.study.training import Run, study_settings, train_run
from benchmarks.study.work import Figures, Study, judge_baselines, judge_folds, write_row

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
    "no morphometrics head": {"lambda_morphometrics": 0.0},
    "no contrast of views": {"lambda_contrast": 0.0},
    "nothing decoded": {"lambda_seg": 0.0, "lambda_depth": 0.0},
    "every image decoded": {"decode_every": 1},
    "no skip dropout": {"skip_dropout": 0.0},
    "one level less": {"levels": 2},
    "one level more": {"levels": 4},
    "any rotation": {"rotation": 180.0},
    "pixels instead of blocks": {"patch": 1},
}
SHARES = (0.125, 0.25, 0.5, 1.0)
PIXEL_VIEWS = (0, 2, 4)
PIXEL_NEURONS, LOCAL_NEURONS = 150, 200
PROBE = {"knn": "kNN", "logistic": "logistic"}


def make_views(study: Study) -> None:
    """Render and measure."""
    say(f"{len(study.cohort):,} neurons, {len(study.store):,} views")


def find_baselines(study: Study) -> None:
    """Forests and the commonest class, all folds and the selection fold alone."""
    everything = judge_baselines(study, range(N_FOLDS))
    for name, answers in everything.items():
        write_row(study, "three folds", WORDS[name], study.figures(answers))
        alone = {task: parts[SELECTION_FOLD : SELECTION_FOLD + 1] for task, parts in answers.items()}
        write_row(study, "selection fold", WORDS[name], study.figures(alone))


def find_models(study: Study) -> None:
    """The two headline rows with donors and with labs held out; an untrained network and components of pictures."""
    for kind, words in (("pictures", "components of silhouettes"), ("untrained", "untrained encoder")):
        _write(study, "three folds", words, judge_folds(study, Run(study_settings()), kind=kind))
    for row, changes in HEADLINES.items():
        for seed in range(study.seeds):
            run = Run(study_settings(seed=seed, **changes))
            name = row if study.seeds == 1 else f"{row}, seed {seed}"
            _write(study, "three folds", name, judge_folds(study, run))
            _write(study, "three folds", name, judge_folds(study, replace(run, scheme="labs")))
            if "inputs" in changes:
                merged = f"{name}, apical shown as basal"
                _write(study, "three folds", merged, judge_folds(study, run, kind="merged"))


def find_ablations(study: Study) -> None:
    """One change each, judged on the selection fold."""
    for row, changes in ABLATIONS.items():
        run = Run(study_settings(**changes))
        _write(study, "selection fold", row, judge_folds(study, run, [SELECTION_FOLD]))


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
