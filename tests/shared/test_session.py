"""The two lifecycles, walked through every state and event."""

import itertools

import pytest

from tickwire_shared.errors import ProtocolError
from tickwire_shared.session import (
    SEAT_TRANSITIONS,
    SESSION_TRANSITIONS,
    SeatEvent,
    SeatState,
    SessionEvent,
    SessionState,
    next_seat_state,
    next_session_state,
)

SESSION_STEPS = list(itertools.product(SessionState, SessionEvent))
SEAT_STEPS = list(itertools.product(SeatState, SeatEvent))


@pytest.mark.parametrize("state, event", SESSION_STEPS)
def test_a_session_takes_the_step_in_its_table_or_says_what_is_wrong(state: SessionState, event: SessionEvent) -> None:
    if (state, event) in SESSION_TRANSITIONS:
        assert next_session_state(state, event) is SESSION_TRANSITIONS[state, event]
    else:
        with pytest.raises(ProtocolError, match=r"\w+.*\.$"):
            next_session_state(state, event)


@pytest.mark.parametrize("state", SessionState)
def test_a_session_can_be_closed_from_anywhere(state: SessionState) -> None:
    assert next_session_state(state, SessionEvent.CLOSE) is SessionState.CLOSED


@pytest.mark.parametrize("event", [SessionEvent.ASK, SessionEvent.TALK, SessionEvent.ADMIT])
def test_a_closed_session_stays_closed(event: SessionEvent) -> None:
    with pytest.raises(ProtocolError):
        next_session_state(SessionState.CLOSED, event)


@pytest.mark.parametrize("state", [SessionState.JOINING, SessionState.LIVE])
def test_a_second_join_is_told_why_it_is_refused(state: SessionState) -> None:
    with pytest.raises(ProtocolError, match=r"second one|another one"):
        next_session_state(state, SessionEvent.ASK)


@pytest.mark.parametrize("state, event", SEAT_STEPS)
def test_a_seat_takes_the_step_in_its_table_and_no_other(state: SeatState, event: SeatEvent) -> None:
    if (state, event) in SEAT_TRANSITIONS:
        assert next_seat_state(state, event) is SEAT_TRANSITIONS[state, event]
    else:
        with pytest.raises(KeyError):
            next_seat_state(state, event)


def test_a_seat_that_is_gone_is_gone() -> None:
    assert not any(state is SeatState.GONE for state, _ in SEAT_TRANSITIONS)
    assert all((state, SeatEvent.FREE) in SEAT_TRANSITIONS for state in SeatState if state is not SeatState.GONE)


def test_only_a_lost_seat_can_be_lost_no_more() -> None:
    assert (SeatState.DROPPED, SeatEvent.DROP) not in SEAT_TRANSITIONS
    assert next_seat_state(SeatState.DROPPED, SeatEvent.ATTACH) is SeatState.LIVE


def test_every_state_can_be_reached() -> None:
    assert set(SESSION_TRANSITIONS.values()) | {SessionState.NEW} == set(SessionState)
    assert set(SEAT_TRANSITIONS.values()) | {SeatState.RESERVED} == set(SeatState)
