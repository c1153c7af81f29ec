"""The source ``folder``: SWC files of one's own, with metadata or without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from axonet.core.errors import UserError
from axonet.core.progress import say
from axonet.metadata.record import NeuronRecord
from axonet.sources.found import FoundNeuron
from axonet.sources.settings import FolderSettings
from axonet.sources.swc_files import find_swc_files, name_neurons


def find_folder_neurons(settings: FolderSettings) -> list[FoundNeuron]:
    """The neurons of a folder, sorted by path.

    Metadata are joined by the file name of the SWC, never by parts of it.

    Raises:
        UserError: no folder, no SWC file, or metadata that cannot be read.
    """
    if settings.swc_dir is None:
        raise UserError("the source folder needs folder.swc_dir, the folder with SWC files")
    paths = find_swc_files(settings.swc_dir)
    records = _records_by_file(settings)
    found = []
    for path, name in name_neurons(paths).items():
        file_name = PurePosixPath(path).name
        known = records.get(file_name)
        record = NeuronRecord(name, "folder", file_name) if known is None else known
        # The catalog names neurons after their file: ids of a foreign dialect need not be unique here.
        found.append(FoundNeuron(replace(record, id=name, source="folder", swc=file_name), settings.swc_dir / path))
    if settings.metadata is not None:
        without = sum(PurePosixPath(path).name not in records for path in paths)
        say(f"{settings.metadata}: metadata for {len(paths) - without} of {len(paths)} SWC files")
    return sorted(found, key=lambda neuron: neuron.record.id)


def _records_by_file(settings: FolderSettings) -> dict[str, NeuronRecord]:
    if settings.metadata is None:
        return {}
    from axonet.metadata.adapters import load_records

    return {record.swc: record for record in load_records(settings.metadata, settings.source)}
