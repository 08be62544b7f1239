"""Recall: what an INPUT's bytes meant when they were read before.

Players say the same things again and again: a direction and two buttons make a few dozen inputs. So what an
INPUT's bytes behind its tick meant is remembered, and the next message with the same bytes costs a look-up or two
instead of decoding and checks. Only messages that passed all checks are remembered, and their number is bounded. A
payload is looked at as one big-endian int: a shift and a mask take out a part of it, without a copy.

::

    [3, tick, value, ...]   =   93 03 cd | 01 f4 | 02 01
                                head       tick    tail: the key
"""

from __future__ import annotations

from typing import Final

import attrs

from tickwire_shared.client_messages import ClientKind

MAX_REMEMBERED: Final = 4096
"""Tails that a room type remembers; then it starts anew. At most about a megabyte."""

MAX_SIZE: Final = 125
"""Bytes of the longest payload that is remembered: what a fast frame holds."""

_HEAD_BYTES: Final = 3
# By the head's last byte, the first of msgpack's uints: bytes of the tick behind it. A small one is all of the tick.
_TICK_BYTES: Final = {**dict.fromkeys(range(0x80), 0), 0xCC: 1, 0xCD: 2, 0xCE: 4}
_SMALL_TICK: Final = 0x7F

Rows = tuple[tuple[int, ...], ...]


@attrs.frozen
class Form:
    """How payloads with the same size and head are laid out.

    Attributes:
        tick_shift, tick_mask: Where the tick is.
        tail_mask: Where the tail is.
        tails: What the tails meant.
    """

    tick_shift: int
    tick_mask: int
    tail_mask: int
    tails: dict[int, Rows] = attrs.field(factory=dict[int, Rows])

    @classmethod
    def of(cls, size: int, tick_bytes: int) -> Form:
        """The form of payloads of ``size`` bytes."""
        tail_bits = 8 * (size - _HEAD_BYTES - tick_bytes)
        tick_mask = (1 << 8 * tick_bytes) - 1 if tick_bytes else _SMALL_TICK
        return cls(tail_bits, tick_mask, (1 << tail_bits) - 1)


Forms = list[tuple[int, dict[int, Form]]]


class Recall:
    """Remembers the inputs of one input class.

    Attributes:
        forms: By size: where its head begins, and by head how to take such a payload apart.
    """

    def __init__(self) -> None:
        """Start with nothing remembered."""
        self.forms = _no_forms()
        self._count = 0

    def __len__(self) -> int:
        """How many messages' values are remembered."""
        return self._count

    def learn(self, payload: bytes, rows: Rows) -> None:
        """Remember what a good INPUT means, if it is laid out as nearly all are."""
        size = len(payload)
        if not _HEAD_BYTES < size <= MAX_SIZE or payload[0] & 0xF0 != 0x90 or payload[1] != ClientKind.INPUT:
            return
        tick_bytes = _TICK_BYTES.get(payload[2])
        if tick_bytes is None:
            return
        if self._count >= MAX_REMEMBERED:
            self.forms[:] = _no_forms()
            self._count = 0
        word = int.from_bytes(payload)
        head_shift, forms = self.forms[size]
        form = forms.setdefault(word >> head_shift, Form.of(size, tick_bytes))
        self._count += word & form.tail_mask not in form.tails
        form.tails[word & form.tail_mask] = rows


def find(forms: Forms, payload: int, size: int) -> tuple[int, Rows] | None:
    """Return the first tick and the inputs of a payload, an int of ``size`` bytes; None when it wasn't read before."""
    head_shift, by_head = forms[size]
    form = by_head.get(payload >> head_shift)
    batch = None if form is None else form.tails.get(payload & form.tail_mask)
    if form is None or batch is None:
        return None
    return payload >> form.tick_shift & form.tick_mask, batch


def _no_forms() -> Forms:
    return [(max(0, 8 * (size - _HEAD_BYTES)), {}) for size in range(MAX_SIZE + 1)]
