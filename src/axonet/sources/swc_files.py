"""SWC files of a folder, and what the neurons in them are called."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from axonet.core.errors import UserError
from axonet.core.files import safe_name

_SUFFIXES = (".cng.swc", ".swc")


def iter_swc_files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """The SWC files of a folder and its sub-folders, hidden ones left out, in no particular order."""
    pending, seen = [str(folder)], set()
    while pending:
        current = pending.pop()
        real = os.path.realpath(current)  # a link that leads back up must not be followed for ever
        if real in seen:
            continue
        seen.add(real)
        with os.scandir(current) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    pending.append(entry.path)
                elif entry.name.lower().endswith(".swc"):
                    yield entry


def find_swc_files(folder: Path) -> list[str]:
    """Paths of the SWC files below a folder, relative to it, with ``/``, sorted.

    Raises:
        UserError: no such folder, or no SWC file in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder of SWC files")
    found = sorted(Path(os.path.relpath(entry.path, folder)).as_posix() for entry in iter_swc_files(folder))
    if not found:
        raise UserError(f"{folder}: no SWC file in it or its sub-folders")
    return found


def swc_stem(path: str) -> str:
    """File name of an SWC without its ``.CNG.swc`` or ``.swc``."""
    name = PurePosixPath(path).name
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] or name
    return name


def name_neurons(paths: Sequence[str], known: Mapping[str, str] | None = None) -> dict[str, str]:
    """Name neurons after their files, so that no two names are equal, case ignored.

    The stem of the file is the name. Where files share one, a file that was named before keeps its name, then comes
    the one in the fewest sub-folders; the others get digits of their path's hash.

    Args:
        paths: relative paths of SWC files.
        known: names given before, by path.

    Returns:
        A name for each path.
    """
    former = known or {}
    names = {path: former[path] for path in paths if path in former}
    taken = {safe_name(name).casefold() for name in names.values()}
    newcomers = [path for path in paths if path not in names]
    # A standardized .CNG.swc goes before the plain file beside it.
    newcomers.sort(key=lambda path: (path.count("/"), not path.lower().endswith(".cng.swc"), path))
    for path in newcomers:
        name = swc_stem(path)
        if safe_name(name).casefold() in taken:
            name = f"{name}-{hashlib.sha256(path.encode('utf-8')).hexdigest()[:8]}"
        taken.add(safe_name(name).casefold())
        names[path] = name
    return names
