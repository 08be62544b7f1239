"""What servers send: the messages of PROTOCOL.md, section 5, as values, to bytes and from bytes."""

from __future__ import annotations

import enum
from typing import Final, cast

import attrs

from tickwire_shared.delta import Delta
from tickwire_shared.errors import ProtocolError
from tickwire_shared.event_messages import EventMessage, parse_event
from tickwire_shared.items import PROTOCOL_VERSION, check_count, number, tick_number, u32
from tickwire_shared.packing import MAX_SERVER_MESSAGE_BYTES, pack, unpack_array
from tickwire_shared.quoting import quote
from tickwire_shared.ticks import TICK_MODULUS

MAX_RUNG: Final = 3
"""LOAD's rungs are 0 to this."""


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
    LOAD = 9


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


@attrs.frozen
class Load:
    """The server is this busy (0: not at all), and sends a snapshot every so many ticks from now on."""

    rung: int
    every: int


ServerMessage = Welcome | SnapshotMessage | Private | EventMessage | Pong | Check | Epoch | News | Load


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


def build_load(rung: int, every: int) -> bytes:
    """Encode LOAD."""
    return pack([ServerKind.LOAD, rung, every])


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
            check_count(items, 2)
            return _parse_welcome(items[1])
        case ServerKind.PRIVATE:
            check_count(items, 4)
            if type(items[3]) is not list:
                raise ProtocolError("The rows of PRIVATE are not an array.")
            return Private(tick_number(items[1]), items[2], cast("list[object]", items[3]))
        case ServerKind.EVENT:
            return parse_event(items)
        case ServerKind.PONG:
            check_count(items, 4)
            return Pong(number(items[1], "t1"), number(items[2], "t2"), number(items[3], "t3"))
        case ServerKind.CHECK:
            check_count(items, 4)
            private = None if items[3] is None else u32(items[3], "checksum")
            return Check(tick_number(items[1]), u32(items[2], "checksum"), private)
        case ServerKind.EPOCH:
            check_count(items, 3)
            return Epoch(tick_number(items[1]), number(items[2], "time"))
        case ServerKind.NEWS:
            check_count(items, 5)
            slack = items[2]
            if type(slack) is not int or abs(slack) > TICK_MODULUS:
                raise ProtocolError(f"{quote(slack)} is no slack.")
            return News(tick_number(items[1]), slack, u32(items[3], "late"), u32(items[4], "refused"))
        case ServerKind.LOAD:
            check_count(items, 3)
            return _parse_load(u32(items[1], "rung"), u32(items[2], "every"))
        case _:
            raise ProtocolError(f"{quote(kind)} is no message kind that a server sends.")


def _parse_snapshot(items: list[object]) -> SnapshotMessage:
    if len(items) < 3:
        raise ProtocolError("A snapshot has at least three items.")
    for group in items[3:]:
        if type(group) is not list:
            raise ProtocolError("A snapshot's group is not an array.")
    delta = Delta(cast("tuple[list[object], ...]", tuple(items[3:])))
    return SnapshotMessage(tick_number(items[1]), u32(items[2], "age"), delta)


def _parse_load(rung: int, every: int) -> Load:
    if rung > MAX_RUNG or every < 1:
        raise ProtocolError(f"LOAD says rung {rung}, a snapshot every {every} ticks.")
    return Load(rung, every)


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
    every = u32(items.get("snapshot_every"), "snapshot_every")
    if not 0 < hz <= 1000 or every < 1:
        raise ProtocolError(f"WELCOME says {hz} ticks a second, a snapshot every {every}.")
    room, type_, token = cast("list[str]", text)
    return Welcome(
        room=room,
        type=type_,
        token=token,
        player=u32(items.get("player"), "player"),
        hz=hz,
        snapshot_every=every,
        tick=tick_number(items.get("tick")),
        time=number(items.get("time"), "time"),
        schema=items.get("schema"),
        schema_hash=schema_hash,
        resumed=resumed,
        hold=u32(items.get("hold"), "hold"),
    )
