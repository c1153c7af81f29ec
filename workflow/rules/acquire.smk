# in:  the configured sources
# out: results/acquire/catalog.parquet (a row per neuron), results/acquire/index.json (a digest per shard)


# The neurons are known only after the sources were asked, so this is the workflow's one checkpoint.
checkpoint acquire:
    output:
        catalog=data(CATALOG),
        index=data(INDEX),
    log:
        "results/logs/acquire.log",
    benchmark:
        "results/benchmarks/acquire.tsv"
    conda:
        "../../envs/axonet.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        flags=PLAN.flags("acquire"),
        listing=lambda wildcards: PLAN.listing(),
        code=PLAN.code["acquire"],
    message:
        "Acquire: collecting the neurons"
    shell:
        "python -m axonet.utils.acquire {params.flags} --catalog {output.catalog} --index {output.index} > {log} 2>&1"
