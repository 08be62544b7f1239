"""What a predicting client has shown before the server said it: each is told once, and settled once.

::

    raised by the step -> PREDICTED -> CONFIRMED   the server's state of its tick is as predicted, or the entity came
                                    -> WITHDRAWN   it is not, the entity did not come, or a replay didn't raise it again

From the very moment in which a spawn is confirmed the server's entity is there: no gap, and nothing twice.
The browser's twin is ``client_demo/web/sdk/predicted_events.js``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field

from tickwire_client.replica import Replica
from tickwire_client.stepper import Raised
from tickwire_client.views import EntityView
from tickwire_shared.ticks import tick_distance

LATE_TICKS = 8
"""A late input fires a few ticks after its own: for so long a spawn whose tick went otherwise waits for its entity.

The server holds inputs for 6 ticks; two more are for the way.
"""


class Fate(enum.Enum):
    """What has become of a predicted event."""

    PREDICTED = "predicted"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


@define(eq=False)
class PredictedEvent:
    """An event or a spawn that was shown ahead; the same object from its prediction to its end.

    Attributes:
        name: The event's name, or the entity's class.
        key: Which one it is, among those of its name.
        tick: The tick in which it happens; a replay may move it.
        fields: Its values.
        is_spawn: Whether an entity is to come of it.
        fate: What has become of it.
        entity: The server's entity, once a spawn is confirmed.
    """

    name: str
    key: str
    tick: int
    fields: Mapping[str, Any]
    is_spawn: bool
    fate: Fate = Fate.PREDICTED
    entity: EntityView | None = None


Tell = Callable[[PredictedEvent], None]
Match = Callable[[EntityView, PredictedEvent], bool]


def no_news(event: PredictedEvent) -> None:
    """Nobody wants to be told."""


def no_match(entity: EntityView, event: PredictedEvent) -> bool:
    """Only equal entities are those of spawns."""
    return False


@define(eq=False)
class _Entry:
    """``last_id`` is that of the newest entity that was there before; an older one can't be the spawn's."""

    event: PredictedEvent
    raised: Raised
    last_id: int

    def after(self, tick: int) -> bool:
        """Whether it is to happen after ``tick``."""
        return tick_distance(self.raised.tick, tick) > 0


Ident = tuple[bool, str, str]


@define(eq=False)
class PredictedEvents:
    """The predicted events that are not settled yet.

    Attributes:
        tell: Called with each event when it is predicted, and again when its fate is known.
        match: Whether an entity is the one of a spawn; only asked for those that are not equal in all fields given.
    """

    tell: Tell
    match: Match
    _entries: dict[Ident, _Entry] = field(factory=dict[Ident, _Entry], init=False)
    _adopted: set[int] = field(factory=set[int], init=False)

    @property
    def spawned(self) -> tuple[PredictedEvent, ...]:
        """The entities that are launched here and that the server hasn't got yet, in order of launching."""
        return tuple(entry.event for entry in self._entries.values() if entry.event.is_spawn)

    def predict(self, raised: Iterable[Raised], replica: Replica) -> None:
        """Take what the step raised in ticks that were simulated for the first time."""
        for item in raised:
            entry = self._entries.get(_ident(item))
            if entry is not None:
                _update(entry, item)
                continue
            event = PredictedEvent(item.name, item.key, item.tick, item.fields, item.is_spawn)
            self._entries[_ident(item)] = _Entry(event, item, _last_id(replica))
            self.tell(event)

    def replay(self, raised: Iterable[Raised], since: int, *, in_doubt: bool) -> None:
        """Take what a replay of all ticks after ``since`` raised.

        What is not raised again has moved if there is something new of the same name, else it is withdrawn. News
        of ticks that are over aren't told: it is too late to show them.

        Args:
            raised: All that was raised in those ticks.
            since: The tick of the server's last word.
            in_doubt: That was not as predicted: what was to happen until then may well happen later.
        """
        again = {_ident(item): item for item in raised}
        fresh = [item for ident, item in again.items() if ident not in self._entries]
        entries = sorted(self._entries.items(), key=lambda entry: tick_distance(entry[1].raised.tick, since))
        for ident, entry in entries:
            if ident in again:
                _update(entry, again[ident])
            elif in_doubt or entry.after(since):
                self._move_or_withdraw(ident, fresh, since)

    def judge(self, tick: int, right: bool, replica: Replica) -> None:
        """Settle the events up to ``tick``, of which ``replica`` has the server's state; ``right``: as predicted."""
        for ident, entry in list(self._entries.items()):
            age = tick_distance(tick, entry.raised.tick)
            if age < 0:
                continue
            if entry.event.is_spawn:
                entry.event.entity = self._adopt(entry, replica)
                if entry.event.entity is None and not right and age < LATE_TICKS:
                    continue
                confirmed = entry.event.entity is not None
            else:
                confirmed = right
            del self._entries[ident]
            self._settle(entry, Fate.CONFIRMED if confirmed else Fate.WITHDRAWN)

    def clear(self) -> None:
        """Nothing is predicted any more."""
        entries, self._entries = self._entries, {}
        self._adopted.clear()
        for entry in entries.values():
            self._settle(entry, Fate.WITHDRAWN)

    def _move_or_withdraw(self, ident: Ident, fresh: list[Raised], since: int) -> None:
        """Let an entry be the first of ``fresh`` that has its name; what is over waits for ``judge``."""
        entry = self._entries[ident]
        moved = next((item for item in fresh if _ident(item)[:2] == ident[:2]), None)
        if moved is not None:
            fresh.remove(moved)
            del self._entries[ident]
            _update(entry, moved)
            self._entries[_ident(moved)] = entry
        elif entry.after(since):
            del self._entries[ident]
            self._settle(entry, Fate.WITHDRAWN)

    def _settle(self, entry: _Entry, fate: Fate) -> None:
        entry.event.fate = fate
        self.tell(entry.event)

    def _adopt(self, entry: _Entry, replica: Replica) -> EntityView | None:
        """The entity that has come of a spawn: one that is equal, or else one that the author takes for it."""
        layout = replica.layout(entry.raised.name)
        table = replica.state.tables[layout.index]
        self._adopted.intersection_update(table.ids)
        rows = [row for row, id in enumerate(table.ids) if id > entry.last_id and id not in self._adopted]
        wanted = [(table.columns[layout.place(name).number], wire) for name, wire in (entry.raised.wires or {}).items()]
        equal = (row for row in rows if all(column[row] == wire for column, wire in wanted))
        alike = (row for row in rows if self.match(EntityView(replica, layout, table.ids[row]), entry.event))
        row = next(equal, None)
        if row is None:
            row = next(alike, None)
        if row is None:
            return None
        self._adopted.add(table.ids[row])
        return EntityView(replica, layout, table.ids[row])


def _ident(item: Raised) -> Ident:
    return item.is_spawn, item.name, item.key


def _update(entry: _Entry, item: Raised) -> None:
    entry.raised = item
    entry.event.key, entry.event.tick, entry.event.fields = item.key, item.tick, item.fields


def _last_id(replica: Replica) -> int:
    return max((table.ids[-1] for table in replica.state.tables if table.ids), default=0)
