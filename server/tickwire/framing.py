"""WebSocket framing without I/O: the ready-made frames out, and the splitter that finds the hot case in.

The hot case is a whole, small, unfragmented, masked binary frame: ``82 8x`` with up to 125 bytes. It is
unmasked here and handed on as a message. Every other byte (other frames, bad frames, all that follows a
close frame) is handed on untouched and in order, for trio-websocket to judge.

::

    byte 0    FIN RSV RSV RSV opcode(4)         0x82: FIN and binary
    byte 1    MASK length(7)                    126: u16 follows, 127: u64 follows
    ...       masking key (4), payload
"""

from __future__ import annotations

import enum
import struct
from typing import Final

import attrs

_BINARY_FRAME: Final = 0x82
_CLOSE_FRAME: Final = 0x88
_MASKED: Final = 0x80
FAST_HEAD_BYTES: Final = 6
MAX_SHORT: Final = 125
_CONTROL_BIT: Final = 0x08
_CLOSE: Final = 0x08
_CONTINUATION: Final = 0x00
_MIN_EXTENDED: Final = {126: 126, 127: 1 << 16}
"""The least sizes for which a head may use its longer forms."""
# A 4-byte key times _REPEATED[size] is that key repeated over at least ``size`` bytes, and at most three more.
_REPEATED: Final = [sum(1 << 32 * word for word in range((size + 3) // 4)) for size in range(MAX_SHORT + 1)]
_KNOWN_OPCODES: Final = frozenset((0x0, 0x1, 0x2, 0x8, 0x9, 0xA))
_PLAIN_PONG: Final = b"\x8a\x80"


def _shape(size: int) -> tuple[int, int, int, int, int]:
    words = (size + 3) // 4
    return _BINARY_FRAME << 8 | _MASKED | size, 8 * size, _REPEATED[size], 32 * words - 8 * size, (1 << 8 * size) - 1


_SHAPES: Final = [_shape(size) for size in range(MAX_SHORT + 1)]
"""What it takes to unmask a fast frame with so many bytes of payload as one big-endian int ``word``.

``lead, bits, repeat, pad, mask``: then ``word >> bits >> 32`` has to be ``lead``, and the payload is
``(word ^ (key * repeat >> pad)) & mask``, where ``key`` is the low half of ``word >> bits``.
"""

_KEY: Final = (1 << 32) - 1
_to_int = int.from_bytes

_SHORT_HEADS: Final = [bytes((_BINARY_FRAME, size)) for size in range(MAX_SHORT + 1)]

PING_FRAME: Final = b"\x89\x00"
"""A ping without content (section 5.5.2)."""


def build_frame(payload: bytes) -> bytes:
    """Return the unmasked binary frame that a server sends; the same for every client (RFC 6455, section 5.2)."""
    size = len(payload)
    if size <= MAX_SHORT:
        return _SHORT_HEADS[size] + payload
    if size < 1 << 16:
        return struct.pack("!BBH", _BINARY_FRAME, 126, size) + payload
    return struct.pack("!BBQ", _BINARY_FRAME, 127, size) + payload


def build_close_frame(code: int, reason: str) -> bytes:
    """Return the frame that ends a connection; ``reason`` has at most 123 bytes (section 5.5.1)."""
    payload = struct.pack("!H", code) + reason.encode()
    return bytes((_CLOSE_FRAME, len(payload))) + payload


def unmask(key: bytes, payload: bytes) -> bytes:
    """XOR ``payload``, of at most 125 bytes, with the repeated 4-byte ``key``, as one big int."""
    size = len(payload)
    pad = int.from_bytes(key, "little") * _REPEATED[size]
    return (int.from_bytes(payload, "little") ^ pad).to_bytes(size + 3, "little")[:size]


def take_fast_payload(data: bytes) -> int:
    """Return the payload of ``data`` as a big-endian int if it is exactly one fast frame, else -1."""
    size = len(data) - FAST_HEAD_BYTES
    if not 0 <= size <= MAX_SHORT:
        return -1
    word = _to_int(data)
    lead, bits, repeat, pad, mask = _SHAPES[size]
    head = word >> bits
    return (word ^ ((head & _KEY) * repeat >> pad)) & mask if head >> 32 == lead else -1


def is_plain_pong(data: bytes) -> bool:
    """Whether ``data`` is exactly a client's pong without content, the answer to `PING_FRAME`."""
    return len(data) == FAST_HEAD_BYTES and data[:2] == _PLAIN_PONG


class Lane(enum.Enum):
    """Where a piece of the byte stream goes."""

    FAST = "fast"
    SLOW = "slow"
    SLOW_MESSAGE_END = "slow, and a data message ends here"


@attrs.frozen
class Piece:
    """A message (FAST: its unmasked payload) or raw bytes for trio-websocket (SLOW)."""

    lane: Lane
    data: bytes


class FrameSplitter:
    """Splits a client's byte stream into fast messages and everything else, whatever the cuts.

    For all cuts of a stream, the fast payloads and the slow bytes come out in the order in which
    their frames came in.
    """

    __slots__ = ("_buffer", "_ends_message", "_fragmented", "_passing", "_raw")

    def __init__(self) -> None:
        """Start at the boundary of a frame."""
        self._buffer = b""
        self._passing = 0
        self._ends_message = False
        self._fragmented = False
        self._raw = False

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes of the stream and return what is complete."""
        buffer = self._buffer + data if self._buffer else data
        pieces: list[Piece] = []
        at = 0
        end = len(buffer)
        while at < end:
            if self._raw:
                pieces.append(Piece(Lane.SLOW, buffer[at:]))
                at = end
            elif self._passing:
                at = self._pass_on(buffer, at, pieces)
            else:
                step = self._frame(buffer, at, pieces)
                if not step:
                    break
                at += step
        self._buffer = buffer[at:]
        return pieces

    @property
    def at_boundary(self) -> bool:
        """Whether the next byte begins a frame that may be fast."""
        return not (self._buffer or self._passing or self._fragmented or self._raw)

    def _frame(self, buffer: bytes, at: int, pieces: list[Piece]) -> int:
        """Take one frame (fast) or one frame's head (slow) at ``at``; return the bytes used, 0 for too few."""
        have = len(buffer) - at
        if have < 2:
            return 0
        first, second = buffer[at], buffer[at + 1]
        size = second & 0x7F
        if first == _BINARY_FRAME and second & _MASKED and size <= MAX_SHORT and not self._fragmented:
            whole = FAST_HEAD_BYTES + size
            if have < whole:
                return 0
            start = at + FAST_HEAD_BYTES
            pieces.append(Piece(Lane.FAST, unmask(buffer[at + 2 : start], buffer[start : at + whole])))
            return whole
        head = _head_bytes(second)
        if have < head:
            return 0
        self._begin_slow(first, second, head, _payload_bytes(buffer, at))
        # The head is passed on at once; the payload as it comes.
        return self._pass_on(buffer, at, pieces) - at

    def _begin_slow(self, first: int, second: int, head: int, size: int) -> None:
        opcode = first & 0x0F
        if opcode == _CLOSE or _is_broken(first, second, size, fragmented=self._fragmented):
            # Nothing after a close or an error is a message any more.
            self._raw = True
        self._passing = head + size
        self._ends_message = False
        if not opcode & _CONTROL_BIT:
            final = bool(first & 0x80)
            self._fragmented = not final
            self._ends_message = final

    def _pass_on(self, buffer: bytes, at: int, pieces: list[Piece]) -> int:
        step = min(self._passing, len(buffer) - at)
        self._passing -= step
        ends = self._ends_message and not self._passing
        pieces.append(Piece(Lane.SLOW_MESSAGE_END if ends else Lane.SLOW, buffer[at : at + step]))
        return at + step


def _is_broken(first: int, second: int, size: int, *, fragmented: bool) -> bool:
    """Whether RFC 6455, sections 5.1 to 5.5, makes a client's frame with this head an error."""
    opcode, form = first & 0x0F, second & 0x7F
    if first & 0x70 or opcode not in _KNOWN_OPCODES or not second & _MASKED or size < _MIN_EXTENDED.get(form, 0):
        return True
    if opcode & _CONTROL_BIT:
        return not first & 0x80 or size > MAX_SHORT
    return size >> 63 == 1 or (opcode == _CONTINUATION) != fragmented


def _head_bytes(second: int) -> int:
    size = second & 0x7F
    return 2 + (2 if size == 126 else 8 if size == 127 else 0) + (4 if second & _MASKED else 0)


def _payload_bytes(buffer: bytes, at: int) -> int:
    size = buffer[at + 1] & 0x7F
    if size == 126:
        return int.from_bytes(buffer[at + 2 : at + 4], "big")
    if size == 127:
        return int.from_bytes(buffer[at + 2 : at + 10], "big")
    return size
