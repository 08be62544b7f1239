"""WebSocket frames by the letter of RFC 6455 and with nothing clever: what a client sends, and a plain parser.

The parser is what the server's two lanes together are compared with.
"""

from __future__ import annotations

import enum
import struct

import attrs

KEY = b"\x11\x22\x33\x44"


class Op(enum.IntEnum):
    """Opcodes (section 5.2)."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


@attrs.frozen
class Said:
    """A whole message or control frame; ``op`` is never CONTINUATION."""

    op: Op
    payload: bytes

    @property
    def close_code(self) -> int:
        return int.from_bytes(self.payload[:2], "big")

    @property
    def close_reason(self) -> str:
        return self.payload[2:].decode()


class Broken(Exception):
    """The stream breaks RFC 6455."""


def frame(
    op: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    reserved: int = 0,
    key: bytes | None = KEY,
    length_bytes: int | None = None,
) -> bytes:
    """A frame, masked with ``key``; ``length_bytes`` (0, 2 or 8) may be longer than it has to be."""
    size = len(payload)
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 1 << 16 else 8
    first = final << 7 | reserved << 4 | op
    masked = 0 if key is None else 0x80
    match length_bytes:
        case 0:
            head = bytes((first, masked | size))
        case 2:
            head = struct.pack("!BBH", first, masked | 126, size)
        case _:
            head = struct.pack("!BBQ", first, masked | 127, size)
    return head + payload if key is None else head + key + mask(key, payload)


def mask(key: bytes, payload: bytes) -> bytes:
    return bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


class PlainParser:
    """Reads frames one by one, whoever sent them; stops at a close frame."""

    def __init__(self) -> None:
        self._buffer = b""
        self._parts: list[bytes] = []
        self._op: Op | None = None
        self.closed = False

    def feed(self, data: bytes) -> list[Said]:
        """Return what became complete.

        Raises:
            Broken: The bytes are no frames, or not in this order.
        """
        self._buffer += data
        said: list[Said] = []
        while not self.closed and (found := self._next_frame()) is not None:
            said.extend(self._take(*found))
        return said

    def _next_frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, at = buffer[1] & 0x7F, 2
        if size >= 126:
            at += 2 if size == 126 else 8
            size = int.from_bytes(buffer[2:at], "big")
        key = b""
        if buffer[1] & 0x80:
            key = buffer[at : at + 4]
            at += 4
        if len(buffer) < at + size:
            return None
        payload = buffer[at : at + size]
        self._buffer = buffer[at + size :]
        return buffer[0], mask(key, payload) if key else payload

    def _take(self, first: int, payload: bytes) -> list[Said]:
        op, final = first & 0x0F, bool(first & 0x80)
        if first & 0x70 or op not in set(Op):
            raise Broken(f"first byte {first:#x}")
        if op >= Op.CLOSE:
            if not final or len(payload) > 125:
                raise Broken("a long control frame, or a piece of one")
            self.closed = op == Op.CLOSE
            return [Said(Op(op), payload)]
        if (op == Op.CONTINUATION) != (self._op is not None):
            raise Broken("a fragment out of order")
        self._op = self._op or Op(op)
        self._parts.append(payload)
        if not final:
            return []
        whole = Said(self._op, b"".join(self._parts))
        self._op, self._parts = None, []
        return [whole]
