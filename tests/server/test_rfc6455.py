"""RFC 6455 by the letter, on a port of this machine: what a raw socket sends, and what the server answers.

What breaks the framing is closed with 4002, a sentence and the end of the connection (PROTOCOL.md, section 9); the RFC
leaves the code to the server (section 7.1.7). In each case a witness in the room plays on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import attrs
import pytest
import trio
from structlog.testing import capture_logs

from tests.server.frames import KEY, Op, Said, frame
from tests.server.raw_client import UPGRADE, Closed, RawClient
from tests.server.scene import Watched
from tickwire.server import Running, serve
from tickwire_shared.client_messages import Join, build_join, build_ping
from tickwire_shared.closing import CloseCode
from tickwire_shared.server_messages import Pong, Welcome, parse_server

SOON_S = 5.0
"""Real time: far more than any of this takes, so that a hang is a failure and not a hang."""

BAD = CloseCode.BAD_MESSAGE
PING = build_ping(1.0)


@attrs.frozen
class Port:
    """A running server, and the connections to it."""

    running: Running
    streams: list[trio.SocketStream] = attrs.field(factory=list[trio.SocketStream])

    async def dial(self) -> trio.SocketStream:
        self.streams.append(await trio.open_tcp_stream(self.running.host, self.running.port))
        return self.streams[-1]

    async def opened(self) -> RawClient:
        client = RawClient(await self.dial())
        await client.open()
        return client

    async def answer(self, request: bytes) -> bytes:
        """The head of the answer to an upgrade request."""
        stream = await self.dial()
        await stream.send_all(request)
        head = b""
        while b"\r\n\r\n" not in head:
            data = bytes(await stream.receive_some())
            assert data, head
            head += data
        return head.partition(b"\r\n\r\n")[0]


@asynccontextmanager
async def listening() -> AsyncGenerator[Port]:
    """A server with a witness in its room, which is still there at the end."""
    with trio.fail_after(SOON_S):
        async with trio.open_nursery() as nursery:
            port = Port(await nursery.start(partial(serve, [Watched], port=0)))
            try:
                witness = await port.opened()
                await witness.join(Join("create", "meadow"))
                yield port
                await witness.send(PING)
                while not is_pong(said := await witness.next()):
                    assert said.op is Op.BINARY
            finally:
                for stream in port.streams:
                    await trio.aclose_forcefully(stream)
                nursery.cancel_scope.cancel()


def is_pong(said: Said) -> bool:
    return said.op is Op.BINARY and isinstance(parse_server(said.payload), Pong)


# Section 4: the opening handshake


def request(*without: bytes, **instead: bytes) -> bytes:
    """The request with some headers left out, or with other values; an underscore stands for a hyphen."""
    lines = [line for line in UPGRADE.strip().split(b"\r\n") if not line.startswith(without)]
    names = {name.replace("_", "-").encode(): value for name, value in instead.items()}
    lines = [line for line in lines if line.partition(b":")[0] not in names]
    return b"\r\n".join([*lines, *(name + b": " + value for name, value in names.items()), b"", b""])


async def test_the_accept_header_is_that_of_the_rfcs_own_example() -> None:
    async with listening() as port:
        head = await port.answer(UPGRADE)  # section 1.3 has this key
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"s3pplmbitxaq9kygzzhzrbk+xoo=" in head.lower()
        assert b"upgrade: websocket" in head.lower()


OFFERS = [
    {"Sec_WebSocket_Extensions": b"permessage-deflate"},
    {"Sec_WebSocket_Protocol": b"chat, superchat"},
]


async def test_no_extension_and_no_subprotocol_is_agreed_to() -> None:
    async with listening() as port:
        for offer in OFFERS:
            head = (await port.answer(request(**offer))).lower()
            assert head.startswith(b"http/1.1 101 ")
            assert b"sec-websocket-extensions" not in head
            assert b"sec-websocket-protocol" not in head


WELL_ASKED = [
    request(Connection=b"keep-alive, Upgrade"),
    request(Upgrade=b"WebSocket"),
    request(Connection=b"upgrade"),
    UPGRADE.replace(b"Host", b"hOST").replace(b"Sec-WebSocket-Key", b"sec-websocket-key"),
]

BADLY_ASKED = {
    request(b"Sec-WebSocket-Key"): b"400",
    request(b"Sec-WebSocket-Version"): b"400",
    request(Sec_WebSocket_Version=b"8"): b"426",
    request(b"Upgrade"): b"426",
    request(b"Connection"): b"426",
    request(Upgrade=b"h2c"): b"426",
    request(b"Host"): b"400",
    UPGRADE.replace(b"GET", b"PUT"): b"405",
    request(Origin=b"https://evil.example"): b"403",
}


async def test_headers_are_read_as_http_has_them() -> None:
    async with listening() as port:
        statuses = [(await port.answer(asked)).split()[1] for asked in WELL_ASKED]
        assert statuses == [b"101"] * len(WELL_ASKED)


async def test_what_is_no_good_opening_is_refused() -> None:
    async with listening() as port:
        assert {asked: (await port.answer(asked)).split()[1] for asked in BADLY_ASKED} == BADLY_ASKED


# Sections 5 and 8: frames


@attrs.frozen
class Case:
    """What is sent, how the server closes, and words of its sentence."""

    data: bytes
    words: str
    code: int = BAD


BROKEN = {
    "5.1 a frame without a mask": Case(frame(Op.BINARY, PING, key=None), "unmasked"),
    "5.2 reserved bit 1, as of a compressed message": Case(frame(Op.BINARY, PING, reserved=4), "Reserved bit"),
    "5.2 reserved bit 2": Case(frame(Op.BINARY, PING, reserved=2), "Reserved bit"),
    "5.2 reserved bit 3": Case(frame(Op.BINARY, PING, reserved=1), "Reserved bit"),
    "5.2 a reserved bit of a control frame": Case(frame(Op.PING, reserved=4), "Reserved bit"),
    **{f"5.2 the opcode {opcode:#x}": Case(frame(opcode), "opcode") for opcode in (3, 7, 0xB, 0xF)},
    "5.2 a length in 2 bytes that fits in 7 bits": Case(frame(Op.BINARY, PING, length_bytes=2), "used 2 bytes when 1"),
    "5.2 a length in 8 bytes that fits in 2": Case(frame(Op.BINARY, bytes(300), length_bytes=8), "used 8 bytes when 2"),
    "5.2 a length of 2^63": Case(b"\x82\xff" + b"\x80" + bytes(7) + KEY, "non-zero MSB"),
    "5.4 a continuation of nothing": Case(frame(Op.CONTINUATION, PING), "CONTINUATION"),
    "5.4 a message inside of a message": Case(
        frame(Op.BINARY, b"\x92", final=False) + frame(Op.BINARY, PING), "CONTINUATION"
    ),
    "5.5 a ping in fragments": Case(frame(Op.PING, final=False), "control"),
    "5.5 a ping of 126 bytes": Case(frame(Op.PING, bytes(126)), "ontrol"),
    "5.5.1 a close with a payload of one byte": Case(frame(Op.CLOSE, b"\x03"), "1 byte"),
    "5.5.1 a close with a reason that is not UTF-8": Case(frame(Op.CLOSE, b"\x03\xe8\xff"), "utf-8"),
    **{
        f"7.4 a close with the code {code}": Case(frame(Op.CLOSE, code.to_bytes(2, "big")), words)
        for words, codes in (("code", (0, 999, 1004, 2999)), ("local-only", (1005, 1006, 1015)))
        for code in codes
    },
    "8.1 text that is not UTF-8": Case(frame(Op.TEXT, b"\xed\xa0\x80"), "utf-8"),
    "8.1 text that is not UTF-8, across fragments": Case(
        frame(Op.TEXT, b"\xe2\x82", final=False) + frame(Op.CONTINUATION, b"\x28"), "utf-8"
    ),
    "good text, which the game does not take": Case(frame(Op.TEXT, "\u20ac".encode()), "Text messages"),
    "10.4 a message of 2^62 bytes": Case(b"\x82\xff" + b"\x40" + bytes(7) + KEY + bytes(5000), "4096 bytes", 1009),
    "10.4 fragments that add up": Case(
        frame(Op.BINARY, bytes(4000), final=False) + frame(Op.CONTINUATION, bytes(4000)), "4096 bytes", 1009
    ),
}


async def test_what_breaks_the_rules_is_told_so_and_the_connection_ends() -> None:
    answers: dict[str, tuple[int, str]] = {}

    async def send(port: Port, name: str, case: Case) -> None:
        client = await port.opened()
        await client.stream.send_all(case.data)
        closed = await client.closed()
        answers[name] = (closed.code, case.words if case.words in closed.reason else closed.reason)
        await assert_ended(client)

    async with listening() as port, trio.open_nursery() as nursery:
        for name, case in BROKEN.items():
            nursery.start_soon(send, port, name, case)
    assert answers == {name: (case.code, case.words) for name, case in BROKEN.items()}


GOOD = {
    "5.2 the shortest lengths": frame(Op.BINARY, PING),
    "5.3 a mask of zeros": frame(Op.BINARY, PING, key=bytes(4)),
    "5.4 fragments": frame(Op.BINARY, PING[:2], final=False)
    + frame(Op.CONTINUATION, PING[2:5], final=False)
    + frame(Op.CONTINUATION, PING[5:]),
    "5.4 empty fragments": frame(Op.BINARY, final=False)
    + frame(Op.CONTINUATION, PING, final=False)
    + frame(Op.CONTINUATION),
    "5.4 a pong between fragments": frame(Op.BINARY, PING[:2], final=False)
    + frame(Op.PONG, b"?")
    + frame(Op.CONTINUATION, PING[2:]),
    "5.5.3 a pong that nobody asked for": frame(Op.PONG, b"hello") + frame(Op.BINARY, PING),
}


@pytest.mark.parametrize("cut", ["whole", "in single bytes"])
async def test_what_keeps_the_rules_is_understood_however_it_is_cut(cut: str) -> None:
    understood: dict[str, bool] = {}

    async def send(port: Port, name: str, data: bytes) -> None:
        client = await port.opened()
        for piece in [data] if cut == "whole" else [bytes([byte]) for byte in data]:
            await client.stream.send_all(piece)
        understood[name] = is_pong(await client.next())

    async with listening() as port, trio.open_nursery() as nursery:
        for name, data in GOOD.items():
            nursery.start_soon(send, port, name, data)
    assert understood == dict.fromkeys(GOOD, True)


async def test_a_ping_is_answered_with_its_own_payload_even_between_fragments() -> None:
    async with listening() as port:
        for payload in (b"", b"x", bytes(range(125))):
            client = await port.opened()
            ping = frame(Op.PING, payload)
            inside = frame(Op.BINARY, PING[:3], final=False) + ping + frame(Op.CONTINUATION, PING[3:])
            await client.stream.send_all(ping + inside)
            said = [await client.next() for _ in range(3)]
            assert [(each.op, each.payload) for each in said[:2]] == [(Op.PONG, payload)] * 2
            assert is_pong(said[2])


# Section 7: the closing handshake


CLOSES = {
    b"": 1005,  # none
    b"\x03\xe8": 1000,
    b"\x03\xe9bye": 1001,
    b"\x0b\xb8": 3000,
    b"\x13\x87": 4999,
    b"\x03\xe8" + b"x" * 123: 1000,
}


async def test_a_close_is_answered_with_a_close_and_the_end_of_the_stream() -> None:
    codes: dict[bytes, int] = {}
    async with listening() as port:
        for payload in CLOSES:
            client = await port.opened()
            await client.stream.send_all(frame(Op.CLOSE, payload))
            while (said := await client.next()).op is not Op.CLOSE:
                pass
            codes[payload] = said.close_code if said.payload else 1005
            await assert_ended(client)
    assert codes == CLOSES


async def test_what_comes_behind_a_close_is_not_read_any_more() -> None:
    async with listening() as port:
        client = await port.opened()
        await client.stream.send_all(frame(Op.CLOSE, b"\x03\xe8") + frame(Op.BINARY, PING) + frame(Op.PING))
        assert await client.closed() == Closed(1000, "")
        await assert_ended(client)


async def test_the_server_closes_with_a_code_and_ends_the_stream_once_that_is_answered() -> None:
    async with listening() as port:
        client = await port.opened()
        await client.send(build_join(Join("join", "ocean")))
        assert (await client.closed()).code == CloseCode.NO_SUCH_ROOM
        await client.stream.send_all(frame(Op.CLOSE, b"\x03\xe8"))
        await assert_ended(client)


async def test_a_ping_into_the_goodbye_is_no_failure_of_the_servers() -> None:
    with capture_logs() as lines:
        async with listening() as port:
            client = await port.opened()
            await client.send(build_join(Join("join", "ocean")))
            assert (await client.closed()).code == CloseCode.NO_SUCH_ROOM
            await client.stream.send_all(frame(Op.PING) + frame(Op.CLOSE, b"\x03\xe8"))
            await assert_ended(client)
    assert [line for line in lines if line["log_level"] == "error"] == []


async def test_a_join_and_a_close_in_one_packet_leave_nothing_behind() -> None:
    async with listening() as port:
        client = await port.opened()
        join = frame(Op.BINARY, build_join(Join("join", "meadow")))
        await client.stream.send_all(join + frame(Op.CLOSE, b"\x03\xe8"))
        assert (await client.closed()).code == 1000
        joined = False
        while not joined:  # the seat is free at the room's next tick
            again = await port.opened()
            await again.send(build_join(Join("join", "meadow")))
            said = await again.next()
            joined = said.op is Op.BINARY and isinstance(parse_server(said.payload), Welcome)


async def assert_ended(client: RawClient) -> None:
    """The server ends the TCP stream, and says nothing more before."""
    with pytest.raises(EOFError):
        await client.next()
