"""PNG files of one neuron, made once: a note of what was finished lets a later run pass over it."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axonet.core.errors import UserError
from axonet.core.files import remove_leftovers, sha256_file, short_hash, to_json, write_bytes
from axonet.core.progress import track
from axonet.datasets.build_shard import image_settings
from axonet.datasets.compile_first import compile_first
from axonet.datasets.png import decode_png
from axonet.datasets.png_tree import IMAGE_FOLDER, image_paths, write_png_views
from axonet.datasets.quality import Picture
from axonet.datasets.render_jobs import Outcome, render_entry
from axonet.sources.catalog import CatalogEntry
from axonet.sources.workers import map_ordered

if TYPE_CHECKING:
    from axonet.datasets.parts import Part
    from axonet.rendering.settings import RenderSettings

NOTES_FOLDER = ".finished"


@dataclass(frozen=True)
class FinishedNeuron:
    """What is known of a neuron whose files are written.

    Attributes:
        key: digest of everything its files depend on.
        rows: its rows of the manifest.
        qc: its rows of the quality table.
        measure: its row of the table of measurements.
        sizes: bytes of each file, by its name.
    """

    key: str
    rows: list[dict[str, Any]]
    qc: list[dict[str, Any]]
    measure: dict[str, Any]
    sizes: dict[str, int]

    def outcome(self, entry: CatalogEntry) -> Outcome:
        """What a run remembers of the neuron."""
        return Outcome(entry.neuron_id, len(self.rows), self.qc, self.measure)


def finish_png_neuron(entry: CatalogEntry, root: Path, settings: RenderSettings) -> Outcome:
    """Render a neuron into the PNG tree unless that is done already.

    Args:
        entry: the neuron.
        root: the data directory.
        settings: how to render.
    """
    from axonet.morphology.compartments import PALETTE

    note = _note(root, entry)
    try:
        content = sha256_file(entry.path)
    except OSError:
        content = ""  # rendering then says that it cannot be read
    key = short_hash([entry.neuron_id, entry.swc, content, image_settings(settings)])
    former = _read_note(note)
    if former is not None and former.key == key and _complete(root, former):
        return former.outcome(entry)
    note.unlink(missing_ok=True)
    rendered = render_entry(entry, settings)
    rows = write_png_views(root, entry.name, rendered.views, PALETTE) if rendered.views else []
    there = _sizes(root, entry.name) if rows else {}
    sizes = {name: there[name] for name in sorted(_named(rows))}
    finished = FinishedNeuron(key, rows, rendered.qc, rendered.measure, sizes)
    _write_note(note, finished)  # last: it says that the files are complete
    return finished.outcome(entry)


@dataclass(frozen=True)
class PngViews:
    """The neurons of a data directory as PNG files.

    Attributes:
        root: the data directory.
        settings: how they are rendered.
        entries: all of them, sorted by id.
    """

    root: Path
    settings: RenderSettings
    entries: Sequence[CatalogEntry]

    def finish(self, part: Part | None, jobs: int) -> list[Outcome]:
        """Render what is not finished of a part of the neurons, or of all."""
        remove_leftovers(self.root / NOTES_FOLDER)
        mine = [entry for entry in self.entries if part is None or part.has_neuron(entry.neuron_id)]
        compile_first(self.settings, min(jobs, len(mine)), png=True)
        work = partial(finish_png_neuron, root=self.root, settings=self.settings)
        return list(track(map_ordered(work, mine, jobs), "rendering neurons", len(mine)))

    def n_unfinished(self) -> int:
        """How many neurons nobody has finished yet."""
        folder = self.root / NOTES_FOLDER
        there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        return sum(_note(self.root, entry).name not in there for entry in self.entries)

    def outcomes(self) -> list[Outcome] | None:
        """What came of all neurons, whoever rendered them; None when one of them is just being rendered again."""
        found = []
        for entry in self.entries:
            finished = _read_note(_note(self.root, entry))
            if finished is None:
                return None
            found.append(finished.outcome(entry))
        return found

    def rows(self, ids: Container[str]) -> Iterator[dict[str, Any]]:
        """Rows of the manifest of some neurons, one by one."""
        for entry in self.entries:
            if entry.neuron_id in ids:
                finished = _read_note(_note(self.root, entry))
                if finished is None:
                    raise UserError(f"{_note(self.root, entry)}: cannot be read any more; run the command again")
                yield from finished.rows

    def pictures(self, ids: Container[str]) -> Iterator[Picture]:
        """The masks of some neurons."""
        for row in self.rows(ids):
            yield Picture(row, decode_png((self.root / row["mask"]).read_bytes()))


def _note(root: Path, entry: CatalogEntry) -> Path:
    return root / NOTES_FOLDER / f"{entry.name}.json.gz"


def _write_note(note: Path, finished: FinishedNeuron) -> None:
    # Compressed it takes 0.3 kB a view instead of 1.2; not by asdict, which copies every number of every row.
    facts = to_json({field.name: getattr(finished, field.name) for field in fields(finished)})
    write_bytes(note, gzip.compress(facts.encode("utf-8"), mtime=0))


def _read_note(note: Path) -> FinishedNeuron | None:
    if not note.is_file():
        return None
    try:
        return FinishedNeuron(**json.loads(gzip.decompress(note.read_bytes())))
    except (OSError, EOFError, ValueError, TypeError, zlib.error):
        return None  # of another version, or damaged: the neuron is rendered again


def _complete(root: Path, finished: FinishedNeuron) -> bool:
    """Whether every file that the rows name is there, as long as it was: a full disk leaves empty and cut ones."""
    if not finished.rows:
        return True
    there = _sizes(root, finished.rows[0]["neuron"])
    return all(there.get(name, 0) == finished.sizes.get(name) for name in _named(finished.rows))


def _named(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Names of the files of a neuron's rows."""
    return {
        Path(path).name
        for row in rows
        for path in image_paths(row["neuron"], row["view"], zoom=row.get("zoom_bw") is not None).values()
    }


def _sizes(root: Path, neuron: str) -> dict[str, int]:
    """Bytes of the files in a neuron's folder, by name."""
    folder = root / IMAGE_FOLDER / neuron
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as files:
        return {file.name: file.stat().st_size for file in files if file.is_file()}
