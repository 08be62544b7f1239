"""Whatever order joins, resumes and the news of lost connections come in: the newest session has the seat.

Hypothesis shuffles what the connections of a few players have to say, so that an old connection's leave often comes
behind its successor's resume. One room hears all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from tests.conftest import EXAMPLES
from tests.server.kit import FakeLink
from tickwire.engine import Engine
from tickwire.player import LeaveReason
from tickwire.pulse import Pulse
from tickwire.room import Room
from tickwire.seat import Seat
from tickwire_shared.errors import ProtocolError
from tickwire_shared.session import SeatState

MAX_PLAYERS = 3
INTERLEAVINGS = max(1000, EXAMPLES)


class Hall(Room[None]):
    """Has few seats."""

    max_players = MAX_PLAYERS
    grace_s = 0.15
    auto_dispose = False


@attrs.define(eq=False)
class Line:
    """One connection, as the room saw it come."""

    link: FakeLink
    seat: Seat
    generation: int
    ended: bool = False
    left: bool = False


@attrs.define
class Story:
    """A room and all connections that there ever were."""

    engine: Engine
    clock: MockClock
    lines: list[Line] = attrs.field(factory=list[Line])
    newest: dict[int, Line] = attrs.field(factory=dict[int, Line])

    def begin(self) -> None:
        self.engine._create()  # pyright: ignore[reportPrivateUsage]
        self.join(0)

    def end(self) -> None:
        """When all connections are lost, all seats are free in the end."""
        for line in self.lines:
            if not line.ended:
                self.engine.lost(line.seat, line.generation, LeaveReason.LOST)
        for _ in range(10):
            self.tick(0)
        assert self.engine.seats_taken == 0

    def tick(self, number: int) -> None:
        self.clock.jump(1 / Hall.hz)
        self.engine._run_tick()  # pyright: ignore[reportPrivateUsage]

    def join(self, number: int) -> None:
        link = FakeLink()
        try:
            self._note(link, *self.engine.reserve({}, link))
        except ProtocolError:
            assert self.engine.seats_taken == MAX_PLAYERS

    def resume(self, number: int) -> None:
        """Come back while the room may not know yet that the old connection is lost."""
        line = self._one(number, self.newest.values())
        if line is not None and not line.left and line.seat.state in (SeatState.LIVE, SeatState.DROPPED):
            link = FakeLink()
            self._note(link, *self.engine.resume(line.seat.token, None, link))

    def confirm(self, number: int) -> None:
        line = self._one(number, self.newest.values())
        if line is not None and line.seat.state is SeatState.LIVE:
            self.engine.confirm(line.seat)

    def lose(self, number: int) -> None:
        """The room hears that a connection is over: the newest, or one that has long been replaced."""
        line = self._one(number, [line for line in self.lines if not line.ended])
        if line is not None:
            line.ended = True
            line.left = number % 4 == 0
            self.engine.lost(line.seat, line.generation, LeaveReason.LEFT if line.left else LeaveReason.LOST)

    def _note(self, link: FakeLink, seat: Seat, generation: int) -> None:
        line = Line(link, seat, generation)
        self.lines.append(line)
        self.newest[seat.player.id] = line

    def _one(self, number: int, lines: Iterable[Line]) -> Line | None:
        found = list(lines)
        return found[number % len(found)] if found else None

    def check(self) -> None:
        """The newest session of each player has its seat for as long as its connection lasts."""
        assert self.engine.seats_taken <= MAX_PLAYERS
        for line in self.newest.values():
            if not line.ended:
                assert line.seat.link is line.link
                assert line.link.closed is None
            else:
                assert line.seat.link is None
        for line in self.lines:
            if line is not self.newest[line.seat.player.id]:
                assert line.ended or line.link.closed is not None


ACTS: tuple[Callable[[Story, int], None], ...] = (
    Story.join,
    Story.resume,
    Story.resume,
    Story.lose,
    Story.lose,
    Story.confirm,
    Story.tick,
)


async def test_the_newest_session_has_the_seat_whatever_comes_late(autojump_clock: MockClock) -> None:
    @settings(max_examples=INTERLEAVINGS)
    @given(st.binary(max_size=24))
    def tell(acts: bytes) -> None:
        story = Story(Engine(Hall, "room1", {}, Pulse()), autojump_clock)
        story.begin()
        for act in acts:
            ACTS[act % len(ACTS)](story, act // len(ACTS))
            story.check()
        story.end()

    tell()
