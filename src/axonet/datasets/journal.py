"""Neurons of a packed shard that is not whole yet: a run that was killed goes on after the last of them.

A header line names what the records belong to. Each record is its length, its CRC-32 and its bytes; the first one that
is cut or damaged ends the journal.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from axonet.core.errors import UserError
from axonet.core.files import naming_full_disk, to_json
from axonet.datasets.render_jobs import PackedNeuron

_HEAD = struct.Struct("<QI")
_COUNT = struct.Struct("<Q")


class Journal(AbstractContextManager["Journal"]):
    """Finished neurons of one shard, in the order of their ids.

    Args:
        path: the journal's file; it is made when it is not there.
        key: digest of what the neurons are and how they are rendered; a journal of another key is thrown away.
        schema: of the shard.
        ids: of all neurons of the shard, sorted.
    """

    def __init__(self, path: Path, key: str, schema: pa.Schema, ids: Sequence[str]) -> None:
        self._path, self._schema, self._ids = path, schema, list(ids)
        self._header = f"axonet journal {key}\n".encode()
        self.n_neurons = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        self._file: BinaryIO = path.open("r+b")
        try:
            with naming_full_disk(path):
                self._end = self._find_end()
                self._file.truncate(self._end)
                self._file.seek(self._end)
        except OSError:
            with suppress(OSError):  # the same again
                self._file.close()
            raise

    def __exit__(self, *_: object) -> None:
        """Close the file; it stays."""
        with naming_full_disk(self._path):  # what a failed write left in memory fails again
            self._file.close()

    def append(self, neuron: PackedNeuron) -> None:
        """Note the next neuron as finished."""
        facts = to_json({"qc": neuron.qc, "measure": neuron.measure}).encode("utf-8")
        images = b"" if neuron.batch is None else neuron.batch.serialize().to_pybytes()
        data = _COUNT.pack(len(facts)) + facts + images
        with naming_full_disk(self._path):
            self._file.write(_HEAD.pack(len(data), zlib.crc32(data)) + data)
            self._file.flush()  # to the system: a killed process loses nothing
        self.n_neurons += 1
        self._end = self._file.tell()

    def __iter__(self) -> Iterator[PackedNeuron]:
        """The neurons from the first on.

        Raises:
            UserError: the file was changed meanwhile.
        """
        self._file.seek(len(self._header))
        for neuron_id in self._ids[: self.n_neurons]:
            neuron = self._next(neuron_id)
            if neuron is None:
                raise UserError(f"{self._path}: changed by another process; let only one run write a shard, and rerun")
            yield neuron
        self._file.seek(self._end)

    def remove(self) -> None:
        """Remove the file: the shard is whole."""
        self._path.unlink(missing_ok=True)

    def _find_end(self) -> int:
        """Count the whole records, and say where the last one ends."""
        if self._file.read(len(self._header)) != self._header:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(self._header)
            return self._file.tell()
        end = self._file.tell()
        for neuron_id in self._ids:
            if self._next(neuron_id) is None:
                break
            self.n_neurons, end = self.n_neurons + 1, self._file.tell()
        return end

    def _next(self, neuron_id: str) -> PackedNeuron | None:
        """The next record, None where there is no whole one of this neuron."""
        head = self._file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        length, crc = _HEAD.unpack(head)
        if self._file.tell() + length > self._path.stat().st_size:
            return None
        data = self._file.read(length)
        if zlib.crc32(data) != crc:
            return None
        (n_facts,) = _COUNT.unpack_from(data)
        start = _COUNT.size + n_facts
        facts = json.loads(data[_COUNT.size : start])
        if facts["measure"]["neuron_id"] != neuron_id:
            return None
        images = data[start:]
        batch = pa.ipc.read_record_batch(pa.py_buffer(images), self._schema) if images else None
        return PackedNeuron(batch, facts["qc"], facts["measure"])


def journal_file(shard: Path) -> Path:
    """Where the journal of a shard lies while there is one."""
    return shard.with_name(f".{shard.stem}.unfinished")
