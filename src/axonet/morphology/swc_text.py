"""Bytes of an SWC file to columns: a vectorized path for clean text, a tolerant one for everything else."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axonet.core.errors import UserError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

N_FIELDS = 7
ROOT = -1  # parent of a root
UNKNOWN_PARENT = -2  # a parent field that names no node
_EXACT = 2.0**53  # integers below this are exact as float64

_BOM = b"\xef\xbb\xbf"
_COMMENT = re.compile(rb"#[^\r\n]*")
_NEWLINE = re.compile(r"\r\n|\r|\n")


class SWCError(UserError):
    """An SWC file that cannot be read as a neuron.

    Attributes:
        code: why, in one word: ``empty_file``, ``no_data_rows``, ``html_page``, ``truncated_file``,
            ``multiple_somata``, ``no_root`` or ``unreadable_file``.
    """

    def __init__(self, code: str, message: str) -> None:
        """Make an error with a reason code and a line for the user."""
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[SWCError], tuple[str, str]]:
        """Two arguments, so that the error crosses process borders."""
        return type(self), (self.code, str(self))


@dataclass
class Columns:
    """The seven fields of every usable row, in the order of the file.

    Attributes:
        node_id: ``(n,)`` int64, not negative.
        swc_type: ``(n,)`` float64 as written; NaN where it is no number.
        xyz: ``(n, 3)`` float64 as written; NaN where it is no number.
        radius: ``(n,)`` float64 as written; NaN where it is no number.
        parent: ``(n,)`` int64 ids; ``ROOT``, or ``UNKNOWN_PARENT`` where the field names no possible id.
        warnings: codes of what had to be overlooked.
    """

    node_id: IntArray
    swc_type: FloatArray
    xyz: FloatArray
    radius: FloatArray
    parent: IntArray
    warnings: set[str]


def parse_columns(data: bytes, name: str) -> Columns:
    """Read the rows of an SWC file of any newline style, encoding and separator.

    Args:
        data: the bytes of the file.
        name: what to call the file in an error.

    Raises:
        SWCError: ``empty_file``, ``html_page``, ``truncated_file`` or ``no_data_rows``.
    """
    warnings: set[str] = set()
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
        warnings.add("utf8_bom")
    if not data.strip():
        raise SWCError("empty_file", f"{name}: the file is empty; fetch or export it again")
    if not data.isascii() and not _is_utf8(data):
        warnings.add("not_utf8")
    rows = _COMMENT.sub(b"", data) if b"#" in data else data
    if rows.lstrip().startswith(b"<"):
        raise SWCError("html_page", f"{name}: this is a web page, not an SWC file; fetch it again")
    if b"," in rows:
        rows = rows.replace(b",", b" ")
        warnings.add("comma_separated")
    columns = clean_columns(rows) or tolerant_columns(rows, name)
    columns.warnings |= warnings
    if not len(columns.node_id):
        raise SWCError(
            "no_data_rows",
            f"{name}: no row has the seven fields id, type, x, y, z, radius, parent; is this an SWC file?",
        )
    return columns


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def clean_columns(rows: bytes) -> Columns | None:
    """Parse comment-free text in which every row has seven plain numbers; None if that is not so."""
    table = _number_table(rows)
    if table is None:
        return None
    node_id, swc_type, parent = table[:, 0], table[:, 1], table[:, 6]
    integers = np.stack([node_id, parent])
    # Whatever is not plainly an integer is judged number by number, in one place: the tolerant path.
    if not ((np.abs(integers) < _EXACT) & (integers == np.rint(integers))).all() or (node_id < 0).any():
        return None
    return Columns(
        node_id=node_id.astype(np.int64),
        swc_type=swc_type.copy(),
        xyz=table[:, 2:5].copy(),
        radius=table[:, 5].copy(),
        parent=np.maximum(parent.astype(np.int64), UNKNOWN_PARENT),
        warnings=set(),
    )


def _number_table(rows: bytes) -> FloatArray | None:
    """``(n, 7)`` numbers of text whose every row has seven of them, else None.

    Words are found with array operations and read by Arrow's parser: three times as fast as ``np.loadtxt``.
    """
    import pyarrow as pa

    text = np.frombuffer(b"\n" + rows + b"\n", dtype=np.uint8)
    is_space = text <= ord(" ")
    if ((text < 9) | ((text > 13) & (text < 32))).any():  # control characters that are no white space
        return None
    borders = np.flatnonzero(is_space[1:] != is_space[:-1]) + 1  # start, end, start, end, ...
    starts, ends = borders[0::2], borders[1::2]
    words_before_line_end = np.searchsorted(starts, np.flatnonzero((text == 10) | (text == 13)))
    words_per_line = np.diff(words_before_line_end)
    if not len(starts) or ((words_per_line != 0) & (words_per_line != N_FIELDS)).any():
        return None
    if len(rows) >= np.iinfo(np.int32).max:
        return None
    offsets = np.concatenate([[0], np.cumsum(ends - starts)]).astype(np.int32)
    words = pa.Array.from_buffers(
        pa.string(), len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(text[~is_space])]
    )
    try:
        # The buffer itself: to_numpy() would load pandas, forty megabytes in every process that reads a neuron.
        numbers: FloatArray = np.frombuffer(words.cast(pa.float64()).buffers()[1], dtype=np.float64, count=len(starts))
    except pa.ArrowInvalid:
        return None
    return numbers.reshape(-1, N_FIELDS)


def tolerant_columns(rows: bytes, name: str) -> Columns:
    """Parse comment-free text row by row, skipping rows that cannot be used.

    Raises:
        SWCError: ``truncated_file``, when the last line has no newline and too few fields.
    """
    try:
        text = rows.decode("utf-8")
    except UnicodeDecodeError:
        text = rows.decode("latin-1")
    warnings: set[str] = set()
    lines = _NEWLINE.split(text)
    integers: list[tuple[int, int]] = []
    numbers: list[list[float]] = []
    for position, line in enumerate(lines):
        fields = line.split()
        if not fields:
            continue
        if len(fields) < N_FIELDS:
            # Only what begins like a row was cut: a footer or a message without a newline is merely no row.
            if position == len(lines) - 1 and _to_integer(fields[0]) is not None:
                raise SWCError("truncated_file", f"{name}: the last row is cut off; fetch the file again")
            warnings.add("short_row")
            continue
        if len(fields) > N_FIELDS:
            warnings.add("extra_columns")
        node_id, parent = _to_integer(fields[0]), _to_integer(fields[6])
        if node_id is None or node_id < 0:
            warnings.add("bad_row")
            continue
        integers.append((node_id, UNKNOWN_PARENT if parent is None else max(parent, UNKNOWN_PARENT)))
        numbers.append([_to_float(field) for field in fields[1:6]])
    ids = np.array(integers, dtype=np.int64).reshape(-1, 2)
    floats = np.array(numbers, dtype=np.float64).reshape(-1, N_FIELDS - 2)
    return Columns(
        ids[:, 0].copy(), floats[:, 0].copy(), floats[:, 1:4].copy(), floats[:, 4].copy(), ids[:, 1].copy(), warnings
    )


def _to_float(word: str) -> float:
    """The number a word stands for; NaN if it is none."""
    if "_" in word:  # a legal digit separator to Python, but not to SWC
        return math.nan
    try:
        return float(word)
    except ValueError:
        return math.nan


def _to_integer(word: str) -> int | None:
    """The 64-bit integer a word stands for, also when written as a float; None if it is none."""
    try:
        value = int(word) if "_" not in word else None
    except ValueError:
        number = _to_float(word)
        value = int(number) if math.isfinite(number) and number.is_integer() else None
    return value if value is not None and abs(value) < 2**63 else None
