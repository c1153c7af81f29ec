# in:  vectors of Stage 2, measurements, metadata, the split, Stage 2's checkpoint
# out: results/runs/{run}/evaluate/ (metrics.json, eval_report.txt, report.html, three pictures)


rule evaluate:
    input:
        splits=split_of_run,
        index=ancient(data(INDEX)),
        catalog=ancient(data(CATALOG)),
        measures=lambda wildcards: ancient(measures(wildcards)),
        views=lambda wildcards: ancient(views(wildcards)),
        vectors=vectors("stage2"),
        checkpoint=checkpoint_of("stage2"),
    output:
        metrics="results/runs/{run}/evaluate/metrics.json",
        text=report(
            "results/runs/{run}/evaluate/eval_report.txt",
            category="Evaluation",
            caption="../report/evaluation.rst",
            labels={"shows": "1 The report as text", "run": "{run}"},
        ),
        page=report(
            "results/runs/{run}/evaluate/report.html",
            category="Evaluation",
            caption="../report/evaluation.rst",
            labels={"shows": "2 The report with pictures", "run": "{run}"},
        ),
        cell_types=report(
            "results/runs/{run}/evaluate/tsne_cell_type.png",
            category="Evaluation",
            caption="../report/tsne.rst",
            labels={"shows": "3 Map: cell types", "run": "{run}"},
        ),
        regions=report(
            "results/runs/{run}/evaluate/tsne_region.png",
            category="Evaluation",
            caption="../report/tsne.rst",
            labels={"shows": "4 Map: regions", "run": "{run}"},
        ),
        confusion=report(
            "results/runs/{run}/evaluate/confusion_matrix.png",
            category="Evaluation",
            caption="../report/confusion.rst",
            labels={"shows": "5 Zero-shot confusions", "run": "{run}"},
        ),
    log:
        "results/logs/{run}/evaluate.log",
    benchmark:
        "results/benchmarks/{run}/evaluate.tsv"
    conda:
        "../../envs/axonet.yaml"
    threads: cores(8)
    resources:
        mem_mb=more_each_try(16000),
        runtime="4h",
    params:
        flags=PLAN.flags("evaluate"),
        metadata=lambda wildcards: PLAN.metadata_digest(),
        code=PLAN.code["evaluate"],
        views=folder(f"results/render/{PLAN.render_hash}", DATA),
        measures=folder(f"results/measure/{PLAN.measure_hash}", DATA),
        vectors=lambda wildcards: encoded(wildcards.run, "stage2"),
        folder=subpath(output.metrics, parent=True),
    message:
        "Evaluate run {wildcards.run}"
    shell:
        "python -m axonet.training.clip_evaluator --checkpoint {input.checkpoint} --splits {input.splits} "
        "--shards {input.index} --render-dir {params.views} --measure-dir {params.measures} "
        "--encode-dir {params.vectors} --metadata {input.catalog} --source table --output-dir {params.folder} "
        "{params.flags} > {log} 2>&1"
