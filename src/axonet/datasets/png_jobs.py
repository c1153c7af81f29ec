"""PNG files of one neuron, made once: a note of what was finished lets a later run pass over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axonet.core.errors import UserError
from axonet.core.files import read_json, sha256_file, short_hash, write_json
from axonet.datasets.build_shard import image_settings
from axonet.datasets.png_tree import IMAGE_FOLDER, image_paths, write_png_views
from axonet.datasets.render_jobs import Outcome, render_entry
from axonet.sources.catalog import CatalogEntry

if TYPE_CHECKING:
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
    """

    key: str
    rows: list[dict[str, Any]]
    qc: list[dict[str, Any]]
    measure: dict[str, Any]

    def outcome(self, entry: CatalogEntry) -> Outcome:
        """What a run remembers of the neuron."""
        return Outcome(entry.neuron_id, len(self.rows), self.qc, self.measure)


def finish_png_neuron(entry: CatalogEntry, root: Path, settings: RenderSettings) -> Outcome:
    """Render a neuron into the PNG tree unless that is done already.

    Args:
        entry: the neuron.
        root: the data directory.
        settings: how to render.

    Raises:
        UserError: the file cannot be read.
    """
    from axonet.morphology.compartments import PALETTE

    note = _note(root, entry)
    try:
        content = sha256_file(entry.path)
    except OSError as error:
        raise UserError(f"{entry.path}: cannot be read ({error.strerror})") from error
    key = short_hash([entry.neuron_id, entry.swc, content, image_settings(settings)])
    former = _read_note(note)
    if former is not None and former.key == key and _complete(root, former):
        return former.outcome(entry)
    note.unlink(missing_ok=True)
    rendered = render_entry(entry, settings)
    rows = write_png_views(root, entry.name, rendered.views, PALETTE) if rendered.views else []
    finished = FinishedNeuron(key, rows, rendered.qc, rendered.measure)
    write_json(note, asdict(finished))  # last: it says that the files are complete
    return finished.outcome(entry)


def png_rows(root: Path, entries: Iterable[CatalogEntry]) -> Iterator[dict[str, Any]]:
    """Rows of the manifest of finished neurons, one by one."""
    for entry in entries:
        yield from FinishedNeuron(**read_json(_note(root, entry))).rows


def _note(root: Path, entry: CatalogEntry) -> Path:
    return root / NOTES_FOLDER / f"{entry.name}.json"


def _read_note(note: Path) -> FinishedNeuron | None:
    if not note.is_file():
        return None
    try:
        return FinishedNeuron(**read_json(note))
    except (UserError, TypeError):
        return None  # of another version, or damaged: the neuron is rendered again


def _complete(root: Path, finished: FinishedNeuron) -> bool:
    """Whether every file that the rows name is there."""
    if not finished.rows:
        return True
    folder = root / IMAGE_FOLDER / finished.rows[0]["neuron"]
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    named = {
        Path(path).name
        for row in finished.rows
        for path in image_paths(row["neuron"], row["view"], zoom=row.get("zoom_bw") is not None).values()
    }
    return named <= present
