"""The int kinds: numbers, flags, choices and references, all with an int on the wire (PROTOCOL.md, section 3).

``to_wire`` is for one value; the commit reads whole columns with generated code that does the same
arithmetic (``reading.py``).
"""

from __future__ import annotations

import enum
import math
from typing import Final, cast

import attrs

from tickwire_shared.errors import DeclarationError, ProtocolError, ValueRefused
from tickwire_shared.quoting import quote
from tickwire_shared.wire_values import Overflow, Wire

MAX_STEPS: Final = 1 << 32
"""A quantised field has at most this many steps, so that differences fit any width with ease."""

MAX_INTEGER: Final = 1 << 52
"""Differences of two such ints are exact in a JavaScript number (53 bits)."""

MAX_RADIANS: Final = 1e300
"""A float of this size has no direction, and dividing a larger one by a step overflows."""


def _bound(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        raise DeclarationError(f"{quote(value)} is no finite number; min, max and step have to be.")
    try:
        return float(value)
    except OverflowError:
        raise DeclarationError(f"{quote(value)} is too large for a float.") from None


def _fit(wire: int, low: int, high: int, overflow: Overflow, value: object) -> int:
    if low <= wire <= high:
        return wire
    if overflow == "refuse":
        raise ValueRefused(f"{quote(value)} is out of range; clamp it in the game or declare overflow='clamp'.")
    return low if wire < low else high


@attrs.frozen
class IntKind:
    """What all kinds with an int on the wire have: the range of the int."""

    low: int = attrs.field(init=False, default=0)
    high: int = attrs.field(init=False, default=1)

    @property
    def modulus(self) -> int:
        """Differences are taken modulo this; 0 when they don't wrap."""
        return 0

    @property
    def typecode(self) -> str:
        """The type code of arrays that hold its wire values: 32 bits, or 64 if it needs more."""
        return "i" if self.low >= -(1 << 31) and self.high < 1 << 31 else "q"

    def zero(self) -> int:
        """The wire value of a field that declares no default."""
        return min(max(0, self.low), self.high)

    def check(self, wire: object) -> int:
        """Return ``wire`` if a peer may send it, else raise ProtocolError."""
        if type(wire) is not int or not self.low <= wire <= self.high:
            raise ProtocolError(f"{quote(wire)} is not an int in {self.low}..{self.high}.")
        return wire


@attrs.frozen
class Quantized(IntKind):
    """A float in steps of ``step`` from ``min`` to ``max``."""

    min: float = attrs.field(kw_only=True, converter=_bound)
    max: float = attrs.field(kw_only=True, converter=_bound)
    step: float = attrs.field(kw_only=True, converter=_bound)
    overflow: Overflow = attrs.field(kw_only=True, default="clamp")

    def __attrs_post_init__(self) -> None:
        """Check the declaration and find the number of steps."""
        if self.step <= 0 or self.max <= self.min:
            raise DeclarationError(f"quantized needs min < max and step > 0, not {self.min}, {self.max}, {self.step}.")
        steps = (self.max - self.min) / self.step + 0.5
        if not 1 <= steps < MAX_STEPS + 1:
            raise DeclarationError(f"quantized has {steps:.0f} steps; use 1 to {MAX_STEPS}: choose another step.")
        object.__setattr__(self, "high", math.floor(steps))

    def to_wire(self, value: object) -> int:
        """Quantise with ``floor((value - min) / step + 0.5)``; NaN and infinity are refused."""
        if not isinstance(value, int | float) or value != value or value in (math.inf, -math.inf):
            raise ValueRefused(f"{quote(value)} is not a finite number.")
        if not self.min - self.step <= value <= self.max + self.step:
            # Far outside the arithmetic itself may overflow.
            return _fit(-1 if value < self.min else self.high + 1, 0, self.high, self.overflow, value)
        return _fit(math.floor((value - self.min) / self.step + 0.5), 0, self.high, self.overflow, value)

    def from_wire(self, wire: Wire) -> float:
        """Return ``min + wire * step``."""
        return self.min + cast("int", wire) * self.step

    def parameters(self) -> dict[str, object]:
        """The kind's parameters in the schema."""
        return {"min": self.min, "max": self.max, "step": self.step, "overflow": self.overflow}


@attrs.frozen
class Angle(IntKind):
    """An angle in radians that wraps, in ``2 ** bits`` steps of a full turn."""

    bits: int = attrs.field(kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Check the declaration."""
        if type(self.bits) is not int or not 2 <= self.bits <= 32:
            raise DeclarationError(f"angle has {quote(self.bits)} bits; use 2 to 32.")
        object.__setattr__(self, "high", (1 << self.bits) - 1)

    @property
    def modulus(self) -> int:
        """A full turn."""
        return 1 << self.bits

    @property
    def step(self) -> float:
        """Radians per step."""
        return math.tau / (1 << self.bits)

    def to_wire(self, value: object) -> int:
        """Quantise and wrap into one turn; NaN and infinity are refused."""
        if not isinstance(value, int | float) or not -MAX_RADIANS <= value <= MAX_RADIANS:
            raise ValueRefused(f"{quote(value)} is not a finite angle.")
        return math.floor(value / self.step + 0.5) & self.high

    def from_wire(self, wire: Wire) -> float:
        """Return radians in [0, 2 pi)."""
        return cast("int", wire) * self.step

    def parameters(self) -> dict[str, object]:
        """The kind's parameters in the schema."""
        return {"bits": self.bits}


@attrs.frozen
class Integer(IntKind):
    """An int from ``min`` to ``max``."""

    min: int = attrs.field(kw_only=True)
    max: int = attrs.field(kw_only=True)
    overflow: Overflow = attrs.field(kw_only=True, default="clamp")

    def __attrs_post_init__(self) -> None:
        """Check the declaration."""
        if type(self.min) is not int or type(self.max) is not int or not self.min < self.max:
            raise DeclarationError(f"integer needs ints min < max, not {quote(self.min)} and {quote(self.max)}.")
        if self.min < -MAX_INTEGER or self.max > MAX_INTEGER:
            raise DeclarationError(f"integer {self.min}..{self.max} is wider than +-2^52; store it as text.")
        object.__setattr__(self, "low", self.min)
        object.__setattr__(self, "high", self.max)

    def to_wire(self, value: object) -> int:
        """Take the int; floats are refused, out of range is clamped or refused."""
        if not isinstance(value, int):
            raise ValueRefused(f"{quote(value)} is not an int; round it in the game.")
        return _fit(int(value), self.low, self.high, self.overflow, value)

    def from_wire(self, wire: Wire) -> int:
        """Return the int."""
        return cast("int", wire)

    def parameters(self) -> dict[str, object]:
        """The kind's parameters in the schema."""
        return {"min": self.min, "max": self.max, "overflow": self.overflow}


@attrs.frozen
class Flag(IntKind):
    """A bool."""

    def to_wire(self, value: object) -> int:
        """Return 1 for a true value, else 0."""
        return 1 if value else 0

    def from_wire(self, wire: Wire) -> bool:
        """Return the bool."""
        return bool(wire)

    def parameters(self) -> dict[str, object]:
        """The kind has none."""
        return {}


@attrs.frozen
class Trigger(Flag):
    """A bool of an input that is true for one tick only: never repeated for a missing input."""


@attrs.frozen
class Choice(IntKind):
    """A member of an enum, or on a client that has no such class, its name."""

    names: tuple[str, ...] = attrs.field(kw_only=True)
    members: tuple[object, ...] = attrs.field(kw_only=True, default=())

    def __attrs_post_init__(self) -> None:
        """Check the declaration."""
        if not 1 <= len(self.names) <= 65536 or len(set(self.names)) != len(self.names):
            raise DeclarationError("choice needs an enum with 1 to 65,536 members of different names.")
        object.__setattr__(self, "high", len(self.names) - 1)

    @classmethod
    def of(cls, members: object) -> Choice:
        """Make the kind from an enum class."""
        name = quote(members)
        if not (isinstance(members, type) and issubclass(members, enum.Enum)):
            raise DeclarationError(f"{name} is no enum; choice needs a subclass of enum.Enum.")
        listed = list(members)
        return cls(names=tuple(member.name for member in listed), members=tuple(listed))

    def to_wire(self, value: object) -> int:
        """Return the position of the member (or of its name)."""
        pool: tuple[object, ...] = self.members or self.names
        try:
            return pool.index(value)
        except ValueError:
            raise ValueRefused(f"{quote(value)} is none of {', '.join(self.names)}.") from None

    def from_wire(self, wire: Wire) -> object:
        """Return the member, or its name where the enum class is not known."""
        pool: tuple[object, ...] = self.members or self.names
        return pool[cast("int", wire)]

    def parameters(self) -> dict[str, object]:
        """The kind's parameters in the schema."""
        return {"names": list(self.names)}


@attrs.frozen
class Ref(IntKind):
    """A reference to an entity; its id on the wire, 0 for none."""

    of: str | None = attrs.field(kw_only=True, default=None)

    def __attrs_post_init__(self) -> None:
        """Set the range of ids."""
        object.__setattr__(self, "high", (1 << 32) - 1)

    def to_wire(self, value: object) -> int:
        """Return the entity's id (0 for None and for an entity that isn't spawned); ids are taken as they are."""
        if value is None:
            return 0
        wire: object = value if type(value) is int else getattr(value, "id", None)
        if type(wire) is not int or not 0 <= wire <= self.high:
            raise ValueRefused(f"{quote(value)} is neither an entity nor None.")
        return wire

    def from_wire(self, wire: Wire) -> int:
        """Return the id; whoever holds the state turns it into the entity."""
        return cast("int", wire)

    def parameters(self) -> dict[str, object]:
        """The kind's parameters in the schema."""
        return {"of": self.of}
