"""The wheel alone, in an empty environment and an empty directory: it serves the page, and a bot can play."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.e2e.serving import run, serving

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = {"tickwire", "tickwire_shared", "tickwire_client"}


def build(target: str, source: Path, into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = into.iterdir()
    return built


def files_in(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", CHECKOUT, tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_three_typed_packages_and_the_web_files(wheel: Path) -> None:
    files = files_in(wheel)
    assert {name.partition("/")[0] for name in files if ".dist-info/" not in name} == PACKAGES
    assert files >= {f"{package}/py.typed" for package in PACKAGES}
    assert files >= {
        "tickwire_shared/PROTOCOL.md",
        "tickwire_client/web/sdk/tickwire.js",
        "tickwire_client/web/game/index.html",
    }
    assert not [name for name in files if "__pycache__" in name or "node_modules" in name]


def test_the_source_archive_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    archive = build("sdist", CHECKOUT, tmp_path / "sdist")
    shutil.unpack_archive(archive, tmp_path)  # nothing newer: Debian 12's Python has no filters yet
    (source,) = tmp_path.glob("tickwire-*/")
    assert files_in(build("wheel", source, tmp_path / "wheel")) == files_in(wheel)


def test_the_installed_wheel_serves_the_page_and_a_bot_plays(wheel: Path, tmp_path: Path) -> None:
    environment, empty = tmp_path / "environment", tmp_path / "empty"
    empty.mkdir()
    venv.create(environment)
    tickwire = environment / "bin" / "tickwire"
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    install = [*pip, "install", "--quiet", "--no-compile", str(wheel)]
    subprocess.run(install, cwd=empty, check=True, capture_output=True)
    with serving(cwd=empty, command=tickwire) as server:
        assert "<canvas" in server.get("/")
        assert "export" in server.get("/sdk/tickwire.js")
        bots = ["bots", server.websocket_url, "--count", "1", "--duration", "1", "--json"]
        outcome = run(*bots, cwd=empty, command=tickwire)
        assert outcome.status == 0, outcome
        report = json.loads(outcome.stdout)
        assert (report["joined"], report["failed"], report["state_mismatches"]) == (1, 0, 0)
        assert server.stop().status == 0
    assert list(empty.iterdir()) == []
