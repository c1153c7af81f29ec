"""A corpus too large to draw here is planned shard by shard; benchmarks/scale.py does it with 200,000 neurons."""

from __future__ import annotations

import pytest
from benchmarks.scale import DATASET, Corpus

pytestmark = pytest.mark.workflow

SHARDS = 8


def test_one_changed_neuron_of_a_large_corpus_is_one_shard(tmp_path):
    corpus = Corpus(tmp_path, neurons=2_000, shard_bits=3)
    corpus.snakemake("--until", "acquire")
    jobs, _, _ = corpus.snakemake("--dry-run")
    assert jobs == {
        **dict.fromkeys(("measure", "render", "encode_stage1", "encode_stage2"), SHARDS),
        **dict.fromkeys(("quality", "split", "stage1", "stage2", "evaluate", "export", "explore"), 1),
    }
    corpus.make_views()
    assert not corpus.snakemake(DATASET, "--dry-run")[0]
    corpus.write_manifest(changed=1_000)
    assert corpus.snakemake("--until", "acquire")[0]["acquire"] == 1
    assert corpus.snakemake(DATASET, "--dry-run")[0] == {"measure": 1, "render": 1, "quality": 1}
