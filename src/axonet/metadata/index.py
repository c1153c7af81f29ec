"""The join between files and metadata: exact, by the path of the SWC as far as both sides tell it, or by id."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from axonet.core.errors import UserError
from axonet.metadata.adapters.arrow import file_name, path_parts
from axonet.metadata.record import NeuronRecord

SHOWN = 3
_SAME_PATH = 1_000_000  # more than any two paths have in common without being equal


@dataclass(frozen=True, slots=True)
class FileJoin:
    """Files with their metadata.

    Attributes:
        records: record by path; paths without metadata are absent.
        ambiguous: reason by path, for files of which the metadata do not tell whose row is meant.
    """

    records: dict[str, NeuronRecord] = field(default_factory=dict)
    ambiguous: dict[str, str] = field(default_factory=dict)

    def problem(self) -> str | None:
        """One line about the ambiguous files, or None."""
        if not self.ambiguous:
            return None
        shown = "; ".join(f"{path}: {why}" for path, why in sorted(self.ambiguous.items())[:SHOWN])
        more = f"; and {len(self.ambiguous) - SHOWN} more" if len(self.ambiguous) > SHOWN else ""
        count = f"{len(self.ambiguous)} SWC files have no row that is surely theirs"
        return f"{count}; paths in the column swc would tell them apart ({shown}{more})"


class RecordIndex:
    """Finds the record of a neuron.

    ``cell.swc`` and ``cell.CNG.swc`` are two files and two names. Nothing is ever read out of a name: no digits, no
    stems, no case folding. Where the metadata give paths, ``a/cell.swc`` is not the row of ``b/cell.swc``; both sides
    may begin in different folders, so ``data/a/cell.swc`` is.

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
        """The record of an SWC file: the one whose path agrees with it in the most folders, from the end.

        Where either side is a file name alone, that must be unique among the records. Whether several *files* share
        the one row of a table without paths, only :meth:`join` can see.

        Raises:
            UserError: several records fit equally well.
        """
        rank = self._ranks(path)
        best = max(rank.values(), default=0)
        found = [self.records_of(path)[number] for number, own in rank.items() if own == best]
        return self._only(found, f"SWC file name {file_name(path)!r}")

    def join(self, paths: Sequence[str]) -> FileJoin:
        """The records of all files of a folder, no record for two of them.

        The best agreements are settled first, so that of ``cell.swc`` and ``a/cell.swc`` each finds its own row.
        """
        result = FileJoin()
        by_name: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            by_name[file_name(path)].append(path)
        for name, files in by_name.items():
            if name in self._by_file:
                self._settle(name, files, result)
        return result

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

    def records_of(self, path: str) -> Sequence[NeuronRecord]:
        """All records with the file name of a path."""
        return self._by_file.get(file_name(path), ())

    def _ranks(self, path: str) -> dict[int, int]:
        """How well the records with a path's file name agree with it, by their number; those that do not are absent."""
        asked, candidates = path_parts(path), self.records_of(path)
        told = any(record.swc_path for record in candidates)
        ranks = {}
        for number, record in enumerate(candidates):
            # Beside a row with a path, a file name alone is the path of a file that is in no sub-folder.
            if told and not record.swc_path and len(asked) > 1:
                continue
            agreement = _agreement(asked, path_parts(record.swc_path or record.swc))
            if agreement:
                ranks[number] = agreement
        return ranks

    def _settle(self, name: str, files: Sequence[str], result: FileJoin) -> None:
        pairs = {(path, number): rank for path in files for number, rank in self._ranks(path).items()}
        for rank in sorted(set(pairs.values()), reverse=True):
            level = [pair for pair, own in pairs.items() if own == rank]
            rows_of, files_of = Counter(path for path, _ in level), Counter(number for _, number in level)
            for path, number in level:
                if rows_of[path] == files_of[number] == 1:
                    result.records[path] = self._by_file[name][number]
                elif rows_of[path] > 1:
                    result.ambiguous[path] = f"{rows_of[path]} rows fit"
                else:
                    result.ambiguous[path] = f"its row fits {files_of[number]} files"
            pairs = {
                (path, number): own
                for (path, number), own in pairs.items()
                if own != rank and path not in rows_of and number not in files_of
            }

    @staticmethod
    def _only(found: Iterable[NeuronRecord], what: str) -> NeuronRecord | None:
        records = list(found)
        if len(records) > 1:
            owners = ", ".join(record.neuron_id for record in records[:4])
            raise UserError(f"{what} belongs to {len(records)} rows of the metadata ({owners}); make it unique")
        return records[0] if records else None


def _agreement(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts two paths have in common from the end; 0 where they contradict each other."""
    if tuple(one) == tuple(other):
        return _SAME_PATH
    common = min(len(one), len(other))
    return common if tuple(one[-common:]) == tuple(other[-common:]) else 0
