"""What went over all WebSockets of one server: read from the open ones when somebody asks, and once when one ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Final, Protocol

import attrs

KNOWN_CODES: Final = range(1000, 5000)
"""A peer may close with any of these; whatever else is counted is 1006, so that nobody can make up endless labels."""

MAX_CODES: Final = 64
"""So many codes are told apart; further ones count as 1006."""

ABNORMAL: Final = 1006


class Wire(Protocol):
    """What is counted of a transport."""

    bytes_in: int
    bytes_out: int
    frames_in: int
    writes_out: int


class Read(Protocol):
    """What is counted of frames that are read for all connections."""

    bytes_in: int
    frames_in: int


class Written(Protocol):
    """What is counted of writes that are made for all connections."""

    bytes_out: int
    writes_out: int


class Ending(Protocol):
    """What is known of a session when it is over."""

    closing: tuple[int, str] | None
    was_admitted: bool


@attrs.define
class Wires:
    """Counts the traffic and the ends of all connections.

    Attributes:
        read: Counts what connections don't hear themselves.
        written: Counts what they don't write themselves.
        closes: How many ended, by close code and by whether their player had been admitted.
    """

    read: Read | None = None
    written: Written | None = None
    closes: Counter[tuple[int, bool]] = attrs.field(factory=Counter[tuple[int, bool]])
    _open: set[Wire] = attrs.field(init=False, factory=set[Wire])
    _past: Counter[str] = attrs.field(init=False, factory=Counter[str])

    @property
    def bytes_in(self) -> int:
        """Bytes received, the handshakes included."""
        return self._past["bytes_in"] + sum(wire.bytes_in for wire in self._readers)

    @property
    def bytes_out(self) -> int:
        """Bytes sent."""
        return self._past["bytes_out"] + sum(wire.bytes_out for wire in self._writers)

    @property
    def frames_in(self) -> int:
        """Frames received."""
        return self._past["frames_in"] + sum(wire.frames_in for wire in self._readers)

    @property
    def writes_out(self) -> int:
        """Writes of whole frames: a snapshot, with what goes out with it."""
        return self._past["writes_out"] + sum(wire.writes_out for wire in self._writers)

    @property
    def _readers(self) -> Iterable[Read]:
        return self._open if self.read is None else (self.read, *self._open)

    @property
    def _writers(self) -> Iterable[Written]:
        return self._open if self.written is None else (self.written, *self._open)

    @contextmanager
    def counting(self, wire: Wire, session: Ending) -> Generator[None]:
        """Count a connection for as long as the block takes, and how it ended."""
        self._open.add(wire)
        try:
            yield
        finally:
            self._open.discard(wire)
            for name in ("bytes_in", "bytes_out", "frames_in", "writes_out"):
                self._past[name] += getattr(wire, name)
            code = ABNORMAL if session.closing is None else session.closing[0]
            key = code, session.was_admitted
            if code not in KNOWN_CODES or (key not in self.closes and len(self.closes) >= MAX_CODES):
                key = ABNORMAL, session.was_admitted
            self.closes[key] += 1
