"""Quoting values in error messages."""

from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import scalars
from tickwire_shared.quoting import MAX_CHARACTERS, quote

trees = st.recursive(
    scalars | st.binary(), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=4), inner), max_leaves=20
)


@given(trees)
def test_a_quote_is_short_whatever_the_value(value: object) -> None:
    assert len(quote(value)) <= MAX_CHARACTERS


def test_a_short_value_is_quoted_as_it_is() -> None:
    assert [quote(value) for value in (5, "arena", b"\1", None, 0.5, [1])] == [
        *("5", "'arena'", "b'\\x01'", "None", "0.5", "[1]")
    ]


def test_a_value_of_any_depth_can_be_quoted() -> None:
    deep: object = 1
    for _ in range(5000):
        deep = [deep]
    assert quote(deep).startswith("[[[")


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def test_a_value_that_can_not_be_written_can_still_be_named() -> None:
    assert "Broken" in quote(Broken())
    assert "int" in quote(10**5000)
