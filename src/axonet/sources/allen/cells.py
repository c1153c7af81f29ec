"""Cells of both sources in one list: a cell once, with one file, and metadata in the words of a plain table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from axonet.metadata.adapters.allen import ARCHIVE, LICENCE
from axonet.metadata.vocabulary.markers import is_driver
from axonet.metadata.vocabulary.regions import ACRONYMS
from axonet.metadata.vocabulary.words import said
from axonet.sources.allen.rma import file_url
from axonet.sources.allen.tables import SPECIES, PatchSeqFile
from axonet.sources.records import checked_id

LICENCE_BIL = "CC BY 4.0 (BICCN, Brain Image Library)"

CELL_TYPES_DOI = "10.1038/s41593-019-0417-0"
PATCH_SEQ_DOIS = {"mIVSCC-MET": "10.1016/j.cell.2020.09.057", "hIVSCC-MET": "10.1038/s41586-021-03813-8"}

_T_TYPE_COLUMNS = ("T-type Label", "t_type", "t_type_label", "corresponding_AIT2.3.1_alias")
_TRACED = {"full": ["soma", "axon", "dendrites"], "dendrite-only": ["soma", "dendrites"]}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with a reconstruction.

    Attributes:
        id: number of the specimen, over all of the institute's data.
        publications: DOIs of the papers that its data belong to.
        url: of its file.
        form: ``cell-types``, ``transformed`` or ``raw``.
        sha256: of the file, where it is known.
        size: in bytes, where it is known.
        metadata: fields of the ``table`` dialect, without ``swc``.
        rows: the sources' own rows, by source.
    """

    id: int
    publications: tuple[str, ...]
    url: str
    form: str
    sha256: str | None
    size: int | None
    metadata: dict[str, Any]
    rows: dict[str, Mapping[str, Any]]

    def to_record(self) -> dict[str, Any]:
        """The cell as plain data, for the ledger."""
        return {
            "name": str(self.id),
            "publications": list(self.publications),
            "url": self.url,
            "form": self.form,
            "sha256": self.sha256,
            "size": self.size,
            "metadata": self.metadata,
            "rows": dict(self.rows),
        }


def database_cell(row: Mapping[str, Any], site: str) -> Cell:
    """A row of the Cell Types Database that names a file."""
    cell = checked_id(row["specimen__id"], "specimen__id")
    reconstruction = said(row.get("nr__reconstruction_type"))
    metadata = {
        "id": str(cell),
        "source": "allen",
        "species": said(row.get("donor__species")),
        "region": _database_region(row),
        "layer": said(row.get("structure__layer")),
        "modifiers": _words(row.get("tag__dendrite_type")),
        "markers": drivers(row.get("line_name")),
        "t_type": None,
        "sex": said(row.get("donor__sex")),
        "apical_status": _apical(row.get("tag__apical")),
        "traced": _TRACED.get(reconstruction or "", []),
        "donor": said(row.get("donor__name")),
        "publication": CELL_TYPES_DOI,
        "archive": ARCHIVE,
        "licence": LICENCE,
    }
    url = file_url(site, checked_id(row["nrwkf__id"], "nrwkf__id"))
    return Cell(cell, (CELL_TYPES_DOI,), url, "cell-types", None, None, metadata, {"cell_types": row})


def patch_seq_cell(file: PatchSeqFile, row: Mapping[str, str], site: str, reconstruction: str) -> Cell:
    """A Patch-seq cell with a file; what its table says of it may be nothing."""
    region = said(row.get("structure"))
    publication = PATCH_SEQ_DOIS[file.project]
    metadata = {
        "id": str(file.cell),
        "source": "allen",
        "species": SPECIES[file.project],
        "region": [region] if region else [],
        "layer": None,  # glued to the acronym of the region, as in VISp2/3, where it is known
        "modifiers": _words(row.get("dendrite_type")),
        "markers": drivers(row.get("full_genotype")),
        "t_type": next((text for text in (said(row.get(name)) for name in _T_TYPE_COLUMNS) if text), None),
        "sex": said(row.get("biological_sex")),
        "apical_status": _apical(row.get("apical_dendrite_status")),
        "traced": _TRACED.get(row.get("neuron_reconstruction_type", ""), []),
        "donor": said(row.get("donor_name")) or said(row.get("donor_id")),
        "publication": publication,
        "archive": ARCHIVE,
        "licence": LICENCE_BIL,
    }
    return Cell(
        file.cell,
        (publication,),
        f"{site}/{file.path}",
        reconstruction,
        file.sha256,
        file.size,
        metadata,
        {"patch_seq": row},
    )


def merge_cells(cells: Iterable[Cell]) -> list[Cell]:
    """Every cell once, by id; of a cell in both sources the later file is taken, and gaps in what it tells are filled.

    Args:
        cells: of the Cell Types Database first.
    """
    merged: dict[int, Cell] = {}
    for cell in cells:
        earlier = merged.get(cell.id)
        if earlier is None:
            merged[cell.id] = cell
            continue
        filled = {name: value or earlier.metadata.get(name) for name, value in cell.metadata.items()}
        publications = (*cell.publications, *(doi for doi in earlier.publications if doi not in cell.publications))
        merged[cell.id] = replace(cell, metadata=filled, publications=publications, rows={**earlier.rows, **cell.rows})
    return [merged[cell] for cell in sorted(merged)]


def drivers(line: object) -> list[str]:
    """Driver lines of a line name or of a genotype such as ``Vip-IRES-Cre/wt;Ai14(RCL-tdT)/wt``."""
    alleles = [part.partition("/")[0].strip() for part in (said(line) or "").split(";")]
    return [allele for allele in alleles if is_driver(allele)]


def _database_region(row: Mapping[str, Any]) -> list[str]:
    """The region as an acronym that the vocabulary knows, else by its name, which carries quotes of its own."""
    for key in ("structure_parent__acronym", "structure__acronym"):
        acronym = said(row.get(key))
        if acronym in ACRONYMS:
            return [str(acronym)]
    name = said(str(row.get("structure__name") or "").strip().strip('"').partition(", layer")[0])
    return [name] if name else []


def _words(value: object) -> list[str]:
    word = said(value)
    return [word] if word else []


def _apical(value: object) -> str | None:
    word = said(value)
    return word if word in ("intact", "truncated") else None  # "notchecked" is no answer
