"""Ticks are u32 and wrap; they are compared by signed distance, never with ``<``."""

from __future__ import annotations

TICK_MODULUS = 1 << 32
_HALF = TICK_MODULUS >> 1


def tick_add(tick: int, count: int) -> int:
    """Return the tick ``count`` ticks after ``tick`` (before it, if negative)."""
    return (tick + count) % TICK_MODULUS


def tick_distance(tick: int, since: int) -> int:
    """Return how many ticks ``tick`` is after ``since``: negative when it is before, in [-2^31, 2^31)."""
    return (tick - since + _HALF) % TICK_MODULUS - _HALF
