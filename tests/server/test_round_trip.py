"""The round trip as the server measures it."""

import pytest

from tickwire.round_trip import MAX_OPEN, RoundTrip


def measured(*samples_ms: float) -> RoundTrip:
    trip = RoundTrip()
    for number, sample in enumerate(samples_ms):
        trip.asked(number * 1000.0)
        assert trip.answered(number * 1000.0, number * 1000.0 + sample)
    return trip


def test_nothing_is_known_before_the_first_answer() -> None:
    assert RoundTrip().most_s == 0.0


def test_a_steady_line_is_measured_and_its_variation_is_forgotten() -> None:
    trip = measured(*[250.0] * 40)
    assert trip.mean_s == pytest.approx(0.25)
    assert trip.most_s == pytest.approx(0.25, abs=0.001)


def test_a_line_that_becomes_longer_is_allowed_for_at_once() -> None:
    assert measured(*[30.0] * 40, 200.0).most_s > 0.2


@pytest.mark.parametrize("stamp", [0.0, 999.0, 1000.5, 2000.0])
def test_a_stamp_that_was_never_given_out_changes_nothing(stamp: float) -> None:
    trip = measured(100.0)
    before = trip.mean_s
    trip.asked(1000.0)
    assert not trip.answered(stamp, 9000.0)
    assert trip.mean_s == before
    assert trip.answered(1000.0, 1100.0)


def test_a_stamp_counts_once_and_not_behind_a_later_one() -> None:
    trip = RoundTrip()
    trip.asked(1.0)
    trip.asked(2.0)
    assert trip.answered(2.0, 102.0)
    assert not trip.answered(2.0, 500.0)
    assert not trip.answered(1.0, 5000.0)
    assert trip.mean_s == pytest.approx(0.1)


def test_stamps_that_are_never_answered_take_no_room() -> None:
    trip = RoundTrip()
    for stamp in range(100):
        trip.asked(float(stamp))
    assert not trip.answered(float(99 - MAX_OPEN), 1000.0)
    assert trip.answered(float(100 - MAX_OPEN), 1000.0)
