"""A replica of NeuroMorpho.Org: its API under ``/api``, its files under ``/dableFiles``.

By hand: ``python -m tests.fakes.neuromorpho --port 8080 --neurons 50`` and, in another terminal,
``AXONET_NEUROMORPHO_URL=http://127.0.0.1:8080 python -m axonet.utils.neuromorpho_bulk --query species:mouse --out x``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.neurons import SwcTexts, made_up_swc
from tests.fakes.selection import UnknownField, matches_filters, parse_query, value_of
from tests.fakes.server import Fault, Replica, Request, Response, serve_forever

FIELDS = (
    "neuron_id", "neuron_name", "archive", "age_scale", "gender", "reference_pmid", "reference_doi", "note",
    "age_classification", "brain_region", "cell_type", "species", "strain", "scientific_name", "stain",
    "experiment_condition", "protocol", "slicing_direction", "reconstruction_software", "objective_type",
    "original_format", "domain", "attributes", "magnification", "upload_date", "deposition_date",
    "shrinkage_reported", "shrinkage_corrected", "reported_value", "reported_xy", "reported_z", "corrected_value",
    "corrected_xy", "corrected_z", "soma_surface", "surface", "volume", "slicing_thickness", "min_age", "max_age",
    "min_weight", "max_weight", "png_url", "Physical_Integrity",
)  # fmt: skip
SIZE_LIMIT = 500
_REGIONS = (["neocortex", "somatosensory", "layer 4"], ["hippocampus", "CA1"], ["spinal cord", "dorsal horn"])
_TYPES = (["pyramidal", "principal cell"], ["Martinotti", "interneuron"], None)


def made_up_record(neuron_id: int, name: str, archive: str, species: str = "mouse", **changes: Any) -> dict[str, Any]:
    """A record with all keys of the API, and values of the same kinds."""
    record: dict[str, Any] = {
        "neuron_id": neuron_id, "neuron_name": name, "archive": archive, "note": None, "age_scale": "Day",
        "gender": "Male", "age_classification": "adult", "brain_region": _REGIONS[neuron_id % 3],
        "cell_type": _TYPES[neuron_id % 3], "species": species, "strain": "C57BL/6",
        "scientific_name": "Mus musculus", "stain": "biocytin", "experiment_condition": ["Control"],
        "protocol": "in vitro", "slicing_direction": "coronal", "reconstruction_software": "Neurolucida",
        "objective_type": "Not reported", "original_format": "Neurolucida.asc", "domain": "Dendrites, Soma, Axon",
        "attributes": "Diameter, 3D, Angles", "magnification": "100", "upload_date": "2015-05-01",
        "deposition_date": "2014-12-31", "shrinkage_reported": "Reported", "shrinkage_corrected": "Not Corrected",
        "reported_value": None, "reported_xy": None, "reported_z": None, "corrected_value": None,
        "corrected_xy": None, "corrected_z": None, "soma_surface": f"{500 + neuron_id}.0", "surface": "8842.91",
        "volume": "4725.89", "slicing_thickness": "300", "min_age": "50.0", "max_age": "60.0", "min_weight": None,
        "max_weight": None, "png_url": f"http://neuromorpho.org/images/imageFiles/{archive}/{name}.png",
        "reference_pmid": [str(10_000_000 + neuron_id % 4)], "reference_doi": [f"10.1234/made.up.{neuron_id % 4}"],
        "physical_Integrity": "Dendrites Complete & Axon Moderate",
        "_links": {
            "self": {"href": f"http://neuromorpho.org/api/neuron/id/{neuron_id}"},
            "measurements": {"href": f"http://neuromorpho.org/api/morphometry/id/{neuron_id}"},
            "persistence_vector": {"href": f"http://neuromorpho.org/api/pvec/id/{neuron_id}"},
        },
    }  # fmt: skip
    return record | changes


def made_up_measures(neuron_id: int, name: str) -> dict[str, Any]:
    """Measurements with the keys of the API; counts are floats there too."""
    n_bifs = float(neuron_id % 40)
    return {
        "neuron_name": name, "neuron_id": neuron_id, "surface": 9000.5 + neuron_id, "volume": 3000.25,
        "n_bifs": n_bifs, "n_branch": 2 * n_bifs + 3, "width": 139.7, "height": 163.8, "depth": 59.4, "diameter": 1.0,
        "eucDistance": 142.4, "pathDistance": 686.2, "branch_Order": 12.0, "contraction": 0.79,
        "fragmentation": 1665.0, "partition_asymmetry": 0.66, "pk_classic": 2.0, "bif_ampl_local": 100.5,
        "fractal_Dim": 1.14, "soma_Surface": None, "n_stems": 3.0, "bif_ampl_remote": 94.2, "length": 4267.4,
    }  # fmt: skip


class NeuroMorpho:
    """The site: records, measurements and files, all of which a test may change.

    Attributes:
        records: by id.
        measures: by id.
        files: content by decoded path below ``/dableFiles/``; a function is called for its content.
        refuses_large_pages: answer 400 to a page above the limit instead of a smaller page.
        etags: whether files have an ``ETag`` (or else a ``Last-Modified``).
    """

    def __init__(self) -> None:
        self.records: dict[int, dict[str, Any]] = {}
        self.measures: dict[int, dict[str, Any]] = {}
        self.files: dict[str, bytes | Callable[[], bytes]] = {}
        self.refuses_large_pages = False
        self.etags = True

    @classmethod
    def made_up(cls, n: int, archive: str = "Made_Up", first: int = 1) -> NeuroMorpho:
        """A site of ``n`` mouse neurons, every seventh without measurements."""
        site = cls()
        for neuron_id in range(first, first + n):
            site.add(made_up_record(neuron_id, f"cell-{neuron_id:05d}", archive), made_up_swc(neuron_id))
        return site

    @classmethod
    def large(cls, n: int) -> NeuroMorpho:
        """A site of many neurons, whose files are made when they are asked for."""
        site, texts = cls(), SwcTexts(60)
        for neuron_id in range(1, n + 1):
            site.add(made_up_record(neuron_id, f"cell-{neuron_id:06d}", "Many"), lambda i=neuron_id: texts.swc(i))
        return site

    @classmethod
    def from_folder(cls, folder: Path) -> NeuroMorpho:
        """A site out of ``records.jsonl``, ``measures.jsonl`` (if there) and ``{archive}/{name}.CNG.swc``."""
        site = cls()
        for line in (folder / "records.jsonl").read_text("utf-8").splitlines():
            record = json.loads(line)
            path = folder / record["archive"] / f"{record['neuron_name']}.CNG.swc"
            site.add(record, path.read_bytes() if path.is_file() else None)
        if (folder / "measures.jsonl").is_file():
            for line in (folder / "measures.jsonl").read_text("utf-8").splitlines():
                measures = json.loads(line)
                site.measures[measures["neuron_id"]] = measures
        return site

    def add(self, record: dict[str, Any], swc: bytes | Callable[[], bytes] | None) -> None:
        """Add a neuron with its file (None: the file is missing) and made-up measurements."""
        neuron_id, name = record["neuron_id"], record["neuron_name"]
        self.records[neuron_id] = record
        if neuron_id % 7:
            self.measures[neuron_id] = made_up_measures(neuron_id, name)
        if swc is not None:
            self.files[self.file_path(record)] = swc

    @staticmethod
    def file_path(record: Mapping[str, Any]) -> str:
        """Path of a neuron's file below ``/dableFiles/``."""
        return f"{record['archive'].strip().lower()}/CNG version/{record['neuron_name']}.CNG.swc"

    def respond(self, request: Request) -> Response:
        path = request.decoded
        if path.startswith("/dableFiles/"):
            return self._file(request, path.removeprefix("/dableFiles/"))
        if not path.startswith("/api/"):
            return Response.html(200 if path.endswith(".jsp") else 404)
        if request.method not in ("GET", "POST"):
            return _error(405, "Method Not Allowed", f"Request method '{request.method}' not supported", path)
        try:
            return self._api(request, path.removeprefix("/api/").split("/"))
        except UnknownField as error:
            return _error(400, "Bad Request", f"undefined field {error}", path)

    def distort(self, kind: str, request: Request, response: Response) -> Response:
        """Faults of the content: ``no_embedded``, ``duplicate``, ``null_cell_type``, ``latin1``."""
        if kind == "latin1":
            return Response(response.status, b"# n\xe9uron de la r\xe9tine\n" + response.body, {})
        answer = json.loads(response.body)
        rows = answer.get("_embedded", {}).get("neuronResources", [])
        if kind == "no_embedded":
            answer.pop("_embedded", None)
        elif kind == "duplicate" and rows:
            # A neuron of the first page pushes out the last of this one: the pages shifted.
            first = min(self.records.values(), key=lambda record: str(record["neuron_id"]))
            rows[-1] = first
        elif kind == "null_cell_type":
            for row in rows:
                row["cell_type"] = None
        return Response.json(answer, response.status)

    def _file(self, request: Request, path: str) -> Response:
        content = self.files.get(path)
        if content is None:
            return Response.html(404)
        body = content if isinstance(content, bytes) else content()
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        date = f"Mon, 01 Jan 2024 00:00:{int(tag[1:3], 16) % 60:02d} GMT"
        name, value = ("ETag", tag) if self.etags else ("Last-Modified", date)
        asked = request.headers.get("if-none-match" if self.etags else "if-modified-since")
        return Response(304, b"", {name: value}) if asked == value else Response(200, body, {name: value})

    def _api(self, request: Request, parts: list[str]) -> Response:
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        match parts:
            case ["health"]:
                return Response.json({"status": "UP"})
            case ["neuron"]:
                return self._page(request, list(self.records.values()), query)
            case ["neuron", "select"]:
                return self._page(request, self._select(request), query)
            case ["neuron", "fields"]:
                return Response.json({"Neuron Fields": FIELDS})
            case ["neuron", "fields", field]:
                values = sorted(self._counts(field))
                return Response.json({"fields": values, "page": _block(len(values), 0, int(query.get("size", 50)))})
            case ["neuron", "partition", field]:
                counts = self._counts(field)
                return Response.json({"fields": dict(counts), "page": _block(len(counts), 0, 50)})
            case ["neuron" | "morphometry" | "pvec" as table, "id", neuron_id]:
                return self._one(table, neuron_id.isdigit() and int(neuron_id), request.decoded)
            case ["neuron" | "morphometry" as table, "name", *rest]:
                name = "/".join(rest)
                found = [i for i, record in self.records.items() if record["neuron_name"] == name]
                return self._one(table, found[0] if found else 0, request.decoded)
            case ["morphometry", "select"]:
                return self._measures(query)
        return _error(404, "Not Found", "No message available", request.decoded)

    def _select(self, request: Request) -> list[dict[str, Any]]:
        if request.method == "POST":
            filters = json.loads(request.body)
            return [record for record in self.records.values() if matches_filters(record, filters, FIELDS)]
        asked = parse_qs(request.query)
        tests = [parse_query(text, FIELDS) for text in (*asked.get("q", ()), *asked.get("fq", ()))]
        return [record for record in self.records.values() if all(test(record) for test in tests)]

    def _page(self, request: Request, rows: list[dict[str, Any]], query: Mapping[str, str]) -> Response:
        number, size = int(query.get("page", 0)), int(query.get("size", 50))
        if size > SIZE_LIMIT and self.refuses_large_pages:
            return _error(400, "Bad Request", f"size must not be above {SIZE_LIMIT}", request.decoded)
        size = min(size, SIZE_LIMIT)
        field, _, direction = query.get("sort", "neuron_id,asc").partition(",")
        # As text: 1, 10, 100, 2.
        rows = sorted(rows, key=lambda record: str(record.get(field)), reverse=direction == "desc")
        return _hal(request, "neuronResources", rows[number * size : (number + 1) * size], len(rows), number, size)

    def _measures(self, query: Mapping[str, str]) -> Response:
        _, _, ids = query.get("q", "").partition(":")
        rows = [self.measures[int(i)] for i in ids.split(",") if i.isdigit() and int(i) in self.measures]
        request = Request("GET", "/api/morphometry/select", "", {})
        return _hal(request, "measurements", rows, len(rows), 0, int(query.get("size", 50)))

    def _one(self, table: str, neuron_id: int, path: str) -> Response:
        if table == "pvec" and neuron_id in self.records:
            return Response.json({"neuron_id": neuron_id, "scaling_factor": 1.0, "coefficients": [0.0] * 100})
        rows = self.records if table == "neuron" else self.measures
        if neuron_id not in rows:
            return _error(404, "Not Found", "Requested neuron not found", path)
        return Response.json(rows[neuron_id])

    def _counts(self, field: str) -> Counter[str]:
        counts: Counter[str] = Counter()
        for record in self.records.values():
            value = value_of(record, field, FIELDS)
            counts.update(str(one) for one in (value if isinstance(value, list) else [value]) if one is not None)
        return counts


def _block(total: int, number: int, size: int) -> dict[str, int]:
    return {"size": size, "totalElements": total, "totalPages": math.ceil(total / size), "number": number}


def _hal(request: Request, name: str, rows: list[Any], total: int, number: int, size: int) -> Response:
    """A page. Its links lead to the public site: a client that follows them leaves the replica."""
    link = {"href": f"http://neuromorpho.org{request.path}?page={number}&size={size}"}
    answer: dict[str, Any] = {"_embedded": {name: rows}} if rows else {}
    answer |= {"_links": {"self": link, "next": link}, "page": _block(total, number, size)}
    return Response.json(answer)


def _error(status: int, error: str, message: str, path: str) -> Response:
    return Response.json({"status": status, "error": error, "message": message, "path": path}, status)


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="a replica of NeuroMorpho.Org on loopback")
    parser.add_argument("--port", type=int, default=8080, help="0: any free one")
    parser.add_argument("--neurons", type=int, default=50, help="made-up neurons")
    parser.add_argument("--folder", type=Path, help="records.jsonl and {archive}/{name}.CNG.swc instead")
    parser.add_argument("--faults", default="[]", help='e.g. [{"kind": "503", "match": "cell-00003", "times": 2}]')
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    arguments = parser.parse_args()
    if arguments.folder is not None:
        site = NeuroMorpho.from_folder(arguments.folder)
    else:
        site = NeuroMorpho.large(arguments.neurons)
    faults = [Fault(**fault) for fault in json.loads(arguments.faults)]
    replica = Replica(site, port=arguments.port, faults=faults, latency=arguments.latency)
    serve_forever(replica, [f"export AXONET_NEUROMORPHO_URL={replica.url}"])


if __name__ == "__main__":
    main()
