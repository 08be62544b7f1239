"""A small game to predict: sleds on one line, that are pushed, hop and throw snowballs; and a room that interferes."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final

from tickwire import Entity, Input, Player, Room, angle, entity, flag, inputs, integer, quantized, ref, trigger
from tickwire_client.stepper import StepContext

HZ: Final = 20
THROW_TICKS: Final = 10


@entity(predicted=True)
class Sled(Entity):
    """A player's sled."""

    x: float = quantized(0, 1000, step=1 / 16)
    heading: float = angle(bits=8, default=0.0)
    hops: int = integer(0, 10_000, default=0)
    medals: int = integer(0, 100, default=0)
    speed: float = quantized(-64, 64, step=1 / 64, default=0.0, to="owner")
    reload: int = integer(0, 60, default=0, to="owner")


@entity
class Ball(Entity):
    """A snowball that was thrown."""

    x: float = quantized(0, 1000, step=1 / 16)
    born: int = integer(0, 2**32 - 1)
    by: Sled | None = ref("Sled")


@inputs
class Push(Input):
    """What a player does."""

    push: float = quantized(-1, 1, step=1 / 4, default=0.0)
    throw: bool = flag(default=False)
    hop: bool = trigger(default=False)


def glide(sled: Any, push: Any, dt: float) -> None:
    """One tick of a sled; server and client run it alike."""
    sled.speed = sled.speed * (1 - dt) + push.push * 40 * dt
    sled.x += sled.speed * dt
    sled.heading += push.push * 0.4
    sled.hops += push.hop
    sled.reload = max(0, sled.reload - 1)


class Slope(Room[Push]):
    """Sleds, and whatever a test does to them."""

    name = "slope"
    hz = HZ
    entities = (Sled, Ball)

    def on_create(self, options: Mapping[str, object]) -> None:
        """Nobody interferes yet."""
        self.jam = False

    def on_join(self, player: Player[Push]) -> None:
        """Each player has a sled."""
        self.spawn(Sled(x=500.0), owner=player)

    def on_tick(self) -> None:
        """Move."""
        for player in self.players:
            for sled in player.owned:
                if isinstance(sled, Sled):
                    glide(sled, player.input, self.dt)
                    if player.input.throw and sled.reload == 0 and not self.jam:
                        self.spawn(Ball(x=sled.x, born=self.tick, by=sled))
                        sled.reload = THROW_TICKS

    def sled(self) -> Sled:
        """The first sled."""
        return self.all(Sled)[0]


def step(sled: SimpleNamespace, push: SimpleNamespace, context: StepContext) -> None:
    """The client's twin."""
    glide(sled, push, context.dt)
    if push.hop:
        context.event("hop", height=2)
    if push.throw and sled.reload == 0:
        context.spawn("Ball", x=sled.x, born=context.tick, by=context.entity)
        sled.reload = THROW_TICKS
