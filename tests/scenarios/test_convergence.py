"""Probes: a client whose state goes wrong finds out and is mended, and one that only says so gains nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import attrs
import pytest
import trio
from trio.testing import MockClock

from tests.client.meadow import Meadow
from tickwire.engine import Engine
from tickwire.replication import CHECK_S
from tickwire.resyncing import PAUSE_S
from tickwire.testing import Link, World
from tickwire_client.client import Game
from tickwire_client.statistics import GameStats
from tickwire_shared.client_messages import build_resync
from tickwire_shared.state import Table, WorldState

FOUND_WITHIN_S = 2.0
ROUND_TRIP_MS = 150.0
FLOOD_S = 5.0


def changed(game: Game, change: Callable[[Table], Table]) -> WorldState:
    """The client's state with another table of sheep: nobody told it that."""
    state = game.replica.state
    index = state.schema.entity_index("Sheep")
    tables = list(state.tables)
    tables[index] = change(tables[index])
    return WorldState(state.schema, tuple(tables))


def column(name: str) -> int:
    return [field.name for field in Meadow.schema.entities[0].public].index(name)


def with_column(table: Table, name: str, values: list[int]) -> Table:
    columns = list(table.columns)
    columns[column(name)] = values
    return Table(table.ids, tuple(columns))


def nudge(game: Game) -> None:
    """A sheep is one step off."""
    game.replica.state = changed(
        game, lambda table: with_column(table, "x", [int(x) + 1 for x in table.columns[column("x")]])
    )


def turn(game: Game) -> None:
    """A sheep that nobody moves looks elsewhere."""
    game.replica.state = changed(game, lambda table: with_column(table, "facing", [7] * len(table.ids)))


def forget_one(game: Game) -> None:
    """A sheep is missing."""
    game.replica.state = changed(
        game, lambda table: Table(table.ids[1:], tuple(column[1:] for column in table.columns))
    )


def mistake_ids(game: Game) -> None:
    """The sheep are others than the server's."""
    game.replica.state = changed(game, lambda table: Table(tuple(id + 1 for id in table.ids), table.columns))


def forget_private(game: Game) -> None:
    """What only the owner sees is lost."""
    game.replica.private = {}


def disown(game: Game) -> None:
    """The own sheep isn't known to be."""
    game.replica.owned = frozenset()


CORRUPTIONS = (nudge, turn, forget_one, mistake_ids, forget_private, disown)


def agrees(game: Game, room: Meadow) -> bool:
    """Whether all that this player may see is as the server has it."""
    player = room.players[game.me.player - 1]
    seen = [(sheep.id, sheep.x, sheep.facing, sheep.jumps, sheep.name) for sheep in game.all("Sheep")]
    told = [(sheep.id, sheep.x, sheep.facing, sheep.jumps, sheep.name) for sheep in map(room.sheep_of, room.players)]
    hunger = [sheep.hunger for sheep in game.owned]
    return (
        seen == told and hunger == [room.sheep_of(player).hunger] and set(game.me.owned) == {room.sheep_of(player).id}
    )


@pytest.mark.parametrize("link", [Link(), Link.of_round_trip(ROUND_TRIP_MS, seed=1)], ids=["0 ms", "150 ms"])
async def test_a_state_that_went_wrong_is_found_within_2_s_and_mended(autojump_clock: MockClock, link: Link) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow", link=link, name="Ada")
        bob = await world.join("meadow", name="Bob")
        bob.steer(pace=0.5, graze=True)
        ada.steer(graze=True)
        await world.ticks(20)
        room, engine = cast("Meadow", world.rooms[0]), world.lobby.rooms[0]
        # Each at another time of the period of the checks.
        for number, corrupt in enumerate(CORRUPTIONS, 1):
            await trio.sleep(0.37)
            corrupt(ada)
            await trio.sleep(FOUND_WITHIN_S)
            assert (ada.stats.state_mismatches, ada.stats.resyncs) == (number, number), corrupt.__name__
            await trio.sleep(ROUND_TRIP_MS / 1000)
            assert ada.stats.full_snapshots == 1 + number
            assert engine.resyncs.granted == number
            bob.steer(pace=-0.5 if number % 2 else 0.5)
        bob.steer(pace=0.0)
        await trio.sleep(1.0)
        assert agrees(ada, room)
        assert agrees(bob, room)
        assert bob.stats.state_mismatches == 0


async def test_play_goes_on_while_a_state_is_mended(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow", link=Link.of_round_trip(ROUND_TRIP_MS))
        ada.steer(pace=-0.5)
        await trio.sleep(0.5)
        room = cast("Meadow", world.rooms[0])
        nudge(ada)
        walked = len(room.walked)
        before = ada.tick
        await trio.sleep(4.0)
        assert ada.stats.resyncs == 1
        assert ada.tick - before == pytest.approx(80, abs=1)
        assert len(room.walked) - walked == pytest.approx(80, abs=1)
        assert (ada.stats.late_inputs, ada.stats.disconnects) == (0, 0)


class Quiet(Meadow):
    """Nobody moves."""

    name = "quiet"

    def on_tick(self) -> None:
        """Don't move."""


class Rainy(Meadow):
    """The same happens in every run, in every tick."""

    name = "rainy"

    def on_tick(self) -> None:
        """Let it rain."""
        self.weather.rain = self.tick % 100


@attrs.define
class Witness:
    """What somebody else noticed."""

    snapshots: int
    bytes_received: int

    @classmethod
    def of(cls, stats: GameStats) -> Witness:
        return cls(stats.snapshots, stats.bytes_received)


async def watch(liar: Callable[[Game], None]) -> tuple[Witness, Engine, Game]:
    """What one player noticed of five seconds next to a liar."""
    async with World(Rainy) as world:
        ada = await world.join("rainy")
        bob = await world.join("rainy")
        await world.ticks(20)
        await trio.sleep(0.5 / Rainy.hz)  # counting begins and ends between two ticks
        before = Witness.of(ada.stats)
        for _ in range(round(FLOOD_S * Rainy.hz)):
            liar(bob)
            await trio.sleep(1 / Rainy.hz)
        seen = Witness(ada.stats.snapshots - before.snapshots, ada.stats.bytes_received - before.bytes_received)
        await trio.sleep(2.0)
        return seen, world.lobby.rooms[0], bob


def keep_quiet(game: Game) -> None:
    """An honest client has nothing to say."""


def cry_wolf(game: Game) -> None:
    """Ask for full snapshots ten times in a tick."""
    for _ in range(10):
        game.put_back([build_resync(game.tick)])
    game.press("jump")  # wakes whoever sends


async def test_a_client_that_lies_about_its_checksum_harms_nobody(autojump_clock: MockClock) -> None:
    honest, _, _ = await watch(keep_quiet)
    flooded, engine, liar = await watch(cry_wolf)
    assert flooded == honest
    assert engine.resyncs.put_off > 900
    # One at once, and one whenever the pause is over.
    assert engine.resyncs.granted == pytest.approx(1 + FLOOD_S / PAUSE_S, abs=1)
    assert liar.stats.full_snapshots == 1 + engine.resyncs.granted
    assert liar.stats.state_mismatches == 0
    assert liar.ended is not None
    assert liar.ended.code == 4000


async def test_a_client_that_asked_too_often_is_mended_all_the_same(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        ada.steer(pace=0.5)
        await world.ticks(20)
        for _ in range(3):
            cry_wolf(ada)
        await world.ticks(2)
        nudge(ada)
        await trio.sleep(CHECK_S + PAUSE_S)
        ada.steer(pace=0.0)
        await trio.sleep(0.5)
        assert agrees(ada, cast("Meadow", world.rooms[0]))
        assert ada.session.stats.full_snapshots >= 2


async def test_a_room_at_rest_is_checked_too(autojump_clock: MockClock) -> None:
    async with World(Quiet) as world:
        ada = await world.join("quiet")
        await trio.sleep(5.1)
        nudge(ada)
        await trio.sleep(FOUND_WITHIN_S)
        assert (ada.stats.state_mismatches, ada.stats.full_snapshots) == (1, 2)
        assert ada.all("Sheep")[0].x == 50.0
