from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path

import attrs
import h11
import pytest
import trio
from trio.testing import memory_stream_pair

from tickwire.head import Request
from tickwire.http import KEEP_ALIVE_S, SEND_TIMEOUT_S, refuse_connection, serve_http
from tickwire.limits import HEAD_TIMEOUT_S
from tickwire.site import Response, Site, page_site

FIGURES = {"rooms": 1}


@attrs.define
class Upgrades:
    """Takes connections over like the lobby: notes what it got, echoes once."""

    heads: list[bytes] = attrs.field(factory=list[bytes])

    async def take(self, stream: trio.abc.Stream, head: bytes, request: Request) -> None:
        assert request.wants_websocket
        self.heads.append(head)
        await stream.send_all(b"mine: " + await stream.receive_some())


@attrs.frozen
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@attrs.define
class Browser:
    """An HTTP client on a memory stream, which keeps its connection."""

    stream: trio.abc.Stream
    http: h11.Connection = attrs.field(factory=lambda: h11.Connection(h11.CLIENT))

    async def ask(self, target: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
        if body:
            headers["Content_Length"] = str(len(body))
        names = [("Host", "game"), *((name.replace("_", "-"), value) for name, value in headers.items())]
        request = h11.Request(method=method, target=target, headers=names)
        events = (request, h11.Data(data=body), h11.EndOfMessage())
        await self.stream.send_all(b"".join(self.http.send(event) or b"" for event in events))
        answer = await self.read()
        if self.http.our_state is h11.DONE and self.http.their_state is h11.DONE:
            self.http.start_next_cycle()
        return answer

    async def read(self) -> Answer:
        head: h11.Response | None = None
        body = b""
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                self.http.receive_data(bytes(await self.stream.receive_some()))
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                return Answer(head.status_code, {k.decode(): v.decode() for k, v in head.headers}, body)
            else:
                raise AssertionError(event)


@pytest.fixture
def web(tmp_path: Path) -> Path:
    for name in ("sdk", "game", "own"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(f"<p>{name}")
        (tmp_path / name / "main.js").write_text("export {}")
    (tmp_path / "own" / "level 1").mkdir()
    (tmp_path / "own" / "level 1" / "index.html").write_text("<p>level")
    (tmp_path / "own" / "big.bin").write_bytes(bytes(range(256)) * 1024)
    return tmp_path


def site_of(web: Path, page: Path | None = None, *, healthy: bool = True) -> Site:
    return page_site(
        web / "sdk",
        page,
        web / "game",
        rooms=lambda: [{"id": "r1", "type": "arena", "players": 2}],
        health=lambda: (healthy, FIGURES),
        allows_page=lambda origin, host: (origin, host) == ("https://game", "game"),
    )


@asynccontextmanager
async def browser_at(site: Site, upgrades: Upgrades | None = None) -> AsyncGenerator[Browser, None]:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_http, theirs, site, (upgrades or Upgrades()).take)
        yield Browser(ours)
        await ours.aclose()


async def test_the_root_leads_to_the_demo_and_keeps_the_query(web: Path) -> None:
    async with browser_at(site_of(web)) as browser:
        answer = await browser.ask("/?name=Ada")
        assert (answer.status, answer.headers["location"]) == (302, "/game/?name=Ada")
        assert (await browser.ask("/game/")).text == "<p>game"


async def test_a_page_of_ones_own_is_at_the_root_and_the_sdk_stays(web: Path) -> None:
    async with browser_at(site_of(web, web / "own")) as browser:
        assert (await browser.ask("/")).text == "<p>own"
        assert (await browser.ask("/sdk/main.js")).headers["content-type"] == "text/javascript; charset=utf-8"
        assert (await browser.ask("/game/")).status == 404


async def test_a_folder_without_its_slash_leads_to_the_one_with(web: Path) -> None:
    async with browser_at(site_of(web, web / "own")) as browser:
        assert (await browser.ask("/level%201?x=1")).headers["location"] == "level%201/?x=1"
        assert (await browser.ask("/sdk")).headers["location"] == "/sdk/"


async def test_many_requests_share_a_connection(web: Path) -> None:
    async with browser_at(site_of(web)) as browser:
        for _ in range(20):
            assert (await browser.ask("/game/main.js")).text == "export {}"


async def test_pipelined_requests_are_answered_in_order(web: Path) -> None:
    async with browser_at(site_of(web)) as browser:
        both = b"".join(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in (b"/game/", b"/sdk/"))
        await browser.stream.send_all(both)
        received = b""
        while b"<p>sdk" not in received:
            received += bytes(await browser.stream.receive_some())
        assert received.index(b"<p>game") < received.index(b"<p>sdk")


async def test_a_large_file_arrives_whole(web: Path) -> None:
    async with browser_at(site_of(web, web / "own")) as browser:
        assert (await browser.ask("/big.bin")).body == (web / "own" / "big.bin").read_bytes()


async def test_head_has_the_length_and_no_body(web: Path) -> None:
    async with browser_at(site_of(web)) as browser:
        answer = await browser.ask("/game/main.js", "HEAD")
        assert (answer.status, answer.headers["content-length"], answer.body) == (200, "9", b"")
        assert (await browser.ask("/game/")).status == 200


async def test_what_the_browser_has_already_is_not_sent_again(web: Path) -> None:
    async with browser_at(site_of(web)) as browser:
        tag = (await browser.ask("/game/")).headers["etag"]
        assert (await browser.ask("/game/", If_None_Match=f'"other", W/{tag}')).status == 304
        assert (await browser.ask("/game/", If_None_Match='"other"')).text == "<p>game"


async def test_every_answer_is_revalidated_and_never_sniffed(web: Path) -> None:
    async with browser_at(site_of(web)) as browser:
        for path in ("/", "/game/", "/rooms", "/nothing"):
            headers = (await browser.ask(path)).headers
            assert headers["cache-control"] == "no-cache"
            assert headers["x-content-type-options"] == "nosniff"


async def test_only_our_own_page_has_a_content_policy(web: Path) -> None:
    async with browser_at(site_of(web)) as browser:
        assert "default-src 'self'" in (await browser.ask("/game/")).headers["content-security-policy"]
    async with browser_at(site_of(web, web / "own")) as browser:
        assert "content-security-policy" not in (await browser.ask("/")).headers


async def test_rooms_are_listed_for_pages_of_any_origin(web: Path) -> None:
    async with browser_at(site_of(web)) as browser:
        answer = await browser.ask("/rooms")
        assert json.loads(answer.body) == {"rooms": [{"id": "r1", "type": "arena", "players": 2}]}
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("healthy,status", [(True, 200), (False, 503)])
async def test_health_is_a_status_and_figures(web: Path, healthy: bool, status: int) -> None:
    async with browser_at(site_of(web, healthy=healthy)) as browser:
        answer = await browser.ask("/healthz")
        assert (answer.status, json.loads(answer.body)) == (status, {"ok": healthy, **FIGURES})


@pytest.mark.parametrize("target", ["/nothing", "/game/%2e%2e/sdk/main.js", "/game/..%2fsdk/main.js", "/%0d%0aX: 1"])
async def test_an_unknown_path_is_a_404_with_a_sentence(web: Path, target: str) -> None:
    async with browser_at(site_of(web)) as browser:
        answer = await browser.ask(target.replace(" ", "%20"))
        assert answer.status == 404
        assert answer.text.startswith("There is nothing at /")


async def test_a_page_without_an_icon_is_no_error(web: Path) -> None:
    async with browser_at(site_of(web, web / "own")) as browser:
        assert (await browser.ask("/favicon.ico")).status == 204
        (web / "own" / "favicon.ico").write_bytes(b"icon")
        assert (await browser.ask("/favicon.ico")).body == b"icon"


async def test_a_plain_request_for_the_websocket_says_what_it_is(web: Path) -> None:
    async with browser_at(site_of(web)) as browser:
        answer = await browser.ask("/ws")
        assert (answer.status, answer.headers["upgrade"]) == (426, "websocket")


async def test_an_upgrade_takes_the_connection_with_all_that_was_sent(web: Path) -> None:
    upgrades = Upgrades()
    head = b"GET /ws?x=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x82early"
    async with browser_at(site_of(web), upgrades) as browser:
        assert (await browser.ask("/healthz")).status == 200
        await browser.stream.send_all(head)
        await trio.testing.wait_all_tasks_blocked()
        await browser.stream.send_all(b"later")
        assert await browser.stream.receive_some() == b"mine: later"
    assert upgrades.heads == [head]


async def test_an_upgrade_elsewhere_is_a_plain_request(web: Path) -> None:
    upgrades = Upgrades()
    async with browser_at(site_of(web), upgrades) as browser:
        assert (await browser.ask("/game/ws", Connection="Upgrade", Upgrade="websocket")).status == 404
    assert not upgrades.heads


async def test_a_bad_request_is_answered_and_ends_the_connection(web: Path) -> None:
    async with browser_at(site_of(web)) as browser:
        await browser.stream.send_all(b"DELETE /rooms HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        answer = await browser.read()
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
        assert answer.headers["connection"] == "close"
        assert await browser.stream.receive_some() == b""


async def test_a_head_that_never_ends_is_given_up(web: Path, autojump_clock: trio.testing.MockClock) -> None:
    async with browser_at(site_of(web)) as browser:
        begin = trio.current_time()
        await browser.stream.send_all(b"GET / HTTP/1.1\r\n")
        answer = await browser.read()
        assert answer.status == 408
        assert trio.current_time() - begin == pytest.approx(HEAD_TIMEOUT_S)


@pytest.mark.parametrize("after_s", [0.5, KEEP_ALIVE_S - 1])
async def test_a_kept_connection_has_its_whole_time_for_each_request(
    web: Path, autojump_clock: trio.testing.MockClock, after_s: float
) -> None:
    async with browser_at(site_of(web)) as browser:
        await browser.ask("/rooms")
        await trio.sleep(after_s)
        await browser.stream.send_all(b"POST /rooms HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
        begin = trio.current_time()
        assert (await browser.read()).status == 408
        assert trio.current_time() - begin == pytest.approx(HEAD_TIMEOUT_S)


async def test_a_kept_connection_that_stays_silent_is_closed(web: Path, autojump_clock: trio.testing.MockClock) -> None:
    async with browser_at(site_of(web)) as browser:
        await browser.ask("/rooms")
        begin = trio.current_time()
        assert await browser.stream.receive_some() == b""
        assert trio.current_time() - begin == pytest.approx(KEEP_ALIVE_S)


async def test_a_body_that_has_to_be_asked_for_is_asked_for(web: Path, autojump_clock: trio.testing.MockClock) -> None:
    async with browser_at(site_of(web)) as browser:
        await browser.stream.send_all(
            b"POST /rooms HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
        assert (await browser.stream.receive_some()).startswith(b"HTTP/1.1 100 ")
        await browser.stream.send_all(b"abc")
        assert (await browser.stream.receive_some()).startswith(b"HTTP/1.1 405 ")


async def test_what_is_posted_to_answers_posts_alone() -> None:
    async def echo(request: Request) -> Response:
        return Response(HTTPStatus.OK, body=request.body)

    async with browser_at(Site({}, (), {"/echo": echo})) as browser:
        assert (await browser.ask("/echo", "POST", body=b"hello")).text == "hello"
        answer = await browser.ask("/echo")
        assert (answer.status, answer.headers["allow"]) == (405, "POST")
        answer = await browser.ask("/elsewhere", "POST", body=b"hello")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_a_silent_connection_is_closed_without_a_word(web: Path, autojump_clock: trio.testing.MockClock) -> None:
    async with browser_at(site_of(web)) as browser:
        assert await browser.stream.receive_some() == b""
        assert trio.current_time() > 0


async def test_a_peer_that_reads_nothing_is_dropped(web: Path, autojump_clock: trio.testing.MockClock) -> None:
    ours, theirs = trio.testing.lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_http, theirs, site_of(web), Upgrades().take)
        begin = trio.current_time()
        await ours.send_all(b"GET /game/ HTTP/1.1\r\nHost: a\r\n\r\n")
    assert trio.current_time() - begin == pytest.approx(SEND_TIMEOUT_S)
    await ours.aclose()


async def test_a_fault_in_an_answer_is_a_500_and_not_the_end() -> None:
    def fail(_: Request) -> Response:
        raise ZeroDivisionError

    async with browser_at(Site({"/": fail}, ())) as browser:
        assert (await browser.ask("/")).status == 500
        assert (await browser.ask("/other")).status == 404


async def test_a_file_that_may_not_be_read_is_a_403(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    site = site_of(web)
    monkeypatch.setattr(Path, "open", refuse)
    async with browser_at(site) as browser:
        assert (await browser.ask("/game/")).status == 403


async def test_a_connection_too_many_is_told_so(autojump_clock: trio.testing.MockClock) -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(refuse_connection, theirs, "All taken."))
        answer = await Browser(ours).read()
    assert (answer.status, answer.text) == (503, "All taken.\n")


async def test_a_peer_that_vanishes_ends_its_own_connection_only(web: Path) -> None:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_http, theirs, site_of(web), Upgrades().take)
        await ours.send_all(b"GET /game/")
        await ours.aclose()


async def test_a_page_may_ask_why_its_websocket_failed(web: Path) -> None:
    async with browser_at(site_of(web)) as browser:
        theirs = await browser.ask("/ws?origin=https%3A%2F%2Felsewhere")
        assert (theirs.status, theirs.text) == (403, "Pages of https://elsewhere may not play here.\n")
        ours = await browser.ask("/ws?origin=https%3A%2F%2Fgame")
        assert ours.status == 426
        for answer in (theirs, ours):
            assert answer.headers["access-control-allow-origin"] == "*"
