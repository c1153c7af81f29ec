"""What a machine offers: each check is a row that says what was found, and what to do where something is missing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from axonet.core.errors import UserError

State = Literal["ok", "note", "missing"]

OLDEST_PYTHON = (3, 11)
LEAST_FREE_GB = 1.0  # the demo leaves less; below it a run ends with a full disk
EXTRAS = ("train", "text", "workflow", "gl")
NEEDED_EXTRAS = ("", "train", "text", "workflow")  # what ``axonet demo`` and the workflow import


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        topic: what it belongs to.
        name: what was looked at.
        state: ``ok``; ``note``: something that the main job does without; ``missing``: the main job cannot run.
        found: what is there, in words.
        remedy: what to do; empty where nothing is to be done.
        facts: the same for programs.
    """

    topic: str
    name: str
    state: State
    found: str
    remedy: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def check_python() -> Iterator[Check]:
    """The interpreter."""
    version = platform.python_version()
    good = sys.version_info[:2] >= OLDEST_PYTHON
    needed = ".".join(map(str, OLDEST_PYTHON))
    yield Check(
        "Python",
        "interpreter",
        "ok" if good else "missing",
        f"{version} at {sys.executable} on {platform.system()} {platform.machine()}",
        "" if good else f"axonet needs Python {needed} or newer",
        {"version": version},
    )


def check_packages() -> Iterator[Check]:
    """Whether each extra's packages are installed, in versions that fit; one row per extra."""
    try:
        requirements = importlib.metadata.requires("axonet") or []
    except importlib.metadata.PackageNotFoundError:
        yield Check(
            "packages", "axonet", "note", "runs without being installed: versions are not known", "pip install ."
        )
        return
    for extra in ("", *EXTRAS):
        bad = [problem for text in requirements if (problem := _unmet(text, extra))]
        needed = extra in NEEDED_EXTRAS
        name = f"extra {extra!r}" if extra else "axonet's own"
        what = f"axonet[{extra}]" if extra else "axonet"
        yield Check(
            "packages",
            name,
            "ok" if not bad else "missing" if needed else "note",
            ", ".join(bad) or "all there",
            f"pip install '{what}'" if bad else "",
            {"extra": extra, "unmet": bad},
        )


def _unmet(text: str, extra: str) -> str:
    """What is wrong with a requirement of an extra (of axonet itself for ""); nothing where it is met or not asked."""
    from packaging.requirements import Requirement

    requirement = Requirement(text)
    if requirement.name == "axonet":
        return ""  # an extra that names others, which have rows of their own
    always = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    asked = requirement.marker is not None and requirement.marker.evaluate({"extra": extra})
    if not (always if not extra else asked and not always):
        return ""
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} is not installed"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{requirement.name} {version} instead of {requirement.specifier}"


def check_drawing() -> Iterator[Check]:
    """What draws: the CPU always can; graphics devices in the order in which they are tried."""
    from axonet.rendering.gl_probe import probe_apart
    from axonet.rendering.kernel import cache_folder

    folder = cache_folder(os.environ.get("NUMBA_CACHE_DIR", ""))
    yield Check(
        "drawing",
        "cpu",
        "ok" if folder else "note",
        f"compiled loops are kept in {folder}" if folder else "compiled anew by each process: no folder to keep it in",
        "" if folder else "set NUMBA_CACHE_DIR to a folder that can be written",
    )
    try:
        found = probe_apart()
    except UserError as error:
        yield Check("drawing", "OpenGL", "note", str(error), "use --backend cpu, which needs no driver")
        return
    for phrase in found["passed_over"]:
        name, _, reason = phrase.partition(": ")
        yield Check("drawing", name, "note", f"passed over: {reason}")
    if found["chosen"] is not None:
        yield Check("drawing", found["chosen"], "ok", f"draws with --backend gl ({found['renderer']})")
        tried = {found["chosen"], *(phrase.partition(": ")[0] for phrase in found["passed_over"])}
        for name in (name for name in found["devices"] if name not in tried):
            yield Check("drawing", name, "ok", "not tried: an earlier one works")
    yield Check("drawing", "--backend auto", "ok", f"takes {found['auto']}: {found['reason']}", facts=found)


def check_torch() -> Iterator[Check]:
    """What torch can compute on, and what ``--accelerator auto`` takes."""
    try:
        import torch
    except Exception as error:  # a library that does not load raises anything, and the message is what helps
        yield Check("computing", "torch", "missing", _brief(error), "pip install 'axonet[train]'")
        return
    from axonet.inference.device import torch_device

    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        yield Check("computing", f"cuda:{number}", "ok", f"{about.name}, {about.total_memory / 2**30:.0f} GiB")
    if not torch.cuda.is_available():
        why = (
            f"built for CUDA {torch.version.cuda}, but no card answers" if torch.version.cuda else "built without CUDA"
        )
        yield Check("computing", "cuda", "note", why)
    if torch.backends.mps.is_available():
        yield Check("computing", "mps", "ok", "the GPU of this Mac")
    yield Check("computing", "cpu", "ok", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads of torch")
    yield Check(
        "computing", "--accelerator auto", "ok", f"takes {torch_device('auto')} (torch {torch.__version__})",
        facts={"torch": torch.__version__, "device": torch_device("auto")},
    )  # fmt: skip


def check_disk(folder: Path = Path()) -> Iterator[Check]:
    """Room, and whether the working directory can be written to."""
    free = shutil.disk_usage(folder).free / 1e9
    writable = os.access(folder, os.W_OK)
    good = writable and free >= LEAST_FREE_GB
    found = f"{free:.1f} GB free" + ("" if writable else ", but it cannot be written to")
    remedy = "" if good else f"work in a folder that can be written to, with {LEAST_FREE_GB:g} GB free or more"
    yield Check("disk", str(folder.resolve()), "ok" if good else "missing", found, remedy, {"free_gb": round(free, 1)})


def check_text_encoders() -> Iterator[Check]:
    """Which text encoders work without a network."""
    from axonet.models.text import minilm_folder

    try:
        folder = minilm_folder()
        yield Check("text encoders", "minilm", "ok", f"weights in {folder}")
    except UserError as error:
        yield Check("text encoders", "minilm", "note", "not installed", str(error).rpartition("; ")[2])
    yield Check("text encoders", "hash:384", "ok", "needs no weights")
    cache = Path(os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME", "~/.cache/huggingface")) / "hub")
    for place in sorted(cache.expanduser().glob("models--*")):
        if any(place.glob("snapshots/*/modules.json")):  # what sentence-transformers writes
            name = place.name.removeprefix("models--").replace("--", "/")
            yield Check("text encoders", name, "ok", "in the hub's local cache")


def check_servers(seconds: float) -> Iterator[Check]:
    """Who answers; being offline keeps nothing but downloads from working."""
    from axonet.sources.allen import settings as allen
    from axonet.sources.download_settings import server_root
    from axonet.sources.neuromorpho import settings as neuromorpho

    servers = {
        "NeuroMorpho.Org": server_root(None, neuromorpho.URL_VARIABLE, neuromorpho.DEFAULT_URL),
        "Allen Institute": server_root(None, allen.URL_VARIABLE, allen.DEFAULT_URL),
        "Brain Image Library": server_root(None, allen.BIL_URL_VARIABLE, allen.DEFAULT_BIL_URL),
    }
    with ThreadPoolExecutor(len(servers)) as pool:
        asked = {name: pool.submit(_answer, url, seconds) for name, url in servers.items()}
        for name, url in servers.items():
            problem = asked[name].result()
            found = f"{url} answers" if not problem else f"{url}: {problem}"
            remedy = "" if not problem else "only downloads from it need it; the demo does not"
            yield Check("servers", name, "note" if problem else "ok", found, remedy)


def _answer(url: str, seconds: float) -> str:
    """What keeps a server from being reached; nothing where it answers, whatever it says."""
    import httpx

    from axonet.sources.download_settings import DownloadSettings
    from axonet.sources.tls import ssl_context

    try:
        httpx.head(url, timeout=seconds, verify=ssl_context(DownloadSettings()))
    except httpx.TimeoutException:
        return f"no answer within {seconds:g} s"
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return f"cannot be reached ({_brief(error)})"
    return ""


def _brief(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:160] or type(error).__name__


def all_checks(seconds: float, offline: bool) -> list[Check]:
    """Run every check, in the order in which they are shown.

    Args:
        seconds: how long a server may take to answer.
        offline: do not ask servers.
    """
    checks: list[Callable[[], Iterator[Check]]] = [
        *(check_python, check_packages, check_drawing, check_torch, check_disk, check_text_encoders),
    ]
    if not offline:
        checks.append(lambda: check_servers(seconds))
    return [check for run in checks for check in run()]
