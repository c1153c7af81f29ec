"""The replica has the traps of the site: otherwise the tests against it would prove nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.fakes.neuromorpho import NeuroMorpho, made_up_record
from tests.fakes.neurons import made_up_swc
from tests.fakes.server import Fault, Replica


@pytest.fixture
def replica(monkeypatch: pytest.MonkeyPatch) -> Iterator[Replica]:
    monkeypatch.setenv("NO_PROXY", "*")
    with Replica(NeuroMorpho.made_up(120)) as one:
        yield one


def get(replica: Replica, path: str, **how: Any) -> httpx.Response:
    return httpx.get(f"{replica.url}{path}", timeout=5, **how)


def test_ids_are_sorted_as_text(replica: Replica) -> None:
    rows = get(replica, "/api/neuron?size=6").json()["_embedded"]["neuronResources"]
    assert [row["neuron_id"] for row in rows] == [1, 10, 100, 101, 102, 103]


def test_a_page_past_the_end_has_no_rows_and_the_same_block(replica: Replica) -> None:
    page = get(replica, "/api/neuron?page=9&size=50").json()
    assert "_embedded" not in page
    assert page["page"] == {"size": 50, "totalElements": 120, "totalPages": 3, "number": 9}


def test_large_pages_are_clipped_or_refused(replica: Replica) -> None:
    assert get(replica, "/api/neuron?size=5000").json()["page"]["size"] == 500
    replica.app.refuses_large_pages = True  # type: ignore[attr-defined]
    assert get(replica, "/api/neuron?size=5000").status_code == 400


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("neuron_id:1,2,3", 3),
        ("neuron_id:[* TO *]", 120),
        ("neuron_name:cell-0001*", 10),
        ("species:mouse AND brain_region:hippocampus", 40),
        ('brain_region:"spinal cord"', 40),
        ("brain_region:dorsal horn", 40),
        ("brain_region_2:CA1", 40),
        ("species:rat", 0),
    ],
)
def test_the_query_language(query: str, number: int, replica: Replica) -> None:
    page = get(replica, f"/api/neuron/select?q={quote(query)}").json()
    assert page["page"]["totalElements"] == number


def test_filters_are_exact_and_know_lists(replica: Replica) -> None:
    def count(filters: dict[str, list[str]]) -> int:
        answer = httpx.post(f"{replica.url}/api/neuron/select?size=1", json=filters).json()
        return int(answer["page"]["totalElements"])

    assert count({"domain": ["Dendrites, Soma, Axon"], "brain_region": ["CA1", "layer 4"]}) == 80
    assert count({"domain": ["Dendrites"]}) == 0


def test_unknown_fields_are_a_400_and_unknown_neurons_a_404_in_json(replica: Replica) -> None:
    assert get(replica, "/api/neuron/select?q=specie:mouse").status_code == 400
    assert httpx.post(f"{replica.url}/api/neuron/select", json={"specie": ["mouse"]}).status_code == 400
    answer = get(replica, "/api/neuron/name/nobody")
    assert answer.status_code == 404
    assert answer.json() == {
        "status": 404, "error": "Not Found", "message": "Requested neuron not found", "path": "/api/neuron/name/nobody",
    }  # fmt: skip
    assert httpx.put(f"{replica.url}/api/neuron/id/1").status_code == 405


def test_a_missing_file_is_a_web_page(replica: Replica) -> None:
    answer = get(replica, "/dableFiles/made_up/CNG%20version/nobody.CNG.swc")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html")


def test_links_lead_away_from_the_replica(replica: Replica) -> None:
    answer = get(replica, "/api/neuron/id/1")
    assert "http://neuromorpho.org/" in answer.text


def test_measurements_come_by_id_and_in_batches(replica: Replica) -> None:
    assert get(replica, "/api/morphometry/id/1").json()["n_stems"] == 3.0
    rows = get(replica, "/api/morphometry/select?q=Neuron_id:1,7,8&size=500").json()["_embedded"]["measurements"]
    assert [row["neuron_id"] for row in rows] == [1, 8]


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/api/health", "UP"),
        ("/api/neuron/fields", "Physical_Integrity"),
        ("/api/neuron/fields/species", "mouse"),
        ("/api/neuron/partition/species", '"mouse": 120'),
        ("/api/neuron/name/cell-00001", '"neuron_id": 1'),
        ("/api/morphometry/name/cell-00001", '"neuron_id": 1'),
        ("/api/pvec/id/1", "coefficients"),
    ],
)
def test_the_other_routes(path: str, part: str, replica: Replica) -> None:
    assert part in get(replica, path).text


def test_a_fault_happens_as_often_as_it_says_where_it_says(replica: Replica) -> None:
    replica.faults.append(Fault("503", match="id/2", times=2, skip=1))
    seen = [
        get(replica, path).status_code for path in ["/api/neuron/id/2", "/api/neuron/id/1"] + ["/api/neuron/id/2"] * 3
    ]
    assert seen == [200, 200, 503, 503, 200]
    assert [entry.fault for entry in replica.log] == [None, None, "503", "503", None]


@pytest.mark.parametrize("kind", ["no_embedded", "duplicate", "null_cell_type"])
def test_faults_of_a_page(kind: str, replica: Replica) -> None:
    replica.faults.append(Fault(kind))
    rows = get(replica, "/api/neuron?page=1&size=10").json().get("_embedded", {}).get("neuronResources", [])
    assert {
        "no_embedded": not rows,
        "duplicate": any(row["neuron_id"] == 1 for row in rows),
        "null_cell_type": bool(rows) and all(row["cell_type"] is None for row in rows),
    }[kind]


def test_a_site_comes_from_a_folder(tmp_path: Path) -> None:
    record = made_up_record(5, "n", "Lab")
    (tmp_path / "records.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    (tmp_path / "Lab").mkdir()
    (tmp_path / "Lab" / "n.CNG.swc").write_bytes(made_up_swc(5))
    site = NeuroMorpho.from_folder(tmp_path)
    assert site.files == {"lab/CNG version/n.CNG.swc": made_up_swc(5)}


@pytest.mark.parametrize("module", ["neuromorpho", "allen"])
def test_it_runs_by_hand(module: str, tmp_path: Path) -> None:
    more = ["--cache", str(tmp_path)] if module == "allen" else ["--neurons", "3"]
    command = [sys.executable, "-m", f"tests.fakes.{module}", "--port", "0", *more]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("export AXONET_")
        url = line.strip().split("=", 1)[1]
        assert httpx.get(f"{url}/api/health" if module == "neuromorpho" else f"{url}/none", timeout=5).status_code in (
            200,
            404,
        )
        process.kill()
