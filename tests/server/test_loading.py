"""From ``module:Room`` to the class, or to one line that says what to mend."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tickwire.loading import load_room
from tickwire.room import Room
from tickwire_shared.errors import UsageError

FILES = {
    "loading_good": "from tickwire import Room\n\nclass Arena(Room[None]):\n    hz = 7\n\nvalue = 3\n",
    "loading_broken": "import math\n\nprint(math.nosuch)\n",
    "loading_needs": "import a_module_that_is_not_there\n",
    "loading_syntax": "class\n",
    "loading_exits": "raise KeyError('two\\nlines')\n",
    "loading_bad_room": "from tickwire import Room\n\nclass Arena(Room[None]):\n    hz = 0\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Generator[Path]:
    """A folder of modules, none of which stays imported."""
    before, modules = sys.path.copy(), set(sys.modules)
    for name, text in FILES.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "loading_package").mkdir()
    (tmp_path / "loading_package" / "inner.py").write_text(FILES["loading_good"])
    yield tmp_path
    sys.path[:] = before
    for name in set(sys.modules) - modules:
        if name.startswith("loading_"):
            del sys.modules[name]


@pytest.mark.parametrize("name", ["loading_good:Arena", "loading_package.inner:Arena"])
def test_a_room_is_found_in_a_module_of_the_folder(folder: Path, name: str) -> None:
    found = load_room(name, folder)
    assert issubclass(found, Room)
    assert (found.__name__, found.hz) == ("Arena", 7)


def test_the_working_folder_is_looked_in_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert load_room("loading_good:Arena").name == "arena"
    assert sys.path.count(str(folder)) == 1
    load_room("loading_good:Arena")
    assert sys.path.count(str(folder)) == 1


@pytest.mark.parametrize(
    "name, words",
    [
        ("loading_good", r"'loading_good' is not module:Room; write for example game:Arena"),
        ("loading_good:", r"is not module:Room"),
        (":Arena", r"is not module:Room"),
        ("../loading_good:Arena", r"is not module:Room"),
        ("loading_good.py:Arena", r"there is no module 'loading_good.py'"),
        ("loading_good:Arena:x", r"is not module:Room"),
        ("", r"is not module:Room"),
        ("nosuch:Arena", r"there is no module 'nosuch' in .* or on Python's path"),
        ("nosuch.inner:Arena", r"there is no module 'nosuch'"),
        ("loading_good:Missing", r"module 'loading_good' has no 'Missing'"),
        ("loading_good:value", r"loading_good:value is not a Room: derive the class from tickwire.Room"),
        ("loading_broken:Arena", r"AttributeError: .* \(.*loading_broken.py, line 3\)"),
        ("loading_needs:Arena", r"No module named 'a_module_that_is_not_there' \(.*loading_needs.py, line 1\)"),
        ("loading_syntax:Arena", r"SyntaxError: .*loading_syntax.py, line 1"),
        ("loading_exits:Arena", r"KeyError: 'two\\nlines'"),
        ("loading_bad_room:Arena", r"DeclarationError: Arena.hz is 0; .*loading_bad_room.py, line 3"),
    ],
)
def test_what_is_not_a_room_is_one_line_that_names_it_and_the_remedy(folder: Path, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        load_room(name, folder)
    assert "\n" not in str(caught.value)
