"""The command from files to outputs, with an untrained model on a few made-up neurons."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from axonet.core.config import parse_command, setting_names
from axonet.core.errors import UserError
from axonet.core.files import read_json, read_jsonl, read_table, sha256_file, write_json, write_jsonl, write_table
from axonet.datasets.selection import shard_names
from axonet.evaluation import baselines
from axonet.training.clip_evaluator import EvaluateConfig, main
from axonet.training.dataset_generator import main as generate
from axonet.utils.acquire import main as acquire
from axonet.utils.encode import main as encode
from axonet.utils.measure import main as measure

# The example of the training guide, word for word.
GUIDE_TEXT = """
    --checkpoint checkpoints/clip/best.ckpt --data-dir data/rendered --manifest data/rendered/manifest_val.jsonl
    --metadata data/neuromorpho/metadata.jsonl --source neuromorpho --output-dir eval_results --pooling mean
"""
GUIDE = GUIDE_TEXT.split()

OUTPUTS = {
    "metrics.json",
    "eval_report.txt",
    "report.html",
    "tsne_cell_type.png",
    "tsne_region.png",
    "confusion_matrix.png",
    "run.json",
    "vectors.parquet",
}
TYPES = (
    ("pyramidal", "rat", "neocortex"),
    ("Purkinje", "mouse", "cerebellum"),
    ("granule", "mouse", "hippocampus"),
)
N_NEURONS, SEED = 18, 3
VIEWS_TEXT = """
    --width 24 --height 24 --supersample-factor 1 --canonical-views 2 --biased-views 1 --random-views 0
"""
VIEWS = VIEWS_TEXT.split()


def swc_text(number: int) -> str:
    """A soma with as many straight neurites as the class wants, a little different in each neuron."""
    rng = np.random.default_rng(number)
    kind = 2 + 2 * (number % len(TYPES))
    lines = ["1 1 0 0 0 5 -1"]
    for branch in range(kind):
        angle = 2 * np.pi * (branch + 0.2 * rng.random()) / kind
        start = 1
        for step in range(1, 4):
            angle += 0.4 * rng.random()
            x, y = (30 * step + 9 * rng.random()) * np.array([np.cos(angle), np.sin(angle)])
            lines.append(f"{len(lines) + 1} {3 if branch else 2} {x:.2f} {y:.2f} {rng.normal():.2f} 1 {start}")
            start = len(lines)
    return "\n".join(lines) + "\n"


def save_model(path: Path, spec: object, data: dict[str, str]) -> None:
    import torch

    from axonet.core.input_spec import InputSpec
    from axonet.metadata.captions import NeuronTextGenerator
    from axonet.models.checkpoint import make_checkpoint, save_checkpoint, stage1_checkpoint
    from axonet.models.clip import ClipModel
    from axonet.models.seg_vae import SegVAE2D
    from axonet.models.text import HashTextEncoder

    complete = InputSpec.model_validate({**spec, "log_fov_mean": 5.0, "log_fov_std": 1.0})
    torch.manual_seed(0)
    network = SegVAE2D(levels=2, base_channels=4, latent_channels=4)
    stage1 = stage1_checkpoint(network, {}, complete)
    text = HashTextEncoder(32)
    clip = ClipModel(image_dim=network.vector_size, text_dim=32, embed_dim=16, hidden=8)
    save_checkpoint(
        path,
        make_checkpoint(
            2,
            clip.architecture,
            clip.state_dict(),
            {},
            complete,
            captions=NeuronTextGenerator().to_json(),
            text_encoder={"name": text.name, "digest": text.digest},
            stage1={"architecture": stage1["architecture"], "state": stage1["state"]},
            data=data,
        ),
    )


def trained_on(root: Path) -> dict[str, str]:
    """What the trainer records of the neurons of a data directory."""
    from axonet.learning.clip_fit import describe
    from axonet.metadata.adapters import load_records
    from axonet.training.clip_trainer import ClipConfig, open_measures, open_views

    table = root / "metadata.csv"
    config = ClipConfig(
        stage1_checkpoint="none",
        data_dir=root / "data",
        manifest_val=root / "data" / "manifest_val.jsonl",
        metadata=table,
    )
    return describe(*open_views(config, ""), load_records(table, "table"), open_measures(config), table).digests


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory, metadata and a checkpoint."""
    root = tmp_path_factory.mktemp("project")
    (root / "swc").mkdir()
    rows = []
    for i in range(N_NEURONS):
        (root / "swc" / f"n{i:02}.swc").write_text(swc_text(i))
        cell_type, species, region = TYPES[i % len(TYPES)]
        rows.append(f"n{i:02},n{i:02}.swc,{species},{region},{cell_type},d{i},a{i % 4},p{i % 4}")
    header = "id,swc,species,region,cell_type,donor,archive,publication"
    (root / "metadata.csv").write_text("\n".join([header, *rows]) + "\n")
    where = ["--swc-dir", str(root / "swc"), "--out", str(root / "data")]
    split = ["--val-ratio", "0.35", "--test-ratio", "0.25", "--split-seed", str(SEED)]
    assert generate([*where, *VIEWS, *split]) == 0
    save_model(root / "best.ckpt", read_json(root / "data" / "dataset.json")["input_spec"], trained_on(root))
    patch = pytest.MonkeyPatch()
    patch.setattr(baselines, "N_TREES", 10)
    yield root
    patch.undo()


def flags(project: Path, out: Path, manifest: str = "manifest_val.jsonl", *more: str) -> list[str]:
    return [
        *("--checkpoint", str(project / "best.ckpt"), "--data-dir", str(project / "data")),
        *("--manifest", str(project / "data" / manifest), "--metadata", str(project / "metadata.csv")),
        *("--source", "table", "--output-dir", str(out), "--bootstrap", "50", *more),
    ]


@pytest.fixture(scope="module")
def judged(project: Path) -> Path:
    assert main(flags(project, project / "eval")) == 0
    return project / "eval"


def test_the_guide_s_command_is_understood():
    config = parse_command(EvaluateConfig, GUIDE)
    assert (config.pooling, config.source, config.output_dir) == ("mean", "neuromorpho", Path("eval_results"))
    assert parse_command(EvaluateConfig, GUIDE[:-2]).pooling == "mean"


def test_what_belongs_into_config_yaml_are_the_settings_without_paths():
    names = setting_names(EvaluateConfig)
    assert {"split", "pooling", "bootstrap", "seed", "min_class_size", "baselines"} <= set(names)
    assert not {"checkpoint", "metadata", "source", "output_dir", "vectors", "encode_dir"} & set(names)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--splits", "s", "--shards", "i", "--render-dir", "r"], "not both"),
        (["--split", "test"], "--split chooses from a split file"),
        (["--pooling", "median"], "--pooling"),
        (["--bootstrap", "-1"], "--bootstrap"),
    ],
)
def test_wrong_flags_are_one_clear_line(wrong, words):
    with pytest.raises(UserError, match=words):
        parse_command(EvaluateConfig, [*GUIDE, *wrong])


def test_help_needs_no_heavy_library():
    code = (
        "import sys; from axonet.training.clip_evaluator import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'sklearn', 'matplotlib', 'numba', 'pandas') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip().endswith("[]")


def test_every_output_of_the_guide_is_there(judged):
    assert {path.name for path in judged.iterdir()} == OUTPUTS
    metrics = read_json(judged / "metrics.json")
    assert metrics["splits"]["judged"] == "validation"
    assert metrics["splits"]["held_out"] == "donor"
    models = {row["model"] for row in metrics["tasks"]}
    assert {"image", "untrained_encoder", "silhouette_pca", "forest", "forest_compartments", "majority"} <= models
    assert {row["level"] for row in metrics["retrieval"]} >= {"broad", "standard", "detailed", "morphometric"}
    assert "prove nothing" in (judged / "eval_report.txt").read_text()


def test_the_same_command_gives_the_same_bytes_but_in_run_json(project, judged):
    assert main(flags(project, project / "again")) == 0
    for name in OUTPUTS - {"run.json"}:
        assert (project / "again" / name).read_bytes() == (judged / name).read_bytes(), name


def test_workers_that_read_views_change_no_figure(project, judged):
    assert main(flags(project, project / "workers", "manifest_val.jsonl", "--num-workers", "2")) == 0
    assert (project / "workers" / "metrics.json").read_bytes() == (judged / "metrics.json").read_bytes()


def test_threads_that_judge_vectors_change_no_figure(project, judged):
    import torch
    from threadpoolctl import threadpool_limits

    found = []
    before = torch.get_num_threads()
    for n in (1, 2):
        torch.set_num_threads(n)
        out = project / f"threads{n}"
        vectors = ("--vectors", str(judged / "vectors.parquet"), "--no-baselines")
        with threadpool_limits(n):
            assert main(flags(project, out, "manifest_val.jsonl", *vectors)) == 0
        found.append((out / "metrics.json").read_bytes())
    torch.set_num_threads(before)
    assert found[0] == found[1]


def test_given_vectors_are_used_and_must_be_of_the_checkpoint(project, judged, capsys):
    vectors = str(judged / "vectors.parquet")
    assert main(flags(project, project / "given", "manifest_val.jsonl", "--vectors", vectors)) == 0
    assert not (project / "given" / "vectors.parquet").exists()
    assert (project / "given" / "metrics.json").read_bytes() == (judged / "metrics.json").read_bytes()
    table = read_table(judged / "vectors.parquet")
    other = table.replace_schema_metadata({**table.schema.metadata, b"checkpoint": b"another"})
    write_table(project / "other.parquet", other)
    wrong = flags(project, project / "x", "manifest_val.jsonl", "--vectors", str(project / "other.parquet"))
    assert main(wrong) == 2
    assert "vectors of checkpoint another" in capsys.readouterr().err


def the_error(capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says: one line, and nothing of a traceback."""
    text = capsys.readouterr().err
    assert "Traceback" not in text
    said = text[text.index("error: ") :]
    assert len(said.splitlines()) == 1, said
    return said


def test_vectors_that_are_not_finite_are_left_out_and_said(project: Path, judged: Path) -> None:
    from dataclasses import replace

    from axonet.inference.vectors import read_vectors, write_vectors

    vectors = read_vectors(judged / "vectors.parquet")
    chosen = sorted({row["swc"].removesuffix(".swc") for row in read_jsonl(project / "data" / "manifest_val.jsonl")})
    one_view = vectors.neuron_id.index(chosen[1])
    values = vectors.vector.copy()
    values[[neuron == chosen[0] for neuron in vectors.neuron_id]] = np.nan
    values[one_view, 0] = np.inf
    write_vectors(project / "broken.parquet", replace(vectors, vector=values))
    out = project / "broken"
    more = ("--vectors", str(project / "broken.parquet"), "--no-baselines")
    assert main(flags(project, out, "manifest_val.jsonl", *more)) == 0
    dropped = [row for row in read_json(out / "metrics.json")["dropped"] if row["task"] == "vectors"]
    assert [row["n"] for row in dropped] == [1]
    assert chosen[0] in dropped[0]["reason"]
    assert f"for example of {chosen[1]}" in " ".join((out / "eval_report.txt").read_text().split())
    write_vectors(project / "broken.parquet", replace(vectors, vector=np.full_like(values, np.nan)))
    assert main(flags(project, out, "manifest_val.jsonl", *more)) == 2


def test_vectors_of_another_kind_are_one_line(project, capsys):
    wrong = flags(project, project / "x", "manifest_val.jsonl", "--vectors", str(project / "data" / "measure.parquet"))
    assert main(wrong) == 2
    assert "measure.parquet: missing columns view, vector" in the_error(capsys)


@pytest.mark.parametrize("flag", ["--manifest", "--manifest-train"])
def test_a_manifest_without_views_is_one_line_that_names_it(project, capsys, flag):
    (project / "empty.jsonl").write_text("")
    arguments = [*flags(project, project / "x"), "--manifest-train", str(project / "data" / "manifest_train.jsonl")]
    arguments[arguments.index(flag) + 1] = str(project / "empty.jsonl")
    assert main(arguments) == 2
    assert "empty.jsonl: names no views" in the_error(capsys)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_missing_image_is_one_line_whoever_reads_it(project, capsys, workers):
    rows = read_jsonl(project / "data" / "manifest_val.jsonl")
    rows[1]["mask"] = "images/nobody.png"
    write_jsonl(project / "broken.jsonl", rows)
    arguments = [*flags(project, project / "x"), "--num-workers", str(workers), "--no-baselines"]
    arguments[arguments.index("--manifest") + 1] = str(project / "broken.jsonl")
    assert main(arguments) == 2
    assert "broken.jsonl, row 2" in the_error(capsys)


def test_a_look_at_test_neurons_is_written_down_before_any_figure(project, monkeypatch):
    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("axonet.evaluation.write.evaluate", killed)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        raise SystemExit(main(flags(project, project / "killed", "manifest_test.jsonl", "--no-baselines")))
    assert len(read_jsonl(project / "killed" / "test_touches.jsonl")) == 1
    assert not (project / "killed" / "metrics.json").exists()


def test_of_a_model_trained_on_other_neurons_nothing_is_claimed_to_be_held_out(project):
    rows = read_jsonl(project / "data" / "manifest_train.jsonl")
    write_jsonl(project / "some.jsonl", [row for row in rows if row["neuron_id"] != rows[0]["neuron_id"]])
    some = ("--manifest-train", str(project / "some.jsonl"), "--no-baselines", "--bootstrap", "0")
    assert main(flags(project, project / "fewer", "manifest_val.jsonl", *some)) == 0
    metrics = read_json(project / "fewer" / "metrics.json")
    assert metrics["splits"]["held_out"] == "unknown"
    assert {row["split"] for row in [*metrics["tasks"], *metrics["zero_shot"]]} == {"unknown"}


def test_each_look_at_test_neurons_is_written_down(project):
    for _ in range(2):
        assert main(flags(project, project / "test", "manifest_test.jsonl", "--no-baselines")) == 0
    rows = read_jsonl(project / "test" / "test_touches.jsonl")
    assert len(rows) == 2
    assert rows[0]["checkpoint"] == rows[1]["checkpoint"]


def test_without_training_neurons_probes_learn_by_cross_validation(project):
    data = project / "lonely"
    shutil.copytree(project / "data", data)
    for name in ("manifest_train.jsonl", "manifest_train.parquet"):
        (data / name).unlink()
    arguments = flags(project, project / "crossed", "manifest_val.jsonl", "--no-baselines", "--bootstrap", "0")
    arguments[arguments.index("--data-dir") + 1] = str(data)
    arguments[arguments.index("--manifest") + 1] = str(data / "manifest_val.jsonl")
    assert main(arguments) == 0
    metrics = read_json(project / "crossed" / "metrics.json")
    assert metrics["splits"]["learned_on"] == "cross-validation"
    assert "cross-validation" in (project / "crossed" / "eval_report.txt").read_text()


def test_training_neurons_that_are_judged_are_called_that(project):
    assert main(flags(project, project / "self", "manifest_train.jsonl", "--no-baselines")) == 0
    text = (project / "self" / "eval_report.txt").read_text()
    assert "TRAINED ON THESE NEURONS" in text
    assert "NOTHING IS HELD OUT" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--checkpoint": "nothing.ckpt"}, "no such file"),
        ({"--metadata": "nothing.csv"}, "no such file"),
        ({"--manifest": "nothing.jsonl"}, "no such file"),
        ({"--source": "zebra"}, "zebra"),
    ],
)
def test_what_is_missing_is_one_line_and_exit_code_2(project, capsys, changes, words):
    arguments = flags(project, project / "x")
    for flag, value in changes.items():
        arguments[arguments.index(flag) + 1] = value
    assert main(arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert words in lines[0]


def test_metadata_of_other_neurons_is_refused(project, capsys):
    (project / "others.csv").write_text("id,swc\nz,zebra.swc\n")
    arguments = flags(project, project / "x")
    arguments[arguments.index("--metadata") + 1] = str(project / "others.csv")
    assert main(arguments) == 2
    assert "names none of the judged neurons" in the_error(capsys)


def test_metadata_of_the_training_neurons_alone_are_refused(project, capsys):
    header, *rows = (project / "metadata.csv").read_text().splitlines()
    train = {row["neuron_id"] for row in read_jsonl(project / "data" / "manifest_train.jsonl")}
    kept = [row for row in rows if row.split(",")[0] in train]
    assert kept
    (project / "train.csv").write_text("\n".join([header, *kept]) + "\n")
    arguments = flags(project, project / "x")
    arguments[arguments.index("--metadata") + 1] = str(project / "train.csv")
    assert main(arguments) == 2
    assert "train.csv: names none of the judged neurons of" in the_error(capsys)


@pytest.fixture(scope="module")
def workflow(project: Path) -> Path:
    """The same neurons as the workflow has them: catalog, index, shards, measurements, vectors, split file."""
    root = project / "workflow"
    catalog, index = root / "catalog.parquet", root / "index.json"
    folder = {"swc_dir": str(project / "swc"), "metadata": str(project / "metadata.csv")}
    where = ["--catalog", str(catalog), "--index", str(index), "--shard-bits", "1"]
    assert acquire(["--sources", "folder", "--folder", json.dumps(folder), *where]) == 0
    for name in shard_names(index):
        shard = ["--catalog", str(catalog), "--catalog-shard", name]
        assert generate([*shard, "--out", str(root / "render"), *VIEWS]) == 0
        assert measure([*shard, "--out", str(root / "measure" / f"{name}.parquet")]) == 0
        views = ["--shard", str(root / "render" / f"{name}.arrow"), "--out", str(root / "encode" / f"{name}.parquet")]
        assert encode(["--checkpoint", str(project / "best.ckpt"), *views]) == 0
    own = read_table(project / "data" / "splits.parquet").to_pylist()
    rows = [{**row, "neuron_id": f"folder:{row['neuron_id']}"} for row in own]
    write_table(root / "splits.parquet", pa.Table.from_pylist(rows))
    return root


def model_of_a_run(folder: Path, checkpoint: Path, splits: Path) -> Path:
    """A checkpoint with the record of the run that made it from a split file."""
    folder.mkdir()
    record = {"command": "axonet.training.clip_trainer", "inputs": {"splits.parquet": sha256_file(splits)}}
    write_json(folder / "run.json", record)
    return Path(shutil.copy(checkpoint, folder / "best.ckpt"))


def test_the_workflow_s_files_give_the_same_figures(project, judged, workflow):
    checkpoint = model_of_a_run(workflow / "run", project / "best.ckpt", workflow / "splits.parquet")
    arguments = [
        *("--checkpoint", str(checkpoint), "--splits", str(workflow / "splits.parquet")),
        *("--shards", str(workflow / "index.json"), "--render-dir", str(workflow / "render")),
        *("--measure-dir", str(workflow / "measure"), "--encode-dir", str(workflow / "encode"), "--bootstrap", "50"),
        *("--metadata", str(workflow / "catalog.parquet"), "--source", "table"),
    ]
    assert main([*arguments, "--output-dir", str(workflow / "eval")]) == 0
    assert not (workflow / "eval" / "vectors.parquet").exists()
    same, own = (read_json(folder / "eval" / "metrics.json") for folder in (workflow, project))
    for key in ("n_judged", "n_learned_on", "judged", "held_out", "groups"):
        assert same["splits"][key] == own["splits"][key]
    forests = [[row for row in metrics["tasks"] if row["task"].startswith("forest")] for metrics in (same, own)]
    assert forests[0] == forests[1]
    assert main([*arguments, "--split", "test", "--output-dir", str(workflow / "test")]) == 0
    assert read_json(workflow / "test" / "metrics.json")["splits"]["judged"] == "test"
    assert (workflow / "test" / "test_touches.jsonl").is_file()
    arguments[1] = str(project / "best.ckpt")  # without the record of its run
    alone = ["--output-dir", str(workflow / "alone"), "--no-baselines", "--bootstrap", "0"]
    assert main([*arguments, *alone]) == 0
    assert read_json(workflow / "alone" / "metrics.json")["splits"]["held_out"] == "unknown"


def test_a_copy_among_the_training_neurons_stops_or_is_left_out(project, capsys):
    table = read_table(project / "data" / "measure.parquet").to_pylist()
    ids = {n: {r["neuron_id"] for r in read_jsonl(project / "data" / f"manifest_{n}.jsonl")} for n in ("train", "val")}
    own, other = min(ids["val"]), min(ids["train"])
    shapes = {row["neuron_id"]: row["fingerprint"] for row in table}
    folder = project / "leaky"
    folder.mkdir()
    rows = [{**row, "fingerprint": shapes[other if row["neuron_id"] == own else row["neuron_id"]]} for row in table]
    write_table(folder / "measure.parquet", pa.Table.from_pylist(rows))
    arguments = flags(project, project / "leak", "manifest_val.jsonl", "--measure-dir", str(folder), "--no-baselines")
    assert main(arguments) == 2
    assert f"({own} has the shape of {other})" in the_error(capsys)
    assert not (project / "leak" / "metrics.json").exists()
    assert main([*arguments, "--leaks", "leave_out"]) == 0
    metrics = read_json(project / "leak" / "metrics.json")
    assert metrics["splits"]["n_judged"] == len(ids["val"]) - 1
    assert [row["n"] for row in metrics["dropped"] if row["task"] == "leaks"] == [1]


def test_a_broken_promise_of_the_split_file_stops(project, capsys):
    data = project / "promised"
    shutil.copytree(project / "data", data)
    splits = read_table(data / "splits.parquet")
    promise = {b"axonet.split_settings": json.dumps({"split_by": "lab"}).encode()}
    write_table(data / "splits.parquet", splits.replace_schema_metadata(promise))
    arguments = flags(project, project / "promise", "manifest_val.jsonl", "--no-baselines", "--bootstrap", "0")
    arguments[arguments.index("--data-dir") + 1] = str(data)
    arguments[arguments.index("--manifest") + 1] = str(data / "manifest_val.jsonl")
    assert main(arguments) == 2  # donors are apart, archives are not
    assert "made to keep laboratories apart" in the_error(capsys)
