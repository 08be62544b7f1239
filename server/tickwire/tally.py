"""What the rooms of one type have counted, those that are over included.

Rooms count with plain ints, and nobody collects them tick by tick: a room's counts are read when somebody asks for the
metrics, and once more when it ends. Only how their ticks went do all rooms of a type note in one place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from tickwire.tick_times import TickTimes

if TYPE_CHECKING:
    from tickwire.engine import Engine


@attrs.define
class Tally:
    """Counts of one or more rooms; each only goes up.

    Attributes:
        rooms: Rooms made.
        players: Seats given.
        overruns: Ticks that took longer than they may.
        dropped_ticks: Ticks never simulated because the room was late.
        climbs: Steps up the ladder.
        snapshots: Snapshots sent.
        full_snapshots: How many were full ones; encoded, so that those who share one count once.
        passed_over: Snapshots that a blocked connection was not sent: its next one makes up for them.
        resumed_by_delta: Players who came back and were sent what they had missed.
        resumed_in_full: Players who came back and were sent everything.
        late_inputs: Inputs that came after their tick.
        refused_inputs: Inputs too far ahead of their tick.
        repeated_inputs: Inputs for a tick that had one.
        views_refused: Claims about what a player sees that can't be true.
        resyncs: Full snapshots given to clients whose state failed its check.
        mismatches: Reports of such a state, those too soon after the last one included.
        state_bytes: Bytes of snapshots and what went out with them.
        tick_times: How the ticks went: of all rooms that note it here, whether they were added or not.
    """

    rooms: int = 0
    players: int = 0
    overruns: int = 0
    dropped_ticks: int = 0
    climbs: int = 0
    snapshots: int = 0
    full_snapshots: int = 0
    passed_over: int = 0
    resumed_by_delta: int = 0
    resumed_in_full: int = 0
    late_inputs: int = 0
    refused_inputs: int = 0
    repeated_inputs: int = 0
    views_refused: int = 0
    resyncs: int = 0
    mismatches: int = 0
    state_bytes: int = 0
    tick_times: TickTimes = attrs.field(factory=TickTimes)

    def add(self, engine: Engine) -> None:
        """Add what a room has counted since it began; for each room once."""
        sent = engine.replicator.counts
        self.rooms += 1
        self.players += engine.seating.given
        self.overruns += engine.overruns
        self.dropped_ticks += engine.pace.dropped_ticks
        self.climbs += engine.ladder.climbs
        self.snapshots += sent.snapshots
        self.full_snapshots += sent.full
        self.passed_over += sent.passed_over
        self.resumed_by_delta += sent.resumed_by_delta
        self.resumed_in_full += sent.resumed_in_full
        inputs = engine.inputs.counts
        self.late_inputs += inputs.late
        self.refused_inputs += inputs.refused
        self.repeated_inputs += inputs.repeated
        self.views_refused += engine.views_refused
        self.resyncs += engine.resyncs.granted
        self.mismatches += engine.resyncs.granted + engine.resyncs.put_off
        self.state_bytes += sent.bytes_out

    def with_rooms(self, engines: Iterable[Engine]) -> Tally:
        """Return a tally of these rooms and of what is in this one, which stays as it is."""
        both = attrs.evolve(self)
        for engine in engines:
            both.add(engine)
        return both
