"""What keeps steps fast: nothing waits for the device, images travel as bytes, compiled networks say the same."""

import shutil
import traceback

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback
from torch.utils._python_dispatch import TorchDispatchMode

from axonet.core.input_spec import InputSpec
from axonet.inference.view_batch import ViewDataset
from axonet.learning import finite
from axonet.learning.fit import choose_precision
from axonet.learning.stage1_inputs import stage1_inputs
from axonet.learning.stage1_module import Stage1Module

from .stage1_runs import settings, train
from .synthetic import drawn_store

SPEC = InputSpec(width=32, height=32, log_fov_mean=6.0, log_fov_std=1.0)
# What reads a value on the host, or makes a tensor whose size depends on values.
WAITS = ("index", "_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "bincount", "_unique2", "equal")


class CountWaits(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket.__name__ in WAITS and not self._by_numbers(func, args):
            places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_stack()]
            # AdamW keeps its counts of steps in tensors on the host, unless it is fused, as on a GPU.
            if not any("/torch/optim/" in place for place in places):
                self.found.append(f"{func} from {places[-3:]}")
        return func(*args, **(kwargs or {}))

    @staticmethod
    def _by_numbers(func, args) -> bool:
        """Indexing by whole numbers: the size of the result is known."""
        picks = func.overloadpacket.__name__ == "index"
        return picks and all(part is None or part.dtype not in (torch.bool, torch.uint8) for part in args[1])


class AroundSteps(Callback):
    """Counts from the start of every step to its end, Lightning and the other callbacks included."""

    def __init__(self) -> None:
        self.waits = CountWaits()
        self.n_steps = 0

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        self.waits.__enter__()

    def on_before_zero_grad(self, trainer, pl_module, optimizer) -> None:
        self.n_steps += 1

    def on_train_batch_end(self, *_) -> None:
        self.waits.__exit__(None, None, None)


def test_the_counter_sees_what_waits():
    with CountWaits() as waits:
        torch.ones(3)[torch.tensor([True, False, True])]
        torch.ones(1).item()
    assert len(waits.found) >= 2


def test_a_step_waits_for_nothing(tmp_path, monkeypatch, with_callback):
    # On a CPU a loss is there at once and is read; on a GPU it is on its way for some steps.
    monkeypatch.setattr(finite._HostCopy, "has_arrived", lambda copied: False)
    around = AroundSteps()
    with_callback(around)
    train(tmp_path, max_epochs=1, rotation=10.0, ema_decay=0.9, kl_warmup_steps=5, val=False)
    assert around.n_steps == 3
    assert around.waits.found == []


def test_images_travel_as_bytes():
    batch = ViewDataset(drawn_store(2, 2))[np.arange(4)]
    assert batch.mask.dtype == batch.depth.dtype == torch.uint8
    assert sum(value.nbytes for value in batch if value is not None) < 2.1 * 4 * 32 * 32


def test_the_network_lies_in_memory_channel_by_channel_within_pixels():
    module = Stage1Module(settings(base_channels=8), SPEC, 3)
    kernels = [p for p in module.model.parameters() if p.ndim == 4 and p.shape[2] > 1]
    assert kernels
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)


@pytest.mark.parametrize(
    ("capability", "expected"), [((9, 0), "bf16-mixed"), ((8, 0), "bf16-mixed"), ((7, 5), "16-mixed")]
)
def test_automatic_precision_follows_the_card(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert choose_precision("auto", "gpu") == expected
    assert choose_precision("auto", "cpu") == "32-true"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling for a CPU needs g++")
@pytest.mark.filterwarnings("ignore")  # the compiler's own deprecations
def test_a_compiled_network_computes_what_the_plain_one_does():
    inputs = stage1_inputs(ViewDataset(drawn_store(2, 2))[np.arange(4)], SPEC)
    results = []
    for compile_it in (False, True):
        model = Stage1Module(settings(compile=compile_it), SPEC, 3).model.eval()
        output = model(inputs.network_input, inputs.fov)
        (output.seg_logits.square().mean() + output.depth.mean() + output.posteriors["latent"].mean.sum()).backward()
        gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        results.append((output, gradients))
    (plain, plain_gradients), (compiled, compiled_gradients) = results
    torch.testing.assert_close(compiled.seg_logits, plain.seg_logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(compiled.depth, plain.depth, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(compiled_gradients, plain_gradients, rtol=1e-2, atol=1e-3)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling for a CPU needs g++")
@pytest.mark.filterwarnings("ignore")
def test_a_run_can_be_compiled(tmp_path):
    train(tmp_path, compile=True, max_steps=2, ema_decay=0.9)
    assert (tmp_path / "best.ckpt").is_file()
