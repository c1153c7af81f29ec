"""Published benchmarks, on made-up data of the same format."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from axonet.cli import main
from axonet.core.errors import UserError
from axonet.evaluation import bench
from axonet.evaluation.bench import bench_rows, weighted_votes
from axonet.evaluation.protocols import PROTOCOLS, Entry, read_benchmark
from axonet.utils.bench import load_neuron

HEADER = ["", "swc__fname", "structure__acronym", "model__fold", "structure_merge__acronym"]
TABLE = "ACT_info_swc_10folds.csv"
LABELS = ["Isocortex_layer2/3", "Isocortex_layer4", "Isocortex_layer5", "Isocortex_layer6"]


def swc_text(number: int, n_branches: int) -> str:
    """A soma with straight dendrites and one axon."""
    random = np.random.default_rng(number)
    lines = ["1 1 0 0 0 5 -1"]
    for branch in range(n_branches + 1):
        start, angle = 1, 2 * np.pi * (branch + 0.2 * random.random()) / (n_branches + 1)
        for step in range(1, 6):
            x, y = (20 * step + 3 * random.random()) * np.array([np.cos(angle), np.sin(angle)])
            lines.append(f"{len(lines) + 1} {3 if branch else 2} {x:.2f} {y:.2f} {random.normal():.2f} 1 {start}")
            start = len(lines)
    return "\n".join(lines) + "\n"


def make_benchmark(folder, n_each=10):
    """The table of folds in ``info`` and the neurons in ``raw``, as the papers' scripts leave them."""
    (folder / "info").mkdir(parents=True)
    (folder / "raw" / "swc").mkdir(parents=True)
    rows = []
    for number in range(n_each * len(LABELS)):
        kind, fold = number % len(LABELS), number // len(LABELS) % 10
        file = f"{number:03}.swc"
        (folder / "raw" / "swc" / file).write_text(swc_text(number, 2 + 2 * kind))
        rows.append([number, file, "VISp", float(fold), LABELS[kind]])
    rows.append([998, "absent.swc", "VISp", 3.0, LABELS[0]])
    rows.append([999, "000.swc", "HIP", 3.0, "CA1"])
    with (folder / "info" / TABLE).open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return folder


def save_model(path):
    import torch

    from axonet.core.input_spec import InputSpec
    from axonet.metadata.captions import NeuronTextGenerator
    from axonet.models.checkpoint import make_checkpoint, save_checkpoint, stage1_checkpoint
    from axonet.models.clip import ClipModel
    from axonet.models.seg_vae import SegVAE2D
    from axonet.models.text import HashTextEncoder

    size = {"width": 24, "height": 24, "supersample_factor": 1}
    views = {"canonical_views": 2, "biased_views": 0, "random_views": 0}
    spec = InputSpec(**size, **views, log_fov_mean=5.0, log_fov_std=1.0)
    torch.manual_seed(0)
    network = SegVAE2D(levels=2, base_channels=4, latent_channels=4)
    stage1, text = stage1_checkpoint(network, {}, spec), HashTextEncoder(16)
    clip = ClipModel(image_dim=network.vector_size, text_dim=16, embed_dim=8, hidden=8)
    captions = NeuronTextGenerator().to_json()
    about = {"name": text.name, "digest": text.digest}
    inner = {"architecture": stage1["architecture"], "state": stage1["state"]}
    parts = {"captions": captions, "text_encoder": about, "stage1": inner}
    save_checkpoint(path, make_checkpoint(2, clip.architecture, clip.state_dict(), {}, spec, **parts))


def test_the_published_folds_classes_and_sizes_of_test_sets():
    sizes = {key: protocol.sizes for key, protocol in PROTOCOLS.items()}
    assert sizes == {"bil6": (958, 242), "jml4": (332, 76), "act4": (400, 95), "n7": None}
    assert [len(PROTOCOLS[key].classes) for key in ("bil6", "jml4", "act4")] == [6, 4, 4]


def test_folds_8_and_9_are_tested_and_what_is_left_out_is_counted(tmp_path):
    entries, left_out = read_benchmark("act4", make_benchmark(tmp_path))
    assert len(entries) == 40
    assert {entry.fold for entry in entries if entry.tested} == {8, 9}
    assert {entry.label for entry in entries} == set(PROTOCOLS["act4"].classes)
    assert dict(left_out) == {"no SWC file": 1}


def test_n7_is_read_from_folders(tmp_path):
    for part, n in (("train", 12), ("test", 3)):
        for label in ("ganglion", "granule"):
            (tmp_path / part / label).mkdir(parents=True)
            for number in range(n):
                (tmp_path / part / label / f"{part}{label}{number}.CNG.swc").write_text(swc_text(number, 3))
    entries, _ = read_benchmark("n7", tmp_path)
    assert sum(entry.tested for entry in entries) == 6
    assert {entry.label for entry in entries} == {"ganglion", "granule"}
    assert {entry.fold for entry in entries} == set(range(10))


def test_axons_are_removed_and_voxels_become_um(tmp_path):
    (tmp_path / "a__reg.swc").write_text(swc_text(0, 3))
    (tmp_path / "tiny.swc").write_text(swc_text(0, 1))
    entry = Entry(tmp_path / "a__reg.swc", "a__reg.swc", "CP", 0, False)
    whole, neuron = load_neuron(entry, PROTOCOLS["n7"]), load_neuron(entry, PROTOCOLS["bil6"])
    assert set(whole.swc_type.tolist()) == {1, 2, 3}
    assert set(neuron.swc_type.tolist()) == {1, 3}
    np.testing.assert_allclose(neuron.xyz, whole.xyz[whole.swc_type != 2] * (0.114, 0.114, 0.28))
    assert load_neuron(Entry(tmp_path / "tiny.swc", "tiny.swc", "CP", 0, False), PROTOCOLS["bil6"]) is None


def test_the_vote_by_hand():
    bank = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    votes = weighted_votes(bank, np.array([0, 1, 1]), np.array([[1.0, 0.0]]), 2)
    np.testing.assert_allclose(votes, [[np.exp(1 / 0.5), np.exp(0.8 / 0.5) + np.exp(0)]])
    far = np.concatenate([np.tile([1.0, 0.0], (20, 1)), np.tile([0.0, 1.0], (30, 1))])
    assert weighted_votes(far, np.repeat([0, 1], [20, 30]), np.array([[1.0, 0.0]]), 2)[0, 1] == 0  # twenty count


def test_rows_tell_the_published_split_from_all_folds(monkeypatch):
    monkeypatch.setattr(bench, "N_TREES", 20)
    random = np.random.default_rng(0)
    entries = [Entry(None, str(i), "ab"[i % 2], i // 2 % 10, i // 2 % 10 in (8, 9)) for i in range(80)]
    kind = np.arange(80) % 2
    vectors = np.eye(2)[kind] + 0.01 * random.normal(size=(80, 2))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = bench_rows(entries, vectors, random.normal(size=(80, 3)), 100, 0)
    found = {(row["split"], row["method"], row["metric"]): row for row in rows}
    assert found["published", "knn20", "accuracy"]["n"] == 16
    assert found["published", "knn20", "accuracy"]["n_train"] == 64
    assert found["out_of_fold", "knn20", "accuracy"]["n"] == 80
    assert found["out_of_fold", "knn20", "accuracy"]["value"] == 1
    assert found["out_of_fold", "forest", "balanced_accuracy"]["value"] < 0.8
    assert found["out_of_fold", "knn20", "balanced_accuracy"]["difference_to_forest"][1] > 0
    assert found["out_of_fold", "majority", "balanced_accuracy"]["value"] == 0.5


def test_the_command_from_files_to_figures(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "N_TREES", 10)
    make_benchmark(tmp_path / "data")
    save_model(tmp_path / "best.ckpt")
    (tmp_path / "data" / "raw" / "swc" / "039.swc").write_text("no neuron\n")
    command = ["bench", "act4", "--data", str(tmp_path / "data"), "--model", str(tmp_path / "best.ckpt")]
    outputs = [tmp_path / "one", tmp_path / "two"]
    for out in outputs:
        assert main([*command, "--output-dir", str(out), "--bootstrap", "50"]) == 0
    text = capsys.readouterr().out
    assert "TreeMoCo, final epoch" in text
    assert "instead of the published 95: not comparable" in text
    content = json.loads((outputs[0] / "bench.json").read_text())
    assert content["left_out"]["no SWC file"] == 1
    assert sum(content["left_out"].values()) == 2
    assert len(content["rows"]) == 12
    assert (outputs[0] / "bench.json").read_bytes() == (outputs[1] / "bench.json").read_bytes()


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda folder: (folder / "info" / "ACT_info_swc_10folds.csv").unlink(), "ACT_info_swc_10folds.csv"),
        (
            lambda folder: (folder / "info" / "ACT_info_swc_10folds.csv").write_text("a,b\n1,2\n"),
            "no column swc__fname",
        ),
        (lambda folder: [path.unlink() for path in folder.rglob("*.swc")], "0 neurons to test and 0 to learn from"),
    ],
)
def test_data_that_are_not_the_benchmark_are_one_line(tmp_path, break_it, words):
    make_benchmark(tmp_path / "data")
    break_it(tmp_path / "data")
    with pytest.raises(UserError, match=words):
        read_benchmark("act4", tmp_path / "data")


def test_an_unknown_benchmark_or_folder_is_one_line(tmp_path, capsys):
    assert main(["bench", "zebra", "--data", str(tmp_path), "--model", "x"]) == 2
    assert main(["bench", "act4", "--data", str(tmp_path / "nowhere"), "--model", "x"]) == 2
    assert "no such folder; it holds the data of ACT-4" in capsys.readouterr().err
