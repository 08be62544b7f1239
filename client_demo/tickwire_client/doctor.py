r"""``tickwire doctor``: why can't I connect?

Looks at one thing after the other, as a browser would meet them, and stops at the first that is wrong::

    name -> port -> tls -> http -> upgrade -> origin -> protocol -> join -> snapshot -> round trip
    (each on a connection of its own up to the upgrade)      \-- on one connection ----------/

The join takes a seat for about a second, and gives it up.
"""

from __future__ import annotations

import json
import socket
import ssl
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import pairwise
from typing import Final, cast

import trio
from attrs import define, field

from tickwire_client.address import Address, parse_address
from tickwire_client.client_session import ClientSession, Updated
from tickwire_client.connection import shake_hands
from tickwire_client.diagnosis import Check, Diagnosis, Failed
from tickwire_client.probe import Closed, HttpAnswer, NotHttp, Probe, get
from tickwire_client.sender import now_ms
from tickwire_client.symptoms import (
    is_mixed_content,
    is_origin,
    readable,
    wants_tls,
    why_it_ended,
    why_no_http,
    why_no_tls,
    why_no_upgrade,
    why_not_from,
    words,
)
from tickwire_shared.client_messages import Join, build_leave, build_ping
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import ProtocolError, UsageError
from tickwire_shared.items import PROTOCOL_VERSION
from tickwire_shared.reasons import Reason, closed_because
from tickwire_shared.server_messages import Pong, parse_server

PATIENCE_S: Final = 5.0
"""For each step; what takes longer is as good as broken to somebody who wants to play."""

PINGS: Final = 10
PING_EVERY_S: Final = 0.05
_ONE_DAY_S: Final = 86_400

Tell = Callable[[Check], None]


async def examine(
    url: str,
    *,
    room: str = "arena",
    origin: str | None = None,
    options: Mapping[str, object] | None = None,
    ssl_context: ssl.SSLContext | None = None,
    tell: Tell = lambda check: None,
) -> Diagnosis:
    """Find out whether a player could play at ``url``, and if not, why.

    Args:
        url: The server, as for ``connect``.
        room: The room type to join; ends after about a second.
        origin: Where the page comes from, like ``https://example.org``; None for the server's own page.
        options: Handed to the room, besides the name "doctor".
        ssl_context: For ``wss``; by default the system's certificates decide.
        tell: Is called with each check as it ends.

    Raises:
        UsageError: The URL is not one, or the origin.
    """
    address = parse_address(url)
    if origin is not None and not is_origin(origin):
        raise UsageError(f"{origin!r} is no origin; use one like https://example.org, as a browser has it.")
    join = Join("join_or_create", room, options={"name": "doctor", **(options or {})})
    context = ssl_context or ssl.create_default_context()
    async with trio.open_nursery() as nursery:  # so that a cancellation closes what is open
        doctor = Doctor(address, join, origin or own_origin(address), context, tell)
        try:
            return await doctor.examine()
        finally:
            await doctor.aclose()
            nursery.cancel_scope.cancel()


def own_origin(address: Address) -> str:
    """The origin of the page that the server itself serves."""
    return f"http{'s' if address.secure else ''}://{address.host_header}"


@define(eq=False)
class Doctor:
    """One examination. Each ``check_`` method returns what it saw, or raises Failed."""

    address: Address
    join: Join
    origin: str
    context: ssl.SSLContext
    tell: Tell
    checks: list[Check] = field(init=False, factory=list[Check])
    _place: tuple[str, int] = field(init=False, default=("", 0))
    _stream: trio.abc.Stream | None = field(init=False, default=None)
    _probe: Probe | None = field(init=False, default=None)
    _is_tickwire: bool = field(init=False, default=False)
    _session: ClientSession = field(init=False)
    _answer: bytes | Closed = field(init=False, default=b"")
    _rtts_ms: list[float] = field(init=False, factory=list[float])

    def __attrs_post_init__(self) -> None:
        """Prepare the join."""
        self._session = ClientSession(self.join)

    async def examine(self) -> Diagnosis:
        """Check one after the other."""
        steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [
            ("name", self.check_name),
            ("port", self.check_port),
            *([("tls", self.check_tls)] if self.address.secure else []),
            ("http", self.check_http),
            ("upgrade", self.check_upgrade),
            ("origin", self.check_origin),
            ("protocol", self.check_protocol),
            ("join", self.check_join),
            ("snapshot", self.check_snapshot),
            ("round trip", self.check_round_trip),
        ]
        for name, step in steps:
            reason = await self._check(name, step)
            if reason is not None:
                return Diagnosis(self.address.url, tuple(self.checks), reason)
        return Diagnosis(self.address.url, tuple(self.checks), None, *_spread(self._rtts_ms))

    async def _check(self, name: str, step: Callable[[], Awaitable[str]]) -> str | None:
        began = trio.current_time()
        reason: str | None = None
        try:
            with trio.fail_after(PATIENCE_S):
                detail = await step()
        except trio.TooSlowError:
            reason = (Reason.NOT_THERE if name in ("name", "port") else Reason.NO_ANSWER).value
            detail = f"no answer within {PATIENCE_S:.0f} s"
        except Failed as failed:
            reason, detail = failed.reason, str(failed)
        check = Check(name, reason is None, round((trio.current_time() - began) * 1000, 3), detail)
        self.checks.append(check)
        self.tell(check)
        return reason

    async def aclose(self) -> None:
        """Give the seat up, and close what is open."""
        with trio.move_on_after(1.0, shield=True):
            if self._probe is not None and self._session.welcome is not None:
                await self._probe.say(build_leave())
                while not isinstance(await self._probe.next(), Closed):
                    pass
        if self._stream is not None:
            await trio.aclose_forcefully(self._stream)

    async def check_name(self) -> str:
        """The host has an address."""
        host, port = self.address.host, self.address.port
        try:
            found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise Failed(Reason.NO_SUCH_NAME, f"{host} has no address: {words(error)}") from None
        return ", ".join(dict.fromkeys(str(entry[4][0]) for entry in found))

    async def check_port(self) -> str:
        """Somebody listens."""
        await self._dial_tcp()
        return f"{self.address.port} is open"

    async def check_tls(self) -> str:
        """The certificate is one that a browser would accept."""
        stream = await self._handshake()
        certificate = cast("dict[str, object]", stream.getpeercert() or {})
        left_s = ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time() if certificate else 0.0
        return f"{stream.version()}, valid for {left_s / _ONE_DAY_S:.0f} more days"

    async def check_http(self) -> str:
        """A tickwire server answers."""
        assert self._stream is not None
        folder = self.address.path.partition("?")[0].rpartition("/")[0]
        target = f"{folder}/healthz"
        answer = await get(self._stream, self.address.host_header, target)
        if isinstance(answer, NotHttp):
            raise why_no_http(answer, secure=self.address.secure)
        if not self.address.secure and wants_tls(answer):
            raise Failed(Reason.NEEDS_TLS, f"answers {answer.status}: {answer.sentence or 'use https'}")
        health = _json(answer.body)
        self._is_tickwire = health is not None and "ok" in health
        if health is None or not self._is_tickwire:
            # A proxy may pass the game alone: the upgrade decides.
            return f"{answer.status} at {target}: perhaps not tickwire"
        if health["ok"] is not True:
            raise Failed(Reason.NOT_WELL, f"{answer.status} at {target}: the server says that it is not well")
        return f"tickwire; rooms: {health.get('rooms', '?')}, players: {health.get('players', '?')}"

    async def check_upgrade(self) -> str:
        """The path leads to a WebSocket."""
        refusal = await self._upgrade(None)
        if refusal is None:
            return f"{self.address.path} is a WebSocket"
        raise why_no_upgrade(refusal, self.address.path, is_tickwire=self._is_tickwire)

    async def check_origin(self) -> str:
        """A page of that origin may connect."""
        if is_mixed_content(self.origin, self.address):
            raise Failed(Reason.MIXED_CONTENT, f"a page of {self.origin} may not open ws://")
        refusal = await self._upgrade(self.origin)
        if refusal is not None:
            raise why_not_from(self.origin, refusal)
        return f"{self.origin} may connect"

    async def check_protocol(self) -> str:
        """Both sides speak the same version."""
        assert self._probe is not None
        await self._probe.say(self._session.begin(now_ms()))
        answer = await self._probe.next()
        if isinstance(answer, Closed):
            self._answer = answer
            if closed_because(answer.code) in (closed_because(CloseCode.WRONG_PROTOCOL), Reason.LOST.value):
                raise why_it_ended(answer)
            return "the server understood the join"
        if isinstance(answer.data, str):
            raise Failed(closed_because(CloseCode.WRONG_PROTOCOL), "the server answered with a text message")
        try:
            self._session.receive(answer.data, now_ms())
        except ProtocolError as error:
            raise Failed(closed_because(CloseCode.WRONG_PROTOCOL), str(error)) from None
        return f"version {PROTOCOL_VERSION}"

    async def check_join(self) -> str:
        """The room has a seat."""
        welcome = self._session.welcome
        if isinstance(self._answer, Closed):
            raise why_it_ended(self._answer)
        assert welcome is not None
        return f"player {welcome.player} of {welcome.type} {welcome.room}"

    async def check_snapshot(self) -> str:
        """The state arrives and can be read."""
        received = 0
        while True:
            data = await self._hear()
            received += len(data)
            with readable():
                effects = self._session.receive(data, now_ms())
            if any(isinstance(effect, Updated) for effect in effects):
                return f"tick {self._session.playing().tick}, {received} bytes"

    async def check_round_trip(self) -> str:
        """How far away the server is."""
        for _ in range(PINGS):
            self._rtts_ms.append(await self._ping())
            await trio.sleep(PING_EVERY_S)
        median, jitter = _spread(self._rtts_ms)
        return f"{median:.1f} ms, jitter {jitter:.1f} ms"

    async def _dial_tcp(self) -> None:
        if self._stream is not None:
            await trio.aclose_forcefully(self._stream)
        host, port = self.address.host, self.address.port
        try:
            self._stream = await trio.open_tcp_stream(host, port)
        except OSError as error:
            raise Failed(Reason.NOT_THERE, f"nobody listens on {host}, port {port}: {words(error)}") from None

    async def _handshake(self) -> trio.SSLStream[trio.SocketStream]:
        host = self.address.host
        plain = cast("trio.SocketStream", self._stream)
        stream = trio.SSLStream(plain, self.context, server_hostname=host, https_compatible=True)
        self._stream = stream
        try:
            await shake_hands(stream)
        except OSError as error:
            raise why_no_tls(error, host) from None
        return stream

    async def _upgrade(self, origin: str | None) -> HttpAnswer | NotHttp | None:
        await self._dial_tcp()
        if self.address.secure:
            await self._handshake()
        assert self._stream is not None
        self._probe = Probe(self._stream)
        return await self._probe.upgrade(self.address.host_header, self.address.path, origin)

    async def _hear(self) -> bytes:
        assert self._probe is not None
        said = await self._probe.next()
        if isinstance(said, Closed):
            raise why_it_ended(said)
        if isinstance(said.data, str):
            raise Failed(closed_because(CloseCode.BAD_MESSAGE), "the server sent a text message")
        return said.data

    async def _ping(self) -> float:
        assert self._probe is not None
        sent = now_ms()
        await self._probe.say(build_ping(sent))
        while True:
            data = await self._hear()
            with readable():
                message = parse_server(data)
            if isinstance(message, Pong) and message.t1 == sent:
                return now_ms() - sent


def _spread(rtts_ms: list[float]) -> tuple[float, float]:
    """The median, and the mean difference of neighbours (as RFC 3550, section 6.4.1, has it, without the smoothing)."""
    return statistics.median(rtts_ms), statistics.fmean(abs(a - b) for a, b in pairwise(rtts_ms))


def _json(body: bytes) -> dict[str, object] | None:
    try:
        value: object = json.loads(body)
    except ValueError:
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None
