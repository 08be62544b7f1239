"""What a tick touches of an object lies together in memory, and takes no more room for that."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from tickwire.inputs import InputBuffer
from tickwire.seat import Seat
from tickwire.transport import Transport

WORD = 8
HEAD_WORDS = 2


def first_of(cls: type[Any]) -> type[Any]:
    """The base class whose slots are laid out before the class's own."""
    base = cls.__base__
    assert base is not None
    return base


@pytest.mark.parametrize("cls", [Seat, InputBuffer])
def test_what_comes_first_are_fields_and_each_has_one_slot(cls: type[Any]) -> None:
    first, fields = set(first_of(cls).__dict__["__slots__"]), {field.name for field in attrs.fields(cls)}
    assert first
    assert first <= fields
    assert first_of(cls).__basicsize__ == WORD * (HEAD_WORDS + len(first))
    assert cls.__basicsize__ == WORD * (HEAD_WORDS + len(fields) + 1), "and one for weak references"


def test_a_transport_has_its_first_slots_once() -> None:
    first = set(first_of(Transport).__dict__["__slots__"])
    assert first
    assert not first & set(Transport.__slots__)
    assert first_of(Transport).__basicsize__ == WORD * (HEAD_WORDS + len(first))
