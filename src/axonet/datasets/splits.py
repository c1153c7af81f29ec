"""Who is for training, validation and test: a hash decides, once, and nobody ever moves.

A group's split depends on nothing but the seed and the smallest neuron id in the group, so neurons that come later
change nothing for those that are there. The split file only grows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from axonet.core.config import Settings
from axonet.core.errors import UserError
from axonet.core.files import PathLike, read_table, to_json, write_table
from axonet.core.seeds import uniform
from axonet.datasets.groups import TableFacts, connected_groups, group_keys, table_facts

if TYPE_CHECKING:
    import pyarrow as pa

Split = Literal["train", "val", "test", "excluded"]
SPLITS: tuple[str, ...] = ("train", "val", "test", "excluded")
COLUMNS = ("neuron_id", "group", "split", "reason")
_SETTINGS = b"axonet.split_settings"


class SplitSettings(Settings):
    """How neurons are divided into training, validation and test."""

    split_by: Literal["neuron", "donor", "lab"] = Field(
        "neuron", description="what stays together: a neuron's views, all neurons of a donor, or of a lab"
    )
    val_ratio: float = Field(0.0, ge=0, lt=1, description="fraction for the validation split")
    test_ratio: float = Field(0.0, ge=0, lt=1, description="fraction for the test split")
    split_seed: int = Field(0, ge=0, description="seed of the division")

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> Self:
        if self.val_ratio + self.test_ratio >= 1:
            raise ValueError("val_ratio and test_ratio together must be below 1: nothing would be left to train on")
        return self


def split_of(group: str, *, val_ratio: float, test_ratio: float, seed: int) -> Split:
    """The split of a group of neurons.

    Args:
        group: the smallest neuron id of the group.
        val_ratio: fraction for validation.
        test_ratio: fraction for test.
        seed: of the division.
    """
    position = uniform(seed, "split", group)
    if position < test_ratio:
        return "test"
    return "val" if position < test_ratio + val_ratio else "train"


def assign_splits(
    ids: Sequence[str],
    groups: Sequence[str],
    *,
    val_ratio: float,
    test_ratio: float,
    seed: int,
    existing: pa.Table | None = None,
) -> pa.Table:
    """Divide neurons, never moving one that ``existing`` holds.

    A newcomer follows its group. When its group holds neurons of several splits (it is what joins them), it is
    ``excluded``, with the reason.

    Args:
        ids: neuron ids.
        groups: for each neuron the name of its group (see ``groups.connected_groups``).
        val_ratio: fraction of groups for validation.
        test_ratio: fraction of groups for test.
        seed: of the division.
        existing: a former result; its rows stay, also those of neurons that are no longer in ``ids``.

    Returns:
        A table with ``neuron_id``, ``group``, ``split``, ``reason``, sorted by neuron id.

    Raises:
        UserError: an id occurs twice.
    """
    import pyarrow as pa

    group_of = dict(zip(ids, groups, strict=True))
    if len(group_of) != len(ids):
        raise UserError(f"{len(ids) - len(group_of)} neuron ids occur twice; ids must be unique to be split")
    rows: dict[str, tuple[str, str, str]] = {}
    if existing is not None:
        for neuron, group, split, reason in zip(*(existing.column(name).to_pylist() for name in COLUMNS), strict=True):
            rows[neuron] = (group_of.get(neuron, group), split, reason)
    taken: dict[str, set[str]] = {}  # splits that the neurons already divided have given to today's groups
    for group, split, _ in rows.values():
        if split != "excluded":
            taken.setdefault(group, set()).add(split)
    for neuron, group in group_of.items():
        if neuron in rows:
            continue
        there = taken.get(group, ())
        if len(there) > 1:
            rows[neuron] = (group, "excluded", "joins groups of " + " and ".join(sorted(there)))
        elif there:
            rows[neuron] = (group, next(iter(there)), "")
        else:
            rows[neuron] = (group, split_of(group, val_ratio=val_ratio, test_ratio=test_ratio, seed=seed), "")
    ordered = sorted(rows)
    columns = [ordered, *([rows[neuron][i] for neuron in ordered] for i in range(3))]
    return pa.table([pa.array(column, pa.string()) for column in columns], names=list(COLUMNS))


def assignments_digest(table: pa.Table, ids: Sequence[str] | None = None) -> str:
    """Digest of who is in which split: equal as long as nobody of interest moved, came or went.

    Args:
        table: a split table.
        ids: count only these neurons (the split file also remembers neurons that are gone); None for all.
    """
    wanted = None if ids is None else set(ids)
    pairs = zip(table.column("neuron_id").to_pylist(), table.column("split").to_pylist(), strict=True)
    lines = sorted(f"{neuron}\t{split}\n" for neuron, split in pairs if wanted is None or neuron in wanted)
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()[:12]


def update_split_file(
    path: PathLike,
    ids: Sequence[str],
    keys: Sequence[Iterable[str]],
    settings: SplitSettings,
    former: Iterable[PathLike] = (),
) -> pa.Table:
    """Bring a split file up to date: newcomers are added, nobody moves.

    Args:
        path: the split file; it is made when it does not exist.
        ids: neuron ids.
        keys: what ties each neuron to others (see ``groups.group_keys``).
        settings: how to divide.
        former: earlier versions of the file that are kept beside it; nobody in them moves either.

    Returns:
        The table as written.

    Raises:
        UserError: the file was made with other settings.
    """
    table = _updated([path, *former], ids, keys, settings)
    write_table(path, table)
    return table


def _updated(
    files: Iterable[PathLike], ids: Sequence[str], keys: Sequence[Iterable[str]], settings: SplitSettings
) -> pa.Table:
    existing = _remembered(files, settings)
    groups = [] if existing is None else list(zip(*(existing.column(c).to_pylist() for c in COLUMNS[:2]), strict=True))
    table = assign_splits(
        ids,
        connected_groups(ids, keys, groups),
        val_ratio=settings.val_ratio,
        test_ratio=settings.test_ratio,
        seed=settings.split_seed,
        existing=existing,
    )
    return table.replace_schema_metadata({_SETTINGS: to_json(_identity(settings)).encode()})


def check_split_settings(path: PathLike, settings: SplitSettings) -> None:
    """Refuse settings that do not fit a split file, if there is one; nothing is written.

    Raises:
        UserError: the file was made with other settings, or is no split file.
    """
    if Path(path).exists():
        _refuse_other_settings(path, read_splits(path), settings)


def promised_scheme(path: PathLike) -> str | None:
    """What a split file was made to keep together: ``neuron``, ``donor`` or ``lab``; None where it does not say."""
    scheme = json.loads((read_splits(path).schema.metadata or {}).get(_SETTINGS, b"{}")).get("split_by")
    return None if scheme is None else str(scheme)


def _remembered(files: Iterable[PathLike], settings: SplitSettings) -> pa.Table | None:
    """Everybody who was ever assigned, out of the versions of a split file that there are."""
    import pyarrow as pa

    versions = []
    for file in sorted({Path(file) for file in files}):
        if file.exists():
            versions.append(read_splits(file))
            _refuse_other_settings(file, versions[-1], settings)
    if len(versions) < 2:
        return versions[0] if versions else None
    # Versions only grow, so they agree on the splits; the longest one knows the groups best.
    rows = {row["neuron_id"]: row for version in sorted(versions, key=len) for row in version.to_pylist()}
    return pa.Table.from_pylist([rows[neuron] for neuron in sorted(rows)], schema=versions[0].schema)


def planned_digest(catalog: PathLike, files: Iterable[PathLike], settings: SplitSettings) -> str:
    """The digest that the assignments of a catalog's neurons will have once the split file is up to date.

    Args:
        catalog: the catalog of all neurons.
        files: the split file or its versions, which may not exist yet.
        settings: how to divide.
    """
    ids, keys = catalog_keys(catalog, settings.split_by)
    return assignments_digest(_updated(files, ids, keys, settings), ids)


def catalog_keys(catalog: PathLike, scheme: str) -> tuple[list[str], list[tuple[str, ...]]]:
    """Neuron ids of a catalog, and what ties each to others."""
    # At plan time this is on every user's way: read no column that the scheme does not need.
    extra = () if scheme == "neuron" else (*TableFacts._fields, "fingerprint")
    table = read_table(catalog, ["neuron_id", *extra])
    ids: list[str] = table.column("neuron_id").to_pylist()
    if not extra:
        return ids, group_keys([None] * len(ids), scheme)
    return ids, group_keys(table_facts(table), scheme, table.column("fingerprint").to_pylist())


def _identity(settings: SplitSettings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in SplitSettings.model_fields}


def _refuse_other_settings(path: PathLike, existing: pa.Table, settings: SplitSettings) -> None:
    known = json.loads((existing.schema.metadata or {}).get(_SETTINGS, b"{}"))
    wanted = _identity(settings)
    other = [
        f"{name} {known[name]}, now {wanted[name]}" for name in wanted if known.get(name, wanted[name]) != wanted[name]
    ]
    if other:
        raise UserError(f"{path} was made with {'; '.join(other)}: delete it to divide anew, or keep its settings")


def read_splits(path: PathLike) -> pa.Table:
    """Read a split file.

    Raises:
        UserError: missing, unreadable, or with an unknown split.
    """
    import pyarrow.compute as pc

    table = read_table(path, COLUMNS)
    unknown = set(pc.unique(table.column("split")).to_pylist()) - set(SPLITS)
    if unknown:
        raise UserError(f"{path}: unknown split {', '.join(sorted(map(str, unknown)))}; known: {', '.join(SPLITS)}")
    return table
