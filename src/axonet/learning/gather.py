"""Rows of a batch that several processes share: all of them in every process, with gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def gather_rows(own: Tensor, n_total: int) -> Tensor:
    """All rows of a batch; row ``i`` comes from process ``i % world_size``.

    Every process computes the loss of the whole batch from them. The gradient that flows back to a process is the sum
    over all processes; averaged over processes, as DDP averages, the gradient of every parameter is that of one process
    with the whole batch.

    Args:
        own: ``(b', d)`` rows ``rank, rank + world_size, ...`` of the batch.
        n_total: ``b``, rows of the whole batch.

    Returns:
        ``(b, d)``.
    """
    if _is_alone():
        return own
    parts = _gather_padded(own, -(-n_total // dist.get_world_size()))
    return parts.transpose(0, 1).flatten(0, 1)[:n_total]  # (longest, world, d) -> (b, d)


def gather_batches(own: Tensor, sizes: Sequence[int]) -> Tensor:
    """The batches of all processes one after the other; gradients flow back as in :func:`gather_rows`.

    Args:
        own: ``(b', d)`` rows of this process.
        sizes: how many rows of each process count, the first ones; 0 for one that only fills up its turn.

    Returns:
        ``(sum of sizes, d)``.
    """
    if _is_alone():
        return own
    parts = _gather_padded(own[: sizes[dist.get_rank()]], max(sizes))
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])


def _is_alone() -> bool:
    return not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1


def _gather_padded(own: Tensor, longest: int) -> Tensor:
    """``(world, longest, d)``, filled up with zeros."""
    padded = torch.cat([own, own.new_zeros((longest - len(own), *own.shape[1:]))])
    return _Gather.apply(padded)  # type: ignore[no-any-return, no-untyped-call]


class _Gather(torch.autograd.Function):
    """``(n, d)`` of every process to ``(world, n, d)``; what flows back is summed over processes."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, own.contiguous())
        return torch.stack(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous()
        dist.all_reduce(total)
        return total[dist.get_rank()]
