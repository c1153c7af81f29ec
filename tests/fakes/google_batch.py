"""In the place of Google: the Batch service as a recorder that carries out each job's scripts here, and a bucket.

Jobs arrive over gRPC as Google's own client sends them; they are kept as they are, and their runnables are run one
after the other in a folder of the job's own: without a container or a machine, but with nothing of the submitting
folder. The bucket is gcp-storage-emulator.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.cloud import batch_v1

SITE = Path(__file__).parent / "google_site"
# What a job's scripts call these, is of the job's machine and container.
OF_THE_MACHINE = ("/tmp/workdir", "/tmp/axonet")
STATE = batch_v1.JobStatus.State


class Recorder:
    """The Batch service.

    Attributes:
        jobs: in the order in which they came.
        refusal: status code and words for every new job; None: they are taken.
        closed: the same for the list of jobs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs: list[Any] = []
        self.refusal: tuple[grpc.StatusCode, str] | None = None
        self.closed: tuple[grpc.StatusCode, str] | None = None
        self._by_name: dict[str, Any] = {}
        self._pool = ThreadPoolExecutor(2)
        self._server = grpc.server(ThreadPoolExecutor(4))
        calls = {
            "CreateJob": (self._create, batch_v1.CreateJobRequest, batch_v1.Job),
            "GetJob": (self._get, batch_v1.GetJobRequest, batch_v1.Job),
            "ListJobs": (self._list, batch_v1.ListJobsRequest, batch_v1.ListJobsResponse),
        }
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(call, asked.deserialize, answer.serialize)
            for name, (call, asked, answer) in calls.items()
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("google.cloud.batch.v1.BatchService", handlers),)
        )
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._server.stop(None).wait()

    def ran(self, since: int = 0) -> Counter[str]:
        """How many jobs of each rule came."""
        return Counter(job.labels["snakemake-job"] for job in self.jobs[since:])

    def of(self, rule: str) -> Any:
        """The last job of a rule."""
        return [job for job in self.jobs if job.labels["snakemake-job"] == rule][-1]

    def logs(self) -> str:
        return "".join(f"\n--- {log.name}\n{log.read_text()[-3000:]}" for log in sorted(self.folder.glob("*.log")))

    def _create(self, request: Any, context: Any) -> Any:
        if self.refusal is not None:
            context.abort(*self.refusal)
        job = request.job
        job.name, job.uid = f"{request.parent}/jobs/{request.job_id}", str(uuid.uuid4())
        job.status.state = STATE.QUEUED
        self.jobs.append(job)
        self._by_name[job.name] = job
        self._pool.submit(self._carry_out, job, request.job_id)
        return job

    def _get(self, request: Any, context: Any) -> Any:
        return self._by_name[request.name]

    def _list(self, request: Any, context: Any) -> Any:
        if self.closed is not None:
            context.abort(*self.closed)
        return batch_v1.ListJobsResponse(jobs=self.jobs)

    def _carry_out(self, job: Any, job_id: str) -> None:
        job.status.state = STATE.RUNNING
        machine = self.folder / job_id
        machine.mkdir(parents=True)
        with (self.folder / f"{job_id}.log").open("w") as log:
            done = all(self._run(runnable, machine, log) for runnable in job.task_groups[0].task_spec.runnables)
        shutil.rmtree(machine)
        job.status.state = STATE.SUCCEEDED if done else STATE.FAILED

    def _run(self, runnable: Any, machine: Path, log: Any) -> bool:
        if runnable.script.text:
            command, where = ["bash", "-c", runnable.script.text], machine
        elif runnable.container.image_uri:
            command = [runnable.container.entrypoint, *runnable.container.commands]
            where = machine / "tmp/workdir"
        else:
            return True  # a barrier
        for file in machine.rglob("*.sh"):
            file.write_text(self._moved(file.read_text(), machine))
        environment = {**os.environ, **dict(runnable.environment.variables), "HOME": str(machine)}
        environment.pop("AXONET_TEST_BATCH", None)
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        result = subprocess.run(
            [self._moved(part, machine) for part in command],
            cwd=where,
            env=environment,
            stdout=log,
            stderr=log,
            check=False,
        )
        log.write(f"[exit code {result.returncode}]\n")
        log.flush()
        return result.returncode == 0

    @staticmethod
    def _moved(text: str, machine: Path) -> str:
        for path in OF_THE_MACHINE:
            # A script that was written by a moved script is moved already.
            text = text.replace(f"{machine}{path}", path).replace(path, f"{machine}{path}")
        return text


@contextmanager
def emulated_bucket(name: str) -> Iterator[str]:
    """A bucket on this machine; yields what ``STORAGE_EMULATOR_HOST`` must be."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", "--host=127.0.0.1", f"--port={port}"]
    process = subprocess.Popen([*command, "--in-memory", f"--default-bucket={name}", "--quiet"])
    try:
        ends = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "the emulator stopped"
                assert time.monotonic() < ends, "the emulator does not answer"
                threading.Event().wait(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
