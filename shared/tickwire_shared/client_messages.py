"""What clients send: the messages of PROTOCOL.md, section 4, as values, to bytes and from bytes."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Final, Literal, cast, get_args

import attrs

from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import ProtocolError
from tickwire_shared.event_messages import EventMessage, parse_event
from tickwire_shared.items import PROTOCOL_VERSION, check_count, number, tick_number
from tickwire_shared.packing import MAX_CLIENT_MESSAGE_BYTES, pack, unpack_array
from tickwire_shared.quoting import quote
from tickwire_shared.schema import ClassType

MAX_INPUTS_PER_MESSAGE: Final = 8
MAX_DEPTH: Final = 8
VIEW_STEPS: Final = 16
"""A view's delay is told in this many steps per tick: at 54 units a second and 30 ticks, a ninth of a unit."""
MAX_VIEW_DELAY: Final = 65535
"""What the wire can say; what a server believes is far less."""

Mode = Literal["join_or_create", "create", "join", "id", "reserved"]


class ClientKind(enum.IntEnum):
    """Kinds of client messages."""

    JOIN = 1
    RESUME = 2
    INPUT = 3
    EVENT = 4
    PING = 5
    LEAVE = 6
    RESYNC = 7
    VIEW = 8


@attrs.frozen
class Join:
    """A new player wants a seat."""

    mode: Mode
    target: str
    schema_hash: bytes | None = None
    options: Mapping[str, object] = attrs.field(factory=dict[str, object])

    @property
    def reservation(self) -> tuple[str, str] | None:
        """The room's id and the secret of a join with a reservation; None for one without."""
        if self.mode != "reserved":
            return None
        room, _, secret = self.target.partition(".")
        return room, secret


@attrs.frozen
class Resume:
    """A player that lost its connection comes back."""

    room: str
    token: str
    tick: int | None
    schema_hash: bytes | None = None


@attrs.frozen
class InputBatch:
    """The wire values of one or more inputs, for ``tick`` and the ticks after it."""

    tick: int
    values: tuple[tuple[int, ...], ...]


@attrs.frozen
class Ping:
    """A question for the server's clock."""

    t1: float


@attrs.frozen
class Leave:
    """The player goes for good."""


@attrs.frozen
class Resync:
    """The client's state at ``tick`` is wrong; it wants a full snapshot."""

    tick: int


@attrs.frozen
class View:
    """How far in the past the player sees the world, in 1/16 ticks, and the ``t3`` of the PONG that this answers."""

    t3: float | None = None
    delay: int | None = None


ClientMessage = Join | Resume | InputBatch | EventMessage | Ping | Leave | Resync | View


def build_join(join: Join) -> bytes:
    """Encode JOIN."""
    return pack([ClientKind.JOIN, PROTOCOL_VERSION, join.mode, join.target, join.schema_hash, dict(join.options)])


def build_resume(resume: Resume) -> bytes:
    """Encode RESUME."""
    head = [ClientKind.RESUME, PROTOCOL_VERSION, resume.room, resume.token]
    return pack([*head, resume.tick, resume.schema_hash])


def build_input(tick: int, values: Sequence[int]) -> bytes:
    """Encode INPUT; ``values`` holds the fields of one input, or of several, one after the other."""
    return pack([3, tick, *values])


def build_ping(t1: float) -> bytes:
    """Encode PING."""
    return pack([ClientKind.PING, t1])


def build_leave() -> bytes:
    """Encode LEAVE."""
    return pack([ClientKind.LEAVE])


def build_resync(tick: int) -> bytes:
    """Encode RESYNC."""
    return pack([ClientKind.RESYNC, tick])


def build_view(view: View) -> bytes:
    """Encode VIEW."""
    return pack([ClientKind.VIEW, view.t3, view.delay])


def parse_client(data: bytes) -> ClientMessage:
    """Parse a client's message, except that an input's and an event's values are not yet checked against a schema.

    Raises:
        ProtocolError: It breaks PROTOCOL.md; the message says how.
    """
    items = unpack_array(data, max_bytes=MAX_CLIENT_MESSAGE_BYTES)
    kind = items[0]
    if kind == ClientKind.INPUT and type(kind) is int:
        raise ProtocolError("An input came before the join.")
    return parse_client_items(items)


def parse_client_items(items: list[object]) -> ClientMessage:
    """Parse an unpacked client message that is not an input."""
    kind = items[0]
    if type(kind) is not int:
        raise ProtocolError(f"{quote(kind)} is no message kind.")
    match kind:
        case ClientKind.JOIN:
            return _parse_join(items)
        case ClientKind.RESUME:
            return _parse_resume(items)
        case ClientKind.EVENT:
            return parse_event(items)
        case ClientKind.PING:
            check_count(items, 2)
            return Ping(number(items[1], "t1"))
        case ClientKind.LEAVE:
            check_count(items, 1)
            return Leave()
        case ClientKind.RESYNC:
            check_count(items, 2)
            return Resync(tick_number(items[1]))
        case ClientKind.VIEW:
            return _parse_view(items)
        case _:
            raise ProtocolError(f"{quote(kind)} is no message kind that a client sends here.")


def parse_input(items: list[object], input_type: ClassType | None) -> InputBatch:
    """Check an unpacked INPUT against the room's input class.

    Raises:
        ProtocolError: The room takes no inputs, or a number of values, a type or a range is wrong.
    """
    if input_type is None:
        raise ProtocolError("This room takes no inputs.")
    fields = input_type.public
    width = len(fields)
    count = len(items) - 2
    if count <= 0 or count > width * MAX_INPUTS_PER_MESSAGE or count % width:
        raise ProtocolError(f"An input of {count} values; {input_type.name} has {width}, at most 8 times in a message.")
    tick = tick_number(items[1])
    rows: list[tuple[int, ...]] = []
    for start in range(2, len(items), width):
        row = items[start : start + width]
        rows.append(tuple([cast("int", field.kind.check(value)) for field, value in zip(fields, row, strict=True)]))
    return InputBatch(tick, tuple(rows))


def _parse_join(items: list[object]) -> Join:
    check_count(items, 6)
    _check_protocol(items[1])
    mode, target, options = items[2], items[3], items[5]
    if mode not in get_args(Mode):
        raise ProtocolError(f"{quote(mode)} is no join mode; use one of {', '.join(get_args(Mode))}.")
    if type(target) is not str or not 1 <= len(target) <= 64:
        raise ProtocolError(f"{quote(target)} is not the name or id of a room.")
    if type(options) is not dict:
        raise ProtocolError("The join's options are not a map.")
    fields = cast("dict[str, object]", options)
    check_depth(fields)
    return Join(cast("Mode", mode), target, _hash(items[4]), fields)


def _parse_resume(items: list[object]) -> Resume:
    check_count(items, 6)
    _check_protocol(items[1])
    room, token, tick = items[2], items[3], items[4]
    if type(room) is not str or type(token) is not str or len(room) > 64 or len(token) > 256:
        raise ProtocolError("A resume needs a room id and a token.")
    return Resume(room, token, None if tick is None else tick_number(tick), _hash(items[5]))


def _parse_view(items: list[object]) -> View:
    check_count(items, 3)
    delay = items[2]
    if delay is not None and (type(delay) is not int or not 0 <= delay <= MAX_VIEW_DELAY):
        raise ProtocolError(f"{quote(delay)} is no view delay; use 0 to {MAX_VIEW_DELAY}, in 1/{VIEW_STEPS} ticks.")
    return View(None if items[1] is None else number(items[1], "t3"), delay)


def _check_protocol(version: object) -> None:
    if type(version) is not int or version != PROTOCOL_VERSION:
        raise ProtocolError(
            f"The client speaks protocol {quote(version)}, the server {PROTOCOL_VERSION}: reload the page or update.",
            CloseCode.WRONG_PROTOCOL,
        )


def _hash(value: object) -> bytes | None:
    if value is not None and (type(value) is not bytes or len(value) != 8):
        raise ProtocolError("The schema hash is neither nil nor 8 bytes.")
    return value


def check_depth(value: object, depth: int = 2) -> None:
    """Refuse values nested deeper than a client's message may be."""
    if depth > MAX_DEPTH:
        raise ProtocolError(f"The message is nested deeper than {MAX_DEPTH}.")
    if isinstance(value, dict):
        for key, item in cast("dict[object, object]", value).items():
            if type(key) is not str:
                raise ProtocolError("A map in the message has a key that is not a str.")
            check_depth(item, depth + 1)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            check_depth(item, depth + 1)
    elif value is not None and type(value) not in (bool, int, float, str, bytes):
        raise ProtocolError(f"The message holds a {type(value).__name__}, which tickwire does not use.")
