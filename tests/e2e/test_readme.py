"""The README's complete game works just as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import OpenPage
from tests.e2e.serving import Server, serving

README = Path(__file__).resolve().parents[2] / "README.md"
OWN, OTHERS = [224, 36, 94], [27, 143, 214]
MOVE_TIMEOUT_S = 15.0

# The leftmost pixel of a colour on the page's canvas; -1 when there is none.
LEFTMOST = """([red, green, blue]) => {
  const canvas = document.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let leftmost = -1;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] !== red || data[i + 1] !== green || data[i + 2] !== blue) continue;
    const x = (i / 4) % canvas.width;
    if (leftmost < 0 || x < leftmost) leftmost = x;
  }
  return leftmost;
}"""


@pytest.fixture
def pasted(tmp_path: Path) -> Path:
    """A folder with the README's files."""
    blocks = re.findall(r"```(\w+)\n(.*?)```", README.read_text(), re.DOTALL)
    game, test, *_ = (text for language, text in blocks if language == "python")
    (page,) = (text for language, text in blocks if language == "html")
    (tmp_path / "chase.py").write_text(game)
    (tmp_path / "test_chase.py").write_text(test)
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text(page)
    return tmp_path


@pytest.fixture
def chase(pasted: Path) -> Generator[Server, None, None]:
    with serving("chase:Chase", "--web", "page", cwd=pasted) as server:
        yield server
        assert server.stop().status == 0


def leftmost(page: Page, colour: list[int]) -> int:
    found: int = page.evaluate(LEFTMOST, colour)
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + MOVE_TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_players_of_the_pasted_game_see_each_other_move(chase: Server, open_page: OpenPage) -> None:
    ada, bob = open_page(chase.url, calm=True), open_page(chase.url, calm=True)
    wait_until(lambda: leftmost(ada, OWN) > 0 and leftmost(bob, OWN) > 0)
    start = leftmost(ada, OWN)
    wait_until(lambda: leftmost(bob, OTHERS) == start)  # Ada; the coin is farther to the right
    ada.keyboard.down("ArrowRight")
    wait_until(lambda: leftmost(ada, OWN) > start + 60)
    wait_until(lambda: leftmost(bob, OTHERS) > start + 60)
    ada.keyboard.up("ArrowRight")
    assert leftmost(bob, OWN) == start


def test_the_pasted_test_passes(pasted: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "trio_mode=true", "test_chase.py"]
    done = subprocess.run(command, cwd=pasted, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
