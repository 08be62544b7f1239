"""The two lifecycles of a player, as tables: a missing key is the error.

A **session** ties one connection to at most one seat. A **seat** survives its connection for the room's
grace time; it counts against ``max_players`` in every state but GONE, so that the limit is strict.

::

    session:  NEW -> JOINING -> LIVE -> CLOSED       (CLOSED from anywhere)
    seat:     RESERVED -> LIVE -> DROPPED -> GONE    (DROPPED -> LIVE when it resumes; GONE from anywhere)
"""

from __future__ import annotations

import enum
from typing import Final

from tickwire_shared.errors import ProtocolError


class SessionState(enum.Enum):
    """Where a connection stands."""

    NEW = "new"
    JOINING = "joining"
    LIVE = "live"
    CLOSED = "closed"


class SessionEvent(enum.Enum):
    """What can happen to a connection."""

    ASK = "join or resume"
    ADMIT = "admit"
    TALK = "message"
    CLOSE = "close"


class SeatState(enum.Enum):
    """Where a seat stands."""

    RESERVED = "reserved"
    LIVE = "live"
    DROPPED = "dropped"
    GONE = "gone"


class SeatEvent(enum.Enum):
    """What can happen to a seat."""

    ATTACH = "attach"
    DROP = "drop"
    FREE = "free"


SESSION_TRANSITIONS: Final = {
    (SessionState.NEW, SessionEvent.ASK): SessionState.JOINING,
    (SessionState.JOINING, SessionEvent.ADMIT): SessionState.LIVE,
    (SessionState.LIVE, SessionEvent.TALK): SessionState.LIVE,
    (SessionState.NEW, SessionEvent.CLOSE): SessionState.CLOSED,
    (SessionState.JOINING, SessionEvent.CLOSE): SessionState.CLOSED,
    (SessionState.LIVE, SessionEvent.CLOSE): SessionState.CLOSED,
    (SessionState.CLOSED, SessionEvent.CLOSE): SessionState.CLOSED,
}

SEAT_TRANSITIONS: Final = {
    (SeatState.RESERVED, SeatEvent.ATTACH): SeatState.LIVE,
    (SeatState.RESERVED, SeatEvent.FREE): SeatState.GONE,
    (SeatState.LIVE, SeatEvent.ATTACH): SeatState.LIVE,  # another connection takes over
    (SeatState.LIVE, SeatEvent.DROP): SeatState.DROPPED,
    (SeatState.LIVE, SeatEvent.FREE): SeatState.GONE,
    (SeatState.DROPPED, SeatEvent.ATTACH): SeatState.LIVE,
    (SeatState.DROPPED, SeatEvent.FREE): SeatState.GONE,
}

_EXPLANATIONS: Final = {
    (SessionState.NEW, SessionEvent.TALK): "The first message has to be a join or a resume.",
    (SessionState.JOINING, SessionEvent.TALK): "The join is not answered yet; wait for the welcome.",
    (SessionState.JOINING, SessionEvent.ASK): "The join is not answered yet; a second one is not accepted.",
    (SessionState.LIVE, SessionEvent.ASK): "This connection has joined a room already; open another one.",
}


def next_session_state(state: SessionState, event: SessionEvent) -> SessionState:
    """Return the state after ``event``.

    Raises:
        ProtocolError: The peer may not do that now; the message says what it should do.
    """
    try:
        return SESSION_TRANSITIONS[state, event]
    except KeyError:
        raise ProtocolError(_EXPLANATIONS.get((state, event), f"{event.value} after {state.value}.")) from None


def next_seat_state(state: SeatState, event: SeatEvent) -> SeatState:
    """Return the state after ``event``; KeyError for what can't happen, which is a defect of the server."""
    return SEAT_TRANSITIONS[state, event]
