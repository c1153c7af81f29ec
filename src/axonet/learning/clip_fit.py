"""Stage 2 from views, metadata and a Stage 1 checkpoint to a model of shapes and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from axonet.core.errors import UserError
from axonet.core.files import short_hash, write_jsonl
from axonet.core.input_spec import MorphometricInput
from axonet.core.progress import say, warn
from axonet.inference.device import torch_device
from axonet.inference.encode import ViewEncoder, build_view_encoder, check_spec, encode_views
from axonet.inference.morphometrics import fit_morphometrics, shape_morphometrics
from axonet.learning.clip_batches import AllViews, NeuronBatches
from axonet.learning.clip_captions import NeuronCaptions
from axonet.learning.clip_data import ClipDataset, SharedLoader
from axonet.learning.clip_module import ClipModule, ClipWords
from axonet.learning.clip_neurons import Measures, Neurons, describe_neurons, join_files
from axonet.learning.clip_settings import ClipSettings
from axonet.learning.clip_validation import ValidationWords
from axonet.learning.clip_views import Views, encode_once, join_vectors
from axonet.learning.fit import FitResult, choose_precision, describe_result, fit
from axonet.learning.processes import is_first_process
from axonet.learning.resume import prepare_resume
from axonet.learning.schedules import total_steps
from axonet.learning.selection import Selection, selection_by
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.claims import LEVELS
from axonet.metadata.index import RecordIndex
from axonet.metadata.record import NeuronRecord
from axonet.metadata.unmatched import tell_rows, unmatched_rows
from axonet.models.checkpoint import Checkpoint
from axonet.models.text import TextEncoder, load_text_encoder

STANDARDIZED_ON = 2048  # neurons whose vectors decide the scale of features when the encoder is trained
VIEWS_AT_ONCE = 4096  # of cached vectors, in validation
# What enters train/loss: the more neurons in a batch, the harder the contrast. val/score depends on nothing such.
_IN_TRAINING = ("lambda_clip", "lambda_kld", "batch_size", "views_per_neuron", "dropout", "morphometrics_dropout")


@dataclass(frozen=True)
class ClipData:
    """Training and validation neurons.

    Attributes:
        train: neurons that are learned from.
        train_views: where their rows point.
        val: neurons that select the best epoch; None for none.
        val_views: where their rows point.
        skipped: a row with the reason for every neuron that is left out.
        unmatched: a row with the reason for every record that is of no SWC file of a manifest.
        n_records: how many records there are.
        metadata: where these are from.
    """

    train: Neurons
    train_views: Views
    val: Neurons | None
    val_views: Views | None
    skipped: list[dict[str, str]]
    unmatched: Sequence[dict[str, str]] = ()
    n_records: int = 0
    metadata: Path = Path()

    @property
    def digests(self) -> dict[str, str]:
        """What tells a resumed run that it learns from the same data."""
        found = {"train": short_hash([self.train.digest, self.train_views.digest], 16)}
        if self.val is not None and self.val_views is not None:
            found["val"] = short_hash([self.val.digest, self.val_views.digest], 16)
        return found


def describe(
    train_views: Views,
    val_views: Views | None,
    records: Sequence[NeuronRecord],
    measures: Mapping[str, Measures],
    metadata: Path,
    other_files: Sequence[str] = (),
) -> ClipData:
    """Join views with metadata, and say what is left out.

    Args:
        train_views: of the training neurons.
        val_views: of the validation neurons; None for none.
        records: the metadata.
        measures: measurements by neuron id.
        metadata: where the records are from.
        other_files: SWC files that manifests of other splits name; the rows of these are nobody's business here.

    Raises:
        UserError: fewer than two training neurons have metadata.
    """
    index = RecordIndex(records)
    files = join_files(index, train_views, val_views, other_files=other_files)
    if problem := files.problem():
        warn(problem)
    train, skipped = describe_neurons(train_views, index, measures, "train", files)
    if len(train) < 2:
        raise UserError(_no_match(len(train), skipped, records, metadata))
    val = None
    if val_views is not None:
        val, more = describe_neurons(val_views, index, measures, "val", files)
        skipped += more
        if shared := set(train.ids) & set(val.ids):
            warn(f"{len(shared)} neurons are in training and validation: validation values will be too good")
        if len(val) == 0:
            warn(f"no validation neuron has a row in {metadata}: there is no validation")
            val, val_views = None, None
    # By neuron id the metadata are those of all neurons, whatever their split: nothing there is without a file.
    unmatched = [] if train_views.swc is None else unmatched_rows(index, files)
    return ClipData(train, train_views, val, val_views, skipped, unmatched, len(index), metadata)


def train_clip(
    settings: ClipSettings,
    stage1: Checkpoint,
    data: ClipData,
    *,
    save_dir: Path,
    log_dir: Path,
    resume: str | None = None,
    vector_files: Sequence[Path] = (),
) -> FitResult:
    """Train Stage 2.

    Args:
        settings: model, loss and fit.
        stage1: the Stage 1 checkpoint.
        data: neurons with their words.
        save_dir: folder of the checkpoints, of ``history.csv``, ``skipped.jsonl`` and ``unmatched.jsonl``.
        log_dir: folder of the TensorBoard logs.
        resume: a ``last.ckpt``, ``auto``, or None.
        vector_files: vectors of the frozen encoder, when the views carry none; they are encoded otherwise.

    Raises:
        UserError: the views do not fit the checkpoint, the text encoder cannot be loaded, the run cannot be resumed,
            or training diverged.
    """
    if settings.devices is not None and settings.devices > settings.batch_size:
        raise UserError(f"--devices {settings.devices}: they share the {settings.batch_size} neurons of a batch")
    choose_precision(settings.precision, settings.accelerator)  # refuses what this machine cannot do
    device = torch_device(settings.accelerator)
    text = load_text_encoder(settings.text_encoder, device)
    encoder = build_view_encoder(stage1).to(device)
    morphometrics = joined_morphometrics(settings, data.train)
    digests = {"stage1": encoder.fingerprint, "text_encoder": text.digest[:16], **data.digests}
    for views in (data.train_views, data.val_views):
        if views is not None and views.store is not None:
            check_spec(encoder.spec, views.store)
    last = prepare_resume(resume, save_dir, 2, settings, digests, encoder.spec)
    if is_first_process():
        write_jsonl(save_dir / "skipped.jsonl", data.skipped)
        _report(data, save_dir)

    train_views, val_views = (
        None if views is None else _with_inputs(views, settings, encoder, save_dir, vector_files)
        for views in (data.train_views, data.val_views)
    )
    assert train_views is not None
    words = _words(settings, data, text)
    plan = NeuronBatches(data.train, settings.batch_size, settings.views_per_step, settings.seed, settings.batches)
    n_steps = total_steps(len(plan), settings.gradient_accumulation_steps, settings.max_epochs, settings.max_steps)
    module = ClipModule(settings, stage1, words, n_steps, digests, morphometrics)
    module.model.image.standardize_on(torch.from_numpy(_scale_vectors(train_views, data.train, encoder, settings)))

    workers = 0 if settings.freeze_encoder else settings.workers
    train = SharedLoader(ClipDataset(train_views, data.train, module.spec), plan, training=True, num_workers=workers)
    val = None
    if data.val is not None and val_views is not None:
        at_once = VIEWS_AT_ONCE if settings.freeze_encoder else settings.batch_size * settings.views_per_step
        judged = ClipDataset(val_views, data.val, module.spec)
        val = SharedLoader(judged, AllViews(data.val, at_once), training=False, num_workers=workers)
    selection = Selection("val/score", "max") if val is not None else selection_by("train/loss", settings, _IN_TRAINING)
    if is_first_process():
        _announce(module, data, plan, n_steps, val is not None)
    result = fit(module, train, val, settings, save_dir=save_dir, log_dir=log_dir, selection=selection, resume=last)
    describe_result(result, selection)
    return result


def joined_morphometrics(settings: ClipSettings, train: Neurons) -> tuple[MorphometricInput, ...]:
    """What is joined to the pictures, standardized on the training neurons.

    Raises:
        UserError: something should be, but no training neuron was measured.
    """
    if not settings.morphometrics:
        return ()
    return fit_morphometrics(train.measures, settings.morphometric_names or shape_morphometrics())


def _with_inputs(
    views: Views, settings: ClipSettings, encoder: ViewEncoder, save_dir: Path, vector_files: Sequence[Path]
) -> Views:
    """What training reads: vectors when the encoder is frozen, images otherwise."""
    if not settings.freeze_encoder or views.vectors is not None:
        return views
    if vector_files:
        return join_vectors(views, vector_files, encoder.fingerprint)
    return encode_once(views, encoder, save_dir / ".cache", settings.batch_size, settings.workers)


def _words(settings: ClipSettings, data: ClipData, text: TextEncoder) -> ClipWords:
    generator = NeuronTextGenerator.fit(data.train.records, data.train.by_record)
    levels = settings.caption_levels or LEVELS
    train = NeuronCaptions(data.train, generator, settings.seed, levels)
    if data.val is None:
        return ClipWords(text, train, None)
    val = NeuronCaptions(data.val, generator, settings.seed, levels)
    return ClipWords(text, train, ValidationWords(val, settings.batch_size, settings.seed))


def _scale_vectors(views: Views, train: Neurons, encoder: ViewEncoder, settings: ClipSettings) -> np.ndarray:
    """Stage 1 vectors of training views, ``(n, p)``, by which features are standardized."""
    if views.vectors is not None:
        return views.vectors[np.concatenate(train.rows)]
    assert views.store is not None
    sampled = NeuronBatches(train, STANDARDIZED_ON, 1, settings.seed).batches(0)[0]
    store = views.store.subset(sampled)
    return encode_views(encoder, store, batch_size=settings.batch_size, workers=settings.workers)


def _report(data: ClipData, save_dir: Path) -> None:
    tell_rows(data.unmatched, data.n_records, data.metadata, save_dir)
    n_measured = sum(measured is not None for measured in data.train.measures)
    if n_measured < len(data.train):
        warn(f"{len(data.train) - n_measured:,} training neurons have no measurements: their captions name no sizes")
    if data.skipped:
        counts = {split: sum(row["split"] == split for row in data.skipped) for split in ("train", "val")}
        warn(
            f"left out for want of metadata: {counts['train']:,} training and {counts['val']:,} validation neurons, "
            f"listed in {save_dir / 'skipped.jsonl'}"
        )


def _announce(module: ClipModule, data: ClipData, plan: NeuronBatches, n_steps: int, validates: bool) -> None:
    settings, n_val = module.settings, 0 if data.val is None else len(data.val)
    trained = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    say(
        f"Stage 2: {len(data.train):,} training neurons with {data.train.n_views:,} views, {n_val:,} for validation; "
        f"{n_steps:,} steps, loss {settings.loss}, text encoder {settings.text_encoder} "
        f"({'trained' if settings.train_text_encoder else 'frozen'}); {trained / 1e6:.2f} M parameters are trained, "
        f"the Stage 1 encoder is {'frozen' if settings.freeze_encoder else 'fine-tuned'}"
    )
    if joined := [item.name for item in module.spec.morphometrics]:
        say(f"joined to the pictures in {1 - settings.morphometrics_dropout:.0%} of the steps: {', '.join(joined)}")
    if settings.batches != plan.how:
        say("all training neurons are of one archive: batches are drawn from all alike")
    _warn_of_equal_captions(module, data, settings.batch_size)
    if not validates:
        say("no validation neurons: the best epoch is chosen by train/loss, which cannot tell learning from memorizing")


def _warn_of_equal_captions(module: ClipModule, data: ClipData, batch_size: int) -> None:
    """Neurons of a batch that are said to be the same cannot be told apart by it."""
    n_different = len({caption.text for caption in module.words.train.draw(range(len(data.train)), 0)})
    if n_different >= min(batch_size, len(data.train)):
        return
    effect = {
        "infonce": "infonce counts an equal caption of another neuron as wrong, so its loss cannot become small",
        "masked": "masked leaves equal captions out, so a batch holds fewer contrasts than it has neurons",
        "entail": "entail counts equal captions as right, so a batch teaches classes rather than neurons",
        "siglip": "siglip counts equal captions as right, so a batch teaches classes rather than neurons",
    }[module.settings.loss]
    warn(
        f"{n_different:,} different captions in an epoch for batches of {batch_size:,}: {effect}; richer metadata or "
        "measurements give more captions, a smaller --batch-size fewer equals"
    )


def _no_match(
    n_found: int, skipped: Sequence[Mapping[str, str]], records: Sequence[NeuronRecord], metadata: Path
) -> str:
    if not skipped:
        return f"{n_found} training neurons are too few: a contrast needs two"
    example = skipped[0].get("swc") or skipped[0]["neuron_id"]
    known = "" if not records else f", which knows for example {records[0].swc!r} ({records[0].neuron_id})"
    return (
        f"{n_found} of {n_found + len(skipped)} training neurons have metadata: {example!r} is not in {metadata}"
        f"{known}; is this the metadata of these neurons?"
    )
