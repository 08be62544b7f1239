"""The whole server on a port of this machine: one port for everything, clear errors, a stop that tells everybody."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import h11
import pytest
import structlog
import trio

from tests.client.meadow import Meadow
from tests.server.frames import Op, frame
from tests.server.raw_client import Closed, RawClient
from tickwire.door import Door
from tickwire.limits import Limits
from tickwire.room import Room
from tickwire.server import GRACE_S, Running, serve
from tickwire_shared.client_messages import Join, build_join
from tickwire_shared.closing import CloseCode
from tickwire_shared.declare import Input, inputs, integer
from tickwire_shared.errors import DeclarationError, UsageError

SOON_S = 10.0
"""Real time: far more than any of this takes, so that a hang is a failure and not a hang."""


class Chess(Room[None]):
    """A tick every twenty seconds."""

    hz = 0.05


@attrs.frozen
class Served:
    """A running server, and the scope that stops it."""

    running: Running
    scope: trio.CancelScope

    async def dial(self) -> trio.SocketStream:
        """Open a connection to it."""
        return await trio.open_tcp_stream(self.running.host, self.running.port)

    async def ask(self, target: str, method: str = "GET", body: bytes = b"", *headers: str) -> tuple[int, bytes]:
        """Send one request, as it is, and return the answer's status and body."""
        sized = (*headers, f"Content-Length: {len(body)}") if body else headers
        asked = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: game", "Connection: close", *sized, "", ""])
        async with await self.dial() as stream:
            await stream.send_all(asked.encode() + body)
            data = b"".join([chunk async for chunk in stream])
        http = h11.Connection(h11.CLIENT)
        http.send(h11.Request(method="GET", target="/", headers=[("Host", "game")]))
        http.receive_data(data)
        head = http.next_event()
        assert isinstance(head, h11.Response)
        return head.status_code, data.partition(b"\r\n\r\n")[2]

    async def player(self, room: str) -> RawClient:
        """Let somebody join."""
        client = RawClient(await self.dial())
        await client.open()
        await client.join(Join("join_or_create", room))
        return client


@asynccontextmanager
async def serving(
    *rooms: type[Room[Any]], web: Path | None = None, limits: Limits | None = None, origins: Sequence[str] = ()
) -> AsyncGenerator[Served]:
    with trio.fail_after(SOON_S):
        async with trio.open_nursery() as nursery:
            running = await nursery.start(
                partial(serve, rooms or (Meadow,), port=0, web=web, limits=limits, origins=origins)
            )
            yield Served(running, nursery.cancel_scope)
            nursery.cancel_scope.cancel()


# One port


async def test_one_port_serves_the_page_the_sdk_the_figures_and_the_game() -> None:
    async with serving() as served:
        assert (await served.ask("/"))[0] == 302
        assert b"<!doctype html>" in (await served.ask("/game/"))[1].lower()
        assert (await served.ask("/sdk/tickwire.js"))[0] == 200
        assert await served.ask("/rooms") == (200, b'{"rooms": []}\n')
        player = await served.player("meadow")
        listed = json.loads((await served.ask("/rooms"))[1])["rooms"]
        assert [(room["type"], room["players"], room["max_players"]) for room in listed] == [("meadow", 1, 4)]
        status, body = await served.ask("/healthz")
        assert (status, json.loads(body)) == (200, {"ok": True, "rooms": 1, "players": 1, "connections": 1})
        await player.stream.aclose()


async def test_who_asks_too_much_is_told_so_and_others_are_answered() -> None:
    async with serving(limits=Limits(trusted_proxies=1, requests_per_address=0.001)) as served:
        for client in ("203.0.113.9", "203.0.113.10"):
            assert (await served.ask("/rooms", "GET", b"", f"X-Forwarded-For: {client}"))[0] == 200
            status, body = await served.ask("/rooms", "GET", b"", f"X-Forwarded-For: {client}")
            assert status == 429
            assert b"0.001 requests a second from one address" in body


async def test_each_request_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[Door] = []

    async def turn(door: Door) -> None:
        turns.append(door)
        await trio.lowlevel.checkpoint()

    monkeypatch.setattr(Door, "answer_turn", turn)
    async with serving() as served:
        await served.ask("/rooms")
        await served.ask("/nosuch")
        player = await served.player("meadow")
        await player.stream.aclose()
    assert len(turns) == 3


async def test_metrics_readiness_and_matchmaking_are_on_the_same_port() -> None:
    async with serving() as served:
        assert await served.ask("/readyz") == (200, b'{"ok": true}\n')
        status, body = await served.ask("/matchmake", "POST", b'{"room": "meadow"}', "Content-Type: application/json")
        assert status == 201
        kept = json.loads(body)
        assert kept["url"] == "ws://game/ws"
        player = RawClient(await served.dial())
        await player.open()
        assert (await player.join(Join("reserved", kept["reservation"]))).room == kept["room"]
        status, body = await served.ask("/metrics")
        assert status == 200
        assert b'tickwire_players{type="meadow"} 1.0\n' in body
        assert b"tickwire_process_resident_memory_bytes" in body
        await player.stream.aclose()


async def test_what_ticks_send_is_counted_with_what_connections_send_themselves() -> None:
    async with serving() as served:
        player = await served.player("meadow")
        for _ in range(3):
            await player.next_message()
        lines = (await served.ask("/metrics"))[1].decode().splitlines()
        told = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        by_ticks = float(told['tickwire_state_bytes_sent_total{type="meadow"}'])
        assert 0 < by_ticks < float(told["tickwire_bytes_sent_total"])
        assert float(told["tickwire_writes_total"]) >= 1
        await player.stream.aclose()


async def test_a_server_that_is_full_or_stopping_is_not_ready() -> None:
    async with serving(limits=Limits(max_rooms=1)) as served:
        players = [await served.player("meadow") for _ in range(Meadow.max_players)]
        assert await served.ask("/readyz") == (503, b'{"ok": false, "why": ["full"]}\n')
        assert (await served.ask("/healthz"))[0] == 200
        await players[0].stream.aclose()
        served.scope.cancel()
        with trio.CancelScope(shield=True):
            assert await served.ask("/readyz") == (503, b'{"ok": false, "why": ["shutting down"]}\n')
            for player in players:
                await player.stream.aclose()


@pytest.mark.parametrize(
    "target, method, status",
    [
        ("/nothing", "GET", 404),
        ("/sdk/nothing.js", "GET", 404),
        ("/../../../etc/passwd", "GET", 404),
        ("/sdk/../../tickwire/server.py", "GET", 404),
        ("/sdk/..%2f..%2f..%2fpyproject.toml", "GET", 404),
        ("/game/%2e%2e/%2e%2e/pyproject.toml", "GET", 404),
        ("//etc/passwd", "GET", 404),
        ("/sdk/tickwire.js%00.css", "GET", 404),
        ("/%ff", "GET", 400),
        ("/%zz", "GET", 400),
        ("rooms", "GET", 400),
        ("/ws", "GET", 426),
        ("/rooms", "POST", 405),
        ("/rooms", "DELETE", 405),
        ("/ws", "PUT", 405),
        ("/rooms", "B@D", 400),
        ("/" + "x" * 9000, "GET", 431),
    ],
)
async def test_what_is_not_served_is_refused_with_a_sentence_and_the_server_goes_on(
    target: str, method: str, status: int
) -> None:
    async with serving() as served:
        answer, body = await served.ask(target, method)
        assert answer == status
        assert body.endswith(b"\n")
        assert len(body.split()) > 3, "a sentence"
        assert (await served.ask("/healthz"))[0] == 200


async def test_a_page_of_ones_own_is_served_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>mine")
    async with serving(web=tmp_path) as served:
        assert await served.ask("/") == (200, b"<p>mine")


async def test_a_connection_too_many_is_refused_and_the_next_one_served() -> None:
    async with serving(limits=Limits(connections=1)) as served:
        player = await served.player("meadow")
        assert (await served.ask("/rooms"))[0] == 503
        await player.stream.send_all(frame(Op.CLOSE, b"\x03\xe8"))
        await player.closed()
        await player.stream.aclose()
        while (await served.ask("/rooms"))[0] == 503:
            await trio.lowlevel.checkpoint()


async def test_who_sends_far_too_much_still_hears_why_it_is_closed() -> None:
    async with serving() as served:
        witness = await served.player("meadow")
        player = await served.player("meadow")
        await player.stream.send_all(frame(Op.BINARY, bytes(40_000)))
        assert await player.closed() == Closed(1009, "Exceeded maximum message size: 4096 bytes")
        assert await player.stream.receive_some() == b"", "an end, not a reset"
        await player.stream.aclose()
        assert (await witness.next()).op is Op.BINARY
        await witness.stream.aclose()


@inputs
class Cursed(Input):
    """Can't be made."""

    turn: int = integer(-1, 1, default=0)

    def __attrs_post_init__(self) -> None:
        raise RuntimeError("bad luck")


class Haunted(Room[Cursed]):
    """Nobody gets in."""


async def test_a_class_of_a_game_that_raises_ends_a_join_and_not_the_server() -> None:
    with structlog.testing.capture_logs() as logs:
        async with serving(Meadow, Haunted) as served:
            witness = await served.player("meadow")
            client = RawClient(await served.dial())
            await client.open()
            await client.send(build_join(Join("create", "haunted")))
            assert (await client.closed()).code == 1011
            assert (await served.ask("/healthz"))[0] == 200
            assert (await witness.next()).op is Op.BINARY
            await client.stream.aclose()
            await witness.stream.aclose()
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["connection failed"]


# The stop


async def test_a_stop_tells_every_player_and_returns_when_they_have_heard() -> None:
    async with serving(Meadow, Chess) as served:
        players = [await served.player("meadow"), await served.player("meadow")]
        waiting = RawClient(await served.dial())
        await waiting.open()
        served.scope.cancel()
        with trio.CancelScope(shield=True):
            for player in players:
                assert await player.closed() == Closed(CloseCode.SHUTTING_DOWN, "The server is shutting down.")
                await player.stream.send_all(frame(Op.CLOSE, b"\x0f\xc8"))
                await player.stream.aclose()
            await waiting.stream.aclose()
        with pytest.raises(OSError, match="all attempts to connect"), trio.CancelScope(shield=True):
            await until_refused(served)


async def until_refused(served: Served) -> None:
    while True:
        stream = await served.dial()
        await trio.aclose_forcefully(stream)


async def test_an_idle_server_stops_at_once() -> None:
    async with serving():
        began = trio.current_time()
    assert trio.current_time() - began < GRACE_S


# What can't be served


async def test_a_port_in_use_is_named_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} on 127.0.0.1 is in use: .* choose another port"):
            await serve([Meadow], port=port)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"port": 65536}, "port 65536 is not in 0 to 65535"),
        ({"port": -1}, "port -1 is not in 0 to 65535"),
        ({"host": "203.0.113.1"}, "host '203.0.113.1' is no address of this machine"),
        ({"host": "256.0.0.1.invalid."}, "is no address of this machine"),
        ({"web": "nosuch"}, "the web folder 'nosuch' is not a folder"),
        ({"web": Path(__file__).parent}, r"index.html' can't be read: No such file"),
        ({"web": __file__}, "is not a folder"),
    ],
    ids=str,
)
async def test_what_can_not_be_served_is_one_clear_error(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        await partial(serve, [Meadow], port=0)(**options)


@pytest.mark.parametrize("rooms, words", [([], "at least one"), ([Meadow, Meadow], "are called 'meadow'")])
async def test_rooms_that_can_not_be_told_apart_are_not_served(rooms: list[type[Room[Any]]], words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        await serve(rooms, port=0)


@pytest.mark.parametrize(
    "host, url",
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("::1", "http://[::1]:8000/"),
        ("192.0.2.7", "http://192.0.2.7:8000/"),
    ],
)
def test_the_url_is_one_that_a_browser_of_this_machine_can_open(host: str, url: str) -> None:
    assert Running(host, 8000).url == url
