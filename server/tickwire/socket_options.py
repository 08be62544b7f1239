"""How the kernel is to treat a player's socket: to send at once, and not to hoard."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final, cast

import trio

NOTSENT_LOWAT_BYTES: Final = 1
"""How much may wait in the kernel behind what is on the wire already, before the socket counts as full: nothing.

Whatever waits there gets old and can't be taken back. A connection that lags should block at once, so that its next
frame is made of the newest state; on one that keeps up nothing waits anyhow. (trio's own default is 16 KiB: 8 s of a
line of 2 kB/s.) A frame that is begun is taken up to a packet buffer's size, so small ones are never cut.
"""

_NOTSENT_LOWAT: Final[int | None] = getattr(socket, "TCP_NOTSENT_LOWAT", None)


def tune(stream: trio.abc.Stream) -> None:
    """Set TCP_NODELAY, and TCP_NOTSENT_LOWAT where there is one, on the TCP socket under ``stream``, if any."""
    while isinstance(stream, trio.SSLStream):
        stream = cast("trio.SSLStream[trio.abc.Stream]", stream).transport_stream
    if not isinstance(stream, trio.SocketStream):
        return
    if stream.socket.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with suppress(OSError):  # macOS refuses when the peer is gone already; whoever reads next finds out
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if _NOTSENT_LOWAT is not None:
            stream.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, NOTSENT_LOWAT_BYTES)
