"""The call of Snakemake that axonet-cloud makes."""

from __future__ import annotations

import shlex

import pytest
import yaml

from axonet.cloud.call import PROFILE, arguments, options
from axonet.cloud.machines import machine
from axonet.cloud.main import main
from axonet.cloud.settings import GenerateDataset, Train
from axonet.core.errors import UserError
from axonet.core.resources import project_file

# The commands of the specification, bucket names as they are there.
GENERATE = "generate-dataset --manifest gs://bucket/manifest.jsonl --output gs://bucket/rendered/ \
    --machine-type n1-standard-8 --gpu-type nvidia-tesla-t4"
TRAIN = "train --data gs://bucket/rendered/ --output gs://bucket/checkpoints/ \
    --machine-type n1-highmem-8 --gpu-type nvidia-tesla-v100"


def printed(command: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The arguments of the call that a dry run prints."""
    assert main([*command.split(), "--project", "p", "--dry-run"]) == 0
    said = capsys.readouterr()
    text = (said.out + said.err).replace("\\\n", " ")
    assert text.count("snakemake ") == 1
    return shlex.split(text.partition("&&")[2])


def resources(call: list[str], rule: str) -> dict[str, str]:
    found = [part.partition(":")[2] for part in call if part.startswith(f"{rule}:")]
    return dict(part.split("=", 1) for part in found)


def test_the_command_for_a_data_set_is_one_call(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call = printed(GENERATE, capsys)
    assert call[:2] == ["snakemake", "dataset"]
    assert call[call.index("--executor") + 1] == "googlebatch"
    assert call[call.index("--default-storage-provider") + 1] == "gcs"
    assert call[call.index("--default-storage-prefix") + 1] == "gs://bucket/rendered"
    render = resources(call, "render")
    assert render["nvidia_gpu"] == "nvidia-tesla-t4"
    assert render["googlebatch_machine_type"] == "n1-standard-8"
    assert render["googlebatch_cpu_milli"] == "8000"
    assert "render=8" in call
    assert "nvidia_gpu" not in resources(call, "measure")
    assert not list(tmp_path.iterdir())  # a dry run leaves nothing


def test_the_command_for_training_is_one_call(capsys):
    call = printed(TRAIN, capsys)
    for rule in ("stage1", "encode_stage1", "stage2", "encode_stage2"):
        assert resources(call, rule)["nvidia_gpu"] == "nvidia-tesla-v100"
        assert resources(call, rule)["googlebatch_machine_type"] == "n1-highmem-8"
    assert "nvidia_gpu" not in resources(call, "evaluate")
    assert call[1] == "all"
    assert [printed(f"{TRAIN} --stage {stage}", capsys)[1] for stage in "12"] == ["pretrained", "aligned"]
    spot = call[call.index("--preemptible-rules") + 1 :]
    assert not {"stage1", "stage2"} & set(spot[: spot.index("--preemptible-retries")])
    assert "--preemptible-rules" not in printed(f"{TRAIN} --no-spot", capsys)


def test_what_is_chosen_reaches_the_call():
    settings = Train(
        data="gs://b/d",
        output="gs://b/o",
        labels={"team": "x"},
        max_run_duration="600s",
        boot_disk_gb=77,
        jobs=3,
        spot_retries=1,
        service_account="a@p",
        container="image",
        region="europe-west4",
    )
    call = arguments(options(settings, "p"))
    stage1 = resources(call, "stage1")
    assert stage1["googlebatch_max_run_duration"] == "600s"
    assert stage1["googlebatch_boot_disk_gb"] == "77"
    assert stage1["googlebatch_container"] == "image"
    for name, value in (
        ("jobs", "3"),
        ("preemptible-retries", "1"),
        ("googlebatch-labels", "app=axonet,team=x"),
        ("googlebatch-service-account", "a@p"),
        ("googlebatch-region", "europe-west4"),
    ):
        assert call[call.index(f"--{name}") + 1] == value


def test_a_gpu_goes_into_machines_that_take_it():
    def render(**chosen: str) -> dict[str, str]:
        settings = GenerateDataset(manifest="gs://b/m", output="gs://b/o", **chosen)
        return resources(arguments(options(settings, "p")), "render")

    assert render(gpu_type="nvidia-tesla-t4")["googlebatch_machine_type"].startswith("n1-")
    assert render(gpu_type="nvidia-l4")["googlebatch_machine_type"].startswith("g2-")
    assert render(machine_type="a2-highgpu-2g")["nvidia_gpu"] == "nvidia-tesla-a100"
    with pytest.raises(UserError, match="--machine-type g2-standard-8"):
        render(machine_type="n1-standard-8", gpu_type="nvidia-l4")
    with pytest.raises(UserError, match="does not go into e2-standard-4"):
        render(machine_type="e2-standard-4", gpu_type="nvidia-tesla-t4")


@pytest.mark.parametrize(
    ("name", "cpus", "gigabytes"), [("n1-standard-8", 8, 30), ("n1-highmem-8", 8, 52), ("g2-standard-24", 24, 96)]
)
def test_machines_are_as_google_describes_them(name, cpus, gigabytes):
    assert (machine(name).cpus, machine(name).gigabytes) == (cpus, gigabytes)


def test_every_job_of_the_profile_fits_its_machine():
    profile = yaml.safe_load(project_file(PROFILE).read_text())
    for rule, own in profile["set-resources"].items():
        assert profile["set-threads"][rule] <= machine(own["googlebatch_machine_type"]).cpus


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("train --data here --output gs://b/o", "--data: here: not an address in Google Cloud Storage"),
        ("train --data gs://b/d --output gs://b/o --machine-type big", "not a machine type such as n1-standard-8"),
        ("train --data gs://b/d --output gs://b/o --labels Team=x", "lower-case"),
        ("train --output gs://b/o", "--data is required"),
        ("teach", "no command 'teach'"),
    ],
)
def test_wrong_arguments_are_one_line(arguments, words, capsys):
    assert main([*arguments.split(), *(["--dry-run"] if arguments != "teach" else [])]) == 2
    assert words in capsys.readouterr().err


def test_without_credentials_the_remedy_is_said(capsys, monkeypatch, tmp_path):
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.chdir(tmp_path)
    assert main(GENERATE.split()) == 2
    said = capsys.readouterr().err.strip()
    assert said == "error: no Google credentials on this machine; run: gcloud auth application-default login"
    assert not list(tmp_path.iterdir())
