"""Files that are whole or absent: atomic writes, hashes, JSON, JSON lines and Parquet."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axonet.core.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

PathLike = str | os.PathLike[str]

FULL_DISK = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
"""Numbers of the errors when there is no room to write."""

_TEMPORARY = re.compile(r"\..*\.(?P<host>[0-9a-f]{6})-(?P<pid>\d+)-[0-9a-f]{4}\.part(\.[^.]*)?")
_SECONDS_OF_A_DAY = 86_400


@contextmanager
def atomic_path(path: PathLike) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place when the block ends well.

    Missing parent folders are made. After an error the temporary file is removed and ``path`` is as it was.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Two machines that share a folder may well have equal process ids. The suffix stays last: several writers choose
    # their format by it.
    writer = f"{_host()}-{os.getpid()}-{secrets.token_hex(2)}"
    temporary = target.with_name(f".{target.stem}.{writer}.part{target.suffix}")
    try:
        with naming_full_disk(target):
            yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: PathLike) -> Iterator[Path]:
    """Yield a temporary, empty folder beside ``path`` that takes its place when the block ends well.

    After an error the temporary folder is removed and ``path`` is as it was. One that a killed process left is removed
    by the next writer of the same folder, of which there must be only one at a time.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        with naming_full_disk(target):
            yield temporary
        if target.is_dir():
            shutil.rmtree(target)
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def naming_full_disk(path: PathLike) -> Iterator[None]:
    """Give the error of a full disk, which knows no file, the name of the one that was being written.

    The error of a copy names first what was read.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK and (error.filename is None or error.filename2 is not None):
            error.filename = str(path)
        raise


def _host() -> str:
    return hashlib.sha256(platform.node().encode("utf-8")).hexdigest()[:6]


def remove_leftovers(folder: PathLike) -> None:
    """Remove what writers that were killed left in a folder.

    These are temporary files of processes of this machine that are no more, and any that is older than a day.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return
    with os.scandir(folder) as files:
        found = [(file, match) for file in files if (match := _TEMPORARY.fullmatch(file.name))]
    for file, match in found:
        with suppress(FileNotFoundError):  # another process may be cleaning as well
            is_dead = match["host"] == _host() and not _is_alive(int(match["pid"]))
            if is_dead or time.time() - file.stat().st_mtime > _SECONDS_OF_A_DAY:
                Path(file.path).unlink()


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        return True  # asking there could end the process; its files are old some day
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_bytes(path: PathLike, data: bytes) -> None:
    """Write bytes atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: PathLike, text: str) -> None:
    """Write UTF-8 text atomically, with LF line ends on every system."""
    write_bytes(path, text.encode("utf-8"))


def to_json(value: Any, indent: int | None = None) -> str:
    """Canonical JSON: sorted keys, no NaN, the same text for the same value everywhere."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(value, sort_keys=True, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False)


def write_json(path: PathLike, value: Any) -> None:
    """Write a value as indented canonical JSON, atomically."""
    write_text(path, to_json(value, indent=1) + "\n")


def read_json(path: PathLike) -> Any:
    """Read a JSON file.

    Raises:
        UserError: the file is missing or is no JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a JSON file ({error})") from error


def write_jsonl(path: PathLike, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line, atomically; keys keep the order of each row."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def read_jsonl(path: PathLike) -> list[dict[str, Any]]:
    """Read one JSON object a line; blank lines are skipped.

    Raises:
        UserError: the file is missing, or a line is no JSON object; the message names the line.
    """
    rows: list[dict[str, Any]] = []
    try:
        with Path(path).open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise UserError(f"{path}, line {number}: expected a JSON object, got {type(row).__name__}")
                rows.append(row)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}, line {len(rows) + 1}: not JSON ({error})") from error
    return rows


def write_table(path: PathLike, table: pa.Table) -> None:
    """Write a table as Parquet (zstd), atomically; the same table gives the same bytes."""
    import pyarrow.parquet as pq

    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_table(path: PathLike, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file.

    Raises:
        UserError: the file is missing, is no Parquet, or lacks one of ``columns``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = None if columns is None else list(columns)
    try:
        if wanted is not None:
            # Arrow's own message about an absent column holds the whole schema of the file.
            _refuse_missing(path, wanted, pq.read_schema(path, memory_map=True).names)
        return pq.read_table(path, columns=wanted, memory_map=True)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a readable Parquet file ({_first_line(error)})") from error


def _refuse_missing(path: PathLike, wanted: Sequence[str], there: Sequence[str]) -> None:
    if missing := [name for name in wanted if name not in there]:
        plural = "" if len(missing) == 1 else "s"
        raise UserError(f"{path}: missing column{plural} {', '.join(missing)}; is it the right kind of file?")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def sha256_bytes(data: bytes) -> str:
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: PathLike) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def short_hash(value: Any, length: int = 12) -> str:
    """First ``length`` hexadecimal digits of the SHA-256 of a value's canonical JSON."""
    return sha256_bytes(to_json(value).encode("utf-8"))[:length]


_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


def safe_name(name: str) -> str:
    """A name for files and folders on every system; different names stay different.

    Letters, digits, ``.``, ``_`` and ``-`` stay; a run of anything else becomes ``_``. Whenever something had to
    change, six digits of the original's hash are appended.
    """
    cleaned = _UNSAFE.sub("_", name).strip(".") or "_"
    if _RESERVED.match(cleaned):
        cleaned = f"_{cleaned}"
    cleaned = cleaned[:120]
    return cleaned if cleaned == name else f"{cleaned}-{sha256_bytes(name.encode('utf-8'))[:6]}"
