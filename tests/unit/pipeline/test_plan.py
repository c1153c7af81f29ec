"""Names and digests: what makes which file stale, without Snakemake."""

from __future__ import annotations

import shlex
from pathlib import Path

import pyarrow as pa
import pytest

from axonet.core.config import parse_command
from axonet.core.errors import UserError
from axonet.core.files import write_json, write_table
from axonet.pipeline.code_epochs import EPOCHS, StageCode
from axonet.pipeline.plan import CATALOG, INDEX, Plan
from axonet.pipeline.root_config import load_config
from axonet.training.clip_evaluator import EvaluateConfig
from axonet.training.clip_trainer import ClipConfig
from axonet.training.dataset_generator import DatasetGeneratorConfig
from axonet.training.trainer import Stage1Config
from axonet.utils.acquire import AcquireConfig
from axonet.utils.explore import ExploreConfig
from axonet.utils.export import ExportConfig
from axonet.utils.split import SplitConfig

CODE = {stage: StageCode("0", epoch, str(epoch), drifted=False) for stage, epoch in EPOCHS.items()}


def plan(code: dict[str, StageCode] = CODE, **sections: object) -> Plan:
    return Plan(load_config(sections), code)


@pytest.fixture
def acquired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory in which the acquire step is done."""
    monkeypatch.chdir(tmp_path)
    shards = [{"shard": "00", "n": 2, "digest": "a" * 12}, {"shard": "01", "n": 0, "digest": "b" * 12}]
    write_json(tmp_path / INDEX, {"format": 1, "shards": shards, "metadata": "m1", "neurons": "n1"})
    write_catalog(tmp_path, ["x:1", "x:2"])
    return tmp_path


def write_catalog(folder: Path, ids: list[str]) -> None:
    facts = {name: pa.nulls(len(ids), pa.string()) for name in ("donor", "publication", "archive", "fingerprint")}
    write_table(folder / CATALOG, pa.table({"neuron_id": ids, "source": ["x"] * len(ids), **facts}))


def test_a_render_setting_and_the_seed_of_views_name_another_folder():
    assert plan().render_hash == plan(render={}).render_hash
    others = [plan(render={"margin": 0.3}), plan(seed=1), plan(render={"depth_bits": 16})]
    assert len({plan().render_hash, *(other.render_hash for other in others)}) == 4


def test_what_changes_no_pixel_names_the_same_folder():
    assert plan(render={"backend": "cpu", "no_cache": True}).render_hash == plan().render_hash
    assert plan(render={"device": 1}).render_hash == plan().render_hash


def test_an_epoch_names_another_folder():
    epoch = EPOCHS["render"] + 1
    bumped = {**CODE, "render": StageCode("0", epoch, str(epoch), drifted=False)}
    assert plan(bumped).render_hash != plan().render_hash
    assert plan(bumped).measure_hash == plan().measure_hash


def test_empty_shards_have_no_files(acquired):
    assert plan().shards() == ["00-" + "a" * 12]
    assert plan().views() == [f"results/render/{plan().render_hash}/00-{'a' * 12}.arrow"]


def test_runs_that_split_alike_share_a_split_and_others_do_not(acquired):
    runs = plan(split={"test_ratio": 0.3}, runs={"a": {}, "b": {"seed": 7}, "c": {"split_seed": 1}})
    assert runs.split_file("a") == runs.split_file("b") != runs.split_file("c")
    assert runs.run_of_split(runs.split_hash("c")) == "c"
    assert [runs.run_seed(name) for name in "abc"] == [0, 7, 0]


def test_a_split_file_is_named_by_who_is_in_it(acquired):
    before = plan(split={"test_ratio": 0.3}).split_file("main")
    assert plan(split={"test_ratio": 0.3}).split_file("main") == before
    write_catalog(acquired, ["x:1", "x:2", "x:3"])
    assert plan(split={"test_ratio": 0.3}).split_file("main") != before


def test_a_trained_model_belongs_to_its_run_and_a_given_one_to_all(acquired):
    Path("given.ckpt").write_bytes(b"weights")
    given = plan(stage1={"checkpoint": "given.ckpt"}, runs={"a": {}, "b": {}})
    assert given.model("a", "stage1") == given.model("b", "stage1")
    assert given.checkpoint_of_model(given.model("a", "stage1")) == "given.ckpt" == given.checkpoint("b", "stage1")
    assert given.model("a", "stage2") == "a.stage2"
    assert given.checkpoint_of_model("b.stage2") == "results/runs/b/stage2/best.ckpt"


def test_a_given_checkpoint_that_is_missing_is_said():
    with pytest.raises(UserError, match=r"stage1\.checkpoint: no such file 'nowhere\.ckpt'"):
        plan(stage1={"checkpoint": "nowhere.ckpt"}).given("stage1")


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ({"swc_dir": "nowhere"}, "no folder 'nowhere'"),
        ({"swc_dir": "empty"}, "no .swc file in 'empty'"),
        ({"swc_dir": "swc", "metadata": "nothing.csv"}, "no such file 'nothing.csv'"),
    ],
)
def test_a_folder_that_cannot_be_a_source_is_said_before_anything_runs(folder, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("swc").mkdir()
    Path("swc/a.swc").write_text("1 1 0 0 0 1 -1\n")
    with pytest.raises(UserError, match=words):
        plan(acquire={"sources": ["folder"], "folder": folder}).check_inputs()


SECTIONS = {
    "seed": 3,
    "acquire": {"sources": ["folder"], "folder": {"swc_dir": "my swc", "metadata": "m.csv"}},
    "render": {"width": 64, "depth_bits": 16, "adaptive_framing": True, "zoom_um": 160},
    "split": {"split_by": "donor", "val_ratio": 0.2},
    "stage1": {"flips": False, "levels": 3, "lr": "1e-3"},
    "stage2": {"freeze_encoder": True, "text_encoder": "hash:64"},
    "evaluate": {"baselines": False, "split": "test"},
    "explore": {"queries": 'a small, round cell; it\'s "quoted"', "map_seed": 2, "max_mb": 3},
}


@pytest.mark.parametrize(
    ("section", "command", "io"),
    [
        ("acquire", AcquireConfig, []),
        ("render", DatasetGeneratorConfig, ["--swc-dir", "x", "--out", "y"]),
        ("split", SplitConfig, ["--out", "y"]),
        ("stage1", Stage1Config, ["--data-dir", "d"]),
        ("stage2", ClipConfig, ["--data-dir", "d", "--stage1-checkpoint", "c", "--metadata", "m"]),
        (
            "evaluate",
            EvaluateConfig,
            [
                "--checkpoint",
                "c",
                "--splits",
                "s",
                "--shards",
                "i",
                "--render-dir",
                "r",
                "--encode-dir",
                "e",
                "--metadata",
                "m",
            ],
        ),
    ],
)
def test_the_flags_of_a_rule_say_what_the_config_says(section, command, io):
    made = plan(**SECTIONS)
    run = "main" if section in ("split", "stage1", "stage2") else None
    parsed = parse_command(command, [*io, *shlex.split(made.flags(section, run))])
    for name, value in getattr(made.config, section):
        if name in type(parsed).model_fields and name != "seed":
            assert getattr(parsed, name) == value, name
    if section in ("render", "stage1", "stage2"):
        assert parsed.seed == 3


def test_each_part_of_the_explorer_is_told_its_own_settings():
    made = plan(**SECTIONS)
    exported = parse_command(ExportConfig, ["results", *shlex.split(made.flags("export"))])
    assert (exported.sentences, exported.map_seed) == (["a small, round cell", 'it\'s "quoted"'], 2)
    assert parse_command(ExploreConfig, ["results", *shlex.split(made.flags("explore"))]).max_mb == 3


def test_the_first_run_is_shown_unless_another_one_is_named():
    runs = {"one": {}, "two": {}}
    assert plan(runs=runs).explored.run == "one"
    assert plan(runs=runs, explore={"run": "two"}).explored.run == "two"
    with pytest.raises(UserError, match=r"explore\.run: no run 'three'; there are: one, two"):
        plan(runs=runs, explore={"run": "three"})


def test_training_asks_for_as_many_gpus_as_it_is_told_to_use():
    assert plan().gpus("stage1") == 1
    assert plan(stage1={"devices": 4}).gpus("stage1") == 4
    assert plan(stage2={"accelerator": "cpu", "devices": 2}).gpus("stage2") == 0


def test_a_data_set_elsewhere_is_found_there(acquired, monkeypatch):
    (acquired / "elsewhere").mkdir()
    monkeypatch.chdir(acquired / "elsewhere")
    assert plan(data="..").shards() == ["00-" + "a" * 12]
    assert plan(data="..").data.address(INDEX) == f"../{INDEX}"
    with pytest.raises(UserError, match="run the workflow first"):
        plan().shards()
