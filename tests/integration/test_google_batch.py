"""``axonet-cloud`` whole: a bucket, and jobs as Google gets them, carried out here (tests/fakes/google_batch.py)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import yaml
from google.cloud import storage

from axonet.core.files import sha256_bytes
from tests.fakes.google_batch import SITE, Recorder, emulated_bucket
from tests.integration.corpus import KINDS, metadata_row, write_neuron
from tests.integration.project import CONFIG, REPOSITORY

BUCKET = "axonet-test"
SHARDS = 2
DATASET = Counter({"measure": SHARDS, "render": SHARDS, "quality": 1})


class Cloud:
    """A bucket with neurons, and ``axonet-cloud`` in a folder of this machine."""

    def __init__(self, folder: Path, emulator: str, recorder: Recorder) -> None:
        self.folder, self.recorder = folder, recorder
        self.variables = {
            **os.environ,
            "STORAGE_EMULATOR_HOST": emulator,
            "AXONET_TEST_BATCH": recorder.address,
            "PYTHONPATH": os.pathsep.join([str(SITE), str(REPOSITORY / "src")]),
            "OMP_NUM_THREADS": "1",
            "NUMBA_NUM_THREADS": "1",
        }
        self.bucket = storage.Client().bucket(BUCKET)

    def call(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        config = self.folder / "config.yaml"
        config.write_text(yaml.safe_dump({**CONFIG, "acquire": {"shard_bits": 1}}))
        given = ["--project", "my-project", "--directory", str(self.folder / "work"), *arguments]
        if command == "generate-dataset":
            given += ["--config", str(config)]
        return subprocess.run(
            [sys.executable, "-m", "axonet.cloud.main", command, *given],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )

    def run(self, command: str, *arguments: str) -> Counter[str]:
        """Run a command; returns how many jobs of each rule were submitted."""
        since = len(self.recorder.jobs)
        result = self.call(command, *arguments)
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-6000:] + self.recorder.logs()
        return self.recorder.ran(since)

    def names(self, prefix: str = "") -> set[str]:
        return {blob.name for blob in self.bucket.list_blobs(prefix=prefix)}

    def upload_neurons(self, changed: str | None = None) -> None:
        """Put the tiny corpus and its manifest into the bucket."""
        rows = []
        kinds = [kind for kind, (_, _, count) in KINDS.items() for _ in range(count)]
        for number, kind in enumerate(kinds):
            name = f"{kind}_{number:02d}"
            file = self.folder / "swc" / f"{name}.swc"
            write_neuron(file, kind, number + (100 if name == changed else 0))
            self.bucket.blob(f"swc/{name}.swc").upload_from_filename(str(file))
            rows.append({**metadata_row(name, kind, number), "swc": f"swc/{name}.swc"})
            rows[-1]["sha256"] = sha256_bytes(file.read_bytes())
        self.bucket.blob("manifest.jsonl").upload_from_string("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    recorder = Recorder(folder / "machines")
    with emulated_bucket(BUCKET) as emulator, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", emulator)
        made = Cloud(folder, emulator, recorder)
        made.upload_neurons()
        yield made
    recorder.close()


GENERATE = ["--manifest", f"gs://{BUCKET}/manifest.jsonl", "--output", f"gs://{BUCKET}/rendered/"]
TRAIN = ["--data", f"gs://{BUCKET}/rendered/", "--output", f"gs://{BUCKET}/checkpoints/"]


@pytest.fixture(scope="module")
def rendered(cloud: Cloud) -> Counter[str]:
    """What ran when the data set was made."""
    return cloud.run("generate-dataset", *GENERATE, "--labels", "team=morphology", "--machine-type", "n1-standard-8")


@pytest.mark.slow
def test_a_data_set_is_made_in_the_bucket(cloud, rendered):
    assert rendered == DATASET
    names = cloud.names("rendered/")
    for ending, count in ((".arrow", SHARDS), (".qc.parquet", SHARDS), ("catalog.parquet", 1), ("quality.html", 1)):
        assert sum(name.endswith(ending) for name in names) == count, names
    job = cloud.recorder.of("render")
    (group,), (instances,) = job.task_groups, job.allocation_policy.instances
    assert instances.policy.machine_type == "n1-standard-8"
    assert instances.policy.provisioning_model == 3  # spot
    assert not instances.policy.accelerators
    assert group.task_spec.max_retry_count == 3
    assert group.task_spec.max_run_duration.total_seconds() == 7200
    assert group.task_spec.compute_resource.cpu_milli == 8000
    assert dict(job.labels) == {"snakemake-job": "render", "app": "axonet", "team": "morphology"}
    assert "axonet/dataset:" in group.task_spec.runnables[-1].container.image_uri


@pytest.mark.slow
def test_a_second_run_from_the_bucket_does_nothing_even_from_an_empty_folder(cloud, rendered):
    assert cloud.run("generate-dataset", *GENERATE) == Counter()
    shutil.rmtree(cloud.folder / "work")
    assert cloud.run("generate-dataset", *GENERATE) == Counter()


@pytest.mark.slow
def test_training_on_the_data_set_fills_its_own_place_and_leaves_the_data_alone(cloud, rendered):
    before = cloud.names("rendered/")
    ran = cloud.run(
        "train", *TRAIN, "--machine-type", "n1-highmem-8", "--gpu-type", "nvidia-tesla-v100", "--devices", "2"
    )
    assert ran == Counter(stage1=1, stage2=1, evaluate=1) + Counter({"encode-stage1": SHARDS, "encode-stage2": SHARDS})
    names = cloud.names("checkpoints/")
    for name in ("stage1/best.ckpt", "stage2/best.ckpt", "evaluate/metrics.json", "evaluate/report.html"):
        assert f"checkpoints/results/runs/main/{name}" in names
    assert cloud.names("rendered/") == before
    job = cloud.recorder.of("stage1")
    (instances,) = job.allocation_policy.instances
    (accelerator,) = instances.policy.accelerators
    assert (accelerator.type_, accelerator.count) == ("nvidia-tesla-v100", 2)
    assert instances.install_gpu_drivers
    assert instances.policy.provisioning_model == 0
    assert "axonet/train:" in job.task_groups[0].task_spec.runnables[-1].container.image_uri
    assert not cloud.recorder.of("evaluate").allocation_policy.instances[0].policy.accelerators
    assert cloud.run("train", *TRAIN, "--devices", "2") == Counter()


@pytest.mark.slow
def test_one_changed_neuron_redoes_its_shard(cloud, rendered):
    cloud.upload_neurons(changed="granule_05")
    assert cloud.run("generate-dataset", *GENERATE) == Counter(measure=1, render=1, quality=1)
    assert cloud.run("generate-dataset", *GENERATE) == Counter()


def refused(cloud: Cloud, *arguments: str) -> str:
    """The last line of a call that must be refused, and before any job was taken."""
    since = len(cloud.recorder.jobs)
    result = cloud.call(*arguments)
    assert result.returncode == 2, result.stdout + result.stderr
    assert cloud.recorder.ran(since) == Counter()
    assert "Traceback" not in result.stderr.splitlines()[-1]
    return result.stderr.splitlines()[-1]


def test_a_bucket_that_does_not_exist_is_said_before_anything_runs(cloud):
    line = refused(cloud, "generate-dataset", *GENERATE[:2], "--output", "gs://no-such-bucket/x")
    assert line.startswith("error: gs://no-such-bucket: no such bucket")
    assert "gcloud storage buckets create" in line


def test_a_manifest_that_does_not_exist_is_said(cloud):
    line = refused(
        cloud, "generate-dataset", "--manifest", f"gs://{BUCKET}/nothing.jsonl", "--output", f"gs://{BUCKET}/x"
    )
    assert line == f"error: gs://{BUCKET}/nothing.jsonl: no such file"


def test_a_place_without_a_data_set_is_said(cloud):
    line = refused(cloud, "train", "--data", f"gs://{BUCKET}/empty", "--output", f"gs://{BUCKET}/y")
    assert "--data is the --output of axonet-cloud generate-dataset" in line


def test_a_closed_batch_service_is_said(cloud):
    cloud.recorder.closed = (
        grpc.StatusCode.PERMISSION_DENIED,
        "Batch API has not been used in project 1 or it is disabled",
    )
    try:
        assert "gcloud services enable batch.googleapis.com" in refused(cloud, "generate-dataset", *GENERATE)
    finally:
        cloud.recorder.closed = None


def test_a_refused_quota_is_said(cloud):
    cloud.recorder.refusal = (grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded for quota metric 'Create requests'")
    try:
        line = refused(cloud, "generate-dataset", *GENERATE[:2], "--output", f"gs://{BUCKET}/quota")
        assert "a quota of the project is used up; lower --jobs" in line
    finally:
        cloud.recorder.refusal = None
