"""A seat: what the room's engine knows of one player, whether it is connected or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import attrs

from tickwire.audience import Audience
from tickwire.event_queue import EventQueue, Key
from tickwire.player import Player
from tickwire.viewing import Viewing
from tickwire_shared.declare import Entity
from tickwire_shared.policies import Policy
from tickwire_shared.session import SeatEvent, SeatState, next_seat_state
from tickwire_shared.wire_values import Wire

MAX_CLIENT_EVENTS: Final = 32
"""Events that one player may send between two ticks; more close the connection."""


class Line(Protocol):
    """Where a room's frames for one player go."""

    def post(self, frames: bytes) -> bool:
        """Take whole frames over, or return False and take nothing."""
        ...

    def follow(self, stand_apart: Callable[[], None]) -> int:
        """Return a file number that the outbox may be given frames for instead; -1 if there is none.

        That holds until `unfollow`, or until the line calls ``stand_apart``.
        """
        ...

    def unfollow(self) -> None:
        """Say that frames are posted again from now on."""
        ...


class Link(Protocol):
    """What a room sees of a connection."""

    @property
    def blocked(self) -> bool:
        """Whether a write would be refused now."""
        ...

    @property
    def line(self) -> Line:
        """Where frames go."""
        ...

    @property
    def last_heard(self) -> float:
        """``trio.current_time()`` of the last bytes that came."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Start closing; returns at once, and may be called more than once."""
        ...

    def admitted(self) -> None:
        """Say that the join was accepted."""
        ...


@attrs.define(eq=False)
class Seat:
    """One player's place in a room.

    Attributes:
        generation: Goes up with each connection; what an older connection says is ignored.
        version: The version of the state that the client holds; None: nothing, so a full snapshot is due. Of one that
            follows, the audience knows it.
        heard_tick: The last tick that a snapshot told the client; see ``version``.
        token: What the player comes back with.
        used_token: What it came back with, until it is known to have ``token``.
        confirmed: Whether anything was ever heard of the player behind its WELCOME.
        audience: Where it is while it has a connection.
        column: Where the player's inputs are on the board; 0 before the first one.
        place: Its place among those who follow there; -1: it stands apart.
        line: That of the connection; None while there is none.
        control: Frames that go out before the next snapshot, the newest about each thing.
        events: What goes out behind it.
        own: Whether something waits that is for this player alone.
        events_waiting: Events from the client that the room has not been given yet.
        private_sent: The private values that the client holds, by entity id; others have their defaults.
        private_unsure: Whether it may hold further ones: nobody knows what an old connection still delivered.
        resync_from: When the client may have another full snapshot that it asks for.
        viewing: How far in the past the player sees the world.
    """

    player: Player[Any]
    audience: Audience
    link: Link | None
    state: SeatState = SeatState.RESERVED
    generation: int = 0
    token: str = ""
    used_token: str | None = None
    confirmed: bool = False
    version: int | None = None
    heard_tick: int = 0
    owned: dict[int, Entity] = attrs.field(factory=dict[int, Entity])
    owned_changed: bool = True
    private_unsure: bool = False
    private_sent: dict[int, tuple[Wire, ...]] = attrs.field(factory=dict[int, tuple[Wire, ...]])
    place: int = -1
    column: int = 0
    line: Line | None = None
    control: dict[str, bytes] = attrs.field(factory=dict[str, bytes])
    events: EventQueue = attrs.field(factory=EventQueue)
    own: bool = True
    events_waiting: int = 0
    drop_at: float = 0.0
    resync_from: float = 0.0
    news_sent: tuple[int, int, int] | None = None
    drop_told: bool = False
    viewing: Viewing = attrs.field(factory=Viewing)

    def advance(self, event: SeatEvent) -> None:
        """Go to the next state of the seat."""
        self.state = next_seat_state(self.state, event)

    def attach(self, link: Link) -> None:
        """Give the seat a connection: everything older is void."""
        self.advance(SeatEvent.ATTACH)
        self.generation += 1
        self.audience.leave(self)
        self.link, self.line = link, link.line
        self.audience.enter(self)
        self.control.clear()
        self.forget_private()
        self.private_unsure = True
        self.news_sent = None

    def detach(self) -> None:
        """Take the connection away."""
        self.audience.leave(self)
        self.link = self.line = None
        self.version = None

    def cut(self, line: Line) -> None:
        """Send nothing more over the connection, but to ``line``."""
        self.stand_apart()
        self.line = line

    def stand_apart(self) -> None:
        """Be looked at alone at the next flush."""
        self.audience.set_apart(self)

    def hold_nothing(self) -> None:
        """Get a full snapshot next, and all private values."""
        self.forget_private()
        self.version = None

    def forget_private(self) -> None:
        """Send all private values and owned ids anew."""
        self._want()
        self.owned_changed = True
        self.private_sent = {}

    def _want(self) -> None:
        """Have something of its own that waits."""
        self.own = True
        self.stand_apart()

    def say(self, about: str, frame: bytes) -> None:
        """Send ``frame`` before the next snapshot, in place of what waits about the same thing."""
        self._want()
        self.control[about] = frame

    def own_more(self, entity: Entity) -> None:
        """Give the player an entity."""
        self._want()
        self.owned_changed = True
        self.owned[entity.id] = entity

    def own_less(self, ident: int) -> None:
        """Take an entity from the player."""
        self._want()
        self.owned_changed = True
        del self.owned[ident]

    def queue_event(self, frame: bytes, policy: Policy, key: Key) -> bool:
        """Queue an event's frame (see `EventQueue.put`); False when the connection is too slow for it."""
        self._want()
        return self.events.put(frame, policy, key, blocked=self.link is not None and self.link.blocked)

    def take_queued(self, before: bytes, behind: bytes) -> bytes:
        """Return what waits, around ``before``: control frames, ``before``, events, ``behind``; and forget it."""
        self.own = False
        frames = b"".join([*self.control.values(), before, *self.events.take(), behind])
        self.control.clear()
        return frames
