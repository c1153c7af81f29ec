"""What a training step of Stage 1 costs beside the network's own forward and backward pass.

    OMP_NUM_THREADS=1 python benchmarks/stage1/train.py DATA_DIR [any flag of the trainer] [--seconds 20]

DATA_DIR is an output of ``dataset_generator``. Times three things in turn, on the device that the flags choose: the
network with its losses on a batch that is already there; the same with batches from the loader; reading alone. On a CPU
the figures are by CPU time of this process, on a GPU by wall time after waiting for it. The arithmetic of a step is
counted with torch's own counter; divided by what a card can do at most it gives the share of it that is used.

On a GPU it also runs some steps with ``torch.cuda.set_sync_debug_mode("error")``, under which a step that waits for the
device fails. Compare ``--compile`` with a run without it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from loader import manifest_of
from torch.utils.flop_counter import FlopCounterMode

from axonet.core.config import parse_command
from axonet.datasets.view_store import ViewStore
from axonet.inference.device import torch_device
from axonet.inference.view_batch import ViewBatch, ViewDataset, fields_of_view
from axonet.learning.stage1 import complete_spec
from axonet.learning.stage1_module import Stage1Module
from axonet.learning.views_dataset import PlannedLoader, ShuffledViews
from axonet.training.trainer import Stage1Config


def main() -> int:
    parser = argparse.ArgumentParser(description="cost of a Stage 1 step")
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each of the three is timed")
    arguments, flags = parser.parse_known_args()
    settings = parse_command(Stage1Config, ["--data-dir", str(arguments.data_dir), *flags])
    device = torch_device(settings.accelerator)
    store = ViewStore.from_manifest(arguments.data_dir, manifest_of(arguments.data_dir))
    spec = complete_spec(store.spec, settings, fields_of_view(store))
    plan = ShuffledViews(store, settings.batch_size, settings.seed)
    loader = PlannedLoader(ViewDataset(store, zoom=spec.zoom), plan, training=True, num_workers=0)
    module = Stage1Module(settings, spec, len(plan)).to(device)
    module.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    step = Step(module, device)
    batch = next(iter(loader))
    step(batch)  # allocates, and compiles where that was asked for
    counter = FlopCounterMode(display=False)
    with counter:
        step(batch)
    n_images = len(batch.row)
    flops = counter.get_total_flops() / n_images
    height, width = spec.input_size
    print(
        f"{width} x {height} pixels, base {settings.base_channels}, batch {n_images}, {device}: "
        f"{flops / 1e9:.2f} GFLOP per image, forward and backward"
    )
    there = rate(lambda: step(batch), n_images, arguments.seconds, device)
    endless = batches_of(loader)
    whole = rate(lambda: step(next(endless)), n_images, arguments.seconds, device)
    reading = rate(lambda: next(endless), n_images, arguments.seconds / 4, device)
    print(
        f"network alone {there:,.1f} images/s, with reading {whole:,.1f} ({there / whole - 1:+.1%} time), "
        f"reading alone {reading:,.0f}; {there * flops / 1e12:.3f} TFLOP/s"
    )
    if device == "cuda":
        print(f"{torch.cuda.max_memory_allocated() / 2**30:.1f} GiB at most")
        torch.cuda.set_sync_debug_mode("error")
        step(batch)
        torch.cuda.set_sync_debug_mode("default")
        print("no step waits for the device")
    return 0


class Step:
    """Forward, losses, backward and the optimizer, as the trainer does them."""

    def __init__(self, module: Stage1Module, device: str) -> None:
        self.module, self.device = module, device
        trained = [p for p in module.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, fused=device == "cuda")
        self.precision = torch.autocast("cuda", torch.bfloat16, enabled=device == "cuda")

    def __call__(self, batch: ViewBatch) -> None:
        """Take a step."""
        with self.precision:
            loss = self.module.training_step(batch.to(self.device), 0)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def batches_of(loader: PlannedLoader) -> Iterator[ViewBatch]:
    while True:
        yield from loader


def rate(work: Callable[[], object], n_images: int, seconds: float, device: str) -> float:
    """Images per second."""
    clock = time.perf_counter if device == "cuda" else time.process_time
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    started, done = clock(), 0
    while clock() - started < seconds:
        work()
        done += 1
    if device == "cuda":
        torch.cuda.synchronize()
    return done * n_images / (clock() - started)


if __name__ == "__main__":
    sys.exit(main())
