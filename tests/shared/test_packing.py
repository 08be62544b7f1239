"""msgpack, strict on the way in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import mutations, scalars
from tickwire_shared.errors import ProtocolError
from tickwire_shared.packing import pack, unpack, unpack_array

trees = st.recursive(
    scalars | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(trees)
def test_plain_data_comes_back_equal(value: object) -> None:
    assert unpack(pack(value)) == value


@given(st.binary(max_size=200))
def test_bytes_decode_or_are_a_protocol_error(data: bytes) -> None:
    try:
        unpack(data)
    except ProtocolError:
        return


@given(trees, st.data())
def test_mutated_bytes_decode_or_are_a_protocol_error(value: object, data: st.DataObject) -> None:
    try:
        unpack_array(data.draw(mutations(pack(value))))
    except ProtocolError:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x92\x01",
        b"\x91\x01\x02",
        b"\xc1",
        b"\xa1\xff",
        b"\x81\x01\x02",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x91" * 4000,
    ],
    ids=["empty", "short", "trailing", "unused", "utf8", "int key", "huge array", "huge map", "huge bin", "deep"],
)
def test_malformed_msgpack_is_a_protocol_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        unpack(data)


def test_a_message_beyond_the_limit_is_not_even_decoded() -> None:
    assert unpack(b"\xc5\x0f\xfd" + b"x" * 4093) == b"x" * 4093
    with pytest.raises(ProtocolError, match=r"4097 bytes; at most 4096"):
        unpack(b"\xc5\x0f\xfe" + b"x" * 4094)


@pytest.mark.parametrize("value", [5, {}, [], None, "text"])
def test_a_message_is_an_array_that_is_not_empty(value: object) -> None:
    with pytest.raises(ProtocolError, match=r"array"):
        unpack_array(pack(value))


def test_an_array_nested_as_deep_as_msgpack_allows_is_refused_in_a_sentence() -> None:
    for depth in (900, 990, 1000, 1023, 1024, 1500):
        with pytest.raises(ProtocolError):
            unpack_array(b"\x91" * depth + b"\x90" + b"\xc1")
