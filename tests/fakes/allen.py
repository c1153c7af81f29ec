"""A replica of the Allen Institute's servers: RMA and its files, and the Patch-seq folders of the Brain Image Library.

One server stands for both. By hand: ``python -m tests.fakes.allen --port 8081 --cache /tmp/cache`` prints the variables
with which ``python -m axonet.utils.allen_bulk --out x --include-metadata`` runs against it.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.neurons import made_up_swc
from tests.fakes.server import Fault, Replica, Request, Response, serve_forever

FOLDERS = {"mIVSCC-MET": "biccn/zeng/pseq/morph/200526", "hIVSCC-MET": "biccn/lein/pseq/morph/200526"}
_OPTION = re.compile(r"\[(num_rows|start_row)\$eq(\w+)\]")
_EQUALS = re.compile(r"\[(\w+)\$eq'?([^'\]]+)'?\]")
_NOT_NULL = re.compile(r"\[(\w+)\$ne'?null'?\]")


def made_up_specimen(cell: int, species: str = "Mus musculus", file_id: int | None = None) -> dict[str, Any]:
    """A row of ``ApiCellTypesSpecimenDetail``; ``file_id`` None for a cell without a reconstruction."""
    is_mouse = species == "Mus musculus"
    donor = f"Rorb-IRES2-Cre-D;Ai14-{cell // 10}" if is_mouse else f"H99.03.{cell % 1000:03d}"
    return {
        "line_name": "Rorb-IRES2-Cre-D" if is_mouse else "", "specimen__id": cell, "specimen__name": f"{donor}.01.01",
        "specimen__hemisphere": "left", "structure__id": 778,
        "structure__name": '"Primary visual area, layer 4"' if is_mouse else '"frontal lobe"',
        "structure__acronym": "VISp4" if is_mouse else "FroL", "structure_parent__id": 385,
        "structure_parent__acronym": "VISp" if is_mouse else "FroL", "structure__layer": "4" if is_mouse else "3",
        "nr__max_euclidean_distance": None, "nr__number_stems": 5 if file_id else None,
        "nr__number_bifurcations": 20 if file_id else None, "nr__average_contraction": None,
        "nr__average_parent_daughter_ratio": None,
        # One cell has a file and no type.
        "nr__reconstruction_type": None if file_id is None or cell % 10 == 9 else ("full", "dendrite-only")[cell % 2],
        "nrwkf__id": file_id, "erwkf__id": 600_000 + cell, "ef__tau": 20.5, "ef__ri": 150.25, "ef__vrest": -70.5,
        "si__height": None, "si__width": None, "si__path": None, "csl__x": 1.0, "csl__y": 2.0, "csl__z": 3.0,
        "csl__normalized_depth": None, "cell_reporter_status": "positive" if is_mouse else None, "m__glif": 2,
        "m__biophys": 0, "tag__apical": "intact" if cell % 2 else "NA",
        "tag__dendrite_type": ("spiny", "aspiny", "sparsely spiny")[cell % 3], "morph_thumb_path": None,
        "donor__age": "" if is_mouse else "40 yrs", "donor__sex": "" if is_mouse else "Female",
        "donor__disease_state": "" if is_mouse else "epilepsy", "donor__race": None,
        "donor__years_of_seizure_history": None, "donor__species": species, "donor__id": 7_000_000 + cell // 10,
        "donor__name": donor,
    }  # fmt: skip


def made_up_patch_seq(cell: int, project: str = "mIVSCC-MET") -> dict[str, str]:
    """A row of a Patch-seq metadata table."""
    is_mouse = project == "mIVSCC-MET"
    donor = f"Sst-IRES-Cre;Ai14-{cell // 10}" if is_mouse else f"H88.03.{cell % 1000:03d}"
    return {
        "project": project, "cell_specimen_id": str(cell), "cell_specimen_name": f"{donor}.02.01",
        "hemisphere": "right", "structure": ("VISp2/3", "VISp5", "VISpm4")[cell % 3] if is_mouse else "MTG",
        "donor_id": donor.rpartition("-")[2], "donor_name": donor, "biological_sex": "MF"[cell % 2],
        "age": "P55" if is_mouse else "28 yrs", "ethnicity": "", "medical_conditions": "" if is_mouse else "epilepsy",
        "full_genotype": "Sst-IRES-Cre/wt;Ai14(RCL-tdT)/wt" if is_mouse else "",
        "dendrite_type": "aspiny" if is_mouse else "spiny", "apical_dendrite_status": "" if is_mouse else "notchecked",
        "neuron_reconstruction_type": ("full", "dendrite-only")[cell % 2],
        "cell_soma_normalized_depth": "0.36", "depth_from_pia_um": "", "ephys_session_id": str(cell - 15),
        "transcriptomics_sample_id": f"PS0810_E1-50_S{cell}", "transcriptomics_batch": "BT035",
        "corresponding_AIT2.3.1_ID": "CS180626100018" if is_mouse else "",
        "corresponding_AIT2.3.1_alias": "Sst Calb2 Pdlim5" if is_mouse else "Exc L2-3 LINC00507 FREM3",
    }  # fmt: skip


class Allen:
    """The servers: cells, tables and files, all of which a test may change.

    Attributes:
        specimens: rows of the Cell Types Database.
        known_files: content and file name by number.
        patch_seq: rows of the metadata tables.
        manifest: rows of the file manifests.
        files: content by path on the file server, without a slash before it.
        says_error: message with which every query fails, with status 200.
    """

    def __init__(self) -> None:
        self.specimens: list[dict[str, Any]] = []
        self.known_files: dict[int, tuple[str, bytes]] = {}
        self.patch_seq: list[dict[str, str]] = []
        self.manifest: list[dict[str, str]] = []
        self.files: dict[str, bytes] = {}
        self.says_error: str | None = None

    @classmethod
    def made_up(cls, n_database: int = 6, n_mouse: int = 4, n_human: int = 2) -> Allen:
        """Servers with some cells of each kind; half of the database's cells have no reconstruction."""
        site = cls()
        for number in range(n_database):
            species = "Homo Sapiens" if number % 3 == 2 else "Mus musculus"
            site.add_specimen(made_up_specimen(300_000 + number, species, 9_000 + number))
            site.add_specimen(made_up_specimen(310_000 + number, species))
        for number in range(n_mouse):
            site.add_patch_seq(made_up_patch_seq(601_000 + number))
        for number in range(n_human):
            site.add_patch_seq(made_up_patch_seq(541_000 + number, "hIVSCC-MET"))
        return site

    def add_specimen(self, row: dict[str, Any]) -> None:
        """Add a cell of the database, with a file if it names one."""
        self.specimens.append(row)
        if row["nrwkf__id"] is not None:
            name = f"{row['specimen__name'].replace(';', '_')}_{row['nrwkf__id'] - 2}_m.swc"
            self.known_files[row["nrwkf__id"]] = (name, made_up_swc(row["specimen__id"]))

    def add_patch_seq(self, row: dict[str, str]) -> None:
        """Add a Patch-seq cell with its three files and their rows in the manifest."""
        self.patch_seq.append(row)
        cell, folder = row["cell_specimen_id"], FOLDERS[row["project"]]
        contents = {
            (f"{cell}.marker", "marker_swc"): b"x,y,z\n1,2,3\n",
            (f"{cell}_raw.swc", "raw_swc"): made_up_swc(int(cell)),
            (f"{cell}_transformed.swc", "transformed_swc"): made_up_swc(int(cell) + 500_000),
        }
        for (name, kind), content in contents.items():
            self.files[f"{folder}/{name}"] = content
            row_of_file = {
                "file_id": cell, "file_name": name, "file_size": str(len(content)),
                "sha256_checksum": hashlib.sha256(content).hexdigest(),
                "md5_checksum": hashlib.md5(content).hexdigest(), "technique": "morphology", "file_type": kind,
                "archive": "BIL", "archive_uri": f"ftp://download.brainlib.org:8811/{folder}/{name}",
                "project": row["project"], "cell_specimen_id": cell,
            }  # fmt: skip
            self.manifest.append(row_of_file)

    def tables(self) -> dict[str, str]:
        """The tables of the release as CSV, by file name."""
        tables = {}
        for word, project in (("mouse", "mIVSCC-MET"), ("human", "hIVSCC-MET")):
            cells = [row for row in self.patch_seq if row["project"] == project]
            files = [row for row in self.manifest if row["project"] == project]
            if files:  # a file of the whole release belongs to no cell
                files.append(files[0] | {"file_name": "counts.csv", "file_type": "csv", "cell_specimen_id": ""})
            tables[f"20200625_patchseq_metadata_{word}.csv"] = to_csv(cells)
            tables[f"2020-06-26_{word}_file_manifest.csv"] = to_csv(files)
        return tables

    def write_tables(self, folder: Path) -> Path:
        """Write the tables into a folder, for ``--tables``."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.tables().items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    def write_package(self, cache: Path) -> Path:
        """Write a package with the tables into a cache folder, as pip would have fetched it; returns the folder."""
        folder = cache / "packages"
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(folder / "ipfx-2.1.2-py3-none-any.whl", "w") as archive:
            for name, text in self.tables().items():
                archive.writestr(f"ipfx/data_release/{name}", text)
        return cache

    def respond(self, request: Request) -> Response:
        path = request.decoded
        if path == "/api/v2/data/query.json":
            return self._query(parse_qs(request.query).get("criteria", [""])[0])
        if path.startswith("/api/v2/well_known_file_download/"):
            found = self.known_files.get(int(path.rsplit("/", 1)[-1]))
            if found is None:
                return Response.html(404)
            return Response(200, found[1], {"Content-Disposition": f'attachment; filename="{found[0]}"'})
        if path.endswith("/"):
            return self._directory(path.strip("/"))
        content = self.files.get(path.lstrip("/"))
        return Response.html(404) if content is None else Response(200, content, {"ETag": f'"{len(content)}"'})

    def distort(self, kind: str, request: Request, response: Response) -> Response:
        """Fault of the content: ``other_bytes``, a file of the right length that is another one."""
        assert kind == "other_bytes"
        return Response(response.status, response.body.replace(b" 3 ", b" 4 "), response.headers)

    def _query(self, criteria: str) -> Response:
        if self.says_error is not None or "model::ApiCellTypesSpecimenDetail" not in criteria:
            message = self.says_error or "undefined model"
            answer = {"success": False, "id": 0, "start_row": 0, "num_rows": 0, "total_rows": 0, "msg": message}
            return Response.json(answer)
        options = dict(_OPTION.findall(criteria))
        rows = self.specimens
        for name in _NOT_NULL.findall(criteria):
            rows = [row for row in rows if row.get(name) is not None]
        for name, value in _EQUALS.findall(criteria):
            if name not in ("num_rows", "start_row"):
                rows = [row for row in rows if str(row.get(name)) == value]
        start = int(options.get("start_row", 0))
        number = len(rows) if options.get("num_rows") == "all" else int(options.get("num_rows", 50))
        page = rows[start : start + number]
        answer = {"success": True, "id": 0, "start_row": start, "num_rows": len(page), "total_rows": len(rows)}
        return Response.json({**answer, "msg": page})

    def _directory(self, folder: str) -> Response:
        names = sorted(path.rsplit("/", 1)[-1] for path in self.files if path.rsplit("/", 1)[0] == folder)
        if not names:
            return Response.html(404)
        links = "\n".join(f'<li><a href="{name}"> {name}</a></li>' for name in names)
        body = f"<html><head><title>Index of /{folder}</title></head><body><ul>{links}</ul></body></html>"
        return Response(200, body.encode(), {"Content-Type": "text/html"})


def to_csv(rows: Iterable[Mapping[str, str]]) -> str:
    """Rows with the same keys as CSV; nothing for no rows."""
    text = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(text, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return text.getvalue()


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="a replica of the Allen Institute's servers on loopback")
    parser.add_argument("--port", type=int, default=8081, help="0: any free one")
    parser.add_argument("--cells", type=int, default=6, help="made-up cells of each kind")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the package with the Patch-seq tables")
    parser.add_argument("--faults", default="[]", help='e.g. [{"kind": "html", "match": "download/9001"}]')
    arguments = parser.parse_args()
    site = Allen.made_up(arguments.cells, arguments.cells, arguments.cells)
    faults = [Fault(**fault) for fault in json.loads(arguments.faults)]
    replica = Replica(site, port=arguments.port, faults=faults)
    variables = {"AXONET_ALLEN_URL": replica.url, "AXONET_BIL_URL": replica.url}
    variables["AXONET_CACHE"] = str(site.write_package(arguments.cache).resolve())
    serve_forever(replica, [f"export {name}={value}" for name, value in variables.items()])


if __name__ == "__main__":
    main()
