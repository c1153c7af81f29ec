"""The twenty captions that the rules were written for."""

from __future__ import annotations

import pytest

from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.claims import true_of

from .examples import BINS, EXAMPLES, Example


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.caption[:50])
def test_the_caption_follows_from_the_facts(example: Example) -> None:
    generator = NeuronTextGenerator(BINS)
    caption = generator.caption(example.record, example.measures, example.level)
    assert caption.text == example.caption
    assert caption.level == example.level
    assert true_of(caption, generator.facts(example.record, example.measures))


def test_the_examples_have_all_levels_as_often_as_training_draws_them() -> None:
    counts = {
        level: sum(e.level == level for e in EXAMPLES) for level in ("broad", "standard", "detailed", "morphometric")
    }
    assert counts == {"broad": 2, "standard": 6, "detailed": 8, "morphometric": 4}
