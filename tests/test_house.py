"""The house rules that a machine can check: who imports whom, and how large a module gets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    "tickwire_shared": ROOT / "shared" / "tickwire_shared",
    "tickwire": ROOT / "server" / "tickwire",
    "tickwire_client": ROOT / "client_demo" / "tickwire_client",
}
# The style asks for 80 to 250; this is where a module has to be split.
MAX_LINES = 550


def modules(package: str) -> list[Path]:
    return sorted(SOURCES[package].rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{path} has a relative import"
            yield node.module


def importers(package: str, *names: str) -> set[str]:
    """The modules of a package that import one of these, or something inside of them."""
    return {
        str(path.relative_to(SOURCES[package]))
        for path in modules(package)
        for module in imported(path)
        if any(f"{module}.".startswith(f"{name}.") for name in names)
    }


def test_shared_imports_neither_server_nor_client() -> None:
    assert importers("tickwire_shared", "tickwire", "tickwire_client") == set()


def test_shared_has_no_input_output_clock_or_randomness() -> None:
    assert importers("tickwire_shared", "trio", "asyncio", "socket", "threading", "time", "random", "secrets") == set()


def test_the_client_imports_nothing_of_the_server() -> None:
    assert importers("tickwire_client", "tickwire") == set()


def test_of_the_server_only_its_edges_import_the_client() -> None:
    assert importers("tickwire", "tickwire_client") <= {"cli.py", "testing.py"}


def test_msgpack_has_no_types_and_is_wrapped_in_one_file() -> None:
    assert len(importers("tickwire_shared", "msgpack")) == 1
    assert importers("tickwire", "msgpack") | importers("tickwire_client", "msgpack") == set()


@pytest.mark.parametrize("package", SOURCES)
def test_a_module_is_one_concept_and_not_a_book(package: str) -> None:
    long = {path.name: lines for path in modules(package) if (lines := len(path.read_text().splitlines())) > MAX_LINES}
    assert long == {}


@pytest.mark.parametrize("package", SOURCES)
def test_no_module_is_a_drawer_for_odds_and_ends(package: str) -> None:
    assert {path.stem for path in modules(package)}.isdisjoint({"utils", "helpers", "common", "base", "misc"})
