"""Timers, counted in ticks."""

from functools import partial

import pytest

from tickwire.timers import Timers
from tickwire_shared.errors import UsageError


def run(timers: Timers, count: int) -> None:
    for _ in range(count):
        timers.run()


def test_a_timer_is_called_once_after_its_ticks() -> None:
    timers, called = Timers(), list[str]()
    timers.after(3, lambda: called.append("x"))
    run(timers, 2)
    assert called == []
    run(timers, 5)
    assert called == ["x"]


def test_a_repeated_timer_is_called_each_so_many_ticks() -> None:
    timers, called = Timers(), list[int]()
    timers.every(2, lambda: called.append(1))
    run(timers, 7)
    assert len(called) == 3


def test_timers_of_one_tick_run_in_the_order_of_their_making() -> None:
    timers, called = Timers(), list[str]()
    for name in "abc":
        timers.after(2, partial(called.append, name))
    timers.after(1, lambda: called.append("first"))
    run(timers, 2)
    assert called == ["first", "a", "b", "c"]


def test_a_cancelled_timer_is_not_called() -> None:
    timers, called = Timers(), list[str]()
    timer = timers.after(1, lambda: called.append("x"))
    timer.cancel()
    timer.cancel()
    run(timers, 3)
    assert called == []


def test_a_timer_may_cancel_itself_and_others() -> None:
    timers, called = Timers(), list[str]()

    def both() -> None:
        called.append("x")
        mine.cancel()
        other.cancel()

    mine = timers.every(1, both)
    other = timers.after(1, lambda: called.append("never"))
    run(timers, 3)
    assert called == ["x"]


def test_a_timer_made_by_a_timer_runs_at_a_later_tick() -> None:
    timers, called = Timers(), list[int]()

    def again() -> None:
        called.append(1)
        timers.after(1, again)

    timers.after(1, again)
    run(timers, 4)
    assert len(called) == 4


@pytest.mark.parametrize("ticks", [0, -1, 1.5, True, None, "3"])
def test_a_timer_needs_a_whole_number_of_ticks(ticks: int) -> None:
    with pytest.raises(UsageError, match=r"at least 1"):
        Timers().after(ticks, lambda: None)
