"""TLS in a real browser, and why there is no connection, as a page gets to know it."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator
from pathlib import Path
from typing import cast
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.serving import Server, serving
from tickwire_client.connection import trusting
from tickwire_shared.reasons import Reason

BARE_PAGE = "<!doctype html><title>bare</title><link rel=icon href=data:,>"
WHY = """async ([url, room]) => {
    const { connect } = await import("/sdk/tickwire.js");
    const game = connect(url, { room, reconnect: false });
    return game.ready.then(() => (game.leave(), "joined"), (error) => error.why);
}"""


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Server, None, None]:
    """The demo with a development certificate."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with serving("--tls-dev", "--bots", "1", cwd=tmp_path) as server:
        yield server


@pytest.fixture
def plain(tmp_path: Path) -> Generator[Server, None, None]:
    """A server with a page of its own, which may ask anybody."""
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text(BARE_PAGE)
    with serving("--web", "page", cwd=tmp_path) as server:
        yield server
        assert server.stop().status == 0


def why(page: Page, url: str, room: str = "arena") -> str:
    """What the SDK finds out on a page."""
    return cast("str", page.evaluate(WHY, [url, room]))


def test_a_game_is_played_over_tls_and_the_page_says_in_words_when_its_server_is_gone(
    browser: Browser, secure: Server, tmp_path: Path
) -> None:
    assert secure.url.startswith("https://")
    trust = trusting(tmp_path / "data" / "tickwire" / "authority.pem")
    with urlopen(f"{secure.url}healthz", context=trust, timeout=10) as answer:
        assert json.load(answer)["ok"] is True
    with browser.new_context(ignore_https_errors=True) as context:
        page = context.new_page()
        sockets: list[str] = []
        page.on("websocket", lambda opened: sockets.append(opened.url))
        page.goto(f"{secure.url.replace('https', 'http')}?name=Ada&auto=1")  # as a person types it
        expect(page.get_by_test_id("scoreboard").locator("li")).to_have_count(2)  # Ada and the bot
        assert page.url.startswith(secure.url)
        assert sockets == [f"wss://127.0.0.1:{secure.port}/ws"]
        assert secure.stop().status == 0
        status = page.get_by_test_id("status")
        expect(status).to_contain_text("The server does not answer.")
        expect(status).to_have_attribute("data-why", Reason.NOT_THERE.value)


def test_a_page_finds_out_why_it_can_not_connect(browser: Browser, plain: Server, secure: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nobody = unused.getsockname()[1]
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(plain.url)
        found = {
            "itself": why(page, plain.websocket_url),
            "another host's page": why(page, f"ws://localhost:{plain.port}"),
            "nobody": why(page, f"ws://127.0.0.1:{nobody}"),
            "another path": why(page, f"{plain.websocket_url}/game"),
            "a stranger's certificate": why(page, f"wss://127.0.0.1:{secure.port}"),
            "no TLS": why(page, f"wss://127.0.0.1:{plain.port}"),
            "TLS": why(page, f"ws://127.0.0.1:{secure.port}"),
            "no such room": why(page, plain.websocket_url, "nosuch"),
        }
    assert found == {
        "itself": "joined",
        "another host's page": Reason.ORIGIN_REFUSED.value,
        "nobody": Reason.NOT_THERE.value,
        "another path": Reason.WRONG_PATH.value,
        "a stranger's certificate": Reason.NOT_PRIVATE.value,
        "no TLS": Reason.NO_TLS.value,
        "TLS": Reason.NEEDS_TLS.value,
        "no such room": "no such room",
    }
