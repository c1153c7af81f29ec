"""Where the site keeps the files of a neuron."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from axonet.sources.fetch_file import Candidate

_FOLDER = "CNG version"
_SUFFIX = ".CNG.swc"
_HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)


def encoded(part: str) -> str:
    """One part of a path with nothing left that a URL gives a meaning to."""
    return {".": "%2E", "..": "%2E%2E"}.get(part, quote(part, safe=""))


def swc_url(site: str, archive: str, name: str) -> str:
    """URL of the standardized reconstruction of a neuron.

    Args:
        site: root of the site.
        archive: folder of the archive, as it is to be asked for.
        name: of the neuron.
    """
    return "/".join((site, "dableFiles", encoded(archive), encoded(_FOLDER), encoded(name + _SUFFIX)))


def archive_folder(record: Mapping[str, Any]) -> str:
    """The archive of a record as the site names its folder: without blanks around it, in lower case."""
    return str(record.get("archive") or "").strip().lower()


def candidates(
    site: str,
    record: Mapping[str, Any],
    find: bool,
    look_up: Callable[[], Mapping[str, Any] | None],
) -> Iterator[Candidate]:
    """Where the file of a neuron may be, the likeliest place first; no place twice.

    Args:
        site: root of the site.
        record: of the neuron.
        find: whether to go on after the place where it should be.
        look_up: asks the API for the neuron's present record; called when the first place has no file.
    """
    name = str(record["neuron_name"])
    first = swc_url(site, archive_folder(record), name)
    yield Candidate(first, "pattern")
    if not find:
        return
    seen = {first}
    for candidate in _further(site, record, look_up):
        if candidate.url not in seen:
            seen.add(candidate.url)
            yield candidate


def _further(
    site: str, record: Mapping[str, Any], look_up: Callable[[], Mapping[str, Any] | None]
) -> Iterator[Candidate]:
    present = look_up() or record
    name = str(present.get("neuron_name") or record["neuron_name"])
    yield Candidate(swc_url(site, archive_folder(present), name), "record")
    for source in (present, record):
        spelled = str(source.get("archive") or "").strip()
        for archive in (spelled, spelled.lower(), spelled.replace(" ", "_"), spelled.replace("_", " ")):
            for folder in (archive, archive.lower()):
                yield Candidate(swc_url(site, folder, str(source.get("neuron_name") or name)), "variant")
    for source in (present, record):
        for url in previous_versions(site, source.get("note")):
            yield Candidate(url, "previous_version")


def previous_versions(site: str, note: object) -> Iterator[str]:
    """URLs of former files that the note of a record links to, on this site."""
    for groups in _HREF.findall(note if isinstance(note, str) else ""):
        link = unescape(next((text for text in groups if text), "")).strip()
        try:
            path = unquote(urlsplit(link).path).lstrip("/")
        except ValueError:
            continue
        parts = path.split("/")
        if parts[0] == "dableFiles" and path.lower().endswith(".swc") and ".." not in parts:
            yield "/".join((site, *(encoded(part) for part in parts)))
