from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tickwire.static import UNKNOWN_TYPE, Folder

SECRET = "nobody may read this"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A served folder ``web`` with a secret beside it and a hidden file in it."""
    web = tmp_path / "web"
    (web / "img").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "web2").mkdir()
    (tmp_path / "web2" / "secret.txt").write_text(SECRET)
    (web / ".env").write_text(SECRET)
    (web / "index.html").write_text("<p>home")
    (web / "img" / "index.html").write_text("<p>pictures")
    (web / "game.js").write_text("export {}")
    (web / "img" / "ship.PNG").write_bytes(b"png")
    (web / "data").write_bytes(b"?")
    return web


@pytest.mark.parametrize(
    "path,content_type",
    [
        ("", "text/html; charset=utf-8"),
        ("img/", "text/html; charset=utf-8"),
        ("game.js", "text/javascript; charset=utf-8"),
        ("img/ship.PNG", "image/png"),
        ("data", UNKNOWN_TYPE),
    ],
)
def test_a_file_is_found_with_its_type(root: Path, path: str, content_type: str) -> None:
    file = Folder(root).find(path)
    assert file is not None
    assert file.content_type == content_type
    assert file.size_bytes == file.path.stat().st_size


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "img/../../secret.txt",
        "..",
        "../web2/secret.txt",
        "/etc/passwd",
        "//etc/passwd",
        "..\\secret.txt",
        "img/..\\..\\secret.txt",
        "C:/secret.txt",
        "game.js\0.png",
        ".env",
        "./game.js",
        "img",
        "game.js/",
        "game.js/more",
        "nothing.js",
        "x" * 5000,
    ],
)
def test_nothing_outside_hidden_or_missing_is_found(root: Path, path: str) -> None:
    assert Folder(root).find(path) is None


def test_a_link_that_leads_outside_is_not_followed(root: Path) -> None:
    (root / "out.txt").symlink_to(root.parent / "secret.txt")
    (root / "in.js").symlink_to(root / "game.js")
    folder = Folder(root)
    assert folder.find("out.txt") is None
    assert folder.find("in.js") is not None


def test_a_loop_of_links_is_not_found(root: Path) -> None:
    (root / "a").symlink_to(root / "b")
    (root / "b").symlink_to(root / "a")
    assert Folder(root).find("a") is None


def test_a_pipe_is_not_a_file(root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert Folder(root).find("pipe") is None


def test_the_tag_follows_the_content(root: Path) -> None:
    folder = Folder(root)
    before = folder.find("game.js")
    assert before is not None
    assert before == folder.find("game.js")
    (root / "game.js").write_text("export { changed }")
    after = folder.find("game.js")
    assert after is not None
    assert after.etag != before.etag


def test_a_folder_with_a_page_is_known_as_one(root: Path) -> None:
    folder = Folder(root)
    assert folder.is_folder("img")
    assert not folder.is_folder("game.js")
    assert not folder.is_folder("..")


def test_a_root_that_is_missing_is_an_error(root: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Folder(root / "missing")


_PARTS = st.sampled_from(["..", ".", "", "img", "web", "web2", "secret.txt", ".env", "game.js", "\\", "~", "\0", "C:"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.one_of(st.lists(_PARTS, max_size=8).map("/".join), st.text(max_size=60)))
def test_no_path_leads_to_the_secret(root: Path, path: str) -> None:
    file = Folder(root).find(path)
    assert file is None or (file.path.is_relative_to(root) and file.path.read_text(errors="replace") != SECRET)
