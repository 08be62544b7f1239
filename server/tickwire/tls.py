r"""TLS on the game's port: one connection, from its first byte to the stream that HTTP and the WebSocket are spoken on.

::

    socket --0x16 (a TLS record)--> handshake -> SSLStream -> HTTP
          \--anything else--> plain HTTP: a redirect for a page, a sentence for the rest

Plain HTTP is answered so that ``http://`` typed by a person works, and so that a client can tell a port that wants
TLS from one where nobody listens.
"""

from __future__ import annotations

import socket
import ssl
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import structlog
import trio

from tickwire.head import Request
from tickwire.http import refuse_connection, serve_http
from tickwire.site import WEBSOCKET_PATH, Response, sentence

HANDSHAKE_TIMEOUT_S: Final = 10.0
"""From the connection to the end of the handshake, which takes two round trips."""

_HANDSHAKE_RECORD: Final = b"\x16"  # RFC 8446, section 5.1: what a ClientHello comes in
_MACHINE_PATHS: Final = frozenset(("/healthz", "/readyz", "/rooms", "/metrics", "/matchmake", WEBSOCKET_PATH))
_WRONG_SCHEME: Final = "This port speaks TLS: use https:// and wss:// instead of http:// and ws://."

SecureStream = trio.SSLStream[trio.SocketStream]

# RFC 2817, section 4.2. Any page may read it: it tells why a connection failed.
_UPGRADE: Final = (("Upgrade", "TLS/1.2"), ("Connection", "Upgrade"), ("Access-Control-Allow-Origin", "*"))

_log = structlog.get_logger(__name__)


async def open_tls(stream: trio.SocketStream, context: ssl.SSLContext) -> SecureStream | None:
    """Do a server's handshake on a new connection; None when there is nobody to go on with.

    A client that speaks plain HTTP gets an answer that says so. The stream is closed unless it is returned.
    """
    with trio.move_on_after(HANDSHAKE_TIMEOUT_S):
        try:
            first = await stream.socket.recv(1, socket.MSG_PEEK)
            if first == _HANDSHAKE_RECORD:
                secure = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
                await secure.do_handshake()
                return secure
            if first:
                await serve_http(stream, _PlainSite(), _refuse_upgrade)
        except (OSError, trio.BrokenResourceError) as error:
            # Scanners, and browsers that don't trust the certificate; the latter's words are in the cause.
            _log.debug("no TLS handshake", reason=str(error.__cause__ or error))
    await trio.aclose_forcefully(stream)
    return None


class _PlainSite:
    """What the port answers without TLS."""

    async def answer(self, request: Request) -> Response:
        """Lead a page to https; tell anything else."""
        host = request.header("host")
        if host is None or request.path in _MACHINE_PATHS:
            return sentence(HTTPStatus.UPGRADE_REQUIRED, _WRONG_SCHEME, _UPGRADE)
        query = f"?{request.query}" if request.query else ""
        location = f"https://{host}{quote(request.path)}{query}"
        return sentence(HTTPStatus.TEMPORARY_REDIRECT, f"See {location}", (("Location", location),))


async def _refuse_upgrade(stream: trio.abc.Stream, head: bytes, request: Request) -> None:
    await refuse_connection(stream, _WRONG_SCHEME, HTTPStatus.UPGRADE_REQUIRED, _UPGRADE)
