"""A player, as a game's author sees it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from tickwire_shared.declare import Entity, Event

InputT = TypeVar("InputT")


class LeaveReason(enum.Enum):
    """Why a player is gone."""

    LEFT = "left"
    LOST = "lost"
    KICKED = "kicked"
    TOO_SLOW = "too slow"
    BAD_MESSAGE = "bad message"
    CLOSING = "room closing"


class PlayerHost(Protocol):
    """What a player needs of its room."""

    def send_to(self, player: Player[Any], event: Event) -> None:
        """Send an event to one player."""
        ...

    def kick(self, player: Player[Any], reason: str) -> None:
        """Remove a player."""
        ...


class Player(Generic[InputT]):
    """One player in a room; it stays the same object when the player's connection is lost and comes back.

    Attributes:
        id: The number of its seat, from 1, never used again in the room.
        options: What the client sent with its join: untrusted.
        input: The command in force this tick: the one for this tick, the last one held, or the neutral one. Read only.
        connected: Whether it has a connection now.
        entities: What it owns, by id; the room keeps it. Read `owned`.
        rtt_s: The round trip as the server measures it, smoothed, in seconds; 0 before the first.
    """

    __slots__ = ("_host", "connected", "entities", "id", "input", "options", "rtt_s")

    def __init__(self, host: PlayerHost, ident: int, options: Mapping[str, object], neutral: InputT) -> None:
        """Made by the room."""
        self._host = host
        self.entities: dict[int, Entity] = {}
        self.id = ident
        self.options = options
        self.input: InputT = neutral
        self.connected = False
        self.rtt_s = 0.0

    def __repr__(self) -> str:
        """Name the seat."""
        return f"<Player {self.id}>"

    @property
    def owned(self) -> tuple[Entity, ...]:
        """The entities spawned for this player, by id; they are despawned after it leaves."""
        return tuple(self.entities.values())

    def option(self, name: str, default: str = "", *, max_length: int = 64) -> str:
        """Return a text option of the join, without control characters and not too long; else ``default``."""
        value = self.options.get(name)
        if not isinstance(value, str):
            return default
        clean = "".join(character for character in value if character.isprintable()).strip()[:max_length]
        return clean.encode("utf-8", "ignore").decode() or default

    def send(self, event: Event) -> None:
        """Send an event to this player alone, behind the snapshot of this tick."""
        self._host.send_to(self, event)

    def kick(self, reason: str) -> None:
        """Remove the player at the end of the tick; ``reason`` is the sentence it sees."""
        self._host.kick(self, reason)
