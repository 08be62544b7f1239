r"""Plain HTTP on the game's port: one task per connection, until it ends or becomes a WebSocket.

::

    listener -> serve_http -> Conversation (h11) -> Site.answer -> the response
                        \-> on_upgrade(stream, bytes so far, request)    for a WebSocket
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol

import structlog
import trio

from tickwire.door import peer_address
from tickwire.head import Conversation, Request, RequestRefused
from tickwire.limits import Limits
from tickwire.lingering import linger
from tickwire.site import WEBSOCKET_PATH, Headers, Response, sentence
from tickwire.static import StaticFile

# Between two requests: a page that polls keeps its connection, one that is done doesn't keep ours for long.
KEEP_ALIVE_S = 15.0
# For each piece of a response; at 64 KiB that is 2 KiB/s, slower than any line worth playing on.
SEND_TIMEOUT_S = 30.0
CHUNK_BYTES = 64 * 1024

Turn = Callable[[], Awaitable[object]]
"""Waits until a request may be answered."""

OnUpgrade = Callable[[trio.abc.Stream, bytes, Request], Awaitable[None]]
"""Takes over a connection: its stream, every byte it has sent since the request began, and the request.

Or raises RequestRefused, before it says anything.
"""

_ALWAYS = (
    ("Cache-Control", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Server", "tickwire"),
)

DEFAULT_LIMITS = Limits()

_log = structlog.get_logger(__name__)


class Answers(Protocol):
    """Whoever has the answers to plain requests, as a `Site` has."""

    async def answer(self, request: Request) -> Response:
        """Answer a request."""
        ...


async def serve_http(
    stream: trio.abc.Stream,
    site: Answers,
    on_upgrade: OnUpgrade,
    limits: Limits = DEFAULT_LIMITS,
    turn: Turn = trio.lowlevel.checkpoint,
) -> None:
    """Answer the requests of one connection, each when ``turn`` returns, and close it.

    Whatever the peer sends ends at most this connection. Cancelling it closes the connection at once.
    """
    try:
        await _converse(stream, site, on_upgrade, limits, turn)
    except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
        pass  # the peer is gone or reads nothing: there is nobody left to tell
    finally:
        await trio.aclose_forcefully(stream)


async def refuse_connection(
    stream: trio.abc.Stream,
    text: str,
    status: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE,
    headers: Headers = (),
) -> None:
    """Say 503, or what ``status`` is, to a connection that the server has no room for, and close it."""
    try:
        await _refuse(stream, Conversation(), RequestRefused(status, text, headers))
    except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
        pass  # as above
    finally:
        await trio.aclose_forcefully(stream)


async def _converse(stream: trio.abc.Stream, site: Answers, on_upgrade: OnUpgrade, limits: Limits, turn: Turn) -> None:
    secure = isinstance(stream, trio.SSLStream)
    conversation = Conversation(limits.head_bytes, peer=peer_address(stream), secure=secure)
    idle_s = limits.head_timeout_s
    while True:
        try:
            request = await _next_request(stream, conversation, idle_s, limits.head_timeout_s)
        except RequestRefused as refusal:
            await _refuse(stream, conversation, refusal)
            return
        if request is None:
            return
        await turn()
        if request.path == WEBSOCKET_PATH and request.wants_websocket:
            try:
                await on_upgrade(stream, conversation.raw, request)
            except RequestRefused as refusal:
                await _refuse(stream, conversation, refusal)
            return
        await _send(stream, conversation, await _answer(site, request), with_body=request.method != "HEAD")
        if not conversation.next_cycle():
            return
        idle_s = KEEP_ALIVE_S


async def _next_request(
    stream: trio.abc.Stream, conversation: Conversation, idle_s: float, timeout_s: float
) -> Request | None:
    """Read until a request is complete; None when the peer ends, or says nothing for ``idle_s`` between requests."""
    if not conversation.begun:
        with trio.move_on_after(idle_s) as silence:
            conversation.feed(bytes(await stream.receive_some()))
        if silence.cancelled_caught:
            return None
    with trio.move_on_after(timeout_s):
        while True:
            try:
                request = conversation.next_request()
            except EOFError:
                return None
            if request is not None:
                return request
            await _send_all(stream, conversation.interim())
            conversation.feed(bytes(await stream.receive_some()))
    text = f"The request was not complete after {timeout_s:g} seconds."
    raise RequestRefused(HTTPStatus.REQUEST_TIMEOUT, text)


async def _answer(site: Answers, request: Request) -> Response:
    try:
        return await site.answer(request)
    except RequestRefused as refusal:
        return sentence(refusal.status, str(refusal), refusal.headers)
    except Exception:  # a fault in one answer must not end the server
        _log.exception("a request failed", path=request.path)
        return sentence(HTTPStatus.INTERNAL_SERVER_ERROR, "The server failed to answer; its log says why.")


async def _send(stream: trio.abc.Stream, conversation: Conversation, response: Response, *, with_body: bool) -> None:
    body = response.body
    length = body.size_bytes if isinstance(body, StaticFile) else len(body)
    date = ("Date", formatdate(usegmt=True))
    headers = [date, ("Content-Type", response.content_type), *_ALWAYS, *response.headers]
    if response.status not in (HTTPStatus.NOT_MODIFIED, HTTPStatus.NO_CONTENT):
        headers.append(("Content-Length", str(length)))
    head = conversation.respond(response.status, headers)
    if not with_body or length == 0:
        await _send_all(stream, head + conversation.finish())
    elif isinstance(body, StaticFile):
        await _send_file(stream, conversation, head, body)
    else:
        await _send_all(stream, head + conversation.body(body) + conversation.finish())


async def _send_file(stream: trio.abc.Stream, conversation: Conversation, head: bytes, file: StaticFile) -> None:
    """Send exactly the promised length; a file that shrank meanwhile ends the connection, as HTTP wants."""
    left = file.size_bytes
    async with await trio.open_file(file.path, "rb") as content:
        while left > 0:
            chunk = await content.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise trio.BrokenResourceError(f"{file.path} became shorter while it was sent")
            left -= len(chunk)
            await _send_all(stream, head + conversation.body(chunk))
            head = b""
    await _send_all(stream, conversation.finish())


async def _send_all(stream: trio.abc.Stream, data: bytes) -> None:
    if not data:
        return
    with trio.fail_after(SEND_TIMEOUT_S):
        await stream.send_all(data)


async def _refuse(stream: trio.abc.Stream, conversation: Conversation, refusal: RequestRefused) -> None:
    answer = sentence(refusal.status, str(refusal), (*refusal.headers, ("Connection", "close")))
    await _send(stream, conversation, answer, with_body=conversation.wants_body)
    await linger(stream)
