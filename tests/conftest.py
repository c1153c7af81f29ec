"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# Speed is measured by benchmarks/, and the same commit gives the same result everywhere.
settings.register_profile("axonet", deadline=None, derandomize=True)
settings.load_profile("axonet")
