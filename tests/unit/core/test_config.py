"""One declaration of a setting serves the command line, YAML and the flags of a rule."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from axonet.core.config import (
    CommandSettings,
    Settings,
    load_settings,
    parse_command,
    resume_safe_names,
    run_command,
    setting_names,
    setting_values,
    to_flags,
)
from axonet.core.errors import UserError


class Folder(Settings):
    swc_dir: Path | None = Field(None, description="folder of SWC files")
    deep: bool = Field(True, description="search sub-folders too")


class Bake(CommandSettings):
    """Bake a neuron."""

    lr: float = Field(1e-4, gt=0, description="rate", json_schema_extra={"resume": "safe"})
    jobs: int = Field(1, ge=1, description="workers", json_schema_extra={"short": "j"})
    no_cache: bool = Field(False, description="switch the cache off")
    baselines: bool = Field(True, description="judge baselines too")
    mode: Literal["pca", "random"] = Field("pca", description="sampling")
    filters: dict[str, list[str]] | None = Field(None, description="filters")
    sources: list[str] = Field(["demo"], description="sources")
    folder: Folder = Field(Folder(), description="a folder")
    out: Path = Field(..., description="output", json_schema_extra={"io": True})


def test_flags_are_kebab_case_and_booleans_are_plain():
    config = parse_command(Bake, ["--out", "x", "--no-cache", "--no-baselines", "-j", "4", "--lr", "1e-3"])
    assert (config.no_cache, config.baselines, config.jobs, config.lr) == (True, False, 4, 1e-3)


def test_json_values_lists_and_nested_sections_are_understood():
    config = parse_command(
        Bake,
        ["--out", "x", "--filters", '{"a": ["b, c"]}', "--sources", "a", "--sources", "b", "--folder.swc-dir", "q"],
    )
    assert config.filters == {"a": ["b, c"]}
    assert config.sources == ["a", "b"]
    assert config.folder.swc_dir == Path("q")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "x", "--job", "3"], ["--job", "--jobs"]),
        (["--out", "x", "--lr", "-1"], ["--lr", "greater than 0", "'-1'"]),
        (["--out", "x", "--mode", "pac"], ["--mode", "'pca' or 'random'", "'pac'"]),
        (["--out", "x", "--jobs", "two"], ["--jobs", "integer", "'two'"]),
        ([], ["--out is required"]),
    ],
)
def test_a_wrong_argument_is_one_line_that_names_flag_value_and_what_is_allowed(arguments, words, capsys):
    assert run_command(Bake, lambda config: None, arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert all(word in error for word in words), error


def test_help_says_what_a_flag_that_switches_off_does(capsys):
    with pytest.raises(SystemExit):
        parse_command(Bake, ["--help"])
    assert "switch off: judge baselines too" in " ".join(capsys.readouterr().out.split())
    assert Bake.model_fields["baselines"].description == "judge baselines too"


def test_environment_variables_are_no_settings(monkeypatch):
    monkeypatch.setenv("LR", "5")
    monkeypatch.setenv("lr", "5")
    assert parse_command(Bake, ["--out", "x"]).lr == 1e-4


def test_a_yaml_string_with_an_exponent_is_a_number():
    assert load_settings(Bake, {"lr": "1e-3", "out": "x"}, "config.yaml").lr == 1e-3


def test_a_wrong_key_names_the_nearest_one():
    with pytest.raises(UserError, match=r"config\.yaml: unknown key 'folder\.swc_dri'; did you mean 'swc_dir'\?"):
        load_settings(Bake, {"out": "x", "folder": {"swc_dri": "q"}}, "config.yaml")


def test_paths_given_per_call_are_no_settings():
    assert "out" not in setting_names(Bake)
    assert "out" not in setting_values(Bake(out=Path("x")))
    assert resume_safe_names(Bake) == {"lr", "out"}


@given(
    lr=st.floats(1e-9, 1e9),
    jobs=st.integers(1, 99),
    no_cache=st.booleans(),
    baselines=st.booleans(),
    mode=st.sampled_from(["pca", "random"]),
    filters=st.none()
    | st.dictionaries(st.text("ab -'\"", min_size=1), st.lists(st.text("xyz ,", min_size=1), min_size=1), min_size=1),
    sources=st.lists(st.sampled_from(["a", "b c"]), min_size=1),
    folder=st.builds(Folder, swc_dir=st.none() | st.just(Path("some dir")), deep=st.booleans()),
)
def test_flags_say_the_same_as_the_settings(**values):
    config = Bake(out=Path("x"), **values)
    assert parse_command(Bake, ["--out", "x", *to_flags(config)]) == config


def test_default_settings_need_no_flags():
    assert to_flags(Bake(out=Path("x"))) == []


def test_a_user_error_ends_with_code_2_and_debug_shows_the_traceback(monkeypatch, capsys):
    def fail(config: Bake) -> None:
        raise UserError("cell.swc: no data rows")

    assert run_command(Bake, fail, ["--out", "x"]) == 2
    assert capsys.readouterr().err == "error: cell.swc: no data rows\n"
    monkeypatch.setenv("AXONET_DEBUG", "1")
    with pytest.raises(UserError):
        run_command(Bake, fail, ["--out", "x"])


def test_who_reads_only_the_first_lines_gets_them_without_a_traceback():
    code = """from axonet.core.config import CommandSettings, run_command
class Many(CommandSettings):
    "Print much."
def run(config):
    for number in range(100_000):
        print(number)
raise SystemExit(run_command(Many, run, []))"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 0
