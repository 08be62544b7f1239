"""Contact between a moving point and a disc."""

from math import hypot

from hypothesis import given
from hypothesis import strategies as st

from tickwire.demo.contact import Point, first_contact, first_met

coordinates = st.floats(-50, 50)
points = st.tuples(coordinates, coordinates)
radii = st.floats(0.5, 8)


def between(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


@given(points, points, points, radii)
def test_a_contact_is_on_the_rim_unless_the_way_starts_inside(
    start: Point, end: Point, centre: Point, radius: float
) -> None:
    share = first_contact(start, end, centre, radius)
    if share is None:
        return
    assert 0 <= share <= 1
    at = between(start, end, share)
    distance = hypot(at[0] - centre[0], at[1] - centre[1])
    assert distance <= radius + 1e-6
    assert share == 0 or distance >= radius - 1e-6


@given(points, points, points, radii, st.floats(0, 1))
def test_a_way_without_contact_never_enters(
    start: Point, end: Point, centre: Point, radius: float, share: float
) -> None:
    if first_contact(start, end, centre, radius) is None:
        at = between(start, end, share)
        assert hypot(at[0] - centre[0], at[1] - centre[1]) >= radius - 1e-6


def test_a_fast_point_does_not_jump_over_a_small_disc() -> None:
    share = first_contact((0, 0), (100, 0), (50, 0.5), 1)
    assert share is not None
    assert 0.48 < share < 0.5


def test_a_point_that_stands_still_outside_touches_nothing() -> None:
    assert first_contact((5, 0), (5, 0), (0, 0), 1) is None


@given(points, points, points, points, radii)
def test_what_moves_is_met_where_both_are_at_the_same_time(
    start: Point, end: Point, was: Point, now: Point, radius: float
) -> None:
    met = first_met(start, end, [("ship", was, now, radius)])
    if met is None:
        return
    share, thing = met
    bullet, ship = between(start, end, share), between(was, now, share)
    assert thing == "ship"
    assert hypot(bullet[0] - ship[0], bullet[1] - ship[1]) <= radius + 1e-6


def test_of_several_the_first_on_the_way_is_met_and_the_first_named_of_equals() -> None:
    discs = [("far", (8.0, 0.0), (8.0, 0.0), 1.0), ("near", (4.0, 0.0), (4.0, 0.0), 1.0)]
    assert first_met((0.0, 0.0), (10.0, 0.0), discs) == (0.3, "near")
    assert first_met((0.0, 0.0), (10.0, 0.0), discs[:1]) == (0.7, "far")
    assert first_met((0.0, 0.0), (2.0, 0.0), discs) is None


def test_a_point_meets_what_crosses_its_way_in_time_and_misses_what_was_there_before() -> None:
    assert first_met((0.0, 0.0), (10.0, 0.0), [("late", (5.0, 8.0), (5.0, -8.0), 1.0)]) is not None
    assert first_met((0.0, 0.0), (10.0, 0.0), [("gone", (5.0, 0.0), (5.0, 40.0), 1.0)]) is None
