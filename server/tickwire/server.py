"""A whole game server: listeners, HTTP, lobby and rooms, put together.

::

    serve
     +-- house                shielded: outlives a cancellation until the players are told
     |    +-- lobby.run         owns the rooms' nursery
     |    +-- serve_listeners   one task per connection: HTTP, then perhaps a WebSocket
     +-- (body) waits to be cancelled, then tells the lobby to shut down
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path

import attrs
import structlog
import trio

from tickwire.collecting import IdleCollector
from tickwire.door import Door, DoorListener, peer_address
from tickwire.head import RequestRefused
from tickwire.http import refuse_connection, serve_http
from tickwire.limits import Limits
from tickwire.loading import RoomType
from tickwire.lobby import Lobby
from tickwire.matchmaking import Matchmaker
from tickwire.metrics import CONTENT_TYPE, Metrics
from tickwire.site import Response, Site, page_site, verdict
from tickwire.tls import open_tls
from tickwire.token_key import TokenKey
from tickwire.watchdog import watching
from tickwire.web import web_root
from tickwire_shared.errors import UsageError

# How long players get to be told about a stop: a close frame's way there and back, generously.
GRACE_S = 2.0
# What is left then (a client that doesn't answer) is cut off; this bounds the cutting.
CUT_OFF_S = 1.0

_log = structlog.get_logger(__name__)


@attrs.frozen
class Running:
    """A server that accepts connections.

    Attributes:
        host: The address it listens on.
        port: The port, which is never 0.
        secure: Whether it speaks TLS.
    """

    host: str
    port: int
    secure: bool = False

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the page."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        place = f"[{host}]" if ":" in host else host
        return f"http{'s' if self.secure else ''}://{place}:{self.port}/"


async def serve(
    rooms: Sequence[RoomType],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    web: str | os.PathLike[str] | None = None,
    tls: ssl.SSLContext | None = None,
    limits: Limits | None = None,
    origins: Sequence[str] = (),
    token_key: TokenKey | None = None,
    task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve rooms, the page, ``/healthz`` and ``/rooms`` on one port, until cancelled.

    While it serves, Python's garbage is collected between ticks (`collecting`).

    When cancelled, every player is told (close code 4040) and gets `GRACE_S` seconds to hear it; a bit
    later the server is gone, whatever its clients do.

    Args:
        rooms: The room classes that may be joined.
        host: The address to listen on; ``"0.0.0.0"`` for every network this machine is on.
        port: The port; 0 picks a free one.
        web: The folder with your game's page, served at ``/``; None for the demo's. The SDK stays at ``/sdk/``.
        tls: Makes it ``https`` and ``wss``, on the same port; see ``tickwire.certificates``. None for neither.
        limits: What the outside world may ask; safe ones unless given.
        origins: Pages that may play here, like ``"https://game.example"``, or ``"*"`` for any; those of our own host
            and port unless given. Clients that are no browsers send no origin, and are let in.
        token_key: Who joins needs a token signed with this (`load_token_key`); None: nobody needs one.
        task_status: Told the address once connections are accepted.

    Raises:
        UsageError: The rooms, the folder or the address can't be served, or an origin is none.
    """
    collector = IdleCollector()
    lobby = Lobby(rooms, door=Door(limits, origins), token_key=token_key, spare=collector.spare)
    site = _site(lobby, web)
    listeners = await _listen(host, port)
    with collector:
        async with trio.open_nursery() as nursery:
            house: trio.CancelScope = await nursery.start(_keep_house, lobby, site, listeners, tls)
            try:
                task_status.started(_address(listeners[0], secure=tls is not None))
                await trio.sleep_forever()
            finally:
                await _close_house(lobby, house)


async def _keep_house(
    lobby: Lobby,
    site: Site,
    listeners: list[trio.SocketListener],
    tls: ssl.SSLContext | None,
    task_status: trio.TaskStatus[trio.CancelScope],
) -> None:
    with trio.CancelScope(shield=True) as house, watching(lobby.running):
        async with trio.open_nursery() as nursery:
            await nursery.start(lobby.run)
            seats = trio.CapacityLimiter(lobby.door.limits.connections)
            paced = [DoorListener(listener, lobby.door) for listener in listeners]
            await nursery.start(partial(trio.serve_listeners, partial(_accept, lobby, site, seats, tls), paced))
            task_status.started(house)


async def _close_house(lobby: Lobby, house: trio.CancelScope) -> None:
    with trio.CancelScope(shield=True):
        with trio.move_on_after(GRACE_S + CUT_OFF_S):
            await lobby.shut_down(GRACE_S)
        house.cancel()


async def _accept(
    lobby: Lobby, site: Site, seats: trio.CapacityLimiter, tls: ssl.SSLContext | None, stream: trio.SocketStream
) -> None:
    try:
        seats.acquire_nowait()
    except trio.WouldBlock:
        if tls is None:
            text = f"All {lobby.door.limits.connections} connections are in use; come back later."
            await refuse_connection(stream, text)
        else:  # a handshake, which has to come before any word, is what a full server has no time for
            await trio.aclose_forcefully(stream)
        return
    try:
        with lobby.door.connected(peer_address(stream)):
            way = stream if tls is None else await open_tls(stream, tls)
            if way is not None:
                await serve_http(way, site, lobby.handle_upgrade, lobby.door.limits, lobby.door.answer_turn)
    except RequestRefused as refusal:  # raised by the door, before anything was said
        way = stream if tls is None else await open_tls(stream, tls)
        if way is not None:
            await refuse_connection(way, str(refusal), refusal.status, refusal.headers)
    except Exception:  # one connection's fault must not end the server
        _log.exception("a connection failed")
    finally:
        seats.release()


def _site(lobby: Lobby, web: str | os.PathLike[str] | None) -> Site:
    root = web_root()
    page = None if web is None else _page(Path(web))
    metrics = Metrics(lobby)
    return page_site(
        root / "sdk",
        page,
        root / "game",
        rooms=lobby.rooms_json,
        health=lobby.healthy,
        allows_page=lobby.door.allows_page,
        admit=lobby.door.admit_request,
        routes={
            "/readyz": lambda _: verdict(*lobby.ready()),
            "/metrics": lambda _: Response(HTTPStatus.OK, CONTENT_TYPE, metrics.render()),
        },
        posts={"/matchmake": Matchmaker(lobby).answer},
    )


def _page(folder: Path) -> Path:
    if not folder.is_dir():
        raise UsageError(f"the web folder {str(folder)!r} is not a folder")
    index = folder / "index.html"
    try:
        with index.open("rb"):
            return folder
    except OSError as error:
        raise UsageError(f"the web folder's page {str(index)!r} can't be read: {_reason(error)}") from error


async def _listen(host: str, port: int) -> list[trio.SocketListener]:
    if not 0 <= port <= 65535:
        raise UsageError(f"port {port} is not in 0 to 65535")
    try:
        return await trio.open_tcp_listeners(port, host=host)
    except socket.gaierror as error:
        raise UsageError(f"host {host!r} is no address of this machine: {_reason(error)}") from error
    except OSError as error:
        raise UsageError(_why_not(error, host, port)) from error


def _why_not(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} on {host} is in use: stop what uses it or choose another port"
        case errno.EACCES:
            return f"port {port} on {host} needs more rights: choose one above 1023"
        case errno.EADDRNOTAVAIL:
            return f"host {host!r} is no address of this machine: use 127.0.0.1 or 0.0.0.0"
        case _:
            return f"can't listen on {host}, port {port}: {_reason(error)}"


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _address(listener: trio.SocketListener, *, secure: bool) -> Running:
    host, port = listener.socket.getsockname()[:2]
    return Running(host, port, secure)
