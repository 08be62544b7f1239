"""Faults of a game: each hook may raise; that ends its room, with a report, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import structlog
import trio
from trio.testing import MockClock

from tests.client.meadow import Meadow, Walk
from tests.server.frames import Op
from tests.server.raw_client import Closed, RawClient
from tests.server.scene import Scene, Watched
from tickwire.player import LeaveReason, Player
from tickwire.room import Room
from tickwire.testing import World
from tickwire_shared.client_messages import (
    Join,
    Resume,
    build_input,
    build_join,
    build_leave,
    build_resume,
)
from tickwire_shared.closing import CloseCode
from tickwire_shared.declare import Event
from tickwire_shared.errors import JoinRefused
from tickwire_shared.event_messages import build_event
from tickwire_shared.server_messages import ServerMessage, Welcome, parse_server


class Unlucky(Meadow):
    """Fails where the options of its first join say."""

    name = "unlucky"
    grace_s = 1.0

    def __init__(self) -> None:
        self.fail_in: object = None

    def on_create(self, options: Mapping[str, object]) -> None:
        super().on_create(options)
        self.fail_in = options.get("fail_in")
        self.fail("on_create")
        self.after(3, lambda: self.fail("a timer"))

    def on_join(self, player: Player[Walk]) -> None:
        super().on_join(player)
        self.fail("on_join")

    def on_input(self, player: Player[Walk], input: Walk) -> None:
        self.fail("on_input")

    def on_event(self, player: Player[Walk], event: Event) -> None:
        self.fail("on_event")

    def on_tick(self) -> None:
        super().on_tick()
        if self.tick == 3:
            self.fail("on_tick")
        if self.tick == 3 and self.fail_in == "the commit":
            self.weather.rain = "cats and dogs"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]

    def on_drop(self, player: Player[Walk]) -> None:
        self.fail("on_drop")

    def on_resume(self, player: Player[Walk]) -> None:
        self.fail("on_resume")

    def on_leave(self, player: Player[Walk], reason: LeaveReason) -> None:
        self.fail("on_leave")

    def on_dispose(self) -> None:
        self.fail("on_dispose")

    def fail(self, hook: str) -> None:
        if self.fail_in == hook:
            raise RuntimeError(f"bad luck in {hook}")


HOOKS = [f"on_{hook}" for hook in ("create", "join", "input", "event", "tick", "drop", "resume", "leave", "dispose")]


@pytest.mark.parametrize("hook", [*HOOKS, "a timer", "the commit"])
async def test_a_fault_in_a_hook_ends_that_room_alone_and_is_reported_with_room_tick_and_hook(
    autojump_clock: MockClock, hook: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        async with World(Unlucky, Watched) as world:
            played = Scene(world, await world.join("meadow"))
            client, welcome = await unlucky(world, hook)
            if hook not in ("on_create", "on_join"):
                assert isinstance(welcome, Welcome)
                await provoke(world, client, welcome, hook)
            await trio.sleep(Unlucky.grace_s + 1)
            await played.assert_unharmed()
            assert [room.name for room in world.rooms] == ["meadow"]
            assert isinstance((await unlucky(world, ""))[1], Welcome), "the next one may have more luck"
    (report,) = [entry for entry in logs if entry["event"] == "room failed"]
    created = [entry["room"] for entry in logs if entry["event"] == "room created" and entry["type"] == "unlucky"]
    assert (report["room"], report["type"], report["hook"]) == (created[0], "unlucky", hook)
    assert report["tick"] >= (hook != "on_create")
    assert isinstance(report["exc_info"], Exception)


async def unlucky(world: World, hook: str) -> tuple[RawClient, ServerMessage | Closed]:
    """Join a room that is going to fail, and return the answer."""
    client = RawClient(world.open_stream())
    await client.open()
    await client.send(build_join(Join("join_or_create", "unlucky", None, {"fail_in": hook})))
    said = await client.next()
    if said.op is Op.CLOSE:
        return client, Closed(said.close_code, said.close_reason)
    return client, parse_server(said.payload)


async def provoke(world: World, client: RawClient, welcome: Welcome, hook: str) -> None:
    """Do what makes the room run a hook; whoever is still there is told that it failed."""
    match hook:
        case "on_input":
            await client.send(build_input(welcome.tick + 2, [2, 0, 0]))
        case "on_event":
            await client.send(build_event(0, [0, b"hi"]))
        case "on_leave" | "on_dispose":
            await client.send(build_leave())
            assert (await client.closed()).code == CloseCode.LEFT
            return
        case "on_drop" | "on_resume":
            await trio.aclose_forcefully(client.stream)
            if hook == "on_drop":
                return
            await trio.sleep(0.3)
            client = RawClient(world.open_stream())
            await client.open()
            await client.send(build_resume(Resume(welcome.room, welcome.token, welcome.tick)))
        case _:
            pass
    assert (await client.closed()).code == CloseCode.ROOM_FAILED


async def test_a_room_that_can_not_even_be_made_ends_the_join_and_is_reported(autojump_clock: MockClock) -> None:
    class Broken(Room[None]):
        def __init__(self) -> None:
            raise RuntimeError("bad luck")

    with structlog.testing.capture_logs() as logs:
        async with World(Broken, Watched) as world:
            played = Scene(world, await world.join("meadow"))
            with pytest.raises(JoinRefused) as refused:
                await world.join("broken")
            assert (refused.value.code, refused.value.reason) == (CloseCode.ROOM_FAILED, "The game failed in __init__.")
            await played.assert_unharmed()
    (report,) = [entry for entry in logs if entry["event"] == "room failed"]
    assert (report["type"], report["tick"], report["hook"]) == ("broken", 0, "__init__")
