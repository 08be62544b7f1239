"""The inputs of one player, by tick.

An input is in force at the tick it is addressed to. A tick without one repeats the newest that is known, for a
while; what comes late can't change the past any more, but its pressed buttons count at the next tick, and
it is what is repeated if it is the newest. Each tick has one input at most, whatever a client claims.
"""

from __future__ import annotations

import attrs

from tickwire_shared.schema import ClassType, trigger_positions
from tickwire_shared.ticks import tick_distance

MAX_AHEAD = 32
"""PROTOCOL.md, section 10: an input further ahead is refused, which bounds how much a client may hoard."""

MAX_BEHIND = 32
"""An input this late is counted and no more: a button pressed a second ago must not go off now."""

HOLD_TICKS = 6
"""How long a missing input is replaced by the last one (a fifth of a second at 30 ticks a second)."""

REMEMBERED_TICKS = 64
"""So many ticks are known to have had their input, each in the place of its number modulo this, so that one that is
sent again doesn't fire again: a tick can be late by less than ``MAX_BEHIND``."""

_NO_SLACK = 1 << 32

Values = tuple[int, ...]


@attrs.define
class InputCounts:
    """How the inputs of all players of a room came, for the metrics: what a client that lies about ticks shows up in.

    Attributes:
        late: Inputs that came after their tick.
        refused: Inputs that were too far ahead.
        repeated: Inputs for a tick that had one already; they are ignored.
    """

    late: int = 0
    refused: int = 0
    repeated: int = 0


@attrs.define
class InputBuffer:
    """Takes inputs as they come and gives one for each tick.

    Attributes:
        counts: Those of the room, which this buffer adds to.
        late: Inputs that came after their tick.
        refused: Inputs that were too far ahead.
        force: The wire values in force at the last tick.
        neutral: Those that are in force when nothing comes.
    """

    _type: ClassType
    counts: InputCounts = attrs.field(factory=InputCounts)
    late: int = attrs.field(init=False, default=0)
    refused: int = attrs.field(init=False, default=0)
    force: Values = attrs.field(init=False)
    neutral: Values = attrs.field(init=False)
    _triggers: tuple[int, ...] = attrs.field(init=False)
    _ring: dict[int, Values] = attrs.field(init=False, factory=dict[int, Values])
    _newest: int | None = attrs.field(init=False, default=None)
    _held: Values = attrs.field(init=False)
    _held_tick: int | None = attrs.field(init=False, default=None)
    _least_slack: int = attrs.field(init=False, default=_NO_SLACK)
    _folded: set[int] = attrs.field(init=False, factory=set[int])
    _had: list[int] = attrs.field(init=False, factory=lambda: [-1] * REMEMBERED_TICKS)

    def __attrs_post_init__(self) -> None:
        """Start with the neutral input."""
        self.neutral = tuple(int(field.default) for field in self._type.public)
        self._triggers = trigger_positions(self._type)
        self.force = self._held = self.neutral

    def put(self, tick: int, values: Values, now: int) -> None:
        """Take the input for ``tick``; ``now`` is the last tick simulated. A repeated one is ignored."""
        if 0 < tick - now <= MAX_AHEAD:
            ring = self._ring
            if tick in ring:
                self.counts.repeated += 1
                return
            ring[tick] = values
            newest = self._newest
            if newest is not None and 0 < tick - newest <= MAX_AHEAD:
                self._newest = tick
            else:
                self._note_newest(tick)
        else:
            self._put_other(tick, values, now)

    def _put_other(self, tick: int, values: Values, now: int) -> None:
        """Take an input that is late or too early, or on the other side of the wrap of ticks."""
        ahead = tick_distance(tick, now)
        if ahead > MAX_AHEAD:
            self.refused += 1
            self.counts.refused += 1
        elif ahead <= -MAX_BEHIND:
            self._count_late()
        elif tick in self._ring or self._had[tick % REMEMBERED_TICKS] == tick:
            self.counts.repeated += 1
        else:
            if ahead > 0:
                self._ring[tick] = values
            else:
                self._had[tick % REMEMBERED_TICKS] = tick
                self._fold(tick, values)
            self._note_newest(tick)

    def _note_newest(self, tick: int) -> None:
        if self._newest is None or tick_distance(tick, self._newest) > 0:
            self._newest = tick

    def take_slack(self) -> int | None:
        """Return the least slack since the last call: how far ahead of its tick the newest input was.

        None when no tick had one to measure.
        """
        slack, self._least_slack = self._least_slack, _NO_SLACK
        return None if slack == _NO_SLACK else slack

    def take(self, tick: int) -> bool:
        """Put the input for ``tick`` in force; a missing one is held, then neutral.

        Returns:
            Whether an input for just this tick had come.
        """
        newest = self._newest
        if newest is not None:
            slack = newest - tick
            if not -MAX_AHEAD < slack <= MAX_AHEAD:  # far behind, or the wrap of ticks
                slack = tick_distance(newest, tick)
            if slack < self._least_slack:
                self._least_slack = slack
        values = self._ring.pop(tick, None)
        if values is None or self._folded:
            self._take_other(tick, values)
        else:
            self._had[tick % REMEMBERED_TICKS] = self._held_tick = tick
            self._held = self._without_triggers(values) if self._triggers else values
            self.force = values
        return values is not None

    def _take_other(self, tick: int, values: Values | None) -> None:
        """Put in force what there is when no input came for ``tick``, or buttons of late ones are to be added."""
        if values is not None:
            self._had[tick % REMEMBERED_TICKS] = tick
            self._hold(tick, values)
            self.force = values
        elif self._held_tick is not None and tick_distance(tick, self._held_tick) <= HOLD_TICKS:
            self.force = self._held
        else:
            self.force = self.neutral
        if self._folded:
            self.force = tuple(1 if at in self._folded else value for at, value in enumerate(self.force))
            self._folded.clear()

    @property
    def busy(self) -> bool:
        """Whether the next ticks' inputs may be others than this one's."""
        return bool(self._ring) or self.force is not self.neutral

    def forget_ahead(self) -> None:
        """Drop what waits for ticks to come: it was meant for a time that never was."""
        self._ring.clear()

    def reconnect(self) -> None:
        """Another connection begins: how early the last one's inputs came says nothing about this one's."""
        self._newest = None
        self._least_slack = _NO_SLACK

    def _fold(self, tick: int, values: Values) -> None:
        """Save of a late input what still counts."""
        self._count_late()
        self._folded.update(position for position in self._triggers if values[position])
        if self._held_tick is None or tick_distance(tick, self._held_tick) > 0:
            self._hold(tick, values)

    def _count_late(self) -> None:
        self.late += 1
        self.counts.late += 1

    def _hold(self, tick: int, values: Values) -> None:
        self._held_tick = tick
        self._held = self._without_triggers(values)

    def _without_triggers(self, values: Values) -> Values:
        if not any(values[position] for position in self._triggers):
            return values
        return tuple(0 if at in self._triggers else value for at, value in enumerate(values))
