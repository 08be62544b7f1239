"""Reading inputs: from the bytes of an INPUT message to wire values, and from those to the author's object.

Players say the same things again and again: a direction and two buttons make a few dozen inputs. So what an
INPUT's bytes behind its tick meant is remembered, and the next message with the same bytes costs one look-up
instead of decoding and checks. Only messages that passed all checks are remembered, and their number is bounded.

::

    [3, tick, value, ...]   =   93 03 | cd 01 f4 | 02 01
                                head    tick       tail: the key
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from tickwire_shared.client_messages import ClientKind, InputBatch, parse_input
from tickwire_shared.errors import UsageError
from tickwire_shared.schema import ClassType
from tickwire_shared.ticks import TICK_MODULUS

MAX_REMEMBERED: Final = 4096
"""Tails, and inputs, that a room type remembers; then it starts anew. At most about a megabyte."""

_HEAD_BYTES: Final = 2
# By the first byte of msgpack's uints: where the tick ends in an INPUT.
_FIXINT_END: Final = 3
_TICK_ENDS: Final = {**dict.fromkeys(range(0x80), _FIXINT_END), 0xCC: 4, 0xCD: 5, 0xCE: 7}

Rows = tuple[tuple[int, ...], ...]


class InputReader:
    """Reads the inputs of one input class; shared by all rooms of a type."""

    def __init__(self, item: ClassType) -> None:
        """Start with nothing remembered."""
        self.item = item
        self.neutral = tuple(int(field.default) for field in item.public)
        assert item.author is not None
        self._author = item.author
        self._read_only = read_only(item.author)
        self._tails: dict[bytes, tuple[bytes, Rows]] = {}
        self._inputs: dict[tuple[int, ...], Any] = {}

    @property
    def remembered(self) -> int:
        """How many messages' values are remembered."""
        return len(self._tails)

    def taker(self, put: Callable[[int, tuple[int, ...]], None]) -> Callable[[bytes], bool]:
        """Return a function that gives ``put`` the tick and values of an INPUT like one that was read before.

        It returns False for every other message, and does nothing then.
        """
        remembered = self._tails.get

        def take(payload: bytes) -> bool:
            if len(payload) <= _HEAD_BYTES:
                return False
            end = _TICK_ENDS.get(payload[2])
            if end is None:
                return False
            known = remembered(payload[end:])
            if known is None or payload[:_HEAD_BYTES] != known[0]:
                return False
            tick = payload[2] if end == _FIXINT_END else int.from_bytes(payload[3:end], "big")
            for values in known[1]:
                put(tick, values)
                tick = (tick + 1) % TICK_MODULUS
            return True

        return take

    def read(self, items: list[object], payload: bytes) -> InputBatch:
        """Check an INPUT that is unpacked already, and remember what its bytes mean.

        Raises:
            ProtocolError: As ``parse_input``.
        """
        batch = parse_input(items, self.item)
        end = _TICK_ENDS.get(payload[2]) if len(payload) > _HEAD_BYTES else None
        if end is not None and payload[0] & 0xF0 == 0x90 and payload[1] == ClientKind.INPUT:
            if len(self._tails) >= MAX_REMEMBERED:
                self._tails.clear()
            self._tails[payload[end:]] = (payload[:_HEAD_BYTES], batch.values)
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
