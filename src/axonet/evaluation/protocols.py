"""Published benchmarks of neuron classification: their classes, their folds, and what was reported on them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from axonet.core.errors import UserError

N_FOLDS, TEST_FOLDS = 10, (8, 9)  # the papers learn on folds 0 to 7 and test on 8 and 9
COLUMNS = ("swc__fname", "model__fold", "structure_merge__acronym")
LAYERS = ("Isocortex_layer23", "Isocortex_layer4", "Isocortex_layer5", "Isocortex_layer6")


@dataclass(frozen=True)
class Protocol:
    """A benchmark.

    Attributes:
        name: as papers write it.
        classes: its classes; empty where the folders name them.
        table: file with the published folds; None where folders ``train`` and ``test`` say who is what.
        sizes: published numbers of neurons learned on and tested.
        dendrites_only: axons are removed before anything else.
        rescaled: end of the names of files that are in voxels, and the size of a voxel in um.
        published: nearest-neighbor accuracy in percent, by the method.
    """

    name: str
    classes: tuple[str, ...]
    table: str | None
    sizes: tuple[int, int] | None
    dendrites_only: bool
    published: Mapping[str, float]
    rescaled: tuple[str, tuple[float, float, float]] | None = None


PROTOCOLS: dict[str, Protocol] = {
    "bil6": Protocol(
        "BIL-6", ("CP", *LAYERS, "VPM"), "BIL_info_swc_10folds.csv", (958, 242), True,
        {"TreeMoCo, best epoch on the test set": 78.9, "TreeMoCo, final epoch": 70.7, "MorphSys": 84.0,
         "GraPHFormer": 86.2},
        ("__reg.swc", (0.114, 0.114, 0.28)),
    ),
    "jml4": Protocol(
        "JML-4", (LAYERS[0], *LAYERS[2:], "VPM"), "JML_info_swc_10folds.csv", (332, 76), True,
        {"TreeMoCo, best epoch on the test set": 64.3, "TreeMoCo, final epoch": 62.7, "MorphSys": 75.3,
         "GraPHFormer": 72.7},
    ),
    "act4": Protocol(
        "ACT-4", LAYERS, "ACT_info_swc_10folds.csv", (400, 95), True,
        {"TreeMoCo, best epoch on the test set": 55.8, "TreeMoCo, final epoch": 48.4, "MorphSys": 67.3,
         "GraPHFormer": 59.1},
    ),
    "n7": Protocol("N7", (), None, None, False, {"MorphSys": 83.5, "GraPHFormer": 83.8}),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A neuron of a benchmark.

    Attributes:
        path: its SWC file.
        name: of the file.
        label: its class.
        fold: 0 to 9.
        tested: whether papers test on it.
    """

    path: Path
    name: str
    label: str
    fold: int
    tested: bool


def read_benchmark(key: str, folder: Path) -> tuple[list[Entry], Counter[str]]:
    """The neurons of a benchmark, sorted by name.

    Args:
        key: of ``PROTOCOLS``.
        folder: holds the table of folds and, somewhere below, the SWC files that it names; for ``n7`` the folders
            ``train/CLASS`` and ``test/CLASS``.

    Returns:
        The neurons, and how many were left out for which reason.

    Raises:
        UserError: something is missing, or nobody is left to learn from or to test.
    """
    protocol = PROTOCOLS[key]
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; it holds the data of {protocol.name} (docs/how-to/benchmarks.md)")
    left_out: Counter[str] = Counter()
    found = list(_by_table(protocol, folder, left_out) if protocol.table else _by_folders(protocol, folder))
    entries = sorted(found, key=lambda entry: (entry.name, entry.label))
    tested = sum(entry.tested for entry in entries)
    if not tested or tested == len(entries):
        reasons = "; ".join(f"{reason}: {n}" for reason, n in left_out.items())
        raise UserError(
            f"{folder}: {tested} neurons to test and {len(entries) - tested} to learn from for {protocol.name}"
            + (f" ({reasons})" if reasons else "")
        )
    return entries, left_out


def _by_table(protocol: Protocol, folder: Path, left_out: Counter[str]) -> Iterator[Entry]:
    """Neurons as the table of folds names them."""
    table = next(iter(sorted(folder.rglob(str(protocol.table)))), None)
    if table is None:
        raise UserError(f"{folder}: {protocol.table}, the table of published folds, is not in it")
    files = {path.name.casefold(): path for path in sorted(folder.rglob("*.[sS][wW][cC]"))}
    with table.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise UserError(f"{table}: no column {', '.join(missing)}")
        for row in reader:
            name, fold = Path(row[COLUMNS[0]] or "").name, _whole(row[COLUMNS[1]])
            label = (row[COLUMNS[2]] or "").replace("/", "")  # layer 2/3 is called layer23
            if label not in protocol.classes:
                continue
            if fold is None or not 0 <= fold < N_FOLDS:
                left_out["no fold in the table"] += 1
            elif (path := files.get(name.casefold())) is None:
                left_out["no SWC file"] += 1
            else:
                yield Entry(path, name, label, fold, fold in TEST_FOLDS)


def _by_folders(protocol: Protocol, folder: Path) -> Iterator[Entry]:
    """Neurons in ``train/CLASS`` and ``test/CLASS``; folds are dealt by name, class by class."""
    seen: Counter[str] = Counter()
    for part in ("train", "test"):
        if not (folder / part).is_dir():
            raise UserError(f"{folder / part}: no such folder; {protocol.name} lies in train/CLASS and test/CLASS")
        for path in sorted((folder / part).rglob("*.[sS][wW][cC]")):
            label = path.relative_to(folder / part).parts[0]
            if path.parent != folder / part:
                yield Entry(path, path.name, label, seen[label] % N_FOLDS, part == "test")
                seen[label] += 1


def _whole(text: str | None) -> int | None:
    """A whole number, also where a table wrote it as ``7.0``."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return int(value) if value.is_integer() else None
