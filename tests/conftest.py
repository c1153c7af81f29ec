"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# Several tests run at a time: one thread each, and none that waits by spinning.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Speed is measured by benchmarks/, and the same commit gives the same result everywhere.
settings.register_profile("axonet", deadline=None, derandomize=True)
settings.load_profile("axonet")
