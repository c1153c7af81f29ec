# in:  a shard of the catalog
# out: results/render/{hash}/{shard}-{digest}.arrow (packed views and their manifest rows), .qc.parquet (who and why not)


rule render:
    input:
        catalog=ancient(CATALOG),
    output:
        views=f"results/render/{PLAN.render_hash}/{{shard}}.arrow",
        quality=f"results/render/{PLAN.render_hash}/{{shard}}.qc.parquet",
    log:
        f"results/logs/render/{PLAN.render_hash}/{{shard}}.log",
    benchmark:
        f"results/benchmarks/render/{PLAN.render_hash}/{{shard}}.tsv"
    conda:
        "../../envs/axonet.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime="2h",
        gpu=1 if PLAN.config.render.backend == "gl" else 0,
    params:
        flags=PLAN.flags("render"),
        folder=subpath(output.views, parent=True),
    message:
        "Render: shard {wildcards.shard}"
    shell:
        "python -m axonet.training.dataset_generator --catalog {input.catalog} --catalog-shard {wildcards.shard} "
        "--out {params.folder} {params.flags} > {log} 2>&1"
