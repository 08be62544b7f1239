"""Decoding that many replicas in one process can share.

All players of a room at the same baseline get the same bytes, and states are immutable. So what one bot of
a swarm has parsed and applied, the next can have for the price of a look-up. What comes out is the
same as without sharing: the key is the bytes and the very base state.
"""

from __future__ import annotations

from typing import Protocol

from attrs import define, field, frozen

from tickwire_shared.applying import apply
from tickwire_shared.delta import Delta
from tickwire_shared.server_messages import ServerKind, ServerMessage, parse_server
from tickwire_shared.state import WorldState, checksum

MEMORY = 256  # entries: a few ticks of a dozen rooms; then all is forgotten and learnt anew
_SHARED_KINDS = frozenset({ServerKind.SNAPSHOT.value, ServerKind.EVENT.value})
_FIX_ARRAY = 0x90  # msgpack: the upper half of the first byte; the next byte is the message's kind


class Decoder(Protocol):
    """The three expensive steps from bytes to a checked state."""

    def parse(self, data: bytes) -> ServerMessage:
        """As ``parse_server``."""
        ...

    def apply(self, base: WorldState, delta: Delta) -> WorldState:
        """As ``tickwire_shared.applying.apply``."""
        ...

    def checksum(self, state: WorldState) -> int:
        """As ``tickwire_shared.state.checksum``."""
        ...


class PlainDecoder:
    """Decodes for one replica: remembers nothing."""

    parse = staticmethod(parse_server)
    apply = staticmethod(apply)
    checksum = staticmethod(checksum)


@frozen(slots=True)
class _Step:
    """One application of a delta."""

    base: WorldState
    delta: Delta
    state: WorldState


@define
class SharedDecoder:
    """Decodes for many replicas of the same process; each distinct step is done once."""

    _messages: dict[bytes, ServerMessage] = field(factory=dict[bytes, ServerMessage], init=False)
    # The values hold what the keys are the identities of, so that no id is used again while it is a key.
    _states: dict[tuple[int, int], _Step] = field(factory=dict[tuple[int, int], "_Step"], init=False)
    _reached: dict[int, list[_Step]] = field(factory=dict[int, list["_Step"]], init=False)
    _sums: dict[int, tuple[WorldState, int]] = field(factory=dict[int, tuple[WorldState, int]], init=False)

    def parse(self, data: bytes) -> ServerMessage:
        """Parse a message, or find it parsed."""
        if len(data) < 2 or data[0] & 0xF0 != _FIX_ARRAY or data[1] not in _SHARED_KINDS:
            return parse_server(data)
        message = self._messages.get(data)
        if message is None:
            message = parse_server(data)
            if len(self._messages) >= MEMORY:
                self._messages.clear()
            self._messages[data] = message
        return message

    def apply(self, base: WorldState, delta: Delta) -> WorldState:
        """Apply a delta, or find it applied."""
        key = (id(base), id(delta))
        known = self._states.get(key)
        if known is not None:
            return known.state
        if len(self._states) >= MEMORY:
            self._states.clear()
            self._reached.clear()
        step = _Step(base, delta, self._same_as_before(delta, apply(base, delta)))
        self._states[key] = step
        self._reached.setdefault(id(delta), []).append(step)
        return step.state

    def _same_as_before(self, delta: Delta, state: WorldState) -> WorldState:
        """An equal state that the same delta led to from another base, or else ``state``.

        Replicas that joined at different times hold equal states that are not the same object; from here on
        they do, and share all that follows.
        """
        for step in self._reached.get(id(delta), ()):
            if step.state == state and step.state.schema.hash == state.schema.hash:
                return step.state
        return state

    def checksum(self, state: WorldState) -> int:
        """Compute a checksum, or find it computed."""
        known = self._sums.get(id(state))
        if known is not None:
            return known[1]
        value = checksum(state)
        if len(self._sums) >= MEMORY:
            self._sums.clear()
        self._sums[id(state)] = (state, value)
        return value
