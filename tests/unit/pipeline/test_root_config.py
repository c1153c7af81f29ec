"""config.yaml is checked once, in words, and everything generated from its models is up to date."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from axonet.core.config import load_settings, setting_names
from axonet.core.errors import UserError
from axonet.core.files import read_json
from axonet.datasets.splits import SplitSettings
from axonet.evaluation.settings import EvaluationSettings
from axonet.explore.settings import ExploreSettings
from axonet.learning.clip_settings import ClipSettings
from axonet.learning.settings import Stage1Settings
from axonet.metadata.vocabulary.page import words_text
from axonet.pipeline.generate import REFERENCE, SCHEMA, WORDS, reference_text, schema_text
from axonet.pipeline.plan import root_values
from axonet.pipeline.root_config import RootConfig, load_config
from axonet.rendering.settings import RenderSettings

REPOSITORY = Path(__file__).resolve().parents[3]
WORKFLOW_ONLY = {"checkpoint", "run"}
CONFIGS = sorted((REPOSITORY / "configs").glob("*.yaml"))


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text())


def test_the_generated_files_are_up_to_date():
    assert (REPOSITORY / SCHEMA).read_text() == schema_text(), "run `make schema`"
    assert (REPOSITORY / REFERENCE).read_text() == reference_text(), "run `make schema`"
    assert (REPOSITORY / WORDS).read_text() == words_text(), "run `make schema`"


@pytest.mark.parametrize("file", [REPOSITORY / "config.yaml", *CONFIGS], ids=lambda path: path.name)
def test_every_config_that_is_shipped_passes_models_and_schema(file):
    values = root_values(load_config(read(file)))
    jsonschema.validate(values, read_json(REPOSITORY / SCHEMA))
    # A config is laid over what Snakemake already has, so checked values must be acceptable again.
    assert root_values(load_config(values)) == values


@pytest.mark.parametrize("file", CONFIGS, ids=lambda path: path.name)
def test_a_full_config_leaves_nothing_of_the_demo_behind(file):
    demo, full = read(REPOSITORY / "config.yaml"), read(file)
    for name in ("render", "split", "stage2", "evaluate"):
        assert set(demo[name]) <= set(full[name]), name
    if full["stage1"].get("checkpoint") is None:
        assert set(demo["stage1"]) <= set(full["stage1"])


def test_a_sentence_stands_above_the_keys_of_the_default_config():
    lines = (REPOSITORY / "config.yaml").read_text().splitlines()
    for name in RootConfig.model_fields:
        position = lines.index(next(line for line in lines if line.startswith(f"{name}:")))
        assert lines[position - 1].startswith("# "), name


@pytest.mark.parametrize(
    ("section", "settings", "decided"),
    [
        ("render", RenderSettings, {"seed"}),
        ("split", SplitSettings, set()),
        ("stage1", Stage1Settings, {"seed"}),
        ("stage2", ClipSettings, {"seed"}),
        ("evaluate", EvaluationSettings, set()),
        ("explore", ExploreSettings, set()),
    ],
)
def test_a_section_is_what_its_command_takes(section, settings, decided):
    model = type(getattr(RootConfig(), section))
    assert set(setting_names(model)) - WORKFLOW_ONLY == set(setting_names(settings)) - decided
    for name in set(setting_names(model)) - WORKFLOW_ONLY:
        ours, theirs = model.model_fields[name], settings.model_fields[name]
        assert (ours.default, ours.description, ours.annotation) == (
            theirs.default,
            theirs.description,
            theirs.annotation,
        )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"stage1": {"lr": -1}}, "config.yaml: stage1.lr: must be greater than 0 (got -1)"),
        ({"render": {"widht": 3}}, "config.yaml: unknown key 'render.widht'; did you mean 'width'?"),
        ({"stag1": {}}, "config.yaml: unknown key 'stag1'; did you mean 'stage1'?"),
        ({"evaluate": {"split": "tset"}}, "config.yaml: evaluate.split: must be 'validation' or 'test' (got 'tset')"),
        ({"stage1": {"seed": 3}}, "config.yaml: stage1.seed: the workflow sets this"),
        ({"stage2": {"freeze_encoder": True, "lambda_kld": 1}}, "config.yaml: stage2: lambda_kld holds back"),
        ({"runs": {}}, "config.yaml: runs: at least one run is needed"),
        ({"runs": {"../x": {}}}, "config.yaml: runs: run name '../x'"),
    ],
)
def test_a_wrong_key_or_value_is_one_line_that_says_what_is_allowed(values, words):
    with pytest.raises(UserError) as error:
        load_config(values)
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)


def test_an_empty_section_means_the_defaults():
    assert load_config({"stage1": None, "render": {}}) == RootConfig()


def test_a_number_with_an_exponent_is_a_number():
    assert load_config({"stage1": {"lr": "2e-3"}}) == load_config({"stage1": {"lr": 0.002}})
    with pytest.raises(UserError):
        load_settings(Stage1Settings, {"lr": "fast"}, "x")


def test_a_window_that_is_looked_at_must_be_drawn():
    with pytest.raises(UserError, match=r"stage1.zoom .* render.zoom_um draws none"):
        load_config({"stage1": {"zoom": True}})
    load_config({"stage1": {"zoom": True}, "render": {"zoom_um": 160}})
    load_config({"stage1": {"zoom": True, "checkpoint": "best.ckpt"}})  # its own windows are checked against it
