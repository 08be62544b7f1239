"""The end of a connection, so that the peer hears the last thing that was said to it.

Closing a socket with unread bytes in it resets the connection, and a reset may overtake what was written before
(RFC 9112, section 9.6, "lingering close").
"""

from __future__ import annotations

import contextlib
from typing import Final, cast

import trio

LINGER_TIMEOUT_S: Final = 1.0
MAX_LINGER_BYTES: Final = 64 * 1024


async def linger(stream: trio.abc.Stream) -> None:
    """End our direction and read on until the peer ends its own, for a moment at most.

    Raises:
        BrokenResourceError: The peer is gone, and perhaps heard nothing.
    """
    left = MAX_LINGER_BYTES
    with trio.move_on_after(LINGER_TIMEOUT_S):
        if isinstance(stream, trio.SSLStream):
            stream = await _end_tls(cast("trio.SSLStream[trio.abc.Stream]", stream))
        if isinstance(stream, trio.abc.HalfCloseableStream):
            await stream.send_eof()
        while left > 0 and (data := await stream.receive_some()):
            left -= len(data)


async def _end_tls(stream: trio.SSLStream[trio.abc.Stream]) -> trio.abc.Stream:
    """Say that nothing follows (RFC 8446, section 6.1), and return what the records go over."""
    # Without data for the reader, the peer's answer is all there is to wait for; with some, that is an error of TLS.
    with contextlib.suppress(trio.BrokenResourceError):
        await stream.unwrap()
    return stream.transport_stream
