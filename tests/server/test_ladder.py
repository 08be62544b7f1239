"""The ladder by itself: how it climbs, stays and comes down; what a room does on it is in the scenarios."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from tickwire.ladder import CLIMB, RELIEF, WINDOW_S, Ladder, Rung

DT = 0.05


class Work:
    """Ticks of ``DT`` that take a share of their time."""

    def __init__(self, house: Ladder | None = None) -> None:
        self.now = 1000.0
        self.ladder = Ladder(self.now, house)

    def do(self, load: float, seconds: float = WINDOW_S + DT) -> Rung:
        """Go on for some time with this load, and return the rung at its end."""
        end = self.now + seconds
        while self.now < end:
            self.ladder.note(self.now, self.now + load * DT)
            self.now += DT
        return self.ladder.rung


def test_load_over_the_limit_climbs_one_rung_a_second_and_relief_comes_down_one_a_second() -> None:
    work = Work()
    assert [work.do(0.9) for _ in range(5)] == [Rung.THIN, Rung.SPARE, Rung.CLOSED, Rung.CLOSED, Rung.CLOSED]
    assert work.ladder.load == pytest.approx(0.9, abs=0.05)
    assert work.ladder.climbs == 3
    assert [work.do(0.3) for _ in range(4)] == [Rung.SPARE, Rung.THIN, Rung.CALM, Rung.CALM]


def test_with_hardly_any_load_left_two_rungs_go_at_once() -> None:
    work = Work()
    work.do(0.9, 4.0 * (WINDOW_S + DT))
    assert [work.do(0.1) for _ in range(2)] == [Rung.THIN, Rung.CALM]


def test_who_did_nothing_for_a_while_is_judged_for_all_of_it() -> None:
    work = Work()
    work.do(0.9, 4.0)
    work.now += 10.0
    assert work.ladder.note(work.now, work.now)
    assert work.ladder.rung is Rung.CALM


def test_between_relief_and_the_limit_it_stays_where_it_is() -> None:
    work = Work()
    between = (CLIMB + RELIEF) / 2
    assert work.do(between, 3.0) is Rung.CALM
    assert work.do(0.9) is Rung.THIN
    assert work.do(between, 5.0) is Rung.THIN


def test_one_slow_tick_is_no_overload() -> None:
    work = Work()
    work.ladder.note(work.now, work.now + 0.5)
    work.now += 0.5
    assert work.do(0.1, 3.0) is Rung.CALM
    assert work.ladder.climbs == 0


def test_it_says_when_the_rung_changes_and_only_then() -> None:
    ladder = Ladder(0.0)
    changes = [ladder.note(at * DT, at * DT + 0.9 * DT) for at in range(200)]
    assert sum(changes) == 3


def test_a_calm_room_of_a_busy_process_stands_on_the_rung_of_the_process() -> None:
    house = Work()
    house.do(0.9, 2 * WINDOW_S + DT)
    room = Work(house.ladder)
    assert room.do(0.01) is Rung.SPARE
    assert room.ladder.climbs == 0
    house.do(0.1, 3 * WINDOW_S + DT)
    assert room.do(0.01) is Rung.CALM


@pytest.mark.parametrize(
    "rung, thinning, sparing, admits, drops",
    [
        (Rung.CALM, 1, 1, True, False),
        (Rung.THIN, 2, 1, True, False),
        (Rung.SPARE, 2, 4, True, True),
        (Rung.CLOSED, 4, 4, False, True),
    ],
)
def test_each_rung_does_without_more(rung: Rung, thinning: int, sparing: int, admits: bool, drops: bool) -> None:
    ladder = Ladder()
    ladder.rung = rung
    assert (ladder.thinning, ladder.sparing) == (thinning, sparing)
    assert (ladder.admits, ladder.drops_late_ticks) == (admits, drops)


def test_what_the_whole_process_does_without_is_said_once_and_not_by_each_room() -> None:
    house = Work()
    room = Work(house.ladder)
    house.do(0.9)
    room.do(0.1)
    assert room.ladder.rung is Rung.THIN
    with capture_logs() as lines:
        house.ladder.report()
        room.ladder.report(room="r1", type="arena")
        room.do(0.9, 2 * (WINDOW_S + DT))
        room.ladder.report(room="r1", type="arena")
    assert [(line.get("room"), line["rung"]) for line in lines] == [(None, "THIN"), ("r1", "SPARE")]
