"""The last states of a room, and what lies between them.

A state says nothing of how it was reached, so this is a straight line from one to the next; behind the newest one an
entity keeps its course for a moment. What moved too far to have flown was put there, and is drawn at the one place
or at the other. Pure; ticks are unwrapped. The rule is that of `tickwire_shared.smoothing`, by which the server
also asks what a player saw.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping

from attrs import define, field, frozen

from tickwire_shared.int_kinds import Quantized
from tickwire_shared.kinds import Kind
from tickwire_shared.schema import ClassType, Schema
from tickwire_shared.smoothing import is_smooth, jump_limits, mix
from tickwire_shared.state import WorldState
from tickwire_shared.wire_values import Wire

STATES = 32  # at 60 snapshots a second half a second, more than any delay
EXTRAPOLATION_MS = 100.0  # behind the newest state an entity keeps its course for this long, then stands still
REST_GAPS = 2  # after a rest of more than this many gaps, a movement starts one gap before its snapshot

Place = Mapping[str, float]
"""Quantised and angle fields, by name."""


@frozen(slots=True)
class _Moment:
    tick: int
    state: WorldState


@frozen(slots=True)
class _Drawing:
    """What of a class is drawn in between: numbers, names and kinds; and how many steps of a field are a jump."""

    fields: tuple[tuple[int, str, Kind], ...]
    limits: tuple[tuple[int, float], ...]


@define(eq=False)
class Timeline:
    """The recent past of one room.

    Attributes:
        schema: The room's classes.
        hz: Ticks per second.
        snap: Units by class: what moves farther from one snapshot to the next is a jump; an eighth of a field's
            range unless given.
        gap: Ticks between two snapshots, typically.
    """

    schema: Schema
    hz: float
    snap: Mapping[str, float] = field(factory=dict[str, float])
    gap: float = 1.0
    _moments: deque[_Moment] = field(factory=lambda: deque[_Moment](maxlen=STATES), init=False)
    _drawings: tuple[_Drawing, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Find the fields that are drawn."""
        self._drawings = tuple(_drawing(item, self.snap.get(item.name)) for item in self.schema.entities)

    @property
    def newest(self) -> int | None:
        """The tick of the newest state; None before the first."""
        return self._moments[-1].tick if self._moments else None

    def add(self, tick: int, state: WorldState) -> None:
        """Take the next state. Nothing had changed since the last: what was at rest starts to move shortly before."""
        last = self._moments[-1] if self._moments else None
        if last is not None and tick - last.tick > REST_GAPS * self.gap:
            self._moments.append(_Moment(tick - round(self.gap), last.state))
        self._moments.append(_Moment(tick, state))

    def place(self, index: int, id: int, tick: float) -> Place | None:
        """Where an entity of class number ``index`` is at ``tick``, with fraction; None when it is not known then."""
        if not self._moments:
            return None
        before, after = self._around(tick)
        start, end = _row(before.state, index, id), _row(after.state, index, id)
        if start is None or end is None:
            return self._at(index, start or end)
        if self._is_jump(index, start, end, (after.tick - before.tick) / self.gap):
            return self._at(index, start if tick < after.tick else end)
        return self._mix(index, start, end, self._share(before.tick, after.tick, tick))

    def _around(self, tick: float) -> tuple[_Moment, _Moment]:
        """The two states to draw by: those around ``tick``, or the last two, or the first one twice."""
        after = self._moments[-1]
        for before in reversed(self._moments):
            if before is not after and before.tick <= tick:
                return before, after
            if before.tick > tick:
                after = before
        return after, after

    def _share(self, before: int, after: int, tick: float) -> float:
        if after == before:
            return 1.0
        reach = EXTRAPOLATION_MS * self.hz / 1000.0
        return (min(tick, after + reach) - before) / (after - before)

    def _is_jump(self, index: int, start: tuple[Wire, ...], end: tuple[Wire, ...], gaps: float) -> bool:
        return any(
            abs(int(end[number]) - int(start[number])) > limit * max(gaps, 1.0)
            for number, limit in self._drawings[index].limits
        )

    def _at(self, index: int, wires: tuple[Wire, ...] | None) -> Place | None:
        return None if wires is None else self._mix(index, wires, wires, 0.0)

    def _mix(self, index: int, start: tuple[Wire, ...], end: tuple[Wire, ...], share: float) -> Place:
        return {
            name: _clamped(kind, mix(kind, start[number], end[number], share))
            for number, name, kind in self._drawings[index].fields
        }


def _drawing(item: ClassType, snap_units: float | None) -> _Drawing:
    smooth = tuple((number, each.name, each.kind) for number, each in enumerate(item.public) if is_smooth(each.kind))
    limits = jump_limits(item)
    if snap_units is not None:
        limits = tuple((number, snap_units / kind.step) for number, _, kind in smooth if isinstance(kind, Quantized))
    return _Drawing(smooth, limits)


def _row(state: WorldState, index: int, id: int) -> tuple[Wire, ...] | None:
    table = state.tables[index]
    row = bisect_left(table.ids, id)
    return table.row(row) if row < len(table.ids) and table.ids[row] == id else None


def _clamped(kind: Kind, value: float) -> float:
    """A course that is kept may lead out of a field's range; the field doesn't."""
    return min(max(value, kind.min), kind.from_wire(kind.high)) if isinstance(kind, Quantized) else value
