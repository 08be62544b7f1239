"""The events of a room on their way out: who is sent which, under which policy, and the last wills.

::

    Room.broadcast / Player.send -> frame, once -> the queue of each player that it is for -> behind the next snapshot
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tickwire.player import Player
from tickwire.seat import Seat
from tickwire.translation import Translator
from tickwire_shared.declare import Event
from tickwire_shared.policies import PolicyName, parse_policy
from tickwire_shared.session import SeatState


class EventSender:
    """Queues the events of one room."""

    def __init__(self, translator: Translator, seats: Mapping[int, Seat], too_slow: Callable[[Seat], None]) -> None:
        """Send to ``seats``, as they are at the time; ``too_slow`` is told whose queue overflowed."""
        self._translator = translator
        self._seats = seats
        self._too_slow = too_slow

    def check(self, event: Event) -> None:
        """Make sure that ``event`` can be sent in this room.

        Raises:
            UsageError or ValueRefused: It can't.
        """
        self._translator.event_frame(event)

    def broadcast(
        self,
        event: Event,
        *,
        to: Iterable[Player[Any]] | None = None,
        but: Player[Any] | None = None,
        topic: str | None = None,
        policy: PolicyName | None = None,
    ) -> None:
        """Send ``event`` to all players that have joined, or to some; see ``Room.broadcast``."""
        players = self._joined() if to is None else to
        self.send(event, [player for player in players if player is not but], topic=topic, policy=policy)

    def send(
        self,
        event: Event,
        players: Iterable[Player[Any]],
        *,
        topic: str | None = None,
        policy: PolicyName | None = None,
    ) -> None:
        """Queue ``event`` for those of ``players`` that are connected, and subscribed to ``topic`` if there is one.

        Raises:
            UsageError: The room doesn't list the event, or there is no such policy.
            ValueRefused: A field of the event can't be carried.
        """
        frame = self._translator.event_frame(event)
        chosen = event.policy if policy is None else parse_policy(policy)
        key = (type(event), topic)
        for player in players:
            if topic is not None and topic not in player.topics:
                continue
            seat = self._seats.get(player.id)
            if seat is not None and seat.link is not None and not seat.queue_event(frame, chosen, key):
                self._too_slow(seat)

    def send_will(self, seat: Seat) -> None:
        """Send the others the last will of a player that dropped, if it left one."""
        will = seat.player.last_will
        if will is not None:
            self.broadcast(will.event, topic=will.topic)

    def _joined(self) -> list[Player[Any]]:
        return [seat.player for seat in self._seats.values() if seat.state is not SeatState.RESERVED]
