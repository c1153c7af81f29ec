from __future__ import annotations

import pytest

from axonet.evaluation import baselines


@pytest.fixture(autouse=True, scope="session")
def small_forests():
    """Forests of twenty trees: the tests are about what is asked, not how well."""
    patch = pytest.MonkeyPatch()
    patch.setattr(baselines, "N_TREES", 20)
    yield
    patch.undo()
