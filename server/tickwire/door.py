"""The front door: whose connections are let in, from which pages, and how fast.

::

    accept -> DoorListener     too fast from one address: closed unread; in all: accepted later
    request -> Door.visitor    Origin, client's address, upgrades a second: 403, 429
    upgrade -> Door.turn       upgrades a second in all: one after the other, else 503
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import urlsplit

import attrs
import trio

from tickwire.bucket import TokenBucket
from tickwire.head import Request, RequestRefused
from tickwire.limits import Limits
from tickwire_shared.errors import UsageError

BURST_S: Final = 5.0
"""One address may open what it may in so many seconds at once: a class of pupils behind one address begins to play."""

ANSWERS_PER_S: Final = 500.0
ANSWER_BURST: Final = 100
"""A page is about 60 requests; more of them at once, and refusals, take turns."""

TURN_BURST: Final = 8
"""Upgrades done at once; each takes some milliseconds, in which no room ticks."""

MAX_ADDRESSES: Final = 16384
"""Remembered for their rates; of more, those that came first are forgotten."""

ANY_ORIGIN: Final = "*"


@attrs.frozen
class Visitor:
    """Who opened a connection.

    Attributes:
        address: The client's address as text; empty when it isn't known (a stream in memory).
        origin: Of which page, if a browser opened it.
    """

    address: str = ""
    origin: str | None = None


NOBODY: Final = Visitor()


def check_origins(origins: Sequence[str]) -> frozenset[str]:
    """Return the allowed origins as browsers write them.

    Raises:
        UsageError: One of them is no origin.
    """
    for origin in origins:
        parts = urlsplit(origin)
        whole = f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""
        if origin not in (ANY_ORIGIN, "null") and not (whole and origin.lower() == whole.lower()):
            raise UsageError(f"{origin!r} is no origin; write for example https://game.example, or * for any")
    return frozenset(origin.lower() for origin in origins)


def peer_address(stream: trio.abc.Stream) -> str:
    """The address that a connection comes from, or an empty string."""
    if isinstance(stream, trio.SSLStream):
        return peer_address(cast("trio.SSLStream[trio.abc.Stream]", stream).transport_stream)
    if not isinstance(stream, trio.SocketStream):
        return ""
    try:
        return str(stream.socket.getpeername()[0])
    except OSError:
        return ""  # gone already


def address_group(address: str) -> str | None:
    """What is counted as one client: see `Limits`. None: not counted."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return None if parsed.is_loopback else str(ipaddress.ip_network((parsed, 64), strict=False))
        parsed = parsed.ipv4_mapped
    return None if parsed.is_loopback else str(parsed)


class Door:
    """Decides who is let in. One for all listeners of a server."""

    def __init__(self, limits: Limits | None = None, origins: Sequence[str] = ()) -> None:
        """Let in by ``limits``, and browsers from pages of ``origins``; those of our own host if there are none.

        Raises:
            UsageError: One of the origins is none.
        """
        self.limits = Limits() if limits is None else limits
        self._origins = check_origins(origins)
        accepts, joins = self.limits.accepts_per_second, self.limits.joins_per_second
        self._accepts = TokenBucket(accepts, max(1.0, accepts / 10))
        self._turns = TokenBucket(joins, TURN_BURST)
        self._knocks: dict[str, TokenBucket] = {}
        self._joins: dict[str, TokenBucket] = {}
        self._answers = TokenBucket(ANSWERS_PER_S, ANSWER_BURST)
        self._requests: dict[str, TokenBucket] = {}
        self._open: Counter[str] = Counter()

    # Connections

    def knock(self, peer: str) -> bool:
        """Whether an address may open another connection so soon."""
        # A page is a handful of connections for each WebSocket.
        return self._may(self._knocks, self._direct(peer), 5 * self.limits.joins_per_address)

    def accept_delay(self) -> float:
        """Count a connection, and return the seconds that it has to wait because of all the others."""
        return self._accepts.spend(1, trio.current_time())

    @contextmanager
    def connected(self, peer: str) -> Generator[None]:
        """Count a connection for as long as the block takes.

        Raises:
            RequestRefused: Its address has all the connections it may have.
        """
        with self._counted(self._direct(peer)):
            yield

    def admit_request(self, request: Request) -> None:
        """Count a plain request.

        Raises:
            RequestRefused: Its address asks too much.
        """
        rate = self.limits.requests_per_address
        if not self._may(self._requests, address_group(self._client_address(request, request.peer)), rate):
            text = f"More than {rate:g} requests a second from one address; wait a while."
            raise RequestRefused(HTTPStatus.TOO_MANY_REQUESTS, text, (("Retry-After", "1"),))

    async def answer_turn(self) -> None:
        """Wait until it is this request's turn: between the answers to a crowd there is time for ticks."""
        await trio.sleep(self._answers.spend(1, trio.current_time()))

    # Upgrades

    def visitor(self, request: Request | None, peer: str) -> Visitor:
        """Say who asks to become a WebSocket.

        Raises:
            RequestRefused: The page is of another origin, or its address opens too many.
        """
        if request is None:
            return Visitor(peer)
        origin = request.header("origin")
        self._check_origin(origin, request.header("host"))
        address = self._client_address(request, peer)
        if not self._may(self._joins, address_group(address), self.limits.joins_per_address):
            text = f"More than {self.limits.joins_per_address:g} joins a second from one address; wait a while."
            raise RequestRefused(HTTPStatus.TOO_MANY_REQUESTS, text, (("Retry-After", "1"),))
        return Visitor(address, origin)

    @contextmanager
    def visiting(self, visitor: Visitor) -> Generator[None]:
        """Count a WebSocket that came through proxies; without any it is counted as a connection.

        Raises:
            RequestRefused: Its address has all the connections it may have.
        """
        with self._counted(address_group(visitor.address) if self.limits.trusted_proxies else None):
            yield

    async def turn(self) -> None:
        """Wait until it is this upgrade's turn.

        Raises:
            RequestRefused: That would take too long.
        """
        delay = self._turns.spend(1, trio.current_time())
        if delay > self.limits.handshake_timeout_s:
            self._turns.spend(-1, trio.current_time())
            text = "Too many want to join at once; come back in a moment."
            raise RequestRefused(HTTPStatus.SERVICE_UNAVAILABLE, text, (("Retry-After", "5"),))
        if delay:
            await trio.sleep(delay)

    # Parts

    def _direct(self, peer: str) -> str | None:
        """Whom to count for a connection of which no request is known yet: nobody, if it comes from a proxy."""
        return None if self.limits.trusted_proxies else address_group(peer)

    @contextmanager
    def _counted(self, group: str | None) -> Generator[None]:
        if group is None:
            yield
            return
        most = self.limits.connections_per_address
        if self._open[group] >= most:
            text = f"All {most} connections of this address are in use; close some."
            raise RequestRefused(HTTPStatus.TOO_MANY_REQUESTS, text, (("Retry-After", "5"),))
        self._open[group] += 1
        try:
            yield
        finally:
            self._open[group] -= 1
            if not self._open[group]:
                del self._open[group]

    def _may(self, buckets: dict[str, TokenBucket], group: str | None, rate: float) -> bool:
        if group is None:
            return True
        now = trio.current_time()
        bucket = buckets.get(group)
        if bucket is None:
            if len(buckets) >= MAX_ADDRESSES:
                _forget_some(buckets, now)
            bucket = buckets[group] = TokenBucket(rate, max(1.0, BURST_S * rate))
        return bucket.take(1, now)

    def _client_address(self, request: Request, peer: str) -> str:
        """The address that the outermost trusted proxy saw; each appends whom it heard (X-Forwarded-For)."""
        count = self.limits.trusted_proxies
        values = [value for name, value in request.headers if name == "x-forwarded-for"]
        heard = [part.strip() for part in ",".join(values).split(",")]
        if not count or len(heard) < count:
            return peer
        told = heard[-count]
        try:
            return str(ipaddress.ip_address(told))
        except ValueError:
            return peer

    def allows_page(self, origin: str, host: str | None) -> bool:
        """Whether pages of ``origin`` may connect to us, whom the browser knows as ``host``."""
        if ANY_ORIGIN in self._origins:
            return True
        if self._origins:
            return origin.lower() in self._origins
        try:
            own = urlsplit(origin).netloc.lower()
        except ValueError:  # brackets that don't match
            return False
        return own != "" and own == (host or "").lower()

    def _check_origin(self, origin: str | None, host: str | None) -> None:
        # No browser: cookies of somebody else are not in play, and any header could be made up.
        if origin is not None and not self.allows_page(origin, host):
            text = f"Pages of {origin[:100]} may not play here; the server allows them with --origin {origin[:100]}."
            raise RequestRefused(HTTPStatus.FORBIDDEN, text)


def _forget_some(buckets: dict[str, TokenBucket], now: float) -> None:
    for group in [group for group, bucket in buckets.items() if bucket.is_full(now)]:
        del buckets[group]
    while len(buckets) >= MAX_ADDRESSES:
        del buckets[next(iter(buckets))]


class DoorListener(trio.abc.Listener[trio.SocketStream]):
    """A listener that accepts no faster than its door allows."""

    def __init__(self, listener: trio.SocketListener, door: Door) -> None:
        """Accept from ``listener``, which is ours from now on."""
        self._listener = listener
        self._door = door

    async def accept(self) -> trio.SocketStream:
        """Accept the next connection whose address may have one."""
        while True:
            stream = await self._listener.accept()
            try:
                if self._door.knock(peer_address(stream)):
                    await trio.sleep(self._door.accept_delay())
                    return stream
            except BaseException:  # cancelled
                await trio.aclose_forcefully(stream)
                raise
            await trio.aclose_forcefully(stream)

    async def aclose(self) -> None:
        """Stop listening."""
        await self._listener.aclose()
