"""Columns: n differences of one field in the narrowest width that holds them all (PROTOCOL.md, section 7)."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from tickwire_shared.errors import ProtocolError
from tickwire_shared.quoting import quote

_TYPECODES: Final = {0: "b", 2: "h", 3: "i", 4: "q"}
_ITEM_BYTES: Final = {0: 1, 2: 2, 3: 4, 4: 8}
_SWAP: Final = sys.byteorder == "big"

MIN_ROWS_FOR_12_BITS: Final = 16
"""Below this, 12 bits save less than eight bytes and cost more time than they are worth."""

MAX_PACKED_WIDTHS: Final = 20
"""5^20 is below 2^53: ``widths`` is a number for up to this many columns, else one byte each."""


def narrowest(low: int, high: int, rows: int) -> int:
    """Return the width code that holds values from ``low`` to ``high``."""
    if low >= -128 and high < 128:
        return 0
    if low >= -2048 and high < 2048 and rows >= MIN_ROWS_FOR_12_BITS:
        return 1
    if low >= -32768 and high < 32768:
        return 2
    if low >= -(1 << 31) and high < 1 << 31:
        return 3
    return 4


def column_bytes(code: int, rows: int) -> int:
    """Return the size of a column."""
    return rows + (rows + 1) // 2 if code == 1 else rows * _ITEM_BYTES[code]


def write_column(values: Sequence[int], code: int) -> bytes:
    """Encode ``values``, which must fit the width ``code``."""
    if code == 1:
        return _write_12_bits(values)
    column = array(_TYPECODES[code], values)
    if _SWAP:
        column.byteswap()
    return column.tobytes()


def read_column(data: bytes, code: int, rows: int) -> list[int]:
    """Decode a column of exactly ``rows`` values from ``data``, which has exactly its size.

    Raises:
        ProtocolError: There is something behind the last value.
    """
    if code == 1:
        return _read_12_bits(data, rows)
    column: array[int] = array(_TYPECODES[code])
    column.frombytes(data)
    if _SWAP:
        column.byteswap()
    return column.tolist()


def join_widths(codes: list[int]) -> int | bytes:
    """Encode the width codes of a group's columns."""
    if len(codes) > MAX_PACKED_WIDTHS:
        return bytes(codes)
    total = 0
    for code in reversed(codes):
        total = total * 5 + code
    return total


def split_widths(widths: object, count: int) -> list[int]:
    """Decode the width codes of ``count`` columns.

    Raises:
        ProtocolError: The wrong type, or not exactly ``count`` codes.
    """
    if count > MAX_PACKED_WIDTHS:
        if type(widths) is not bytes or len(widths) != count or (widths and max(widths) > 4):
            raise ProtocolError(f"The widths of {count} columns are not one code in a byte each.")
        return list(widths)
    if type(widths) is not int or not 0 <= widths < 5**count:
        raise ProtocolError(f"The widths {quote(widths)} are not those of {count} columns.")
    codes: list[int] = []
    for _ in range(count):
        widths, code = divmod(widths, 5)
        codes.append(code)
    return codes


def _write_12_bits(values: Sequence[int]) -> bytes:
    low = bytes([value & 255 for value in values])
    high = [(value >> 8) & 15 for value in values]
    return low + bytes([a | b << 4 for a, b in zip_longest(high[::2], high[1::2], fillvalue=0)])


def _read_12_bits(data: bytes, rows: int) -> list[int]:
    if rows & 1 and data[-1] >> 4:
        raise ProtocolError("A column of 12 bits has a value behind its last row.")
    values: list[int] = []
    for row in range(rows):
        nibble = (data[rows + row // 2] >> (row % 2 * 4)) & 15
        value = data[row] | nibble << 8
        values.append(value - 4096 if value & 2048 else value)
    return values
