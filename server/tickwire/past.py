"""The past of a room, as a player saw it: read-only entities between two commits of the history.

::

    commits   ----|---------|---------|----> T, the tick being simulated
                  a    ^    b
                       view: T - delay, between the snapshots a and b that the player had

Source and Quake III move the live entities back, test, and put them back; what is forgotten on the way is a bug that
shows weeks later. Here nothing is moved: the commits are immutable, so a past is a value, made in
microseconds and good for as long as it is held. What it can't know: a client that ran out of snapshots guesses on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from math import ceil
from typing import Any, cast

import attrs

from tickwire.history import History
from tickwire.past_entity import make_past_class, remember
from tickwire_shared.declare import Entity, EntityT
from tickwire_shared.errors import UsageError
from tickwire_shared.schema import Schema
from tickwire_shared.smoothing import jump_limits
from tickwire_shared.state import Table, WorldState
from tickwire_shared.ticks import tick_add, tick_distance


@attrs.frozen
class PastClass:
    """What is known of an entity class: its place in the schema, what is a jump, and the class of its past entities."""

    index: int
    name: str
    jumps: tuple[tuple[int, float], ...]
    made: type[Any]

    def is_jump(self, before: Table, row: int, after: Table, there: int) -> bool:
        """Whether an entity was put elsewhere between two snapshots."""
        return any(
            abs(cast("int", after.columns[number][there]) - cast("int", before.columns[number][row])) > limit
            for number, limit in self.jumps
        )


@attrs.define
class Rewinder:
    """Makes the pasts of one room.

    Attributes:
        every: Ticks per snapshot: clients draw between snapshots, not between ticks.
    """

    history: History
    schema: Schema
    every: int
    _classes: dict[type, PastClass] = attrs.field(init=False, factory=dict[type, PastClass])

    def __attrs_post_init__(self) -> None:
        """Make the past classes of all entity classes."""
        for index, item in enumerate(self.schema.entities):
            assert item.author is not None
            made = make_past_class(item, item.author)
            known = PastClass(index, item.name, jump_limits(item), made)
            self._classes[item.author] = self._classes[made] = known

    def seen(self, now: int, delay: float) -> Past:
        """The world ``delay`` ticks before tick ``now``, which is not committed yet."""
        last = tick_add(now, -1)
        newest = tick_add(last, -(last % self.every))  # the newest that a snapshot was made of
        behind = max(delay, float(tick_distance(now, newest)))
        whole = tick_add(now, -ceil(behind))
        return self.at(whole, ceil(behind) - behind, newest)

    def at(self, whole: int, fraction: float, newest: int) -> Past:
        """The world at a tick with a fraction; the oldest that is known when that is forgotten."""
        earlier = tick_add(whole, -(whole % self.every))
        found = self.history.at(earlier)
        if found is None:
            whole, before = self.history.oldest()
            return Past(self, whole, 0.0, newest, before, before, 0.0)
        share = (tick_distance(whole, earlier) + fraction) / self.every
        later = None if share == 0.0 else self.history.at(tick_add(earlier, self.every))
        after = found[1] if later is None else later[1]
        return Past(self, whole, fraction, newest, found[1], after, share)

    def of(self, cls: type) -> PastClass:
        """What is known of an entity class."""
        try:
            return self._classes[cls]
        except KeyError:
            names = ", ".join(item.name for item in self.schema.entities) or "none"
            raise UsageError(f"{cls.__name__} is not among the room's entities ({names}).") from None

    def named(self, name: str | None) -> tuple[PastClass, ...]:
        """The class of this name, or all."""
        classes = [self._classes[cast("type", item.author)] for item in self.schema.entities]
        return tuple(known for known in classes if name in (None, known.name))


@attrs.frozen(eq=False)
class Past:
    """The world at one moment of the past. Its entities are of the author's classes, and read-only.

    They have the fields that everyone sees. Floats and angles are interpolated as on the player's screen: angles the
    short way round, teleports not at all. What did not exist then is not in it.

    Attributes:
        share: How far the moment is from the snapshot before it to the one behind it, 0 to 1.
    """

    _rewinder: Rewinder = attrs.field(repr=False)
    _whole: int
    _fraction: float
    _newest: int = attrs.field(repr=False)
    _before: WorldState = attrs.field(repr=False)
    _after: WorldState = attrs.field(repr=False)
    share: float

    @property
    def tick(self) -> float:
        """The moment: a tick with a fraction, below 2^32."""
        return self._whole + self._fraction

    def ticks_before(self, tick: int) -> float:
        """How many ticks, with a fraction, this is before ``tick``."""
        return tick_distance(tick, self._whole) - self._fraction

    def all(self, cls: type[EntityT]) -> tuple[EntityT, ...]:
        """All entities of a class, by id."""
        known = self._rewinder.of(cls)
        return tuple([self._make(known, row) for row in range(len(self._before.tables[known.index].ids))])

    def find(self, cls: type[EntityT], ident: int) -> EntityT | None:
        """The entity of a class with this id, or None."""
        return cast("EntityT | None", self._find(self._rewinder.of(cls), ident))

    def get(self, entity: EntityT) -> EntityT | None:
        """What a live entity was then; None when it was not there."""
        return self.find(type(entity), entity.id)

    def until_now(self) -> Iterator[Past]:
        """The world at each whole tick after this moment, up to the last that players can have seen.

        For what flies: follow a shot from the moment its player saw, tick by tick, into the present.
        """
        tick = tick_add(self._whole, 1)
        while tick_distance(tick, self._newest) <= 0:
            yield self._rewinder.at(tick, 0.0, self._newest)
            tick = tick_add(tick, 1)

    def refer(self, of: str | None, ident: int) -> Entity | None:
        """What a reference meant then."""
        found = (self._find(known, ident) for known in self._rewinder.named(of))
        return next((entity for entity in found if entity is not None), None)

    def _find(self, known: PastClass, ident: int) -> Any:
        row = _row_of(self._before.tables[known.index], ident)
        return None if row is None else self._make(known, row)

    def _make(self, known: PastClass, row: int) -> Any:
        table = self._before.tables[known.index]
        after = self._after.tables[known.index]
        there = None if self.share == 0.0 or after is table else _row_of(after, table.ids[row])
        if there is None or known.is_jump(table, row, after, there):
            return remember(known.made, self, table, row, None, 0)
        return remember(known.made, self, table, row, after, there)


def _row_of(table: Table, ident: int) -> int | None:
    row = bisect_left(table.ids, ident)
    return row if row < len(table.ids) and table.ids[row] == ident else None
