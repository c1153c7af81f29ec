"""Images built without a daemon (buildah), on a stand-in for the base image that Debian's packages make.

No image registry is asked: AXONET_TEST_BASE names another base that the store can have. All files lie in one folder.
"""

from __future__ import annotations

import configparser
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BASE = "localhost/axonet-test-base"
PROGRAMS = ("buildah", "debootstrap")
GIGABYTES_NEEDED = 12
PIP_FILES = Path("/etc/pip.conf")


def why_not(folder: Path) -> str | None:
    """Why no image can be built here; None where one can."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed (Debian: apt install buildah fuse-overlayfs crun debootstrap)"
    if os.geteuid() != 0:
        return "building an image needs root here"
    if shutil.disk_usage(folder).free < GIGABYTES_NEEDED * 1e9:
        return f"images need {GIGABYTES_NEEDED} GB of disk"
    return None if _mirror() else "apt names no mirror of Debian's packages"


def _mirror() -> str:
    if shutil.which("apt-get") is None:
        return ""
    command = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    sites = [site for site in done.stdout.split() if site.rstrip("/").endswith("/debian")]
    return sites[0] if sites else ""


class Images:
    """A private store of images.

    Args:
        folder: where it lies; several gigabytes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.joinpath("storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/store"\n'
        )
        self._variables = {
            **os.environ,
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "BUILDAH_ISOLATION": "chroot",
        }
        self._containers: dict[str, str] = {}

    def make_base(self) -> str:
        """A Debian with Python and nothing else, as the slim images of Python are."""
        if named := os.environ.get("AXONET_TEST_BASE"):
            return named
        root = self.folder / "base"
        suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
        include = "--include=ca-certificates,python3,python3-venv"
        self.tell("debootstrap", "--variant=minbase", include, suite, str(root), _mirror())
        container = self.tell("buildah", "from", "scratch")
        shutil.rmtree(root / "var/cache/apt/archives")
        self.tell("buildah", "add", "--quiet", container, str(root), "/")
        self.tell("buildah", "commit", "--quiet", "--rm", container, BASE)
        shutil.rmtree(root)
        return BASE

    def build(self, target: str, base: str) -> None:
        """Build a target of the Dockerfile; pip is set up as it is here."""
        volumes = [f"--volume={path}:{path}:ro" for path in self._pip_files()]
        self.tell(
            "buildah", "bud", "--layers", "--quiet", f"--target={target}", f"--build-arg=BASE={base}",
            f"--tag=localhost/axonet:{target}", f"--volume={self.folder}/pip.conf:{PIP_FILES}:ro",
            *volumes, str(REPOSITORY),
        )  # fmt: skip

    def run(self, target: str, work: Path, *command: str) -> str:
        """Run a command in an image as its ordinary user, with a folder as its working directory."""
        if target not in self._containers:
            self._containers[target] = self.tell("buildah", "from", f"localhost/axonet:{target}")
        container = self._containers[target]
        return self.tell("buildah", "run", f"--volume={work}:/work", container, "--", *command)

    def remove(self) -> None:
        """Remove containers and images, and what is mounted for them."""
        subprocess.run(["buildah", "rm", "--all"], env=self._variables, capture_output=True, check=False)
        subprocess.run(["buildah", "rmi", "--all", "--force"], env=self._variables, capture_output=True, check=False)

    def _pip_files(self) -> list[Path]:
        """Write pip's configuration, and find what it names on this machine."""
        listing = self.tell(sys.executable, "-m", "pip", "config", "list")
        settings = dict(line.split("=", 1) for line in listing.splitlines() if "=" in line)
        values = {name.rpartition(".")[2]: value.strip("'\"") for name, value in settings.items()}
        file = configparser.RawConfigParser()
        file["global"] = values
        with (self.folder / "pip.conf").open("w") as stream:
            file.write(stream)
        named = [Path(word.removeprefix("file://")) for value in values.values() for word in value.split()]
        # The folder of an index links to files beside it.
        folders = {path.parent if path.name == "simple" else path for path in named if path.is_absolute()}
        return sorted(path for path in folders if path.exists())

    def tell(self, *command: str) -> str:
        """Run a command with this store and return what it says.

        Raises:
            RuntimeError: it failed; the message has the ends of its output.
        """
        done = subprocess.run(command, env=self._variables, capture_output=True, text=True, check=False, timeout=1500)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout.strip()
