"""``Limits``: every bound that a server puts on the outside world, with defaults that are safe."""

from __future__ import annotations

from typing import Final

import attrs

from tickwire.head import MAX_HEAD_BYTES
from tickwire.player import MAX_NAME_LENGTH
from tickwire_shared.errors import UsageError
from tickwire_shared.packing import MAX_CLIENT_MESSAGE_BYTES

HEAD_TIMEOUT_S: Final = 5.0
"""A browser's head is one packet; who needs longer is broken, or holds connections open on purpose."""

LEAST_HEAD_BYTES: Final = 512
"""What an upgrade request of a browser without cookies takes."""

LEAST_MESSAGE_BYTES: Final = 256
"""A join with a token takes as much."""


@attrs.frozen(kw_only=True)
class Limits:
    """What the outside world may ask of one server.

    Addresses are those of clients: an IPv4 address, or the 64-bit network of an IPv6 one. A client on this machine
    (127.0.0.1, ::1) is not counted by its address, since what comes from there is you, or a proxy: behind a proxy,
    say so with ``trusted_proxies``.

    Attributes:
        connections: Open connections, plain HTTP included.
        connections_per_address: Those of one address.
        accepts_per_second: New connections a second, in all; the others wait in the system's queue.
        joins_per_second: WebSockets opened a second, in all; the others wait for their turn.
        joins_per_address: WebSockets opened a second from one address, with a burst of five seconds' worth.
        requests_per_address: Plain requests a second from one address, with a burst of five seconds' worth.
        messages_per_second: Messages a second of one connection, inputs for the next tick aside: beyond, it isn't read
            for a while, then closed.
        bytes_per_second: The same in bytes.
        head_timeout_s: Seconds for a request's head to come.
        handshake_timeout_s: Seconds for the answer to an upgrade, and to wait for a turn to join.
        join_timeout_s: Seconds from the upgrade to the join, and for on_auth.
        head_bytes: Size of a request's head.
        message_bytes: Size of a client's message; at most what the protocol allows.
        name_length: Characters of a name that a player gives itself, where the game asks for no other length.
        max_rooms: Rooms that run at once.
        trusted_proxies: Proxies in front, whose word (X-Forwarded-For) on a client's address counts.
    """

    connections: int = 8192
    connections_per_address: int = 256
    accepts_per_second: float = 1000.0
    joins_per_second: float = 100.0
    joins_per_address: float = 20.0
    requests_per_address: float = 100.0
    messages_per_second: float = 300.0
    bytes_per_second: float = 65536.0
    head_timeout_s: float = HEAD_TIMEOUT_S
    handshake_timeout_s: float = 5.0
    join_timeout_s: float = 10.0
    head_bytes: int = MAX_HEAD_BYTES
    message_bytes: int = MAX_CLIENT_MESSAGE_BYTES
    name_length: int = MAX_NAME_LENGTH
    max_rooms: int = 1000
    trusted_proxies: int = 0

    def __attrs_post_init__(self) -> None:
        """Check the values.

        Raises:
            UsageError: One makes no sense; the message names it and what it may be.
        """
        for field in attrs.fields(type(self)):
            value: float = getattr(self, field.name)
            least, most = _BOUNDS.get(field.name, (1 if type(field.default) is int else 0.001, 1e9))
            if not least <= value <= most:
                raise UsageError(f"the limit {field.name} is {value:g}; use {least:g} to {most:g}")


_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "head_bytes": (LEAST_HEAD_BYTES, 1 << 20),
    "message_bytes": (LEAST_MESSAGE_BYTES, MAX_CLIENT_MESSAGE_BYTES),
    "trusted_proxies": (0, 16),
}
