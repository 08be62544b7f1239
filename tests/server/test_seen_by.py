"""What a player saw: the past of a room, asked for in its hooks."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import pi, tau
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from tests.server.kit import FakePlayer, running, ticks
from tickwire.engine import Engine
from tickwire.past import Past
from tickwire.player import Player
from tickwire.room import Room
from tickwire.round_trip import RoundTrip
from tickwire_shared.client_messages import VIEW_STEPS
from tickwire_shared.declare import Entity, Input, angle, entity, flag, inputs, integer, packed, quantized, ref, text
from tickwire_shared.errors import UsageError

README = Path(__file__).resolve().parents[2] / "README.md"
HZ = 20
SLOW_S = 0.4
"""A round trip that justifies a view 14 ticks and more in the past."""


@inputs
class Steer(Input):
    fire: bool = flag(default=False)


@entity
class Ship(Entity):
    x: float = quantized(0, 800, step=1 / 64, default=0.0)
    heading: float = angle(bits=10, default=0.0)
    hp: int = integer(0, 100, default=100)
    name: str = text(max_bytes=9, default="")
    tags: list[int] = packed(max_bytes=9, factory=list[int])
    target: Ship | None = ref("Ship", default=None)
    fuel: float = quantized(0, 9, step=1, default=9.0, to="owner")
    cooldown: int = 3

    def nose(self) -> float:
        return self.x + 1


@entity
class Rock(Entity):
    pass


class Sea(Room[Steer]):
    """``script`` runs in each tick; what ``ask`` returns is noted."""

    hz = HZ
    entities = (Ship, Rock)
    auto_dispose = False

    script: Callable[[int], object] | None = None
    ask: Callable[[], Any] | None = None
    answer: Any = None

    def on_tick(self) -> None:
        if self.script is not None:
            self.script(self.tick)
        if self.ask is not None:
            self.answer = self.ask()


class Thrifty(Sea):
    snapshot_every = 3


def sea(engine: Engine) -> Sea:
    assert isinstance(engine.room, Sea)
    return engine.room


def slow_line() -> RoundTrip:
    trip = RoundTrip()
    trip.asked(1000.0)
    assert trip.answered(1000.0, 1000.0 + SLOW_S * 1000)
    return trip


def claim(player: FakePlayer, delay_ticks: float, trip: RoundTrip | None = None) -> None:
    player.engine.put_view(player.seat, round(delay_ticks * VIEW_STEPS), trip or slow_line())


async def asked(engine: Engine, ask: Callable[[], Any]) -> Any:
    """What ``ask`` returns in the next tick."""
    sea(engine).ask = ask
    await ticks(engine)
    return sea(engine).answer


async def seen(engine: Engine, player: Player[Any]) -> Past:
    past: Past = await asked(engine, lambda: engine.room.seen_by(player))
    return past


async def test_positions_are_those_of_the_tick_and_fraction_that_the_player_saw(autojump_clock: MockClock) -> None:
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        room = sea(engine)
        ship = room.spawn(Ship())
        room.script = lambda tick: setattr(ship, "x", 10.0 * tick)
        await ticks(engine, 12)
        claim(ada, 5.25)
        past = await seen(engine, ada.player)
        assert past.tick == engine.tick - 5.25
        assert past.ticks_before(engine.tick) == 5.25
        assert [then.x for then in past.all(Ship)] == [10 * past.tick]
        assert ship.x == 10 * engine.tick


async def test_a_player_that_tells_nothing_saw_the_last_commit(autojump_clock: MockClock) -> None:
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        await ticks(engine, 3)
        assert (await seen(engine, ada.player)).tick == engine.tick - 1


async def test_what_did_not_exist_then_is_absent_and_what_is_gone_is_there(autojump_clock: MockClock) -> None:
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        room = sea(engine)
        old, rock = room.spawn(Ship(name="old")), room.spawn(Rock())
        ident = old.id
        await ticks(engine, 6)
        room.despawn(old)
        new = room.spawn(Ship(name="new"))
        await ticks(engine, 1)
        claim(ada, 3)
        past = await seen(engine, ada.player)
        assert [then.name for then in past.all(Ship)] == ["old"]
        assert past.get(new) is None
        assert past.find(Ship, new.id) is None
        assert past.get(old) is None, "an entity that is not spawned has no id"
        found = past.find(Ship, ident)
        assert found is not None
        assert found.name == "old"
        assert past.get(rock) is not None
        assert past.find(Ship, rock.id) is None
        with pytest.raises(UsageError, match=r"Other is not among the room's entities \(Ship, Rock\)"):
            past.all(Other)


@entity
class Other(Entity):
    pass


async def test_everything_but_floats_and_angles_stays_until_the_later_tick(autojump_clock: MockClock) -> None:
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        room = sea(engine)
        first, second = room.spawn(Ship(name="a", tags=[1])), room.spawn(Ship())
        first.target = second
        await ticks(engine, 4)
        first.x, first.heading, first.hp, first.name, first.tags, first.target = 64.0, pi / 2, 50, "b", [2], None
        await ticks(engine, 1)
        claim(ada, 1.75)
        past = await seen(engine, ada.player)
        then = past.get(first)
        assert then is not None
        assert (then.x, then.heading) == (16.0, pi / 8)
        assert (then.hp, then.name, then.tags) == (100, "a", [1])
        assert then.target is not None
        assert (then.target.id, then.target.x) == (second.id, 0.0)
        assert isinstance(then, Ship)
        assert then.nose() == 17.0, "the class's own methods see the past values"


@pytest.mark.parametrize("before, after", [(0.1, 6.2), (6.2, 0.1), (3.0, 3.2)])
async def test_angles_go_the_short_way_round(before: float, after: float, autojump_clock: MockClock) -> None:
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        room = sea(engine)
        ship = room.spawn(Ship(heading=before))
        await ticks(engine, 4)
        ship.heading = after
        await ticks(engine, 1)
        claim(ada, 1.5)
        then = (await seen(engine, ada.player)).get(ship)
        assert then is not None
        short = ((after - before + pi) % tau - pi) / 2
        assert then.heading == pytest.approx((before + short) % tau, abs=tau / 1024)


@pytest.mark.parametrize("moved, drawn", [(100.0, 50.0), (100.5, 0.0)])
async def test_who_moved_too_far_was_put_there_and_is_not_drawn_in_between(
    moved: float, drawn: float, autojump_clock: MockClock
) -> None:
    """The limit is an eighth of the field's range, as in the SDK."""
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        room = sea(engine)
        ship = room.spawn(Ship())
        await ticks(engine, 4)
        ship.x = moved
        await ticks(engine, 1)
        claim(ada, 1.5)
        then = (await seen(engine, ada.player)).get(ship)
        assert then is not None
        assert then.x == drawn


async def test_in_a_room_with_fewer_snapshots_players_see_what_is_between_two_snapshots(
    autojump_clock: MockClock,
) -> None:
    async with running(Thrifty) as engine:
        ada = FakePlayer(engine)
        room = sea(engine)
        ship = room.spawn(Ship())
        room.script = lambda tick: setattr(ship, "x", float(tick * tick))
        await ticks(engine, 13)
        claim(ada, 6.5)
        past = await seen(engine, ada.player)
        then = past.get(ship)
        assert then is not None
        assert (engine.tick, past.tick) == (14, 7.5), "between the snapshots of ticks 6 and 9"
        assert then.x == 36 + (81 - 36) * 1.5 / 3
        claim(ada, 1.0)
        await ticks(engine, 8)
        past = await seen(engine, ada.player)
        assert (engine.tick, past.tick) == (23, 21.0), "the newest tick that a snapshot was made of"


async def test_what_flies_meets_each_tick_from_then_until_the_last_commit(autojump_clock: MockClock) -> None:
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        room = sea(engine)
        ship = room.spawn(Ship())
        room.script = lambda tick: setattr(ship, "x", 10.0 * tick)
        await ticks(engine, 12)
        claim(ada, 4.5)
        steps = await asked(
            engine, lambda: [(then.tick, then.all(Ship)[0].x) for then in room.seen_by(ada.player).until_now()]
        )
        assert engine.tick == 13
        assert steps == [(9.0, 90.0), (10.0, 100.0), (11.0, 110.0), (12.0, 120.0)]


async def test_asking_changes_nothing_and_the_past_stays_as_it_was(autojump_clock: MockClock) -> None:
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        room = sea(engine)
        ship = room.spawn(Ship(x=5.0))
        await ticks(engine, 4)
        state = engine.replicator.state
        claim(ada, 2)
        past = await seen(engine, ada.player)
        then = past.get(ship)
        assert engine.replicator.state is state
        ship.x = 50.0
        room.despawn(ship)
        await ticks(engine, 2)
        assert then is not None
        assert (then.x, then.id) == (5.0, 1)


async def test_the_past_can_not_be_changed_and_says_what_it_does_not_hold(autojump_clock: MockClock) -> None:
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        ship = sea(engine).spawn(Ship(), owner=ada.player)
        await ticks(engine, 4)
        then = (await seen(engine, ada.player)).get(ship)
        assert then is not None
        with pytest.raises(UsageError, match=r"Ship 1 is of the past, so x can't be changed; change the live entity"):
            then.x = 3.0
        with pytest.raises(UsageError, match=r"Ship.cooldown has no past: only fields that everyone sees"):
            _ = then.cooldown
        with pytest.raises(UsageError, match=r"Ship.fuel has no past"):
            _ = then.fuel
        with pytest.raises(UsageError, match=r"can't be made; ask room.seen_by"):
            type(then)(x=3.0)
        assert repr(then) == "<Ship 1 at tick 4.00>"


async def test_a_player_that_has_left_sees_nothing(autojump_clock: MockClock) -> None:
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        await ticks(engine, 2)
        ada.leave()
        await ticks(engine, 2)
        with pytest.raises(UsageError, match="<Player 1> has left the room"):
            engine.room.seen_by(ada.player)


async def test_when_the_history_is_too_short_the_oldest_state_that_is_left_is_shown(autojump_clock: MockClock) -> None:
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        room = sea(engine)
        engine.replicator.history.max_bytes = 1
        ship = room.spawn(Ship())
        room.script = lambda tick: setattr(ship, "x", 10.0 * tick)
        await ticks(engine, 12)
        claim(ada, 9)
        past = await seen(engine, ada.player)
        assert past.tick == engine.tick - 1
        assert [then.x for then in past.all(Ship)] == [10.0 * past.tick]


async def test_the_past_reaches_across_the_wrap_of_ticks(autojump_clock: MockClock) -> None:
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        room = sea(engine)
        await ticks(engine, 1)
        engine.tick = (1 << 32) - 4
        ship = room.spawn(Ship())
        steps = iter(range(1, 99))
        room.script = lambda tick: setattr(ship, "x", 10.0 * next(steps))
        await ticks(engine, 6)
        claim(ada, 4.5)
        past = await seen(engine, ada.player)
        assert (engine.tick, past.tick) == (3, (1 << 32) - 1.5)
        then = past.get(ship)
        assert then is not None
        assert then.x == 25.0
        assert [moment.tick for moment in past.until_now()] == [(1 << 32) - 1, 0, 1, 2]


async def test_a_room_that_never_asks_pays_nothing(autojump_clock: MockClock) -> None:
    """Nothing is made for the past, and nothing is written to anybody because of a claim."""
    async with running(Sea) as engine:
        ada = FakePlayer(engine)
        await ticks(engine, 3)
        ada.hear()
        for _ in range(10):
            claim(ada, 5)
            await ticks(engine)
        assert ada.link.written == []
        assert engine.views_refused == 0
        assert ada.player.rtt_s == pytest.approx(SLOW_S)


async def test_the_readme_s_example_hits_what_was_seen(autojump_clock: MockClock) -> None:
    (example,) = [
        block for block in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL) if "seen_by" in block
    ]

    def hits(player: object, ship: Ship) -> bool:
        return ship.x < 50

    scope: dict[str, Any] = {"hits": hits, "Ship": Ship}
    exec(compile(example, "README.md", "exec"), scope)
    async with running(type("Shown", (Sea,), {"on_input": scope["on_input"]})) as engine:
        ada = FakePlayer(engine)
        near, far = engine.room.spawn(Ship(x=10.0)), engine.room.spawn(Ship(x=90.0))
        await ticks(engine, 10)
        near.x, far.x = 90.0, 10.0
        claim(ada, 4)
        await ticks(engine)
        ada.send_input(engine.tick + 1, (1,), (0,))
        await ticks(engine)
        assert (near.hp, far.hp) == (80, 100)
