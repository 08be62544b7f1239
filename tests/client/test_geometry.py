from __future__ import annotations

from math import hypot, pi

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tickwire_client.geometry import closest_approach, intercept_time, turn_between

coordinates = st.floats(-100, 100)
speeds = st.floats(-30, 30)


@given(st.floats(-20, 20), st.floats(-20, 20))
def test_a_turn_is_the_short_way_round(heading: float, bearing: float) -> None:
    turn = turn_between(heading, bearing)
    assert -pi <= turn < pi
    assert (heading + turn - bearing) / (2 * pi) == pytest.approx(
        round((heading + turn - bearing) / (2 * pi)), abs=1e-9
    )


@given(coordinates, coordinates, speeds, speeds)
def test_a_bullet_that_is_faster_always_meets_its_target(x: float, y: float, vx: float, vy: float) -> None:
    when = intercept_time(x, y, vx, vy, 54.0)
    assert when is not None
    assert when >= 0
    assert hypot(x + vx * when, y + vy * when) == pytest.approx(54.0 * when, abs=1e-6)


def test_a_target_that_flees_faster_is_never_met() -> None:
    assert intercept_time(10.0, 0.0, 60.0, 0.0, 54.0) is None


def test_a_target_of_the_same_speed_is_met_only_if_it_comes_nearer() -> None:
    assert intercept_time(10.0, 0.0, 54.0, 0.0, 54.0) is None
    assert intercept_time(10.0, 0.0, -54.0, 0.0, 54.0) == pytest.approx(10 / 108)


@given(coordinates, coordinates, speeds, speeds, st.floats(0, 50))
def test_nothing_passes_nearer_than_the_closest_approach(x: float, y: float, vx: float, vy: float, t: float) -> None:
    assume(hypot(vx, vy) > 1e-3 or vx == vy == 0)
    when, distance = closest_approach(x, y, vx, vy)
    assert when >= 0
    assert distance <= hypot(x + vx * t, y + vy * t) + 1e-6
