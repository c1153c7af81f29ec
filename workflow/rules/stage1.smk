# in:  packed views, measurements, the split
# out: results/runs/{run}/stage1/best.ckpt, history.csv


rule stage1:
    input:
        splits=split_of_run,
        index=ancient(data(INDEX)),
        views=lambda wildcards: ancient(views(wildcards)),
        measures=lambda wildcards: ancient(measures(wildcards)),
    output:
        checkpoint="results/runs/{run}/stage1/best.ckpt",
        history=report(
            "results/runs/{run}/stage1/history.csv",
            category="Stage 1",
            caption="../report/history.rst",
            labels={"shows": "Losses and validation", "run": "{run}"},
        ),
    log:
        "results/logs/{run}/stage1.log",
    benchmark:
        "results/benchmarks/{run}/stage1.tsv"
    conda:
        "../../envs/axonet.yaml"
    threads: cores(16)
    resources:
        mem_mb=more_each_try(16000),
        runtime="48h",
        gpu=PLAN.gpus("stage1"),
    params:
        flags=lambda wildcards: PLAN.flags("stage1", wildcards.run),
        code=PLAN.code["stage1"],
        views=folder(f"results/render/{PLAN.render_hash}", DATA),
        measures=folder(f"results/measure/{PLAN.measure_hash}", DATA),
        folder=subpath(output.checkpoint, parent=True),
    message:
        "Stage 1 of run {wildcards.run}: training SegVAE2D"
    shell:
        "python -m axonet.training.trainer --splits {input.splits} --shards {input.index} --render-dir {params.views} "
        "--measure-dir {params.measures} --save-dir {params.folder} --log-dir {params.folder}/logs --resume auto {params.flags} > {log} 2>&1"
