"""The source ``folder``: SWC files of one's own, with metadata or without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from axonet.core.errors import UserError
from axonet.core.progress import say, warn
from axonet.metadata.record import NeuronRecord
from axonet.sources.found import FoundNeuron
from axonet.sources.settings import FolderSettings
from axonet.sources.swc_files import find_swc_files, name_neurons

SHOWN = 3


def find_folder_neurons(settings: FolderSettings, out: Path | None = None) -> list[FoundNeuron]:
    """The neurons of a folder, sorted by path.

    Metadata are joined by the path of the SWC where the table gives one, else by its file name; never by parts of the
    name. A file that cannot be opened is left out with a warning; rows of the table that match no file are named.

    Args:
        settings: which files, and what is known of them.
        out: gets ``unmatched.jsonl``, the list of those rows; None: it is not written.

    Raises:
        UserError: no folder, no SWC file that can be read, or metadata that cannot be read.
    """
    if settings.swc_dir is None:
        raise UserError("the source folder needs folder.swc_dir, the folder with SWC files")
    paths = _readable(settings.swc_dir, find_swc_files(settings.swc_dir))
    records = _records_by_path(settings, paths, out)
    found = []
    for path, name in name_neurons(paths).items():
        file_name = PurePosixPath(path).name
        record = records.get(path) or NeuronRecord(name, "folder", file_name)
        # The catalog names neurons after their file: ids of a foreign dialect need not be unique here.
        found.append(FoundNeuron(replace(record, id=name, source="folder", swc=file_name), settings.swc_dir / path))
    return sorted(found, key=lambda neuron: neuron.record.id)


def _readable(folder: Path, paths: Sequence[str]) -> list[str]:
    """The files that can be opened; the others are named with the reason."""
    reasons: dict[str, str] = {}
    for path in paths:
        try:
            (folder / path).open("rb").close()
        except OSError as error:
            reasons[path] = error.strerror or type(error).__name__
    if reasons:
        shown = "; ".join(f"{path}: {reason}" for path, reason in list(reasons.items())[:SHOWN])
        more = f"; and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
        if len(reasons) == len(paths):
            raise UserError(f"{folder}: no SWC file that can be read ({shown}{more})")
        warn(f"{folder}: {len(reasons)} SWC files cannot be read and are left out (unreadable_file: {shown}{more})")
    return [path for path in paths if path not in reasons]


def _records_by_path(settings: FolderSettings, paths: Sequence[str], out: Path | None) -> dict[str, NeuronRecord]:
    if settings.metadata is None:
        return {}
    from axonet.metadata.adapters import load_records
    from axonet.metadata.index import RecordIndex
    from axonet.metadata.unmatched import tell_unmatched

    index = RecordIndex(load_records(settings.metadata, settings.source, settings.columns))
    joined = index.join(paths)
    say(f"{settings.metadata}: metadata for {len(joined.records)} of {len(paths)} SWC files")
    if (problem := joined.problem()) is not None:
        warn(f"{settings.metadata}: {problem}; they are used without metadata")
    tell_unmatched(index, joined, settings.metadata, out)
    return joined.records
