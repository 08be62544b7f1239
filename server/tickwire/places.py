"""Which token gives a player which place back, after its connection was lost.

A token is used up by coming back with it, but not before it is known that the next one arrived: when the connection
breaks between the server's answer and the client's ear, the client has only the old one to come back with.
"""

from __future__ import annotations

import secrets
from typing import Final

import attrs

from tickwire.seat import Seat

TOKEN_BYTES: Final = 18
"""144 random bits: not to be guessed, and 24 characters."""


@attrs.define
class Places:
    """The tokens of one room's seats: each seat has a new one, and until that was heard of the one before."""

    _seats: dict[str, Seat] = attrs.field(init=False, factory=dict[str, Seat])

    def __len__(self) -> int:
        """How many tokens are good."""
        return len(self._seats)

    def seat_of(self, token: str) -> Seat | None:
        """Return the seat that ``token`` is good for."""
        return self._seats.get(token)

    def renew(self, seat: Seat, used: str | None = None) -> None:
        """Give the seat another token; ``used``, with which its player came back, stays good until `confirm`."""
        self.forget(seat)
        seat.token, seat.used_token = secrets.token_urlsafe(TOKEN_BYTES), used
        self._seats[seat.token] = seat
        if used is not None:
            self._seats[used] = seat

    def confirm(self, seat: Seat) -> None:
        """Take note that the player has its newest token."""
        if seat.used_token is not None:
            self._seats.pop(seat.used_token, None)
            seat.used_token = None

    def forget(self, seat: Seat) -> None:
        """Let no token lead to the seat any more."""
        self.confirm(seat)
        self._seats.pop(seat.token, None)

    def clear(self) -> None:
        """Let no token lead to any seat."""
        self._seats.clear()
