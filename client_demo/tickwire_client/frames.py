"""The client's WebSocket frames without I/O: masked ones out, and a splitter that finds the hot case in.

The hot case is a whole, unmasked, unfragmented binary frame: every message that a tickwire server sends.
It comes out as a message. Control frames come out as raw bytes, for trio-websocket to judge, and from
the first frame of any other sort (text, fragments, errors, a close) on, all bytes do.

::

    byte 0    FIN RSV RSV RSV opcode(4)         0x82: FIN and binary
    byte 1    MASK length(7)                    126: u16 follows, 127: u64 follows
    ...       payload                           not masked: RFC 6455, section 5.1
"""

from __future__ import annotations

import enum
import struct

from attrs import define, field

from tickwire_shared.packing import MAX_SERVER_MESSAGE_BYTES

_BINARY = 0x82
_CLOSE = 0x88
_PING_AND_PONG = frozenset({0x89, 0x8A})
_MASKED = 0x80
_MAX_SHORT = 125
_END_OF_HEAD = b"\r\n\r\n"
_MAX_HEAD_BYTES = 65_536


def mask_frame(payload: bytes, key: bytes) -> bytes:
    """The masked binary frame that a client sends (RFC 6455, section 5.3).

    Args:
        payload: The message.
        key: Four bytes that nobody could predict.
    """
    return _masked(_BINARY, payload, key)


def close_frame(code: int, reason: str, key: bytes) -> bytes:
    """The masked close frame; ``reason`` has at most 123 bytes."""
    return _masked(_CLOSE, struct.pack("!H", code) + reason.encode(), key)


def _masked(first: int, payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    if size <= _MAX_SHORT:
        head = bytes((first, _MASKED | size))
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, _MASKED | 126, size)
    else:
        head = struct.pack("!BBQ", first, _MASKED | 127, size)
    pad = (key * (size // 4 + 1))[:size]
    mixed = (int.from_bytes(payload, "little") ^ int.from_bytes(pad, "little")).to_bytes(size, "little")
    return head + key + mixed


class Sort(enum.Enum):
    """What is to be done with a frame."""

    MESSAGE = "deliver it"
    CONTROL = "pass it on"
    OTHER = "pass it on, and all that follows"


@define
class ServerFrames:
    """Splits a server's byte stream, from the HTTP response on, into messages and everything else.

    It doesn't matter how the stream is cut.
    """

    _raw: bool = field(default=False, init=False)
    _buffer: bytes = field(default=b"", init=False)
    _opened: bool = field(default=False, init=False)

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Take the next bytes of the stream.

        Returns:
            The messages that are complete, and the bytes that are for trio-websocket. Data that those
            bytes may hold comes after the messages.
        """
        messages: list[bytes] = []
        if self._raw:
            return messages, data
        buffer = self._buffer + data if self._buffer else data
        at = 0 if self._opened else self._head_bytes(buffer)
        slow = buffer[:at]
        while self._opened and len(buffer) - at >= 2:
            sort = _sort(buffer[at], buffer[at + 1])
            if sort is Sort.OTHER:
                self._raw = True
                break
            start, end = _payload(buffer, at)
            if end > len(buffer):
                self._raw = end - start > MAX_SERVER_MESSAGE_BYTES
                break
            if sort is Sort.MESSAGE:
                messages.append(buffer[start:end])
            else:
                slow += buffer[at:end]
            at = end
        if self._raw:
            slow += buffer[at:]
            at = len(buffer)
        self._buffer = buffer[at:]
        return messages, slow

    def _head_bytes(self, buffer: bytes) -> int:
        """The size of the HTTP response, behind which frames begin; 0 while it isn't whole."""
        end = buffer.find(_END_OF_HEAD)
        if end < 0:
            self._raw = len(buffer) > _MAX_HEAD_BYTES
            return 0
        self._opened = True
        return end + len(_END_OF_HEAD)


def _sort(first: int, second: int) -> Sort:
    if first == _BINARY and not second & _MASKED:
        return Sort.MESSAGE
    if first in _PING_AND_PONG and second <= _MAX_SHORT:
        return Sort.CONTROL
    return Sort.OTHER


def _payload(buffer: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame at ``at`` starts and ends; beyond the buffer while it isn't whole."""
    size = buffer[at + 1]
    if size <= _MAX_SHORT:
        return at + 2, at + 2 + size
    start = at + (4 if size == 126 else 10)
    if len(buffer) < start:
        return start, start
    return start, start + int.from_bytes(buffer[at + 2 : start], "big")
