"""The site without HTTP: which answer a path gets. What it looks like on the wire is in ``test_http.py``."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path

import pytest

from tickwire.head import Request
from tickwire.site import Mount, Response, Site, json_response, not_found, sentence
from tickwire.static import Folder


def get(path: str, query: str = "", *headers: tuple[str, str]) -> Request:
    return Request("GET", path, query, headers)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    for name in ("outer", "inner"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
    (tmp_path / "outer" / "in").mkdir()
    (tmp_path / "outer" / "in" / "index.html").write_text("hidden by the mount before it")
    mounts = (Mount("/in/", Folder(tmp_path / "inner")), Mount("/", Folder(tmp_path / "outer"), (("X-A", "b"),)))
    return Site({"/rooms": lambda request: sentence(HTTPStatus.OK, f"rooms {request.query}")}, mounts)


async def body_of(site: Site, request: Request) -> str:
    answer = await site.answer(request)
    return answer.body.decode() if isinstance(answer.body, bytes) else answer.body.path.read_text()


@pytest.mark.parametrize(
    "path, body",
    [
        ("/rooms", "rooms q\n"),
        ("/", "outer"),
        ("/index.html", "outer"),
        ("/in/", "inner"),
        ("/in", "See /in/?q\n"),
        ("/rooms/", "There is nothing at /rooms/\n"),
        ("/in/nothing", "There is nothing at /in/nothing\n"),
    ],
)
async def test_routes_come_before_mounts_and_the_first_that_fits_answers(site: Site, path: str, body: str) -> None:
    assert await body_of(site, get(path, "q")) == body


async def test_a_file_has_its_tag_and_the_headers_of_its_mount(site: Site) -> None:
    answer = await site.answer(get("/"))
    headers = dict(answer.headers)
    assert headers["X-A"] == "b"
    again = await site.answer(get("/", "", ("if-none-match", headers["ETag"])))
    assert (again.status, again.body, dict(again.headers)["ETag"]) == (304, b"", headers["ETag"])
    assert (await site.answer(get("/", "", ("if-none-match", "*")))).status == 304


async def test_a_site_without_mounts_has_its_routes_alone() -> None:
    site = Site({"/": lambda _: Response(HTTPStatus.OK)}, ())
    assert (await site.answer(get("/"))).status == HTTPStatus.OK
    assert (await site.answer(get("/x"))).status == HTTPStatus.NOT_FOUND


def test_json_writes_what_it_does_not_know_as_text() -> None:
    answer = json_response(HTTPStatus.OK, {"path": Path("a"), "more": [1, None]})
    assert isinstance(answer.body, bytes)
    assert json.loads(answer.body) == {"path": "a", "more": [1, None]}


@pytest.mark.parametrize("path", ["/" + "x" * 5000, "/\udc80\ud800", "/<script>\r\nX: 1"])
def test_any_path_can_be_named_in_a_sentence_of_bounded_length(path: str) -> None:
    answer = not_found(get(path))
    assert isinstance(answer.body, bytes)
    assert answer.body.startswith(b"There is nothing at /")
    assert len(answer.body) < 300
    assert answer.content_type.startswith("text/plain")
