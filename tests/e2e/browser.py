"""A headless browser that notes what a page asks for and what goes wrong in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--no-first-run",
    "--enable-unsafe-swiftshader",
]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
HARMLESS = "GPU stall due to ReadPixels"  # the software renderer's own remark


def why_not() -> str | None:
    """Why there is no browser to test with, None when there is one."""
    try:
        import playwright  # noqa: F401
    except ModuleNotFoundError:
        return "playwright is not installed"
    return None if CHROMIUM else "no Chromium is installed"


class Visit:
    """A page, and what happened in it.

    Attributes:
        page: the page.
        requests: addresses that it asked for, without those inside it.
        problems: errors and messages of its console.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.problems: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.problems.append(message.text) if HARMLESS not in message.text else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def open(self, address: str) -> None:
        """Go to an address and wait until the page is ready."""
        self.page.goto(address)
        self.page.wait_for_selector("body[data-ready=true]")

    def panel(self) -> str:
        """Id of the neuron in the panel, once it is there."""
        self.page.wait_for_selector("body[data-panel]")
        return str(self.page.get_attribute("body", "data-panel"))

    def click_point(self, row: int) -> None:
        """Click where a neuron is on the map."""
        x, y = self.page.evaluate("row => axonet.screen(row)", row)
        box = self.page.locator("#map").bounding_box()
        self.page.mouse.move(box["x"] + x - 1, box["y"] + y)
        self.page.mouse.move(box["x"] + x, box["y"] + y)
        self.page.mouse.click(box["x"] + x, box["y"] + y)

    def search(self, words: str) -> str:
        """Search and return what the page says about the answer."""
        self.page.fill("#query", words)
        self.page.press("#query", "Enter")
        self.page.wait_for_selector("body[data-results]")
        return self.status()

    def status(self) -> str:
        """The line above the results."""
        return str(self.page.inner_text("#status"))

    def results(self) -> list[int]:
        """Rows of the results, in their order."""
        return [
            int(row)
            for row in self.page.eval_on_selector_all("#results [data-row]", "all => all.map(e => e.dataset.row)")
        ]

    def foreign(self, *own: str) -> list[str]:
        """Requests to other places than these."""
        return [url for url in self.requests if not url.startswith(("data:", "blob:", *own))]


@contextmanager
def browser(playwright: Any, *more_flags: str) -> Iterator[Any]:
    """A Chromium."""
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *more_flags])
    yield chromium
    chromium.close()


@contextmanager
def visit(
    chromium: Any, width: int = 1280, height: int = 800, *, offline: bool = False, scheme: str = "light"
) -> Iterator[Visit]:
    """A window of its own."""
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", offline=offline
    )
    context.set_default_timeout(30_000)
    yield Visit(context.new_page())
    context.close()


def inked(picture: Path) -> float:
    """Share of the pixels of a screenshot that are not of its commonest color."""
    import numpy as np
    from PIL import Image

    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    _, counts = np.unique(pixels, axis=0, return_counts=True)
    return 1 - counts.max() / counts.sum()
