"""The one place that touches msgpack: strict on the way in, plain on the way out.

msgpack ships no types, so its functions are wrapped with ``cast`` here and imported nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgpack

from tickwire_shared.errors import ProtocolError

MAX_CLIENT_MESSAGE_BYTES = 4096
"""PROTOCOL.md, section 10."""

MAX_SERVER_MESSAGE_BYTES = 16 << 20
"""What a client accepts: a full snapshot of 5,000 entities is about 100 KB, so this is ample."""

_untyped = cast("Any", msgpack)
_packer = cast("Callable[[object], bytes]", _untyped.Packer(autoreset=True).pack)
_unpackb = cast("Callable[..., object]", _untyped.unpackb)
_MALFORMED: tuple[type[Exception], ...] = (
    cast("type[Exception]", _untyped.UnpackException),
    ValueError,
    TypeError,
    OverflowError,
    RecursionError,
)


def pack(value: object) -> bytes:
    """Encode plain Python data (None, bool, int, float, str, bytes, list, tuple, dict) as msgpack."""
    return _packer(value)


def unpack(data: bytes, *, max_bytes: int = MAX_CLIENT_MESSAGE_BYTES) -> object:
    """Decode exactly one msgpack value.

    Raises:
        ProtocolError: Too long, truncated, trailing bytes, not msgpack, or keys that are not str.
    """
    if len(data) > max_bytes:
        raise ProtocolError(f"The message has {len(data)} bytes; at most {max_bytes} are accepted.")
    try:
        return _unpackb(data, strict_map_key=True, raw=False)
    except _MALFORMED as error:
        detail = str(error) or type(error).__name__
        raise ProtocolError(f"The message is not one msgpack value: {detail[:80]}.") from error


def unpack_array(data: bytes, *, max_bytes: int = MAX_CLIENT_MESSAGE_BYTES) -> list[object]:
    """Decode a message: one msgpack array that is not empty.

    Raises:
        ProtocolError: As ``unpack``, or the value is something else.
    """
    value = unpack(data, max_bytes=max_bytes)
    if type(value) is not list or not value:
        raise ProtocolError("The message is not a msgpack array that starts with its kind.")
    return cast("list[object]", value)
