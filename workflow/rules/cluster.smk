# Asks a cluster, before anything is submitted, whether it has what the rules want. Included last: it looks at all rules.
from axonet.pipeline.slurm_check import demands, problem

if workflow.is_main_process and "slurm" in (
    getattr(workflow.executor_plugin, "name", None) or ""
):
    lacking = problem(
        demands({rule.name: dict(rule.resources) for rule in workflow.rules}),
        Path().resolve(),
        getattr(workflow.executor_settings, "status_command", None),
    )
    if lacking:
        print(f"error: {lacking}", file=sys.stderr)
        sys.exit(2)
