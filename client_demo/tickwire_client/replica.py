"""The client's copy of a room: what the snapshots so far add up to.

Messages in, a checked state out. No I/O, no clock, no trio: the network client, the test kit and the
fuzz tests all run exactly this.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping

from attrs import define, field

from tickwire_client.decoding import Decoder, PlainDecoder
from tickwire_client.layout import Layout, Place, lay_out
from tickwire_client.private import apply_private, read_owned, still_held
from tickwire_client.views import EntityView, EventView
from tickwire_shared.errors import StaleBaseline
from tickwire_shared.event_messages import EventMessage, check_event
from tickwire_shared.schema import Schema
from tickwire_shared.server_messages import Check, Private, SnapshotMessage
from tickwire_shared.state import WorldState, private_checksum
from tickwire_shared.ticks import tick_add, tick_distance
from tickwire_shared.wire_values import Wire

Viewer = Callable[[EntityView], Mapping[str, float] | None]
"""Where an entity is drawn: its public quantised and angle fields; None where the newest snapshot has it."""


@define(eq=False)
class Replica:
    """A room as one player sees it.

    Every method that takes a message either applies it whole, or raises and changes nothing.

    Attributes:
        schema: The room's classes.
        decoder: How deltas are applied; replicas of one process may share it.
        state: The public state at ``tick``.
        tick: The tick of the last snapshot; None before the first.
        owned: Ids of this player's entities.
        private: The private values that were sent, by entity id; others have their defaults.
        viewer: Says where an entity is drawn instead of where the newest snapshot has it.
    """

    schema: Schema
    decoder: Decoder = field(factory=PlainDecoder)
    state: WorldState = field(init=False)
    tick: int | None = field(default=None, init=False)
    owned: frozenset[int] = field(default=frozenset(), init=False)
    private: dict[int, tuple[Wire, ...]] = field(factory=dict[int, tuple[Wire, ...]], init=False)
    viewer: Viewer | None = field(default=None, init=False)
    _staged: list[Private] = field(factory=list[Private], init=False)
    _empty: WorldState = field(init=False)
    _entities: dict[str, Layout] = field(init=False)
    _layouts: tuple[Layout, ...] = field(init=False)
    _events: tuple[Layout, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start with the empty state."""
        self._empty = self.state = WorldState.empty(self.schema)
        self._entities = lay_out(self.schema.entities)
        self._layouts = tuple(self._entities.values())
        self._events = tuple(lay_out(self.schema.events).values())

    def stage(self, private: Private) -> None:
        """Keep a PRIVATE until the snapshot of its tick, which it comes before."""
        self._staged.append(private)

    def advance(self, snapshot: SnapshotMessage) -> None:
        """Move to the snapshot's tick, with all PRIVATEs that were staged.

        Raises:
            StaleBaseline: It starts from a state that is not held. Ask for a full one.
            ProtocolError: The snapshot, or a PRIVATE before it, is malformed.
        """
        full = snapshot.age == 0
        if not full:
            self._check_baseline(snapshot)
        base = self._empty if full else self.state
        state = self.decoder.apply(base, snapshot.delta) if snapshot.delta else base
        if self._staged or full or (self.private and state is not self.state):
            self._apply_privates(snapshot.tick, state, full=full)
        self.state = state
        self.tick = snapshot.tick

    def agrees(self, check: Check) -> bool:
        """Whether this state has the checksums that the server computed for it.

        True as well for a check of a tick that this replica is already past: nothing to compare.
        """
        if self.tick is None or tick_distance(check.tick, self.tick) < 0:
            return True
        if self.decoder.checksum(self.state) != check.public:
            return False
        return check.private is None or private_checksum(self.state, sorted(self.owned), self.private) == check.private

    def find(self, id: int) -> EntityView | None:
        """The entity with this id, or None if it is not in the state."""
        for layout, table in zip(self._layouts, self.state.tables, strict=True):
            row = bisect_left(table.ids, id)
            if row < len(table.ids) and table.ids[row] == id:
                return EntityView(self, layout, id)
        return None

    def all(self, name: str) -> list[EntityView]:
        """All entities of a class, by id.

        Raises:
            KeyError: The room has no such class.
        """
        layout = self.layout(name)
        return [EntityView(self, layout, id) for id in self.state.tables[layout.index].ids]

    def rows(self, name: str, *fields: str) -> Iterator[tuple[object, ...]]:
        """The public ``fields`` of all entities of a class as tuples, by id; refs as ids, ``"id"`` is one too.

        Much cheaper than views when all entities are read.

        Raises:
            KeyError: The room has no such class.
            AttributeError: The class has no such public field.
        """
        layout = self.layout(name)
        table = self.state.tables[layout.index]
        columns: list[object] = []
        for field_name in fields:
            if field_name == "id":
                columns.append(table.ids)
                continue
            place = layout.place(field_name)
            if place.private:
                raise AttributeError(f"{name}.{field_name} is private to its owner; read it from a view.")
            columns.append(map(place.kind.from_wire, table.columns[place.number]))
        return zip(*columns, strict=True)

    def layout(self, name: str) -> Layout:
        """The places of the fields of an entity class.

        Raises:
            KeyError: The room has no such class; the message lists those it has.
        """
        try:
            return self._entities[name]
        except KeyError:
            known = ", ".join(self._entities) or "none"
            raise KeyError(f"The room has no entity class {name!r}; it has {known}.") from None

    def has_class(self, name: str) -> bool:
        """Whether the room has an entity class of this name."""
        return name in self._entities

    def author_value(self, place: Place, wire: Wire) -> object:
        """Turn a wire value into what the author wrote; a ref into a view, or None."""
        if place.is_ref:
            return self.find(wire) if isinstance(wire, int) and wire else None
        return place.kind.from_wire(wire)

    def read_event(self, message: EventMessage) -> EventView:
        """Decode an event; its references are resolved in the present state.

        Raises:
            ProtocolError: It doesn't fit the schema.
        """
        check_event(message, self.schema.events, from_client=False)
        layout = self._events[message.index]
        values = zip(layout.places.items(), message.values, strict=True)
        return EventView(layout.name, {name: self.author_value(place, wire) for (name, place), wire in values})

    def forget_staged(self) -> None:
        """Drop PRIVATEs whose snapshot never came or can't be used."""
        self._staged.clear()

    def _check_baseline(self, snapshot: SnapshotMessage) -> None:
        held = self.tick
        if held is None:
            raise StaleBaseline(f"The snapshot of tick {snapshot.tick} is a delta, but nothing is held yet.")
        oldest = tick_add(snapshot.tick, -snapshot.age)
        if not 0 <= tick_distance(held, oldest) < snapshot.age:
            raise StaleBaseline(
                f"The snapshot of tick {snapshot.tick} is for holders of tick {oldest} or later, this one holds {held}."
            )

    def _apply_privates(self, tick: int, state: WorldState, *, full: bool) -> None:
        owned = self.owned
        private = self.private
        relevant = [staged for staged in self._staged if not full or staged.tick == tick]
        if full:
            owned, private = frozenset[int](), {}
        for staged in relevant:
            owned = read_owned(staged.owned, owned)
            private = apply_private(state, staged.rows, private)
        if private and (owned is not self.owned or not _same_ids(state, self.state)):
            private = still_held(state, owned, private)
        self.private = private
        self.owned = owned
        self._staged.clear()


def _same_ids(state: WorldState, before: WorldState) -> bool:
    """Whether both hold the same entities; may say no when they do, never yes when they don't."""
    return all(table.ids is old.ids for table, old in zip(state.tables, before.tables, strict=True))
