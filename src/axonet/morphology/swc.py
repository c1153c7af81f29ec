"""SWC files: any that is out there to a :class:`Neuron`, and a :class:`Neuron` to a clean one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from axonet.core.files import write_text
from axonet.morphology.checks import with_quality_codes
from axonet.morphology.compartments import mask_class
from axonet.morphology.neuron import Neuron
from axonet.morphology.repair import repair
from axonet.morphology.swc_text import SWCError, parse_columns

__all__ = ["SWCError", "format_swc", "neuron_name", "parse_swc", "read_swc", "write_swc"]

PathLike = str | os.PathLike[str]


def neuron_name(path: PathLike) -> str:
    """Name of the neuron in a file: the file's name less ``.CNG.swc`` or ``.swc``."""
    name = Path(path).name
    for suffix in (".cng.swc", ".swc"):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def read_swc(path: PathLike) -> Neuron:
    """Read an SWC file.

    Args:
        path: the file. The neuron is named after it, see :func:`neuron_name`.

    Returns:
        The neuron, rows parents first. ``warnings`` says what had to be repaired (``bad_radius``,
        ``missing_parent``, ...) and what looks odd (:mod:`axonet.morphology.checks`).

    Raises:
        SWCError: the file is no neuron; ``code`` says why.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise SWCError("unreadable_file", f"{path}: cannot be read ({error.strerror}); check the path") from error
    return parse_swc(data, neuron_name(path), source=str(path))


def parse_swc(data: bytes, name: str, source: str | None = None) -> Neuron:
    """Make a neuron of the bytes of an SWC file.

    Args:
        data: bytes of the file.
        name: name of the neuron.
        source: what to call the file in an error; the name by default.

    Raises:
        SWCError: the bytes are no neuron; ``code`` says why.
    """
    source = source or name
    with np.errstate(all="ignore"):  # coordinates near the limits of a float are odd, but numbers
        rows = repair(parse_columns(data, source), source)
    return with_quality_codes(
        Neuron(
            name=name,
            node_id=rows.node_id,
            swc_type=rows.swc_type,
            compartment=mask_class(rows.swc_type),
            xyz=rows.xyz,
            radius=rows.radius,
            parent=rows.parent,
            warnings=tuple(sorted(rows.warnings)),
        )
    )


def format_swc(neuron: Neuron) -> str:
    """The neuron as SWC text: ids as they were, numbers with every digit, so that reading gives the same neuron."""
    node_id = neuron.node_id.tolist()
    lines = ["# id type x y z radius parent"]
    for row, swc_type, (x, y, z), radius, parent in zip(
        node_id,
        neuron.swc_type.tolist(),
        neuron.xyz.tolist(),
        neuron.radius.tolist(),
        neuron.parent.tolist(),
        strict=True,
    ):
        lines.append(f"{row} {swc_type} {x!r} {y!r} {z!r} {radius!r} {node_id[parent] if parent >= 0 else -1}")
    return "\n".join(lines) + "\n"


def write_swc(neuron: Neuron, path: PathLike) -> None:
    """Write the neuron as an SWC file, whole or not at all."""
    write_text(path, format_swc(neuron))
