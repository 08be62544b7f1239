"""The seats of one room: who may have one, and which are kept for who asked over HTTP and is still to come.

A seat that is kept (`matchmaking`) is taken as far as ``max_players`` goes. The time to come for it is counted in ticks
that the room has run: a server that was stalled, or is still busy making the room, could not have taken the player,
so that this is not held against it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs

from tickwire.player import Player
from tickwire.seat import Seat
from tickwire.timers import Timer
from tickwire.translation import Translator
from tickwire_shared.closing import CloseCode
from tickwire_shared.declare import Input
from tickwire_shared.errors import ProtocolError

if TYPE_CHECKING:
    from tickwire.engine import Engine

KEEP_S: Final = 15.0
"""How long a seat is kept: for loading a page over a slow line, and no longer than a lost player's seat."""

TOKEN_BYTES: Final = 18
"""144 random bits: not to be guessed."""


@attrs.define
class Seating:
    """Gives seats; the room alone touches it.

    Attributes:
        given: Seats that were ever given.
    """

    _engine: Engine
    _seats: dict[int, Seat]
    _translator: Translator
    _free: Callable[[Seat], None]
    given: int = attrs.field(init=False, default=0)
    _kept: dict[str, tuple[Seat, Timer]] = attrs.field(init=False, factory=dict[str, tuple[Seat, Timer]])

    @property
    def kept(self) -> int:
        """How many seats are kept."""
        return len(self._kept)

    @property
    def accepting(self) -> bool:
        """Whether a join could succeed now."""
        engine = self._engine
        return not engine.over and engine.ladder.admits and len(self._seats) < engine.room_type.max_players

    @property
    def queue_bytes(self) -> int:
        """Events that wait to be sent."""
        return sum(seat.events.size_bytes for seat in self._seats.values())

    def take(self, options: Mapping[str, object]) -> Seat:
        """Give a free seat.

        Raises:
            ProtocolError: No seat is free, the room is overloaded, or it ends.
        """
        engine, room = self._engine, self._engine.room_type
        if engine.over:
            raise ProtocolError("The room is over.", CloseCode.ROOM_OVER)
        if not engine.ladder.admits:
            raise ProtocolError("The room is overloaded: come back in a few seconds.", CloseCode.SERVER_FULL)
        if len(self._seats) >= room.max_players:
            raise ProtocolError(f"The room is full: all {room.max_players} seats are taken.", CloseCode.ROOM_FULL)
        self.given += 1
        player: Player[Any] = Player(engine, self.given, options, self._neutral_input())
        seat = Seat(player, engine.replicator.audience, None, owned=player.entities)
        seat.generation = 1
        self._seats[player.id] = seat
        return seat

    def keep(self, options: Mapping[str, object], keep_s: float = KEEP_S) -> tuple[Seat, str]:
        """Keep a free seat.

        Returns:
            The seat, and the token to `claim` it with.

        Raises:
            ProtocolError: As `take` does.
        """
        seat = self.take(options)
        self._engine.wake()  # a room at rest counts its ticks late
        token = secrets.token_urlsafe(TOKEN_BYTES)
        ticks = max(1, round(keep_s * self._engine.room_type.hz))
        self._kept[token] = seat, self._engine.timers.after(ticks, partial(self._expire, token))
        return seat, token

    def claim(self, token: str, options: Mapping[str, object]) -> Seat:
        """Give the seat that is kept for this token; what was said when it was reserved outdoes ``options``.

        Raises:
            ProtocolError: There is none.
        """
        kept = self._kept.pop(token, None)
        if kept is None:
            reason = "The reservation has been used or has expired: ask for another."
            raise ProtocolError(reason, CloseCode.RESUME_FAILED)
        seat, timer = kept
        timer.cancel()
        seat.player.options = {**options, **seat.player.options}
        return seat

    def _neutral_input(self) -> Input | None:
        reader = self._engine.room_type.input_reader
        return None if reader is None else self._translator.make_input(reader.neutral)

    def _expire(self, token: str) -> None:
        seat, _ = self._kept.pop(token)
        self._free(seat)
