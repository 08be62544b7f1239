"""What a client holds, by the letter of PROTOCOL.md and with nothing to spare: every liberty of the server fails."""

from __future__ import annotations

from typing import cast

import attrs

from tickwire_shared.applying import MAX_ID, apply, ungap
from tickwire_shared.event_messages import EventMessage, check_event
from tickwire_shared.schema import ClassType, Schema
from tickwire_shared.server_messages import Check, Private, ServerMessage, SnapshotMessage
from tickwire_shared.state import WorldState, checksum, private_checksum
from tickwire_shared.ticks import tick_add, tick_distance
from tickwire_shared.wire_values import Wire

PrivateView = dict[int, dict[str, Wire]]


@attrs.define(eq=False)
class Held:
    """The state that a client holds after the messages it took in."""

    schema: Schema
    state: WorldState = attrs.field(init=False)
    tick: int | None = attrs.field(init=False, default=None)
    owned: frozenset[int] = attrs.field(init=False, default=frozenset())
    private: dict[int, tuple[Wire, ...]] = attrs.field(init=False, factory=dict[int, tuple[Wire, ...]])
    checks: int = attrs.field(init=False, default=0)
    _staged: Private | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.state = WorldState.empty(self.schema)

    def take(self, message: ServerMessage) -> None:
        """Take in one message; whatever the protocol doesn't allow fails."""
        if isinstance(message, SnapshotMessage):
            self._snapshot(message)
            return
        assert self._staged is None, "a PRIVATE is not followed by the snapshot of its tick"
        if isinstance(message, Private):
            self._staged = message
        elif isinstance(message, Check):
            self._check(message)
        elif isinstance(message, EventMessage):
            check_event(message, self.schema.events, from_client=False)

    def begin(self) -> None:
        """Start on a new connection: a PRIVATE whose snapshot never came is void."""
        self._staged = None

    def public(self) -> dict[str, dict[int, dict[str, Wire]]]:
        """The public state: class, id, field, wire value."""
        return self.state.to_dict()

    def secrets(self) -> PrivateView:
        """The private values of everything that is owned and there, defaults included."""
        view: PrivateView = {}
        for item, table in zip(self.schema.entities, self.state.tables, strict=True):
            for ident in table.ids:
                if item.private and ident in self.owned:
                    row = self.private.get(ident) or _defaults(item)
                    view[ident] = {field.name: wire for field, wire in zip(item.private, row, strict=True)}
        return view

    def _snapshot(self, message: SnapshotMessage) -> None:
        staged, self._staged = self._staged, None
        assert staged is None or staged.tick == message.tick
        full = message.age == 0
        if full:
            complete = staged is not None and staged.owned is not None
            assert complete or not (self.schema.has_private or self.owned), "a full snapshot without its PRIVATE"
            self.owned, self.private = frozenset(), {}
        else:
            assert self.tick is not None, "a delta, but nothing is held"
            oldest = tick_add(message.tick, -message.age)
            assert 0 <= tick_distance(self.tick, oldest) < message.age, "a delta from what is not held"
        base = WorldState.empty(self.schema) if full else self.state
        self.state = apply(base, message.delta)
        self.tick = message.tick
        if staged is not None:
            self._apply_private(staged)
        there = {ident for table in self.state.tables for ident in table.ids}
        assert self.owned <= there or not self.schema.has_private, "something owned is not there"
        self.private = {ident: row for ident, row in self.private.items() if ident in self.owned and ident in there}

    def _apply_private(self, message: Private) -> None:
        if message.owned is not None:
            self.owned = frozenset(ungap(message.owned, MAX_ID, first=1))
        for row in message.rows:
            ident, mask, *values = cast("list[int]", row)
            assert ident in self.owned, "a PRIVATE row for what is not owned"
            item = self._class_of(ident)
            changed = list(self.private.get(ident) or _defaults(item))
            for number, field in enumerate(item.private):
                if mask >> number & 1:
                    changed[number] = field.kind.check(values.pop(0))
            assert not values, "more values than the mask says"
            assert mask, "a PRIVATE row that says nothing"
            self.private[ident] = tuple(changed)

    def _check(self, message: Check) -> None:
        assert self.tick is not None
        assert tick_distance(message.tick, self.tick) >= 0
        assert checksum(self.state) == message.public
        if message.private is not None:
            assert private_checksum(self.state, sorted(self.owned), self.private) == message.private
        self.checks += 1

    def _class_of(self, ident: int) -> ClassType:
        for item, table in zip(self.schema.entities, self.state.tables, strict=True):
            if ident in table.ids:
                return item
        raise AssertionError(f"a PRIVATE row for {ident}, which is not there")


def _defaults(item: ClassType) -> tuple[Wire, ...]:
    return tuple(field.default for field in item.private)
