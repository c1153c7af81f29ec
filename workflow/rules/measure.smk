# in:  a shard of the catalog
# out: results/measure/{hash}/{shard}-{digest}.parquet (morphometrics, quality codes, fingerprint)


rule measure:
    input:
        # The shard's digest, part of the name, says what is in it: the catalog's own age does not matter.
        catalog=ancient(data(CATALOG)),
    output:
        data(f"results/measure/{PLAN.measure_hash}/{{shard}}.parquet"),
    log:
        f"results/logs/measure/{PLAN.measure_hash}/{{shard}}.log",
    benchmark:
        f"results/benchmarks/measure/{PLAN.measure_hash}/{{shard}}.tsv"
    conda:
        "../../envs/axonet.yaml"
    threads: 1
    resources:
        mem_mb=more_each_try(1000),
        runtime="1h",
    message:
        "Measure: shard {wildcards.shard}"
    shell:
        "python -m axonet.utils.measure --catalog {input.catalog} --catalog-shard {wildcards.shard} --out {output} > {log} 2>&1"
