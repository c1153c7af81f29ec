# in:  the catalog
# out: results/splits/{hash}.parquet (neuron, group, split, reason); append-only


rule split:
    input:
        catalog=lambda wildcards: ancient(catalog(wildcards)),
    output:
        # Neurons that were assigned once never move: the command reads the file that is there and adds to it.
        update("results/splits/{split}.parquet"),
    log:
        "results/logs/split/{split}.log",
    benchmark:
        "results/benchmarks/split/{split}.tsv"
    conda:
        "../../envs/axonet.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        flags=lambda wildcards: PLAN.flags("split", PLAN.run_of_split(wildcards.split)),
        catalog=lambda wildcards: PLAN.catalog_digest(),
    message:
        "Split: assigning neurons to train, validation and test"
    shell:
        "python -m axonet.utils.split --catalog {input.catalog} --out {output} {params.flags} > {log} 2>&1"
