r"""Traffic: how much each connection sends, against its limits; who sends too much is slowed down, then closed.

::

    transport counts frames and bytes -> TrafficWatch, twice a second -> Traffic.check -> pause | close
                    \-a read that holds a crowd of frames, at once --------/

A message costs an int here. Those that the hub puts on the board are not counted: they are one for each tick, and so
bounded already. What is over the limit is not read, so that TCP slows the sender down; nothing is lost,
it comes later. Who goes on for long is no slow client but a flood, and is closed with 4044.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Final, Protocol

import trio

from tickwire.bucket import TokenBucket
from tickwire.limits import Limits
from tickwire_shared.closing import CloseCode

CHECK_S: Final = 0.5
"""Between two looks at a connection."""

BURST_S: Final = 2.0
"""A client whose line was stuck for so long may send what it has at once."""

MAX_PAUSE_S: Final = 3.0
"""Who is further over its limit than that sends it back to normal is closed: waiting would kill the game anyway."""

MAX_PAUSES: Final = 3
"""In a row, with no moment in between in which the limits were kept."""

Close = Callable[[int, str], None]


class Metered(Protocol):
    """What traffic needs of a transport."""

    frames_in: int
    bytes_in: int
    on_crowd: Callable[[], object]
    on_stir: Callable[[], object] | None

    def pause(self) -> None:
        """Read and deliver nothing more."""
        ...

    def unpause(self) -> None:
        """Go on."""
        ...


class Traffic:
    """One connection's traffic.

    Attributes:
        pauses: How often in a row it was slowed down.
    """

    def __init__(self, source: Metered, limits: Limits, close: Close) -> None:
        """Count from now on; ``close`` ends the connection with a code and a sentence."""
        self.pauses = 0
        self._source = source
        self._close = close
        self._limits = limits
        self._messages = TokenBucket(limits.messages_per_second, BURST_S * limits.messages_per_second)
        self._bytes = TokenBucket(limits.bytes_per_second, BURST_S * limits.bytes_per_second)
        self._frames_seen: int = source.frames_in
        self._bytes_seen: int = source.bytes_in
        self._easy_frames = CHECK_S * limits.messages_per_second
        self._easy_bytes = CHECK_S * limits.bytes_per_second
        self._calm = False
        self._paused_until: float | None = None
        self._closed = False

    def look(self) -> bool:
        """Look in passing, every `CHECK_S`: who had a full bucket and spends what flows back is not even counted.

        Returns:
            Whether there is no need to look again before something comes.
        """
        source = self._source
        frames, size = source.frames_in, source.bytes_in
        if (
            self._calm
            and frames - self._frames_seen <= self._easy_frames
            and size - self._bytes_seen <= self._easy_bytes
        ):
            if size == self._bytes_seen:
                return True
            self._frames_seen, self._bytes_seen = frames, size
        else:
            self.check()
        return False

    def check(self) -> None:
        """Look at what came since the last time; slow the connection down, close it, or let it go on."""
        if self._closed:
            return
        now = trio.current_time()
        source = self._source
        frames, size = source.frames_in - self._frames_seen, source.bytes_in - self._bytes_seen
        self._frames_seen, self._bytes_seen = source.frames_in, source.bytes_in
        was_full = self._messages.is_full(now) and self._bytes.is_full(now)
        self._calm = was_full and frames <= self._easy_frames and size <= self._easy_bytes
        messages_s = self._messages.spend(frames, now)
        bytes_s = self._bytes.spend(size, now)
        over_s = max(messages_s, bytes_s)
        if self._paused_until is not None:
            if now >= self._paused_until:
                self._paused_until = None
                source.unpause()
        elif over_s > 0.0:
            self._slow_down(over_s, now, "messages" if messages_s >= bytes_s else "bytes")
        elif was_full:
            self.pauses = 0

    def _slow_down(self, over_s: float, now: float, what: str) -> None:
        self._source.pause()
        if over_s > MAX_PAUSE_S or self.pauses == MAX_PAUSES:
            # Stays paused: what else it sends costs nothing.
            self._closed = True
            limit = self._limits.messages_per_second if what == "messages" else self._limits.bytes_per_second
            self._close(CloseCode.TOO_MANY_MESSAGES, f"More than {limit:g} {what} a second; send less.")
            return
        self.pauses += 1
        self._paused_until = now + over_s


class TrafficWatch:
    """Looks at the traffic of all connections that talk, a few times a second."""

    def __init__(self, limits: Limits) -> None:
        """Start with nobody to look at."""
        self._limits = limits
        self._talking: dict[Traffic, Metered] = {}
        self._news = trio.Event()

    @contextmanager
    def watching(self, source: Metered, close: Close) -> Generator[Traffic]:
        """Watch a connection for as long as the block takes."""
        traffic = Traffic(source, self._limits, close)
        source.on_crowd = traffic.check
        self._begin(traffic, source)
        try:
            yield traffic
        finally:
            source.on_stir = None
            self._talking.pop(traffic, None)

    def _begin(self, traffic: Traffic, source: Metered) -> None:
        self._talking[traffic] = source
        self._news.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            if not self._talking:
                self._news = trio.Event()
                await self._news.wait()
            await trio.sleep(CHECK_S)
            self._look_at_all()

    def _look_at_all(self) -> None:
        for traffic, source in list(self._talking.items()):
            if traffic.look():
                del self._talking[traffic]
                source.on_stir = partial(self._begin, traffic, source)
