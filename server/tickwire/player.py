"""A player, as a game's author sees it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any, Final, Generic, Protocol, TypeVar

import attrs

from tickwire_shared.declare import Entity, Event
from tickwire_shared.errors import UsageError
from tickwire_shared.policies import PolicyName
from tickwire_shared.quoting import quote

InputT = TypeVar("InputT")

MAX_NAME_LENGTH: Final = 64
"""Characters, unless the server is told otherwise."""


class LeaveReason(enum.Enum):
    """Why a player is gone."""

    LEFT = "left"
    LOST = "lost"
    KICKED = "kicked"
    TOO_SLOW = "too slow"
    BAD_MESSAGE = "bad message"
    CLOSING = "room closing"


UNEXPECTED: Final = frozenset((LeaveReason.LOST, LeaveReason.TOO_SLOW, LeaveReason.BAD_MESSAGE))
"""The ways to go in which a player's last will is sent."""

MAX_TOPICS: Final = 64
"""Topics that one player may be subscribed to."""

MAX_TOPIC_LENGTH: Final = 64


@attrs.frozen
class Will:
    """What is sent when a player drops: an event, to the subscribers of a topic or (None) to all."""

    event: Event
    topic: str | None


class PlayerSender(Protocol):
    """What a player needs of its room to be sent events."""

    def send(self, event: Event, players: Iterable[Player[Any]], *, policy: PolicyName | None = None) -> None:
        """Send an event to ``players``."""
        ...

    def check(self, event: Event) -> None:
        """Raise what sending the event would."""
        ...


class PlayerHost(Protocol):
    """What a player needs of its room."""

    @property
    def sender(self) -> PlayerSender:
        """What sends events."""
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
        user: What ``Room.on_auth`` returned.
        claims: What its signed token says: trusted; empty without ``--token-key``.
        connected: Whether it has a connection now.
        entities: What it owns, by id; the room keeps it. Read `owned`.
        topics: What it is subscribed to.
        last_will: What the others are sent when its connection is lost; see `set_will`.
        name_length: How long a text option may be, unless the game says how long.
        rtt_s: The round trip as the server measures it, smoothed, in seconds; 0 before the first.
    """

    __slots__ = (
        "_host",
        "claims",
        "connected",
        "entities",
        "id",
        "input",
        "last_will",
        "name_length",
        "options",
        "rtt_s",
        "topics",
        "user",
    )

    def __init__(self, host: PlayerHost, ident: int, options: Mapping[str, object], neutral: InputT) -> None:
        """Made by the room."""
        self._host = host
        self.entities: dict[int, Entity] = {}
        self.id = ident
        self.options = options
        self.input: InputT = neutral
        self.connected = False
        self.rtt_s = 0.0
        self.topics: set[str] = set()
        self.last_will: Will | None = None
        self.user: Any = None
        self.claims: Mapping[str, object] = {}
        self.name_length = MAX_NAME_LENGTH

    def __repr__(self) -> str:
        """Name the seat."""
        return f"<Player {self.id}>"

    @property
    def owned(self) -> tuple[Entity, ...]:
        """The entities spawned for this player, by id; they are despawned after it leaves."""
        return tuple(self.entities.values())

    def option(self, name: str, default: str = "", *, max_length: int | None = None) -> str:
        """Return a text option of the join, without control characters and not too long; else ``default``.

        ``max_length`` is in characters; the server's limit for names unless given.
        """
        value = self.options.get(name)
        if not isinstance(value, str):
            return default
        most = self.name_length if max_length is None else max_length
        clean = "".join(character for character in value if character.isprintable()).strip()[:most]
        return clean.encode("utf-8", "ignore").decode() or default

    def send(self, event: Event, *, policy: PolicyName | None = None) -> None:
        """Send an event to this player alone, behind the snapshot of this tick; ``policy`` None: as its class says."""
        self._host.sender.send(event, (self,), policy=policy)

    def subscribe(self, topic: str) -> None:
        """Let the player be sent what is broadcast on ``topic``, from now on until it leaves; again is harmless.

        Raises:
            UsageError: No topic is called that, or the player has too many.
        """
        if not 1 <= len(topic) <= MAX_TOPIC_LENGTH:
            raise UsageError(f"The topic {quote(topic)} needs 1 to {MAX_TOPIC_LENGTH} characters.")
        if len(self.topics) >= MAX_TOPICS and topic not in self.topics:
            raise UsageError(f"{self!r} has {MAX_TOPICS} topics already; unsubscribe from one before {quote(topic)}.")
        self.topics.add(topic)

    def unsubscribe(self, topic: str) -> None:
        """End a subscription; harmless when there is none."""
        self.topics.discard(topic)

    def set_will(self, event: Event | None, *, topic: str | None = None) -> None:
        """Leave a last will: what the others are sent each time this player drops unexpectedly; None: nothing.

        It is sent right before ``on_drop`` (or before ``on_leave``, when the seat isn't kept), with the values that
        the event has then; not when the player leaves, is kicked, or the room ends.

        Args:
            event: The event, of a class that the room lists.
            topic: Send it to the subscribers of this topic alone.

        Raises:
            UsageError: The room doesn't list the event.
            ValueRefused: A field of it can't be carried.
        """
        if event is not None:
            self._host.sender.check(event)
        self.last_will = None if event is None else Will(event, topic)

    def kick(self, reason: str) -> None:
        """Remove the player at the end of the tick; ``reason`` is the sentence it sees."""
        self._host.kick(self, reason)
