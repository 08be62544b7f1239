"""Prediction over the network: at once, right, corrected softly, and never the end of the game."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from tests.client.meadow import Meadow
from tests.client.sledding import HZ, Sled, Slope, step
from tickwire.testing import Link, World
from tickwire_client.client import Game
from tickwire_client.predicted_events import Fate, PredictedEvent
from tickwire_client.prediction import Prediction
from tickwire_client.stepper import StepContext
from tickwire_shared.errors import UsageError

RTT_MS = 200.0
SETTLED_TICKS = 20


def slope(world: World) -> Slope:
    (room,) = world.rooms
    assert isinstance(room, Slope)
    return room


async def start(world: World, rtt_ms: float = RTT_MS, **options: Any) -> tuple[Game, Prediction]:
    """Join, predict, and wait until the link is known and all is well."""
    game = await world.join("slope", link=Link.of_round_trip(rtt_ms))
    options.setdefault("step", step)
    prediction = game.predict("Sled", **options)
    await world.ticks(SETTLED_TICKS)
    assert prediction.error is None
    return game, prediction


def drawn(prediction: Prediction, name: str = "x") -> float:
    pose = prediction.pose()
    assert pose is not None
    return pose[name]


def noting(fates: list[Fate]) -> Callable[[PredictedEvent], None]:
    """An ``on_event`` that notes the fates that are told."""

    def note(event: PredictedEvent) -> None:
        fates.append(event.fate)

    return note


def moved(before: SimpleNamespace, after: SimpleNamespace) -> bool:
    """A ``snap`` that takes every correction of the place for a jump."""
    return bool(after.x != before.x)


def always(tick: int) -> bool:
    return True


def never(tick: int) -> bool:
    return False


def untroubled(prediction: Prediction) -> bool:
    return prediction.compared > 0 and (prediction.corrections, prediction.replays, prediction.snaps) == (0, 0, 0)


# At once, and right


async def test_the_picture_answers_at_once_and_the_server_a_round_trip_later(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        game, prediction = await start(world)
        await trio.sleep(0.3 / HZ)
        before = drawn(prediction, "heading")
        game.steer(push=1.0)
        assert drawn(prediction, "heading") > before
        told = game.owned[0].heading
        await trio.sleep(RTT_MS / 1000)
        assert game.owned[0].heading == told
        await world.ticks(4)
        assert game.owned[0].heading > told
        assert untroubled(prediction)


async def test_between_ticks_the_picture_moves_evenly(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        game, prediction = await start(world)
        game.steer(push=0.5)
        await world.ticks(3)
        turned: list[float] = []
        for _ in range(40):
            before = drawn(prediction, "heading")
            await trio.sleep(0.01)
            turned.append((drawn(prediction, "heading") - before) % 6.283)
        assert max(turned) - min(turned) < 0.01
        assert min(turned) > 0.02


async def test_presses_are_predicted_for_exactly_one_tick(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        game, prediction = await start(world)
        for count in range(1, 6):
            game.press("hop")
            await world.ticks(3)
            state = prediction.state
            assert state is not None
            assert state.hops == count
        await world.ticks(SETTLED_TICKS)
        assert slope(world).sled().hops == 5
        assert untroubled(prediction)


async def test_a_predicting_client_sends_neutral_inputs_too(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        _, prediction = await start(world)
        assert prediction.pending_ticks >= RTT_MS / 1000 * HZ
        assert untroubled(prediction)


# Corrections


async def test_a_shove_is_put_right_at_once_and_the_picture_glides(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        game, prediction = await start(world)
        game.steer(push=0.5)
        await world.ticks(5)
        slope(world).sled().x += 20.0
        steps: list[float] = []
        errors: list[float] = []
        for _ in range(200):
            before = drawn(prediction)
            await trio.sleep(0.005)
            steps.append(drawn(prediction) - before)
            errors.append(prediction.visual_error_units)
        assert (prediction.corrections, prediction.replays, prediction.snaps) == (1, 1, 0)
        assert max(errors) == pytest.approx(20.0, rel=0.05)
        assert max(steps) < 2.0
        assert errors[-1] < 0.02
        sled = game.owned[0]
        assert drawn(prediction) > sled.x


async def test_a_lead_that_grows_at_once_does_not_show(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        link = Link.of_round_trip(30.0)
        game = await world.join("slope", link=link)
        prediction = game.predict("Sled", step)
        game.steer(push=1.0)
        await world.ticks(3 * SETTLED_TICKS)
        link.delay_ms = 150.0
        steps: list[float] = []
        leads: list[float] = []
        for _ in range(300):
            before = drawn(prediction)
            await trio.sleep(0.01)
            steps.append(drawn(prediction) - before)
            leads.append(game.lead_ticks)
        assert leads[-1] - leads[0] > 2.0
        assert max(steps) < 3 * steps[0]
        assert min(steps) > 0.0


async def test_the_error_of_the_last_comparison_is_public(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        game, prediction = await start(world)
        game.steer(push=1.0)
        await world.ticks(SETTLED_TICKS)
        slope(world).sled().x += 5.0
        errors: list[float] = []
        for _ in range(200):
            await trio.sleep(0.005)
            errors.append(prediction.error_units)
        assert set(errors) == {0.0, 5.0}
        assert errors[-1] == 0.0


@pytest.mark.parametrize(
    "distance, options, snaps",
    [
        (300.0, {}, 1),
        (20.0, {"snap_distance": 10.0}, 1),
        (8.0, {"snap_distance": 10.0}, 0),
        (2.0, {"snap": moved}, 1),
    ],
)
async def test_what_is_put_elsewhere_jumps(
    autojump_clock: MockClock, distance: float, options: dict[str, Any], snaps: int
) -> None:
    async with World(Slope) as world:
        game, prediction = await start(world, **options)
        game.steer(push=0.25)
        await world.ticks(SETTLED_TICKS)
        slope(world).sled().x += distance
        steps: list[float] = []
        for _ in range(100):
            before = drawn(prediction)
            await trio.sleep(0.01)
            steps.append(drawn(prediction) - before)
        assert (prediction.snaps, prediction.corrections) == (snaps, 1 - snaps)
        assert (max(steps) > distance * 0.9) == (snaps == 1)


async def test_what_the_step_never_changes_is_news_and_no_mistake(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        game, prediction = await start(world)
        game.steer(push=1.0)
        slope(world).sled().medals = 3
        await world.ticks(SETTLED_TICKS)
        assert (prediction.corrections, prediction.replays) == (0, 1)
        state = prediction.state
        assert state is not None
        assert state.medals == 3


# Author's code that raises


class Fallible:
    """A step that can be told to raise, always or only when a tick is simulated again."""

    def __init__(self) -> None:
        self.broken: Callable[[int], bool] = never
        self.ticks: set[int] = set()

    def __call__(self, sled: SimpleNamespace, push: SimpleNamespace, context: StepContext) -> None:
        if self.broken(context.tick):
            raise ZeroDivisionError("the author's mistake")
        self.ticks.add(context.tick)
        step(sled, push, context)


async def test_a_step_that_raises_is_told_once_and_the_game_goes_on(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        told: list[Exception] = []
        fallible = Fallible()
        game, prediction = await start(world, step=fallible, on_error=told.append)
        fallible.broken = always
        game.steer(push=1.0)
        await world.ticks(SETTLED_TICKS)
        assert [str(error) for error in told] == ["the author's mistake"]
        assert prediction.error is told[0]
        assert (prediction.pose(), prediction.state, prediction.tick) == (None, None, None)
        before = game.owned[0].x
        await world.ticks(3)
        assert game.owned[0].x > before


async def test_a_step_that_raises_in_a_replay_is_told_once_and_may_be_tried_again(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        told: list[Exception] = []
        fallible = Fallible()
        _, prediction = await start(world, step=fallible, on_error=told.append)
        fallible.broken = fallible.ticks.__contains__
        await world.ticks(1)
        slope(world).sled().x += 5.0
        await world.ticks(SETTLED_TICKS)
        assert len(told) == 1
        fallible.broken = never
        prediction.enabled = True
        await world.ticks(SETTLED_TICKS)
        assert prediction.error is None
        assert prediction.pose() is not None


async def test_without_anybody_to_tell_a_failure_is_logged(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with World(Slope) as world:
        fallible = Fallible()
        await start(world, step=fallible)
        fallible.broken = always
        with caplog.at_level(logging.ERROR):
            await world.ticks(SETTLED_TICKS)
        assert [record.message for record in caplog.records] == [
            "The prediction failed, so the server's state is shown instead."
        ]


async def test_an_on_event_that_raises_ends_the_prediction_and_not_the_game(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        told: list[Exception] = []

        def on_event(event: PredictedEvent) -> None:
            raise ValueError("no sound card")

        game, prediction = await start(world, on_event=on_event, on_error=told.append)
        game.press("hop")
        await world.ticks(SETTLED_TICKS)
        assert [str(error) for error in told] == ["no sound card"]
        assert prediction.pose() is None
        assert slope(world).sled().hops == 1


def to_nowhere(sled: SimpleNamespace) -> None:
    sled.x = float("nan")


def misspell(sled: SimpleNamespace) -> None:
    sled.xx = 1.0


def delete(sled: SimpleNamespace) -> None:
    del sled.x


@pytest.mark.parametrize(
    "mistake, sentence",
    [
        (to_nowhere, "Sled.x after the step: nan is not a finite number"),
        (misspell, "The step set Sled.xx, which is no field"),
        (delete, "The step deleted Sled.x"),
    ],
)
async def test_a_step_that_leaves_a_wrong_state_is_told_what_is_wrong(
    autojump_clock: MockClock, mistake: Callable[[SimpleNamespace], None], sentence: str
) -> None:
    def wrong(sled: SimpleNamespace, push: SimpleNamespace, context: StepContext) -> None:
        mistake(sled)

    async with World(Slope) as world:
        told: list[Exception] = []
        game = await world.join("slope")
        game.predict("Sled", wrong, on_error=told.append)
        await world.ticks(SETTLED_TICKS)
        assert len(told) == 1
        assert sentence in str(told[0])


# Predicted events and spawns


async def test_an_event_is_shown_once_at_once_and_then_confirmed(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        told: list[tuple[Fate, float]] = []
        start_s = 0.0

        def on_event(event: PredictedEvent) -> None:
            assert (event.name, event.fields, event.is_spawn) == ("hop", {"height": 2}, False)
            told.append((event.fate, trio.current_time() - start_s))

        game, _ = await start(world, on_event=on_event)
        start_s = trio.current_time()
        game.press("hop")
        await world.ticks(SETTLED_TICKS)
        assert [fate for fate, _ in told] == [Fate.PREDICTED, Fate.CONFIRMED]
        assert told[0][1] <= 1 / HZ
        assert told[1][1] >= RTT_MS / 1000


async def test_an_event_that_a_correction_undoes_is_withdrawn(autojump_clock: MockClock) -> None:
    def careful(sled: SimpleNamespace, push: SimpleNamespace, context: StepContext) -> None:
        if sled.x == 500.0 and push.push > 0:
            context.event("off", key="the first time")
        step(sled, push, context)

    async with World(Slope) as world:
        fates: list[Fate] = []
        game, _ = await start(world, step=careful, on_event=noting(fates))
        game.steer(push=1.0)
        slope(world).sled().x = 510.0
        await world.ticks(SETTLED_TICKS)
        assert fates == [Fate.PREDICTED, Fate.WITHDRAWN]


async def test_a_spawn_is_handed_over_without_a_gap_and_never_double(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        told: list[PredictedEvent] = []
        game, prediction = await start(world, on_event=told.append)
        game.steer(throw=True)
        seen: list[int] = []
        for number in range(2 * HZ):
            await trio.sleep(0.5 / HZ)
            seen.append(len(prediction.spawned) + len(game.all("Ball")))
            if number == 2:
                game.steer(throw=False)
        assert seen == sorted(seen)
        assert seen[-1] == 1
        assert [event.fate for event in told] == [Fate.CONFIRMED] * 2
        assert told[0] is told[1]
        (ball,) = game.all("Ball")
        assert told[0].entity == ball
        assert told[0].fields == {"x": ball.x, "born": ball.born, "by": game.owned[0].id}


async def test_a_spawn_that_the_server_does_not_make_is_withdrawn(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        fates: list[Fate] = []
        game, prediction = await start(world, on_event=noting(fates))
        slope(world).jam = True
        game.steer(throw=True)
        await world.ticks(2)
        game.steer(throw=False)
        await world.ticks(2 * SETTLED_TICKS)
        assert set(fates) == {Fate.PREDICTED, Fate.WITHDRAWN}
        assert prediction.spawned == ()
        assert game.all("Ball") == []


# The own entity comes and goes


async def test_a_lost_connection_drops_the_prediction_and_the_resumed_one_is_right_again(
    autojump_clock: MockClock,
) -> None:
    async with World(Slope) as world:
        game, prediction = await start(world)
        game.steer(push=0.5)
        await world.ticks(5)
        await world.cut(game)
        await trio.sleep(3.0)
        corrections = prediction.corrections
        compared = prediction.compared
        await world.ticks(SETTLED_TICKS)
        assert prediction.compared >= compared + SETTLED_TICKS - 1
        assert prediction.corrections == corrections
        assert prediction.error is None


async def test_another_own_entity_is_predicted_anew(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        game, prediction = await start(world)
        room = slope(world)
        first = prediction.entity
        room.despawn(room.sled())
        await world.ticks(6)
        assert (prediction.entity, prediction.pose()) == (None, None)
        room.spawn(Sled(x=100.0), owner=room.players[0])
        await world.ticks(SETTLED_TICKS)
        assert prediction.entity != first
        assert drawn(prediction) == 100.0
        game.steer(push=1.0)
        await world.ticks(1)
        assert drawn(prediction) > 100.0


async def test_switched_off_nothing_is_predicted_and_switched_on_it_is_again(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        _, prediction = await start(world)
        prediction.enabled = False
        await world.ticks(3)
        assert prediction.pose() is None
        prediction.enabled = True
        assert prediction.pose() is not None


async def test_after_seconds_without_news_the_prediction_stands_still(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        link = Link.of_round_trip(RTT_MS)
        game = await world.join("slope", link=link)
        prediction = game.predict("Sled", step)
        game.steer(push=0.25)
        await world.ticks(SETTLED_TICKS)
        link.delay_ms = 8_000.0
        await trio.sleep(4.0)
        before = drawn(prediction)
        await trio.sleep(0.5)
        assert drawn(prediction) == before
        assert prediction.pending_ticks <= 64
        link.delay_ms = RTT_MS / 2
        await trio.sleep(12.0)
        assert drawn(prediction) != before
        assert prediction.error is None


# Misuse


async def test_what_cannot_be_predicted_says_why(autojump_clock: MockClock) -> None:
    async with World(Slope, Meadow) as world:
        game = await world.join("slope")
        other = await world.join("meadow")
        with pytest.raises(UsageError, match=r"no entity class 'Sledge' to predict; it has Sled, Ball"):
            game.predict("Sledge", step)
        with pytest.raises(UsageError, match=r"Ball is not marked to be predicted; write @entity\(predicted=True\)"):
            game.predict("Ball", step)
        with pytest.raises(UsageError, match=r"Sheep is not marked"):
            other.predict("Sheep", step)
        with pytest.raises(UsageError, match=r"Sled has no quantized field 'speed' that everyone sees; it has x"):
            game.predict("Sled", step, positions=["speed"])
        assert game.prediction is None
