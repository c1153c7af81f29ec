# in:  what evaluation reads, of one run
# out: results/explore/ (table, vectors, map, pictures, words), results/explorer.html (one page that works offline)


rule export:
    input:
        splits=lambda wildcards: split_of_run(PLAN.explored),
        index=ancient(data(INDEX)),
        catalog=ancient(data(CATALOG)),
        measures=lambda wildcards: ancient(measures(wildcards)),
        views=lambda wildcards: ancient(views(wildcards)),
        vectors=lambda wildcards: vectors("stage2")(PLAN.explored),
        checkpoint=lambda wildcards: checkpoint_of("stage2")(PLAN.explored),
    output:
        meta="results/explore/meta.json",
        table="results/explore/neurons.parquet",
        points="results/explore/points.arrow",
        vectors="results/explore/vectors.npy",
        thumbs="results/explore/thumbs.bin",
        views="results/explore/views.bin",
        words="results/explore/word_vectors.npz",
    log:
        "results/logs/export.log",
    benchmark:
        "results/benchmarks/export.tsv"
    conda:
        "../../envs/axonet.yaml"
    threads: cores(4)
    resources:
        mem_mb=more_each_try(16000),
        runtime="4h",
    params:
        flags=PLAN.flags("export"),
        metadata=lambda wildcards: PLAN.metadata_digest(),
        code=PLAN.code["export"],
        views=folder(f"results/render/{PLAN.render_hash}", DATA),
        measures=folder(f"results/measure/{PLAN.measure_hash}", DATA),
        vectors=lambda wildcards: encoded(PLAN.explored.run, "stage2"),
        folder=subpath(output.meta, parent=True),
        run=PLAN.explored.run,
    message:
        "Export run {params.run}"
    shell:
        "python -m axonet.utils.export results --run {params.run} --out {params.folder} --checkpoint {input.checkpoint} "
        "--splits {input.splits} --shards {input.index} --metadata {input.catalog} --render-dir {params.views} "
        "--measure-dir {params.measures} --encode-dir {params.vectors} {params.flags} > {log} 2>&1"


rule explore:
    input:
        exported,
    output:
        report(
            EXPLORER_PAGE,
            category="Explore",
            caption="../report/explore.rst",
            labels={"shows": "The explorer"},
        ),
    log:
        "results/logs/explore.log",
    benchmark:
        "results/benchmarks/explore.tsv"
    conda:
        "../../envs/axonet.yaml"
    resources:
        mem_mb=more_each_try(8000),
        runtime="1h",
    params:
        flags=PLAN.flags("explore"),
        code=PLAN.code["explore"],
        folder=subpath(input[0], parent=True),
    message:
        "Explorer on one page"
    shell:
        "python -m axonet.utils.explore {params.folder} --static {output} {params.flags} > {log} 2>&1"
