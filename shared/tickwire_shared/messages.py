"""Messages: the arrays of PROTOCOL.md, sections 4 and 5, as values, in both directions.

Building is plain functions that return bytes; parsing returns a frozen value or raises ProtocolError.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from typing import Final, Literal, cast, get_args

import attrs

from tickwire_shared.closing import CloseCode
from tickwire_shared.delta import Delta
from tickwire_shared.errors import ProtocolError
from tickwire_shared.kinds import Wire
from tickwire_shared.packing import MAX_CLIENT_MESSAGE_BYTES, MAX_SERVER_MESSAGE_BYTES, pack, unpack_array
from tickwire_shared.quoting import quote
from tickwire_shared.schema import ClassType
from tickwire_shared.ticks import TICK_MODULUS

PROTOCOL_VERSION: Final = 1
MAX_INPUTS_PER_MESSAGE: Final = 8
MAX_DEPTH: Final = 8
VIEW_STEPS: Final = 16
"""Steps per tick of a view's delay: what crosses a screen in a second moves a 500th of it in one, at 30 ticks."""
MAX_VIEW_DELAY: Final = 65535

Mode = Literal["join_or_create", "create", "join", "id"]


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


class ServerKind(enum.IntEnum):
    """Kinds of server messages."""

    WELCOME = 1
    SNAPSHOT = 2
    PRIVATE = 3
    EVENT = 4
    PONG = 5
    CHECK = 6
    EPOCH = 7
    NEWS = 8


@attrs.frozen
class Join:
    """A new player wants a seat."""

    mode: Mode
    target: str
    schema_hash: bytes | None = None
    options: Mapping[str, object] = attrs.field(factory=dict[str, object])


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
class EventMessage:
    """An event: the index of its class and its wire values."""

    index: int
    values: tuple[Wire, ...]


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


@attrs.frozen
class Welcome:
    """The answer to a join: WELCOME's map."""

    room: str
    type: str
    player: int
    token: str
    hz: float
    snapshot_every: int
    tick: int
    time: float
    schema: object
    schema_hash: bytes
    resumed: bool
    hold: int


@attrs.frozen
class SnapshotMessage:
    """A state change up to ``tick``; ``age`` 0 means from nothing."""

    tick: int
    age: int
    delta: Delta


@attrs.frozen
class Private:
    """What only this player sees: ids (still gap-coded) and rows of private values."""

    tick: int
    owned: object
    rows: list[object]


@attrs.frozen
class Pong:
    """The answer to a ping, in milliseconds of the server's clock."""

    t1: float
    t2: float
    t3: float


@attrs.frozen
class Check:
    """What the checksums of the client's state should be at ``tick``."""

    tick: int
    public: int
    private: int | None


@attrs.frozen
class Epoch:
    """Tick ``tick`` is due at ``time`` milliseconds."""

    tick: int
    time: float


@attrs.frozen
class News:
    """How this client's inputs arrive."""

    tick: int
    slack: int
    late: int
    refused: int


ServerMessage = Welcome | SnapshotMessage | Private | EventMessage | Pong | Check | Epoch | News


# Building


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


def build_event(index: int, values: Sequence[Wire]) -> bytes:
    """Encode EVENT, which has one form in both directions."""
    return pack([4, index, *values])


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


def build_welcome(welcome: Welcome) -> bytes:
    """Encode WELCOME."""
    items = attrs.asdict(welcome, recurse=False)
    items["hash"] = items.pop("schema_hash")
    return pack([ServerKind.WELCOME, {"protocol": PROTOCOL_VERSION, **items}])


def build_snapshot(tick: int, age: int, delta: Delta) -> bytes:
    """Encode SNAPSHOT."""
    return pack([2, tick, age, *delta.groups])


def build_private(tick: int, owned: list[int] | None, rows: list[list[object]]) -> bytes:
    """Encode PRIVATE; ``owned`` is gap-coded."""
    return pack([ServerKind.PRIVATE, tick, owned, rows])


def build_pong(t1: float, t2: float, t3: float) -> bytes:
    """Encode PONG."""
    return pack([ServerKind.PONG, t1, t2, t3])


def build_check(tick: int, public: int, private: int | None) -> bytes:
    """Encode CHECK."""
    return pack([ServerKind.CHECK, tick, public, private])


def build_epoch(tick: int, time: float) -> bytes:
    """Encode EPOCH."""
    return pack([ServerKind.EPOCH, tick, time])


def build_news(tick: int, slack: int, late: int, refused: int) -> bytes:
    """Encode NEWS."""
    return pack([ServerKind.NEWS, tick, slack, late, refused])


# Parsing what clients send


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
            return _parse_event(items)
        case ClientKind.PING:
            _count(items, 2)
            return Ping(number(items[1], "t1"))
        case ClientKind.LEAVE:
            _count(items, 1)
            return Leave()
        case ClientKind.RESYNC:
            _count(items, 2)
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


def check_event(message: EventMessage, events: Sequence[ClassType], *, from_client: bool) -> ClassType:
    """Check an event's values against its class and return the class.

    Raises:
        ProtocolError: There is no such class, clients may not send it, or a value is wrong.
    """
    if not 0 <= message.index < len(events):
        raise ProtocolError(f"There is no event class {message.index}.")
    item = events[message.index]
    if from_client and not item.from_client:
        raise ProtocolError(f"{item.name} is not an event that clients may send.")
    if len(message.values) != len(item.public):
        raise ProtocolError(f"{item.name} has {len(item.public)} fields, not {len(message.values)}.")
    for field, value in zip(item.public, message.values, strict=True):
        field.kind.check(value)
    return item


def _parse_join(items: list[object]) -> Join:
    _count(items, 6)
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
    _count(items, 6)
    _check_protocol(items[1])
    room, token, tick = items[2], items[3], items[4]
    if type(room) is not str or type(token) is not str or len(room) > 64 or len(token) > 256:
        raise ProtocolError("A resume needs a room id and a token.")
    return Resume(room, token, None if tick is None else tick_number(tick), _hash(items[5]))


def _parse_event(items: list[object]) -> EventMessage:
    if len(items) < 2 or type(items[1]) is not int:
        raise ProtocolError("An event has no class.")
    for value in items[2:]:
        if type(value) is not int and type(value) is not bytes:
            raise ProtocolError(f"{quote(value)} is no wire value of an event.")
    return EventMessage(items[1], cast("tuple[Wire, ...]", tuple(items[2:])))


def _parse_view(items: list[object]) -> View:
    _count(items, 3)
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


# Parsing what servers send


def parse_server(data: bytes) -> ServerMessage:
    """Parse a server's message; groups, rows and event values are checked when they are applied.

    Raises:
        ProtocolError: It breaks PROTOCOL.md; the message says how.
    """
    items = unpack_array(data, max_bytes=MAX_SERVER_MESSAGE_BYTES)
    kind = items[0]
    if type(kind) is not int:
        raise ProtocolError(f"{quote(kind)} is no message kind.")
    match kind:
        case ServerKind.SNAPSHOT:
            return _parse_snapshot(items)
        case ServerKind.WELCOME:
            _count(items, 2)
            return _parse_welcome(items[1])
        case ServerKind.PRIVATE:
            _count(items, 4)
            if type(items[3]) is not list:
                raise ProtocolError("The rows of PRIVATE are not an array.")
            return Private(tick_number(items[1]), items[2], cast("list[object]", items[3]))
        case ServerKind.EVENT:
            return _parse_event(items)
        case ServerKind.PONG:
            _count(items, 4)
            return Pong(number(items[1], "t1"), number(items[2], "t2"), number(items[3], "t3"))
        case ServerKind.CHECK:
            _count(items, 4)
            private = None if items[3] is None else _u32(items[3], "checksum")
            return Check(tick_number(items[1]), _u32(items[2], "checksum"), private)
        case ServerKind.EPOCH:
            _count(items, 3)
            return Epoch(tick_number(items[1]), number(items[2], "time"))
        case ServerKind.NEWS:
            _count(items, 5)
            slack = items[2]
            if type(slack) is not int or abs(slack) > TICK_MODULUS:
                raise ProtocolError(f"{quote(slack)} is no slack.")
            return News(tick_number(items[1]), slack, _u32(items[3], "late"), _u32(items[4], "refused"))
        case _:
            raise ProtocolError(f"{quote(kind)} is no message kind that a server sends.")


def _parse_snapshot(items: list[object]) -> SnapshotMessage:
    if len(items) < 3:
        raise ProtocolError("A snapshot has at least three items.")
    for group in items[3:]:
        if type(group) is not list:
            raise ProtocolError("A snapshot's group is not an array.")
    delta = Delta(cast("tuple[list[object], ...]", tuple(items[3:])))
    return SnapshotMessage(tick_number(items[1]), _u32(items[2], "age"), delta)


def _parse_welcome(value: object) -> Welcome:
    if type(value) is not dict:
        raise ProtocolError("WELCOME is not a map.")
    items = cast("dict[str, object]", value)
    if type(items.get("protocol")) is not int or items["protocol"] != PROTOCOL_VERSION:
        raise ProtocolError(
            f"The server speaks protocol {quote(items.get('protocol'))}, this client {PROTOCOL_VERSION}."
        )
    text = [items.get(key) for key in ("room", "type", "token")]
    schema_hash, resumed = items.get("hash"), items.get("resumed")
    if not all(type(item) is str for item in text) or type(schema_hash) is not bytes or type(resumed) is not bool:
        raise ProtocolError("WELCOME lacks a key, or one has the wrong type.")
    hz = number(items.get("hz"), "hz")
    every = _u32(items.get("snapshot_every"), "snapshot_every")
    if not 0 < hz <= 1000 or every < 1:
        raise ProtocolError(f"WELCOME says {hz} ticks a second, a snapshot every {every}.")
    room, type_, token = cast("list[str]", text)
    return Welcome(
        room=room,
        type=type_,
        token=token,
        player=_u32(items.get("player"), "player"),
        hz=hz,
        snapshot_every=every,
        tick=tick_number(items.get("tick")),
        time=number(items.get("time"), "time"),
        schema=items.get("schema"),
        schema_hash=schema_hash,
        resumed=resumed,
        hold=_u32(items.get("hold"), "hold"),
    )


# Parts


def _count(items: list[object], count: int) -> None:
    if len(items) != count:
        raise ProtocolError(f"Message kind {items[0]} has {count} items, not {len(items)}.")


def tick_number(value: object) -> int:
    """Return ``value`` if it is a tick, else raise ProtocolError."""
    return _u32(value, "tick")


def number(value: object, what: str) -> float:
    """Return ``value`` if it is a finite number, else raise ProtocolError."""
    if type(value) not in (int, float) or not math.isfinite(cast("float", value)):
        raise ProtocolError(f"{quote(value)} is no {what}: a finite number is needed.")
    return cast("float", value)


def _u32(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value < TICK_MODULUS:
        raise ProtocolError(f"{quote(value)} is no {what}: an int in 0..2^32-1 is needed.")
    return value
