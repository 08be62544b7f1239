"""Whatever happens in a room, every client's state equals the server's projection for that client.

Hypothesis writes a story: entities come, change and go, players join, leave, stall, lose their connection and come
back. It runs against a live engine; players follow PROTOCOL.md to the letter (``tests/server/held.py``).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from functools import partial

import attrs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conftest import EXAMPLES
from tests.server.kit import FakePlayer, running, ticks
from tickwire.engine import Engine
from tickwire.player import Player
from tickwire.room import Room
from tickwire.testing import play
from tickwire_shared.declare import (
    Entity,
    Event,
    angle,
    blob,
    choice,
    entity,
    event,
    flag,
    integer,
    packed,
    quantized,
    ref,
    text,
)
from tickwire_shared.event_messages import EventMessage
from tickwire_shared.session import SeatState
from tickwire_shared.wire_values import Wire

MAX_PLAYERS = 5


class Team(enum.Enum):
    RED = 1
    BLUE = 2
    GREEN = 3


@entity
class Ship(Entity):
    x: float = quantized(0, 120, step=1 / 64, default=0.0)
    heading: float = angle(bits=10, default=0.0)
    team: Team = choice(Team, default=Team.BLUE)
    target: Ship | None = ref("Ship", default=None)
    name: str = text(max_bytes=9, default="nobody")
    ammo: int = integer(0, 100, default=10, to="owner")
    note: str = text(max_bytes=9, default="-", to="owner")


@entity
class Rock(Entity):
    far: int = integer(-(1 << 52), 1 << 52, default=-1)
    round: bool = flag(default=True)
    ore: bytes = blob(max_bytes=4, default=b"")
    tags: list[int] = packed(max_bytes=32, factory=list[int])


@entity(predicted=True)
class Pod(Entity):
    x: float = quantized(-5, 5, step=0.25, default=0.0)
    fuel: float = quantized(0, 1, step=0.125, default=1.0, to="owner")


@entity(singleton=True)
class Match(Entity):
    round: int = integer(0, 9, default=1)


@event
class Said(Event):
    number: int = integer(0, 1 << 30)


class Space(Room[None]):
    hz = 20
    max_players = MAX_PLAYERS
    entities = (Ship, Rock, Pod, Match)
    events = (Said,)
    grace_s = 1.0
    auto_dispose = False

    def on_create(self, options: Mapping[str, object]) -> None:
        self.todo: list[Callable[[], object]] = []
        self.match = self.spawn(Match())

    def on_join(self, player: Player[None]) -> None:
        self.spawn(Ship(name=f"p{player.id}"), owner=player)

    def on_tick(self) -> None:
        todo, self.todo = self.todo, []
        for act in todo:
            act()

    def living(self) -> list[Entity]:
        return [*self.all(Ship), *self.all(Rock), *self.all(Pod), *self.all(Match)]


VALUES: dict[str, Callable[[int], object]] = {
    "x": lambda n: n * 0.37,
    "heading": lambda n: n * 0.81,
    "team": lambda n: list(Team)[n % 3],
    "name": lambda n: "Zoë"[: n % 4],
    "ammo": lambda n: 10 + n % 3,
    "note": lambda n: ("-", "é", "longer")[n % 3],
    "far": lambda n: (-1, 0, 1 << 52, -(1 << 52), n)[n % 5],
    "round": lambda n: n % 2,
    "ore": lambda n: bytes(n % 5),
    "tags": lambda n: list(range(n % 6)),
    "fuel": lambda n: n % 9 / 8,
}


@attrs.define
class Story:
    """A running room and its players; the methods are what can happen, with one number to choose by."""

    engine: Engine
    players: list[FakePlayer] = attrs.field(factory=list[FakePlayer])
    said: int = 0

    @property
    def room(self) -> Space:
        assert isinstance(self.engine.room, Space)
        return self.engine.room

    def one(self, number: int, *states: SeatState) -> FakePlayer | None:
        """One of the players whose seat is in one of ``states``."""
        found = [player for player in self.players if player.seat.state in states]
        return found[number % len(found)] if found else None

    def join(self, number: int) -> None:
        if self.engine.seats_taken < MAX_PLAYERS:
            self.players.append(FakePlayer(self.engine, may_follow=number % 4 != 0))

    def leave(self, number: int) -> None:
        player = self.one(number, SeatState.LIVE, SeatState.DROPPED)
        if player is not None and player.seat.link is not None:
            player.leave()
            self.players.remove(player)

    def drop(self, number: int) -> None:
        player = self.one(number, SeatState.LIVE)
        if player is not None and player.welcome is not None:
            player.drop()

    def resume(self, number: int) -> None:
        player = self.one(number, SeatState.DROPPED, SeatState.LIVE)
        if player is not None:
            self.come_back(player)

    def come_back(self, player: FakePlayer) -> None:
        """Resume, unless the player never heard its last token."""
        player.hear()
        if player.welcome is not None and player.seat.token == player.welcome.token:
            player.resume()
        elif player.seat.state is SeatState.DROPPED:
            self.players.remove(player)

    def stall(self, number: int) -> None:
        player = self.one(number, SeatState.LIVE)
        if player is not None:
            player.link.blocked = not player.link.blocked

    def resync(self, number: int) -> None:
        player = self.one(number, SeatState.LIVE)
        if player is not None:
            self.engine.resync(player.seat)

    def spawn(self, number: int) -> None:
        cls = (Ship, Rock, Pod)[number % 3]
        owner = self.one(number // 3, SeatState.LIVE) if number % 4 else None
        born = cls()
        for field in cls.wire_type.fields if number % 5 else ():
            if field.name in VALUES:
                setattr(born, field.name, VALUES[field.name](number))
        self.room.todo.append(partial(self.room.spawn, born, owner=None if owner is None else owner.player))

    def despawn(self, number: int) -> None:
        living = [item for item in self.room.living() if not isinstance(item, Match)]
        if living:
            self.room.todo.append(partial(self.room.despawn, living[number % len(living)]))

    def change(self, number: int) -> None:
        living = self.room.living()
        item = living[number % len(living)]
        fields = [field.name for field in item.wire_type.fields]
        name = fields[number // 7 % len(fields)]
        value = item if name == "target" and number % 2 else None if name == "target" else VALUES[name](number)
        self.room.todo.append(partial(setattr, item, name, value))

    def move_all(self, number: int) -> None:
        def move() -> None:
            for ship in self.room.all(Ship):
                ship.x = ship.x + number % 5 - 2
                ship.heading += number % 7

        self.room.todo.append(move)

    def say(self, number: int) -> None:
        self.said += 1
        self.room.todo.append(partial(self.room.broadcast, Said(number=self.said)))

    def squeeze(self, number: int) -> None:
        """Let the history forget sooner."""
        self.engine.replicator.history.max_bytes = (1, 2000, 1 << 20)[number % 3]

    def check(self) -> None:
        """Compare what each client holds with what the server has for it."""
        for player in self.players:
            player.hear()
            told = player.seat.state is SeatState.LIVE and player.welcome is not None and not player.link.blocked
            if told and player.seat.generation == player.generation:
                assert player.held.public() == self.engine.replicator.state.to_dict()
                assert player.held.secrets() == self.secrets_of(player)

    def secrets_of(self, player: FakePlayer) -> dict[int, dict[str, Wire]]:
        owned = [item.id for item in player.player.owned]
        return {
            ident: {field.name: wire for field, wire in zip(item.private, row, strict=True)}
            for ident, (item, row) in self.engine.store.private_rows(owned).items()
        }


HAPPENINGS = (
    *("join", "leave", "drop", "resume", "stall", "resync", "spawn", "despawn", "move_all", "say", "squeeze"),
    *("change", "change", "change", "resume", "spawn"),
)
stories = st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 999), st.integers(0, 3)), max_size=60)


async def tell(story: list[tuple[str, int, int]]) -> None:
    async with running(Space) as engine:
        told = Story(engine)
        told.join(0)
        await ticks(engine)
        for happening, number, wait in story:
            getattr(told, happening)(number)
            if wait:
                await ticks(engine, wait)
                told.check()
        await finish(told)


async def finish(told: Story) -> None:
    """Let everyone catch up, and compare for the last time."""
    for player in list(told.players):
        player.link.blocked = False
        if player.seat.state is SeatState.DROPPED:
            told.come_back(player)
    await ticks(told.engine, 2)
    assert not told.engine.over
    told.check()
    for player in told.players:
        assert player.held.tick is not None
        numbers = [message.values[0] for message in player.heard(EventMessage)]
        assert numbers == sorted(numbers), "events came out of order"


@settings(max_examples=EXAMPLES or 150)
@given(stories)
@example([("change", 38, 1), ("drop", 0, 0), ("change", 36, 1), ("resume", 0, 2)])
@example([("drop", 0, 1), ("change", 35, 1), ("resume", 0, 1)])
@example([("stall", 0, 0), ("squeeze", 0, 1), ("spawn", 1, 2), ("spawn", 1, 2), ("stall", 0, 1)])
def test_every_client_holds_what_the_server_has_for_it(story: list[tuple[str, int, int]]) -> None:
    play(partial(tell, story))
