"""The items of a message, one by one: how many there are, and what each has to be (PROTOCOL.md, section 1)."""

from __future__ import annotations

import math
from typing import Final, cast

from tickwire_shared.errors import ProtocolError
from tickwire_shared.quoting import quote
from tickwire_shared.ticks import TICK_MODULUS

PROTOCOL_VERSION: Final = 1


def check_count(items: list[object], count: int) -> None:
    """Refuse a message that does not have exactly ``count`` items."""
    if len(items) != count:
        raise ProtocolError(f"Message kind {items[0]} has {count} items, not {len(items)}.")


def tick_number(value: object) -> int:
    """Return ``value`` if it is a tick, else raise ProtocolError."""
    return u32(value, "tick")


def number(value: object, what: str) -> float:
    """Return ``value`` if it is a finite number, else raise ProtocolError."""
    if type(value) not in (int, float) or not math.isfinite(cast("float", value)):
        raise ProtocolError(f"{quote(value)} is no {what}: a finite number is needed.")
    return cast("float", value)


def u32(value: object, what: str) -> int:
    """Return ``value`` if it is an unsigned int of 32 bits, else raise ProtocolError."""
    if type(value) is not int or not 0 <= value < TICK_MODULUS:
        raise ProtocolError(f"{quote(value)} is no {what}: an int in 0..2^32-1 is needed.")
    return value
