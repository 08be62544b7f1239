"""Real processes, real sockets, a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e.serving import Server, serving

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWPORT = {"width": 1280, "height": 800}

# A browser without a GPU spends most of a core on 60 pictures a second, and the tests' machine has two.
CALM = """
const soon = requestAnimationFrame;
window.requestAnimationFrame = (draw) => setTimeout(() => soon(draw), 35);
"""


class OpenPage(Protocol):
    """Opens a page at an address; a calm one draws about 20 pictures a second."""

    def __call__(self, url: str, *, calm: bool = False) -> Page: ...


@pytest.fixture(scope="session")
def browser() -> Generator[Browser, None, None]:
    """A headless Chromium."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.fail("no Chromium or Chrome is installed; name one with CHROMIUM=")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Generator[OpenPage, None, None]:
    """Opens pages, each in a profile of its own, and fails the test if one reports an error."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_one(url: str, *, calm: bool = False) -> Page:
        context = browser.new_context(viewport={"width": VIEWPORT["width"], "height": VIEWPORT["height"]})
        contexts.append(context)
        page = context.new_page()
        if calm:
            page.add_init_script(CALM)
        page.on("pageerror", lambda error: complaints.append(f"{url}: {error}"))
        page.on("console", lambda line: complaints.append(f"{url}: {line.text}") if line.type == "error" else None)
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def server(tmp_path: Path) -> Generator[Server, None, None]:
    """The demo arena, without bots."""
    with serving(cwd=tmp_path) as server:
        yield server
        assert server.stop().status == 0


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where pictures of the run are kept."""
    folder = Path(__file__).resolve().parents[2] / ".artifacts"
    folder.mkdir(exist_ok=True)
    return folder
