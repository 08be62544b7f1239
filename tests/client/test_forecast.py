"""The forecast, the events and the picture's error, each alone."""

from __future__ import annotations

from math import pi, tau

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.sledding import Slope, step
from tickwire_client.forecast import MAX_AHEAD, Forecast, Outcome
from tickwire_client.inputs import InputRun, SentInputs
from tickwire_client.predicted_events import LATE_TICKS, Fate, PredictedEvent, PredictedEvents
from tickwire_client.replica import Replica
from tickwire_client.stepper import Raised, StepContext, Stepper, Wires
from tickwire_client.views import EntityView
from tickwire_client.visual_error import DECAY_MS, VisualError
from tickwire_shared.delta import diff
from tickwire_shared.errors import UsageError, ValueRefused
from tickwire_shared.server_messages import SnapshotMessage
from tickwire_shared.ticks import TICK_MODULUS, tick_add

SCHEMA = Slope.schema
SLED = SCHEMA.entities[0]
assert SCHEMA.input is not None
INPUT = SCHEMA.input
NEUTRAL = (4, 0, 0)
PUSH = (8, 0, 0)
HOP = (4, 0, 1)
START: Wires = (8000, 0, 0, 0, 4096, 0)
"""x, heading, hops, medals, speed, reload of a sled that stands still in the middle."""


def stepper() -> Stepper:
    return Stepper(SLED, INPUT, step, StepContext(Replica(SCHEMA), 20.0))


def sent(start: int, *inputs: Wires) -> SentInputs:
    book = SentInputs(NEUTRAL, frozenset({2}), 6)
    book.note(InputRun(start, inputs))
    return book


def forecast(inputs: SentInputs, tick: int = 0, wires: Wires = START) -> Forecast:
    return Forecast(stepper(), inputs.in_force, tick, wires)


# The forecast


def test_a_state_that_came_as_predicted_costs_no_simulation() -> None:
    cast = forecast(sent(1, *[PUSH] * 10))
    cast.extend(10)
    foreseen = cast.at(4)
    verdict = cast.correct(4, foreseen)
    assert (verdict.outcome, verdict.predicted) == (Outcome.EQUAL, foreseen)
    assert sorted(cast.states) == list(range(4, 11))


@given(st.integers(0, TICK_MODULUS - 1), st.integers(1, 8), st.integers(-50, 50))
def test_after_a_correction_the_replay_gives_what_a_forecast_from_there_gives(start: int, at: int, off: int) -> None:
    inputs = sent(tick_add(start, 1), PUSH, NEUTRAL, HOP, PUSH, PUSH, NEUTRAL, HOP, PUSH)
    cast = forecast(inputs, start)
    cast.extend(tick_add(start, 8))
    told = (START[0] + off, *START[1:])
    cast.correct(tick_add(start, at), told)
    assert cast.replay() == 8 - at
    anew = forecast(inputs, tick_add(start, at), told)
    anew.extend(tick_add(start, 8))
    assert dict(cast.states) == dict(anew.states)


def test_news_in_a_field_that_the_step_never_changed_is_told_from_a_mistake() -> None:
    cast = forecast(sent(1, *[PUSH] * 4))
    cast.extend(4)
    wires = list(cast.at(2))
    wires[3] += 1
    assert cast.correct(2, tuple(wires)).outcome is Outcome.NEWS
    cast.replay()
    wires = list(cast.at(3))
    wires[0] += 1
    assert cast.correct(3, tuple(wires)).outcome is Outcome.WRONG


def test_a_tick_that_was_not_predicted_is_where_the_forecast_starts_again() -> None:
    cast = forecast(sent(1, PUSH))
    cast.extend(1)
    assert cast.correct(9, START).outcome is Outcome.UNFORESEEN
    assert (cast.oldest, cast.newest, dict(cast.states)) == (9, 9, {9: START})


def test_a_forecast_reaches_no_farther_than_its_bound() -> None:
    cast = forecast(sent(1, PUSH))
    cast.extend(10 * MAX_AHEAD)
    assert cast.newest == MAX_AHEAD
    assert len(cast.states) == MAX_AHEAD + 1
    assert cast.guess(PUSH) == cast.at(MAX_AHEAD)


def test_a_guess_changes_nothing_and_what_it_raises_is_not_told() -> None:
    cast = forecast(sent(1, NEUTRAL))
    cast.extend(1)
    assert cast.guess(HOP)[2] == 1
    assert cast.guess(NEUTRAL)[2] == 0
    assert cast.newest == 1
    assert cast.stepper.context.take_raised() == []


def test_a_missing_input_is_simulated_as_the_server_does_it() -> None:
    book = sent(5, PUSH, HOP)
    assert [book.in_force(tick) for tick in (4, 5, 6)] == [NEUTRAL, PUSH, HOP]
    assert [book.in_force(tick) for tick in range(7, 14)] == [NEUTRAL] * 7
    held = sent(5, (8, 1, 1))
    assert [held.in_force(tick) for tick in (6, 11, 12)] == [(8, 1, 0), (8, 1, 0), NEUTRAL]
    held.clear()
    assert held.in_force(5) == NEUTRAL


# What a step may ask and say


def test_a_step_that_spawns_the_impossible_is_told_what_is_possible() -> None:
    context = StepContext(Replica(SCHEMA), 20.0)
    with pytest.raises(UsageError, match="no entity class 'Stone' to spawn; it has Sled, Ball"):
        context.spawn("Stone", x=1.0)
    with pytest.raises(UsageError, match="Ball has no public field 'y' to be spawned with; it has x, born, by"):
        context.spawn("Ball", y=1.0)
    with pytest.raises(ValueRefused, match="nan"):
        context.spawn("Ball", x=float("nan"))
    assert context.take_raised() == []


def test_a_spawn_is_rounded_as_the_server_will() -> None:
    context = StepContext(Replica(SCHEMA), 20.0)
    context.spawn("Ball", x=1.04, born=3)
    (raised,) = context.take_raised()
    assert raised.fields == {"x": 1.0625, "born": 3}
    assert raised.is_spawn


def test_two_of_a_name_in_one_tick_are_two() -> None:
    context = StepContext(Replica(SCHEMA), 20.0)
    context.tick = 7
    context.event("puff")
    context.event("puff")
    context.event("puff", key="mine")
    assert [raised.key for raised in context.take_raised()] == ["7/0", "7/1", "mine"]


def test_the_context_reads_a_class_once_for_each_change() -> None:
    replica = Replica(SCHEMA)
    context = StepContext(replica, 20.0)
    assert context.all("Ball") == ()
    assert context.one("Ball") is None
    assert context.all("Ball") is context.all("Ball")
    replica.advance(SnapshotMessage(1, 0, diff(replica.state, replica.state)))
    with pytest.raises(KeyError, match="Stone"):
        context.all("Stone")


# Events


def told_of(ledger_match: bool = False) -> tuple[PredictedEvents, list[tuple[str, Fate]]]:
    told: list[tuple[str, Fate]] = []

    def tell(event: PredictedEvent) -> None:
        told.append((event.key, event.fate))

    def match(entity: EntityView, event: PredictedEvent) -> bool:
        return ledger_match

    return PredictedEvents(tell, match), told


def flash(tick: int, key: str = "a") -> Raised:
    return Raised("flash", key, tick, {})


def ball(tick: int, key: str = "a") -> Raised:
    return Raised("Ball", key, tick, {"x": 1.0}, {"x": 16})


def test_an_event_is_confirmed_by_a_state_as_predicted_and_withdrawn_by_another() -> None:
    for right, fate in ((True, Fate.CONFIRMED), (False, Fate.WITHDRAWN)):
        events, told = told_of()
        events.predict([flash(5)], Replica(SCHEMA))
        events.judge(4, not right, Replica(SCHEMA))
        events.judge(5, right, Replica(SCHEMA))
        events.judge(6, right, Replica(SCHEMA))
        assert told == [("a", Fate.PREDICTED), ("a", fate)]


def test_a_replay_that_raises_an_event_again_changes_nothing() -> None:
    events, told = told_of()
    events.predict([flash(5)], Replica(SCHEMA))
    events.replay([flash(5)], since=4, in_doubt=True)
    assert told == [("a", Fate.PREDICTED)]


def test_a_replay_that_raises_it_in_another_tick_moves_it() -> None:
    events, told = told_of()
    events.predict([flash(5, "5/0")], Replica(SCHEMA))
    events.replay([flash(7, "7/0")], since=4, in_doubt=True)
    events.judge(5, True, Replica(SCHEMA))
    assert told == [("5/0", Fate.PREDICTED)]
    events.judge(7, True, Replica(SCHEMA))
    assert told[1:] == [("7/0", Fate.CONFIRMED)]


@pytest.mark.parametrize("in_doubt", [True, False])
def test_what_is_over_moves_only_when_it_is_in_doubt(in_doubt: bool) -> None:
    events, told = told_of()
    events.predict([ball(5, "5/0")], Replica(SCHEMA))
    events.replay([ball(8, "8/0")], since=6, in_doubt=in_doubt)
    assert [event.key for event in events.spawned] == ["8/0" if in_doubt else "5/0"]
    assert told == [("5/0", Fate.PREDICTED)]


def test_a_replay_that_does_not_raise_it_withdraws_it_and_tells_nothing_new() -> None:
    events, told = told_of()
    events.predict([flash(5)], Replica(SCHEMA))
    events.replay([ball(6)], since=4, in_doubt=True)
    assert told == [("a", Fate.PREDICTED), ("a", Fate.WITHDRAWN)]


def test_a_spawn_whose_tick_went_otherwise_waits_a_little_for_its_entity() -> None:
    events, told = told_of()
    events.predict([ball(5)], Replica(SCHEMA))
    events.judge(5, False, Replica(SCHEMA))
    assert [event.key for event in events.spawned] == ["a"]
    events.judge(5 + LATE_TICKS, False, Replica(SCHEMA))
    assert events.spawned == ()
    assert told == [("a", Fate.PREDICTED), ("a", Fate.WITHDRAWN)]


def test_what_is_pending_when_the_prediction_ends_is_withdrawn() -> None:
    events, told = told_of()
    events.predict([flash(5), ball(6, "b")], Replica(SCHEMA))
    events.clear()
    assert told[2:] == [("a", Fate.WITHDRAWN), ("b", Fate.WITHDRAWN)]
    events.judge(9, True, Replica(SCHEMA))
    assert len(told) == 4


# The picture


def test_an_error_of_the_picture_decays_and_is_forgotten() -> None:
    error = VisualError(frozenset())
    error.add({"x": 10.0}, {"x": 4.0}, 0.0)
    assert error.at(0.0) == {"x": 6.0}
    assert error.at(DECAY_MS)["x"] == pytest.approx(6.0 / 2.718281828)
    assert error.at(20 * DECAY_MS) == {}


def test_errors_add_up_to_where_the_picture_was() -> None:
    error = VisualError(frozenset())
    error.add({"x": 10.0}, {"x": 4.0}, 0.0)
    left = error.at(50.0)["x"]
    error.add({"x": 4.0}, {"x": 5.0}, 50.0)
    assert error.at(50.0)["x"] == pytest.approx(left - 1.0)


def test_an_angle_is_put_right_the_short_way_round() -> None:
    error = VisualError(frozenset({"heading"}))
    error.add({"heading": 0.1}, {"heading": tau - 0.1}, 0.0)
    assert error.at(0.0)["heading"] == pytest.approx(0.2)
    error.clear()
    error.add({"heading": pi + 0.2}, {"heading": 0.1}, 0.0)
    assert error.at(0.0)["heading"] == pytest.approx(-pi + 0.1)
