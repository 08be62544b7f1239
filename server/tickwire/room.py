"""``Room``: what a game's author subclasses."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast, get_args, get_origin

from tickwire.input_reader import InputReader
from tickwire.player import LeaveReason, Player
from tickwire.timers import Timer
from tickwire_shared.declare import Entity, EntityT, Event, Input
from tickwire_shared.errors import DeclarationError, UsageError
from tickwire_shared.policies import PolicyName
from tickwire_shared.schema import Schema

if TYPE_CHECKING:
    from tickwire.auth import JoinRequest
    from tickwire.engine import Engine
    from tickwire.past import Past

InputT = TypeVar("InputT")


class Room(Generic[InputT]):
    """One running game. Subclass it as ``Room[YourInput]``, or ``Room[None]`` for a game without inputs.

    All hooks are plain functions, called one after the other and never at the same time. What a hook
    raises ends this room, and no other.

    Class attributes:
        name: The room type's name; the class name in lower case unless given.
        hz: Ticks per second.
        snapshot_every: Ticks per snapshot.
        max_players: Seats; strict.
        grace_s: How long a lost player's seat and entities are kept for it to come back.
        silence_s: A connection of which nothing was heard for so long is dead: its player has dropped.
        entities, events: The replicated classes.
        auto_dispose: End the room when its last player is gone.
        seed: For ``random``; None: a different game each time.
    """

    name: ClassVar[str]
    hz: ClassVar[float] = 20
    snapshot_every: ClassVar[int] = 1
    max_players: ClassVar[int] = 16
    grace_s: ClassVar[float] = 15.0
    silence_s: ClassVar[float] = 15.0
    entities: ClassVar[tuple[type[Entity], ...]] = ()
    events: ClassVar[tuple[type[Event], ...]] = ()
    auto_dispose: ClassVar[bool] = True
    seed: ClassVar[int | None] = None
    schema: ClassVar[Schema]
    input_class: ClassVar[type[Input] | None] = None
    input_reader: ClassVar[InputReader | None] = None

    _engine: Engine | None = None

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Check the declaration and make the schema."""
        super().__init_subclass__(**kwargs)
        cls.name = cls.__dict__.get("name", cls.__name__.lower())
        cls.input_class = _input_class(cls)
        _check(cls, "name", lambda name: isinstance(name, str) and 1 <= len(name) <= 64, "1 to 64 characters")
        _check(cls, "hz", lambda hz: _is_number(hz) and 0 < hz <= 240, "more than 0 and at most 240 ticks a second")
        _check(cls, "grace_s", lambda grace_s: _is_number(grace_s) and grace_s >= 0, "0 or more seconds")
        _check(cls, "silence_s", lambda silence_s: _is_number(silence_s) and silence_s >= 3, "3 or more seconds")
        for attribute in ("snapshot_every", "max_players"):
            _check(cls, attribute, lambda count: type(count) is int and count >= 1, "an int from 1")
        cls.schema = Schema.of(entities=cls.entities, input=cls.input_class, events=cls.events)
        cls.input_reader = None if cls.schema.input is None else InputReader(cls.schema.input)

    # Hooks

    @classmethod
    def on_auth(cls, request: JoinRequest) -> object:
        """Decide whether somebody may join, before a seat is taken or a room made; may be ``async``.

        What it returns becomes ``player.user``. To refuse, raise ``NotAllowed("a sentence for the player")``, or
        return False. What else it raises, or more time than the join may take, ends this join and nothing else. A
        player that comes back after a lost connection is not asked again. Don't block: all rooms would wait.
        """
        return None

    def on_create(self, options: Mapping[str, object]) -> None:
        """The room begins; ``options`` are those of the join that made it."""

    def on_join(self, player: Player[InputT]) -> None:
        """A player has taken a seat."""

    def on_input(self, player: Player[InputT], input: InputT) -> None:
        """The player's input for just this tick has come; see also ``player.input``."""

    def on_event(self, player: Player[InputT], event: Event) -> None:
        """The player sent an event."""

    def on_tick(self) -> None:
        """Move the game on by ``dt``."""

    def on_drop(self, player: Player[InputT]) -> None:
        """The player's connection was lost; it may come back within ``grace_s``."""

    def on_resume(self, player: Player[InputT]) -> None:
        """The player has come back."""

    def on_leave(self, player: Player[InputT], reason: LeaveReason) -> None:
        """The player is gone for good; what it owns is despawned after this. Called for all when the room ends."""

    def on_dispose(self) -> None:
        """The room ends."""

    # What hooks may use

    @property
    def id(self) -> str:
        """The room's id."""
        return self._running.id

    @property
    def tick(self) -> int:
        """The number of this tick (u32)."""
        return self._running.tick

    @property
    def dt(self) -> float:
        """Seconds per tick."""
        return 1.0 / self.hz

    @property
    def random(self) -> random.Random:
        """The room's own random numbers."""
        return self._running.random

    @property
    def players(self) -> tuple[Player[InputT], ...]:
        """All players, also those who are to come back, by id."""
        return cast("tuple[Player[InputT], ...]", self._running.players)

    @property
    def metadata(self) -> dict[str, object]:
        """What the list of rooms shows of this room; JSON."""
        return self._running.metadata

    def spawn(self, entity: EntityT, *, owner: Player[Any] | None = None) -> EntityT:
        """Replicate ``entity`` from this tick on; ``owner`` sees its owner-only fields. Returns it, with its id set."""
        self._running.spawn(entity, owner)
        return entity

    def despawn(self, entity: Entity) -> None:
        """Stop replicating ``entity``; its id becomes 0. Harmless when it is not spawned."""
        self._running.despawn(entity)

    def all(self, cls: type[EntityT]) -> tuple[EntityT, ...]:
        """All entities of a class, by id; spawning and despawning don't change the tuple that you hold."""
        return self._running.store.all(cls)

    def find(self, cls: type[EntityT], ident: int) -> EntityT | None:
        """The entity of a class with this id, or None."""
        return self._running.store.find(cls, ident)

    def seen_by(self, player: Player[Any]) -> Past:
        """Return the world as ``player`` saw it when it gave this tick's input: where to aim, not where things are now.

        A plain value: nothing is moved, so nothing has to be put back. It reaches back as far as the player's
        round trip justifies, and costs nothing in rooms that never ask.

        Raises:
            UsageError: The player has left.
        """
        return self._running.seen_by(player)

    def broadcast(
        self,
        event: Event,
        *,
        to: Iterable[Player[Any]] | None = None,
        but: Player[Any] | None = None,
        topic: str | None = None,
        policy: PolicyName | None = None,
    ) -> None:
        """Send an event to all players, or to some, behind the snapshot of this tick.

        Args:
            event: The event, of a class that the room lists.
            to: Only to these.
            but: Not to this one.
            topic: Only to those who are subscribed to it (`Player.subscribe`).
            policy: What may happen to it where a connection is slow: "must", "latest" (of class and topic), "drop";
                None: as its class says.

        Raises:
            UsageError: The room doesn't list the event, or there is no such policy.
            ValueRefused: A field of the event can't be carried.
        """
        self._running.sender.broadcast(event, to=to, but=but, topic=topic, policy=policy)

    def after(self, ticks: int, call: Callable[[], object]) -> Timer:
        """Call ``call`` once, ``ticks`` ticks from now."""
        self._running.wake()
        return self._running.timers.after(ticks, call)

    def every(self, ticks: int, call: Callable[[], object]) -> Timer:
        """Call ``call`` each ``ticks`` ticks."""
        self._running.wake()
        return self._running.timers.every(ticks, call)

    def rest(self) -> None:
        """Call it in ``on_tick`` when nothing moves: the next ticks are left out until something happens.

        That is a join, a leave, an input other than the neutral one, an event, or a timer that is due; five seconds at
        most. Ticks go on counting, and time in them. A lobby or a game of chess costs nothing between two moves.
        """
        self._running.rest_asked = True

    def close(self, reason: str = "The room is over.") -> None:
        """End the room after this tick; the players see ``reason``."""
        self._running.request_end(reason)

    @property
    def _running(self) -> Engine:
        if self._engine is None:
            raise UsageError(f"{type(self).__name__} is not running yet: use on_create instead of __init__.")
        return self._engine


def _check(cls: type[Room[Any]], attribute: str, is_good: Callable[[Any], bool], remedy: str) -> None:
    value = getattr(cls, attribute)
    if not is_good(value):
        raise DeclarationError(f"{cls.__name__}.{attribute} is {value!r}; use {remedy}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _input_class(cls: type[Room[Any]]) -> type[Input] | None:
    """Find the type argument in ``class Arena(Room[Steer])``, in the nearest class that has one."""
    for base in cls.__mro__:
        for origin in getattr(base, "__orig_bases__", ()):
            arguments = get_args(origin)
            if isinstance(get_origin(origin), type) and issubclass(get_origin(origin), Room) and arguments:
                given = arguments[0]
                if isinstance(given, TypeVar):
                    continue
                if given is type(None):
                    return None
                if not (isinstance(given, type) and issubclass(given, Input)):
                    raise DeclarationError(f"{cls.__name__}: Room[{given!r}] needs an @inputs class, or None.")
                return given
    return None
