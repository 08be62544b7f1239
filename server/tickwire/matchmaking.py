"""Matchmaking over HTTP: ``POST /matchmake`` finds or makes a room and keeps a seat in it.

::

    {"room": "arena", "mode": "join_or_create", "options": {"name": "Ada"}}
    -> 201 {"room": "r7", "type": "arena", "reservation": "r7.Q3v...", "expires_s": 15.0, "url": "ws://host/ws"}

Whoever joins with the reservation (PROTOCOL.md, mode "reserved") takes exactly that seat; one that nobody comes for is
free again. The answer comes when the room can take the player, however long its ``on_create`` takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast, get_args

from tickwire.head import Request
from tickwire.seating import KEEP_S
from tickwire.site import JSON, WEBSOCKET_PATH, Headers, Response
from tickwire_shared.client_messages import Join, Mode, build_join, check_depth
from tickwire_shared.closing import CloseCode, RetryPolicy, retry_policy
from tickwire_shared.errors import ProtocolError, TickwireError
from tickwire_shared.packing import MAX_CLIENT_MESSAGE_BYTES
from tickwire_shared.quoting import quote

if TYPE_CHECKING:
    from tickwire.lobby import Lobby

MAX_KEPT: Final = 1024
"""Seats that one server keeps at once: whoever asks and never comes must not take all of them."""

RETRY_AFTER_S: Final = 2

_MODES: Final = tuple(mode for mode in get_args(Mode) if mode != "reserved")
_KEYS: Final = frozenset(("room", "mode", "options"))
_STATUS: Final = {
    CloseCode.NO_SUCH_ROOM: HTTPStatus.NOT_FOUND,
    CloseCode.REFUSED: HTTPStatus.FORBIDDEN,
    CloseCode.BAD_MESSAGE: HTTPStatus.BAD_REQUEST,
}


class Matchmaker:
    """Answers matchmaking requests of one server."""

    def __init__(self, lobby: Lobby) -> None:
        """Keep seats in the rooms of ``lobby``."""
        self._lobby = lobby

    async def answer(self, request: Request) -> Response:
        """Answer a request; what is wrong with it, or why there is no seat, stands in ``error``.

        Raises:
            RequestRefused: The door doesn't let it in; it counts as a join there.
        """
        try:
            return await self._keep(read_request(request), request)
        except ProtocolError as error:
            return _refusal(error)

    async def _keep(self, join: Join, request: Request) -> Response:
        if sum(engine.seating.kept for engine in self._lobby.rooms) >= MAX_KEPT:
            raise ProtocolError("The server keeps too many seats already; come back soon.", CloseCode.SERVER_FULL)
        visitor = self._lobby.door.visitor(request, request.peer)
        engine, secret = await self._lobby.keep_seat(visitor, join)
        answer = {
            "room": engine.id,
            "type": engine.room_type.name,
            "reservation": f"{engine.id}.{secret}",
            "expires_s": KEEP_S,
            "url": _url(request),
        }
        return _json(HTTPStatus.CREATED, answer)


def read_request(request: Request) -> Join:
    """Read what is asked for.

    Raises:
        ProtocolError: It isn't what it should be; the message says how.
    """
    if (request.header("content-type") or "").partition(";")[0].strip().lower() != JSON:
        # A page of another origin can't send this type without asking, and nobody allows it.
        raise ProtocolError(f"The request's Content-Type has to be {JSON}.")
    try:
        value: object = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"The request's body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ProtocolError('The request is no object; send for example {"room": "arena"}.')
    asked = cast("dict[str, object]", value)
    stranger = next(iter(asked.keys() - _KEYS), None)
    if stranger is not None:
        raise ProtocolError(f"There is no {quote(stranger)} in a request; there are room, mode and options.")
    room, mode, options = asked.get("room"), asked.get("mode", "join_or_create"), asked.get("options", {})
    if not isinstance(room, str) or not 1 <= len(room) <= 64:
        raise ProtocolError(f"{quote(room)} is not the name or id of a room.")
    if mode not in _MODES:
        raise ProtocolError(f"{quote(mode)} is no mode; use one of {', '.join(_MODES)}.")
    if not isinstance(options, dict):
        raise ProtocolError(f"The options are {quote(options)}; they have to be an object.")
    return _bounded(Join(cast("Mode", mode), room, options=cast("dict[str, object]", options)))


def _bounded(join: Join) -> Join:
    """Refuse options that would not fit into a JOIN."""
    check_depth(join.options)
    try:
        size_bytes = len(build_join(join))
    except (TickwireError, ValueError, OverflowError) as error:
        raise ProtocolError(f"The options can't be sent in a join: {error}") from error
    if size_bytes > MAX_CLIENT_MESSAGE_BYTES:
        raise ProtocolError(f"The options make a join of {size_bytes} bytes; {MAX_CLIENT_MESSAGE_BYTES} are allowed.")
    return join


def _refusal(error: ProtocolError) -> Response:
    status = _STATUS.get(error.code)
    headers: Headers = ()
    if status is None:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        if retry_policy(error.code) is RetryPolicy.BACKOFF:
            headers = (("Retry-After", str(RETRY_AFTER_S)),)
    return _json(status, {"error": str(error), "code": int(error.code)}, headers)


def _json(status: HTTPStatus, value: Mapping[str, object], headers: Headers = ()) -> Response:
    return Response(status, JSON, json.dumps(value).encode() + b"\n", headers)


def _url(request: Request) -> str:
    """Where to join: where the request went, and over TLS if that came over TLS, to us or to a proxy before us."""
    forwarded = (request.header("x-forwarded-proto") or "").partition(",")[0].strip().lower()
    scheme = "wss" if request.secure or forwarded == "https" else "ws"
    return f"{scheme}://{request.header('host') or ''}{WEBSOCKET_PATH}"
