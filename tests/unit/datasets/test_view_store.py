from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from axonet.core.errors import UserError
from axonet.core.files import read_jsonl, write_json, write_jsonl
from axonet.core.input_spec import InputSpec
from axonet.datasets.dataset_info import DatasetInfo, write_dataset_info
from axonet.datasets.manifest import write_manifest
from axonet.datasets.png_tree import write_png_views
from axonet.datasets.selection import load_split_views
from axonet.datasets.shards import ViewImages, neuron_batch, shard_schema, shard_writer
from axonet.datasets.splits import SplitSettings, update_split_file
from axonet.datasets.view_store import ViewStore
from axonet.morphology.compartments import PALETTE

SPEC = InputSpec(width=9, height=6)
MakeViews = Callable[..., list[ViewImages]]


def write_shard(path: Path, neurons: list[list[ViewImages]], spec: InputSpec = SPEC, depth_bits: int = 8) -> Path:
    schema = shard_schema(spec, depth_bits, {})
    with shard_writer(path, schema) as writer:
        for views in neurons:
            writer.add(neuron_batch(views, schema))
    return path


def write_tree(root: Path, neurons: list[list[ViewImages]], depth_bits: int = 8) -> Path:
    rows = [row for views in neurons for row in write_png_views(root, views[0].row["neuron"], views, PALETTE)]
    write_manifest(root / "manifest_train.jsonl", rows)
    write_dataset_info(root, DatasetInfo(layout="png", depth_bits=depth_bits, input_spec=SPEC))
    return root / "manifest_train.jsonl"


@pytest.mark.parametrize("depth_bits", [8, 16])
@pytest.mark.parametrize("zoom", [False, True])
def test_both_layouts_give_back_what_was_written(
    tmp_path: Path, make_views: MakeViews, depth_bits: int, zoom: bool
) -> None:
    neurons = [make_views(name, depth_bits=depth_bits, zoom=zoom) for name in ("a", "bb")]
    manifest = write_tree(tmp_path, neurons, depth_bits)
    shard = write_shard(tmp_path / "00-abc.arrow", neurons, depth_bits=depth_bits)
    for store in (ViewStore.from_manifest(tmp_path, manifest), ViewStore.from_shards([shard])):
        assert store.spec == SPEC
        assert store.depth_bits == depth_bits
        assert store.neuron_ids == ["test:a", "test:a", "test:bb", "test:bb"]
        for index, view in enumerate(view for views in neurons for view in views):
            mask, depth, window = store.read(index)
            assert mask.dtype == np.uint8
            assert depth.dtype == view.depth.dtype
            assert (mask == view.mask).all()
            assert (depth == view.depth).all()
            assert (window is None) == (view.zoom is None)
            assert window is None or (window == view.zoom).all()


def test_the_png_files_say_what_their_names_say(tmp_path: Path, make_views: MakeViews) -> None:
    view = make_views("a", views=[7])[0]
    write_tree(tmp_path, [[view]])
    folder = tmp_path / "images" / "a"
    read = {path.name.removeprefix("view_07_"): Image.open(path) for path in folder.iterdir()}
    assert set(read) == {"mask_bw.png", "mask.png", "mask_color.png", "depth.png"}
    assert (np.asarray(read["mask_bw.png"]) == np.where(view.mask > 0, 255, 0)).all()
    assert (np.asarray(read["mask.png"]) == view.mask).all()
    assert (np.asarray(read["mask_color.png"].convert("RGB")) == PALETTE[view.mask]).all()
    assert (np.asarray(read["depth.png"]) == view.depth).all()


def test_rows_are_sorted_whatever_order_they_were_written_in(tmp_path: Path, make_views: MakeViews) -> None:
    views = {name: make_views(name, views=[1, 0]) for name in ("a", "bb")}
    shards = [write_shard(tmp_path / f"{name}.arrow", [views[name]]) for name in ("bb", "a")]
    store = ViewStore.from_shards(shards)
    assert store.rows.column("view").to_pylist() == [0, 1, 0, 1]
    assert (store.read(0)[0] == views["a"][1].mask).all()
    assert (store.read(3)[0] == views["bb"][0].mask).all()


def test_a_subset_reads_its_own_rows_also_after_pickling(tmp_path: Path, make_views: MakeViews) -> None:
    views = make_views("a", views=range(5))
    store = ViewStore.from_shards([write_shard(tmp_path / "s.arrow", [views])]).subset([4, 1]).subset([1, 0])
    store.read(0)
    for copy in (store, pickle.loads(pickle.dumps(store))):
        assert copy.rows.column("view").to_pylist() == [1, 4]
        assert (copy.read(0)[0] == views[1].mask).all()
        assert (copy.read(1)[0] == views[4].mask).all()


def test_a_manifest_that_names_a_missing_image_says_which(tmp_path: Path, make_views: MakeViews) -> None:
    manifest = write_tree(tmp_path, [make_views("bb"), make_views("a")])
    (tmp_path / "images" / "a" / "view_01_depth.png").unlink()
    store = ViewStore.from_manifest(tmp_path, manifest)
    with pytest.raises(UserError, match=r"manifest_train.jsonl, row 4: .*a.view_01_depth.png does not exist"):
        store.read(1)  # sorted by neuron, so the fourth line is the second row


def test_a_damaged_image_is_named(tmp_path: Path, make_views: MakeViews) -> None:
    manifest = write_tree(tmp_path, [make_views("a")])
    image = tmp_path / "images" / "a" / "view_00_mask.png"
    image.write_bytes(image.read_bytes()[:50])
    with pytest.raises(UserError, match=r"row 1: .*view_00_mask.png: not a readable PNG"):
        ViewStore.from_manifest(tmp_path, manifest).read(0)


def test_a_damaged_shard_is_named(tmp_path: Path, make_views: MakeViews) -> None:
    path = write_shard(tmp_path / "s.arrow", [make_views("a")])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"s.arrow: not a readable shard"):
        ViewStore.from_shards([path])


def test_shards_of_different_settings_are_not_mixed(tmp_path: Path, make_views: MakeViews) -> None:
    other = SPEC.model_copy(update={"margin": 0.1})
    files = [
        write_shard(tmp_path / "a.arrow", [make_views("a")]),
        write_shard(tmp_path / "b.arrow", [make_views("bb")], spec=other),
    ]
    with pytest.raises(UserError, match=r"margin 0.1 instead of 0.4"):
        ViewStore.from_shards(files)


def test_a_shard_without_neurons_is_a_store_without_rows(tmp_path: Path) -> None:
    store = ViewStore.from_shards([write_shard(tmp_path / "s.arrow", [])])
    assert len(store) == 0


def test_a_manifest_of_packed_views_picks_its_rows(tmp_path: Path, make_views: MakeViews) -> None:
    views = make_views("a", views=range(4))
    write_shard(tmp_path / "shards" / "s.arrow", [make_views("bb"), views])
    write_dataset_info(tmp_path, DatasetInfo(layout="shards", input_spec=SPEC))
    rows = [{**views[i].row, "shard": "shards/s.arrow"} for i in (3, 1)]
    write_manifest(tmp_path / "m.jsonl", rows)
    store = ViewStore.from_manifest(tmp_path, tmp_path / "m.jsonl")
    assert store.rows.column("view").to_pylist() == [1, 3]
    assert (store.read(1)[0] == views[3].mask).all()
    write_manifest(tmp_path / "m.jsonl", [{**rows[0], "view": 9}])
    with pytest.raises(UserError, match=r"row 1: .*s.arrow has no such view"):
        ViewStore.from_manifest(tmp_path, tmp_path / "m.jsonl")


def test_a_view_without_a_neuron_is_packed_too(tmp_path: Path, make_views: MakeViews) -> None:
    view = make_views("a", views=[0])[0]
    empty = ViewImages(view.row, np.zeros_like(view.mask), np.zeros_like(view.depth))
    mask, depth, _ = ViewStore.from_shards([write_shard(tmp_path / "s.arrow", [[empty]])]).read(0)
    assert not mask.any()
    assert not depth.any()


def test_a_depth_behind_no_neuron_is_refused(make_views: MakeViews) -> None:
    view = make_views("a", views=[0])[0]
    with pytest.raises(ValueError, match="0 on the background"):
        neuron_batch([ViewImages(view.row, view.mask, view.depth + 1)], shard_schema(SPEC, 8, {}))


def test_a_folder_without_a_description_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path / "m.jsonl", [])
    with pytest.raises(UserError, match=r"dataset.json: no such file"):
        ViewStore.from_manifest(tmp_path, tmp_path / "m.jsonl")


def test_the_views_of_a_split_come_out_of_all_shards(tmp_path: Path, make_views: MakeViews) -> None:
    names = [f"{'n' * (i + 1)}" for i in range(8)]
    for shard, members in (("00", names[:5]), ("01", names[5:])):
        write_shard(tmp_path / "render" / f"{shard}-ab.arrow", [make_views(name) for name in members])
    shards = [{"shard": s, "n": n, "digest": "ab"} for s, n in (("00", 5), ("01", 3), ("02", 0))]
    write_json(tmp_path / "index.json", {"format": 1, "shards": shards})
    ids = [f"test:{name}" for name in names]
    settings = SplitSettings(val_ratio=0.3, test_ratio=0.3)
    splits = update_split_file(tmp_path / "s.parquet", [*ids, "test:gone"], [()] * 9, settings)
    found = {}
    for split in ("train", "val", "test"):
        store = load_split_views(
            split, splits=tmp_path / "s.parquet", index=tmp_path / "index.json", render_dir=tmp_path / "render"
        )
        found.update(dict.fromkeys(store.neuron_ids, split))
    wanted = dict(zip(splits["neuron_id"].to_pylist(), splits["split"].to_pylist(), strict=True))
    wanted.pop("test:gone")
    assert found == wanted
    (tmp_path / "render" / "01-ab.arrow").unlink()
    with pytest.raises(UserError, match="1 of 2 shards are missing"):
        load_split_views(
            "val", splits=tmp_path / "s.parquet", index=tmp_path / "index.json", render_dir=tmp_path / "render"
        )


SIX_FIELDS = ("swc", "mask_bw", "mask", "depth", "direction", "qc")


def write_six_fields(root: Path, neurons: list[list[ViewImages]]) -> Path:
    """The PNG tree with a manifest of nothing but the fields that any tool writes."""
    manifest = write_tree(root, neurons)
    rows = [{name: row[name] for name in SIX_FIELDS} for row in read_jsonl(manifest)]
    manifest.with_suffix(".parquet").unlink()
    write_jsonl(manifest, rows)
    return manifest


def test_a_manifest_of_six_fields_opens_with_an_unknown_scale(
    tmp_path: Path, make_views: MakeViews, capsys: pytest.CaptureFixture[str]
) -> None:
    neurons = [make_views(name) for name in ("bb", "a")]
    store = ViewStore.from_manifest(tmp_path, write_six_fields(tmp_path, neurons))
    assert store.neuron_ids == ["a", "a", "bb", "bb"]
    assert store.rows["view"].to_pylist() == [0, 1, 0, 1]
    assert store.rows["um_per_px"].null_count == 4
    assert (store.rows["width"].to_pylist(), store.rows["height"].to_pylist()) == ([9] * 4, [6] * 4)
    assert store.spec == SPEC
    assert (store.read(2)[0] == neurons[0][0].mask).all()
    said = capsys.readouterr().err
    assert said.count("4 of 4 rows have no um_per_px: the scale of these views is not known") == 1


def test_without_a_description_the_images_tell_their_size(
    tmp_path: Path, make_views: MakeViews, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_six_fields(tmp_path, [make_views("a")])
    (tmp_path / "dataset.json").unlink()
    store = ViewStore.from_manifest(tmp_path, manifest)
    assert (store.spec, store.depth_bits) == (SPEC, 8)
    assert "9 x 6 pixels, rendered with default settings, is assumed" in capsys.readouterr().err
    write_tree(tmp_path, [make_views("a")])
    (tmp_path / "dataset.json").unlink()
    with pytest.raises(UserError, match=r"dataset\.json: no such file"):
        ViewStore.from_manifest(tmp_path, manifest)
