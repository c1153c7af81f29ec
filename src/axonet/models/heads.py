"""What hangs on the neuron vector while Stage 1 trains, and is left behind afterwards."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

HIDDEN = 128
CONTRAST_SIZE = 64


class MorphometricsHead(nn.Module):
    """Predict measurements from a neuron vector: ``(b, v)`` -> ``(b, m)`` in standard deviations."""

    def __init__(self, vector_size: int, n_measures: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(vector_size, HIDDEN)
        self.out = nn.Linear(HIDDEN, n_measures)
        # It starts by predicting the mean, which is the best guess of one that knows nothing.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, vector: Tensor) -> Tensor:
        """Predict from ``(b, v)``."""
        y: Tensor = self.out(functional.silu(self.hidden(vector)))
        return y


class ContrastHead(nn.Module):
    """Where views are compared: ``(b, v)`` -> unit vectors ``(b, 64)``.

    The contrast throws away what differs between the views of a neuron; a projection of its own keeps it from throwing
    that out of the neuron vector (Chen et al. 2020).
    """

    def __init__(self, vector_size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(vector_size, HIDDEN)
        self.out = nn.Linear(HIDDEN, CONTRAST_SIZE)

    def forward(self, vector: Tensor) -> Tensor:
        """Project ``(b, v)``."""
        return functional.normalize(self.out(functional.silu(self.hidden(vector))).float(), dim=1)


class Stage1Heads(nn.Module):
    """The heads that a training uses.

    Args:
        vector_size: length of the neuron vector.
        n_measures: measurements to predict; 0 for none.
        contrast: whether views are compared.
    """

    def __init__(self, vector_size: int, n_measures: int, *, contrast: bool) -> None:
        super().__init__()
        self.morphometrics = MorphometricsHead(vector_size, n_measures) if n_measures else None
        self.contrast = ContrastHead(vector_size) if contrast else None
