"""Where the browser's files are: in the package, beside it, or nowhere."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from tickwire.web import web_root
from tickwire_shared.errors import UsageError


def pretend(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    """Let the client's package be in a folder."""
    module = ModuleType("tickwire_client")
    module.__spec__ = ModuleSpec("tickwire_client", None, is_package=True)
    module.__spec__.submodule_search_locations = [str(package)]
    monkeypatch.setitem(sys.modules, "tickwire_client", module)


def test_the_sdk_and_the_demo_are_there() -> None:
    root = web_root()
    assert (root / "sdk" / "tickwire.js").is_file()
    assert (root / "game" / "index.html").is_file()


@pytest.mark.parametrize("place", ["tickwire_client/web", "web"], ids=["as installed", "as in a checkout"])
def test_they_are_found_in_the_package_and_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    (tmp_path / place / "sdk").mkdir(parents=True)
    pretend(monkeypatch, tmp_path / "tickwire_client")
    assert web_root() == tmp_path / place


def test_an_installation_without_them_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path / "tickwire_client")
    with pytest.raises(UsageError, match="install tickwire again"):
        web_root()
