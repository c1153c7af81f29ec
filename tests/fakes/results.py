"""A small results folder as the workflow leaves it, with an untrained model: seconds instead of minutes."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from axonet.core.files import read_jsonl, write_json, write_jsonl
from axonet.datasets.selection import shard_names
from axonet.datasets.shards import read_description
from axonet.metadata.captions import NeuronTextGenerator
from axonet.models.checkpoint import make_checkpoint, save_checkpoint, stage1_checkpoint
from axonet.models.clip import ClipModel
from axonet.models.seg_vae import SegVAE2D
from axonet.models.text import HashTextEncoder
from axonet.training.dataset_generator import main as generate
from axonet.utils.acquire import main as acquire
from axonet.utils.encode import main as encode
from axonet.utils.measure import main as measure
from axonet.utils.split import main as split
from tests.integration.corpus import write_corpus

FILES = {
    "checkpoint": "results/runs/main/stage2/best.ckpt",
    "splits": "results/splits/made/up.parquet",
    "shards": "results/acquire/index.json",
    "metadata": "results/acquire/catalog.parquet",
    "render_dir": "results/render/made",
    "measure_dir": "results/measure/made",
    "encode_dir": "results/encode/main.stage2",
}
VIEWS = "--width 32 --height 32 --supersample-factor 1 --canonical-views 6 --biased-views 1 --random-views 0"


def make_results(root: Path, **of_the_first: object) -> Path:
    """Write ``swc/``, ``metadata.jsonl`` and ``results/`` of the ten neurons of the tiny corpus.

    Args:
        root: folder to write into.
        of_the_first: what the metadata say of the first neuron besides.

    Returns:
        The results folder.
    """
    write_corpus(root)
    first, *others = read_jsonl(root / "metadata.jsonl")
    write_jsonl(root / "metadata.jsonl", [{**first, **of_the_first}, *others])
    files = {name: root / path for name, path in FILES.items()}
    folder = {"swc_dir": str(root / "swc"), "metadata": str(root / "metadata.jsonl")}
    catalog = ["--catalog", str(files["metadata"])]
    where = [*catalog, "--index", str(files["shards"]), "--shard-bits", "1"]
    assert acquire(["--sources", "folder", "--folder", json.dumps(folder), *where]) == 0
    assert split([*catalog, "--out", str(files["splits"])]) == 0
    for name in shard_names(files["shards"]):
        shard = [*catalog, "--catalog-shard", name]
        views = files["render_dir"] / f"{name}.arrow"
        assert generate([*shard, "--out", str(files["render_dir"]), *VIEWS.split()]) == 0
        assert measure([*shard, "--out", str(files["measure_dir"] / f"{name}.parquet")]) == 0
        if not files["checkpoint"].exists():
            save_untrained(files["checkpoint"], views)
        vectors = files["encode_dir"] / f"{name}.parquet"
        assert encode(["--checkpoint", str(files["checkpoint"]), "--shard", str(views), "--out", str(vectors)]) == 0
    settings = {**FILES, "data_dir": None, "output_dir": "results/runs/main/evaluate"}
    write_json(root / "results/runs/main/evaluate/run.json", {"settings": settings})
    return root / "results"


def save_untrained(path: Path, shard: Path) -> None:
    """A Stage 2 checkpoint with random weights for views like those of a shard; texts are hashed words."""
    spec = read_description(shard).spec.model_copy(update={"log_fov_mean": 5.0, "log_fov_std": 1.0})
    torch.manual_seed(0)
    network = SegVAE2D(levels=2, base_channels=4, latent_channels=4)
    stage1 = stage1_checkpoint(network, {}, spec)
    text = HashTextEncoder(32)
    clip = ClipModel(image_dim=network.vector_size, text_dim=32, embed_dim=16, hidden=8)
    checkpoint = make_checkpoint(
        2,
        clip.architecture,
        clip.state_dict(),
        {},
        spec,
        captions=NeuronTextGenerator().to_json(),
        text_encoder={"name": text.name, "digest": text.digest},
        stage1={"architecture": stage1["architecture"], "state": stage1["state"]},
        data={},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(path, checkpoint)
