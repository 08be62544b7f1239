"""The demo in two real pages: what one player does, the other sees."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.serving import Server

PLAY_TIMEOUT_S = 60.0


def join(open_page: OpenPage, server: Server, name: str) -> Page:
    page = open_page(server.url)
    page.get_by_test_id("name").fill(name)
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("start")).to_be_hidden()
    expect(page.get_by_test_id("scoreboard")).to_contain_text(name)
    return page
