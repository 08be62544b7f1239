"""Bad input: it ends the connection that it came on, with a close code and a sentence, and nobody else notices."""

from __future__ import annotations

import attrs
import pytest
import trio
import trio.testing
from trio.testing import MockClock
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

from tests.server.frames import Op, frame
from tests.server.raw_client import Closed
from tests.server.scene import scene
from tickwire_shared.client_messages import Resume, build_resume
from tickwire_shared.closing import MAX_REASON_BYTES, CloseCode
from tickwire_shared.event_messages import build_event
from tickwire_shared.packing import MAX_CLIENT_MESSAGE_BYTES, pack

TOO_BIG = 1009  # RFC 6455, section 7.4.1
NAN, INFINITY = float("nan"), float("inf")


@attrs.frozen
class Bad:
    """What is sent, words of the sentence that comes back, and the close code."""

    data: bytes
    words: str
    code: int = CloseCode.BAD_MESSAGE


def message(*items: object) -> bytes:
    return frame(Op.BINARY, pack(list(items)))


def join(*, kind: object = 1, protocol: object = 1, mode: object = "join", target: object = "meadow") -> bytes:
    return message(kind, protocol, mode, target, None, {})


def nested(depth: int) -> object:
    return [nested(depth - 1)] if depth else 1


# What is sent before a join.
BEFORE: dict[str, Bad] = {
    # not WebSocket
    "random bytes": Bad(bytes.fromhex("07d1c3a9f4e2b0887766554433221100ffeeddcc"), "opcode 0x7"),
    "an HTTP request": Bad(b"GET / HTTP/1.1\r\n\r\n", "stream is broken"),
    "a frame without a mask": Bad(frame(Op.BINARY, b"a", key=None), "unmasked frame"),
    "a reserved bit": Bad(frame(Op.BINARY, b"a", reserved=4), "Reserved bit"),
    "a continuation of nothing": Bad(frame(Op.CONTINUATION, b"a"), "unexpected CONTINUATION"),
    "text that is not UTF-8": Bad(frame(Op.TEXT, b"\xff\xfe"), "utf-8"),
    "a close of one byte": Bad(frame(Op.CLOSE, b"\x03"), "CLOSE with 1 byte"),
    "a message too large": Bad(frame(Op.BINARY, bytes(MAX_CLIENT_MESSAGE_BYTES + 1)), "4096 bytes", TOO_BIG),
    "fragments too large": Bad(
        frame(Op.BINARY, bytes(3000), final=False) + frame(Op.CONTINUATION, bytes(3000)), "4096 bytes", TOO_BIG
    ),
    # not msgpack, or not a message
    "a text frame": Bad(frame(Op.TEXT, b"[1]"), "Text messages are not accepted"),
    "an empty message": Bad(frame(Op.BINARY), "not one msgpack value"),
    "truncated msgpack": Bad(frame(Op.BINARY, pack([5, 1.5])[:-1]), "not one msgpack value"),
    "trailing bytes": Bad(frame(Op.BINARY, pack([5, 1.5]) + b"\0"), "extra data"),
    "an array that is longer than the message": Bad(
        frame(Op.BINARY, b"\xdd\xff\xff\xff\xff\x01"), "not one msgpack value"
    ),
    "a map": Bad(frame(Op.BINARY, pack({"kind": 1})), "not a msgpack array"),
    "a number": Bad(frame(Op.BINARY, pack(5)), "not a msgpack array"),
    "an empty array": Bad(frame(Op.BINARY, pack([])), "not a msgpack array"),
    "an unknown kind": Bad(message(99), "99 is no message kind"),
    "a kind that is text": Bad(message("join"), "'join' is no message kind"),
    "a kind that is true": Bad(message(True), "True is no message kind"),
    "a message in the largest size": Bad(frame(Op.BINARY, bytes(MAX_CLIENT_MESSAGE_BYTES)), "extra data"),
    # a join that can't be
    "a join with too few items": Bad(message(1, 1), "6"),
    "a join with too many items": Bad(message(1, 1, "join", "meadow", None, {}, 7), "6"),
    "another protocol": Bad(join(protocol=2), "speaks protocol 2, the server 1", CloseCode.WRONG_PROTOCOL),
    "a protocol that is text": Bad(join(protocol="1"), "'1'", CloseCode.WRONG_PROTOCOL),
    "an unknown mode": Bad(join(mode="spy"), "'spy' is no join mode"),
    "a mode that is a list": Bad(join(mode=["join"]), "no join mode"),
    "a target that is a number": Bad(join(target=3), "3 is not the name or id"),
    "a target without end": Bad(join(target="m" * 65), "is not the name or id"),
    "options that are a list": Bad(message(1, 1, "join", "meadow", None, [1]), "not a map"),
    "options too deep": Bad(message(1, 1, "join", "meadow", None, {"a": nested(40)}), "deeper than 8"),
    "options with numbers for keys": Bad(
        frame(Op.BINARY, b"\x96\x01\x01\xa4join\xa6meadow\xc0\x81\x01\x02"), "int is not allowed"
    ),
    "a hash of three bytes": Bad(message(1, 1, "join", "meadow", b"abc", {}), "8 bytes"),
    "another schema": Bad(message(1, 1, "join", "meadow", b"12345678", {}), "reload the page", CloseCode.WRONG_SCHEMA),
    "a room type that isn't there": Bad(
        join(mode="join_or_create", target="ocean"),
        "no room type 'ocean'; this server has meadow",
        CloseCode.NO_SUCH_ROOM,
    ),
    "a room id that isn't there": Bad(join(mode="id", target="xyz"), "the id 'xyz'", CloseCode.NO_SUCH_ROOM),
    "a resume of a room that is over": Bad(
        frame(Op.BINARY, build_resume(Resume("xyz", "token", 3))), "join anew", CloseCode.RESUME_FAILED
    ),
    "a resume with a wrong type": Bad(message(2, 1, 5, "token", None, None), "room id and a token"),
    # out of order
    "an input before the join": Bad(message(3, 5, 2, 0, 0), "has to be a join or a resume"),
    "an event before the join": Bad(message(4, 0, 0, b""), "has to be a join or a resume"),
    "a view before the join": Bad(message(8, None, 3), "has to be a join or a resume"),
    "a resync before the join": Bad(message(7, 5), "has to be a join or a resume"),
}

# What a player sends once it has joined.
AFTER: dict[str, Bad] = {
    "random bytes": BEFORE["random bytes"],
    "a text frame": BEFORE["a text frame"],
    "a message too large": BEFORE["a message too large"],
    "truncated msgpack": BEFORE["truncated msgpack"],
    "an unknown kind": BEFORE["an unknown kind"],
    "a second join": Bad(join(), "has joined a room already"),
    "a resume": Bad(frame(Op.BINARY, build_resume(Resume("r", "t", 1))), "has joined a room already"),
    "an input with too few values": Bad(message(3, 5, 2, 0), "An input of 2 values; Walk has 3"),
    "an input with no value": Bad(message(3, 5), "An input of 0 values"),
    "nine inputs at once": Bad(message(3, 5, *[2, 0, 0] * 9), "at most 8 times"),
    "an input out of range": Bad(message(3, 5, 9, 0, 0), "9"),
    "an input below its range": Bad(message(3, 5, -1, 0, 0), "-1"),
    "a flag of two": Bad(message(3, 5, 2, 2, 0), "2"),
    "a flag that is true": Bad(message(3, 5, 2, True, 0), "True"),
    "an input of NaN": Bad(message(3, 5, NAN, 0, 0), "nan"),
    "an input of infinity": Bad(message(3, 5, INFINITY, 0, 0), "inf"),
    "an input of a float": Bad(message(3, 5, 2.0, 0, 0), "2.0"),
    "an input of text": Bad(message(3, 5, "2", 0, 0), "'2'"),
    "an input of nil": Bad(message(3, 5, None, 0, 0), "None"),
    "a tick that is no u32": Bad(message(3, 1 << 32, 2, 0, 0), "4294967296"),
    "a tick below zero": Bad(message(3, -1, 2, 0, 0), "-1"),
    "a tick that is a float": Bad(message(3, 5.0, 2, 0, 0), "5.0"),
    "an event without a class": Bad(message(4), "no class"),
    "an event of no class": Bad(message(4, 7, 0, b""), "no event class 7"),
    "an event of a class below zero": Bad(message(4, -1, 0, b""), "no event class -1"),
    "an event that only the room sends": Bad(message(4, 1, 5), "Thunder is not an event that clients"),
    "an event with too few fields": Bad(message(4, 0, 0), "Bleat has 2 fields, not 1"),
    "an event with words too long": Bad(message(4, 0, 0, b"x" * 33), "32"),
    "an event that is not UTF-8": Bad(message(4, 0, 0, b"\xff"), "UTF-8"),
    "an event of str": Bad(message(4, 0, 0, "hi"), "'hi'"),
    "an event of a reference below zero": Bad(message(4, 0, -1, b""), "-1"),
    "a ping of text": Bad(message(5, "now"), "'now'"),
    "a ping of NaN": Bad(message(5, NAN), "nan"),
    "a resync of nil": Bad(message(7, None), "None"),
    "a view of no delay": Bad(message(8, None, -1), "-1 is no view delay"),
    "a view too far back": Bad(message(8, None, 65536), "65536 is no view delay"),
    "a view with the time of NaN": Bad(message(8, NAN, 3), "nan"),
    "33 events in a tick": Bad(message(4, 0, 0, b"") * 33, "More than 32 events", CloseCode.TOO_MANY_MESSAGES),
}


def assert_told(closed: Closed, bad: Bad) -> None:
    assert closed.code == bad.code
    assert bad.words in closed.reason
    assert len(closed.reason.split()) > 2, "a sentence"
    assert len(closed.reason.encode()) <= MAX_REASON_BYTES


@pytest.mark.parametrize("bad", BEFORE.values(), ids=BEFORE.keys())
async def test_who_can_not_even_join_is_told_why_and_nobody_else_notices(autojump_clock: MockClock, bad: Bad) -> None:
    async with scene() as played:
        client = await played.connected()
        await client.stream.send_all(bad.data)
        assert_told(await client.closed(), bad)
        await played.assert_unharmed()
        assert played.log == []


@pytest.mark.parametrize("bad", AFTER.values(), ids=AFTER.keys())
async def test_a_player_that_breaks_the_protocol_is_told_why_and_gone_at_once(
    autojump_clock: MockClock, bad: Bad
) -> None:
    async with scene() as played:
        client = await played.joined()
        await client.stream.send_all(bad.data)
        assert_told(await client.closed(), bad)
        await played.assert_unharmed()
        assert played.log == ["join 2", "leave 2 bad message"], "bad input earns no time to come back"


@pytest.mark.parametrize("cut", [1, 3, 7])
async def test_bad_input_is_bad_however_it_is_cut(autojump_clock: MockClock, cut: int) -> None:
    async with scene() as played:
        client = await played.joined()
        bad = AFTER["an input out of range"]
        for piece in (bad.data[:cut], bad.data[cut:]):
            await client.stream.send_all(piece)
            await trio.testing.wait_all_tasks_blocked()
        assert_told(await client.closed(), bad)


async def test_nothing_behind_the_first_bad_message_is_obeyed(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.joined()
        bleat = frame(Op.BINARY, build_event(0, [0, b"hi"]))
        await client.stream.send_all(message(99) + bleat + frame(Op.TEXT, b"x") + frame(Op.TEXT, b"y") + bleat)
        assert_told(await client.closed(), BEFORE["an unknown kind"])
        await played.assert_unharmed()


async def test_a_real_websocket_client_gets_the_code_and_the_sentence(autojump_clock: MockClock) -> None:
    async with scene() as played, trio.open_nursery() as nursery:
        stream = played.world.open_stream()
        websocket: WebSocketConnection = await wrap_client_stream(nursery, stream, "world", "/ws")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        began = trio.current_time()
        await websocket.send_message(pack([99]))
        with pytest.raises(ConnectionClosed) as caught:
            await websocket.get_message()
        assert caught.value.reason is not None
        assert caught.value.reason.code == CloseCode.BAD_MESSAGE
        assert caught.value.reason.reason == "99 is no message kind that a client sends here."
        await played.assert_unharmed()
        assert trio.current_time() - began < 1, "who answers the close is not waited for any longer"
