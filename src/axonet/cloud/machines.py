"""Google's machine types by their names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from axonet.core.errors import UserError

# Source: Google's pages on machine families. GB of memory per virtual CPU, by family and kind.
_GB_PER_CPU: dict[str, dict[str, float]] = {
    "n1": {"standard": 3.75, "highmem": 6.5, "highcpu": 0.9},
    "n2": {"standard": 4, "highmem": 8, "highcpu": 1},
    "n2d": {"standard": 4, "highmem": 8, "highcpu": 1},
    "n4": {"standard": 4, "highmem": 8, "highcpu": 2},
    "e2": {"standard": 4, "highmem": 8, "highcpu": 1},
    "c2": {"standard": 4},
    "c2d": {"standard": 4, "highmem": 8, "highcpu": 2},
    "c3": {"standard": 4, "highmem": 8, "highcpu": 2},
    "t2d": {"standard": 4},
    "g2": {"standard": 4},
}
# Machines that come with GPUs: virtual CPUs and GB for each GPU, and its type.
_WITH_GPUS = {"a2-highgpu": (12, 85.0, "nvidia-tesla-a100"), "a2-ultragpu": (12, 170.0, "nvidia-a100-80gb")}
# Of a machine's memory the system needs some itself.
_FOR_JOBS = 0.9


@dataclass(frozen=True)
class Machine:
    """A machine type.

    Attributes:
        name: as Google calls it.
        cpus: virtual CPUs.
        gigabytes: of memory.
        gpu: type of the GPUs that it comes with, if any.
    """

    name: str
    cpus: int
    gigabytes: float
    gpu: str | None = None

    @property
    def job_memory(self) -> int:
        """MiB that a job can ask for."""
        return int(self.gigabytes * 1e9 * _FOR_JOBS / 2**20)


def machine(name: str) -> Machine:
    """A machine type by its name, such as ``n1-standard-8``.

    Raises:
        UserError: not a name of the families known here.
    """
    found = re.fullmatch(r"([a-z]+\d[a-z]?)-(standard|highmem|highcpu)-(\d+)", name)
    if found and found[2] in _GB_PER_CPU.get(found[1], {}):
        cpus = int(found[3])
        return Machine(name, cpus, cpus * _GB_PER_CPU[found[1]][found[2]], "nvidia-l4" if found[1] == "g2" else None)
    built_in = re.fullmatch(r"(a2-\w+)-(\d+)g", name)
    if built_in and built_in[1] in _WITH_GPUS:
        cpus, gigabytes, gpu = _WITH_GPUS[built_in[1]]
        n_gpus = int(built_in[2])
        return Machine(name, cpus * n_gpus, gigabytes * n_gpus, gpu)
    families = ", ".join([*_GB_PER_CPU, "a2"])
    raise UserError(f"--machine-type {name}: not a machine type such as n1-standard-8; families known here: {families}")


# Machines with one GPU of a type; the others are added to machines of the family n1.
_FOR_GPU = {"nvidia-l4": "g2-standard-8", "nvidia-tesla-a100": "a2-highgpu-1g", "nvidia-a100-80gb": "a2-ultragpu-1g"}


def with_gpu(gpu: str) -> str:
    """A machine type for a type of GPU."""
    return _FOR_GPU.get(gpu, "n1-standard-8")


def refuse_odd_pair(name: str, gpu: str) -> None:
    """Refuse a GPU that Google does not put into a machine.

    Raises:
        UserError: that is so.
    """
    built_in = machine(name).gpu
    if built_in == gpu or (built_in is None and gpu not in _FOR_GPU and name.startswith("n1-")):
        return
    raise UserError(f"--gpu-type {gpu} does not go into {name}; give --machine-type {with_gpu(gpu)}, or leave it out")
