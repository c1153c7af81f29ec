"""What a download knows and has done, in one small database beside the data: the reason why it can be killed.

Rows are written in transactions: a killed run leaves the state of a moment, and the next one goes on from there. The
database may be deleted: it is made again from the outputs, the files and the server.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from axonet.sources.database import Database
from axonet.sources.fetch_file import FileResult, KnownFile
from axonet.sources.local_names import free_name
from axonet.sources.records import BrokenRecord

FILE_NAME = ".download.sqlite"
_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pages (number INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS broken (id INTEGER PRIMARY KEY, page INTEGER NOT NULL, reason TEXT, message TEXT);
CREATE TABLE IF NOT EXISTS neurons (
    id INTEGER PRIMARY KEY, record TEXT NOT NULL, listing INTEGER NOT NULL,
    swc TEXT, swc_key TEXT UNIQUE, was_there INTEGER NOT NULL DEFAULT 0,
    is_ok INTEGER NOT NULL DEFAULT 0, reason TEXT, message TEXT, reader TEXT, attempts INTEGER NOT NULL DEFAULT 0,
    sha256 TEXT, size INTEGER, url TEXT, found_by TEXT, etag TEXT, last_modified TEXT,
    changed INTEGER NOT NULL DEFAULT 0, refresh TEXT, gone INTEGER NOT NULL DEFAULT 0,
    file_round INTEGER NOT NULL DEFAULT 0,
    measures TEXT, measures_reason TEXT, measure_round INTEGER NOT NULL DEFAULT -1
);
CREATE INDEX IF NOT EXISTS neurons_by_listing ON neurons (listing, id)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A neuron whose file is wanted.

    Attributes:
        id: number of the neuron at its source.
        record: what the source says about it.
        swc: name of its file.
        was_there: whether a file of that name lay there before one was fetched for this neuron.
        known: facts of the finished file; None when there is none yet.
    """

    id: int
    record: dict[str, Any]
    swc: str
    was_there: bool
    known: KnownFile | None


class Ledger(Database):
    """The database of one download folder; used by one thread at a time.

    Args:
        folder: the download's output folder.

    Raises:
        UserError: another download uses the folder, or the database cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE_NAME, _SCHEMA, _VERSION)

    def open_listing(self, key: str, selection: str = "") -> int:
        """Go on with the unfinished listing of this key, or begin a new one.

        Args:
            key: of everything that makes another listing, a refresh among it.
            selection: of what is listed, whichever way; tells which earlier listings were of the same.

        Returns:
            Its number.
        """
        if self.get("listing_key") != key:
            self.forget_pages()
            number = self.get("listing", 0) + 1
            self.put("listing_key", key)
            self.put("listing", number)
            self.put("is_listed", False)
            self.put("gone", 0)
            self.put("is_refreshing", False)  # one that was stopped is given up when something else is asked for
            self.put(f"listings {selection}", [*self.get(f"listings {selection}", []), number])
        self.commit()
        opened: int = self.get("listing")
        return opened

    def end_run(self) -> None:
        """Everything that was listed has been dealt with: the next run lists anew."""
        self.put("listing_key", None)
        self.put("is_refreshing", False)
        self.commit()

    def mark_gone(self, listing: int, selection: str) -> None:
        """Mark the neurons that earlier listings of a selection had and this complete one has not."""
        earlier = [number for number in self.get(f"listings {selection}", []) if number != listing]
        condition = f"listing IN ({', '.join(map(str, earlier))})"
        self.change(f"UPDATE neurons SET gone = 1 WHERE {condition}")
        self.put("gone", self.count(condition))
        self.commit()

    def open_round(self, refresh: bool) -> int:
        """The number that files must bear to count as looked at.

        A refresh begins a new one, once. Without one it is 0: whatever is finished counts, whenever that was.
        """
        if not refresh:
            self.commit()
            return 0
        number: int = self.get("round", 0)
        if not self.get("is_refreshing", False):
            number += 1
            self.put("round", number)
            self.put("is_refreshing", True)
            self.change("UPDATE neurons SET changed = 0, refresh = NULL")
        self.commit()
        return number

    def pages_done(self) -> set[int]:
        """Pages of the listing that are recorded."""
        return {number for (number,) in self.select("SELECT number FROM pages")}

    def forget_pages(self) -> None:
        """Ask for all pages once more."""
        self.change("DELETE FROM pages")
        self.change("DELETE FROM broken")

    def broken_records(self) -> dict[str, int]:
        """How many records of the listing are of no use, by reason."""
        return dict(self.select("SELECT reason, count(*) FROM broken GROUP BY 1 ORDER BY 2 DESC, 1"))

    def add_page(
        self,
        number: int,
        records: Iterable[tuple[int, Mapping[str, Any]]],
        listing: int,
        broken: Iterable[BrokenRecord] = (),
    ) -> None:
        """Record a page of a listing; a neuron that is known already is brought up to date."""
        for neuron_id, record in records:
            self.change(
                "INSERT INTO neurons (id, record, listing) VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET record = excluded.record, listing = excluded.listing, gone = 0",
                (neuron_id, json.dumps(record, ensure_ascii=False), listing),
            )
        self.change("DELETE FROM broken WHERE page = ?", (number,))
        for one in broken:
            message = f"page {number}: {one.message}"
            self.change("INSERT INTO broken (page, reason, message) VALUES (?, ?, ?)", (number, one.reason, message))
        self.change("INSERT OR REPLACE INTO pages VALUES (?)", (number,))
        self.commit()

    def restore(self, neuron_id: int, record: Mapping[str, Any], swc: str, is_foreign: bool) -> None:
        """Take a neuron over from outputs that were made before this database.

        Args:
            neuron_id: its number.
            record: what the outputs say of it.
            swc: name of its file.
            is_foreign: whether a file of that name may be another one than the wanted.
        """
        self.change(
            "INSERT INTO neurons (id, record, listing, swc, swc_key, was_there) VALUES (?, ?, 0, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (neuron_id, json.dumps(record, ensure_ascii=False), swc, swc.casefold(), is_foreign),
        )

    def distrust(self, neuron_id: int) -> None:
        """The file that lies at a neuron's place is not the one that was put there."""
        self.change("UPDATE neurons SET was_there = 1 WHERE id = ?", (neuron_id,))

    def assign_names(self, folder: Path, name_key: str, suffix: str) -> None:
        """Name the files of neurons that have no name yet, in the order of their ids.

        Args:
            folder: of the files.
            name_key: key of the record that holds the neuron's name.
            suffix: ending of the files.
        """
        for neuron_id, record in self.chunks("SELECT id, record FROM neurons WHERE swc IS NULL AND id > ?"):
            swc = free_name(str(json.loads(record)[name_key]), neuron_id, suffix, self._is_taken)
            self.change(
                "UPDATE neurons SET swc = ?, swc_key = ?, was_there = ? WHERE id = ?",
                (swc, swc.casefold(), (folder / swc).exists(), neuron_id),
            )
        self.commit()

    def _is_taken(self, swc: str) -> bool:
        return bool(self.select("SELECT 1 FROM neurons WHERE swc_key = ?", (swc.casefold(),)))

    def expire(self, condition: str) -> None:
        """Take back the ``ok`` of neurons that fulfil a condition: another file is wanted for them."""
        self.change(f"UPDATE neurons SET is_ok = 0, was_there = 1 WHERE is_ok = 1 AND {condition}")
        self.commit()

    def recheck(self, folder: Path) -> None:
        """Take back the ``ok`` of files that are gone or have another size."""
        for neuron_id, swc, size in self.chunks("SELECT id, swc, size FROM neurons WHERE is_ok = 1 AND id > ?"):
            try:
                is_whole = (folder / swc).stat().st_size == size
            except OSError:
                is_whole = False
            if not is_whole:
                self.change("UPDATE neurons SET is_ok = 0, was_there = 1 WHERE id = ?", (neuron_id,))
        self.commit()

    def to_fetch(self, listing: int, round_number: int) -> Iterator[Entry]:
        """Neurons of a listing whose file is not finished, or not looked at in this round, by id."""
        query = (
            "SELECT id, record, swc, was_there, is_ok, sha256, size, reader, url, found_by, etag, last_modified "
            "FROM neurons WHERE listing = ? AND (is_ok = 0 OR file_round < ?) AND id > ?"
        )
        for neuron_id, record, swc, was_there, is_ok, *facts in self.chunks(query, (listing, round_number)):
            yield Entry(neuron_id, json.loads(record), swc, bool(was_there), KnownFile(*facts) if is_ok else None)

    def count_to_fetch(self, listing: int, round_number: int) -> int:
        """How many neurons :meth:`to_fetch` gives."""
        return self.count("listing = ? AND (is_ok = 0 OR file_round < ?)", (listing, round_number))

    def record_file(self, result: FileResult, round_number: int) -> None:
        """Record what became of a file. A finished file stays finished when looking for a newer one fails."""
        known = result.known
        if known is None:
            self.change(
                "UPDATE neurons SET reason = iif(is_ok, NULL, :reason), refresh = iif(is_ok, :reason, refresh), "
                "message = :message, attempts = :attempts WHERE id = :id",
                {
                    "reason": result.reason,
                    "message": result.message,
                    "attempts": result.attempts,
                    "id": result.neuron_id,
                },
            )
            return
        values = {**asdict(known), "id": result.neuron_id, "attempts": result.attempts, "changed": result.changed}
        self.change(
            "UPDATE neurons SET is_ok = 1, was_there = 0, reason = NULL, message = NULL, reader = :reader, "
            "attempts = :attempts, sha256 = :sha256, size = :size, url = :url, found_by = :found_by, etag = :etag, "
            "last_modified = :last_modified, changed = :changed, refresh = NULL, file_round = :round WHERE id = :id",
            {**values, "round": round_number},
        )

    def to_measure(self, listing: int, round_number: int) -> Iterator[int]:
        """Ids of neurons of a listing whose measures were not asked for in this round, by id."""
        query = "SELECT id FROM neurons WHERE listing = ? AND measure_round < ? AND id > ?"
        for (neuron_id,) in self.chunks(query, (listing, round_number)):
            yield neuron_id

    def record_measures(
        self,
        asked: Sequence[int],
        found: Mapping[int, Mapping[str, Any]],
        round_number: int,
        broken: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """Record the measures of neurons; those that the server does not have are not asked for again.

        Args:
            asked: ids of the neurons.
            found: measures by id.
            round_number: of the refresh.
            broken: why the server's measures of a neuron are of no use, by id.
        """
        for neuron_id in asked:
            measures = found.get(neuron_id)
            text = None if measures is None else json.dumps(measures, ensure_ascii=False)
            self.change(
                "UPDATE neurons SET measures = coalesce(?, measures), measures_reason = ?, measure_round = ? "
                "WHERE id = ?",
                (text, broken.get(neuron_id), round_number, neuron_id),
            )
        self.commit()

    def rows(self, columns: str, condition: str = "1") -> Iterator[tuple[Any, ...]]:
        """Id and columns of all neurons that fulfil a condition, by id."""
        return self.chunks(f"SELECT id, {columns} FROM neurons WHERE {condition} AND id > ?")

    def count(self, condition: str = "1", values: Sequence[object] = ()) -> int:
        """How many neurons fulfil a condition."""
        number: int = self.select(f"SELECT count(*) FROM neurons WHERE {condition}", values)[0][0]
        return number

    def count_values(self, column: str, listing: int) -> dict[str, int]:
        """How many neurons of a listing have which value in a column, where they have one."""
        query = f"SELECT {column}, count(*) FROM neurons WHERE listing = ? AND {column} IS NOT NULL GROUP BY 1"
        return dict(self.select(f"{query} ORDER BY 2 DESC, 1", (listing,)))

    def count_reasons(self, listing: int) -> dict[str, int]:
        """Of the neurons of a listing without a file: how many for which reason."""
        query = (
            "SELECT coalesce(reason, 'not_tried'), count(*) FROM neurons WHERE listing = ? AND is_ok = 0 "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return dict(self.select(query, (listing,)))
