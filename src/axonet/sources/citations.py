"""Who must be cited for exactly the neurons of a download: a table, and a file for reference managers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axonet.core.files import short_hash
from axonet.metadata.normalize import listed
from axonet.sources.outputs import write_lines

CSV_NAME = "citations.csv"
BIBTEX_NAME = "citations.bib"
COLUMNS = ("key", "what", "doi", "pmid", "archives", "n_neurons", "citation")
_DOI_PREFIX = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
_BIBTEX_SPECIAL = re.compile(r"([&%$#_{}])")


@dataclass(slots=True)
class Citation:
    """Something to cite.

    Attributes:
        key: name in the BibTeX file.
        what: ``collection``, ``paper``, or ``archive`` where the source names no paper.
        doi: without the address of a resolver.
        pmid: number in PubMed.
        fields: further BibTeX fields, where they are known.
        archives: whose neurons they are.
        n_neurons: how many of the download.
    """

    key: str
    what: str
    doi: str | None = None
    pmid: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    archives: set[str] = field(default_factory=set)
    n_neurons: int = 0

    def count(self, archive: str | None) -> None:
        """Count one more neuron."""
        self.n_neurons += 1
        if archive:
            self.archives.add(archive)


def paper_pairs(record: Mapping[str, Any]) -> list[tuple[str | None, str | None]]:
    """(DOI, PubMed id) of the papers that a record names; lists of one length go together."""
    dois = [_DOI_PREFIX.sub("", doi) for doi in listed(record.get("reference_doi"))]
    pmids = listed(record.get("reference_pmid"))
    if len(dois) == len(pmids):
        return list(zip(dois, pmids, strict=True))
    return [*((doi, None) for doi in dois), *((None, pmid) for pmid in pmids)]


def doi_by_pmid(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """DOI of a paper by its PubMed id, as far as a record names both; not where records contradict each other."""
    found: dict[str, dict[str, str]] = {}
    for record in records:
        for doi, pmid in paper_pairs(record):
            if doi and pmid:
                found.setdefault(pmid, {}).setdefault(doi.lower(), doi)
    return {pmid: next(iter(dois.values())) for pmid, dois in found.items() if len(dois) == 1}


def collect_papers(records: Iterable[Mapping[str, Any]], dois: Mapping[str, str] | None = None) -> list[Citation]:
    """The papers of neurons, and the archives of those without one, sorted by key.

    A paper that one record names by its DOI and another by its PubMed id is one, if a third names both.

    Args:
        records: with ``reference_doi``, ``reference_pmid`` and ``archive``.
        dois: by PubMed id; by default, what these records tell.
    """
    if dois is None:
        records = list(records)
        dois = doi_by_pmid(records)
    pmids = {doi.lower(): pmid for pmid, doi in sorted(dois.items(), reverse=True)}
    found: dict[tuple[str, str], Citation] = {}
    for record in records:
        archive = next(iter(listed(record.get("archive"))), None)
        pairs = [(doi or dois.get(pmid or ""), pmid) for doi, pmid in paper_pairs(record)]
        named = {("doi", doi.lower()) if doi else ("pmid", pmid or ""): (doi, pmid) for doi, pmid in pairs}
        for name, (doi, pmid) in named.items():
            known = pmids.get(doi.lower(), pmid) if doi else pmid
            found.setdefault(name, Citation("", "paper", doi, known)).count(archive)
        if not pairs:
            found.setdefault(("archive", archive or "unknown"), Citation("", "archive")).count(archive)
    taken: set[str] = set()
    for name in sorted(found):
        found[name].key = _free_key(*name, taken)
    return [found[name] for name in sorted(found)]


def _free_key(kind: str, text: str, taken: set[str]) -> str:
    key = f"{kind}_{re.sub(r'[^A-Za-z0-9]+', '_', text).strip('_')}"
    if key.lower() in taken:  # two names that differ in what a key cannot have
        key = f"{key}_{short_hash(text, 6)}"
    taken.add(key.lower())
    return key


def write_citations(folder: Path, citations: Sequence[Citation]) -> None:
    """Write ``citations.csv`` and ``citations.bib``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in citations:
        archives = " | ".join(sorted(one.archives))
        writer.writerow(
            (one.key, one.what, one.doi or "", one.pmid or "", archives, one.n_neurons, reference_text(one))
        )
    write_lines(folder / CSV_NAME, text.getvalue().splitlines())
    entries = [line for one in citations if one.what != "archive" for line in bibtex_entry(one)]
    write_lines(folder / BIBTEX_NAME, entries)


def reference_text(citation: Citation) -> str:
    """The citation in words, as far as it is known; a paper is known by its DOI or PubMed id."""
    known = citation.fields
    if "title" in known:
        parts = [known.get("author", ""), f"({known['year']})" if "year" in known else "", f"{known['title']}."]
        parts += [known.get("journal", ""), known.get("volume", ""), known.get("note", "")]
        return " ".join(part for part in parts if part)
    if citation.doi:
        return f"https://doi.org/{citation.doi}"
    if citation.pmid:
        return f"PubMed {citation.pmid}"
    return f"archive {', '.join(sorted(citation.archives)) or 'unknown'}; its record names no paper"


def bibtex_entry(citation: Citation) -> list[str]:
    """The lines of a BibTeX entry; reference managers complete it from the DOI."""
    fields = {name: _escape(value) for name, value in citation.fields.items()}
    if citation.doi:
        fields |= {"doi": citation.doi, "url": f"https://doi.org/{citation.doi}"}
    used = f"{citation.n_neurons} neurons"
    if citation.archives:
        used += f" of {', '.join(sorted(citation.archives))}"
    pmid = f"PMID {citation.pmid}; " if citation.pmid else ""
    note = f"{fields['note']}; " if "note" in fields else ""
    fields["note"] = f"{note}{pmid}{_escape(used)}"
    kind = "article" if "journal" in fields else "misc"
    return [f"@{kind}{{{citation.key},", *(f"  {name} = {{{value}}}," for name, value in fields.items()), "}"]


def _escape(text: str) -> str:
    return _BIBTEX_SPECIAL.sub(r"\\\1", text)
