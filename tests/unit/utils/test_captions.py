"""``axonet captions``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from axonet import cli
from axonet.metadata.adapters.table import load_table
from axonet.metadata.caption_report import caption_report, report_text
from axonet.metadata.captions import LEVEL_WEIGHTS, NeuronTextGenerator
from axonet.metadata.claims import LEVELS, Level
from axonet.metadata.record import NeuronRecord
from tests.fakes.neurons import made_up_swc
from tests.unit.metadata.examples import BINS, EXAMPLES

N = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Neurons with a table of one's own; one file has no row, one row has no file."""
    (tmp_path / "swc").mkdir()
    rows = ["Datei;species;mtype;region"]
    for number in range(N):
        (tmp_path / "swc" / f"cell-{number}.swc").write_bytes(made_up_swc(number, 30 + 10 * number))
        rows.append(f"cell-{number}.swc;rat;{('basket', 'pyramidal', 'wobbly')[number % 3]};hippocampus | CA1")
    (tmp_path / "swc" / "nobody.swc").write_bytes(made_up_swc(99))
    (tmp_path / "table.csv").write_text("\n".join([*rows, "gone.swc;rat;;"]) + "\n")
    return tmp_path


def call(folder: Path, *flags: str) -> int:
    arguments = ["--metadata", str(folder / "table.csv"), "--source", "table", "--swc-dir", str(folder / "swc")]
    return cli.main(["captions", *arguments, "--column", "swc=Datei", "--column", "cell_type=mtype", *flags])


def test_samples_are_shown_level_by_level_with_what_they_come_from(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(folder, "--n", "20") == 0
    out, err = capsys.readouterr()
    assert [line for line in out.splitlines() if line.endswith("of training)")] == [
        f"{level} ({LEVEL_WEIGHTS[level]:.0%} of training)" for level in LEVELS
    ]
    captions = [line for line in out.splitlines() if line.startswith(("  a ", "  an "))]
    assert len(captions) == 20
    assert "rat ← species" in out
    assert "different captions of 12 neurons" in out
    assert "metadata for 12 of 13 SWC files" in err
    assert "1 of 13 rows match no SWC file (gone.swc)" in err
    assert "fewer than a batch of 64" in err
    assert "\x1b" not in out


def test_the_same_seed_shows_the_same_and_another_one_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for flags in (["--seed", "1"], ["--seed", "1"], ["--seed", "2"]):
        assert call(folder, "--n=8", *flags) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != shown[2]


@pytest.mark.parametrize("level", LEVELS)
def test_json_holds_every_phrase_with_its_field_and_value(
    folder: Path, level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(folder, "--n", "30", "--level", level, "--batch-size", "2", "--json") == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert "warning: 12" not in err
    assert report["warnings"] == []
    assert report["neurons"] == N
    assert {caption["level"] for caption in report["captions"]} == {level}
    assert len(report["captions"]) == 30
    records = {record.neuron_id: record for record in load_table(folder / "table.csv", {"swc": "Datei"}).records}
    for caption in report["captions"]:
        assert caption["neuron_id"] in records
        covered = {origin["claim"] for origin in caption["phrases"]}
        assert covered | {"kind"} == set(caption["claims"]) | {"kind"}
        for origin in caption["phrases"]:
            assert origin["phrase"] in caption["text"], (origin, caption["text"])
            assert origin["values"] or origin["claim"] == "kind"


def test_the_phrases_of_the_twenty_examples_are_in_them_in_their_order() -> None:
    generator = NeuronTextGenerator(BINS)
    for example in EXAMPLES:
        report = caption_report(
            [(example.record, example.measures)], generator, n=1, level=_level(example.level), fixed=True
        )
        (sample,) = report.samples
        assert sample.caption.text == example.caption
        places = [example.caption.find(origin.phrase) for origin in sample.origins]
        assert -1 not in places
        assert places == sorted(places)


def _level(name: str) -> Level:
    return next(level for level in LEVELS if level == name)


def test_different_captions_are_counted_over_all_neurons() -> None:
    species = ["rat"] * 6 + ["mouse"] * 3 + [None]
    neurons = [(NeuronRecord(str(n), "table", f"{n}.swc", species=name), None) for n, name in enumerate(species)]
    report = caption_report(neurons, NeuronTextGenerator(), n=3, batch_size=4)
    assert report.fixed == dict.fromkeys(LEVELS, 3)
    assert report.in_epoch <= 3
    assert "10 neurons have 3 different captions in an epoch, fewer than a batch of 4" in report.warnings[0]
    assert caption_report(neurons, NeuronTextGenerator(), n=3, batch_size=3).warnings == []


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 101])
def test_every_level_has_its_share_of_the_samples(n: int) -> None:
    neurons = [(NeuronRecord("1", "table", "1.swc", species="rat"), None)]
    samples = caption_report(neurons, NeuronTextGenerator(), n=n).samples
    assert len(samples) == n
    for level in LEVELS:
        assert abs(sum(sample.caption.level == level for sample in samples) - n * LEVEL_WEIGHTS[level]) < 1


def test_a_narrow_terminal_wraps_lines_and_a_pipe_does_not() -> None:
    neurons = [(example.record, example.measures) for example in EXAMPLES]
    report = caption_report(neurons, NeuronTextGenerator(BINS), n=20)
    assert max(map(len, report_text(report, width=60).splitlines())) <= 60
    assert max(map(len, report_text(report).splitlines())) > 100
    assert report_text(report, color=True).count("\x1b[1m") == 5


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--source", "neuromorpho"], "--source table"),
        (["--level", "poetic"], "--level"),
        (["--n", "0"], "-n"),
        (["--column", "color=Farbe"], "no field 'color'"),
        (["--column", "mtype"], "--columns: give name=value"),
        (["--swc-dir", "nowhere"], "nowhere"),
    ],
)
def test_wrong_calls_are_one_line(
    flags: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "table.csv").write_text("swc,species\ncell-1.swc,rat\n")
    assert cli.main(["captions", "--metadata", str(folder / "table.csv"), "--source", "table", *flags]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error


def test_a_table_of_other_neurons_is_refused_with_both_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "table.csv").write_text("Datei;mtype\nelse.swc;basket\n")
    assert call(folder) == 2
    assert "it has 'else.swc', the folder has 'cell-0.swc'" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_and_a_terminal_without_letters_are_no_errors(folder: Path) -> None:
    command = f"{sys.executable} -m axonet.cli captions --metadata {folder / 'table.csv'} --source table"
    command += " --column swc=Datei --n 3000"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -1"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "broad (10% of training)\n"), done.stderr
    assert "Traceback" not in done.stderr
