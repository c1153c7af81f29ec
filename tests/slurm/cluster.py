"""A Slurm cluster on this machine: real controller, real nodes, no system service and no accounting database.

    python -m tests.slurm.cluster start FOLDER [--nodes 2]     # then: export PATH=FOLDER/bin:$PATH
    python -m tests.slurm.cluster stop FOLDER

Needs root and Debian's packages slurmctld, slurmd, slurm-client and munge. Nodes claim more processors and memory than
the machine may have, and a null device plays the GPU of each; the memory that a job asked for is its limit.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
COMMANDS = ("sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo", "sacct", "sacctmgr")
SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
START_SECONDS = 60.0
STOP_SECONDS = 20.0

SETTINGS = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CryptoType=crypto/munge
SlurmctldPort={port}
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdPidFile={folder}/run/slurmd-%n.pid
SlurmdLogFile={folder}/log/slurmd-%n.log
SlurmdSpoolDir={folder}/spool/%n
StateSaveLocation={folder}/state
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,defer_batch=no
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
JobRequeue=1
MinJobAge=86400
SlurmdTimeout=5
SlurmctldTimeout=10
KillWait=2
GresTypes=gpu
"""


def why_not() -> str | None:
    """Why no cluster can be started here; None where one can."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=SYSTEM_PATH) is None]
    if missing:
        return f"{', '.join(missing)} not installed (Debian: apt install slurmctld slurmd slurm-client munge)"
    return None if os.geteuid() == 0 else "a loopback Slurm needs root"


class Cluster:
    """A controller and its nodes, all files of which lie in a folder.

    Args:
        folder: where configuration, state and logs go; its path must be short enough for a socket.
        n_nodes: number of nodes, ``node1`` and on.
    """

    def __init__(self, folder: Path, n_nodes: int = 2) -> None:
        self.folder = folder.resolve()
        self.nodes = [f"node{i}" for i in range(1, n_nodes + 1)]

    @property
    def environment(self) -> dict[str, str]:
        """This process's variables, and what makes Slurm's commands find the cluster."""
        # A job's inner srun loses SLURM_CONF, so the commands themselves carry it.
        return {**os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "SLURM_CONF": str(self._settings)}

    @property
    def _settings(self) -> Path:
        return self.folder / "slurm.conf"

    def start(self) -> None:
        """Start the daemons and wait until every node is idle.

        Raises:
            RuntimeError: the nodes did not come up; the message has the ends of the logs.
        """
        self._write()
        munge = self.folder / "munge"
        self._daemon(
            "munged", "--force", f"--key-file={munge}/key", f"--socket={munge}/socket", f"--seed-file={munge}/seed",
            f"--pid-file={self.folder}/run/munged.pid", f"--log-file={self.folder}/log/munged.log",
        )  # fmt: skip
        self._daemon("slurmctld", "-c", "-f", str(self._settings))
        for node in self.nodes:
            self.start_node(node)
        self._wait_until_idle()

    def start_node(self, node: str) -> None:
        """Start the daemon of one node."""
        self._daemon("slurmd", "-f", str(self._settings), "-N", node)

    def fail_node(self, node: str) -> None:
        """Kill a node's daemon and all it runs, as a power cut does, and have the controller see it."""
        pid = int((self.folder / "run" / f"slurmd-{node}.pid").read_text())
        _kill(pid, signal.SIGKILL)
        ends = time.monotonic() + STOP_SECONDS
        while (steps := self.processes(node)) and time.monotonic() < ends:
            for step in steps:
                _kill(step, signal.SIGKILL)
            time.sleep(0.05)
        self.tell("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=power")

    def processes(self, node: str) -> list[int]:
        """Processes of the jobs on a node."""
        return [pid for pid in _steps_of(self.folder, node) if _runs(pid)]

    def tell(self, *command: str) -> str:
        """Run one of Slurm's commands and return what it says."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=30)
        return done.stdout + done.stderr

    def stop(self) -> None:
        """Cancel what runs and end the daemons."""
        self.tell("scancel", "--user", "root")
        files = sorted((self.folder / "run").glob("*.pid"), key=lambda file: not file.name.startswith("slurmd"))
        pids = [int(text) for text in (file.read_text() for file in files) if text.strip()]
        for pid in pids:
            _kill(pid, signal.SIGTERM)
        ends = time.monotonic() + STOP_SECONDS
        while any(map(_runs, pids)) and time.monotonic() < ends:
            time.sleep(0.1)
        for pid in filter(_runs, pids):
            _kill(pid, signal.SIGKILL)

    def _write(self) -> None:
        for name in ("munge", "run", "log", "spool", "state", "dev", "bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        ports = _free_ports(len(self.nodes) + 2)
        host = socket.gethostname().split(".")[0]
        text = SETTINGS.format(host=host, folder=self.folder, port=ports[0])
        devices = ""
        for node, port in zip(self.nodes, ports[1:-1], strict=True):
            (self.folder / "spool" / node).mkdir(exist_ok=True)
            device = self.folder / "dev" / f"gpu-{node}"
            if not device.exists():
                os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            text += f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=32 RealMemory=64000 "
            text += "Gres=gpu:null:1 State=UNKNOWN\n"
            devices += f"NodeName={node} Name=gpu Type=null File={device}\n"
        names = ",".join(self.nodes)
        text += f"PartitionName=main Nodes={names} Default=YES MaxTime=INFINITE State=UP\n"
        # A poor one to be refused, which never runs.
        text += (
            f"NodeName=poor NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[-1]} CPUs=4 RealMemory=8000 State=DOWN\n"
        )
        text += "PartitionName=poor Nodes=poor MaxTime=12:00:00 State=UP\n"
        self._settings.write_text(text)
        (self.folder / "gres.conf").write_text(devices)
        for command in COMMANDS:
            program = shutil.which(command, path=SYSTEM_PATH)
            if program is not None:
                wrapper = self.folder / "bin" / command
                wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={self._settings} exec {program} "$@"\n')
                wrapper.chmod(0o755)

    def _daemon(self, *command: str) -> None:
        environment = {**self.environment, "PATH": f"{SYSTEM_PATH}:{os.environ['PATH']}"}
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=30)

    def _wait_until_idle(self) -> None:
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            if self.tell("sinfo", "-h", "-N", "-p", "main", "-o", "%T").split() == ["idle"] * len(self.nodes):
                return
            time.sleep(0.2)
        logs = "".join(f"\n--- {log.name}\n{log.read_text()[-1500:]}" for log in (self.folder / "log").glob("*.log"))
        raise RuntimeError(f"the nodes are not idle: {self.tell('sinfo')}{logs}")


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _steps_of(folder: Path, node: str) -> list[int]:
    """Processes that a node's daemon started, and theirs: children of its job steps too."""
    children: dict[int, list[int]] = {}
    steps = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            variables = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        children.setdefault(parent, []).append(int(entry.name))
        mine = str(folder) in words or f"SLURM_CONF={folder}/slurm.conf" in variables
        if mine and (words.startswith("slurmstepd:") or f"SLURMD_NODENAME={node}" in variables):
            steps.append(int(entry.name))
    for pid in steps:
        steps.extend(child for child in children.get(pid, []) if child not in steps)
    return steps


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def main() -> int:
    """Start or stop a cluster by hand."""
    parser = argparse.ArgumentParser(description="A Slurm cluster on this machine")
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nodes", type=int, default=2)
    arguments = parser.parse_args()
    reason = why_not()
    if reason is not None:
        print(f"error: {reason}", file=sys.stderr)
        return 2
    cluster = Cluster(arguments.folder, arguments.nodes)
    if arguments.action == "stop":
        cluster.stop()
    else:
        cluster.start()
        print(f"started; now: export PATH={cluster.folder}/bin:$PATH")
    return 0


if __name__ == "__main__":
    sys.exit(main())
