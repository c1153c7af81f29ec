# in:  vectors of Stage 1 (frozen encoder) or packed views, measurements, metadata, the split, Stage 1's checkpoint
# out: results/runs/{run}/stage2/best.ckpt, history.csv


rule stage2:
    input:
        splits=split_of_run,
        index=ancient(data(INDEX)),
        catalog=ancient(data(CATALOG)),
        measures=lambda wildcards: ancient(measures(wildcards)),
        views=lambda wildcards: [] if PLAN.frozen else ancient(views(wildcards)),
        vectors=lambda wildcards: vectors("stage1")(wildcards) if PLAN.frozen else [],
        stage1=checkpoint_of("stage1"),
    output:
        checkpoint="results/runs/{run}/stage2/best.ckpt",
        history=report(
            "results/runs/{run}/stage2/history.csv",
            category="Stage 2",
            caption="../report/history.rst",
            labels={"shows": "Losses and validation", "run": "{run}"},
        ),
    log:
        "results/logs/{run}/stage2.log",
    benchmark:
        "results/benchmarks/{run}/stage2.tsv"
    conda:
        "../../envs/axonet.yaml"
    threads: cores(16)
    resources:
        mem_mb=more_each_try(16000),
        runtime="24h",
        gpu=PLAN.gpus("stage2"),
    params:
        flags=lambda wildcards: PLAN.flags("stage2", wildcards.run),
        metadata=lambda wildcards: PLAN.metadata_digest(),
        code=PLAN.code["stage2"],
        views=folder(f"results/render/{PLAN.render_hash}", DATA),
        measures=folder(f"results/measure/{PLAN.measure_hash}", DATA),
        vectors=lambda wildcards: (
            f"--encode-dir {encoded(wildcards.run, 'stage1')}" if PLAN.frozen else ""
        ),
        folder=subpath(output.checkpoint, parent=True),
    message:
        "Stage 2 of run {wildcards.run}: aligning shapes and words"
    shell:
        "python -m axonet.training.clip_trainer --stage1-checkpoint {input.stage1} --splits {input.splits} "
        "--shards {input.index} --render-dir {params.views} --measure-dir {params.measures} {params.vectors} "
        "--metadata {input.catalog} --source table --save-dir {params.folder} --log-dir {params.folder}/logs "
        "--resume auto {params.flags} > {log} 2>&1"
