"""The client's stream over real sockets of this machine's kernel, which need no network."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from tickwire_client.frames import mask_frame
from tickwire_client.wire import Wire

HEAD = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
MESSAGE = bytes(range(200)) * 20


class Ends:
    """A wire, the peer's end of it, and what the wire has delivered."""

    def __init__(self, stream: trio.abc.Stream, peer: trio.abc.Stream) -> None:
        self.delivered: list[bytes] = []
        self.hung_up = False
        self.peer = peer
        self.wire = Wire(stream, self.delivered.append, self._hang_up)

    def _hang_up(self) -> None:
        self.hung_up = True


@asynccontextmanager
async def sockets() -> AsyncGenerator[Ends]:
    ours, theirs = trio.socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    async with trio.SocketStream(ours) as stream, trio.SocketStream(theirs) as peer:
        yield Ends(stream, peer)


def plain(frame: bytes) -> bytes:
    """The payload of a masked frame of 126 to 65,535 bytes."""
    key, payload = frame[4:8], frame[8:]
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


FRAME_BYTES = len(mask_frame(MESSAGE, b"abcd"))


async def test_what_a_full_socket_does_not_take_is_finished_before_anything_else() -> None:
    async with sockets() as ends:
        sent = 0
        while ends.wire.send_nowait(MESSAGE):
            sent += 1
        assert sent > 0
        left_over = [ends.wire.needs_flush]
        received = bytearray()

        async def drain() -> None:
            while len(received) < (sent + 1) * FRAME_BYTES:
                received.extend(await ends.peer.receive_some())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(drain)
            await ends.wire.send_message(MESSAGE)
        left_over.append(ends.wire.needs_flush)
        assert left_over == [True, False]
        frames = [bytes(received[at : at + FRAME_BYTES]) for at in range(0, len(received), FRAME_BYTES)]
        assert [plain(frame) for frame in frames] == [MESSAGE] * (sent + 1)


async def test_flush_sends_the_rest() -> None:
    async with sockets() as ends:
        sent = 0
        while ends.wire.send_nowait(MESSAGE):
            sent += 1
        received = bytearray()

        async def drain() -> None:
            while len(received) < sent * FRAME_BYTES:
                received.extend(await ends.peer.receive_some())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(drain)
            await ends.wire.flush()
        assert not ends.wire.needs_flush
        assert len(received) == sent * FRAME_BYTES


async def test_messages_are_delivered_and_the_rest_is_returned_in_the_end() -> None:
    async with sockets() as ends:
        await ends.peer.send_all(HEAD + b"\x82\x01a" + b"\x82\x01b" + b"\x89\x00")
        slow = await ends.wire.receive_some()
        await ends.peer.aclose()
        while data := await ends.wire.receive_some():
            slow += data
        assert slow == HEAD + b"\x89\x00"
        assert ends.delivered == [b"a", b"b"]
        assert ends.hung_up


async def test_a_peer_that_is_gone_is_a_broken_stream() -> None:
    async with sockets() as ends:
        await ends.peer.aclose()
        with pytest.raises(trio.BrokenResourceError):
            ends.wire.send_nowait(b"x")
        with pytest.raises(trio.BrokenResourceError):
            await ends.wire.send_message(b"x")


async def test_a_closed_stream_is_never_written_to() -> None:
    async with sockets() as ends:
        await ends.wire.aclose()
        with pytest.raises(trio.BrokenResourceError):
            ends.wire.send_nowait(b"x")


async def test_a_stream_that_is_no_socket_is_waited_for() -> None:
    stream, peer = trio.testing.memory_stream_pair()
    ends = Ends(stream, peer)
    assert not ends.wire.send_nowait(b"x")
    await ends.wire.send_message(MESSAGE)
    assert plain(bytes(await peer.receive_some())) == MESSAGE
