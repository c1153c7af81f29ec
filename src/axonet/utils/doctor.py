"""Command: what this machine offers, and whether the workflow can run on it: ``axonet doctor``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from axonet.core.config import CommandSettings, run_command

if TYPE_CHECKING:
    from axonet.utils.health import Check

MARKS = {"ok": "ok  ", "note": "note", "missing": "MISS"}


class DoctorConfig(CommandSettings):
    """Say what this machine offers: Python, packages, graphics and computing devices, disk, text encoders, servers.

    The exit code is 0 if the whole workflow (axonet demo) can run here, and 2 if it cannot. Being offline is no reason:
    nothing but downloads needs a network.
    """

    timeout: float = Field(3.0, gt=0, description="seconds that a server may take to answer")
    offline: bool = Field(False, description="ask no server")
    as_json: bool = Field(False, description="one JSON object instead of text", json_schema_extra={"short": "json"})


def run(config: DoctorConfig) -> None:
    """Look at everything, print it, and refuse where the main job cannot run."""
    from axonet.core.errors import UserError
    from axonet.core.files import to_json
    from axonet.utils.health import all_checks
    from axonet.version import __version__

    checks = all_checks(config.timeout, config.offline)
    missing = [check for check in checks if check.state == "missing"]
    if config.as_json:
        rows = [dict(vars(check)) for check in checks]
        text = to_json({"axonet": __version__, "can_run": not missing, "checks": rows}, indent=1)
    else:
        text = page(checks)
    print(text)  # noqa: T201 - the answer of the command
    if missing:
        raise UserError("the workflow cannot run here: " + "; ".join(_in_words(check) for check in missing))


def page(checks: Sequence[Check]) -> str:
    """The checks as text, topic by topic."""
    lines: list[str] = []
    width = max(len(check.name) for check in checks)
    for position, check in enumerate(checks):
        if position == 0 or check.topic != checks[position - 1].topic:
            lines += [*([""] if lines else []), check.topic]
        lines.append(f"  {MARKS[check.state]}  {check.name:<{width}}  {check.found}")
        if check.remedy:
            lines.append(f"        {'':<{width}}  -> {check.remedy}")
    return "\n".join(lines)


def _in_words(check: Check) -> str:
    return f"{check.name}: {check.found}" + (f" ({check.remedy})" if check.remedy else "")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(DoctorConfig, run, argv, program="axonet doctor")


if __name__ == "__main__":
    sys.exit(main())
