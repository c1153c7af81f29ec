"""Why a neuron cannot be rendered."""

from __future__ import annotations

from axonet.core.errors import UserError


class RenderError(UserError):
    """A neuron that cannot be rendered; ``code`` is the reason for quality tables, ``view`` the view that it is about.

    Codes:
        ``no_neurites``: there is nothing but a soma.
        ``no_extent``: every point lies at one place, and radii are too small to tell from rounding.
        ``bad_coordinates``: a coordinate or radius is too large to compute with.
        ``low_qc``: a view holds less of the cable than ``min_qc``.
    """

    def __init__(self, code: str, message: str, view: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.view = view

    def __reduce__(self) -> tuple[type[RenderError], tuple[str, str, int | None]]:
        # Exceptions rebuild from their message alone by default; worker processes hand these back.
        return RenderError, (self.code, str(self), self.view)
