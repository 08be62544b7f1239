"""A minute in the demo's arena, flown at once by pilots on links of every sort: the figures behind the promises.

Everything is seeded and the clock is virtual, so it is the same minute each time. ``python -m tests.scenarios.flights``
prints its figures as a table.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from math import hypot

import attrs
import trio

from tests.scenarios.arena_twin import SNAP_UNITS, fly
from tickwire.demo.arena import FULL_HP, Arena, Ship, Steer
from tickwire.player import Player
from tickwire.testing import Link, World, play
from tickwire_client.client import Game
from tickwire_client.inputs import InputRun
from tickwire_client.predicted_events import Fate, PredictedEvent
from tickwire_client.prediction import Prediction

SECONDS = 60.0
SETTLED_S = 2.0
FRAME_S = 1 / 60
FRAME_OFFSET_S = 0.003
"""Frames and ticks are not in step on any real screen."""
PRESS_S = 3.0
"""A pilot flies straight once in this time, and then turns hard: the key press whose answer is timed."""
STRAIGHT_S = 0.6
STALL_EVERY_S = 5.0
STALL_S = 0.4
CHANGE_S = 20.0
"""When the link of the one that changes gets slow, and as long after that it gets quick again."""

END_S = 2.0
"""After the minute, for the last inputs to be used and the last counts to be told."""
STALLING = "100 ms, stalls"
CHANGING = "30, 200, 30 ms"


def links() -> dict[str, Link]:
    """The pilots' links, by their names."""
    return {
        "0 ms": Link(),
        "50 ms": Link.of_round_trip(50),
        "150 ms": Link.of_round_trip(150),
        "300 ms": Link.of_round_trip(300),
        "150 +- 40 ms": Link.of_round_trip(150, 40, seed=1),
        STALLING: Link.of_round_trip(100, stall_every_ms=1000 * STALL_EVERY_S, stall_ms=1000 * STALL_S),
        CHANGING: Link.of_round_trip(30),
    }


@attrs.frozen
class Frame:
    """What a pilot's screen shows, and what its client knows, at one time since it connected."""

    at_s: float
    x: float
    y: float
    heading: float
    lead: float
    pending: int
    compared: int
    corrections: int
    error_units: float
    drawn: int
    underruns: int
    delay: float


@attrs.frozen
class _Press:
    frame: int
    at_s: float
    drawn_heading: float
    told_heading: float


@attrs.define(eq=False)
class Flight:
    """One pilot's minute.

    Attributes:
        began_s: When it connected; all other times are since then.
        fates: How often predicted shots were told, by what became of them.
        answers: Of each key press: how many frames later the own ship turned. 0: in the frame of the press.
        server_answers_s: And how much later the server's state said so.
        sent: When the input for each tick was sent.
        applied: How often the server used an input that was for just this tick.
    """

    name: str
    game: Game
    prediction: Prediction
    began_s: float
    fates: Counter[Fate]
    frames: list[Frame] = attrs.field(factory=list[Frame])
    answers: list[int] = attrs.field(factory=list[int])
    server_answers_s: list[float] = attrs.field(factory=list[float])
    sent: dict[int, float] = attrs.field(factory=dict[int, float])
    applied: Counter[int] = attrs.field(factory=Counter[int])
    _rng: random.Random = attrs.field(init=False)
    _press_at_s: float = attrs.field(init=False, default=PRESS_S)
    _straight: bool = attrs.field(init=False, default=False)
    _whim_at_s: float = attrs.field(init=False, default=0.0)
    _presses: list[_Press] = attrs.field(init=False, factory=list["_Press"])

    def __attrs_post_init__(self) -> None:
        self._rng = random.Random(self.name)

    def note_sent(self, run: InputRun) -> None:
        """Keep when which input was sent."""
        for ahead in range(len(run.inputs)):
            self.sent[run.tick + ahead] = trio.current_time() - self.began_s

    def steer(self) -> None:
        """Fly about at random, but straight before each key press."""
        now_s = trio.current_time() - self.began_s
        if now_s >= self._press_at_s:
            self._press(now_s)
        elif now_s >= self._press_at_s - STRAIGHT_S:
            if not self._straight:
                self.game.steer(turn=0.0)
            self._straight = True
        elif now_s >= self._whim_at_s:
            rng = self._rng
            self.game.steer(turn=rng.randint(-8, 8) / 8, thrust=rng.random() < 0.6, fire=rng.random() < 0.15)
            self._whim_at_s = now_s + rng.uniform(0.05, 0.4)

    def draw(self) -> None:
        """Note what this frame shows."""
        prediction = self.prediction
        self.game.frame()
        pose = prediction.pose()
        if pose is None:
            return
        frame = Frame(
            at_s=trio.current_time() - self.began_s,
            x=pose["x"],
            y=pose["y"],
            heading=pose["heading"],
            lead=self.game.lead_ticks,
            pending=prediction.pending_ticks,
            compared=prediction.compared,
            corrections=prediction.corrections,
            error_units=prediction.error_units,
            drawn=self.game.stats.frames,
            underruns=self.game.stats.underruns,
            delay=self.game.clock.delay_ticks,
        )
        self.frames.append(frame)
        self._watch(frame)

    # What the figures are

    def between(self, since_s: float, until_s: float) -> list[Frame]:
        """The frames of a part of the minute."""
        return [frame for frame in self.frames if since_s <= frame.at_s < until_s]

    def sent_in(self, since_s: float, until_s: float = SECONDS) -> list[int]:
        """The ticks whose input was sent in a part of the minute."""
        return [tick for tick, at_s in self.sent.items() if since_s <= at_s < until_s]

    def late_in(self, since_s: float, until_s: float = SECONDS) -> list[int]:
        """Those of them whose input was not used at its tick: it came late."""
        return [tick for tick in self.sent_in(since_s, until_s) if not self.applied[tick]]

    def leads(self, since_s: float, until_s: float = SECONDS) -> tuple[float, float]:
        """The least and the greatest lead in a part of the minute, in ticks."""
        leads = [frame.lead for frame in self.between(since_s, until_s)]
        return min(leads), max(leads)

    def underrun_share(self, since_s: float, until_s: float = SECONDS) -> float:
        """Of the frames in a part of the minute, those that were drawn without the snapshot they should be drawn by."""
        frames = self.between(since_s, until_s)
        return (frames[-1].underruns - frames[0].underruns) / (frames[-1].drawn - frames[0].drawn)

    def stalls(self) -> list[tuple[float, float]]:
        """When the link stalls and when it moves again, if it is the one that does."""
        count = int(SECONDS / STALL_EVERY_S)
        return [(k * STALL_EVERY_S, k * STALL_EVERY_S + STALL_S) for k in range(1, count)]

    def worst_step(self) -> float:
        """The farthest that the drawn ship went between two frames, in units."""
        return max(hypot(b.x - a.x, b.y - a.y) for a, b in pairwise(self.frames))

    def _press(self, now_s: float) -> None:
        self.game.steer(turn=1.0)
        self._straight = False
        self._press_at_s += PRESS_S
        self._whim_at_s = now_s + 0.5
        self._presses.append(_Press(len(self.frames), now_s, self.frames[-1].heading, self._told_heading()))

    def _watch(self, frame: Frame) -> None:
        """Time the answers to the last key press."""
        if not self._presses:
            return
        press = self._presses[-1]
        if len(self.answers) < len(self._presses) and frame.heading != press.drawn_heading:
            self.answers.append(len(self.frames) - 1 - press.frame)
        if len(self.server_answers_s) < len(self._presses) and self._told_heading() != press.told_heading:
            self.server_answers_s.append(frame.at_s - press.at_s)

    def _told_heading(self) -> float:
        entity = self.prediction.entity
        assert entity is not None
        heading: float = entity.heading
        return heading


class Range(Arena):
    """The arena where nobody is hurt, so that nothing but the own input moves a ship; notes which inputs it used."""

    name = "arena"
    seed = 1

    def on_create(self, options: Mapping[str, object]) -> None:
        """Keep a book for each player."""
        super().on_create(options)
        self.applied: dict[int, Counter[int]] = {}

    def on_input(self, player: Player[Steer], input: Steer) -> None:
        """Note an input that came for this tick."""
        self.applied.setdefault(player.id, Counter())[self.tick] += 1

    def on_tick(self) -> None:
        """Mend what shots have done."""
        super().on_tick()
        for ship in self.all(Ship):
            ship.hp = FULL_HP


async def take_off(world: World, name: str, link: Link) -> Flight:
    """Let a pilot join and predict its ship."""
    began_s = trio.current_time()
    game = await world.join("arena", name=name, link=link)
    fates: Counter[Fate] = Counter()

    def count(event: PredictedEvent) -> None:
        fates[event.fate] += 1

    prediction = game.predict("Ship", fly, snap_distance=SNAP_UNITS, on_event=count)
    flight = Flight(name, game, prediction, began_s, fates)
    assert game.session.pacer is not None
    game.session.pacer.follow(flight.note_sent)
    return flight


async def _fly() -> dict[str, Flight]:
    async with World(Range) as world:
        conditions = links()
        flights = [await take_off(world, name, link) for name, link in conditions.items()]
        start_s = trio.current_time() + FRAME_OFFSET_S
        for number in range(round(SECONDS / FRAME_S)):
            await trio.sleep_until(start_s + number * FRAME_S)
            slow = CHANGE_S <= trio.current_time() - flights[-1].began_s < 2 * CHANGE_S
            conditions[CHANGING].delay_ms = 100.0 if slow else 15.0
            for flight in flights:
                flight.steer()
                flight.draw()
        conditions[STALLING].stall_ms = 0.0
        await trio.sleep(END_S)
        (room,) = world.rooms
        assert isinstance(room, Range)
        for flight in flights:
            flight.applied = room.applied[flight.game.me.player]
    return {flight.name: flight for flight in flights}


@cache
def fly_all() -> Mapping[str, Flight]:
    """The minute, flown once per process; by the names of the links."""
    return play(_fly)


def figures(flight: Flight) -> dict[str, str]:
    """What a flight shows, for people."""
    least, most = flight.leads(3.0)
    settled = flight.between(SETTLED_S, SECONDS)
    return {
        "link": flight.name,
        "answers after": f"{max(flight.answers)} frames",
        "the server's word after": f"{1000 * max(flight.server_answers_s):.0f} ms",
        "states compared": f"{settled[-1].compared - settled[0].compared}",
        "corrected": f"{settled[-1].corrections - settled[0].corrections}",
        "worst error": f"{max(frame.error_units for frame in settled):.3f} units",
        "late inputs": f"{100 * len(flight.late_in(3.0)) / len(flight.sent_in(3.0)):.2f} %",
        "lead": f"{least:.2f} to {most:.2f} ticks",
        "frames that lacked a snapshot": f"{100 * flight.underrun_share(3.0):.2f} %",
        "longest step of the picture": f"{flight.worst_step():.2f} units",
    }


def main() -> None:
    """Print the figures as a table."""
    rows = [figures(flight) for flight in fly_all().values()]
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    sys.stdout.write("\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n")


if __name__ == "__main__":
    main()
