from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tickwire_client.inputs import InputRun, InputSchedule
from tickwire_shared.client_messages import MAX_INPUTS_PER_MESSAGE
from tickwire_shared.ticks import tick_add, tick_distance

NEUTRAL = (8, 0, 0)  # turn, thrust, jump (a trigger)
JUMP = 2


def schedule() -> InputSchedule:
    return InputSchedule(NEUTRAL, frozenset({JUMP}))


def test_the_first_input_is_for_the_newest_tick() -> None:
    assert schedule().take(100) == InputRun(100, (NEUTRAL,))


def test_each_tick_gets_its_input_once() -> None:
    inputs = schedule()
    inputs.take(100)
    assert inputs.take(100) is None
    assert inputs.take(99) is None
    assert inputs.take(101) == InputRun(101, (NEUTRAL,))


def test_what_is_steered_holds_from_the_next_tick_on() -> None:
    inputs = schedule()
    inputs.take(100)
    inputs.steer({0: 16, 1: 1})
    assert inputs.take(102) == InputRun(101, ((16, 1, 0), (16, 1, 0)))
    inputs.steer({1: 0})
    assert inputs.take(103) == InputRun(103, ((16, 0, 0),))


def test_a_trigger_is_in_exactly_one_tick() -> None:
    inputs = schedule()
    inputs.take(100)
    inputs.steer({JUMP: 1})
    assert inputs.take(102) == InputRun(101, ((8, 0, 1), (8, 0, 0)))
    assert inputs.take(103) == InputRun(103, (NEUTRAL,))


def test_a_trigger_that_is_set_to_false_stays_unpressed() -> None:
    inputs = schedule()
    inputs.steer({JUMP: 0})
    assert inputs.take(1) == InputRun(1, (NEUTRAL,))


def test_after_a_pause_only_the_last_ticks_are_sent() -> None:
    inputs = schedule()
    inputs.take(100)
    run = inputs.take(200)
    assert run is not None
    assert run.tick == 200 - MAX_INPUTS_PER_MESSAGE + 1
    assert len(run.inputs) == MAX_INPUTS_PER_MESSAGE


def test_when_the_servers_schedule_went_back_it_waits_for_a_small_step_and_restarts_after_a_large_one() -> None:
    inputs = schedule()
    inputs.take(1000)
    assert inputs.take(990) is None
    assert inputs.take(900) == InputRun(900, (NEUTRAL,))


def test_a_restart_begins_at_whatever_is_due() -> None:
    inputs = schedule()
    inputs.take(1000)
    inputs.restart()
    assert inputs.take(990) == InputRun(990, (NEUTRAL,))


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(-3, 12), max_size=60), st.sets(st.integers(0, 59)))
def test_runs_never_overlap_and_each_press_comes_out_once_even_across_the_wrap(
    start: int, moves: list[int], presses: set[int]
) -> None:
    inputs = schedule()
    newest = start
    seen = tick_add(start, -200)
    wanted = came = 0
    pending = False
    for index, move in enumerate(moves):
        if index in presses:
            inputs.steer({JUMP: 1})
            wanted += 0 if pending else 1
            pending = True
        newest = tick_add(newest, move)
        run = inputs.take(newest)
        if run is None:
            continue
        assert tick_distance(run.tick, seen) >= 1
        seen = tick_add(run.tick, len(run.inputs) - 1)
        assert seen == newest
        came += sum(wires[JUMP] for wires in run.inputs)
        pending = False
    assert came == wanted - pending


def test_a_run_is_flattened_in_order() -> None:
    assert list(InputRun(1, ((1, 2), (3, 4))).flat()) == [1, 2, 3, 4]
