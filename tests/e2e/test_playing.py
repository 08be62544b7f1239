"""The demo in two real pages: what one player does, the other one sees."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypedDict, cast

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.serving import Server, serving

# The demo, but with its ships near each other in one half of the field, and all rocks in the other.
DUEL = """
from tickwire.demo.arena import SHIP_RADIUS, Arena

class Duel(Arena):
    name = "arena"
    seed = 6

    def free_spot(self, room):
        x, y = super().free_spot(room)
        is_for_ship = room == 2 * SHIP_RADIUS
        return (40 + 14 * (len(self.players) % 2), 58) if is_for_ship else (x, 8 + y / 4)
"""
STEP_TIMEOUT_S = 20.0
DUEL_TIMEOUT_S = 60.0
FIRE_RANGE = 14.0
SHIP_RADIUS = 1.2
TOP_SPEED = 24.0
TURN_RADIANS_PER_S = 4.4
SHORTEST_PRESS_S = 0.05
SETTLE_MS = 80.0
MIDDLE = "p.x > 0.2 && p.x < 0.8 && p.y > 0.1 && p.y < 0.9"


class Ship(TypedDict):
    """What the page tells of a ship."""

    id: int
    name: str
    x: float
    y: float
    heading: float
    hp: int
    alive: bool
    score: int


@pytest.fixture
def duel(tmp_path: Path) -> Generator[Server, None, None]:
    (tmp_path / "duel.py").write_text(DUEL)
    with serving("duel:Duel", cwd=tmp_path) as server:
        yield server
        assert server.stop().status == 0


@pytest.fixture
def crowd(tmp_path: Path) -> Generator[Server, None, None]:
    with serving("--bots", "7", cwd=tmp_path) as server:
        yield server
        assert server.stop().status == 0


def join(open_page: OpenPage, server: Server, name: str) -> Page:
    page = open_page(server.url, calm=True)
    page.get_by_test_id("name").fill(name)
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("start")).to_be_hidden()
    expect(page.get_by_test_id("scoreboard")).to_contain_text(name)
    return page


def ship(page: Page, name: str) -> Ship:
    """A ship as this page knows it."""
    ships = cast("list[Ship]", page.evaluate("window.__tickwire.ships"))
    return next(ship for ship in ships if ship["name"] == name)


def number(page: Page, test_id: str) -> int:
    """A number that the page shows."""
    return int(page.get_by_test_id(test_id).inner_text())


def wait_until(holds: Callable[[], bool], timeout_s: float = STEP_TIMEOUT_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def distance(one: Ship, other: Ship) -> float:
    return math.hypot(one["x"] - other["x"], one["y"] - other["y"])


class Gunner:
    """Flies a page's ship by its keyboard: turns to the target, comes near, shoots.

    Each key is held for a moment, and what came of it is looked at before the next: a browser on a busy
    machine draws few frames, and a key that is held while looking would overshoot.
    """

    def __init__(self, page: Page, name: str, target: str) -> None:
        self.page, self.name, self.target = page, name, target

    def step(self) -> None:
        own, target = ship(self.page, self.name), ship(self.page, self.target)
        off = math.remainder(math.atan2(target["y"] - own["y"], target["x"] - own["x"]) - own["heading"], math.tau)
        range_ = distance(own, target)
        if abs(off) > math.atan(SHIP_RADIUS / min(range_, FIRE_RANGE)):
            self.hold("ArrowRight" if off > 0 else "ArrowLeft", 0.7 * abs(off) / TURN_RADIANS_PER_S)
        elif range_ > FIRE_RANGE:
            self.hold("ArrowUp", min(0.6, (range_ - FIRE_RANGE) / TOP_SPEED))
        else:
            self.hold("Space", 0.5)

    def hold(self, key: str, seconds: float) -> None:
        self.page.keyboard.press(key, delay=1000 * max(seconds, SHORTEST_PRESS_S))
        before, now = math.nan, ship(self.page, self.name)["heading"]
        while before != now:
            self.page.wait_for_timeout(SETTLE_MS)
            before, now = now, ship(self.page, self.name)["heading"]

    def until(self, holds: Callable[[], bool]) -> None:
        def stepped() -> bool:
            self.step()
            return holds()

        wait_until(stepped, DUEL_TIMEOUT_S)


def test_a_ship_moves_by_keyboard_and_the_other_tab_sees_it_then_shots_take_health_and_a_kill_changes_the_score(
    duel: Server, open_page: OpenPage, artifacts: Path
) -> None:
    ada, bob = join(open_page, duel, "Ada"), join(open_page, duel, "Bob")
    before = ship(bob, "Ada")
    ada.keyboard.down("ArrowUp")
    wait_until(lambda: distance(ship(ada, "Ada"), before) > 3)
    wait_until(lambda: distance(ship(bob, "Ada"), before) > 3)
    ada.keyboard.up("ArrowUp")
    ada.keyboard.down("ArrowLeft")
    wait_until(lambda: abs(math.remainder(ship(bob, "Ada")["heading"] - before["heading"], 2 * math.pi)) > 1)
    ada.keyboard.up("ArrowLeft")

    assert (number(bob, "hp"), number(ada, "score")) == (100, 0)
    gunner = Gunner(ada, "Ada", "Bob")
    gunner.until(lambda: number(bob, "hp") < 100)
    ada.screenshot(path=artifacts / "duel.png")
    gunner.until(lambda: number(ada, "score") > 0)
    for page in (ada, bob):
        expect(page.get_by_test_id("feed")).to_contain_text("Ada")
        expect(page.get_by_test_id("feed")).to_contain_text("Bob")
    assert ship(bob, "Ada")["score"] == number(ada, "score")
    wait_until(lambda: number(bob, "hp") == 100)  # Bob is back
    # At rest both pages agree to the last bit.
    wait_until(lambda: ship(ada, "Ada") == ship(bob, "Ada") | {"mine": True})


def test_the_own_ship_is_in_the_picture_and_half_the_arena_is_not(duel: Server, open_page: OpenPage) -> None:
    ada = join(open_page, duel, "Ada")
    own = "const { x, y } = window.__tickwire.own.view"
    wait_until(lambda: ada.evaluate(f"() => {{ {own}; const p = window.__tickwire.inPicture(x, y); return {MIDDLE} }}"))
    corners = cast("list[float]", ada.evaluate("[0, 120].map((x) => window.__tickwire.inPicture(x, 40).x)"))
    assert corners[1] - corners[0] > 1.5


def test_the_page_shows_how_the_connection_is(crowd: Server, open_page: OpenPage, artifacts: Path) -> None:
    ada = join(open_page, crowd, "Ada")
    ada.keyboard.press("n")
    expect(ada.get_by_test_id("netgraph")).to_be_visible()
    expect(ada.get_by_test_id("ping")).to_have_text(re.compile(r"^[\d.]+ ms$"))
    expect(ada.get_by_test_id("scoreboard").locator("li")).to_have_count(8)
    ada.screenshot(path=artifacts / "playing.png")


def test_a_player_comes_back_after_the_connection_was_lost(duel: Server, open_page: OpenPage) -> None:
    ada, bob = join(open_page, duel, "Ada"), join(open_page, duel, "Bob")
    ident = ship(bob, "Ada")["id"]
    ada.context.set_offline(True)
    ada.context.set_offline(False)
    ada.keyboard.down("ArrowUp")
    before = ship(bob, "Ada")
    wait_until(lambda: distance(ship(bob, "Ada"), before) > 3)
    ada.keyboard.up("ArrowUp")
    assert ship(bob, "Ada")["id"] == ident
