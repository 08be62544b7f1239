"""A swarm: many bots in one process, to fill a game or to test a server.

::

    run_swarm
    +-- one task per bot    joins when its turn comes, plays until the time is up or it fails
    +-- progress            (on a terminal) shows how it is going
"""

from __future__ import annotations

import random
import ssl
from collections import Counter

import trio
from attrs import define, field, frozen

from tickwire_client.address import parse_address
from tickwire_client.arena_scout import ArenaScout
from tickwire_client.bots import Scouts, play
from tickwire_client.client import Game, connect
from tickwire_client.conditioner import Link
from tickwire_client.connection import Dial, tcp_dial
from tickwire_client.decoding import SharedDecoder
from tickwire_client.histogram import Histogram
from tickwire_client.progress import show_progress
from tickwire_client.statistics import GameStats
from tickwire_client.swarm_report import SwarmReport
from tickwire_shared.errors import ConnectionEnded, UsageError

JOINS_PER_S = 50.0  # faster than people come, slow enough that joining doesn't disturb what is measured
NAMES = (
    "Ada",
    "Bo",
    "Cleo",
    "Dag",
    "Edda",
    "Finn",
    "Gro",
    "Hal",
    "Ida",
    "Jo",
    "Kai",
    "Liv",
    "Max",
    "Noa",
    "Odd",
    "Pia",
)


@define
class BotRecord:
    """What became of one bot."""

    number: int
    game: Game | None = None
    joined_s: float = 0.0
    left_s: float | None = None
    error: str | None = None

    def played_s(self, now_s: float) -> float:
        """How long it has been in a room."""
        return 0.0 if self.game is None else (now_s if self.left_s is None else self.left_s) - self.joined_s

    @property
    def stats(self) -> GameStats | None:
        """What it counted; None if it didn't get in."""
        return None if self.game is None else self.game.stats

    @property
    def failure(self) -> str | None:
        """Why it counts as failed; None if it doesn't."""
        if self.error is None and self.stats is not None and self.stats.state_mismatches:
            return "The state differed from the server's."
        return self.error


@frozen
class SwarmOrder:
    """What a swarm is to do."""

    url: str
    room: str
    count: int
    duration_s: float
    seed: int


@define
class Swarm:
    """A swarm at work.

    Attributes:
        order: What it is to do.
        dial: Opens each bot's stream; by default TCP to the URL.
        link: How bad each bot's network is to be.
        records: What became of each bot so far.
        settled: How many bots have joined or failed to.
    """

    order: SwarmOrder
    dial: Dial | None = None
    link: Link | None = None
    records: list[BotRecord] = field(init=False)
    settled: int = field(default=0, init=False)
    _decoder: SharedDecoder = field(factory=SharedDecoder, init=False)
    _scouts: Scouts = field(factory=dict[str, ArenaScout], init=False)
    _all_settled: trio.Event = field(factory=trio.Event, init=False)
    _running: int = field(init=False)
    _all_over: trio.Event = field(factory=trio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        """Number the bots."""
        self.records = [BotRecord(number) for number in range(self.order.count)]
        self._running = self.order.count

    @property
    def joined(self) -> int:
        """How many bots got in so far."""
        return sum(record.game is not None for record in self.records)

    @property
    def failed(self) -> int:
        """How many bots failed so far."""
        return sum(record.failure is not None for record in self.records)

    async def run(self) -> None:
        """Join, play together for the ordered time from the last join on, and leave."""
        async with trio.open_nursery() as nursery:
            for record in self.records:
                nursery.start_soon(self._run_bot, record)
            await self._all_settled.wait()
            self._begin_measuring()
            with trio.move_on_after(self.order.duration_s):
                await self._all_over.wait()
            nursery.cancel_scope.cancel()

    def report(self, now_s: float) -> SwarmReport:
        """What is known so far."""
        order = self.order
        stats = [record.stats for record in self.records if record.stats is not None]
        rtt, intervals = Histogram(), Histogram()
        for each in stats:
            rtt.merge(each.rtt)
            intervals.merge(each.intervals)
        bot_s = sum(record.played_s(now_s) for record in self.records) or 1.0
        failures = [record.failure for record in self.records if record.failure is not None]
        return SwarmReport(
            url=order.url,
            room=order.room,
            count=order.count,
            duration_s=order.duration_s,
            joined=self.joined,
            failed=len(failures),
            disconnects=sum(each.disconnects for each in stats),
            snapshots_per_s=sum(each.snapshots for each in stats) / bot_s,
            bytes_per_s=sum(each.bytes_received for each in stats) / bot_s,
            rtt_p50_ms=rtt.percentile(50),
            rtt_p99_ms=rtt.percentile(99),
            interval_p50_ms=intervals.percentile(50),
            interval_p99_ms=intervals.percentile(99),
            state_checks=sum(each.checks for each in stats),
            state_mismatches=sum(each.state_mismatches for each in stats),
            late_inputs=sum(each.late_inputs for each in stats),
            errors=dict(Counter(failures).most_common()),
        )

    def _begin_measuring(self) -> None:
        """Forget the round trips and intervals so far: joining disturbs them."""
        for record in self.records:
            if record.stats is not None:
                record.stats.restart_distributions()

    async def _run_bot(self, record: BotRecord) -> None:
        rng = random.Random(self.order.seed * 1_000_003 + record.number)
        await trio.sleep(record.number / JOINS_PER_S)
        try:
            options = {"name": bot_name(record.number)}
            async with connect(
                self.order.url,
                room=self.order.room,
                options=options,
                dial=self.dial,
                rng=rng,
                decoder=self._decoder,
                thrifty=self.link is None,  # a person's inputs leave when they are due
                link=self.link,
            ) as game:
                record.game, record.joined_s = game, trio.current_time()
                self._settle()
                await play(game, rng, self._scouts)
        except ConnectionEnded as ended:
            record.error = ended.reason or f"The connection ended with {ended.code}."
        finally:
            record.left_s = trio.current_time()
            self._bot_is_over(record)

    def _bot_is_over(self, record: BotRecord) -> None:
        if record.game is None:
            self._settle()
        self._running -= 1
        if self._running == 0:
            self._all_over.set()

    def _settle(self) -> None:
        self.settled += 1
        if self.settled == self.order.count:
            self._all_settled.set()


async def run_swarm(
    url: str,
    room: str,
    count: int,
    duration_s: float,
    *,
    progress: bool = False,
    seed: int = 0,
    dial: Dial | None = None,
    link: Link | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> SwarmReport:
    """Let ``count`` bots join ``room``, play together for a while, and leave.

    Args:
        url: The server, like ``ws://127.0.0.1:8000``.
        room: A room type; as many rooms of it are made as the bots need.
        count: How many bots.
        duration_s: How long they play once the last has joined; infinity until cancelled.
        progress: Show how it is going on standard error, if that is a terminal.
        seed: Of the bots' randomness.
        dial: Opens each bot's stream, instead of TCP to ``url``.
        link: How bad each bot's network is to be.
        ssl_context: For ``wss``; by default the system's certificates decide.

    Raises:
        UsageError: The URL is not one, or there are no bots.
    """
    if count < 1:
        raise UsageError(f"A swarm of {count} bots can't play; ask for at least 1.")
    address = parse_address(url)
    dial = dial or tcp_dial(address, ssl_context)
    swarm = Swarm(SwarmOrder(url, room, count, duration_s, seed), dial, link)
    async with trio.open_nursery() as nursery:
        if progress:
            nursery.start_soon(show_progress, swarm)
        await swarm.run()
        nursery.cancel_scope.cancel()
    return swarm.report(trio.current_time())


def bot_name(number: int) -> str:
    """A name for a bot: short, and different for each."""
    round, index = divmod(number, len(NAMES))
    return f"{NAMES[index]} {round + 1}" if round else NAMES[index]
