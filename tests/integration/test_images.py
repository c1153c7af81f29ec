"""The two images of the Dockerfile, built for real; neurons are drawn and a step is trained inside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.images.store import Images, why_not
from tests.integration.corpus import write_corpus

pytestmark = pytest.mark.slow

SMALL = ["--width", "64", "--height", "64", "--canonical-views", "2", "--biased-views", "1", "--random-views", "1"]
TRAIN = [
    *("python", "-m", "axonet.training.trainer", "--data-dir", "data", "--max-steps", "1", "--batch-size", "4"),
    *("--manifest-train", "data/manifest_train.jsonl", "--manifest-val", "data/manifest_train.jsonl"),
    *("--base-channels", "4", "--latent-channels", "8", "--save-dir", "checkpoints", "--log-dir", "logs"),
]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    folder = tmp_path_factory.mktemp("images")
    if reason := why_not(folder):
        pytest.skip(reason)
    images = Images(folder)
    base = images.make_base()
    for target in ("dataset", "train"):
        images.build(target, base)
    yield images
    images.remove()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the images' user may write, with neurons."""
    folder = tmp_path_factory.mktemp("work")
    write_corpus(folder)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, 1000, 1000)
    return folder


@pytest.mark.parametrize("target", ["dataset", "train"])
def test_an_image_runs_as_an_ordinary_user_and_has_no_build_tools(target, images, work):
    assert images.run(target, work, "id", "-u") == "1000"
    tools = "for name in gcc cc make git curl; do command -v $name; done; ls -d /source 2> /dev/null; true"
    assert images.run(target, work, "sh", "-c", tools) == ""
    has_torch = images.run(target, work, "python", "-c", "import importlib.util as u; print(u.find_spec('torch'))")
    assert (has_torch == "None") == (target == "dataset")
    megabytes = int(images.run(target, work, "sh", "-c", "du -sxm / 2> /dev/null; true").split()[0])
    assert megabytes < {"dataset": 1900, "train": 3200}[target]


def test_both_backends_draw_in_the_image(images, work):
    pages = []
    for backend in ("cpu", "gl"):
        images.run("dataset", work, *draw(backend))
        pages.append(np.asarray(Image.open(work / f"{backend}.png").convert("L"), dtype=float))
    assert (pages[0] < 250).mean() > 0.01
    assert (abs(pages[0] - pages[1]) > 8).mean() < 0.01


def draw(backend: str) -> list[str]:
    return ["axonet", "render", "swc/pyramidal_00.swc", "-o", f"{backend}.png", "--backend", backend]


def test_what_one_image_draws_the_other_trains_on(images, work):
    dataset = ["python", "-m", "axonet.training.dataset_generator", "--swc-dir", "swc", "--out", "data", *SMALL]
    images.run("dataset", work, *dataset)
    images.run("train", work, *TRAIN)
    assert (work / "checkpoints" / "best.ckpt").stat().st_uid == 1000
    assert images.run("train", work, "snakemake", "--version").startswith("9.")
