from __future__ import annotations

from math import tau
from typing import Any

from tests.client.meadow import Meadow
from tickwire_client.timeline import STATES, Timeline
from tickwire_shared.state import Table, WorldState

SHEEP = Meadow.schema.entity_index("Sheep")
ITEM = Meadow.schema.entities[SHEEP]
X = next(number for number, field in enumerate(ITEM.public) if field.name == "x")
FACING = next(number for number, field in enumerate(ITEM.public) if field.name == "facing")
TURN = tau / 256


def state(**sheep: tuple[float, int]) -> WorldState:
    """A meadow with sheep ``s1``, ``s2`` ...: where they are, and how many steps they face to the right."""
    ids = tuple(int(name[1:]) for name in sheep)
    columns: list[Any] = [[field.default] * len(ids) for field in ITEM.public]
    columns[X] = [ITEM.public[X].kind.to_wire(x) for x, _ in sheep.values()]
    columns[FACING] = [facing for _, facing in sheep.values()]
    empty = WorldState.empty(Meadow.schema)
    tables = list(empty.tables)
    tables[SHEEP] = Table(ids, tuple(columns))
    return WorldState(Meadow.schema, tuple(tables))


def course(*moments: tuple[int, float], snap: float | None = None) -> Timeline:
    """One sheep's way: where it was at which tick."""
    timeline = Timeline(Meadow.schema, 20.0, {} if snap is None else {"Sheep": snap})
    for tick, x in moments:
        timeline.add(tick, state(s1=(x, 0)))
    return timeline


def x(timeline: Timeline, tick: float) -> float:
    place = timeline.place(SHEEP, 1, tick)
    assert place is not None
    return place["x"]


def test_between_two_snapshots_a_value_is_in_proportion() -> None:
    timeline = course((10, 5), (11, 6), (13, 8))
    assert [x(timeline, tick) for tick in (10, 10.5, 11, 12, 13)] == [5, 5.5, 6, 7, 8]


def test_before_the_first_state_an_entity_stands() -> None:
    assert x(course((10, 5), (11, 6)), 3) == 5


def test_behind_the_newest_state_an_entity_keeps_its_course_for_100_ms_and_within_its_range() -> None:
    timeline = course((10, 5), (11, 6))
    assert [x(timeline, tick) for tick in (12, 13, 17, 500)] == [7, 8, 8, 8]
    assert x(course((10, 98), (11, 99.5)), 13) == 100


def test_what_stood_in_the_newest_states_goes_on_standing() -> None:
    assert x(course((10, 5), (11, 6), (12, 6)), 13) == 6


def test_angles_turn_the_short_way_round() -> None:
    timeline = Timeline(Meadow.schema, 20.0)
    timeline.add(10, state(s1=(5, 254)))
    timeline.add(11, state(s1=(5, 4)))
    seen = [timeline.place(SHEEP, 1, tick) for tick in (10, 10.25, 10.5, 11, 12)]
    facing = [round(place["facing"] / TURN, 6) for place in seen if place is not None]
    assert facing == [254, 255.5, 1, 4, 10]


def test_what_was_put_elsewhere_jumps_there_at_its_snapshot_and_keeps_no_course_from_it() -> None:
    timeline = Timeline(Meadow.schema, 20.0)
    timeline.add(10, state(s1=(5, 10)))
    timeline.add(11, state(s1=(60, 20)))
    places = [timeline.place(SHEEP, 1, tick) for tick in (10.9, 11, 12)]
    assert [(place["x"], round(place["facing"] / TURN)) for place in places if place] == [(5, 10), (60, 20), (60, 20)]


def test_how_far_is_elsewhere_can_be_set_and_grows_with_the_time_between_snapshots() -> None:
    moments = ((10, 5.0), (11, 9.0), (13, 17.0))
    assert [x(course(*moments, snap=4), tick) for tick in (10.5, 12)] == [7, 13]
    assert [x(course(*moments, snap=3.5), tick) for tick in (10.5, 12)] == [5, 9]


def test_a_movement_after_a_rest_starts_one_gap_before_its_snapshot() -> None:
    timeline = course((10, 5), (11, 6), (50, 7))
    assert [x(timeline, tick) for tick in (30, 49, 49.5, 50)] == [6, 6, 6.5, 7]


def test_who_appears_and_who_disappears_is_drawn_where_it_is_known_to_have_been() -> None:
    timeline = Timeline(Meadow.schema, 20.0)
    timeline.add(10, state(s1=(5, 0)))
    timeline.add(11, state(s2=(7, 0)))
    gone, new, never = (timeline.place(SHEEP, id, 10.5) for id in (1, 2, 3))
    assert gone is not None
    assert new is not None
    assert (gone["x"], new["x"], never) == (5, 7, None)


def test_an_empty_timeline_knows_nothing() -> None:
    assert Timeline(Meadow.schema, 20.0).place(SHEEP, 1, 10.0) is None
    assert Timeline(Meadow.schema, 20.0).newest is None


def test_only_the_last_states_are_kept() -> None:
    timeline = course(*((tick, tick / 4) for tick in range(100)))
    assert x(timeline, 10) == x(timeline, 100 - STATES) == (100 - STATES) / 4
