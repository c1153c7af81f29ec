# in:  a shard of the catalog
# out: results/render/{hash}/{shard}-{digest}.arrow (packed views and their manifest rows), .qc.parquet (who and why not);
#      results/quality.html (the worst neurons to look at, and how often each reason occurs)


rule render:
    input:
        catalog=ancient(data(CATALOG)),
    output:
        views=data(f"results/render/{PLAN.render_hash}/{{shard}}.arrow"),
        quality=data(f"results/render/{PLAN.render_hash}/{{shard}}.qc.parquet"),
    log:
        f"results/logs/render/{PLAN.render_hash}/{{shard}}.log",
    benchmark:
        f"results/benchmarks/render/{PLAN.render_hash}/{{shard}}.tsv"
    conda:
        "../../envs/axonet.yaml"
    threads: 1
    resources:
        mem_mb=more_each_try(2000),
        runtime="2h",
        gpu=1 if PLAN.config.render.backend == "gl" else 0,
    params:
        flags=PLAN.flags("render"),
        folder=lambda wildcards, output, threads: workers(
            os.path.dirname(output.views), threads
        ),
    message:
        "Render: shard {wildcards.shard}"
    shell:
        "python -m axonet.training.dataset_generator --catalog {input.catalog} --catalog-shard {wildcards.shard} "
        "--out {params.folder} {params.flags} > {log} 2>&1"


rule quality:
    input:
        index=ancient(data(INDEX)),
        views=lambda wildcards: ancient(views(wildcards)),
    output:
        report(
            data(QUALITY_PAGE),
            category="Quality",
            caption="../report/quality.rst",
            labels={"shows": "The worst neurons"},
        ),
    log:
        "results/logs/quality.log",
    benchmark:
        "results/benchmarks/quality.tsv"
    conda:
        "../../envs/axonet.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        code=PLAN.code["quality"],
        views=folder(f"results/render/{PLAN.render_hash}", DATA),
    message:
        "Quality: the worst neurons on a page"
    shell:
        "python -m axonet.utils.quality --shards {input.index} --render-dir {params.views} --out {output} > {log} 2>&1"
