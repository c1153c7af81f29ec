"""The explorer in a browser: what a person does, on the page as a file and on the served one."""

from __future__ import annotations

import base64
import csv
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np
import pytest

from axonet.explore.folder import ExploreFolder
from axonet.utils.explore import main as explore
from axonet.utils.export import main as export
from tests.e2e.browser import Visit, browser, inked, visit, why_not
from tests.fakes.results import make_results

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(why_not() is not None, reason=why_not() or "")]

MARKUP = '<img src=x onerror="document.body.dataset.harm=1"><script>document.body.dataset.harm=1</script>'
UNKNOWN = "zyxwv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ExploreFolder:
    says = {"archive": f"lab {MARKUP}", "licence": MARKUP, "publication": MARKUP, "label": f"pyramidal {MARKUP}"}
    results = make_results(tmp_path_factory.mktemp("e2e") / "work", **says)
    assert export([str(results)]) == 0
    return ExploreFolder(results / "explore")


@pytest.fixture(scope="module")
def file(folder: ExploreFolder) -> Path:
    path = folder.root / "explorer.html"
    assert explore([str(folder.path), "--static", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def address(folder: ExploreFolder) -> Iterator[str]:
    import uvicorn

    from axonet.explore.guard import LOCAL
    from axonet.explore.listen import listening_socket
    from axonet.explore.server import create_app
    from axonet.explore.worker import Worker

    worker = Worker(folder.root / folder.origin.checkpoint, folder.meta["checkpoint"])
    socket = listening_socket("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(folder, worker, LOCAL), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    yield f"http://127.0.0.1:{socket.getsockname()[1]}/"
    server.should_exit = True
    thread.join()
    worker.close()
    socket.close()


@pytest.fixture(scope="module")
def playwright():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as own:
        yield own


@pytest.fixture(scope="module")
def chromium(playwright):
    with browser(playwright) as own:
        yield own


@pytest.fixture
def on_disk(chromium, file) -> Iterator[Visit]:
    """The page as a file, with the network off; at the end nothing was asked for and nothing went wrong."""
    with visit(chromium, offline=True) as own:
        own.open(file.as_uri())
        yield own
        assert own.foreign(file.as_uri()) == []
        assert own.problems == []


@pytest.fixture
def served(chromium, address) -> Iterator[Visit]:
    """The served page; at the end it asked nobody but its server, and nothing went wrong."""
    with visit(chromium) as own:
        own.open(address)
        yield own
        assert own.foreign(address) == []
        assert own.problems == []


def link_of(visit: Visit) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(visit.page.url).fragment).items()}


def test_a_click_on_a_point_shows_that_neuron(on_disk, folder, tmp_path):
    rows = np.argsort(-np.linalg.norm(folder.xy - folder.xy.mean(axis=0), axis=1))[:2]  # two that stand apart
    for row in rows.tolist():
        on_disk.click_point(row)
        on_disk.page.wait_for_function("id => document.body.dataset.panel === id", arg=folder.ids[row])
    name = folder.points["name"][row].as_py()
    assert on_disk.page.inner_text("#panel h2") == name
    assert on_disk.page.locator("#panel .views img").count() == 3
    assert on_disk.page.locator("#panel .hits .hit").count() == 8
    skeleton = on_disk.page.locator("#panel .skeleton")
    skeleton.locator("canvas").wait_for()
    on_disk.page.wait_for_selector(".skeleton[data-drawn]")
    skeleton.screenshot(path=tmp_path / "skeleton.png")
    assert inked(tmp_path / "skeleton.png") > 0.01
    assert on_disk.page.inner_text("#panel .bar").endswith("µm")
    assert link_of(on_disk)["neuron"] == folder.ids[row]


def test_hovering_shows_the_thumbnail_and_what_it_is(on_disk, folder):
    row = int(folder.xy[:, 0].argmax())
    x, y = on_disk.page.evaluate("row => axonet.screen(row)", row)
    box = on_disk.page.locator("#map").bounding_box()
    for step in (2, 1, 0):
        on_disk.page.mouse.move(box["x"] + x - step, box["y"] + y)
    on_disk.page.wait_for_selector("#tip:not([hidden]) img[src^=blob]")
    assert folder.points["name"][row].as_py() in on_disk.page.inner_text("#tip")
    assert on_disk.page.evaluate("document.querySelector('#tip img').naturalWidth") > 0


def test_a_prompt_is_answered_as_by_the_encoder_and_other_words_say_how(on_disk, folder):
    prompt = next(p for p in folder.meta["prompts"] if p["text"] == "a basket cell")
    assert "by embedding" in on_disk.search("a basket cell")
    assert on_disk.results() == prompt["rows"]
    said = on_disk.search(f"mouse granule {UNKNOWN}")
    table = folder.word_vectors
    assert "approximate" in said
    assert f"words it does not know: {UNKNOWN}" in said
    assert f"{table.fidelity:.0%}".replace("%", " %") in said
    cosine = folder.vectors @ table.embed([f"mouse granule {UNKNOWN}"])[0]
    assert on_disk.results()[0] == int(cosine.argmax())
    assert "full text" in on_disk.search("lab")
    assert len(on_disk.results()) == 10
    assert on_disk.search("GRANULE_05") == "1 called “GRANULE_05”"
    assert [folder.ids[row] for row in on_disk.results()] == ["folder:granule_05"]


def test_the_keyboard_is_enough(on_disk, folder):
    page = on_disk.page
    page.keyboard.press("/")
    page.keyboard.type("a granule cell")
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-results]")
    results = on_disk.results()
    page.focus("#results button")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert on_disk.panel() == folder.ids[results[1]]
    page.keyboard.press("Escape")
    page.wait_for_selector("body:not([data-panel])")
    assert on_disk.status() == "10 neurons"
    assert page.input_value("#query") == ""


def test_the_legend_filters_and_a_link_brings_everything_back(on_disk, file, folder, chromium):
    page = on_disk.page
    page.select_option("#color", "archive")
    page.wait_for_selector("body[data-color=archive]")
    archives = folder.points["archive"].to_pylist()
    page.click('#legend .entry:has-text("lab 1")')
    n = archives.count("lab 1")
    page.wait_for_selector(f'body[data-shown="{n}"]')
    assert on_disk.status() == f"{n} of 10 neurons"
    assert {archives[row] for row in on_disk.results()} == {"lab 1"}
    page.click(f'#results [data-row="{on_disk.results()[0]}"]')
    neuron = on_disk.panel()
    assert json.loads(link_of(on_disk)["filter"]) == {"archive": ["lab 1"]}
    with visit(chromium, offline=True) as again:
        again.open(page.url)
        assert again.panel() == neuron
        assert again.status() == f"{n} of 10 neurons"
        assert again.page.input_value("#color") == "archive"
        again.page.click('#legend .entry:has-text("lab 1")')
        again.page.wait_for_selector('body[data-shown="10"]')


def test_numbers_are_filtered_by_their_ends(on_disk, folder):
    on_disk.page.select_option("#color", "n_tips")
    on_disk.page.fill("#legend .range input >> nth=0", "8")
    on_disk.page.keyboard.press("Tab")
    n = int((folder.points["n_tips"].to_numpy() >= 8).sum())
    assert 0 < n < 10
    on_disk.page.wait_for_selector(f'body[data-shown="{n}"]')


def test_what_is_shown_can_be_saved(on_disk, folder):
    on_disk.search("a basket cell")
    with on_disk.page.expect_download() as waiting:
        on_disk.page.click("#csv")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))
    assert [row["neuron_id"] for row in rows] == [folder.ids[row] for row in on_disk.results()]
    assert float(rows[0]["cosine"]) >= float(rows[-1]["cosine"])
    assert float(rows[0]["n_tips"]) == folder.points["n_tips"][on_disk.results()[0]].as_py()


def test_a_lasso_selects(on_disk):
    page = on_disk.page
    page.click("#lasso")
    box = page.locator("#map").bounding_box()
    corners = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.05)]
    for number, (x, y) in enumerate(corners):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
        if number == 0:
            page.mouse.down()
    page.mouse.up()
    page.wait_for_function("document.querySelector('#status').textContent.endsWith('selected')")
    page.click("#clear")
    assert on_disk.status() == "10 neurons"


def test_names_with_markup_stay_text(on_disk, folder):
    row = folder.ids.index("folder:pyramidal_00")
    on_disk.page.click(f'#results [data-row="{row}"]')
    on_disk.panel()
    on_disk.page.select_option("#color", "archive")
    text = on_disk.page.inner_text("body")
    assert MARKUP in text
    assert on_disk.page.locator('img[src="x"]').count() == 0
    assert on_disk.page.get_attribute("body", "data-harm") is None


def test_similar_neurons_are_listed(on_disk, folder):
    on_disk.click_point(int(folder.xy[:, 0].argmax()))
    row = folder.ids.index(on_disk.panel())
    on_disk.page.click("text=Show similar")
    on_disk.page.wait_for_selector("body[data-results]")
    cosine = np.array(folder.vectors) @ folder.vectors[row]
    expected = [k for k in np.argsort(-cosine, kind="stable").tolist() if k != row]
    assert on_disk.results()[0] == expected[0]
    assert set(on_disk.results()) == set(expected)


def test_the_server_answers_words_and_gives_views_and_files(served, folder):
    import axonet

    assert "by embedding" in served.search("a mouse with many words that no table knows")
    model = axonet.load_model(folder.root / folder.origin.checkpoint)
    cosine = folder.vectors @ model.embed_text(["a mouse with many words that no table knows"])[0]
    assert served.results()[0] == int(cosine.argmax())
    served.page.click("#results button >> nth=0")
    assert served.panel() == folder.ids[served.results()[0]]
    served.page.wait_for_function("[...document.querySelectorAll('.views img')].every(image => image.naturalWidth > 0)")
    with served.page.expect_download() as waiting:
        served.page.click("#panel a:has-text('SWC')")
    assert Path(waiting.value.path()).read_bytes() == folder.swc(served.results()[0])[1]


def test_a_neuron_brought_along_finds_itself(served, folder, tmp_path):
    row = folder.ids.index("folder:basket_07")
    (tmp_path / "mine <b>.swc").write_bytes(folder.swc(row)[1])
    served.page.set_input_files("#file", tmp_path / "mine <b>.swc")
    served.page.wait_for_selector("body[data-results]")
    assert served.results()[0] == row
    assert served.page.inner_text("#panel h2") == "mine <b>"
    assert served.page.locator(".ring.upload:not([hidden])").count() == 1
    assert served.page.locator("#panel .views img").count() == 3


def test_what_is_no_neuron_is_said_in_words(chromium, address, tmp_path):
    (tmp_path / "page.swc").write_text("<html>not found</html>")
    with visit(chromium) as own:
        own.open(address)
        own.page.set_input_files("#file", tmp_path / "page.swc")
        own.page.wait_for_selector("body[data-results=error]")
        assert "page.swc" in own.status()


def test_with_many_neurons_the_lists_of_neighbors_are_enough(chromium, folder, monkeypatch, tmp_path):
    monkeypatch.setattr("axonet.explore.page.MOST_VECTORS", 5)
    assert explore([str(folder.path), "--static", str(tmp_path / "many.html")]) == 0
    cosine = np.array(folder.vectors) @ folder.vectors[3]
    with visit(chromium, offline=True) as own:
        own.open(f"{(tmp_path / 'many.html').as_uri()}#neuron={quote(folder.ids[3])}")
        own.panel()
        own.page.click("text=Show similar")
        own.page.wait_for_selector("body[data-results]")
        assert own.results() == [row for row in np.argsort(-cosine, kind="stable").tolist() if row != 3]
        assert own.problems == []


def test_without_webgl_everything_but_the_3d_view_works(playwright, file, folder):
    with browser(playwright, "--disable-3d-apis") as plain, visit(plain, offline=True) as own:
        own.open(file.as_uri())
        row = int(folder.xy[:, 0].argmax())
        own.click_point(row)
        assert own.panel() == folder.ids[row]
        assert "no WebGL" in own.page.inner_text("#panel .skeleton")
        assert "by embedding" in own.search("a basket cell")
        assert own.foreign(file.as_uri()) == []


def test_it_works_inside_a_report_that_embeds_it_as_a_data_address(chromium, file, tmp_path):
    data = base64.b64encode(file.read_bytes()).decode()
    assert len(data) < 2 * 1024 * 1024
    (tmp_path / "report.html").write_text(
        f'<iframe width="1200" height="700" src="data:text/html;base64,{data}"></iframe>'
    )
    with visit(chromium, offline=True) as own:
        own.page.goto((tmp_path / "report.html").as_uri())
        frame = own.page.frame_locator("iframe")
        frame.locator("body[data-ready=true]").wait_for()
        frame.locator("#results button").first.click()
        frame.locator("body[data-panel]").wait_for()
        frame.locator("#query").fill("a basket cell")
        frame.locator("#query").press("Enter")
        frame.locator("body[data-results]").wait_for()
        assert own.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_of_a_wide_or_a_narrow_window(chromium, file, folder, width, scheme, tmp_path):
    link = f"{file.as_uri()}#neuron={quote(folder.ids[4])}"
    with visit(chromium, width, 800, offline=True, scheme=scheme) as own:
        own.open(link)
        assert own.panel() == folder.ids[4]
        assert own.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        own.page.screenshot(path=tmp_path / f"{width}-{scheme}.png", full_page=True)
        background = own.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(17, 19, 23)") is (scheme == "dark")
        own.page.click("#theme")
        assert own.page.evaluate("getComputedStyle(document.body).backgroundColor") != background
