"""Stage 1 from views to checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.core.progress import how_many, say, warn
from axonet.datasets.view_store import ViewStore
from axonet.inference.inputs import trained_size
from axonet.inference.morphometrics import Measures
from axonet.inference.view_batch import ViewDataset, fields_of_view
from axonet.learning.fit import FitResult, choose_precision, describe_result, fit
from axonet.learning.neuron_targets import NeuronTable, Targets, fit_targets
from axonet.learning.processes import is_first_process
from axonet.learning.resume import prepare_resume
from axonet.learning.selection import Selection, selection_by
from axonet.learning.settings import Stage1Settings
from axonet.learning.stage1_module import Stage1Module
from axonet.learning.stage1_watch import Stage1Watch
from axonet.learning.validation_images import ValidationImageLogger
from axonet.learning.views_dataset import OrderedViews, PlannedLoader, ShuffledViews, rows_by_neuron, views_digest

# What enters val/loss, and what enters train/loss besides.
_IN_THE_LOSS = ("kld_weight", "beta", "free_nats", "lambda_seg", "lambda_depth", "seg_loss", "lambda_morphometrics")
_IN_TRAINING = (
    *("flips", "rotation", "magnification", "scale_dropout", "zoom_dropout", "skip_dropout"),
    *("lambda_contrast", "contrast_temperature", "merge_dendrites", "drop_types", "decode_every", "batch_size"),
)
# Of fewer neurons, one that happens to be easy decides which epoch is the best.
_FEWEST_TO_CHOOSE = 20
# The fewest views among which telling which show the same neuron is a question: two of each of two neurons.
_FEWEST_TO_COMPARE = 4


def train_stage1(
    settings: Stage1Settings,
    train_store: ViewStore,
    val_store: ViewStore | None,
    *,
    save_dir: Path,
    log_dir: Path,
    resume: str | None = None,
    measures: Mapping[str, Measures] | None = None,
) -> FitResult:
    """Train SegVAE2D on rendered views.

    Args:
        settings: model, losses and fit.
        train_store: training views.
        val_store: validation views, None for none.
        save_dir: folder of the checkpoints and of ``history.csv``.
        log_dir: folder of the TensorBoard logs and of the validation pictures.
        resume: a ``last.ckpt``, ``auto``, or None.
        measures: rows of the table of measurements by neuron id, which the vector has to predict.

    Raises:
        UserError: the machine cannot do what is asked for, the views do not fit together, the run cannot be resumed,
            or training diverged.
    """
    choose_precision(settings.precision, settings.accelerator)  # refuses what this machine cannot do
    check_stores(train_store, val_store, settings)
    spec = complete_spec(train_store.spec, settings, fields_of_view(train_store))
    stores = {"train": train_store} if val_store is None else {"train": train_store, "val": val_store}
    targets = choose_targets(settings, train_store, measures or {})
    together = views_together(settings, train_store)
    if spec.inputs == "shape" and not targets.names and together == 1:
        raise UserError("--inputs shape: nothing is decoded, predicted or compared, so there is nothing to learn")
    data = {split: views_digest(store) for split, store in stores.items()}
    if targets.names:
        data |= {f"{split} measures": targets.digest(store) for split, store in stores.items()}
    last = prepare_resume(resume, save_dir, 1, settings, data, spec)

    train_views = ViewDataset(train_store, zoom=spec.zoom)
    plan = ShuffledViews(train_store, settings.batch_size, settings.seed, settings.views_per_neuron, together)
    train = PlannedLoader(train_views, plan, training=True, num_workers=settings.workers)
    val, pictured = None, train_views
    if val_store is not None:
        pictured = ViewDataset(val_store, zoom=spec.zoom)
        ordered = OrderedViews(val_store, settings.batch_size)
        val = PlannedLoader(pictured, ordered, training=False, num_workers=settings.workers)

    tables = {split: NeuronTable(store, targets) for split, store in stores.items()}
    module = Stage1Module(settings, spec, len(plan), data, targets=targets, tables=tables)
    module.compares = together > 1
    module.turn = partial(train.turn, accumulation=settings.gradient_accumulation_steps)
    module.watch.name_row = train_views.name
    selection = (
        selection_by("train/loss", settings, _IN_THE_LOSS + _IN_TRAINING)
        if val is None
        else selection_by("val/loss", settings, _IN_THE_LOSS)
    )
    _announce(module, plan, selection, 0 if val_store is None else len(rows_by_neuron(val_store)))
    decodes = spec.inputs == "silhouette"
    pictures = [ValidationImageLogger(pictured, log_dir / "validation")] if decodes else []
    result = fit(
        module,
        train,
        val,
        settings,
        save_dir=save_dir,
        log_dir=log_dir,
        selection=selection,
        resume=last,
        callbacks=[*pictures, Stage1Watch()],
        memory_advice=_memory_advice(settings, spec),
    )
    describe_result(result, selection)
    return result


def choose_targets(settings: Stage1Settings, train: ViewStore, measures: Mapping[str, Measures]) -> Targets:
    """Which measurements are predicted; none when that is switched off, or nothing tells the training neurons apart."""
    if settings.lambda_morphometrics == 0:
        return Targets()
    targets = fit_targets(train, measures)
    if not targets.names and is_first_process():
        warn(
            "no measurements that differ among the training neurons: none are predicted (--lambda-morphometrics is "
            "without effect)"
        )
    return targets


def views_together(settings: Stage1Settings, train: ViewStore) -> int:
    """How many views of a neuron stay in one batch: two when views are compared and there is something to compare."""
    if settings.lambda_contrast == 0:
        return 1
    sizes = [len(rows) for rows in rows_by_neuron(train).values()]
    reasons = {
        "there is one training neuron": len(sizes) < 2,
        "no neuron has two views": max(sizes) < 2,
        "--views-per-neuron is 1": settings.views_per_neuron == 1,
        f"--batch-size {settings.batch_size} is below {_FEWEST_TO_COMPARE}": settings.batch_size < _FEWEST_TO_COMPARE,
    }
    if why := next((reason for reason, holds in reasons.items() if holds), None):
        if is_first_process():
            warn(f"views are not compared (--lambda-contrast is without effect): {why}")
        return 1
    return 2


def check_stores(train: ViewStore, val: ViewStore | None, settings: Stage1Settings) -> None:
    """See that there is something to learn from, and that validation views are of the same kind.

    Raises:
        UserError: no training views, no validation views, other settings, or no window around the soma though the
            model is to look at it.
    """
    if len(train) == 0:
        raise UserError("no training views")
    if settings.zoom and train.spec.zoom_um is None:
        raise UserError(
            "--zoom: the views were rendered without the window around the soma; render them with --zoom-um 160"
        )
    if val is None:
        return
    if len(val) == 0:
        raise UserError("no validation views: give a larger --val-ratio where the data are made, or no validation")
    difference = train.spec.model_copy(update={"zoom": settings.zoom}).difference(val.spec)
    if difference:
        raise UserError(f"validation views were rendered otherwise than training views: {'; '.join(difference)}")
    shared = set(train.neuron_ids) & set(val.neuron_ids)
    if shared:
        warn(f"{len(shared)} neurons are in training and validation: validation values will be too good")


def complete_spec(spec: InputSpec, settings: Stage1Settings, fov_um: NDArray[np.float64]) -> InputSpec:
    """The dataset's specification with what training decides: image size, and statistics of the field of view.

    Args:
        spec: how views were rendered.
        settings: has the width and height to resize to.
        fov_um: ``(n,)`` fields of view of the training views.
    """
    logarithms = np.log(fov_um[np.isfinite(fov_um) & (fov_um > 0)])
    mean = float(logarithms.mean()) if len(logarithms) else 0.0
    # Views that are all alike carry no scale; any deviation will do, but not zero.
    std = float(logarithms.std()) if len(logarithms) and logarithms.std() > 1e-6 else 1.0
    size = trained_size(spec, settings.height, settings.width)
    chosen = {"image_size": size, "inputs": settings.inputs, "zoom": settings.zoom}
    known = np.exp(logarithms)
    extent = (float(known.min()), float(known.max())) if len(known) else None
    return spec.model_copy(update=chosen | {"log_fov_mean": mean, "log_fov_std": std, "fov_um_range": extent})


def _memory_advice(settings: Stage1Settings, spec: InputSpec) -> str:
    height, width = spec.input_size
    together = settings.batch_size * settings.gradient_accumulation_steps
    return (
        f"lower --batch-size (now {settings.batch_size}; --gradient-accumulation-steps keeps {together} images per "
        f"step), --width and --height (now {width} x {height} pixels) or --base-channels (now {settings.base_channels})"
    )


def _announce(module: Stage1Module, plan: ShuffledViews, selection: Selection, n_val: int) -> None:
    if not is_first_process():
        return
    model, (height, width) = module.model, module.spec.input_size
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    say(
        f"Stage 1: {plan.n_views:,} views of {how_many(len(plan.groups), 'neuron')} per epoch in "
        f"{how_many(len(plan), 'batch', 'batches')}, "
        f"{height} x {width} pixels; {n_parameters / 1e6:.2f} M parameters, {model.architecture['levels']} levels"
    )
    if selection.monitor.startswith("train/"):
        say("no validation views: the best epoch is chosen by train/loss, which cannot tell learning from memorizing")
    elif n_val < _FEWEST_TO_CHOOSE:
        say(
            f"{how_many(n_val, 'validation neuron')}: too few to tell one epoch from another, so which one is "
            "best.ckpt is up to chance; last.ckpt is as good, and with --lr-scheduler cosine rather better"
        )
