"""What is believed of a player's claim to see the world in the past."""

import pytest

from tickwire.viewing import LEAST_TICKS, Viewing, justified_ticks
from tickwire_shared.ticks import tick_add


def viewing(round_trip_s: float = 0.25) -> Viewing:
    made = Viewing()
    made.allow(round_trip_s, 30.0, 1)
    return made


@pytest.mark.parametrize(
    "round_trip_s, hz, snapshot_every, ticks",
    [(0.0, 30, 1, 7), (0.25, 30, 1, 14.5), (0.5, 30, 1, 22), (9.0, 30, 1, 22), (0.25, 60, 1, 25), (0.25, 60, 3, 29)],
)
def test_a_round_trip_justifies_itself_and_what_smooths_it_up_to_a_bound(
    round_trip_s: float, hz: float, snapshot_every: int, ticks: float
) -> None:
    assert justified_ticks(round_trip_s, hz, snapshot_every) == pytest.approx(ticks)


def test_who_told_nothing_sees_the_newest_commit() -> None:
    assert viewing().delay(100) == LEAST_TICKS


@pytest.mark.parametrize(
    "told, believed, likely",
    [
        (8.5, 8.5, True),
        (1.0, 1.0, True),
        (14.5, 14.5, True),
        (14.6, 14.5, False),
        (60.0, 14.5, False),
        (0.5, 0.5, False),
    ],
)
def test_a_first_claim_is_believed_as_far_as_it_is_justified(told: float, believed: float, likely: bool) -> None:
    view = viewing()
    assert view.claim(told, 100) is likely
    assert view.delay(101) == believed


def test_what_is_believed_shrinks_with_the_round_trip() -> None:
    view = viewing(0.5)
    view.claim(20.0, 100)
    assert view.delay(101) == 20.0
    view.allow(0.1, 30.0, 1)
    assert view.delay(101) == 10.0


def test_a_longer_delay_lets_time_stand_still_until_it_is_reached_and_a_shorter_one_lets_it_jump() -> None:
    view = viewing()
    view.claim(4.0, 100)
    assert view.claim(8.0, 100), "a lead may grow by a few ticks at once"
    assert [101 + k - view.delay(101 + k) for k in range(6)] == [96, 96, 96, 96, 97, 98]
    view.claim(3.0, 120)
    assert view.delay(121) == 3.0


def test_time_does_not_run_backwards_and_who_says_so_is_counted() -> None:
    view = viewing()
    seen: list[float] = []
    claims: list[bool] = []
    for tick in range(100, 140):
        claims.append(view.claim((3.0, 14.0)[tick % 2], tick))
        seen.append(tick + 1 - view.delay(tick + 1))
    assert claims.count(False) == 19
    assert seen == sorted(seen)


def test_claims_are_compared_across_the_wrap_of_ticks() -> None:
    view = viewing()
    view.claim(4.0, tick_add(0, -3))
    assert view.claim(9.0, tick_add(0, -3))
    assert [view.delay(tick_add(0, k - 3)) for k in range(1, 7)] == [5.0, 6.0, 7.0, 8.0, 9.0, 9.0]
