"""Several processes share a batch, and learn what one process would."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from torch import nn

from axonet.learning.clip_data import ClipDataset
from axonet.learning.gather import gather_rows
from axonet.models.losses.contrastive import LOSSES

from .clip_runs import FROZEN
from .clip_toy import toy_data

N, DIM = 7, 5  # an odd number of neurons: the two shares differ in size


def towers(seed: int = 0) -> nn.ModuleDict:
    torch.manual_seed(seed)
    return nn.ModuleDict({"image": nn.Linear(6, DIM), "text": nn.Linear(4, DIM)})


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    true_of = (torch.rand(N, N, generator=generator) < 0.3) | torch.eye(N, dtype=torch.bool)
    return torch.randn(N, 6, generator=generator), torch.randn(N, 4, generator=generator), true_of


def loss_of(model: nn.Module, name: str, scale: torch.Tensor, share: slice) -> torch.Tensor:
    image, text, true_of = batch()
    own = [F.normalize(model[key](x[share]), dim=1) for key, x in (("image", image), ("text", text))]
    both = [gather_rows(part, N) for part in own]
    return LOSSES[name](both[0], both[1], true_of, scale.exp(), torch.tensor(-3.0))


def one_process(name: str) -> tuple[float, list[torch.Tensor]]:
    model, scale = towers(), torch.tensor(1.5, requires_grad=True)
    loss = loss_of(model, name, scale, slice(None))
    loss.backward()
    return float(loss.detach()), [p.grad for p in model.parameters()] + [scale.grad]


def work(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    found = {}
    for name in sorted(LOSSES):
        model, scale = towers(), torch.tensor(1.5, requires_grad=True)
        loss = loss_of(model, name, scale, slice(rank, None, 2))
        loss.backward()
        gradients = [p.grad for p in model.parameters()] + [scale.grad]
        for gradient in gradients:  # what DDP does: the mean over processes
            dist.all_reduce(gradient)
            gradient /= 2
        found[name] = (float(loss.detach()), gradients)
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_have_the_loss_and_the_gradient_of_one(tmp_path: Path) -> None:
    """Real processes over gloo; captions that are true of neurons of the other process count."""
    mp.spawn(work, (str(tmp_path),), nprocs=2)
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        for name in sorted(LOSSES):
            loss, gradients = one_process(name)
            assert found[name][0] == pytest.approx(loss, rel=1e-5), name
            for own, expected in zip(found[name][1], gradients, strict=True):
                torch.testing.assert_close(own, expected, rtol=1e-4, atol=1e-6)


def test_without_other_processes_rows_stay_as_they_are() -> None:
    rows = torch.randn(3, 2)
    assert gather_rows(rows, 3) is rows


def test_the_shares_of_two_processes_are_a_whole_batch() -> None:
    data = toy_data(n_train=5, n_val=0)
    rows = torch.arange(15).numpy()[::2]
    whole = ClipDataset(data.train_views, data.train)[rows]
    shares = [ClipDataset(data.train_views, data.train, share=(rank, 2))[rows] for rank in range(2)]
    for rank, share in enumerate(shares):
        assert share.everyone.tolist() == whole.everyone.tolist()
        assert share.neuron.tolist() == whole.everyone.tolist()[rank::2]
    seen = sorted(row for share in shares for row in share.images.row.tolist())
    assert seen == sorted(rows.tolist())


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.unit.learning.clip_runs import FROZEN, train
out = Path({out!r})
settings = FROZEN.model_copy(update=dict(devices={devices}, dropout=0.0, max_epochs=2, learnable_temperature=True))
train(out, settings)
"""


@pytest.mark.slow
def test_a_run_of_two_processes_ends_with_the_model_of_one(tmp_path: Path) -> None:
    import subprocess
    import sys

    from axonet.models.checkpoint import load_checkpoint

    root = str(Path(__file__).parents[3])
    states = []
    for devices in (1, 2):
        out = tmp_path / str(devices)
        script = tmp_path / f"train{devices}.py"
        script.write_text(SCRIPT.format(root=root, out=str(out), devices=devices))
        done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        states.append(load_checkpoint(out / "last.ckpt", 2)["state"])
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=1e-3, atol=1e-5)
    assert FROZEN.batch_size == 6
