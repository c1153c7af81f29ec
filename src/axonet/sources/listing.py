"""A digest of what the local sources hold, cheap enough to be taken whenever a workflow is planned."""

from __future__ import annotations

import os
from pathlib import Path

from axonet.core.bucket import in_bucket, version_of
from axonet.core.errors import UserError
from axonet.core.files import sha256_file, short_hash
from axonet.core.resources import project_file
from axonet.sources.settings import AcquireSettings, DemoSettings, FolderSettings
from axonet.sources.swc_files import iter_swc_files

DEMO_TABLE = "data/demo/neurons.csv"
# Above this size, size and time stand for the content: reading it on every planning would take seconds.
_READ_UP_TO = 16 * 2**20


def demo_table(settings: DemoSettings) -> Path:
    """The table of the demo neurons."""
    return project_file(DEMO_TABLE) if settings.table is None else settings.table


def listing_digest(settings: AcquireSettings) -> str:
    """Digest of the listing of every local source; another one means that neurons have to be acquired anew.

    Folders count by relative path, size and time of each SWC file, metadata and tables by their content.
    """
    parts: list[object] = []
    for source in settings.sources:
        if source == "folder":
            parts.append(["folder", _folder_listing(settings.folder)])
        elif source == "manifest":
            parts.append(["manifest", _manifest_state(settings.manifest.file)])
        elif source == "demo":
            parts.append(["demo", settings.demo.full, _file_state(demo_table(settings.demo))])
    return short_hash(parts)


def check_folder(settings: FolderSettings) -> None:
    """Look at whether a folder of SWC files can be a source.

    Raises:
        UserError: the folder or the metadata is missing, or the folder holds no SWC file.
    """
    folder = settings.swc_dir
    if folder is None or not folder.is_dir():
        raise UserError(f"acquire.folder.swc_dir: no folder {str(folder)!r}")
    if next(iter(iter_swc_files(folder)), None) is None:
        raise UserError(f"acquire.folder.swc_dir: no .swc file in {str(folder)!r} or its sub-folders")
    if settings.metadata is not None and not settings.metadata.is_file():
        raise UserError(f"acquire.folder.metadata: no such file {str(settings.metadata)!r}")


def _folder_listing(settings: FolderSettings) -> list[object]:
    folder = settings.swc_dir
    files: list[list[object]] = []
    if folder is not None and folder.is_dir():
        for entry in iter_swc_files(folder):
            state = entry.stat()
            files.append([Path(os.path.relpath(entry.path, folder)).as_posix(), state.st_size, state.st_mtime_ns])
    metadata = None if settings.metadata is None else _file_state(settings.metadata)
    return [sorted(files), metadata]


def check_manifest(where: str | None) -> None:
    """Look at whether a manifest can be a source.

    Raises:
        UserError: it is not there, or its bucket cannot be read.
    """
    if where is None or _manifest_state(where) in (None, "missing"):
        raise UserError(f"acquire.manifest.file: no such file {where!r}")


def _manifest_state(where: str | None) -> object:
    return version_of(where) if where is not None and in_bucket(where) else _file_state(Path(where or ""))


def _file_state(path: Path) -> object:
    """The content of a file, or what stands for it; a missing file is a state of its own."""
    try:
        state = path.stat()
        return sha256_file(path) if state.st_size <= _READ_UP_TO else [state.st_size, state.st_mtime_ns]
    except OSError:
        return "missing"
