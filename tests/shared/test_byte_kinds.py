"""Byte kinds: author's values to wire values and back, and what each kind refuses."""

from math import inf, nan
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import packables
from tickwire_shared.byte_kinds import Blob, Packed, Text
from tickwire_shared.errors import DeclarationError, ValueRefused


@given(st.text(max_size=60), st.integers(1, 100))
def test_a_long_text_is_cut_at_a_character(value: str, most: int) -> None:
    kind = Text(max=most)
    wire = kind.to_wire(value)
    kept = kind.from_wire(wire)
    assert len(wire) <= most
    assert value.startswith(kept)
    # Not a whole character more would have fit.
    assert kept == value or len(value[: len(kept) + 1].encode()) > most


def test_a_long_text_is_refused_where_the_field_says_so() -> None:
    with pytest.raises(ValueRefused, match=r"6 bytes; at most 5"):
        Text(max=5, overflow="refuse").to_wire("éée!")


@pytest.mark.parametrize("value", [b"raw", 5, None, "\ud800"])
def test_a_text_is_valid_unicode(value: object) -> None:
    with pytest.raises(ValueRefused):
        Text(max=9).to_wire(value)


@pytest.mark.parametrize("value", [b"ab", bytearray(b"ab"), memoryview(b"ab")])
def test_a_blob_copies_anything_with_bytes(value: object) -> None:
    assert Blob(max=2).from_wire(Blob(max=2).to_wire(value)) == b"ab"


@pytest.mark.parametrize("value", [b"abc", "ab", 5, None])
def test_a_blob_that_is_too_long_or_none_is_refused(value: object) -> None:
    with pytest.raises(ValueRefused):
        Blob(max=2).to_wire(value)


@given(packables)
def test_a_packed_value_comes_back_equal(value: object) -> None:
    kind = Packed(max=1 << 16)
    assert kind.from_wire(kind.to_wire(value)) == value


@given(st.dictionaries(st.text(max_size=4), st.integers(0, 9)))
def test_equal_maps_have_equal_bytes_sorted_by_their_keys(value: dict[str, int]) -> None:
    kind = Packed(max=1 << 16)
    backwards = dict(reversed(list(value.items())))
    assert kind.to_wire(value) == kind.to_wire(backwards)
    back = cast("dict[str, int]", kind.from_wire(kind.to_wire(value)))
    keys = [key.encode() for key in back]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    "value", [5, "text", None, {1: 2}, [[1]], [{}], [nan], [inf], [1 << 63], [object()], {"a": [1]}]
)
def test_a_packed_value_is_a_flat_list_or_map_of_scalars(value: object) -> None:
    with pytest.raises(ValueRefused):
        Packed(max=1 << 16).to_wire(value)


def test_a_packed_value_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueRefused, match=r"4 bytes; at most 3"):
        Packed(max=3).to_wire([1, 2, 3])


@pytest.mark.parametrize("value", [["\ud800"], {"\ud800": 1}])
def test_a_packed_value_with_text_that_is_no_unicode_is_refused(value: object) -> None:
    with pytest.raises(ValueRefused):
        Packed(max=100).to_wire(value)


@pytest.mark.parametrize("size", [0, -1, 65537, 4.0, None, True])
def test_a_byte_kind_has_1_to_65536_bytes(size: int) -> None:
    for kind in (Text, Blob, Packed):
        with pytest.raises(DeclarationError, match=r"1 to 65536"):
            kind(max=size)
