# Neuron reconstructions -> views -> Stage 1 (SegVAE2D) -> Stage 2 (CLIP) -> metrics.
#   snakemake --cores 16          the run that config.yaml describes
#   snakemake --cores 16 -n       what would run, and why
from snakemake.utils import min_version, validate

min_version("9.20")


configfile: "config.yaml"


include: "workflow/rules/common.smk"


validate(
    config,
    workflow.source_path("workflow/schemas/config.schema.json"),
    set_default=False,
)


include: "workflow/rules/acquire.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/render.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/stage1.smk"
include: "workflow/rules/encode.smk"
include: "workflow/rules/stage2.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/explore.smk"


# By name: a failed stage has no output left, and Snakemake does not miss an intermediate file whose result exists.
rule all:
    default_target: True
    input:
        trained,
        data(QUALITY_PAGE),
        expand("results/runs/{run}/evaluate/metrics.json", run=PLAN.config.runs),
        EXPLORER_PAGE,
