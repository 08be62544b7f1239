"""What a block of PROTOCOL.md means to the real decoders, and back to bytes by the real encoders."""

from __future__ import annotations

from typing import assert_never, cast

from attrs import asdict, define, field

from tickwire_client.replica import Replica
from tickwire_shared.applying import MAX_ID, ungap
from tickwire_shared.byte_kinds import Text
from tickwire_shared.client_messages import (
    ClientMessage,
    InputBatch,
    Join,
    Leave,
    Ping,
    Resume,
    Resync,
    View,
    build_input,
    build_join,
    build_leave,
    build_ping,
    build_resume,
    build_resync,
    build_view,
    parse_client_items,
    parse_input,
)
from tickwire_shared.delta import diff
from tickwire_shared.event_messages import EventMessage, build_event, check_event
from tickwire_shared.items import PROTOCOL_VERSION
from tickwire_shared.packing import unpack_array
from tickwire_shared.schema import FieldType, Schema
from tickwire_shared.server_messages import (
    Check,
    Epoch,
    Load,
    News,
    Pong,
    Private,
    ServerMessage,
    SnapshotMessage,
    Welcome,
    build_check,
    build_epoch,
    build_load,
    build_news,
    build_pong,
    build_private,
    build_snapshot,
    build_welcome,
    parse_server,
)
from tickwire_shared.state import WorldState

INPUT = 3

Meaning = dict[str, object]


@define
class PagePlayer:
    """Takes the messages of the page in their order; the first WELCOME brings the schema.

    Attributes:
        replica: What a client holds by now.
        base: The state before the last snapshot, from which it is encoded again.
    """

    schema: Schema
    replica: Replica = field(init=False)
    base: WorldState = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start with nothing held."""
        self.replica = Replica(self.schema)
        self.base = self.replica.state

    def parse_client(self, data: bytes) -> ClientMessage:
        """Parse a client's message as a server does, with the schema."""
        items = unpack_array(data)
        if items[0] == INPUT:
            return parse_input(items, self.schema.input)
        message = parse_client_items(items)
        if isinstance(message, EventMessage):
            check_event(message, self.schema.events, from_client=True)
        return message

    def take(self, data: bytes) -> ServerMessage:
        """Parse a server's message as a client does, and take it in."""
        message = parse_server(data)
        match message:
            case SnapshotMessage():
                self.base = WorldState.empty(self.schema) if message.age == 0 else self.replica.state
                self.replica.advance(message)
            case Private():
                self.replica.stage(message)
            case EventMessage():
                self.replica.read_event(message)
            case Check():
                assert self.replica.agrees(message), "the checksums are not those of the state"
            case _:
                pass
        return message

    def client_meaning(self, message: ClientMessage) -> Meaning:
        """What a client's message means, as the page writes it."""
        match message:
            case Join() | Resume():
                parts = asdict(message)
                digest = parts.pop("schema_hash")
                return {**parts, "hash": digest and digest.hex()}
            case InputBatch():
                assert self.schema.input is not None
                fields = self.schema.input.public
                return {"tick": message.tick, "inputs": [_authored(fields, row) for row in message.values]}
            case EventMessage():
                return self._event(message)
            case Ping() | Leave() | Resync() | View():
                return asdict(message)
            case _:
                assert_never(message)

    def server_meaning(self, message: ServerMessage) -> Meaning:
        """What a server's message means, as the page writes it; a snapshot's with the state that is held then."""
        match message:
            case Welcome():
                parts = asdict(message, recurse=False)
                digest = cast("bytes", parts.pop("schema_hash"))
                return {"protocol": PROTOCOL_VERSION, **parts, "schema": _texts(message.schema), "hash": digest.hex()}
            case SnapshotMessage():
                same = self.replica.state == self.base
                state: object = "unchanged" if same else self._state()
                return {"tick": message.tick, "age": message.age, "state": state}
            case Private():
                owned = None if message.owned is None else ungap(message.owned, MAX_ID, first=1)
                rows = dict(self._row(cast("list[int]", row)) for row in message.rows)
                return {"tick": message.tick, "owned": owned, "rows": rows}
            case EventMessage():
                return self._event(message)
            case Pong() | Check() | Epoch() | News() | Load():
                return asdict(message)
            case _:
                assert_never(message)

    def rebuild(self, message: ClientMessage | ServerMessage) -> bytes:
        """Encode a message again; a snapshot from the two states that it lies between."""
        match message:
            case Join():
                return build_join(message)
            case Resume():
                return build_resume(message)
            case InputBatch():
                return build_input(message.tick, [value for row in message.values for value in row])
            case EventMessage():
                return build_event(message.index, message.values)
            case Ping():
                return build_ping(message.t1)
            case Leave():
                return build_leave()
            case Resync():
                return build_resync(message.tick)
            case View():
                return build_view(message)
            case Welcome():
                return build_welcome(message)
            case SnapshotMessage():
                return build_snapshot(message.tick, message.age, diff(self.base, self.replica.state))
            case Private():
                owned = cast("list[int] | None", message.owned)
                return build_private(message.tick, owned, cast("list[list[object]]", message.rows))
            case Pong():
                return build_pong(message.t1, message.t2, message.t3)
            case Check():
                return build_check(message.tick, message.public, message.private)
            case Epoch():
                return build_epoch(message.tick, message.time)
            case News():
                return build_news(message.tick, message.slack, message.late, message.refused)
            case Load():
                return build_load(message.rung, message.every)
            case _:
                assert_never(message)

    def _event(self, message: EventMessage) -> Meaning:
        item = self.schema.events[message.index]
        return {"event": item.name, "fields": _authored(item.public, message.values)}

    def _row(self, row: list[int]) -> tuple[str, Meaning]:
        """One row of a PRIVATE; before its snapshot the only class that it can be of is the one with private fields."""
        [item] = [item for item in self.schema.entities if item.private]
        fields = [declared for number, declared in enumerate(item.private) if row[1] >> number & 1]
        return str(row[0]), {declared.name: wire for declared, wire in zip(fields, row[2:], strict=True)}

    def _state(self) -> Meaning:
        held = self.replica.state.to_dict()
        return {
            name: {str(ident): {key: _texts(wire) for key, wire in row.items()} for ident, row in rows.items()}
            for name, rows in held.items()
            if rows
        }


def _authored(fields: tuple[FieldType, ...], wires: tuple[int | bytes, ...]) -> Meaning:
    assert all(isinstance(declared.kind, Text) or declared.is_int for declared in fields)
    return {declared.name: declared.kind.from_wire(wire) for declared, wire in zip(fields, wires, strict=True)}


def _texts(value: object) -> object:
    """The value with text for its byte strings, as the page writes them."""
    match value:
        case bytes():
            return value.decode()
        case dict():
            return {key: _texts(item) for key, item in cast("dict[object, object]", value).items()}
        case list():
            return [_texts(item) for item in cast("list[object]", value)]
        case _:
            return value
