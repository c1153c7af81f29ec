# in:  the catalog
# out: results/splits/{hash of the settings}/{digest of the assignments}.parquet (neuron, group, split, reason)


rule split:
    input:
        # The names say what is in the file: the catalog's own age does not matter.
        catalog=ancient(data(CATALOG)),
    output:
        "results/splits/{split}/{assignments}.parquet",
    log:
        "results/logs/split/{split}/{assignments}.log",
    benchmark:
        "results/benchmarks/split/{split}/{assignments}.tsv"
    conda:
        "../../envs/axonet.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        flags=lambda wildcards: PLAN.flags("split", PLAN.run_of_split(wildcards.split)),
        # Neurons that were assigned once never move: the versions that are there are read and added to.
        former=lambda wildcards, output: PLAN.home.holder(
            f"results/splits/{wildcards.split}"
        ),
    message:
        "Split: assigning neurons to train, validation and test"
    shell:
        "python -m axonet.utils.split --catalog {input.catalog} --out {output} --former {params.former} {params.flags} "
        "> {log} 2>&1"
