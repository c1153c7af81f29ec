"""A run in the cloud: look, make the folder, call Snakemake."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from axonet.cloud.call import arguments, options, printed, target
from axonet.cloud.checks import check_batch, check_bucket, project_of_credentials, remedy
from axonet.cloud.config import NAME, dataset_config, refuse_forgotten, training_config
from axonet.cloud.settings import CloudSettings, GenerateDataset, Train
from axonet.core.bucket import write_bytes
from axonet.core.errors import UserError
from axonet.core.files import write_text
from axonet.core.progress import say
from axonet.core.resources import project_root
from axonet.pipeline.interpreter import path_with_this_python

PARTS = ("Snakefile", "workflow", "envs")


def run(settings: GenerateDataset | Train) -> None:
    """Carry out a command.

    Raises:
        UserError: something that can be known beforehand is wrong, or the workflow stopped.
    """
    call = ["snakemake", target(settings)]
    if settings.dry_run:
        project = settings.project or os.environ.get("GOOGLE_CLOUD_PROJECT") or "PROJECT"
        say(f"cd {settings.directory} && {printed([*call, *arguments(options(settings, project))])}")
        return
    _refuse_missing_packages()
    project = settings.project or os.environ.get("GOOGLE_CLOUD_PROJECT") or project_of_credentials()
    call = [sys.executable, "-m", *call, *arguments(options(settings, project))]
    check_bucket(settings.output, to_write=True)
    if isinstance(settings, Train):
        check_bucket(settings.data, to_write=False)
        values = training_config(settings)
        refuse_forgotten(settings, values)
    else:
        check_bucket(settings.manifest, to_write=False)
        values = dataset_config(settings)
    check_batch(project, settings.region)
    prepare(settings, values)
    _snakemake(call, settings.directory)
    say(f"done: {settings.output}/results")


def prepare(settings: CloudSettings, values: Mapping[str, Any]) -> None:
    """Make the folder that Snakemake runs in, and keep its config beside the results.

    Jobs get the files that git knows of, so the folder is a repository of its own; nothing is committed.
    """
    root, folder = project_root(), settings.directory
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source, target = root / part, folder / part
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    text = yaml.safe_dump(dict(values), sort_keys=False)
    write_text(folder / NAME, text)
    try:
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True, capture_output=True)
        subprocess.run(["git", "add", "--force", *PARTS, NAME], cwd=folder, check=True, capture_output=True)
    except FileNotFoundError:
        raise UserError("git is not installed; Snakemake needs it to send the workflow to the jobs") from None
    except subprocess.CalledProcessError as error:
        raise UserError(f"{folder}: git says: {error.stderr.decode().strip()}") from None
    write_bytes(f"{settings.output}/{NAME}", text.encode("utf-8"))


def _refuse_missing_packages() -> None:
    from importlib.util import find_spec

    lacking = [
        name
        for name in ("snakemake_executor_plugin_googlebatch", "snakemake_storage_plugin_gcs")
        if not find_spec(name)
    ]
    if lacking:
        raise UserError("Google Batch needs axonet with its extra: pip install 'axonet[cloud]'")


def _snakemake(call: list[str], folder: Path) -> None:
    """Run Snakemake, show what it says, and turn what Google refused into one line."""
    environment = {**os.environ, "PATH": path_with_this_python()}
    told: str | None = None
    with subprocess.Popen(
        call, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                sys.stderr.write(line)
                found = remedy(line)
                if found is not None and found != told:
                    told = found
                    say(f"hint: {told}")
            code = process.wait()
        except KeyboardInterrupt:
            process.wait()  # Snakemake has heard of it too, and cancels its jobs
            raise
    if code:
        raise UserError(
            told or f"the workflow stopped (exit code {code}); its messages are above, logs in {folder}/.snakemake"
        )
