"""How many ticks ahead of the server an input has to be addressed to arrive in time.

The server reports, about four times a second, by how many ticks the newest input was early (its *slack*, at
worst since the last report; negative when inputs came late). An input that left with a lead of L ticks and was s early
needed at most L - s of them, whatever the reason: the way, its jitter, a slow timer here, a wrong clock.
The lead is held half a tick to one tick above what inputs needed.

Which of the last reports decides? A TCP link doesn't lose, it stalls: for a moment nothing arrives, then
all of it. Leading by more would not have helped, and would make every later input older; so the worst
quarter of the last three seconds is left aside, which is longer than a stall. What needs more for longer, like
another path, is followed as soon as that is clear, in one step. Less is followed slowly, by stretching the local
tick, because each tick taken back is one without a new input. Within the band nothing moves, so nothing oscillates.

The idea of steering by the reported slack is that of Unity's Netcode (``TargetCommandSlack``) and lightyear;
choosing an order statistic of it instead of growing and decaying a margin is our own.
"""

from __future__ import annotations

from collections import deque

from attrs import define, field

from tickwire_shared.ticks import tick_add, tick_distance

REPORTS = 12
"""Reports that are looked at: three seconds."""
REPORT_MS = 250.0
"""How often the server reports; it leaves out those that would say the same."""
IGNORED_SHARE = 0.25
"""The worst quarter is left aside: a stall of 400 ms spoils three reports at most."""
LEAST_MARGIN_TICKS = 0.5
MOST_MARGIN_TICKS = 1.0
"""Slack is whole ticks, so needs are known to within one: a wider band holds them still, a narrower one doesn't."""
FIRST_MARGIN_TICKS = 1.5
"""Before the first report: a tick, and half of one for the jitter that nobody knows yet."""
MOST_LEAD_TICKS = 28.0
"""The server refuses inputs more than 32 ahead (PROTOCOL.md, section 10)."""
SHRINK_RATE = 0.05
"""The local tick is stretched by at most 5 %."""
RELIEF_RATE = 0.4
"""After an overload by more: the lead is ticks too long then, and the server has just become a quick one again."""
_REMEMBERED = 128  # leads of ticks sent: more than are ever under way


@define
class LeadController:
    """Holds the lead of one connection. Pure: told the time, the round trip and the server's reports.

    Attributes:
        lead_ticks: The lead now.
    """

    lead_ticks: float = field(default=0.0, init=False)
    _needs: deque[float] = field(factory=lambda: deque[float](maxlen=REPORTS), init=False)
    _need: float | None = field(default=None, init=False)
    _slack: int = field(default=0, init=False)
    _reported_ms: float = field(default=0.0, init=False)
    _stepped_ms: float | None = field(default=None, init=False)
    _first: int | None = field(default=None, init=False)
    _sent: dict[int, tuple[int, float]] = field(factory=dict[int, tuple[int, float]], init=False)
    _shrink_rate: float = field(default=SHRINK_RATE, init=False)

    def note_sent(self, tick: int) -> None:
        """Remember with which lead the input for ``tick`` left."""
        if self._first is None:
            self._first = tick
        self._sent[tick % _REMEMBERED] = (tick, self.lead_ticks)

    def observe_news(self, tick: int, slack: int, local_ms: float) -> None:
        """Learn from the report of ``tick`` how early inputs were, at worst, since the last report."""
        newest = tick_add(tick, slack)
        if self._first is None or tick_distance(newest, self._first) < 0 or slack < -_REMEMBERED:
            return  # of an older connection, or from before a pause: no news of this link
        self._fill(local_ms)
        sent, lead = self._sent.get(newest % _REMEMBERED, (None, 0.0))
        self._note((lead if sent == newest else self.lead_ticks) - slack)
        self._slack = slack
        self._reported_ms = local_ms

    def step(self, local_ms: float, rtt_ms: float, tick_ms: float) -> float:
        """Move the lead towards its aim and return it, in ticks with fraction."""
        self._fill(local_ms)
        aim = min(max(self._aim(rtt_ms / 2 / tick_ms), 0.0), MOST_LEAD_TICKS)
        if self._stepped_ms is None or aim >= self.lead_ticks:
            self.lead_ticks = aim
        else:
            reach = self._shrink_rate * max(0.0, local_ms - self._stepped_ms) / tick_ms
            self.lead_ticks = max(aim, self.lead_ticks - reach)
        if self.lead_ticks == aim:
            self._shrink_rate = SHRINK_RATE
        self._stepped_ms = local_ms
        return self.lead_ticks

    def relieve(self) -> None:
        """Find the lead anew, and soon: what inputs needed while the server was overloaded says nothing any more."""
        self._needs.clear()
        self._need = None
        self._shrink_rate = RELIEF_RATE

    def restart(self) -> None:
        """Begin anew on a new connection: it may take another way."""
        self._needs.clear()
        self._need = None
        self._sent.clear()
        self._first = None
        self._stepped_ms = None

    def _aim(self, way_ticks: float) -> float:
        if self._need is None:
            return way_ticks + FIRST_MARGIN_TICKS
        return min(max(self.lead_ticks, self._need + LEAST_MARGIN_TICKS), self._need + MOST_MARGIN_TICKS)

    def _note(self, need: float) -> None:
        self._needs.append(need)
        worst_first = sorted(self._needs, reverse=True)
        self._need = worst_first[int(len(worst_first) * IGNORED_SHARE)]

    def _fill(self, local_ms: float) -> None:
        """A report that didn't come would have said the same as the last one."""
        if not self._needs:
            return
        missing = min(REPORTS, int((local_ms - self._reported_ms) / REPORT_MS) - 1)
        for _ in range(missing):
            self._note(self.lead_ticks - self._slack)
        if missing > 0:
            self._reported_ms = local_ms - REPORT_MS
