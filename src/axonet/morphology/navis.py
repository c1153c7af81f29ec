"""A neuron for navis, which is not needed for anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from axonet.core.errors import UserError

if TYPE_CHECKING:
    from axonet.morphology.neuron import Neuron


def to_navis(neuron: Neuron) -> Any:
    """The same nodes as a ``navis.TreeNeuron`` in um, under their ids of the file, with the types of the file.

    Raises:
        UserError: navis is not installed.
    """
    try:
        import navis
    except ImportError as error:
        raise UserError("to_navis needs navis, which axonet does not bring along: pip install navis") from error
    import pandas as pd

    parent = np.where(neuron.parent < 0, -1, neuron.node_id[neuron.parent])
    x, y, z = neuron.xyz.T
    columns = {"node_id": neuron.node_id, "label": neuron.swc_type, "x": x, "y": y, "z": z}
    table = pd.DataFrame({**columns, "radius": neuron.radius, "parent_id": parent})
    return navis.TreeNeuron(table, name=neuron.name, units="1 micrometer")
