"""Lanes: the differences of whole columns at once, as one difference of two big ints.

An array of 32-bit ints is one long int, a *lane* of 32 bits per value, and a few operations on such ints do to all
values what a loop would do to each (Lamport, "Multiple byte processing with full-word instructions", CACM 18-8, 1975).

::

    lane:   31 ........ 8 | 7 .. 0
            a difference d is kept as 2^31 + 128 + d: never negative, so no lane borrows of another,
            and it fits a byte if all bits above the eighth are those of 2^31
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs

LANE_BYTES: Final = 4
_LANE_BITS: Final = 32
_ZERO: Final = (1 << 31) + 128
"""How a lane keeps the difference 0."""

MAX_SPAN: Final = (1 << 31) - 129
"""Values of a column are this far apart at most, so that all differences fit a lane."""

CONSTANTS: Final = 7
MAX_KNOWN_BYTES: Final = 4 << 20
"""Per class; rooms of all sizes come and go."""

_to_int = int.from_bytes


@attrs.frozen
class LaneKind:
    """What lanes need to know of a column's kind.

    Attributes:
        modulus: What its values wrap at, a power of two; 0: they don't.
        is_signed: Whether they may be negative.
    """

    modulus: int
    is_signed: bool


@attrs.frozen
class Lanes:
    """The constants for some columns of ``rows`` values each; in each the lanes of a column are alike.

    Attributes:
        size: Bytes of all lanes.
        sign: Makes values that may be negative positive, by an exclusive or.
        begin, wrap, end: Turn differences into what lanes keep, the short way round: add, and, add.
        above, fits: All bits but a byte's, and what they are if the difference fits a byte.
        byte_sign: Turns what is kept into the difference, by an exclusive or.
    """

    size: int
    sign: int
    begin: int
    wrap: int
    end: int
    above: int
    fits: int
    byte_sign: int

    @classmethod
    def of(cls, kinds: Sequence[LaneKind], rows: int) -> Lanes:
        """The constants for columns of these kinds."""

        def each(values: Sequence[int]) -> int:
            return _to_int(b"".join([value.to_bytes(LANE_BYTES, "little") * rows for value in values]), "little")

        count = len(kinds)
        return cls(
            size=count * rows * LANE_BYTES,
            sign=each([1 << 31 if kind.is_signed else 0 for kind in kinds]),
            begin=each([(1 << 31) + kind.modulus // 2 if kind.modulus else _ZERO for kind in kinds]),
            wrap=each([kind.modulus - 1 if kind.modulus else (1 << 32) - 1 for kind in kinds]),
            end=each([_ZERO - kind.modulus // 2 if kind.modulus else 0 for kind in kinds]),
            above=each([(1 << 32) - 256] * count),
            fits=each([1 << 31] * count),
            byte_sign=each([128] * count),
        )

    def byte_differences(self, before: Sequence[Any], after: Sequence[Any]) -> bytes | None:
        """Return how much greater each value is ``after``, the short way round, with a byte each.

        None when a difference doesn't fit a byte, or a column is no array of 32-bit ints.
        """
        try:
            old, new = b"".join(before), b"".join(after)
        except TypeError:
            return None
        size = self.size
        if len(old) != size or len(new) != size:
            return None
        old_lanes, new_lanes = _to_int(old, "little"), _to_int(new, "little")
        if self.sign:
            old_lanes ^= self.sign
            new_lanes ^= self.sign
        lanes = ((new_lanes - old_lanes + self.begin) & self.wrap) + self.end
        if lanes & self.above != self.fits:
            return None
        return (lanes ^ self.byte_sign).to_bytes(size, "little")[::LANE_BYTES]


class LaneTable:
    """The lanes of one class, for the columns and numbers of rows that come up."""

    def __init__(self, kinds: Sequence[LaneKind | None]) -> None:
        """Know the kinds of all columns; None: lanes can't hold it."""
        self._kinds = tuple(kinds)
        self._unfit = sum(1 << number for number, kind in enumerate(kinds) if kind is None)
        self._known: dict[tuple[int, int], Lanes] = {}
        self._known_bytes = 0

    def of(self, mask: int, rows: int) -> Lanes | None:
        """Return the lanes for the columns of ``mask``; None when one of them doesn't fit."""
        lanes = self._known.get((mask, rows))
        if lanes is not None or mask & self._unfit:
            return lanes
        lanes = Lanes.of([kind for number, kind in enumerate(self._kinds) if kind and mask >> number & 1], rows)
        self._known_bytes += CONSTANTS * lanes.size
        if self._known_bytes > MAX_KNOWN_BYTES:
            self._known.clear()
            self._known_bytes = CONSTANTS * lanes.size
        self._known[mask, rows] = lanes
        return lanes
