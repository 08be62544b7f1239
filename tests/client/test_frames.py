from __future__ import annotations

import struct
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tickwire_client.frames import ServerFrames, close_frame, mask_frame

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
PING = b"\x89\x02hi"
PONG = b"\x8a\x00"
CLOSE = b"\x88\x02\x0f\xa0"
TEXT = b"\x81\x02hi"
FRAGMENT = b"\x02\x01a\x80\x01b"


def binary(payload: bytes) -> bytes:
    """The frame that a server sends."""
    size = len(payload)
    if size <= 125:
        return bytes((0x82, size)) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", 0x82, 126, size) + payload
    return struct.pack("!BBQ", 0x82, 127, size) + payload


def split(stream: bytes, cuts: set[int]) -> tuple[list[bytes], bytes]:
    """Feed a stream in pieces; returns all messages and all other bytes."""
    frames = ServerFrames()
    messages: list[bytes] = []
    slow = b""
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    for start, end in pairwise(edges):
        found, rest = frames.feed(stream[start:end])
        messages += found
        slow += rest
    return messages, slow


payloads = st.binary(max_size=40) | st.integers(100, 300).map(bytes) | st.just(bytes(70_000))
cuts = st.sets(st.integers(0, 1200), max_size=30)


@given(st.lists(payloads.map(binary) | st.sampled_from((PING, PONG)), max_size=12), cuts)
def test_messages_come_out_whole_and_control_frames_are_passed_on_however_the_stream_is_cut(
    frames: list[bytes], cuts: set[int]
) -> None:
    control = b"".join(frame for frame in frames if frame in (PING, PONG))
    wanted = [frame for frame in frames if frame not in (PING, PONG)]
    messages, slow = split(HEAD + b"".join(frames), cuts)
    assert [binary(message) for message in messages] == wanted
    assert slow == HEAD + control


@given(
    st.lists(st.binary(max_size=20), max_size=4),
    st.sampled_from((CLOSE, TEXT, FRAGMENT, b"\xc2\x00", b"\x82\x80abcd", b"\x89\x7e\x01\x00")),
    st.lists(st.binary(max_size=20).map(binary), max_size=4),
    cuts,
)
def test_from_the_first_unusual_frame_on_everything_is_passed_on_untouched(
    before: list[bytes], unusual: bytes, after: list[bytes], cuts: set[int]
) -> None:
    rest = unusual + b"".join(after)
    messages, slow = split(HEAD + b"".join(map(binary, before)) + rest, cuts)
    assert messages == before
    assert slow == HEAD + rest


def test_a_frame_larger_than_any_message_may_be_is_left_to_be_refused() -> None:
    huge = struct.pack("!BBQ", 0x82, 127, 1 << 40) + b"x"
    assert split(HEAD + huge, {60}) == ([], HEAD + huge)


def test_a_response_without_an_end_is_passed_on() -> None:
    endless = b"x" * 70_000
    assert split(endless, set()) == ([], endless)


def unmask(frame: bytes, head: int) -> bytes:
    key, payload = frame[head : head + 4], frame[head + 4 :]
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_a_sent_frame_is_masked_and_says_its_length(payload: bytes, key: bytes) -> None:
    frame = mask_frame(payload, key)
    head = 2 if len(payload) <= 125 else 4
    assert frame[0] == 0x82
    assert frame[1] & 0x80
    length = frame[1] & 0x7F if head == 2 else int.from_bytes(frame[2:4], "big")
    assert length == len(payload)
    assert unmask(frame, head) == payload


def test_a_very_long_frame_has_a_length_of_eight_bytes() -> None:
    payload = bytes(70_000)
    assert unmask(mask_frame(payload, b"abcd"), 10) == payload


def test_a_close_frame_has_the_code_and_the_sentence() -> None:
    frame = close_frame(4002, "No.", b"abcd")
    assert frame[0] == 0x88
    assert unmask(frame, 2) == b"\x0f\xa2No."
