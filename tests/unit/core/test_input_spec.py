"""An input spec says whether images fit a model."""

from __future__ import annotations

from axonet.core.input_spec import InputSpec


def test_what_changes_pixels_is_a_difference():
    spec = InputSpec(width=128)
    assert InputSpec(width=128).difference(spec) == []
    assert spec.difference(InputSpec(width=64, margin=0.1)) == ["width 64 instead of 128", "margin 0.1 instead of 0.4"]


def test_which_views_there_are_is_no_difference():
    assert InputSpec(random_views=3, view_seed=1).difference(InputSpec()) == []


def test_a_resize_decides_the_input_size():
    assert InputSpec(width=200, height=100).input_size == (100, 200)
    assert InputSpec(image_size=(32, 64)).input_size == (32, 64)


def test_the_window_around_the_soma_matters_to_a_model_that_looks_at_it():
    with_window, without, wider = (InputSpec(zoom_um=um) for um in (160.0, None, 320.0))
    assert with_window.difference(without) == without.difference(with_window) == []
    looking = with_window.model_copy(update={"zoom": True})
    assert looking.difference(with_window) == []
    assert looking.difference(without) == ["zoom_um None instead of 160.0"]
    assert looking.difference(wider) == ["zoom_um 320.0 instead of 160.0"]
    assert (with_window.n_channels, looking.n_channels) == (1, 2)
