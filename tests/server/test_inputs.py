"""The inputs of one player: held, folded, refused, repeated."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import ticks
from tickwire.inputs import HOLD_TICKS, MAX_AHEAD, MAX_BEHIND, InputBuffer, InputCounts
from tickwire_shared.declare import Input, flag, inputs, integer, trigger
from tickwire_shared.ticks import TICK_MODULUS, tick_add


@inputs
class Steer(Input):
    turn: int = integer(-1, 1, default=0)
    thrust: bool = flag(default=False)
    fire: bool = trigger(default=False)


NEUTRAL = (0, 0, 0)
AHEAD = (1, 1, 0)
SHOT = (1, 1, 1)


def buffer() -> InputBuffer:
    return InputBuffer(Steer.wire_type)


def played(inputs_: InputBuffer, ticks_: Iterable[int]) -> list[tuple[int, ...]]:
    """What was in force at each tick."""
    force: list[tuple[int, ...]] = []
    for tick in ticks_:
        inputs_.take(tick)
        force.append(inputs_.force)
    return force


def test_an_input_is_in_force_at_its_own_tick() -> None:
    inputs_ = buffer()
    inputs_.put(12, AHEAD, now=10)
    assert not inputs_.take(11)
    assert inputs_.force == NEUTRAL
    assert inputs_.take(12)
    assert inputs_.force == AHEAD


def test_inputs_may_come_in_any_order() -> None:
    inputs_ = buffer()
    for tick in (3, 1, 2):
        inputs_.put(tick, (0, tick % 2, 0), now=0)
    assert played(inputs_, (1, 2, 3)) == [(0, 1, 0), (0, 0, 0), (0, 1, 0)]


def test_the_first_of_two_inputs_for_a_tick_counts() -> None:
    inputs_ = buffer()
    inputs_.put(1, AHEAD, now=0)
    inputs_.put(1, NEUTRAL, now=0)
    assert played(inputs_, (1,)) == [AHEAD]
    assert (inputs_.late, inputs_.refused) == (0, 0)
    assert inputs_.counts.repeated == 1


def test_the_buffers_of_a_room_add_up_their_counts() -> None:
    counts = InputCounts()
    for buffer_ in (InputBuffer(Steer.wire_type, counts), InputBuffer(Steer.wire_type, counts)):
        buffer_.put(5, AHEAD, now=5)
        buffer_.put(500, AHEAD, now=5)
        buffer_.put(6, AHEAD, now=5)
        buffer_.put(6, AHEAD, now=5)
    assert counts == InputCounts(late=2, refused=2, repeated=2)


def test_a_missing_input_is_replaced_by_the_last_one_for_a_while_and_then_by_the_neutral_one() -> None:
    inputs_ = buffer()
    inputs_.put(1, AHEAD, now=0)
    assert played(inputs_, range(1, HOLD_TICKS + 4)) == [AHEAD] * (1 + HOLD_TICKS) + [NEUTRAL] * 2


def test_a_trigger_is_never_repeated() -> None:
    inputs_ = buffer()
    inputs_.put(1, SHOT, now=0)
    assert played(inputs_, (1, 2, 3)) == [SHOT, AHEAD, AHEAD]


def test_a_late_trigger_is_folded_into_the_next_tick_and_the_rest_is_held() -> None:
    inputs_ = buffer()
    inputs_.take(5)
    inputs_.put(5, SHOT, now=5)
    assert played(inputs_, (6, 7)) == [SHOT, AHEAD]
    assert inputs_.late == 1


def test_a_late_input_is_held_only_if_it_is_the_newest_known() -> None:
    inputs_ = buffer()
    inputs_.put(5, AHEAD, now=4)
    inputs_.take(5)
    inputs_.take(6)
    inputs_.put(4, (-1, 0, 0), now=6)
    assert played(inputs_, (7,)) == [AHEAD]
    inputs_.put(6, (-1, 0, 0), now=7)
    assert played(inputs_, (8,)) == [(-1, 0, 0)]


def test_inputs_that_all_come_late_are_obeyed_and_let_go_after_the_hold() -> None:
    inputs_ = buffer()
    for tick in range(1, 20):
        inputs_.put(tick, AHEAD, now=tick + 1)
        assert played(inputs_, (tick + 2,)) == [AHEAD]
    assert played(inputs_, range(22, 29)) == [AHEAD] * (HOLD_TICKS - 2) + [NEUTRAL] * 3
    assert inputs_.late == 19


def test_an_input_of_long_ago_is_counted_and_does_nothing() -> None:
    inputs_ = buffer()
    for tick in (100 - MAX_BEHIND, 0, TICK_MODULUS - 50_000):
        inputs_.put(tick, SHOT, now=100)
    assert played(inputs_, (101, 102)) == [NEUTRAL, NEUTRAL]
    assert inputs_.late == 3
    inputs_.put(102 - MAX_BEHIND + 1, SHOT, now=102)
    assert inputs_.take(103) is False
    assert inputs_.force[2] == 1


def test_a_late_trigger_joins_the_input_of_the_next_tick() -> None:
    inputs_ = buffer()
    inputs_.put(6, AHEAD, now=5)
    inputs_.put(4, SHOT, now=5)
    assert played(inputs_, (6, 7)) == [SHOT, AHEAD]


def test_the_same_late_input_sent_twice_fires_once() -> None:
    inputs_ = buffer()
    inputs_.put(5, SHOT, now=5)
    inputs_.put(5, SHOT, now=5)
    assert played(inputs_, (6, 7)) == [SHOT, AHEAD]


def test_an_input_that_was_in_force_already_and_is_sent_again_fires_no_second_time() -> None:
    inputs_ = buffer()
    inputs_.put(5, SHOT, now=4)
    assert played(inputs_, (5,)) == [SHOT]
    inputs_.put(5, SHOT, now=5)
    assert played(inputs_, (6, 7)) == [AHEAD, AHEAD]
    assert inputs_.late == 0


def test_a_late_press_that_is_sent_again_later_fires_no_second_time() -> None:
    inputs_ = buffer()
    inputs_.put(5, SHOT, now=5)
    assert played(inputs_, (6,)) == [SHOT]
    inputs_.put(5, SHOT, now=6)
    assert played(inputs_, (7,)) == [AHEAD]


def test_an_input_that_was_refused_may_be_sent_again() -> None:
    inputs_ = buffer()
    inputs_.put(40, AHEAD, now=0)
    inputs_.put(40, AHEAD, now=20)
    assert played(inputs_, (40,)) == [AHEAD]


def test_an_input_too_far_ahead_is_refused_and_counted() -> None:
    inputs_ = buffer()
    inputs_.put(10 + MAX_AHEAD, AHEAD, now=10)
    inputs_.put(11 + MAX_AHEAD, AHEAD, now=10)
    assert (inputs_.late, inputs_.refused) == (0, 1)
    assert played(inputs_, range(11, 12 + MAX_AHEAD)) == [NEUTRAL] * (MAX_AHEAD - 1) + [AHEAD, AHEAD]


def test_slack_is_how_far_ahead_the_newest_input_was_at_worst() -> None:
    inputs_ = buffer()
    assert inputs_.take_slack() is None
    inputs_.take(1)
    assert inputs_.take_slack() is None
    inputs_.put(5, AHEAD, now=1)
    inputs_.take(2)
    inputs_.take(3)
    assert inputs_.take_slack() == 2
    assert inputs_.take_slack() is None
    inputs_.take(7)
    assert inputs_.take_slack() == -2


def test_a_late_input_shows_in_the_slack() -> None:
    inputs_ = buffer()
    inputs_.put(3, AHEAD, now=5)
    inputs_.take(6)
    assert inputs_.take_slack() == -3


def test_slack_is_measured_anew_on_another_connection() -> None:
    inputs_ = buffer()
    inputs_.put(5, AHEAD, now=1)
    inputs_.take(2)
    inputs_.reconnect()
    inputs_.take(200)
    assert inputs_.take_slack() is None
    inputs_.put(203, AHEAD, now=200)
    inputs_.take(201)
    assert inputs_.take_slack() == 2


def test_ticks_wrap() -> None:
    inputs_ = buffer()
    last = TICK_MODULUS - 1
    inputs_.put(1, AHEAD, now=last)
    inputs_.put(last, SHOT, now=last)
    assert played(inputs_, (0, 1)) == [SHOT, AHEAD]
    assert (inputs_.late, inputs_.refused) == (1, 0)


sent = st.lists(st.tuples(st.integers(-40, 80), st.tuples(st.integers(-1, 1), st.integers(0, 1), st.integers(0, 1))))


@given(ticks, sent, st.integers(1, 30))
def test_whatever_comes_every_press_fires_once_at_most(
    start: int, messages: list[tuple[int, tuple[int, int, int]]], every: int
) -> None:
    inputs_ = buffer()
    now = start
    shots = presses = 0
    for count, (offset, values) in enumerate(messages):
        presses += values[2]
        for _ in range(2):
            inputs_.put(tick_add(start, offset), values, now)
        if count % every == 0:
            now = tick_add(now, 1)
            inputs_.take(now)
            shots += inputs_.force[2]
    for _ in range(MAX_AHEAD + 1):
        now = tick_add(now, 1)
        inputs_.take(now)
        shots += inputs_.force[2]
    assert shots <= presses
    assert inputs_.late <= len(messages)
