"""Columns of differences in their narrowest width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickwire_shared.columns import (
    MAX_PACKED_WIDTHS,
    MIN_ROWS_FOR_12_BITS,
    column_bytes,
    join_widths,
    narrowest,
    read_column,
    split_widths,
    write_column,
)
from tickwire_shared.errors import ProtocolError

BITS = (8, 12, 16, 32, 64)
codes = st.sampled_from(range(5))


def values_of(bits: int) -> st.SearchStrategy[int]:
    bound = 1 << (bits - 1)
    return st.integers(-bound, bound - 1) | st.sampled_from((-bound, -1, 0, bound - 1))


@given(codes, st.data())
def test_a_column_of_any_width_comes_back_in_just_its_size(code: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(values_of(BITS[code]), max_size=70))
    raw = write_column(values, code)
    assert len(raw) == column_bytes(code, len(values))
    assert read_column(raw, code, len(values)) == values


@given(st.lists(st.sampled_from(BITS).flatmap(values_of), min_size=1, max_size=40))
def test_the_narrowest_width_holds_all_values_and_a_narrower_one_would_not(values: list[int]) -> None:
    code = narrowest(min(values), max(values), len(values))
    assert read_column(write_column(values, code), code, len(values)) == values
    for smaller in range(code):
        bound = 1 << (BITS[smaller] - 1)
        if smaller != 1 or len(values) >= MIN_ROWS_FOR_12_BITS:
            assert min(values) < -bound or max(values) >= bound


@pytest.mark.parametrize(
    "low, high, code",
    [
        (-128, 127, 0),
        (-129, 0, 1),
        (0, 128, 1),
        (-2048, 2047, 1),
        (0, 2048, 2),
        (-32768, 32767, 2),
        (-32769, 0, 3),
        (-(1 << 31), (1 << 31) - 1, 3),
        (0, 1 << 31, 4),
        (-(1 << 53), 1 << 53, 4),
    ],
)
def test_widths_change_at_their_borders(low: int, high: int, code: int) -> None:
    assert narrowest(low, high, 100) == code


def test_a_short_column_does_without_12_bits() -> None:
    assert narrowest(0, 2000, MIN_ROWS_FOR_12_BITS - 1) == 2


def test_12_bits_are_the_low_bytes_and_then_the_nibbles() -> None:
    assert write_column([0x123, -1, 0x456], 1) == bytes((0x23, 0xFF, 0x56, 0xF1, 0x04))


def test_a_value_behind_the_last_12_bits_is_refused() -> None:
    assert read_column(bytes((0x23, 0xFF, 0x56, 0xF1, 0x04)), 1, 3) == [0x123, -1, 0x456]
    with pytest.raises(ProtocolError, match="behind its last row"):
        read_column(bytes((0x23, 0xFF, 0x56, 0xF1, 0x14)), 1, 3)


def test_wide_columns_are_little_endian() -> None:
    assert write_column([0x0102, -2], 2) == b"\x02\x01\xfe\xff"
    assert write_column([1], 3) == b"\x01\0\0\0"
    assert write_column([1], 4) == b"\x01\0\0\0\0\0\0\0"


@given(st.lists(codes, max_size=48))
def test_widths_come_back(given_codes: list[int]) -> None:
    widths = join_widths(given_codes)
    assert isinstance(widths, int) == (len(given_codes) <= MAX_PACKED_WIDTHS)
    assert split_widths(widths, len(given_codes)) == given_codes


def test_the_widths_of_20_columns_are_exact_in_a_javascript_number() -> None:
    assert join_widths([4] * MAX_PACKED_WIDTHS) == 5**MAX_PACKED_WIDTHS - 1 < 1 << 53


@pytest.mark.parametrize(
    "widths, count",
    [
        (1, 0),
        (5, 1),
        (-1, 1),
        (True, 1),
        (0.0, 1),
        (None, 1),
        (b"\0", 1),
        ([0], 1),
        (0, 21),
        (b"\0" * 20, 21),
        (b"\0" * 22, 21),
        (b"\0" * 20 + b"\5", 21),
        (5**20, 20),
    ],
)
def test_malformed_widths_are_a_protocol_error(widths: object, count: int) -> None:
    with pytest.raises(ProtocolError):
        split_widths(widths, count)
