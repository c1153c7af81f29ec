"""What the machine cannot do is one line that says which flag to change."""

import pytest
import torch

from axonet.core.errors import UserError
from axonet.learning.machine_errors import plain_machine_errors
from axonet.models.blocks import Down
from axonet.models.checkpoint import load_checkpoint

from .stage1_runs import train


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
        MemoryError(),
    ],
)
def test_running_out_of_memory_names_the_flags_to_lower(error):
    with pytest.raises(UserError, match="out of memory: lower --x"), plain_machine_errors("lower --x"):
        raise error


def test_a_reading_process_that_was_killed_is_named():
    died = RuntimeError("DataLoader worker (pid 77) is killed by signal: Killed. ")
    with pytest.raises(UserError, match=r"reads views was killed.*--num-workers"), plain_machine_errors(""):
        raise died


def test_a_machine_without_a_compiler_is_told_to_leave_compile_out():
    from torch._inductor.exc import InvalidCxxCompiler

    with pytest.raises(UserError, match=r"--compile: this machine cannot compile"), plain_machine_errors(""):
        raise InvalidCxxCompiler()


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="shapes"), plain_machine_errors("lower --x"):
        raise RuntimeError("shapes do not fit")


def test_memory_that_ends_within_a_step_names_the_flags_and_the_run_can_be_resumed(tmp_path, monkeypatch):
    real, calls = Down.forward, []

    def scarce(module: Down, x: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 3 * 4 + 1:  # three levels: the first one of the fifth pass
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return real(module, x)

    with monkeypatch.context() as patch:
        patch.setattr(Down, "forward", scarce)
        with pytest.raises(UserError) as raised:
            train(tmp_path / "run", max_epochs=1, n_neurons=12, gradient_accumulation_steps=1)
    assert str(raised.value) == (
        "out of memory: lower --batch-size (now 4; --gradient-accumulation-steps keeps 4 images per step), --width and "
        "--height (now 32 x 32 pixels) or --base-channels (now 4)"
    )
    train(tmp_path / "run", max_epochs=1, n_neurons=12, resume="auto")
    train(tmp_path / "whole", max_epochs=1, n_neurons=12)
    fingerprints = [load_checkpoint(tmp_path / name / "last.ckpt")["fingerprint"] for name in ("run", "whole")]
    assert fingerprints[0] == fingerprints[1]
