"""The end of a connection, so that the peer hears the last thing that was said to it.

Closing a socket with unread bytes in it resets the connection, and a reset may overtake what was written before
(RFC 9112, section 9.6, "lingering close").
"""

from __future__ import annotations

from typing import Final

import trio

LINGER_TIMEOUT_S: Final = 1.0
MAX_LINGER_BYTES: Final = 64 * 1024


async def linger(stream: trio.abc.Stream) -> None:
    """End our direction and read on until the peer ends its own, for a moment at most.

    Raises:
        BrokenResourceError: The peer is gone, and perhaps heard nothing.
    """
    if isinstance(stream, trio.abc.HalfCloseableStream):
        await stream.send_eof()
    left = MAX_LINGER_BYTES
    with trio.move_on_after(LINGER_TIMEOUT_S):
        while left > 0 and (data := await stream.receive_some()):
            left -= len(data)
