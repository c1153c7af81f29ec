"""A small SQLite database that one process owns, in the folder whose state it is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from axonet.core.errors import UserError
from axonet.sources.disk import full_line, is_full, write_trouble

_CHUNK = 500
_MADE_ANEW = "delete it and run again: it is made anew, and only files that cannot be recognized are asked for again"
_META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT)"


class Database:
    """Transactions, remembered values, and rows in chunks so that memory does not grow with their number.

    Args:
        path: the file; it and its folder are made if missing.
        schema: statements that make what is missing.
        version: of the schema.

    Raises:
        UserError: another process owns the database, or it cannot be used.
    """

    def __init__(self, path: Path, schema: str, version: int) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=0.2, isolation_level=None)
        except OSError as error:
            raise write_trouble(error, path.parent) from error
        except sqlite3.Error as error:
            raise self._explain(error) from error
        try:
            self._open(schema, version)
        except sqlite3.Error as error:
            self._connection.close()
            raise self._explain(error) from error
        except UserError:
            self._connection.close()
            raise

    def _open(self, schema: str, version: int) -> None:
        # The lock is held until the end, and the system takes it away from a killed process.
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode=TRUNCATE")
        self._connection.execute("PRAGMA cache_size=-2048")  # KiB
        self._connection.execute("BEGIN EXCLUSIVE")
        for statement in (_META, *schema.split(";")):
            self._connection.execute(statement)
        self._connection.execute("COMMIT")
        if self.get("version", version) != version:
            raise UserError(f"{self._path}: made by another version of axonet; {_MADE_ANEW}")
        self.put("version", version)

    def _explain(self, error: sqlite3.Error) -> UserError:
        if "locked" in str(error):
            return UserError(f"{self._path.parent}: another download is writing into this folder; wait for its end")
        if is_full(error):
            return UserError(full_line(self._path.parent))
        return UserError(f"{self._path}: cannot be used ({error}); {_MADE_ANEW}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.commit()
        except sqlite3.Error as other:
            if error is None:
                raise self._explain(other) from other
        finally:
            self._connection.close()
        if isinstance(error, sqlite3.Error):
            raise self._explain(error) from error

    def commit(self) -> None:
        """Make durable what was changed."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")

    def change(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> None:
        """Change something; it is durable after :meth:`commit`."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
        self._connection.execute(statement, values)

    def get(self, name: str, default: Any = None) -> Any:
        """A remembered value."""
        row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    def put(self, name: str, value: Any) -> None:
        """Remember a value."""
        self.change("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))

    def select(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query, of which there are few."""
        return self._connection.execute(query, tuple(values)).fetchall()

    def chunks(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of a query that selects the id first and ends in ``id > ?``, by id; they may be changed meanwhile."""
        last = -(2**63)
        while True:
            rows = self.select(f"{query} ORDER BY id LIMIT {_CHUNK}", (*values, last))
            yield from rows
            if len(rows) < _CHUNK:
                return
            last = rows[-1][0]
