"""Who must be cited: each paper once, with the neurons it stands for."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from axonet.sources.citations import Citation, bibtex_entry, collect_papers, paper_pairs, write_citations


def record(archive: str | None = "Lab", doi: Any = None, pmid: Any = None) -> dict[str, Any]:
    return {"archive": archive, "reference_doi": doi, "reference_pmid": pmid}


def test_lists_of_one_length_go_together_and_others_do_not() -> None:
    assert paper_pairs(record(doi=["10.1/a", "10.1/b"], pmid=["1", "2"])) == [("10.1/a", "1"), ("10.1/b", "2")]
    assert paper_pairs(record(doi=["10.1/a"], pmid=["1", "2"])) == [("10.1/a", None), (None, "1"), (None, "2")]
    assert paper_pairs(record(doi="https://doi.org/10.1/a", pmid="1")) == [("10.1/a", "1")]
    assert paper_pairs(record(doi=["Not reported"], pmid=None)) == []


def test_each_paper_is_counted_once_per_neuron_whatever_the_case_of_its_doi() -> None:
    papers = collect_papers([record("A", ["10.1/X"], ["1"]), record("B", ["10.1/x"], ["1"]), record("A", None, ["2"])])
    assert [(paper.doi, paper.pmid, paper.n_neurons, paper.archives) for paper in papers] == [
        ("10.1/X", "1", 2, {"A", "B"}),
        (None, "2", 1, {"A"}),
    ]


def test_a_paper_named_by_its_pubmed_id_alone_is_the_one_that_another_record_names_by_both() -> None:
    papers = collect_papers([record("A", None, ["1"]), record("B", ["10.1/x"], ["1"]), record("C", ["10.1/X"], None)])
    assert [(paper.doi, paper.pmid, paper.n_neurons, paper.archives) for paper in papers] == [
        ("10.1/x", "1", 3, {"A", "B", "C"})
    ]
    # Lists of two lengths: which belongs to which is known from elsewhere, and the neuron counts once.
    papers = collect_papers([record(doi=["10.1/x"], pmid=["1", "2"]), record(doi=["10.1/x"], pmid=["1"])])
    assert [(paper.doi, paper.pmid, paper.n_neurons) for paper in papers] == [("10.1/x", "1", 2), (None, "2", 1)]


def test_records_that_contradict_each_other_unify_nothing() -> None:
    rows = [record(doi=["10.1/x"], pmid=["1"]), record(doi=["10.1/y"], pmid=["1"]), record(pmid=["1"])]
    assert [(paper.doi, paper.n_neurons) for paper in collect_papers(rows)] == [("10.1/x", 1), ("10.1/y", 1), (None, 1)]


def test_neurons_without_a_paper_are_listed_by_archive() -> None:
    papers = collect_papers([record("A"), record("A"), record(None)])
    assert [(paper.what, paper.n_neurons) for paper in papers] == [("archive", 2), ("archive", 1)]


def test_keys_are_unique_even_where_dois_differ_in_what_a_key_cannot_hold() -> None:
    papers = collect_papers([record(doi=["10.1/a.b"]), record(doi=["10.1/a-b"])])
    assert len({paper.key for paper in papers}) == 2


def test_the_order_of_neurons_does_not_change_the_files(tmp_path: Path) -> None:
    rows = [record("B", ["10.1/b"], ["2"]), record("A", ["10.1/a"], ["1"]), record("C", ["10.1/b"], ["2"])]
    for name, some in (("one", rows), ("two", rows[::-1])):
        write_citations(tmp_path / name, collect_papers(some))
    for name in ("citations.csv", "citations.bib"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_table_reads_back(tmp_path: Path) -> None:
    write_citations(tmp_path, collect_papers([record('A, "B"', ["10.1/a"], ["1"])]))
    with (tmp_path / "citations.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["doi"], row["pmid"], row["archives"], row["n_neurons"]) == ("10.1/a", "1", 'A, "B"', "1")


def test_bibtex_has_balanced_braces_and_no_bare_special_characters() -> None:
    entry = "\n".join(bibtex_entry(Citation("k", "paper", "10.1/a_b", "1", {}, {"A & B_{x}"}, 3)))
    bare = entry.replace("\\{", "").replace("\\}", "")
    assert bare.count("{") == bare.count("}")
    assert "A \\& B\\_\\{x\\}" in entry
    assert "doi = {10.1/a_b}" in entry
