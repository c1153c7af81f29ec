"""Packed shards of a folder of neurons, made once: a shard is named by the digest of what is in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axonet.core.files import read_table, sha256_file, write_table
from axonet.core.progress import track
from axonet.datasets.build_shard import open_journal, pack_entry, qc_file, write_shard
from axonet.datasets.compile_first import compile_first
from axonet.datasets.journal import journal_file
from axonet.datasets.measures import measure_table
from axonet.datasets.render_jobs import Outcome
from axonet.datasets.shards import read_rows
from axonet.sources.catalog import CatalogEntry, shard_digest, shard_of
from axonet.sources.workers import map_ordered

if TYPE_CHECKING:
    from axonet.datasets.parts import Part
    from axonet.datasets.quality import Picture
    from axonet.rendering.settings import RenderSettings

SHARD_FOLDER = "shards"

Members = Mapping[str, Sequence[CatalogEntry]]


@dataclass(frozen=True)
class PackedViews:
    """The neurons of a data directory in packed shards.

    Attributes:
        root: the data directory.
        settings: how they are rendered.
        entries: all of them, sorted by id.
        bits: there are ``2**bits`` shards.
    """

    root: Path
    settings: RenderSettings
    entries: Sequence[CatalogEntry]
    bits: int
    _digests: dict[str, str] = field(default_factory=dict, repr=False)

    def finish(self, part: Part | None, jobs: int) -> list[Outcome]:
        """Render what is not finished of a part of the shards, or of all."""
        members = self._members()
        paths = self._paths({s: own for s, own in members.items() if part is None or part.has_packed(s)})
        _make_missing(paths, self.settings, jobs)
        return [outcome for path in paths for outcome in _outcomes(path)]

    def n_unfinished(self) -> int:
        """How many neurons are in shards that nobody has finished yet."""
        members = self._members()
        begun = {path.name.partition("-")[0] for path in (self.root / SHARD_FOLDER).glob("*.measure.parquet")}
        if members.keys() <= begun:  # only now are the files of all neurons looked at
            return sum(len(own) for path, own in self._paths(members).items() if not _is_whole(path))
        return sum(len(own) for shard, own in members.items() if shard not in begun)

    def outcomes(self) -> list[Outcome] | None:
        """What came of all neurons, whoever rendered them; None when a shard is not there."""
        paths = self._paths(self._members())
        return [o for path in paths for o in _outcomes(path)] if all(map(_is_whole, paths)) else None

    def rows(self, ids: Container[str]) -> Iterator[dict[str, Any]]:
        """Rows of the manifest of some neurons, shard by shard."""
        for path in self._paths(self._members()):
            name = path.relative_to(self.root).as_posix()
            for row in read_rows(path)[0].to_pylist():
                if row["neuron_id"] in ids:
                    yield {**row, "shard": name}

    def pictures(self, ids: Container[str]) -> Iterator[Picture]:
        """The masks of some neurons."""
        from axonet.datasets.quality import packed_pictures

        return packed_pictures(self._paths(self._members()), ids)

    def _members(self) -> dict[str, list[CatalogEntry]]:
        """The neurons of each shard."""
        members: dict[str, list[CatalogEntry]] = defaultdict(list)
        for entry in self.entries:
            members[shard_of(entry.neuron_id, self.bits)].append(entry)
        return dict(sorted(members.items()))

    def _paths(self, members: Members) -> dict[Path, list[CatalogEntry]]:
        """The files of shards, named by the content of their neurons' files."""
        named = {}
        for shard, entries in members.items():
            own = [replace(entry, sha256=self._digest(entry)) for entry in entries]
            digest = shard_digest((entry.neuron_id, entry.sha256, entry.scale) for entry in own)
            named[self.root / SHARD_FOLDER / f"{shard}-{digest}.arrow"] = own
        return named

    def _digest(self, entry: CatalogEntry) -> str:
        """SHA-256 of an entry's file, read once; empty where it cannot be read, which its row will say."""
        if entry.path not in self._digests:
            try:
                self._digests[entry.path] = sha256_file(entry.path)
            except OSError:
                self._digests[entry.path] = ""
        return self._digests[entry.path]


def _make_missing(paths: Mapping[Path, Sequence[CatalogEntry]], settings: RenderSettings, jobs: int) -> None:
    """Write the shards that are not whole, from where they were left; workers are started once for all of them."""
    missing = [path for path in paths if not _is_whole(path)]
    for path in paths.keys() - set(missing):
        journal_file(path).unlink(missing_ok=True)  # killed just before it was removed
    if not missing:
        return
    todo: list[CatalogEntry] = []
    for path in missing:
        with open_journal(path, paths[path], settings) as journal:
            todo += paths[path][journal.n_neurons :]
    compile_first(settings, min(jobs, len(todo)), png=False)
    results = iter(map_ordered(partial(pack_entry, settings=settings), todo, jobs))
    neurons = track(results, "rendering neurons", len(todo))
    for path in missing:
        with open_journal(path, paths[path], settings) as journal:
            for neuron in islice(neurons, len(paths[path]) - journal.n_neurons):
                journal.append(neuron)
            built = write_shard(path, journal, settings)
            write_table(_measure_file(path), measure_table(built.measures))
            journal.remove()
    next(neurons, None)  # lets the progress say that it is done


def _outcomes(path: Path) -> Iterator[Outcome]:
    """What is remembered of each neuron of a shard."""
    n_views = Counter(read_rows(path)[0].column("neuron_id").to_pylist())
    measures = {row["neuron_id"]: row for row in read_table(_measure_file(path)).to_pylist()}
    for row in read_table(qc_file(path)).to_pylist():
        neuron_id = row["neuron_id"]
        yield Outcome(neuron_id, n_views[neuron_id], [row], measures[neuron_id])


def _is_whole(path: Path) -> bool:
    return all(file.is_file() for file in (path, qc_file(path), _measure_file(path)))


def _measure_file(path: Path) -> Path:
    return path.with_name(f"{path.stem}.measure.parquet")
