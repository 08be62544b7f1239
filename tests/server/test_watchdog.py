"""A hook that does not return is named while it doesn't: room, hook, where it is and how long."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import attrs
import pytest
import trio
from structlog.testing import capture_logs

from tickwire.lobby import Lobby
from tickwire.room import Room
from tickwire.watchdog import STUCK_S, Sight, Watchdog, watching
from tickwire_shared.client_messages import Join

ON_TICK = Sight("r1", "arena", "on_tick", 7)


@attrs.define
class Scenery:
    """What the watchdog sees, and what it says of it."""

    sight: Sight | None = None
    dog: Watchdog = attrs.field(init=False)
    now: float = 100.0

    def __attrs_post_init__(self) -> None:
        self.dog = Watchdog(lambda: self.sight, lambda: "game.py:5 in on_tick")

    def pass_(self, seconds: float) -> list[str]:
        with capture_logs() as logs:
            for _ in range(round(seconds / 0.25)):
                self.now += 0.25
                self.dog.check(self.now)
        return [f"{line['event']}: {line['hook']} of {line['room']}, {line['seconds']:g} s" for line in logs]


def test_a_stuck_hook_is_named_at_once_and_then_ever_more_rarely() -> None:
    scenery = Scenery(ON_TICK)
    assert scenery.pass_(STUCK_S) == []
    assert scenery.pass_(8.0) == [f"a hook is stuck: on_tick of r1, {seconds} s" for seconds in (1, 2, 4, 8)]
    scenery.sight = None
    assert scenery.pass_(1.0) == ["the hook went on: on_tick of r1, 9 s"]


def test_hooks_that_return_are_never_named_however_busy_the_room_is() -> None:
    scenery = Scenery()
    for tick in range(40):
        scenery.sight = attrs.evolve(ON_TICK, tick=tick)
        assert scenery.pass_(0.25) == []
    scenery.sight = None
    assert scenery.pass_(10.0) == []


def test_the_next_one_that_is_stuck_is_named_anew() -> None:
    scenery = Scenery(ON_TICK)
    scenery.pass_(3.0)
    scenery.sight = attrs.evolve(ON_TICK, room="r2", hook="on_join")
    said = scenery.pass_(1.5)
    assert said == ["the hook went on: on_tick of r1, 3 s", "a hook is stuck: on_join of r2, 1 s"]


class Sticky(Room[None]):
    """Blocks in the hook that its options name, until it is told to go on."""

    go_on = threading.Event()

    def on_create(self, options: Mapping[str, object]) -> None:
        self.sticks_in = options["in"]
        self.stick("on_create")

    def on_tick(self) -> None:
        self.stick("on_tick")

    def on_dispose(self) -> None:
        self.stick("on_dispose")

    def stick(self, hook: str) -> None:
        if hook == self.sticks_in:
            self.sticks_in = ""
            assert self.go_on.wait(5), "nobody noticed"


@pytest.mark.parametrize("hook", ["on_create", "on_tick", "on_dispose"])
async def test_the_room_and_hook_that_block_the_process_are_in_the_log(hook: str) -> None:
    Sticky.go_on.clear()
    lobby = Lobby([Sticky])

    def look() -> Sight | None:
        sight = lobby.running()
        if any(line["event"] == "a hook is stuck" for line in logs):
            Sticky.go_on.set()
        return sight

    with capture_logs() as logs, watching(look, stuck_s=0.02, look_s=0.01), trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(lobby.run)
            engine = lobby.find(Join("create", "sticky", None, {"in": hook}))
            await engine.begun.wait()
            if hook == "on_dispose":
                lobby.rooms[0].request_end("over")
            while not Sticky.go_on.is_set():  # noqa: ASYNC110 - another thread sets it
                await trio.sleep(0.005)
            nursery.cancel_scope.cancel()
    line = next(line for line in logs if line["event"] == "a hook is stuck")
    assert (line["room"], line["type"], line["hook"]) == (engine.id, "sticky", hook)
    assert " in wait" in line["at"]
    assert line["seconds"] >= 0
