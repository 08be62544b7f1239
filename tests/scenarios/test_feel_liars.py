"""A client that lies about ticks gains nothing, harms nobody, and shows up in the counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import pytest
import trio
from trio.testing import MockClock

from tests.client.sledding import HZ, Push, Sled, Slope
from tests.server.raw_client import RawClient
from tickwire.board import MAX_AHEAD
from tickwire.inputs import InputCounts
from tickwire.player import Player
from tickwire.testing import World
from tickwire_client.client import Game
from tickwire_shared.client_messages import Join, build_input, build_join
from tickwire_shared.ticks import tick_add

SECONDS = 5
FULL_PUSH = (8, 0, 0)
HOP = (4, 0, 1)

Lie = Callable[[int], list[bytes]]
"""What to send when the server is at a tick."""


class Judged(Slope):
    """The slope, with a book of the inputs that were used."""

    name = "slope"

    def on_create(self, options: Mapping[str, object]) -> None:
        """Open the book."""
        super().on_create(options)
        self.used: dict[int, list[int]] = {}

    def on_input(self, player: Player[Push], input: Push) -> None:
        """Note an input that came for this tick."""
        self.used.setdefault(player.id, []).append(self.tick)


@attrs.frozen
class Trial:
    """What came of a liar.

    Attributes:
        ticks: How many ticks it lied.
        used: The ticks at which an input of it was used.
        liar: Its sled, as the server has it; ``honest`` is that of a player who pushed all the time.
        game: The honest player's game.
    """

    ticks: int
    used: list[int]
    liar: Sled
    honest: Sled
    game: Game
    counts: InputCounts


async def try_to(lie: Lie) -> Trial:
    """Let a liar and an honest player play for some seconds."""
    async with World(Judged) as world:
        game = await world.join("slope")
        game.steer(push=1.0)
        liar = RawClient(world.open_stream())
        await liar.open()
        await liar.send(build_join(Join("join_or_create", "slope")))
        await world.ticks(5)
        (engine,) = world.lobby.rooms
        room = engine.room
        assert isinstance(room, Judged)
        honest, cheat = room.all(Sled)
        for _ in range(SECONDS * HZ):
            await liar.send(*lie(engine.tick))
            await trio.sleep(1 / HZ)
        assert game.ended is None
        assert game.stats.state_mismatches == 0
        return Trial(SECONDS * HZ, room.used.get(2, []), cheat, honest, game, engine.inputs.counts)


def far_future(tick: int) -> list[bytes]:
    return [build_input(tick_add(tick, ahead), FULL_PUSH) for ahead in (MAX_AHEAD + 2, 1000, 2**31 - 1)]


def far_past(tick: int) -> list[bytes]:
    return [build_input(tick_add(tick, -behind), HOP) for behind in (40, 1000, 2**31 - 1)]


def repeated(tick: int) -> list[bytes]:
    return [build_input(tick_add(tick, 2), FULL_PUSH)] * 8


def backwards(tick: int) -> list[bytes]:
    return [build_input(tick_add(tick, ahead), HOP) for ahead in range(8, -8, -1)]


def scattered(tick: int) -> list[bytes]:
    return [build_input(tick * 2_654_435_761 % 2**32, HOP * 8)]


async def test_inputs_for_the_far_future_are_refused_and_counted(autojump_clock: MockClock) -> None:
    trial = await try_to(far_future)
    assert trial.used == []
    assert (trial.liar.x, trial.liar.speed) == (500.0, 0.0)
    assert trial.counts.refused == 3 * trial.ticks


async def test_inputs_for_the_far_past_do_nothing_and_are_counted(autojump_clock: MockClock) -> None:
    trial = await try_to(far_past)
    assert trial.used == []
    assert trial.liar.hops == 0
    assert trial.counts.late == 3 * trial.ticks


async def test_repeated_inputs_move_nobody_faster(autojump_clock: MockClock) -> None:
    trial = await try_to(repeated)
    assert len(trial.used) == len(set(trial.used)) <= trial.ticks
    assert trial.liar.x <= trial.honest.x
    assert trial.liar.x > 500.0
    assert trial.counts.repeated >= 7 * trial.ticks


async def test_inputs_that_go_backwards_are_used_once_for_each_tick_at_most(autojump_clock: MockClock) -> None:
    trial = await try_to(backwards)
    assert len(trial.used) == len(set(trial.used))
    assert trial.liar.hops <= trial.ticks + MAX_AHEAD
    assert trial.counts.repeated > trial.ticks


async def test_inputs_for_any_tick_at_all_harm_nobody(autojump_clock: MockClock) -> None:
    trial = await try_to(scattered)
    assert trial.liar.hops <= trial.ticks + MAX_AHEAD
    assert trial.counts.late + trial.counts.refused > trial.ticks


@pytest.mark.parametrize("lie", [far_future, far_past, repeated, backwards, scattered])
async def test_an_honest_player_never_notices(autojump_clock: MockClock, lie: Lie) -> None:
    trial = await try_to(lie)
    assert trial.game.stats.late_inputs == 0
    assert trial.game.stats.refused_inputs == 0
    assert trial.honest.speed > 25.0
