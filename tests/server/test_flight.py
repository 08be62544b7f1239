"""The flight step: physics that a pilot expects, on a grid that both ends share."""

import json
from math import cos, floor, hypot, pi

from hypothesis import given
from hypothesis import strategies as st

from tests.server.flight_courses import DT, VECTORS, Rock, all_courses
from tickwire.demo.flight import (
    COSINES,
    DRAG,
    HEADING_STEP,
    HEADINGS,
    HEIGHT,
    POSITION_STEP,
    SHIP_RADIUS,
    SPEED_STEP,
    THRUST,
    WIDTH,
    Motion,
    direction,
    step,
)

speeds = st.floats(-40, 40)
motions = st.builds(Motion, st.floats(0, WIDTH), st.floats(0, HEIGHT), speeds, speeds, st.floats(-7, 7))
turns = st.integers(-8, 8).map(lambda eighth: eighth / 8)
rocks = st.lists(st.builds(Rock, st.floats(0, WIDTH), st.floats(0, HEIGHT), st.floats(1, 8)), max_size=4)


def test_the_stored_courses_are_what_the_step_flies() -> None:
    assert json.loads(VECTORS.read_text()) == all_courses()


def test_no_cosine_is_near_a_rounding_border() -> None:
    shares = [(cos(i * HEADING_STEP) * 65536 + 0.5) % 1 for i in range(HEADINGS) if i % 256]
    assert all(1e-6 < share < 1 - 1e-6 for share in shares)
    assert [COSINES[i] for i in (0, 256, 512, 768)] == [1, 0, -1, 0]


@given(motions, turns, st.booleans(), rocks)
def test_every_step_ends_inside_the_arena_and_on_the_grid(
    ship: Motion, turn: float, thrust: bool, around: list[Rock]
) -> None:
    after = step(ship, turn, thrust, around, DT)
    slack = POSITION_STEP
    assert SHIP_RADIUS - slack <= after.x <= WIDTH - SHIP_RADIUS + slack
    assert SHIP_RADIUS - slack <= after.y <= HEIGHT - SHIP_RADIUS + slack
    for value, grid in (
        (after.x, POSITION_STEP),
        (after.y, POSITION_STEP),
        (after.vx, SPEED_STEP),
        (after.vy, SPEED_STEP),
    ):
        assert value / grid == floor(value / grid)
    assert after.heading == floor(after.heading / HEADING_STEP + 0.5) * HEADING_STEP
    assert 0 <= after.heading < 2 * pi


@given(motions, st.builds(Rock, st.floats(20, 100), st.floats(20, 60), st.floats(1, 8)))
def test_a_ship_never_ends_a_tick_inside_a_rock_away_from_the_walls(ship: Motion, rock: Rock) -> None:
    after = step(ship, 0, True, [rock], DT)
    assert hypot(after.x - rock.x, after.y - rock.y) >= rock.radius + SHIP_RADIUS - POSITION_STEP


def test_a_ship_reaches_its_top_speed_and_not_more() -> None:
    ship = Motion(10, 40, 0, 0, 0)
    for _ in range(300):
        ship = step(ship._replace(x=10.0), 0, True, [], DT)
    assert 0.95 * THRUST / DRAG < ship.vx < THRUST / DRAG


def test_a_ship_without_thrust_comes_to_rest() -> None:
    ship = Motion(60, 40, 6, -6, 1)
    for _ in range(600):
        ship = step(ship, 0, False, [], DT)
    assert hypot(ship.vx, ship.vy) < 0.1
    assert step(ship, 0, False, [], DT)[:2] == ship[:2]


def test_a_full_turn_takes_about_a_second_and_a_half_either_way() -> None:
    for turn in (-1.0, 1.0):
        ship = Motion(60, 40, 0, 0, 0)
        ticks = 0
        while ticks == 0 or min(ship.heading, 2 * pi - ship.heading) > 0.1:
            ship = step(ship, turn, False, [], DT)
            ticks += 1
        assert 40 <= ticks <= 45


def test_a_rock_throws_a_ship_back() -> None:
    ship = Motion(50, 40, 20, 0, 0)
    for _ in range(30):
        ship = step(ship, 0, False, [Rock(60, 40, 4)], DT)
    assert ship.vx < -3
    assert ship.vy == 0


@given(st.floats(-20, 20))
def test_a_direction_has_length_one(heading: float) -> None:
    assert abs(hypot(*direction(heading)) - 1) < 1e-4
