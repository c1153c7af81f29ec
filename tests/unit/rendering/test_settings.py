from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from axonet.core.config import load_settings
from axonet.core.errors import UserError
from axonet.rendering import RenderSettings


def test_settings_and_their_package_import_no_compiler():
    code = "import sys, axonet.rendering, axonet.rendering.settings; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numba", "torch", "pandas", "vispy", "OpenGL"} & set(modules)


def test_every_setting_says_in_a_sentence_what_it_is_for():
    for name, field in RenderSettings.model_fields.items():
        assert field.description is not None, name
        assert len(field.description) > 30, name
        assert "%" not in field.description, name


def test_a_device_without_gl_is_refused_in_one_line():
    with pytest.raises(UserError, match="device chooses what OpenGL draws on, but backend is cpu") as caught:
        load_settings(RenderSettings, {"backend": "cpu", "device": 0}, "render")
    assert "\n" not in str(caught.value)
    assert RenderSettings(backend="gl", device=1).device == 1


@pytest.mark.parametrize(
    "values",
    [
        {"canonical_views": 0, "biased_views": 0, "random_views": 0},
        {"width": 4096, "supersample_factor": 8},
        {"margin": -0.1},
        {"min_qc": 1.5},
        {"depth_bits": 12},
        {"zoom_um": 0},
        {"width": 0},
        {"sampling": "grid"},
        {"views": 3},
        {"backend": "vulkan"},
        {"device": -1},
    ],
)
def test_wrong_values_are_refused(values):
    with pytest.raises(ValidationError):
        RenderSettings(**values)


def test_no_cache_is_accepted_and_says_that_there_is_nothing_to_switch_off():
    assert RenderSettings().notices == ()
    assert RenderSettings(no_cache=True).notices == ("--no-cache: there is no mesh cache to switch off",)


def test_the_defaults_are_those_of_the_guide():
    settings = RenderSettings()
    assert (settings.sampling, settings.n_views, settings.width, settings.height) == ("pca", 24, 512, 512)
    assert (settings.supersample_factor, settings.margin, settings.min_qc) == (4, 0.40, 0.7)
    assert (settings.adaptive_framing, settings.projection) == (False, "ortho")
