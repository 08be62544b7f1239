"""Reading inputs: from an INPUT message to wire values, and from those to the author's object."""

from __future__ import annotations

from typing import Any, Final

import attrs

from tickwire.recall import Recall
from tickwire_shared.client_messages import InputBatch, parse_input
from tickwire_shared.errors import UsageError
from tickwire_shared.schema import ClassType

MAX_REMEMBERED: Final = 4096
"""Inputs that a room type remembers; then it starts anew. At most about a megabyte."""


class InputReader:
    """Reads the inputs of one input class; shared by all rooms of a type.

    Attributes:
        item: The input class.
        neutral: The wire values of the neutral input.
        recall: What was read before.
    """

    def __init__(self, item: ClassType) -> None:
        """Start with nothing remembered."""
        self.item = item
        self.neutral = tuple(int(field.default) for field in item.public)
        assert item.author is not None
        self._author = item.author
        self._read_only = read_only(item.author)
        self.recall = Recall()
        self._inputs: dict[tuple[int, ...], Any] = {}

    def read(self, items: list[object], payload: bytes) -> InputBatch:
        """Check an INPUT that is unpacked already, and remember what its bytes mean.

        Raises:
            ProtocolError: As ``parse_input``.
        """
        batch = parse_input(items, self.item)
        self.recall.learn(payload, batch.values)
        return batch

    def make(self, values: tuple[int, ...]) -> Any:
        """Return the author's object of an input: the same one for the same values, so nobody can change it."""
        made = self._inputs.get(values)
        if made is None:
            if len(self._inputs) >= MAX_REMEMBERED:
                self._inputs.clear()
            pairs = zip(self.item.public, values, strict=True)
            fields = {field.name: field.kind.from_wire(value) for field, value in pairs}
            made = self._inputs[values] = self._read_only(self._author(**fields))
        return made


def read_only(author: type[Any]) -> type[Any]:
    """Return a subclass of an input class whose objects copy one of the author's, and refuse to be changed."""
    names = [attribute.name for attribute in attrs.fields(author)]

    def refuse(self: object, name: str, value: object = None) -> None:
        raise UsageError(
            f"{author.__name__}.{name} can't be changed: a player's input is what the player sent. "
            "Keep what you need in your own attributes."
        )

    def equal(self: object, other: object) -> bool:
        return isinstance(other, author) and all(getattr(self, name) == getattr(other, name) for name in names)

    def copy(self: object, source: object) -> None:
        for name in names:
            object.__setattr__(self, name, getattr(source, name))

    body = {"__slots__": (), "__init__": copy, "__setattr__": refuse, "__delattr__": refuse, "__eq__": equal}
    made = type(author.__name__, (author,), {**body, "__hash__": None, "__module__": author.__module__})
    made.__qualname__ = author.__qualname__
    return made
