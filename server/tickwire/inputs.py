"""The inputs of one player, by tick.

An input is in force at the tick it is addressed to. A tick without one repeats the newest that is known, for a
while; what comes late can't change the past any more, but its pressed buttons count at the next tick, and
it is what is repeated if it is the newest. Each tick has one input at most, whatever a client claims.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Self

import attrs

from tickwire.recall import Forms, Recall
from tickwire_shared.schema import ClassType, trigger_positions
from tickwire_shared.ticks import TICK_MODULUS, tick_add, tick_distance

MAX_AHEAD: Final = 32
"""PROTOCOL.md, section 10: an input further ahead is refused, which bounds how much a client may hoard."""

MAX_BEHIND: Final = 32
"""An input this late is counted and no more: a button pressed a second ago must not go off now."""

HOLD_TICKS: Final = 6
"""How long a missing input is replaced by the last one (a fifth of a second at 30 ticks a second)."""

PLACES: Final = MAX_AHEAD + MAX_BEHIND
"""Each tick from which or for which an input may come has a place of its own: its number modulo this. An input stays
there when its tick is over, so that one that is sent again doesn't fire again, and one that is missing can be held.

A place takes two items of one list, a tick and its values: two lists would be twice the memory to fetch for each player
and tick, once when an input comes and once when it is taken."""

_NO_SLACK: Final = 1 << 32

Values = tuple[int, ...]

# The places of those who never sent an input: never changed, and a thousand bytes less for each of them.
_NO_PLACES: Final[list[Any]] = [-1, ()] * PLACES


_ASLEEP: Final = 1 << 61


@attrs.define
class RoomClock:
    """The time of a room, for its inputs.

    Attributes:
        tick: The last tick simulated. In a room at rest it is much more, so that each input takes the long way, which
            wakes the room.
    """

    tick: int = 0

    def sleep(self) -> None:
        """Be at rest until the next tick is simulated."""
        self.tick = _ASLEEP


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


class _Hot:
    """What is touched in each tick: a base class's slots come first, and so next to each other in memory."""

    __slots__ = ("_clock", "_folded", "_forms", "_least_slack", "_newest", "_places", "force")


@attrs.define
class InputBuffer(_Hot):
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
    _places: list[Any] = attrs.field(init=False, default=_NO_PLACES)
    _newest: int | None = attrs.field(init=False, default=None)
    _least_slack: int = attrs.field(init=False, default=_NO_SLACK)
    _folded: int = attrs.field(init=False, default=0)  # a bit for each trigger
    _forms: Forms = attrs.field(init=False)
    _clock: RoomClock = attrs.field(init=False)
    _put: Callable[[int, Values], None] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start with the neutral input."""
        self.neutral = tuple(int(field.default) for field in self._type.public)
        self._triggers = trigger_positions(self._type)
        self.force = self.neutral

    def put(self, tick: int, values: Values, now: int) -> None:
        """Take the input for ``tick``; ``now`` is the last tick simulated. A repeated one is ignored."""
        ahead = tick_distance(tick, now)
        at = tick % PLACES * 2
        if ahead > MAX_AHEAD:
            self.refused += 1
            self.counts.refused += 1
        elif ahead <= -MAX_BEHIND:
            self._count_late()
        elif self._places[at] == tick:
            self.counts.repeated += 1
        else:
            self._begin()
            self._places[at] = tick
            self._places[at + 1] = values
            if ahead <= 0:  # what still counts of it
                self._count_late()
                for position in self._triggers:
                    self._folded |= bool(values[position]) << position
            if self._newest is None or tick_distance(tick, self._newest) > 0:
                self._newest = tick

    def _begin(self) -> None:
        """Have places of its own from now on."""
        if self._places is _NO_PLACES:
            self._places = [-1, self.neutral] * PLACES

    def recalling(self, recall: Recall, clock: RoomClock, put: Callable[[int, Values], None]) -> Self:
        """Return itself, ready to `take_payload` what ``recall`` knows; ``put`` gets what can't take the short way."""
        self._begin()
        self._forms, self._clock, self._put = recall.forms, clock, put
        return self

    def take_payload(self, payload: int, size: int) -> bool:
        """Take an INPUT's payload (see `Recall`) like one that was read before; for all others do nothing: False.

        It runs for each player in each tick, so it does no more than an input of the tick behind the newest one needs;
        all others it hands to ``put``.
        """
        head_shift, by_head = self._forms[size]
        form = by_head.get(payload >> head_shift)
        if form is None:
            return False
        batch = form.tails.get(payload & form.tail_mask)
        if batch is None:
            return False
        tick = payload >> form.tick_shift & form.tick_mask
        for values in batch:
            newest = self._newest
            if newest is not None and tick == newest + 1 and 0 < tick - self._clock.tick <= MAX_AHEAD:
                self._newest = tick
                places, at = self._places, tick % PLACES * 2
                places[at] = tick
                places[at + 1] = values
            else:
                self._put(tick, values)
            tick = (tick + 1) % TICK_MODULUS
        return True

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
        places, at = self._places, tick % PLACES * 2
        if places[at] == tick and not self._folded:
            self.force = places[at + 1]
            return True
        return self._take_other(tick)

    def _take_other(self, tick: int) -> bool:
        """Put in force what there is when no input came for ``tick``, or buttons of late ones are to be added."""
        if self._places is _NO_PLACES:
            return False  # the neutral input is in force since the beginning
        place = tick % PLACES * 2
        fresh = bool(self._places[place] == tick)
        self.force = self._places[place + 1] if fresh else self._held(tick)
        if self._folded:
            self.force = tuple(1 if self._folded >> at & 1 else value for at, value in enumerate(self.force))
            self._folded = 0
        return fresh

    def _held(self, tick: int) -> Values:
        """Return the last input before ``tick`` without its pressed buttons; the neutral one if it is too old."""
        for back in range(1, HOLD_TICKS + 1):
            before = tick_add(tick, -back)
            at = before % PLACES * 2
            if self._places[at] == before:
                return self._without_triggers(self._places[at + 1])
        return self.neutral

    def busy(self, now: int) -> bool:
        """Whether the next ticks' inputs may be others than that of tick ``now``, which was taken."""
        return self._places is not _NO_PLACES and (self.force is not self.neutral or any(self._ahead(now)))

    def forget_ahead(self, now: int) -> None:
        """Drop what waits for ticks beyond ``now``: it was meant for a time that never was."""
        for place, is_ahead in enumerate(self._ahead(now)):
            if is_ahead:  # so these are not the places of nobody
                self._places[place * 2] = -1

    def _ahead(self, now: int) -> list[bool]:
        """For each place, whether its input is for a tick to come."""
        return [tick >= 0 and tick_distance(tick, now) > 0 for tick in self._places[::2]]

    def reconnect(self) -> None:
        """Another connection begins: how early the last one's inputs came says nothing about this one's."""
        self._newest = None
        self._least_slack = _NO_SLACK

    def _count_late(self) -> None:
        self.late += 1
        self.counts.late += 1

    def _without_triggers(self, values: Values) -> Values:
        if not any(values[position] for position in self._triggers):
            return values
        return tuple(0 if at in self._triggers else value for at, value in enumerate(values))
