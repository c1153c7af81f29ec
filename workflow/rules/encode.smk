# in:  packed views, a checkpoint of Stage 1 or Stage 2
# out: results/encode/{model}/{shard}-{digest}.parquet (a vector per view)
# {model} is {run}.stage1, {run}.stage2, or given.stage1.{digest of the file} for a checkpoint that the config gives


rule encode_stage1:
    input:
        views=ancient(data(f"results/render/{PLAN.render_hash}/{{shard}}.arrow")),
        checkpoint=lambda wildcards: at(PLAN.checkpoint_of_model(f"{wildcards.owner}")),
    output:
        "results/encode/{owner}/{shard}.parquet",
    log:
        "results/logs/encode/{owner}/{shard}.log",
    benchmark:
        "results/benchmarks/encode/{owner}/{shard}.tsv"
    wildcard_constraints:
        owner=r"[A-Za-z0-9_-]+\.stage1|given\.stage1\.[0-9a-f]{12}",
    conda:
        "../../envs/axonet.yaml"
    threads: cores(4)
    resources:
        mem_mb=more_each_try(4000),
        runtime="2h",
        gpu=1,
    params:
        code=PLAN.code["encode"],
        measures="",
    message:
        "Encode: shard {wildcards.shard} with {wildcards.owner}"
    shell:
        "python -m axonet.utils.encode --checkpoint {input.checkpoint} --shard {input.views} {params.measures} "
        "--out {output} > {log} 2>&1"


# A model that joins morphometrics needs them here too; of a given one only its checkpoint knows.
use rule encode_stage1 as encode_stage2 with:
    input:
        views=ancient(data(f"results/render/{PLAN.render_hash}/{{shard}}.arrow")),
        checkpoint=lambda wildcards: at(PLAN.checkpoint_of_model(f"{wildcards.owner}")),
        measures=(
            ancient(data(f"results/measure/{PLAN.measure_hash}/{{shard}}.parquet"))
            if PLAN.joins
            else []
        ),
    wildcard_constraints:
        owner=r"[A-Za-z0-9_-]+\.stage2|given\.stage2\.[0-9a-f]{12}",
    params:
        code=PLAN.code["encode"],
        measures=lambda wildcards, input: (
            f"--measures {input.measures}" if PLAN.joins else ""
        ),
