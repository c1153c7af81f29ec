"""When does a change of axonet's own code make outputs stale?

Every stage has a *code epoch*: an integer below, raised by hand when a change of the code changes results. It is part
of what a rule depends on, so raising it always reruns the stage.

Beside it the *code hash* of a stage is the hash of the syntax trees (without comments, docstrings and layout) of all
modules that its command imports, directly or not. A results folder remembers the hash that each stage had when its
outputs were made (``results/code.json``). When the code drifts, the policy decides: ``warn`` keeps the outputs and says
so in a line, ``rerun`` makes them anew.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Literal

from axonet.core.files import read_json, short_hash, write_json
from axonet.pipeline.places import Place

EPOCHS: dict[str, int] = {
    "acquire": 3,
    "measure": 2,
    "render": 2,
    "quality": 1,
    "split": 1,
    "stage1": 3,
    "encode": 2,
    "stage2": 2,
    "evaluate": 3,
    "export": 1,
    "explore": 1,
}

ENTRY: dict[str, str] = {
    "acquire": "axonet.utils.acquire",
    "measure": "axonet.utils.measure",
    "render": "axonet.training.dataset_generator",
    "quality": "axonet.utils.quality",
    "split": "axonet.utils.split",
    "stage1": "axonet.training.trainer",
    "encode": "axonet.utils.encode",
    "stage2": "axonet.training.clip_trainer",
    "evaluate": "axonet.training.clip_evaluator",
    "export": "axonet.utils.export",
    "explore": "axonet.utils.explore",
}

RECORD = "results/code.json"
OF_THE_DATA = ("acquire", "measure", "render", "quality")

Policy = Literal["warn", "rerun"]


@dataclass(frozen=True)
class StageCode:
    """The state of a stage's code.

    Attributes:
        code: hash of the code as it is now.
        epoch: the stage's code epoch.
        token: what rules depend on.
        drifted: whether outputs made by other code are kept.
    """

    code: str
    epoch: int
    token: str
    drifted: bool


def code_states(record: Mapping[str, Mapping[str, object]], policy: Policy) -> dict[str, StageCode]:
    """Compare the code of every stage with what a results folder remembers.

    Args:
        record: content of ``results/code.json``; empty for a new folder.
        policy: what to do about drift.
    """
    return {stage: _state(code_hash(entry), EPOCHS[stage], record.get(stage), policy) for stage, entry in ENTRY.items()}


def _state(code: str, epoch: int, known: Mapping[str, object] | None, policy: Policy) -> StageCode:
    if known is None or known["epoch"] != epoch:
        return StageCode(code, epoch, str(epoch), drifted=False)
    if known["code"] == code:
        return StageCode(code, epoch, str(known["token"]), drifted=False)
    if policy == "rerun":
        return StageCode(code, epoch, f"{epoch}-{code}", drifted=False)
    return StageCode(code, epoch, str(known["token"]), drifted=True)


def states_at(home: Place, data: Place, policy: Policy) -> dict[str, StageCode]:
    """Compare the code of every stage with what the places of a run remember.

    Args:
        home: where the run's files lie.
        data: where the data set lies.
        policy: what to do about drift.
    """
    records = [{} if (file := place.find(RECORD)) is None else read_record(file) for place in (home, data)]
    made_there = {stage: known for stage, known in records[1].items() if stage in OF_THE_DATA}
    return code_states({**records[0], **made_there}, policy)


def remember(home: Place, states: Mapping[str, StageCode]) -> None:
    """Let the place of a run remember the code that made its files."""
    file = home.holder(str(PurePosixPath(RECORD).parent)) / PurePosixPath(RECORD).name
    write_record(file, states)
    home.keep(RECORD, file)


def read_record(path: Path) -> dict[str, dict[str, object]]:
    """What a results folder remembers of the code; empty when it is new."""
    return dict(read_json(path)) if path.exists() else {}


def write_record(path: Path, states: Mapping[str, StageCode]) -> None:
    """Remember the code that made the outputs; a stage whose former outputs were kept keeps its former entry."""
    known = read_record(path)
    new = {stage: {"code": s.code, "epoch": s.epoch, "token": s.token} for stage, s in states.items() if not s.drifted}
    if {**known, **new} != known:
        write_json(path, {**known, **new})


@cache
def code_hash(entry: str) -> str:
    """Hash of a module and of all modules of this package that it imports, at its top or inside functions."""
    todo, seen = [entry], dict[str, str]()
    while todo:
        module = todo.pop()
        file = _file_of(module)
        if module in seen or file is None:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        todo += list(_imports(tree, module if file.name == "__init__.py" else module.rpartition(".")[0]))
        seen[module] = hashlib.sha256(ast.dump(_without_docstrings(tree)).encode("utf-8")).hexdigest()
    return short_hash(seen, 16)


def _file_of(module: str) -> Path | None:
    root = Path(__file__).resolve().parents[2]
    path = root.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:  # from . import x
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [node.module])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.startswith("axonet."):
                # Importing a module runs the __init__ of every package above it.
                parts = name.split(".")
                yield from (".".join(parts[:end]) for end in range(2, len(parts) + 1))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return tree
