"""TLS on the game's port: the page, the figures and the game by https and wss; a sentence for who speaks plain HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import NoReturn

import attrs
import pytest
import trio
import trio.testing

import tickwire.lingering
from tests.authority import client_context, server_context
from tests.client.meadow import Meadow
from tests.server.frames import Op, PlainParser, Said, frame
from tests.server.raw_client import UPGRADE, Closed, RawClient
from tickwire.door import Door
from tickwire.framing import build_frame
from tickwire.head import RequestRefused
from tickwire.limits import Limits
from tickwire.lingering import linger
from tickwire.server import Running, serve
from tickwire.transport import Transport
from tickwire_client.client import connect
from tickwire_client.connection import shake_hands
from tickwire_shared.client_messages import Join
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import JoinRefused

SOON_S = 10.0
"""Real time: far more than any of this takes."""


@attrs.frozen
class Served:
    """A server with TLS."""

    running: Running
    scope: trio.CancelScope

    async def dial(self) -> trio.SocketStream:
        return await trio.open_tcp_stream(self.running.host, self.running.port)

    async def dial_tls(self) -> trio.SSLStream[trio.SocketStream]:
        secure = trio.SSLStream(
            await self.dial(), client_context(), server_hostname=self.running.host, https_compatible=True
        )
        await shake_hands(secure)
        return secure


@asynccontextmanager
async def serving(limits: Limits | None = None) -> AsyncGenerator[Served]:
    with trio.fail_after(SOON_S):
        async with trio.open_nursery() as nursery:
            running = await nursery.start(partial(serve, [Meadow], port=0, tls=server_context(), limits=limits))
            yield Served(running, nursery.cancel_scope)
            nursery.cancel_scope.cancel()


def request(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: game:8000\r\nConnection: close\r\n\r\n".encode()


async def read_all(stream: trio.abc.Stream) -> tuple[bytes, bytes]:
    head, _, body = b"".join([bytes(chunk) async for chunk in stream]).partition(b"\r\n\r\n")
    return head, body


async def test_one_port_serves_https_and_wss() -> None:
    async with serving() as served:
        assert served.running.url == f"https://127.0.0.1:{served.running.port}/"
        async with await served.dial_tls() as secure:
            await secure.send_all(request("/healthz"))
            head, body = await read_all(secure)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert json.loads(body)["ok"] is True
        client = RawClient(await served.dial_tls())
        await client.open()
        assert (await client.join(Join("join_or_create", "meadow"))).type == "meadow"
        await client.stream.aclose()


async def test_the_python_client_plays_over_wss() -> None:
    async with serving() as served:
        url = f"wss://127.0.0.1:{served.running.port}"
        async with connect(url, room="meadow", ssl_context=client_context()) as game:
            game.steer(pace=1)
            x = game.all("Sheep")[0].x
            while game.all("Sheep")[0].x < x + 3:
                await game.next_snapshot()
            assert game.stats.state_mismatches == 0


async def test_the_python_client_does_not_trust_a_stranger() -> None:
    async with serving() as served:
        with pytest.raises(JoinRefused, match="certificate verify failed"):
            async with connect(f"wss://127.0.0.1:{served.running.port}", room="meadow"):
                pass
        with pytest.raises(JoinRefused, match=r"doesn't match|not valid for"):
            async with connect(f"wss://localhost:{served.running.port}", room="meadow", ssl_context=client_context()):
                pass
        await (await served.dial_tls()).aclose()  # and the server goes on


@pytest.mark.parametrize(
    "target, status, words",
    [
        ("/", b"307", b"See https://game:8000/"),
        ("/game/?name=Ada", b"307", b"See https://game:8000/game/?name=Ada"),
        ("/a%20b", b"307", b"See https://game:8000/a%20b"),
        ("/healthz", b"426", b"This port speaks TLS"),
        ("/ws", b"426", b"use https:// and wss://"),
    ],
)
async def test_plain_http_is_led_to_https_or_told(target: str, status: bytes, words: bytes) -> None:
    async with serving() as served, await served.dial() as plain:
        await plain.send_all(request(target))
        head, body = await read_all(plain)
        assert head.split()[1] == status
        assert words in body


async def test_a_plain_websocket_is_told_too() -> None:
    async with serving() as served, await served.dial() as plain:
        await plain.send_all(UPGRADE)
        head, body = await read_all(plain)
        assert head.split()[1] == b"426"
        assert b"This port speaks TLS" in body


async def test_bytes_that_are_no_handshake_end_their_connection_alone() -> None:
    async with serving() as served:
        async with await served.dial() as broken:
            await broken.send_all(b"\x16\x03\x01\x00\x05hello")
            await read_all(broken)  # an alert, and the end
        async with await served.dial():
            pass
        await (await served.dial_tls()).aclose()


async def test_a_full_server_hangs_up_on_who_comes_with_tls() -> None:
    async with serving(Limits(connections=1)) as served, await served.dial_tls():
        with pytest.raises(OSError, match=r"EOF|reset"):
            await served.dial_tls()


async def test_an_address_with_too_many_connections_is_told_so_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(door: Door, peer: str) -> NoReturn:
        raise RequestRefused(HTTPStatus.TOO_MANY_REQUESTS, f"{peer} has enough.")

    monkeypatch.setattr(Door, "connected", refuse)
    async with serving() as served, await served.dial_tls() as secure:
        head, body = await read_all(secure)
        assert head.split()[1] == b"429"
        assert body == b"127.0.0.1 has enough.\n"


async def test_a_stop_tells_players_over_tls_without_waiting_for_them_to_go() -> None:
    async with serving() as served:
        client = RawClient(await served.dial_tls())
        await client.open()
        await client.join(Join("join_or_create", "meadow"))
        served.scope.cancel()
        with trio.CancelScope(shield=True):
            assert await client.closed() == Closed(CloseCode.SHUTTING_DOWN, "The server is shutting down.")
            await client.stream.send_all(frame(Op.CLOSE, b"\x0f\xc8"))
            assert await client.stream.receive_some() == b"", "an end that TLS knows of"
            await client.stream.aclose()


# The transport on a TLS stream, which has no socket of its own to write to

SecureEnds = tuple[trio.SSLStream[trio.SocketStream], trio.SSLStream[trio.SocketStream]]
SNAPSHOT = build_frame(bytes(range(250)) * 400)
PONG = frame(Op.PONG, b"pong", key=None)


async def tls_pair(*, strict: bool = False) -> SecureEnds:
    """The server's and the client's end, on sockets with little room; a strict client wants the goodbye of TLS."""
    ours, theirs = trio.socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    server = trio.SSLStream(trio.SocketStream(ours), server_context(), server_side=True, https_compatible=True)
    client = trio.SSLStream(
        trio.SocketStream(theirs), client_context(), server_hostname="127.0.0.1", https_compatible=not strict
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.do_handshake)
        nursery.start_soon(client.do_handshake)
    return server, client


@asynccontextmanager
async def transport_over_tls() -> AsyncGenerator[tuple[Transport, trio.SSLStream[trio.SocketStream]]]:
    server, client = await tls_pair()
    async with server, client, trio.open_nursery() as nursery:
        yield Transport(server, UPGRADE, nursery), client
        nursery.cancel_scope.cancel()


async def said(stream: trio.abc.Stream, count: int) -> list[Said]:
    parser, heard = PlainParser(), list[Said]()
    while len(heard) < count:
        heard += parser.feed(bytes(await stream.receive_some()))
    return heard


async def test_a_frame_that_tls_could_not_send_whole_is_finished_before_anything_else() -> None:
    async with transport_over_tls() as (transport, client):
        assert transport.write_nowait(SNAPSHOT)
        assert not transport.write_nowait(build_frame(b"too early"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(transport.send_all, PONG)
            await trio.testing.wait_all_tasks_blocked()
            assert transport.blocked, "the peer reads nothing"
            assert await said(client, 2) == [Said(Op.BINARY, bytes(range(250)) * 400), Said(Op.PONG, b"pong")]
        assert transport.write_nowait(build_frame(b"now"))
        assert await said(client, 1) == [Said(Op.BINARY, b"now")]
        assert transport.bytes_out == len(SNAPSHOT) + len(PONG) + len(build_frame(b"now"))


async def test_messages_over_tls_are_delivered_in_order_whatever_the_records() -> None:
    delivered: list[bytes] = []
    messages = [bytes([number]) * number for number in range(1, 120)]
    stream = b"".join(frame(Op.BINARY, message) for message in messages) + frame(Op.PING, b"?")
    async with transport_over_tls() as (transport, client), trio.open_nursery() as nursery:
        assert await transport.receive_some() == UPGRADE
        transport.start(delivered.append)

        async def talk() -> None:
            for at in range(0, len(stream), 37):
                await client.send_all(stream[at : at + 37])

        nursery.start_soon(talk)
        with trio.fail_after(SOON_S):
            assert await transport.receive_some() == frame(Op.PING, b"?")
    assert delivered == messages


async def test_a_player_that_is_gone_in_the_middle_of_a_frame_blocks_nobody() -> None:
    async with transport_over_tls() as (transport, client):
        assert transport.write_nowait(SNAPSHOT)
        await trio.testing.wait_all_tasks_blocked()
        await trio.aclose_forcefully(client)
        await trio.testing.wait_all_tasks_blocked()
        assert transport.blocked
        assert not transport.write_nowait(PONG)


async def test_a_last_word_over_tls_ends_with_a_goodbye_of_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickwire.lingering, "LINGER_TIMEOUT_S", float("inf"))
    server, client = await tls_pair(strict=True)
    with trio.fail_after(SOON_S):
        async with server, client, trio.open_nursery() as nursery:
            await client.send_all(b"what nobody reads")
            await server.send_all(b"bye")
            nursery.start_soon(linger, server)
            assert await client.receive_some() == b"bye"
            assert await client.receive_some() == b"", "not a reset"
            await client.aclose()  # which ends the lingering
