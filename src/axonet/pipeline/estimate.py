"""What a run will take, step by step: jobs, hours, bytes and files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from axonet.pipeline import figures as f
from axonet.pipeline.plan import Plan

LOGGED = 2  # a log and a benchmark of every job


@dataclass(frozen=True)
class Size:
    """How much there is.

    Attributes:
        neurons: of the whole corpus.
        shards: that hold neurons.
    """

    neurons: int
    shards: int


@dataclass(frozen=True)
class Step:
    """What the jobs of a rule will take.

    Attributes:
        rule: its name.
        jobs: that have to run.
        core_hours: of CPU work without the start of jobs.
        gflop: arithmetic of networks, on a GPU where there is one.
        gigabytes: that it writes.
        files: that it writes, logs included.
    """

    rule: str
    jobs: int
    core_hours: float = 0.0
    gflop: float = 0.0
    gigabytes: float = 0.0
    files: int = 0


def steps(plan: Plan, size: Size, exists: Callable[[str], bool] | None = None) -> list[Step]:
    """The steps of a run, in order; those that are done have no jobs.

    Args:
        plan: of the run.
        size: of the corpus.
        exists: tells whether a result is there; None: nothing is, and nothing was acquired yet.
    """
    acquired = exists is not None

    def there(name: str) -> bool:
        return exists is not None and exists(name)

    def todo(names: Sequence[str]) -> int:
        return sum(not there(name) for name in names) if acquired else size.shards

    views = plan.views() if acquired else []
    measures = plan.measures() if acquired else []
    found = [
        Step(
            "acquire", int(not acquired), _hours(f.ACQUIRE_S * size.neurons), 0.0, _gb(f.CATALOG_BYTES, size.neurons), 5
        ),
        _per_shard("measure", todo(measures), size, f.READ_S + f.MEASURE_S, 0.0, f.MEASURE_BYTES, 1),
        _per_shard("render", todo(views), size, *_drawing(plan), 2),
    ]
    for run in plan.config.runs:
        found += _of_run(plan, run, size, there, todo, acquired=acquired)
    return [step if step.jobs else Step(step.rule, 0) for step in found]


def _of_run(
    plan: Plan,
    run: str,
    size: Size,
    there: Callable[[str], bool],
    todo: Callable[[Sequence[str]], int],
    *,
    acquired: bool,
) -> list[Step]:
    stage1, stage2 = cast(Any, plan.config.stage1), cast(Any, plan.config.stage2)
    split = plan.split_settings(run)
    n_test, n_val = size.neurons * split.test_ratio, size.neurons * split.val_ratio
    n_train = size.neurons - n_test - n_val
    image = image_gflop(plan)
    per_neuron = views_per_neuron(plan)
    vector = 2 * (stage1.latent_channels + stage1.pool_levels * stage1.max_channels) + 1
    found = []
    if not plan.given("stage1"):
        missing = int(not there(plan.checkpoint(run, "stage1")))
        shown = n_train * min(stage1.views_per_neuron or per_neuron, per_neuron)
        images = shown * stage1.max_epochs + n_val * per_neuron * stage1.max_epochs / 3
        if stage1.max_steps is not None:
            images = min(images, stage1.max_steps * stage1.batch_size * stage1.gradient_accumulation_steps)
        trained = 3 * image * (f.ENCODER + (1 - f.ENCODER) / stage1.decode_every)
        found.append(Step("stage1", missing, 0.0, trained * images, 0.2, 12))
    encode = f.ENCODER * image * per_neuron
    if plan.frozen and not plan.given("stage2"):
        names = plan.vectors(run, "stage1") if acquired else []
        found.append(_encode("encode_stage1", todo(names), size, encode, vector * per_neuron))
    if not plan.given("stage2"):
        missing = int(not there(plan.checkpoint(run, "stage2")))
        passes = n_train * stage2.max_epochs
        arithmetic = 0.0 if plan.frozen else 3 * encode * passes
        found.append(Step("stage2", missing, _hours(f.STAGE2_S * passes), arithmetic, 0.2, 12))
    names = plan.vectors(run, "stage2") if acquired else []
    length = stage2.clip_embed_dim * per_neuron
    found.append(_encode("encode_stage2", todo(names), size, encode, length))
    missing = int(not there(f"results/runs/{run}/evaluate/metrics.json"))
    judged = n_test if plan.config.evaluate.split == "test" else n_val
    found.append(Step("evaluate", missing, _hours(f.EVALUATE_S * judged), 0.0, 0.01, 8))
    return found


def views_per_neuron(plan: Plan) -> int:
    """Views of a neuron."""
    render = cast(Any, plan.config.render)
    return int(render.canonical_views + render.biased_views + render.random_views)


def image_gflop(plan: Plan) -> float:
    """Arithmetic of the whole network for a view, forward."""
    render, stage1 = cast(Any, plan.config.render), cast(Any, plan.config.stage1)
    width = stage1.width or render.width
    height = stage1.height or (stage1.width or render.height)
    widths = [min(stage1.base_channels * 2**level, stage1.max_channels) for level in range(stage1.levels or 8)]
    work = sum(channels**2 / 4**level for level, channels in enumerate(widths))
    return float(f.GFLOP * work * width * height / 512**2 / stage1.patch**2)


def _drawing(plan: Plan) -> tuple[float, float, float]:
    """Seconds, arithmetic and bytes of drawing a neuron."""
    render = cast(Any, plan.config.render)
    area = render.width * render.height / 512**2
    samples = area * render.supersample_factor**2
    # From two to four samples a side the samples are four times as many; what remains does not depend on them.
    per_sample = (f.DRAW_4_S - f.DRAW_S) / 12
    seconds = f.DRAW_S - 4 * per_sample + per_sample * samples + (f.ZOOM_S * area if render.zoom_um else 0)
    grown = area ** (f.BYTES_GROW / 2)
    size = (f.VIEW_BYTES + (f.ZOOM_BYTES if render.zoom_um else 0)) * grown
    n = views_per_neuron(plan)
    return f.READ_S + n * seconds, 0.0, n * size + f.QUALITY_BYTES


def _per_shard(rule: str, jobs: int, size: Size, seconds: float, gflop: float, n_bytes: float, outputs: int) -> Step:
    neurons = size.neurons * jobs / max(1, size.shards)
    return Step(
        rule, jobs, _hours(seconds * neurons), gflop * neurons, _gb(n_bytes, neurons), jobs * (outputs + LOGGED)
    )


def _encode(rule: str, jobs: int, size: Size, gflop: float, numbers: float) -> Step:
    return _per_shard(rule, jobs, size, 0.0, gflop, numbers * f.FLOAT_BYTES, 1)


def _hours(seconds: float) -> float:
    return seconds / 3600


def _gb(n_bytes: float, count: float) -> float:
    return n_bytes * count / 1e9
