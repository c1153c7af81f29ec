"""What reruns after which change: the table of docs/explanation/reruns.md, row by row.

What the acquire step does not see is asked of a dry run. For neurons and metadata acquire runs for real (seconds), and
a dry run tells the rest.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from axonet.core.files import read_jsonl, write_jsonl
from axonet.pipeline.code_epochs import EPOCHS
from tests.integration.corpus import metadata_row, write_neuron
from tests.integration.project import REPOSITORY, Project

pytestmark = pytest.mark.workflow

SHARDS = 2
FROM_EVALUATE = Counter(evaluate=1)
EXPLORER = Counter(export=1, explore=1)
FROM_STAGE2 = Counter(stage2=1, encode_stage2=SHARDS) + FROM_EVALUATE + EXPLORER
FROM_STAGE1 = Counter(stage1=1, encode_stage1=SHARDS) + FROM_STAGE2
FROM_SPLIT = Counter(split=1) + FROM_STAGE1
QUALITY = Counter(quality=1)
EVERYTHING = Counter(acquire=1, measure=SHARDS, render=SHARDS) + QUALITY + FROM_SPLIT
ONE_SHARD = Counter(measure=1, render=1) + QUALITY
NOTHING = Counter[str]()


def add_neuron(project: Project, number: int = 50) -> None:
    write_neuron(project.folder / "swc" / f"new_{number}.swc", "granule", number)
    file = project.folder / "metadata.jsonl"
    write_jsonl(file, [*read_jsonl(file), metadata_row(f"new_{number}", "granule", number)])


def edit_metadata(project: Project, **changes: object) -> None:
    file = project.folder / "metadata.jsonl"
    rows = read_jsonl(file)
    rows[0].update(changes)
    write_jsonl(file, rows)


def test_the_first_run_makes_everything(finished: Project) -> None:
    assert finished.first == EVERYTHING


def test_a_second_run_does_nothing(finished: Project) -> None:
    assert finished.plan() == NOTHING


def test_acquire_forced_with_unchanged_sources_runs_alone(project: Project) -> None:
    assert project.run("-R", "acquire") == Counter(acquire=1)
    assert project.plan() == NOTHING


def test_touched_results_rerun_nothing(project: Project) -> None:
    for path in [*(project.folder / "results/acquire").iterdir(), *(project.folder / "results/render").rglob("*")]:
        os.utime(path)
    assert project.plan() == NOTHING


@pytest.mark.parametrize(
    ("section", "values", "expected"),
    [
        ("render", {"margin": 0.2}, Counter(render=SHARDS) + QUALITY + FROM_STAGE1),
        ("split", {"split_seed": 2}, FROM_SPLIT),
        ("stage1", {"lr": 0.001}, FROM_STAGE1),
        ("stage2", {"lr": 0.001}, FROM_STAGE2),
        ("stage2", {"text_encoder": "hash:32"}, FROM_STAGE2),
        ("evaluate", {"bootstrap": 30}, FROM_EVALUATE),
        ("explore", {"queries": "a neuron with an apical trunk"}, EXPLORER),
        ("explore", {"max_mb": 5}, Counter(explore=1)),
    ],
)
def test_a_changed_setting_reruns_its_step_and_what_follows(finished, section, values, expected) -> None:
    merged = {**finished.config.get(section, {}), **values}
    assert finished.plan(*finished.set_config(**{section: merged})) == expected


def test_a_second_run_beside_main_trains_alone(finished: Project) -> None:
    assert finished.plan(*finished.set_config(runs={"main": {}, "again": {"seed": 1}})) == FROM_STAGE1 - EXPLORER


def test_a_run_ends_with_its_figures_and_with_who_was_left_out_and_why(project: Project) -> None:
    (project.folder / "swc" / "page.swc").write_text("<html>not found</html>\n")
    said = project.say()
    closing = said[said.index("10 neurons drawn, 1 left out (html_page 1):") :]
    assert "folder:page: html_page (results/render/" in closing
    assert "The worst of them, with pictures: results/quality.html" in closing
    assert "page.swc" in (project.folder / "results/quality.html").read_text()
    assert "neuron finds its caption" in closing
    assert "chance 0." in closing
    assert "Read next: results/runs/main/evaluate/eval_report.txt" in closing
    assert "Explore:   results/explorer.html" in closing
    assert (project.folder / "results/explorer.html").stat().st_size < 1_500_000
    assert project.plan() == NOTHING
    assert "Read next" not in project.say("-R", "acquire", "--until", "acquire")  # no figures of a former run


def test_one_new_neuron_redoes_its_shard_and_the_training(project: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in (project.folder / "results/render").rglob("*.arrow")}
    add_neuron(project)
    assert project.run() == Counter(acquire=1) + ONE_SHARD + FROM_SPLIT
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert project.plan() == NOTHING


def test_one_changed_neuron_redoes_its_shard_and_the_training(project: Project) -> None:
    file = sorted((project.folder / "swc").iterdir())[0]
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines, f"{len(lines) + 1} 3 90 90 90 0.5 {len(lines)}"]) + "\n")
    assert project.run("--until", "acquire") == Counter(acquire=1)
    assert project.plan() == ONE_SHARD + FROM_STAGE1


def test_a_removed_neuron_redoes_its_shard_and_the_training(project: Project) -> None:
    sorted((project.folder / "swc").iterdir())[0].unlink()
    assert project.run("--until", "acquire") == Counter(acquire=1)
    assert project.plan() == ONE_SHARD + FROM_SPLIT


def test_a_neuron_added_and_removed_again_finds_its_former_shard(project: Project) -> None:
    add_neuron(project)
    assert project.run("--until", "acquire") == Counter(acquire=1)
    (project.folder / "swc/new_50.swc").unlink()
    assert project.run("--until", "acquire") == Counter(acquire=1)
    jobs = project.plan()
    assert jobs["measure"] == jobs["render"] == 0


def test_metadata_that_moves_nobody_retrains_only_stage_2(project: Project) -> None:
    edit_metadata(project, sex="female")
    assert project.run("--until", "acquire") == Counter(acquire=1)
    assert project.plan() == FROM_STAGE2


def test_metadata_that_moves_neurons_retrains_everything(project: Project) -> None:
    # Neurons that were assigned once never move, so this takes a split that nobody was assigned by yet.
    by_donor = {"split": {**project.config["split"], "split_by": "donor", "test_ratio": 0.5}}
    edit_metadata(project, donor="donor 1")
    assert project.run("--until", "acquire") == Counter(acquire=1)
    assert project.plan(*project.set_config(**by_donor)) == FROM_SPLIT


def test_with_a_given_stage_1_new_neurons_are_only_measured_rendered_and_encoded(project: Project) -> None:
    (project.folder / "given").mkdir()
    shutil.copy2(project.folder / "results/runs/main/stage1/best.ckpt", project.folder / "given/stage1.ckpt")
    project.configure(stage1={"checkpoint": "given/stage1.ckpt"})
    assert project.run() == Counter(encode_stage1=SHARDS) + FROM_STAGE2
    add_neuron(project)
    assert project.run("--until", "acquire") == Counter(acquire=1)
    assert project.plan() == ONE_SHARD + Counter(split=1, encode_stage1=1) + FROM_STAGE2


def test_with_a_given_stage_2_nothing_is_trained(project: Project) -> None:
    (project.folder / "given").mkdir()
    shutil.copy2(project.folder / "results/runs/main/stage2/best.ckpt", project.folder / "given/stage2.ckpt")
    project.configure(stage2={"checkpoint": "given/stage2.ckpt"})
    assert project.run() == Counter(encode_stage2=SHARDS) + FROM_EVALUATE + EXPLORER
    add_neuron(project)
    assert project.run("--until", "acquire") == Counter(acquire=1)
    assert project.plan() == ONE_SHARD + Counter(split=1, encode_stage2=1) + FROM_EVALUATE + EXPLORER


class TestCode:
    """Changes of axonet's own code, made in a copy of the package."""

    @pytest.fixture
    def copied(self, finished: Project, tmp_path: Path) -> Project:
        shutil.copytree(REPOSITORY / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
        return Project(finished.folder, tmp_path / "src")

    def edit(self, project: Project, module: str, text: str) -> None:
        assert project.source is not None
        file = project.source / "axonet" / module
        file.write_text(file.read_text() + text)

    def test_a_comment_reruns_nothing_and_is_no_drift(self, copied: Project) -> None:
        self.edit(copied, "rendering/render.py", "\n# a remark\n")
        assert copied.plan() == NOTHING
        assert "has changed" not in copied.say("-n")

    def test_drift_under_warn_keeps_the_outputs_and_says_so(self, copied: Project) -> None:
        self.edit(copied, "evaluation/report.py", "\nUNUSED = 1\n")
        assert copied.plan() == NOTHING
        assert "The code of evaluate has changed" in copied.say("-n")

    def test_drift_under_rerun_makes_them_anew(self, copied: Project) -> None:
        self.edit(copied, "evaluation/report.py", "\nUNUSED = 1\n")
        assert copied.plan(*copied.set_config(code={"policy": "rerun"})) == FROM_EVALUATE

    @pytest.mark.parametrize(
        ("stage", "expected"),
        [
            ("measure", Counter(measure=SHARDS) + FROM_STAGE1),
            ("render", Counter(render=SHARDS) + QUALITY + FROM_STAGE1),
            ("quality", QUALITY),
            ("split", FROM_SPLIT),
            ("stage2", FROM_STAGE2),
            ("export", EXPLORER),
            ("explore", Counter(explore=1)),
        ],
    )
    def test_a_bumped_epoch_always_reruns(self, copied: Project, stage: str, expected: Counter[str]) -> None:
        assert copied.source is not None
        file = copied.source / "axonet/pipeline/code_epochs.py"
        text = file.read_text()
        epoch = EPOCHS[stage]
        assert text.count(f'"{stage}": {epoch},') == 1
        file.write_text(text.replace(f'"{stage}": {epoch},', f'"{stage}": {epoch + 1},'))
        assert copied.plan() == expected
