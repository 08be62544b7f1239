"""The two lanes: whatever a client sends and however it is cut, they deliver what a plain parser would."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.frames import Broken, Op, PlainParser, Said, frame
from tests.server.kit import unframe
from tickwire.framing import FrameSplitter, Lane, Piece, build_frame, unmask

EDGES = (0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 128, 200, 65535, 65536)

keys = st.binary(min_size=4, max_size=4)
small = st.binary(max_size=130)
large = st.sampled_from([125, 126, 127, 300, 65535, 65536]).map(lambda size: b"x" * size)
controls = st.builds(frame, st.sampled_from([Op.PING, Op.PONG]), st.binary(max_size=125), key=keys)
fast = st.builds(frame, st.just(Op.BINARY), st.binary(max_size=125), key=keys)
whole = st.builds(frame, st.sampled_from([Op.BINARY, Op.TEXT]), small | large, key=keys)


@st.composite
def fragmented(draw: st.DrawFn) -> bytes:
    """A message in pieces, with control frames between them."""
    pieces = draw(st.lists(small, min_size=2, max_size=4))
    data = b""
    for at, piece in enumerate(pieces):
        op = draw(st.sampled_from([Op.BINARY, Op.TEXT])) if at == 0 else Op.CONTINUATION
        data += frame(op, piece, final=at == len(pieces) - 1, key=draw(keys))
        data += b"".join(draw(st.lists(controls, max_size=2))) if at < len(pieces) - 1 else b""
    return data


streams = st.lists(fast | fast | controls | whole | fragmented(), max_size=12).map(b"".join)


@st.composite
def cut(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The stream in pieces of any size, mostly cut near the beginning, where the heads are."""
    places = draw(st.lists(st.integers(0, len(data)) | st.integers(0, min(len(data), 400)), max_size=20))
    ends = [0, *sorted(places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(ends)]


def both_lanes(chunks: list[bytes]) -> list[Said]:
    """What comes out of the fast lane, and of a plain parser at the end of the slow one, in order."""
    splitter, slow = FrameSplitter(), PlainParser()
    said: list[Said] = []
    for piece in [piece for chunk in chunks for piece in splitter.feed(chunk)]:
        if piece.lane is Lane.FAST:
            said.append(Said(Op.BINARY, piece.data))
            continue
        new = slow.feed(piece.data)
        messages = [one for one in new if one.op in (Op.BINARY, Op.TEXT)]
        assert len(messages) == (piece.lane is Lane.SLOW_MESSAGE_END), "the end of a slow message is marked wrongly"
        said += new
    return said


def slow_bytes(pieces: list[Piece]) -> bytes:
    return b"".join(piece.data for piece in pieces if piece.lane is not Lane.FAST)


@given(st.data(), streams)
def test_the_lanes_together_deliver_what_a_plain_parser_does_however_the_stream_is_cut(
    data: st.DataObject, stream: bytes
) -> None:
    assert both_lanes(data.draw(cut(stream))) == PlainParser().feed(stream)


@given(streams)
def test_a_stream_may_come_byte_by_byte(stream: bytes) -> None:
    stream = stream[:800]
    assert both_lanes([stream[at : at + 1] for at in range(len(stream))]) == PlainParser().feed(stream)


@pytest.mark.parametrize("payload", [b"", b"a", b"x" * 125], ids=len)
def test_a_fast_frame_cut_at_each_position_is_the_same_message(payload: bytes) -> None:
    data = frame(Op.BINARY, payload)
    for at in range(len(data) + 1):
        splitter = FrameSplitter()
        pieces = splitter.feed(data[:at]) + splitter.feed(data[at:])
        assert pieces == [Piece(Lane.FAST, payload)]


@pytest.mark.parametrize("size, lane", [(0, Lane.FAST), (125, Lane.FAST), (126, Lane.SLOW_MESSAGE_END)])
def test_only_small_messages_take_the_fast_lane(size: int, lane: Lane) -> None:
    (piece,) = FrameSplitter().feed(frame(Op.BINARY, bytes(size)))
    assert piece.lane is lane


def test_a_large_payload_is_passed_on_as_it_comes_and_never_held() -> None:
    splitter = FrameSplitter()
    head = frame(Op.BINARY, bytes(70_000))[:14]
    assert slow_bytes(splitter.feed(head)) == head
    for _ in range(69):
        assert slow_bytes(splitter.feed(bytes(1000))) == bytes(1000)
    (last,) = splitter.feed(bytes(1000))
    assert last.lane is Lane.SLOW_MESSAGE_END


MESSAGE = frame(Op.BINARY, b"afterwards")

BAD = {
    "a reserved bit": frame(Op.BINARY, b"a", reserved=4),
    "another reserved bit": frame(Op.BINARY, b"a", reserved=1),
    "an unknown opcode": frame(0x3, b"a"),
    "an unknown control opcode": frame(0xB, b"a"),
    "a frame without a mask": frame(Op.BINARY, b"a", key=None),
    "a text frame without a mask": frame(Op.TEXT, b"a", key=None),
    "a control frame in pieces": frame(Op.PING, b"a", final=False),
    "a long control frame": frame(Op.PING, bytes(126)),
    "a continuation of nothing": frame(Op.CONTINUATION, b"a"),
    "a message within a message": frame(Op.BINARY, b"a", final=False) + frame(Op.BINARY, b"a"),
    "a long message within a message": frame(Op.TEXT, b"a", final=False) + frame(Op.TEXT, b"a", final=False),
    "a length written longer than needed": frame(Op.BINARY, b"a", length_bytes=2),
    "a length of eight bytes for few": frame(Op.BINARY, bytes(300), length_bytes=8),
    "a length beyond 63 bits": frame(Op.BINARY, b"", length_bytes=8)[:2] + b"\xff" * 12,
    "a close": frame(Op.CLOSE, b"\x03\xe8bye"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_nothing_after_a_close_or_an_error_takes_the_fast_lane(bad: bytes) -> None:
    stream = MESSAGE + bad + MESSAGE + frame(Op.PING) + MESSAGE
    for at in range(len(MESSAGE), len(stream) + 1):
        splitter = FrameSplitter()
        pieces = splitter.feed(stream[:at]) + splitter.feed(stream[at:])
        assert pieces[0] == Piece(Lane.FAST, b"afterwards")
        assert slow_bytes(pieces[1:]) == stream[len(MESSAGE) :], "every byte, for trio-websocket to judge"


@given(st.data(), st.binary(max_size=200))
def test_random_bytes_are_split_the_same_however_they_are_cut(data: st.DataObject, stream: bytes) -> None:
    assert merged(data.draw(cut(stream))) == merged([stream])


def merged(chunks: list[bytes]) -> list[Piece]:
    """What the splitter makes of the chunks, with neighbours in the slow lane joined."""
    splitter = FrameSplitter()
    pieces: list[Piece] = []
    for piece in [piece for chunk in chunks for piece in splitter.feed(chunk)]:
        if pieces and pieces[-1].lane is piece.lane is Lane.SLOW:
            piece = Piece(Lane.SLOW, pieces.pop().data + piece.data)
        pieces.append(piece)
    return pieces


@given(st.binary(max_size=300), keys)
def test_unmasking_twice_gives_the_payload(payload: bytes, key: bytes) -> None:
    assert unmask(key, unmask(key, payload)) == payload


@pytest.mark.parametrize("size", EDGES)
def test_a_server_s_frame_is_whole_unmasked_and_binary(size: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    payload = payload[:size]
    data = build_frame(payload)
    assert unframe(data) == [payload]
    assert PlainParser().feed(data) == [Said(Op.BINARY, payload)]
    assert data == frame(Op.BINARY, payload, key=None), "the length in its shortest form"


def test_the_plain_parser_that_all_this_rests_on_refuses_what_is_broken() -> None:
    for name in ("a reserved bit", "an unknown opcode", "a control frame in pieces", "a continuation of nothing"):
        with pytest.raises(Broken):
            PlainParser().feed(BAD[name])
