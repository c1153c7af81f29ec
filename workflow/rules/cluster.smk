# Where the rules run: looks, before anything is submitted, whether the cluster and the image have what they want.
from snakemake.settings.types import DeploymentMethod

from axonet.pipeline.slurm_check import demands, problem

# For --sdm apptainer only: a file, or docker://...
IMAGE = os.environ.get("AXONET_IMAGE", "axonet.sif")


container: IMAGE


def lack():
    """What is missing, in one line; None where nothing is."""
    apptainer = DeploymentMethod.APPTAINER in (
        workflow.deployment_settings.deployment_method
    )
    if apptainer and "://" not in IMAGE and not Path(IMAGE).is_file():
        return f"{IMAGE}: no such image; build it, or name one in AXONET_IMAGE (docs/how-to/docker.md)"
    if workflow.executor_plugin.name != "slurm":
        return None
    remote = [rule for rule in workflow.rules if not workflow.is_local(rule)]
    return problem(
        demands({rule.name: dict(rule.resources) for rule in remote}),
        Path().resolve(),
        workflow.executor_settings.status_command,
    )


onstart:
    if workflow.executor_plugin.name == "googlebatch":
        from axonet.cloud.gpus import count_gpus

        count_gpus()
    if lacking := lack():
        print(f"error: {lacking}", file=sys.stderr)
        sys.exit(2)
