"""What waits for one connection: its events, in the order in which they matter, under a cap.

::

    MUST     a1 b1 a2 ...        goes first; in order, none left out; too many of them close the connection
    LATEST   {(class, topic): newest}    goes next; a newer one takes the place of the older
    DROP     c1 ...              goes last, in the tick in which it was sent or not at all

A connection that keeps up is sent all of them in the same write. One that doesn't loses what matters least first.
"""

from __future__ import annotations

from typing import Final

import attrs

from tickwire_shared.policies import Policy

MAX_QUEUE_BYTES: Final = 64 << 10
"""Events that a blocked connection may have waiting; who has more that it must get is closed as too slow."""

Key = tuple[type, str | None]
"""An event class and a topic: of each, only the newest LATEST event counts."""


@attrs.define(eq=False)
class EventQueue:
    """The frames of the events that one player is to be sent.

    Attributes:
        size_bytes: What all of it takes; never more than the cap, but for a `put` that said so.
        left_out: How many events were never sent: superseded or dropped.
    """

    max_bytes: int = MAX_QUEUE_BYTES
    size_bytes: int = attrs.field(init=False, default=0)
    left_out: int = attrs.field(init=False, default=0)
    _must: list[bytes] = attrs.field(init=False, factory=list[bytes])
    _latest: dict[Key, bytes] = attrs.field(init=False, factory=dict[Key, bytes])
    _drop: list[bytes] = attrs.field(init=False, factory=list[bytes])

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._must) + len(self._latest) + len(self._drop)

    def put(self, frame: bytes, policy: Policy, key: Key, *, blocked: bool) -> bool:
        """Queue an event's frame, at the expense of what matters less.

        Args:
            frame: The event, framed.
            policy: What may happen to it.
            key: Of which LATEST events it takes the place.
            blocked: Whether the connection takes nothing now.

        Returns:
            False when there is more that must arrive than the queue may hold: the connection is too slow.
        """
        match policy:
            case Policy.MUST:
                self._must.append(frame)
                self.size_bytes += len(frame)
            case Policy.LATEST:
                self._supersede(key)
                self._latest[key] = frame
                self.size_bytes += len(frame)
            case Policy.DROP if blocked:
                self.left_out += 1
            case Policy.DROP:
                self._drop.append(frame)
                self.size_bytes += len(frame)
        if self.size_bytes > self.max_bytes:
            self._make_room()
        return self.size_bytes <= self.max_bytes

    def passed_over(self) -> None:
        """Say that the connection was blocked when its turn came: nothing that may be dropped waits for another."""
        if self._drop:
            self._drop_all()

    def take(self) -> list[bytes]:
        """Return all that waits, what matters most first, and forget it."""
        frames = [*self._must, *self._latest.values(), *self._drop]
        self._must.clear()
        self._latest.clear()
        self._drop.clear()
        self.size_bytes = 0
        return frames

    def _supersede(self, key: Key) -> None:
        older = self._latest.pop(key, None)
        if older is not None:
            self.size_bytes -= len(older)
            self.left_out += 1

    def _drop_all(self) -> None:
        self.left_out += len(self._drop)
        self.size_bytes -= sum(map(len, self._drop))
        self._drop.clear()

    def _make_room(self) -> None:
        """Leave out what may be, until the rest fits: the droppable, then of the latest those that wait longest."""
        self._drop_all()
        while self.size_bytes > self.max_bytes and self._latest:
            self._supersede(next(iter(self._latest)))
