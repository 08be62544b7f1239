"""What time and which tick it is at the server, as seen from here.

Four time stamps per PING (t1 sent, t2 received, t3 answered, t4 back here) tell how long either way took,
as far as the two clocks agree. A queue can only make a way longer, so the quickest trip of the last ten
seconds in each direction (the *lower envelope*, after Moon, Skelly and Towsley, 1999) is the one to go by; the two
need not be of the same PING. In simulation, with a jitter of 40 ms, that is a third closer than the mean of the
PINGs with short round trips (1.7 against 2.7 ms). What is shown never jumps while the error is small: it is slewed.

Pure: every method is told the local time in milliseconds. `time` means the server's clock.
"""

from __future__ import annotations

from collections import deque
from math import expm1, floor

from attrs import define, field, frozen

from tickwire_shared.ticks import TICK_MODULUS, tick_distance

WINDOW_MS = 10_000.0  # long enough to catch quiet moments, short enough to follow 50 ppm of drift
SLEW_MS = 250.0  # the shown clock closes in on the measured one with this time constant ...
SLEW_RATE = 0.05  # ... but runs at most this much fast or slow, which nobody sees ...
STEP_OVER_MS = 250.0  # ... unless the error is larger: a slept laptop, another server. Then it steps.
EAGER_PINGS = 8
EAGER_PING_MS = 250.0
PING_MS = 1_000.0
# Who sleeps until a PING is due counts in seconds: on waking, the time in ms may be a rounding error
# short. Not due then, it would sleep until now, again and again; a virtual clock would stand still.
ROUNDING_MS = 0.001
SMOOTHING = 1 / 8  # of the shown round trip and jitter, as in TCP's estimator


@frozen(slots=True)
class ClockSample:
    """One PING's worth of knowledge."""

    at_ms: float
    rtt_ms: float
    there_ms: float
    """t2 - t1: the way there plus the offset."""
    back_ms: float
    """t4 - t3: the way back minus the offset."""


@define
class ServerClock:
    """Estimates the server's clock from PONGs, and its tick from EPOCHs.

    Attributes:
        rtt_ms: The smoothed round trip; 0 until the first PONG.
        jitter_ms: The smoothed deviation of the round trip.
    """

    hz: float = 0.0
    rtt_ms: float = 0.0
    jitter_ms: float = 0.0
    _samples: deque[ClockSample] = field(factory=deque[ClockSample], init=False)
    _target_ms: float | None = field(default=None, init=False)
    _shown_ms: float = field(default=0.0, init=False)
    _shown_at_ms: float = field(default=0.0, init=False)
    _trusted: bool = field(default=False, init=False)
    _epoch_tick: int = field(default=0, init=False)
    _epoch_ms: float | None = field(default=None, init=False)

    @property
    def synced(self) -> bool:
        """Whether both the offset and the epoch are known, at least roughly."""
        return self._target_ms is not None and self._epoch_ms is not None and self.hz > 0

    @property
    def measured(self) -> bool:
        """Whether a PONG has come on this connection."""
        return bool(self._samples)

    @property
    def best_rtt_ms(self) -> float:
        """The shortest round trip in the window; 0 before the first."""
        return min((sample.rtt_ms for sample in self._samples), default=0.0)

    @property
    def tick_ms(self) -> float:
        """How long one tick lasts."""
        return 1000.0 / self.hz

    def observe_pong(self, t1: float, t2: float, t3: float, t4: float) -> float:
        """Learn from one PONG and return its round trip in milliseconds.

        Args:
            t1: Local time when PING was sent.
            t2: Server time when it arrived.
            t3: Server time when PONG left.
            t4: Local time when PONG arrived.
        """
        rtt = max(0.0, (t4 - t1) - (t3 - t2))
        self._smooth(rtt)
        self._samples.append(ClockSample(t4, rtt, t2 - t1, t4 - t3))
        while self._samples[0].at_ms < t4 - WINDOW_MS:
            self._samples.popleft()
        self._target_ms = self._envelope_offset()
        if not self._trusted:
            self._step(t4)
        self._trusted = True
        return rtt

    def observe_welcome(self, time: float, local_ms: float) -> None:
        """Take a first guess from a WELCOME, whose ``time`` was when it left; any PONG overrules it.

        After a resume the clock goes on as it was, unless it can't be right any more.
        """
        guess = time + self.rtt_ms / 2 - local_ms
        if not self._trusted or abs(guess - self._shown_ms) > STEP_OVER_MS:
            self._trusted = False
            self._target_ms = guess
            self._step(local_ms)

    def observe_epoch(self, tick: int, time: float) -> None:
        """Tick ``tick`` is due at the server's ``time``, and later ones ``1000 / hz`` apart."""
        self._epoch_tick = self.unwrap(tick)
        self._epoch_ms = time

    def unwrap(self, tick: int) -> int:
        """The place of a u32 on the line that ``tick_at`` counts on, which never wraps."""
        return self._epoch_tick + tick_distance(tick, self._epoch_tick % TICK_MODULUS)

    def forget_path(self) -> None:
        """Drop what was learnt of the network: the next connection may take another way."""
        self._samples.clear()

    def offset_ms(self, local_ms: float) -> float:
        """Server time minus local time, slewed towards the newest estimate."""
        if self._target_ms is None:
            return 0.0
        error = self._target_ms - self._shown_ms
        if abs(error) > STEP_OVER_MS:
            self._step(local_ms)
            return self._shown_ms
        elapsed_ms = max(0.0, local_ms - self._shown_at_ms)
        reach = SLEW_RATE * elapsed_ms
        self._shown_ms += max(-reach, min(reach, error * -expm1(-elapsed_ms / SLEW_MS)))
        self._shown_at_ms += elapsed_ms
        return self._shown_ms

    def time_at(self, local_ms: float) -> float:
        """The server's clock at a local time."""
        return local_ms + self.offset_ms(local_ms)

    def tick_at(self, local_ms: float) -> float:
        """The tick, with fraction, that the server's schedule has reached.

        Counted on without wrapping; take it modulo 2^32 for the wire.
        0 until ``synced``.
        """
        epoch_ms = self._epoch_ms
        if epoch_ms is None or self.hz <= 0:
            return 0.0
        return self._epoch_tick + (self.time_at(local_ms) - epoch_ms) * self.hz / 1000.0

    def due_ms(self, tick: float) -> float:
        """The server's time at which ``tick``, not wrapped, is due. 0 until ``synced``."""
        epoch_ms = self._epoch_ms
        if epoch_ms is None or self.hz <= 0:
            return 0.0
        return epoch_ms + (tick - self._epoch_tick) * 1000.0 / self.hz

    def _smooth(self, rtt: float) -> None:
        if not self._samples and self.rtt_ms == 0.0:
            self.rtt_ms = rtt
            self.jitter_ms = rtt / 4
            return
        self.jitter_ms += (abs(rtt - self.rtt_ms) - self.jitter_ms) * SMOOTHING
        self.rtt_ms += (rtt - self.rtt_ms) * SMOOTHING

    def _envelope_offset(self) -> float:
        there = min(sample.there_ms for sample in self._samples)
        back = min(sample.back_ms for sample in self._samples)
        return (there - back) / 2

    def _step(self, local_ms: float) -> None:
        """Show the target at once."""
        assert self._target_ms is not None
        self._shown_ms = self._target_ms
        self._shown_at_ms = max(local_ms, self._shown_at_ms)


@define
class PingTimer:
    """When to send the next PING: quickly at first, then once a second."""

    _sent: int = field(default=0, init=False)
    _due_ms: float = field(default=0.0, init=False)

    @property
    def due_ms(self) -> float:
        """The local time at which the next PING is due; 0 is at once."""
        return self._due_ms

    def take(self, local_ms: float) -> bool:
        """Whether a PING is due now; if so, the next one is scheduled."""
        if local_ms < self._due_ms - ROUNDING_MS:
            return False
        self._sent += 1
        gap = EAGER_PING_MS if self._sent < EAGER_PINGS else PING_MS
        self._due_ms = local_ms + gap
        return True


def whole_tick(tick: float) -> int:
    """The wire's u32 for a tick with fraction: the last one begun."""
    return floor(tick) % TICK_MODULUS
