"""A small game that uses every kind of field, for the client's tests."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from tickwire import (
    Entity,
    Event,
    Input,
    Player,
    Room,
    angle,
    blob,
    choice,
    entity,
    event,
    flag,
    inputs,
    integer,
    packed,
    quantized,
    ref,
    text,
    trigger,
)


class Wool(enum.Enum):
    """What a sheep looks like."""

    WHITE = "white"
    BLACK = "black"


@entity
class Sheep(Entity):
    """Belongs to a player."""

    x: float = quantized(0, 100, step=0.5)
    facing: float = angle(bits=8, default=0.0)
    jumps: int = integer(0, 1000, default=0)
    awake: bool = flag(default=True)
    wool: Wool = choice(Wool, default=Wool.WHITE)
    follows: Sheep | None = ref("Sheep", default=None)
    name: str = text(max_bytes=16, default="")
    mark: bytes = blob(max_bytes=4, default=b"")
    bag: list[str] = packed(max_bytes=32, factory=list[str])
    hunger: int = integer(0, 9, default=3, to="owner")


@entity(singleton=True)
class Weather(Entity):
    """One for the whole meadow."""

    rain: int = integer(0, 100, default=0)


@inputs
class Walk(Input):
    """How a sheep moves."""

    pace: float = quantized(-1, 1, step=0.5, default=0.0)
    graze: bool = flag(default=False)
    jump: bool = trigger(default=False)


@event(client=True)
class Bleat(Event):
    """A sheep says something."""

    by: Sheep | None = ref("Sheep", default=None)
    words: str = text(max_bytes=32, default="")


@event
class Thunder(Event):
    """Only the sky says this."""

    volume: int = integer(0, 10, default=0)


class Meadow(Room[Walk]):
    """Sheep walk, jump and bleat."""

    name = "meadow"
    hz = 20
    max_players = 4
    entities = (Sheep, Weather)
    events = (Bleat, Thunder)

    def on_create(self, options: Mapping[str, object]) -> None:
        """Make the weather."""
        self.weather = self.spawn(Weather())
        self.walked: list[tuple[int, int, Walk]] = []

    def on_join(self, player: Player[Walk]) -> None:
        """Each player has a sheep."""
        self.spawn(Sheep(x=50.0, name=str(player.options.get("name", ""))), owner=player)

    def on_input(self, player: Player[Walk], input: Walk) -> None:
        """Keep what came for which tick."""
        self.walked.append((player.id, self.tick, input))

    def on_event(self, player: Player[Walk], event: Event) -> None:
        """Pass a bleat on, with the sheep that it is of."""
        if isinstance(event, Bleat):
            sheep = self.sheep_of(player)
            self.broadcast(Bleat(by=sheep, words=event.words))

    def on_tick(self) -> None:
        """Move."""
        for player in self.players:
            sheep = self.sheep_of(player)
            sheep.x += player.input.pace
            sheep.hunger = 0 if player.input.graze else sheep.hunger
            sheep.jumps += player.input.jump

    def sheep_of(self, player: Player[Walk]) -> Sheep:
        """A player's sheep."""
        return next(entity for entity in player.owned if isinstance(entity, Sheep))
