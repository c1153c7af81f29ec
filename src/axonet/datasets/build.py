"""A data directory from a folder of SWC files: views, manifests, splits, measurements and the quality table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axonet.core.errors import UserError
from axonet.core.files import read_table, remove_leftovers, safe_name, write_jsonl, write_table, write_text
from axonet.core.progress import say, warn
from axonet.datasets.build_shard import image_settings
from axonet.datasets.dataset_info import FILE_NAME, DatasetInfo, Layout, read_dataset_info, write_dataset_info
from axonet.datasets.groups import group_keys
from axonet.datasets.manifest import parquet_beside, write_manifest
from axonet.datasets.measures import OK, measure_table
from axonet.datasets.parts import DEFAULT_SHARD_BITS, Part
from axonet.datasets.png_jobs import PngViews
from axonet.datasets.quality import worst_neurons
from axonet.datasets.quality_page import quality_page
from axonet.datasets.quality_table import write_quality_csv
from axonet.datasets.render_jobs import QC_FIELDS, Outcome, input_spec
from axonet.datasets.shard_jobs import PackedViews
from axonet.datasets.splits import SplitSettings, check_split_settings, update_split_file
from axonet.sources.catalog import CatalogEntry
from axonet.sources.swc_files import find_swc_files, name_neurons

if TYPE_CHECKING:
    from axonet.metadata.record import NeuronRecord
    from axonet.rendering.settings import RenderSettings

MEASURES, SPLIT_FILE, QUALITY_PAGE = "measure.parquet", "splits.parquet", "quality.html"

Views = PngViews | PackedViews


@dataclass(frozen=True)
class DatasetRequest:
    """What to make a data directory of, and how.

    Attributes:
        swc_dir: folder of SWC files.
        out: the data directory.
        render: how to render.
        split: how to divide.
        layout: PNG files or packed shards.
        shard_bits: with packed shards, there are ``2**shard_bits``; None for the default.
        metadata: tells donors and labs; None without.
        source: dialect of the metadata.
        columns: names of columns in a table of one's own.
        part: render this part of the neurons only; other processes render the others.
        jobs: number of processes.
    """

    swc_dir: Path
    out: Path
    render: RenderSettings
    split: SplitSettings
    layout: Layout = "png"
    shard_bits: int | None = None
    metadata: Path | None = None
    source: str = "neuromorpho"
    columns: Mapping[str, str] = field(default_factory=dict)
    part: Part | None = None
    jobs: int = 1

    @property
    def bits(self) -> int:
        """Which power of two the number of packed shards is."""
        return DEFAULT_SHARD_BITS if self.shard_bits is None else self.shard_bits


@dataclass(frozen=True)
class DatasetCounts:
    """What a data directory holds now; of a part, while others are missing, what the part holds."""

    neurons: int
    rendered: int
    views: int
    skipped: dict[str, int] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)


def build_dataset(request: DatasetRequest) -> DatasetCounts:
    """Make a data directory, or bring one up to date: neurons that are finished are not rendered again.

    Of a part, the tables, splits and manifests are written only when all other parts are there.

    Raises:
        UserError: no SWC files; the folder holds views of other settings; nothing could be rendered.
    """
    from axonet.rendering.backends import check_backend

    entries = list_entries(request.swc_dir, request.out)
    records = _records(request, entries)
    check_split_settings(request.out / SPLIT_FILE, request.split)
    check_backend(request.render)
    _claim_folder(request)
    remove_leftovers(request.out)
    views = _views(request, entries)
    outcomes = views.finish(request.part, request.jobs)
    if request.part is not None:
        n_unfinished = views.n_unfinished()
        everyone = None if n_unfinished else views.outcomes()
        if everyone is None:
            return _part_done(request, outcomes, n_unfinished)
        outcomes = everyone
    return _complete(request, len(entries), records, views, outcomes)


def _complete(
    request: DatasetRequest,
    n_neurons: int,
    records: Mapping[str, NeuronRecord],
    views: Views,
    outcomes: Sequence[Outcome],
) -> DatasetCounts:
    """Write what is about all neurons: tables, splits, manifests, the page of the worst."""
    measures = measure_table(outcome.measure for outcome in outcomes)
    write_table(request.out / MEASURES, measures)
    qc = [row for outcome in outcomes for row in outcome.qc]
    _write_qc(request.out, qc)
    _write_page(request.out, qc, views)
    skipped = _skipped(outcomes)
    reasons = ", ".join(f"{code} {n}" for code, n in skipped.most_common())
    ids = sorted(outcome.neuron_id for outcome in outcomes if outcome.n_views)
    if not ids:
        table = request.out / "qc.csv"
        raise UserError(f"none of the {n_neurons} SWC files could be rendered ({reasons}); see {table}")
    shapes = dict(zip(measures["neuron_id"].to_pylist(), measures["fingerprint"].to_pylist(), strict=True))
    keys = group_keys([records.get(i) for i in ids], request.split.split_by, [shapes[i] for i in ids])
    _remove_manifests(request)
    splits = update_split_file(request.out / SPLIT_FILE, ids, keys, request.split)
    everyone = dict(zip(splits["neuron_id"].to_pylist(), splits["split"].to_pylist(), strict=True))
    split_of = {neuron_id: everyone[neuron_id] for neuron_id in ids}
    _write_manifests(request, views, split_of)
    n_views = sum(outcome.n_views for outcome in outcomes)
    counts = DatasetCounts(
        n_neurons, len(ids), n_views, dict(sorted(skipped.items())), dict(Counter(split_of.values()))
    )
    say(f"{counts.rendered} of {counts.neurons} neurons rendered, {counts.views} views, in {request.out}")
    if skipped:
        say(f"{skipped.total()} skipped ({reasons}); reasons are in {request.out / 'qc.csv'}")
    say("neurons by split: " + ", ".join(f"{name} {n}" for name, n in sorted(counts.splits.items())))
    say(f"the worst of them, to look at: {request.out / QUALITY_PAGE}")
    return counts


def _part_done(request: DatasetRequest, outcomes: Sequence[Outcome], n_unfinished: int) -> DatasetCounts:
    """Say how far a part is while others are missing."""
    rendered = [outcome for outcome in outcomes if outcome.n_views]
    n_views = sum(outcome.n_views for outcome in rendered)
    say(f"part {request.part}: {len(rendered)} of its {len(outcomes)} neurons rendered, {n_views} views")
    say(
        f"{n_unfinished or 'some'} neurons of other parts are not finished; the last part to finish writes the "
        "manifests, and so does a call without --shard"
    )
    return DatasetCounts(len(outcomes), len(rendered), n_views, dict(sorted(_skipped(outcomes).items())))


def _skipped(outcomes: Iterable[Outcome]) -> Counter[str]:
    return Counter(row["status"] for outcome in outcomes for row in outcome.qc if row["status"] != OK)


def list_entries(swc_dir: Path, out: Path | None = None) -> list[CatalogEntry]:
    """The SWC files of a folder with the names of their neurons, sorted by name.

    Args:
        swc_dir: the folder.
        out: a data directory made of it before, which remembers names.
    """
    known: dict[str, str] = {}
    if out is not None and (out / MEASURES).is_file():
        former = read_table(out / MEASURES, ["neuron_id", "swc"])
        known = dict(zip(former["swc"].to_pylist(), former["neuron_id"].to_pylist(), strict=True))
    names = name_neurons(find_swc_files(swc_dir), known)
    entries = [CatalogEntry(name, safe_name(name), path, str(swc_dir / path)) for path, name in names.items()]
    return sorted(entries, key=lambda entry: entry.neuron_id)


def _records(request: DatasetRequest, entries: Sequence[CatalogEntry]) -> dict[str, NeuronRecord]:
    if request.metadata is None:
        if request.split.split_by != "neuron":
            raise UserError(f"--split-by {request.split.split_by} needs --metadata, which tells donors and labs")
        return {}
    from axonet.metadata.adapters import load_records
    from axonet.metadata.index import RecordIndex
    from axonet.metadata.unmatched import tell_unmatched

    index = RecordIndex(load_records(request.metadata, request.source, request.columns))
    joined = index.join([entry.swc for entry in entries])
    found = {entry.neuron_id: joined.records[entry.swc] for entry in entries if entry.swc in joined.records}
    use = "" if request.split.split_by != "neuron" else "; a split by neuron does not use it"
    say(f"{request.metadata}: metadata for {len(found)} of {len(entries)} SWC files{use}")
    if (problem := joined.problem()) is not None:
        if request.split.split_by != "neuron":  # a neuron in the wrong group would be in training and test at once
            raise UserError(f"{request.metadata}: {problem}")
        warn(f"{request.metadata}: {problem}")
    if not found and request.split.split_by != "neuron":
        raise UserError(f"{request.metadata}: names none of the SWC files of {request.swc_dir}")
    tell_unmatched(index, joined, request.metadata, request.out)
    return found


def _claim_folder(request: DatasetRequest) -> None:
    """Say in ``dataset.json`` what the folder holds; refuse to mix."""
    info = DatasetInfo(
        layout=request.layout,
        depth_bits=request.render.depth_bits,
        input_spec=input_spec(request.render),
        settings={
            **image_settings(request.render),
            **({"shard_bits": request.bits} if request.layout == "shards" else {}),
        },
    )
    if not (request.out / FILE_NAME).is_file():
        try:
            request.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{request.out}: cannot be made a folder ({error.strerror}); give --out another place"
            ) from error
        write_dataset_info(request.out, info)
    # Read back also what was just written: another part may have been started at the same moment.
    if other := info.difference(read_dataset_info(request.out)):
        raise UserError(
            f"{request.out} holds views made with other settings; this call asks for {', '.join(other)}: use another "
            "--out, or delete the folder"
        )


def _views(request: DatasetRequest, entries: Sequence[CatalogEntry]) -> Views:
    if request.layout == "shards":
        return PackedViews(request.out, request.render, entries, request.bits)
    return PngViews(request.out, request.render, entries)


def _write_page(out: Path, qc: Sequence[Mapping[str, Any]], views: Views) -> None:
    worst = worst_neurons(qc)
    pictures = views.pictures({row["neuron_id"] for row in worst})
    write_text(out / QUALITY_PAGE, quality_page(qc, worst, pictures, "qc.csv"))


def _write_qc(out: Path, qc: Iterable[Mapping[str, Any]]) -> None:
    ordered = sorted(qc, key=lambda row: str(row["neuron_id"]))
    write_jsonl(out / "qc.jsonl", ({name: row.get(name) for name in QC_FIELDS} for row in ordered))
    write_quality_csv(out / "qc.csv", ordered)


def _manifest_splits(split: SplitSettings) -> list[str]:
    """The splits that have a manifest."""
    wanted = {"train": 1.0, "val": split.val_ratio, "test": split.test_ratio}
    return [name for name, ratio in wanted.items() if ratio > 0]


def _remove_manifests(request: DatasetRequest) -> None:
    """Remove manifests of a former division: its test neurons may be training neurons now."""
    current = _manifest_splits(request.split) if (request.out / SPLIT_FILE).is_file() else []
    for split in {"train", "val", "test"} - set(current):
        path = request.out / f"manifest_{split}.jsonl"
        path.unlink(missing_ok=True)
        parquet_beside(path).unlink(missing_ok=True)


def _write_manifests(request: DatasetRequest, views: Views, split_of: Mapping[str, str]) -> None:
    for split in _manifest_splits(request.split):
        ids = {neuron_id for neuron_id, own in split_of.items() if own == split}
        if not ids:
            warn(f"no neuron fell into the {split} split; another --split-seed or more neurons would change that")
        write_manifest(request.out / f"manifest_{split}.jsonl", views.rows(ids))
