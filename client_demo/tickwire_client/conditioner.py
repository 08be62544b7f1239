"""A bad network on demand: delay, jitter, stalls and a narrow line, under one client's WebSocket.

::

    client -> send_all -> Lane out -> pump -> the real stream
    client <- receive_some <- Lane in <- pump <- the real stream

TCP loses nothing and keeps the order, so a bad network shows as lateness alone: a lost packet holds up
everything behind it (a stall), then all of it comes at once. So does a ``Link``. Its randomness is seeded,
its time is trio's: under a virtual clock a test runs the same way each time.
"""

from __future__ import annotations

import random
from collections import deque
from math import inf
from typing import Any, Final

import attrs
import trio

from tickwire_shared.errors import UsageError

MAX_UNDER_WAY_BYTES: Final = 256 << 10
"""In one direction. Beyond it the sender has to wait, as for a full TCP window."""

MAX_BACKLOG_S: Final = 0.2
"""How long bytes may wait for a narrow line before their sender has to: about what a home router buffers."""

RECEIVE_BYTES: Final = 65_536

_MS: Final = 1000.0


def _at_least_zero(link: Link, attribute: attrs.Attribute[float], value: float) -> None:
    if not 0 <= value < inf:
        raise UsageError(f"A link with {attribute.name}={value!r}; use a number of milliseconds from 0 on.")


def _above_zero(link: Link, attribute: attrs.Attribute[float], value: float) -> None:
    if not value > 0:
        raise UsageError(f"A link with {attribute.name}={value!r}; use a number above 0, math.inf for no limit.")


def _shorter_than_its_period(link: Link, attribute: attrs.Attribute[float], value: float) -> None:
    _at_least_zero(link, attribute, value)
    if value >= link.stall_every_ms:
        raise UsageError(
            f"A link that stalls for {value!r} ms every {link.stall_every_ms!r} ms never moves; "
            "use a stall_ms below stall_every_ms."
        )


def _longer_than_its_stall(link: Link, attribute: attrs.Attribute[float], value: float) -> None:
    _above_zero(link, attribute, value)
    if value <= link.stall_ms:
        raise UsageError(
            f"A link that stalls for {link.stall_ms!r} ms every {value!r} ms never moves; "
            "use a stall_every_ms above stall_ms."
        )


@attrs.define(eq=False, kw_only=True)
class Link:
    """How good the way between a client and its server is. Pass it as ``link=`` to ``connect`` or ``World.join``.

    Change the attributes while it is in use: what is sent from then on finds the new conditions, what is
    already under way arrives as it would have. One link may serve many clients; each has a randomness
    of its own.

    Attributes:
        delay_ms: How long each direction takes.
        jitter_ms: Each message takes up to this much more or less, evenly spread. The order stays, so with
            messages that follow each other closely the later ones push out the earlier ones' luck.
        stall_every_ms: Both directions stand still once in this time, counted from when the client connected ...
        stall_ms: ... for this long; then everything held up arrives at once. 0: no stalls.
        bytes_per_second: What each direction carries at most.
        seed: Of the jitter.
    """

    delay_ms: float = attrs.field(default=0.0, validator=_at_least_zero)
    jitter_ms: float = attrs.field(default=0.0, validator=_at_least_zero)
    stall_every_ms: float = attrs.field(default=inf, validator=_longer_than_its_stall)
    stall_ms: float = attrs.field(default=0.0, validator=_shorter_than_its_period)
    bytes_per_second: float = attrs.field(default=inf, validator=_above_zero)
    seed: int = attrs.field(default=0, on_setattr=attrs.setters.frozen)
    _carried: int = attrs.field(default=0, init=False)

    @classmethod
    def of_round_trip(cls, rtt_ms: float, jitter_ms: float = 0.0, **others: Any) -> Link:
        """A link with a round trip of ``rtt_ms``, give or take ``jitter_ms``: each direction has half of both.

        Raises:
            UsageError: A value is negative or no number.
        """
        return cls(delay_ms=rtt_ms / 2, jitter_ms=jitter_ms / 2, **others)

    def carry(self, nursery: trio.Nursery, stream: trio.abc.Stream) -> LinkedStream:
        """Put ``stream`` behind this link. Two tasks in ``nursery`` move the bytes, until it is cancelled."""
        self._carried += 1
        linked = LinkedStream(self, stream, random.Random(f"{self.seed}/{self._carried}"))
        linked.start(nursery)
        return linked

    def trip_s(self, rng: random.Random) -> float:
        """How long the next message takes, in seconds."""
        return max(0.0, self.delay_ms + rng.uniform(-self.jitter_ms, self.jitter_ms)) / _MS

    def after_stall_s(self, time_s: float) -> float:
        """When what would arrive at ``time_s`` does, for stalls; both since the client connected."""
        phase_ms = time_s * _MS % self.stall_every_ms
        if time_s * _MS < self.stall_every_ms or phase_ms >= self.stall_ms:
            return time_s
        return time_s + (self.stall_ms - phase_ms) / _MS


class Lane:
    """The bytes under way in one direction, in order; one task puts, another takes."""

    def __init__(self, link: Link, rng: random.Random) -> None:
        """Start empty, now."""
        self._link = link
        self._rng = rng
        self._since_s = trio.current_time()
        self._free_s = self._since_s
        self._last_s = self._since_s
        self._chunks: deque[tuple[float, bytes]] = deque()
        self._error: Exception | None = None
        self._moved = trio.lowlevel.ParkingLot()
        self.under_way_bytes = 0

    async def put(self, data: bytes) -> None:
        """Send ``data`` on its way, as soon as the lane takes it; b"" is the end of the stream.

        Raises:
            BrokenResourceError or ClosedResourceError: The lane was broken or closed.
        """
        await self.wait_room(len(data))
        link, now_s = self._link, trio.current_time()
        self._free_s = max(now_s, self._free_s) + len(data) / link.bytes_per_second
        arrival_s = link.after_stall_s(self._free_s + link.trip_s(self._rng) - self._since_s) + self._since_s
        self._last_s = max(self._last_s, arrival_s)
        self._chunks.append((self._last_s, data))
        self.under_way_bytes += len(data)
        self._moved.unpark_all()

    async def wait_room(self, size_bytes: int) -> None:
        """Wait until the lane takes so many bytes more; a message larger than the lane waits until it is empty.

        Raises:
            BrokenResourceError or ClosedResourceError: The lane was broken or closed.
        """
        while self._error is None and self.under_way_bytes and self.under_way_bytes + size_bytes > MAX_UNDER_WAY_BYTES:
            await self._moved.park()
        if self._free_s - MAX_BACKLOG_S > trio.current_time():
            await trio.sleep_until(self._free_s - MAX_BACKLOG_S)
        else:
            await trio.lowlevel.checkpoint()
        if self._error is not None:
            raise self._error

    async def take(self) -> bytes:
        """Wait for the next chunk to arrive and return it; b"" at the end, again and again.

        Raises:
            BrokenResourceError or ClosedResourceError: The lane was broken, and all that was under way has been taken.
        """
        if self._settled():
            await trio.lowlevel.checkpoint()
        while not self._settled():
            with trio.move_on_at(self._chunks[0][0] if self._chunks else inf):
                await self._moved.park()
        if not self._chunks and self._error is not None:
            raise self._error
        return self._arrive()

    def _settled(self) -> bool:
        """Whether there is something to take, or never will be."""
        return self._chunks[0][0] <= trio.current_time() if self._chunks else self._error is not None

    def _arrive(self) -> bytes:
        data = self._chunks[0][1]
        if data:
            self._chunks.popleft()
            self.under_way_bytes -= len(data)
            self._moved.unpark_all()
        return data

    def close(self) -> None:
        """Lose what is under way and let nothing more in."""
        self._chunks.clear()
        self.under_way_bytes = 0
        self.fail(trio.ClosedResourceError("this stream was closed"))

    def fail(self, error: Exception) -> None:
        """Let nothing more in; the taker gets ``error`` behind what is under way."""
        self._error = self._error or error
        self._moved.unpark_all()


class LinkedStream(trio.abc.Stream):
    """A stream behind a ``Link``. Closing it loses what is under way, as pulling the cable does."""

    def __init__(self, link: Link, stream: trio.abc.Stream, rng: random.Random) -> None:
        """Put ``stream`` behind ``link``; made by ``Link.carry``."""
        self._stream = stream
        self._out = Lane(link, rng)
        self._in = Lane(link, rng)
        self._rest = b""

    def start(self, nursery: trio.Nursery) -> None:
        """Start the tasks that move the bytes."""
        nursery.start_soon(self._pump_out)
        nursery.start_soon(self._pump_in)

    @property
    def under_way_bytes(self) -> int:
        """What is on its way, in both directions together."""
        return self._out.under_way_bytes + self._in.under_way_bytes

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send on the link; returns when the link has taken the bytes, long before they arrive."""
        if data:
            await self._out.put(bytes(data))
        else:
            await trio.lowlevel.checkpoint()

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the link takes more."""
        await self._out.wait_room(1)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """The next bytes that have arrived; b"" at the end."""
        if self._rest:
            await trio.lowlevel.checkpoint()
        data = self._rest or await self._in.take()
        self._rest = b"" if max_bytes is None else data[max_bytes:]
        return data if max_bytes is None else data[:max_bytes]

    async def aclose(self) -> None:
        """Close the stream itself and both lanes."""
        self._out.close()
        self._in.close()
        await self._stream.aclose()

    async def _pump_out(self) -> None:
        try:
            while True:
                await self._stream.send_all(await self._out.take())
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._out.fail(error)

    async def _pump_in(self) -> None:
        try:
            await self._in.wait_room(1)  # a line that is full takes nothing, so that the server feels it
            while data := bytes(await self._stream.receive_some(RECEIVE_BYTES)):
                await self._in.put(data)
                await self._in.wait_room(1)
            await self._in.put(b"")
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._in.fail(error)
