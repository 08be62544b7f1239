"""A room that writes down what happens to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tickwire.engine import Engine
from tickwire.player import LeaveReason, Player
from tickwire.room import Room
from tickwire_shared.declare import (
    Entity,
    Event,
    Input,
    entity,
    event,
    flag,
    inputs,
    integer,
    quantized,
    ref,
    text,
    trigger,
)

HZ = 20


@entity
class Ship(Entity):
    x: float = quantized(0, 100, step=1 / 64, default=0.0)


@event(client=True)
class Say(Event):
    what: str = text(max_bytes=9)
    to: Ship | None = ref("Ship")


@event
class Hit(Event):
    damage: int = integer(0, 9)


@event
class Unlisted(Event):
    pass


@inputs
class Steer(Input):
    turn: int = integer(-1, 1, default=0)
    thrust: bool = flag(default=False)
    fire: bool = trigger(default=False)


class Logged(Room[Steer]):
    """Writes down what happens to it."""

    hz = HZ
    max_players = 3
    grace_s = 2.0
    entities = (Ship,)
    events = (Say, Hit)
    seed = 7

    def on_create(self, options: Mapping[str, object]) -> None:
        self.log: list[str] = []
        self.said: list[Say] = []
        self.fail_in = options.get("fail_in")
        self.todo: list[Callable[[], object]] = []
        self.note("create")

    def on_join(self, player: Player[Steer]) -> None:
        self.note("join", player)
        self.spawn(Ship(), owner=player)

    def on_input(self, player: Player[Steer], input: Steer) -> None:
        self.note(f"input {input.turn}", player)

    def on_event(self, player: Player[Steer], event: Event) -> None:
        assert isinstance(event, Say)
        self.said.append(event)
        self.note(f"event {event.what}", player)

    def on_tick(self) -> None:
        todo, self.todo = self.todo, []
        for act in todo:
            act()
        self.note("tick", quiet=True)

    def on_drop(self, player: Player[Steer]) -> None:
        self.note("drop", player)

    def on_resume(self, player: Player[Steer]) -> None:
        self.note("resume", player)

    def on_leave(self, player: Player[Steer], reason: LeaveReason) -> None:
        self.note(f"leave {reason.value}", player)

    def on_dispose(self) -> None:
        self.note("dispose")

    def note(self, what: str, player: Player[Steer] | None = None, *, quiet: bool = False) -> None:
        if not quiet:
            self.log.append(what if player is None else f"{what} {player.id}")
        if self.fail_in == what:
            raise RuntimeError(f"bad luck in {what}")


def room_of(engine: Engine) -> Logged:
    assert isinstance(engine.room, Logged)
    return engine.room
