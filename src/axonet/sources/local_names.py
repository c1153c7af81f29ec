"""Names of files for neurons: those of the source where a file system can bear them, and never one for two."""

from __future__ import annotations

from collections.abc import Callable

from axonet.core.files import safe_name


def free_name(name: str, neuron_id: int, suffix: str, is_taken: Callable[[str], bool]) -> str:
    """A name for a neuron's file.

    Args:
        name: of the neuron; anything.
        neuron_id: its number, which tells two of one name apart.
        suffix: ending of the file, such as ``.CNG.swc``.
        is_taken: whether a file name belongs to another neuron, case ignored.

    Returns:
        ``{name}{suffix}``; where that is taken, ``{name}.{neuron_id}{suffix}``. Characters that some system cannot
        have in a file name are replaced, see :func:`axonet.core.files.safe_name`.
    """
    stem = safe_name(name)
    while is_taken(f"{stem}{suffix}"):
        stem = f"{stem}.{neuron_id}"
    return f"{stem}{suffix}"
