"""What a run will take, as ``axonet plan`` tells it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from axonet.core.config import parse_command
from axonet.models.seg_vae import SegVAE2D, auto_levels
from axonet.pipeline.estimate import Size, image_gflop, steps
from axonet.pipeline.plan_command import PlanConfig, cost, main
from tests.unit.pipeline.test_plan import plan

DEMO = {"width": 96, "height": 96, "zoom_um": 160}


def by_rule(found):
    return {step.rule: step for step in found}


@pytest.mark.parametrize(("size", "base", "most"), [(512, 64, 256), (512, 64, 1024), (512, 32, 256), (96, 8, 64)])
def test_the_arithmetic_of_a_view_is_what_torch_counts(size, base, most):
    with torch.device("meta"):
        model = SegVAE2D(levels=auto_levels(size, size), base_channels=base, max_channels=most, latent_channels=32)
        picture, scale = torch.zeros(1, 1, size, size), torch.zeros(1, 1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(picture, scale, 1)
    told = image_gflop(
        plan(
            render={"width": size, "height": size},
            stage1={"base_channels": base, "max_channels": most, "latent_channels": 32},
        )
    )
    assert told == pytest.approx(counter.get_total_flops() / 1e9, rel=0.15)


def test_twice_the_neurons_are_twice_the_work():
    one, two = (by_rule(steps(plan(), Size(n, n // 500))) for n in (10_000, 20_000))
    for rule in ("measure", "render", "encode_stage2"):
        assert two[rule].jobs == 2 * one[rule].jobs
        assert two[rule].files == 2 * one[rule].files
        assert two[rule].gigabytes == pytest.approx(2 * one[rule].gigabytes)
    assert two["stage1"].gflop == pytest.approx(2 * one["stage1"].gflop)
    assert two["stage1"].jobs == one["stage1"].jobs == 1


def test_more_pixels_and_more_samples_take_longer():
    def hours(size=512, samples=2, **render):
        section = {"width": size, "height": size, "supersample_factor": samples, **render}
        return by_rule(steps(plan(render=section), Size(1000, 2)))["render"].core_hours

    assert hours(size=256) < hours() < hours(samples=4)
    assert hours() < hours(zoom_um=160)


def test_every_run_trains_for_itself_and_a_given_model_is_not_trained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("given.ckpt").write_bytes(b"weights")
    rules = [step.rule for step in steps(plan(runs={"a": {}, "b": {"seed": 1}}), Size(1000, 2))]
    assert rules.count("stage1") == rules.count("evaluate") == 2
    given = by_rule(steps(plan(stage2={"checkpoint": "given.ckpt"}), Size(1000, 2)))
    assert "stage2" not in given
    assert given["encode_stage2"].jobs == 2


def test_a_gpu_is_faster_and_more_of_them_are_faster_still():
    step = by_rule(steps(plan(), Size(20_000, 64)))["stage1"]
    times = [
        cost(step, parse_command(PlanConfig, flags)).hours
        for flags in ([], ["--gpu-type", "nvidia-tesla-t4"], ["--gpu-type", "nvidia-tesla-t4", "--gpus", "4"])
    ]
    assert times[0] > times[1] > times[2]


def test_the_command_counts_what_the_folder_lacks(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("swc").mkdir()
    for name in "abc":
        Path(f"swc/{name}.swc").write_text("1 1 0 0 0 1 -1\n")
    Path("config.yaml").write_text("acquire: {sources: [folder], shard_bits: 1, folder: {swc_dir: swc}}\n")
    assert main(["--cpu-hour-price", "1", "--gb-month-price", "0.02"]) == 0
    said = capsys.readouterr()
    table = (said.out + said.err).splitlines()
    assert table[0] == "3 neurons in 2 shards"
    rows = {line.split()[0]: line.split() for line in table if line}
    assert rows["measure"][1] == rows["render"][1] == "2"
    jobs = [int(row[1]) for name, row in rows.items() if name in ("acquire", "measure", "render", "stage1", "stage2")]
    assert sum(jobs) == 7
    assert rows["together"][-1] != "0.00"
    assert "a month" in table[-1]


def test_what_only_the_network_knows_is_asked_for(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("acquire: {sources: [neuromorpho], neuromorpho: {query: 'species:mouse'}}\n")
    assert main([]) == 2
    assert "give --neurons" in capsys.readouterr().err
    assert main(["--neurons", "1000"]) == 0
