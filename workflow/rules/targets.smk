# Parts of the run that can be asked for by name, such as: snakemake --cores 16 dataset


localrules:
    dataset,
    pretrained,
    aligned,


rule dataset:
    input:
        measures,
        views,
        data(QUALITY_PAGE),
    message:
        "All neurons are measured and drawn"


rule pretrained:
    input:
        checkpoints_after("stage1"),
    message:
        "Stage 1 of every run is trained"


rule aligned:
    input:
        checkpoints_after("stage2"),
    message:
        "Stage 2 of every run is trained"
