# Asks a cluster, before anything is submitted, whether it has what the rules want.
from axonet.pipeline.slurm_check import demands, problem


onstart:
    if workflow.executor_plugin.name == "googlebatch":
        from axonet.cloud.gpus import count_gpus

        count_gpus()
    if workflow.executor_plugin.name == "slurm":
        lacking = problem(
            demands({rule.name: dict(rule.resources) for rule in workflow.rules}),
            Path().resolve(),
            workflow.executor_settings.status_command,
        )
        if lacking:
            print(f"error: {lacking}", file=sys.stderr)
            sys.exit(2)
