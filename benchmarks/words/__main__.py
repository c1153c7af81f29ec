"""What Stage 2 learns from real neurons, and what each of its choices is worth.

    python -m benchmarks.words --table neurons.parquet [--table others.parquet] --cache FOLDER
        [--part main labs choices] [--only WORD ...] [--seed 0]

On frozen vectors of the Stage 1 encoders of ``benchmarks.study`` (same folder, same folds): neither stage saw a judged
neuron, nor another of its donor (``labs``: of its laboratory). The model of the last step is judged, nothing is chosen
on judged neurons. Folds are pooled; intervals (95 %) are over groups, differences on the same resamples. Chance of
zero-shot is one over the number of classes. What was judged is kept in the folder and not repeated; one to two minutes
a training on one core, the first of each fold longer, which encodes the sentences.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from benchmarks.study.protocols import N_FOLDS
from benchmarks.study.report import markdown
from benchmarks.study.work import Study
from benchmarks.words.corpus import Corpus, Part, Remembered
from benchmarks.words.judge import BEFORE, IMAGE, JOINED, before, judge, train
from benchmarks.words.rows import PARTS, Comparison, Row
from benchmarks.words.tables import Folds, cell, difference, load, save

from axonet.core.progress import say
from axonet.models.text import load_text_encoder


def judged(
    row: Row, name: str, seed: int, part: Comparison, corpus: Corpus, folds: dict[tuple[str, int], Part]
) -> Folds:
    """A row on the folds of a comparison: trained where that was not done before."""
    folder = corpus.study.cache / "words"
    folder.mkdir(parents=True, exist_ok=True)
    found, own = [], []
    for number in part.folds:
        key = row.inputs, number
        if key not in folds:
            folds[key] = corpus.part(part.scheme, number, row.inputs)
        path = folder / f"{part.scheme}{number}-{row.key(seed)}.npz"
        if not path.is_file():
            started = time.process_time()
            encoder = row.settings(seed).text_encoder
            text = Remembered(load_text_encoder(encoder), folder / f"{encoder.replace(':', '_')}.parquet")
            result = judge(*train(row, seed, folds[key], text), folds[key], text) | before(folds[key])
            text.keep()
            save(path, result)
            say(f"## {part.scheme}{number} {name}: {time.process_time() - started:.0f} s")
        own.append(folds[key])
        found.append(load(path))
    return Folds(corpus.study.cohort, part.scheme, own, found)


def show(title: str, rows: dict[str, Folds]) -> None:
    """A table of figures, and one of differences to the first row."""
    kinds = [(name, kind) for name, folds in rows.items() for kind in folds.kinds if kind != BEFORE]
    figures = {(name, kind): rows[name].figures(kind) for name, kind in kinds}
    columns = [name for name in next(iter(figures.values())) if "chance" not in name and "commonest" not in name]
    body = [[name, kind, *(cell(own[c]) if c in own else "" for c in columns)] for (name, kind), own in figures.items()]
    first = next(iter(rows.values()))
    untrained = first.figures(BEFORE)
    body.insert(0, ["Stage 1", "image", *(cell(untrained[c]) if c in untrained else "" for c in columns)])
    beside = next(iter(figures.values()))
    print(f"\n{title}\n\n{markdown(['row', 'embedding', *columns], body)}\n")
    for name in beside:
        if "chance" in name or "commonest" in name:
            print(f"{name}: {cell(beside[name])}")
    _show_differences(figures, columns)


def _show_differences(figures: dict[tuple[str, str], dict], columns: list[str]) -> None:  # type: ignore[type-arg]
    first = next(iter(figures))[0]
    body = []
    for (name, kind), own in figures.items():
        other = figures.get((first, kind))
        if name != first and other is not None:
            body.append([f"{name} - {first}", kind, *(difference(own[c], other[c]) for c in columns)])
        if kind == JOINED:
            image = figures[name, IMAGE]
            body.append([f"{name}: joined - image", "", *(difference(own[c], image[c]) for c in columns)])
    print(f"\n{markdown(['difference', 'embedding', *columns], body)}")


def show_classes(folds: Folds) -> None:
    """Zero-shot recall class by class."""
    for task in folds.parts[0].questions:
        by_kind = {kind: folds.recalls(kind, task) for kind in folds.kinds if kind != BEFORE}
        names, _, counts = next(iter(by_kind.values()))
        rows = [
            [name, str(counts[i]), *(cell(figures[i]) for _, figures, _ in by_kind.values())]
            for i, name in enumerate(names)
        ]
        print(f"\n{markdown([task, 'neurons', *by_kind], rows)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, action="append", required=True, help="labelled neurons (Parquet)")
    parser.add_argument("--cache", type=Path, required=True, help="folder of benchmarks.study")
    parser.add_argument("--part", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--only", nargs="*", help="rows whose name holds one of these, and the first")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    corpus = Corpus(Study(tuple(chosen.table), chosen.cache))
    for title in chosen.part:
        part, folds = PARTS[title], {}
        wanted = {
            name: row
            for number, (name, row) in enumerate(part.rows.items())
            if not number or not chosen.only or any(word in name for word in chosen.only)
        }
        rows = {name: judged(row, name, chosen.seed, part, corpus, folds) for name, row in wanted.items()}
        show(f"{title}: {part.scheme} held out, {len(part.folds)} of {N_FOLDS} folds", rows)
        if title != "choices":
            show_classes(next(iter(rows.values())))


if __name__ == "__main__":
    main()
