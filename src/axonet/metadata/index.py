"""The join between files and metadata: exact, by the whole file name of the SWC or by id."""

from __future__ import annotations

from collections.abc import Iterable

from axonet.core.errors import UserError
from axonet.metadata.adapters.arrow import file_name
from axonet.metadata.record import NeuronRecord


class RecordIndex:
    """Finds the record of a neuron.

    ``cell.swc`` and ``cell.CNG.swc`` are two files and two names. Nothing is ever read out of a name: no digits, no
    stems, no case folding.

    Args:
        records: any number of records; names that several of them share are refused only when asked for.
    """

    def __init__(self, records: Iterable[NeuronRecord]) -> None:
        self.records: tuple[NeuronRecord, ...] = tuple(records)
        self._by_file: dict[str, list[NeuronRecord]] = {}
        self._by_id: dict[str, list[NeuronRecord]] = {}
        for record in self.records:
            self._by_file.setdefault(record.swc, []).append(record)
            for name in {record.id, record.neuron_id}:
                self._by_id.setdefault(name, []).append(record)

    def __len__(self) -> int:
        return len(self.records)

    def by_swc(self, path: str) -> NeuronRecord | None:
        """The record whose SWC has this file name; folders do not count.

        Raises:
            UserError: several records name this file.
        """
        name = file_name(path)
        return self._only(self._by_file.get(name, ()), f"SWC file name {name!r}")

    def by_id(self, neuron_id: str) -> NeuronRecord | None:
        """The record with this id, with or without the prefix ``source:``.

        Raises:
            UserError: records of several sources have this id.
        """
        return self._only(self._by_id.get(neuron_id, ()), f"id {neuron_id!r}")

    def match(self, name: str) -> NeuronRecord | None:
        """The record of an SWC file, where the name ends in ``.swc``, else of an id; None where there is none.

        Give the SWC where it is known: the name of an image folder is no id of a source.
        """
        return self.by_swc(name) if name.lower().endswith(".swc") else self.by_id(name)

    @staticmethod
    def _only(found: Iterable[NeuronRecord], what: str) -> NeuronRecord | None:
        records = list(found)
        if len(records) > 1:
            owners = ", ".join(record.neuron_id for record in records[:4])
            raise UserError(f"{what} belongs to {len(records)} rows of the metadata ({owners}); make it unique")
        return records[0] if records else None
