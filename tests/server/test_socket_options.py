"""The kernel's part: a player's socket sends at once, and takes nothing that has to wait."""

from __future__ import annotations

import socket
import sys
from functools import partial

import pytest
import trio
from trio.testing import memory_stream_pair

from tests.client.meadow import Meadow
from tickwire.server import Running, serve
from tickwire.socket_options import NOTSENT_LOWAT_BYTES, tune

LARGE_BYTES = 1 << 20

linux = pytest.mark.skipif(sys.platform != "linux", reason="the option's effect on writes is Linux's")


async def pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listeners[0]:
        theirs = await trio.open_tcp_stream(*listeners[0].socket.getsockname()[:2])
        return await listeners[0].accept(), theirs


async def test_a_tuned_socket_has_both_options() -> None:
    ours, theirs = await pair()
    async with ours, theirs:
        tune(ours)
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == NOTSENT_LOWAT_BYTES


@linux
async def test_a_tuned_socket_hoards_less_for_a_peer_that_does_not_read() -> None:
    taken: list[int] = []
    for lowat in (NOTSENT_LOWAT_BYTES, LARGE_BYTES):
        ours, theirs = await pair()
        async with ours, theirs:
            tune(ours)
            ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, lowat)
            ours.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * LARGE_BYTES)
            size = 0
            with trio.move_on_after(0.05):
                while True:
                    size += await ours.socket.send(bytes(1000))
            taken.append(size)
    assert taken[0] < taken[1] / 2


async def test_what_is_no_tcp_socket_is_left_alone() -> None:
    stream, _ = memory_stream_pair()
    tune(stream)
    ours, theirs = trio.socket.socketpair()
    tune(trio.SocketStream(ours))
    ours.close()
    theirs.close()


async def test_the_server_tunes_the_sockets_of_its_players(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned: list[trio.abc.Stream] = []
    monkeypatch.setattr("tickwire.connection.tune", tuned.append)
    async with trio.open_nursery() as nursery:
        running: Running = await nursery.start(partial(serve, [Meadow], port=0))
        async with await trio.open_tcp_stream(running.host, running.port) as stream:
            await stream.send_all(b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            await stream.receive_some()
        nursery.cancel_scope.cancel()
    assert len(tuned) == 1
