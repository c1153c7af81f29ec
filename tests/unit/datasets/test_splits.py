from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axonet.core.config import load_settings
from axonet.core.errors import UserError
from axonet.datasets.groups import connected_groups, group_keys
from axonet.datasets.splits import SplitSettings, assign_splits, assignments_digest, update_split_file

RATIOS = {"val_ratio": 0.25, "test_ratio": 0.35, "seed": 3}


class Facts(NamedTuple):
    source: str = "folder"
    donor: str | None = None
    publication: str | None = None
    archive: str | None = None


def split_of(table: object) -> dict[str, str]:
    return dict(zip(table["neuron_id"].to_pylist(), table["split"].to_pylist(), strict=True))  # type: ignore[index]


def assign(keys: dict[str, tuple[str, ...]], existing: object = None) -> object:
    former = [] if existing is None else zip(*(existing[c].to_pylist() for c in ("neuron_id", "group")), strict=True)
    groups = connected_groups(list(keys), list(keys.values()), former)
    return assign_splits(list(keys), groups, **RATIOS, existing=existing)


def components_by_search(keys: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Slow oracle: walk from each neuron to all that share a key."""
    smallest = {}
    for start in keys:
        seen, todo = {start}, [start]
        while todo:
            here = todo.pop()
            for other in keys:
                if other not in seen and set(keys[here]) & set(keys[other]):
                    seen.add(other)
                    todo.append(other)
        smallest[start] = min(seen)
    return smallest


KEYS = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=4),
    st.lists(st.sampled_from("PQRSTUVW"), max_size=2).map(tuple),
    min_size=1,
    max_size=20,
)


@given(KEYS)
def test_groups_are_the_connected_components(keys: dict[str, tuple[str, ...]]) -> None:
    groups = connected_groups(list(keys), list(keys.values()))
    assert dict(zip(keys, groups, strict=True)) == components_by_search(keys)


@settings(max_examples=60)
@given(KEYS, KEYS)
def test_a_neuron_never_moves_when_others_are_added(
    keys: dict[str, tuple[str, ...]], more: dict[str, tuple[str, ...]]
) -> None:
    first = assign(keys)
    grown = assign({**more, **keys}, first)
    assert split_of(first).items() <= split_of(grown).items()
    # With only some of them left, they are still where they were, and the others are remembered.
    later = assign({name: keys[name] for name in list(keys)[::2]}, grown)
    assert split_of(later) == split_of(grown)


@given(KEYS, KEYS)
def test_a_newcomer_is_never_in_another_split_than_its_group(
    keys: dict[str, tuple[str, ...]], more: dict[str, tuple[str, ...]]
) -> None:
    everyone = {**more, **keys}
    table = assign(everyone, assign(keys))
    splits, component = split_of(table), components_by_search(everyone)
    for newcomer in everyone.keys() - keys.keys():
        there = {splits[name] for name in everyone if component[name] == component[newcomer]} - {"excluded"}
        assert splits[newcomer] == "excluded" or there == {splits[newcomer]}


def test_a_newcomer_that_joins_groups_of_two_splits_is_excluded_with_the_reason() -> None:
    keys = {f"n{i}": (f"donor {i}",) for i in range(30)}
    first = assign(keys)
    splits = split_of(first)
    train, test = (next(name for name in keys if splits[name] == split) for split in ("train", "test"))
    table = assign({**keys, "bridge": (*keys[train], *keys[test])}, first)
    row = next(row for row in table.to_pylist() if row["neuron_id"] == "bridge")  # type: ignore[attr-defined]
    assert row["split"] == "excluded"
    assert row["reason"] == "joins groups of test and train"
    third = assign({**keys, "bridge": (*keys[train], *keys[test]), "late": keys[train]}, table)
    assert split_of(third)["late"] == "excluded"


def test_ratios_are_met_by_many_neurons() -> None:
    ids = [f"n{i}" for i in range(4000)]
    counts = Counter(split_of(assign_splits(ids, ids, **RATIOS)).values())
    assert counts["val"] == pytest.approx(1000, abs=100)
    assert counts["test"] == pytest.approx(1400, abs=100)


def test_another_seed_divides_otherwise() -> None:
    ids = [f"n{i}" for i in range(50)]
    tables = [assign_splits(ids, ids, val_ratio=0.3, test_ratio=0.3, seed=seed) for seed in (0, 1)]
    assert split_of(tables[0]) != split_of(tables[1])


def test_without_ratios_everyone_trains() -> None:
    ids = [f"n{i}" for i in range(50)]
    assert set(split_of(assign_splits(ids, ids, val_ratio=0, test_ratio=0, seed=0)).values()) == {"train"}


def test_the_digest_counts_who_is_where_and_nothing_else() -> None:
    ids = [f"n{i}" for i in range(20)]
    table = assign_splits(ids, ids, **RATIOS)
    regrouped = table.set_column(1, "group", [["x"] * 20])
    assert assignments_digest(table) == assignments_digest(regrouped.take(list(range(19, -1, -1))))
    assert assignments_digest(table) != assignments_digest(table.slice(1))
    assert assignments_digest(table, ids[:5]) == assignments_digest(assign_splits(ids[:5], ids[:5], **RATIOS))


def test_donors_stand_before_publications_before_archives() -> None:
    records = [
        Facts(donor="m1", publication="p", archive="A"),
        Facts(donor="m1", archive="B"),  # another laboratory's m1
        Facts(publication="p", archive="A"),
        Facts(archive="a"),
        None,
    ]
    donor = group_keys(records, "donor")
    assert donor == [("donor:a:m1",), ("donor:b:m1",), ("publication:p",), ("archive:a",), ()]
    lab = connected_groups(list("abcde"), group_keys(records, "lab"))
    assert lab == ["a", "b", "a", "a", "e"]
    assert group_keys(records, "neuron", ["same"] * 5) == [()] * 5


def test_equal_shapes_stay_together() -> None:
    keys = group_keys([Facts(donor="x"), Facts(donor="y"), None], "donor", ["s", "s", None])
    assert connected_groups(["a", "b", "c"], keys) == ["a", "a", "c"]


def test_a_split_file_is_brought_up_to_date_by_the_same_settings_only(tmp_path: Path) -> None:
    path, ids = tmp_path / "splits.parquet", [f"n{i}" for i in range(30)]
    settings_ = SplitSettings(val_ratio=0.25)
    first = update_split_file(path, ids[:20], [()] * 20, settings_)
    before = path.read_bytes()
    update_split_file(path, ids[:20], [()] * 20, settings_)
    assert path.read_bytes() == before
    second = update_split_file(path, ids, [()] * 30, settings_)
    assert split_of(first).items() <= split_of(second).items()
    with pytest.raises(UserError, match=r"val_ratio 0.25, now 0.5; split_seed 0, now 1"):
        update_split_file(path, ids, [()] * 30, SplitSettings(val_ratio=0.5, split_seed=1))


def test_an_id_that_occurs_twice_is_refused() -> None:
    with pytest.raises(UserError, match="occur twice"):
        assign_splits(["a", "a"], ["a", "a"], **RATIOS)


def test_ratios_must_leave_something_to_train_on() -> None:
    with pytest.raises(UserError, match="nothing would be left to train on"):
        load_settings(SplitSettings, {"val_ratio": 0.5, "test_ratio": 0.5}, "split")
