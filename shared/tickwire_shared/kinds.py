"""Wire kinds: how an author's value becomes a wire value and back (PROTOCOL.md, section 3).

Int kinds have an int on the wire, byte kinds a byte string. ``to_wire`` is for one value; the commit
reads whole columns with generated code that does the same arithmetic (``reading.py``).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from typing import Final, Literal, cast

import attrs

from tickwire_shared.errors import DeclarationError, ProtocolError, ValueRefused
from tickwire_shared.packing import pack, unpack
from tickwire_shared.quoting import quote

Wire = int | bytes
Overflow = Literal["clamp", "refuse"]

MAX_STEPS: Final = 1 << 32
"""A quantised field has at most this many steps, so that differences fit any width with ease."""

MAX_INTEGER: Final = 1 << 52
"""Differences of two such ints are exact in a JavaScript number (53 bits)."""

MAX_RADIANS: Final = 1e300
"""A float of this size has no direction, and dividing a larger one by a step overflows."""

MAX_FIELD_BYTES: Final = 1 << 16


def _overflow(value: object) -> Overflow:
    if value == "clamp":
        return "clamp"
    if value == "refuse":
        return "refuse"
    raise DeclarationError(f'overflow is {quote(value)}; use "clamp" or "refuse".')


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


@attrs.frozen
class ByteKind:
    """What all kinds with a byte string on the wire have: the most bytes."""

    max: int = attrs.field(kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Check the declaration."""
        if type(self.max) is not int or not 1 <= self.max <= MAX_FIELD_BYTES:
            raise DeclarationError(f"max_bytes is {quote(self.max)}; use 1 to {MAX_FIELD_BYTES}.")

    def zero(self) -> bytes:
        """The wire value of a field that declares no default."""
        return b""

    def check(self, wire: object) -> bytes:
        """Return ``wire`` if a peer may send it, else raise ProtocolError."""
        if type(wire) is not bytes or len(wire) > self.max:
            raise ProtocolError(f"{quote(wire)} is not a byte string of at most {self.max} bytes.")
        return wire

    def parameters(self) -> dict[str, object]:
        """The kind's parameters in the schema."""
        return {"max": self.max}


@attrs.frozen
class Text(ByteKind):
    """A str of at most ``max`` UTF-8 bytes; a longer one is cut at a character, or refused."""

    overflow: Overflow = attrs.field(kw_only=True, default="clamp")

    def to_wire(self, value: object) -> bytes:
        """Encode as UTF-8."""
        if not isinstance(value, str):
            raise ValueRefused(f"{quote(value)} is not a str.")
        try:
            raw = value.encode()
        except UnicodeEncodeError as error:
            raise ValueRefused(f"{quote(value)} is not valid Unicode text: {error.reason}.") from None
        if len(raw) <= self.max:
            return raw
        if self.overflow == "refuse":
            raise ValueRefused(f"{quote(value)} has {len(raw)} bytes; at most {self.max} fit.")
        return raw[: self.max].decode("utf-8", "ignore").encode()

    def check(self, wire: object) -> bytes:
        """Return ``wire`` if it is short enough and valid UTF-8."""
        raw = super().check(wire)
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            raise ProtocolError(f"A text field is not UTF-8: {error.reason}.") from None
        return raw

    def from_wire(self, wire: Wire) -> str:
        """Decode the UTF-8."""
        return cast("bytes", wire).decode()

    def parameters(self) -> dict[str, object]:
        """The kind's parameters in the schema."""
        return {"max": self.max, "overflow": self.overflow}


@attrs.frozen
class Blob(ByteKind):
    """Bytes."""

    def to_wire(self, value: object) -> bytes:
        """Copy to bytes; too long is refused."""
        if not isinstance(value, bytes | bytearray | memoryview):
            raise ValueRefused(f"{quote(value)} is not bytes.")
        raw = bytes(cast("bytes", value))
        if len(raw) > self.max:
            raise ValueRefused(f"The blob has {len(raw)} bytes; at most {self.max} fit.")
        return raw

    def from_wire(self, wire: Wire) -> bytes:
        """Return the bytes."""
        return cast("bytes", wire)


@attrs.frozen
class Packed(ByteKind):
    """A small list, or a dict with str keys, of scalars; replaced whole when it changed."""

    empty: bytes = attrs.field(kw_only=True, default=b"\x90")

    def zero(self) -> bytes:
        """An empty list."""
        return self.empty

    def to_wire(self, value: object) -> bytes:
        """Pack with msgpack, keys sorted by their UTF-8 bytes; too long is refused."""
        try:
            raw = pack(_canonical(value))
        except UnicodeEncodeError as error:
            raise ValueRefused(f"{quote(value)} holds text that is not valid Unicode: {error.reason}.") from None
        if len(raw) > self.max:
            raise ValueRefused(f"The value packs to {len(raw)} bytes; at most {self.max} fit.")
        return raw

    def check(self, wire: object) -> bytes:
        """Return ``wire`` if it is msgpack of a list or a map of scalars."""
        raw = super().check(wire)
        try:
            _canonical(unpack(raw, max_bytes=self.max))
        except ValueRefused as error:
            raise ProtocolError(f"A packed field is not usable: {error}") from None
        return raw

    def from_wire(self, wire: Wire) -> object:
        """Unpack."""
        return unpack(cast("bytes", wire), max_bytes=self.max)


def _canonical(value: object) -> object:
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value)
        if not all(isinstance(key, str) for key in items):
            raise ValueRefused(f"{quote(items)} has keys that are not str.")
        ordered = sorted(cast("Mapping[str, object]", items).items(), key=lambda item: item[0].encode())
        return {key: _scalar(item) for key, item in ordered}
    if isinstance(value, list | tuple):
        return [_scalar(item) for item in cast("list[object]", value)]
    raise ValueRefused(f"{quote(value)} is neither a list nor a dict.")


def _scalar(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueRefused(f"{quote(value)} is not finite.")
    if value is None or isinstance(value, bool | float | str | bytes):
        return value
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return value
    raise ValueRefused(f"{quote(value)} is not a scalar: use None, bool, int, float, str or bytes.")


IntKinds = Quantized | Angle | Integer | Flag | Trigger | Choice | Ref
ByteKinds = Text | Blob | Packed
Kind = IntKinds | ByteKinds

KIND_NAMES: Final[dict[type, str]] = {
    Quantized: "quantized",
    Angle: "angle",
    Integer: "integer",
    Flag: "flag",
    Trigger: "trigger",
    Choice: "choice",
    Ref: "ref",
    Text: "text",
    Blob: "blob",
    Packed: "packed",
}


def parse_kind(name: object, parameters: Mapping[str, object]) -> Kind:
    """Build the kind that a schema describes.

    Raises:
        ProtocolError: The kind is unknown or a parameter is missing or wrong.
    """
    try:
        return _parse_kind(name, parameters)
    except (KeyError, TypeError, ValueError, DeclarationError) as error:
        raise ProtocolError(f"The schema's {quote(name)} field has bad parameters: {error}.") from None


def _parse_kind(name: object, parameters: Mapping[str, object]) -> Kind:
    match name:
        case "quantized":
            low, high, step = (cast("float", parameters[key]) for key in ("min", "max", "step"))
            return Quantized(min=low, max=high, step=step, overflow=_overflow(parameters["overflow"]))
        case "angle":
            return Angle(bits=cast("int", parameters["bits"]))
        case "integer":
            low, high = cast("int", parameters["min"]), cast("int", parameters["max"])
            return Integer(min=low, max=high, overflow=_overflow(parameters["overflow"]))
        case "flag":
            return Flag()
        case "trigger":
            return Trigger()
        case "choice":
            return Choice(names=tuple(_str(item) for item in cast("list[object]", parameters["names"])))
        case "ref":
            of = parameters["of"]
            return Ref(of=None if of is None else _str(of))
        case "text":
            return Text(max=cast("int", parameters["max"]), overflow=_overflow(parameters.get("overflow", "clamp")))
        case "blob":
            return Blob(max=cast("int", parameters["max"]))
        case "packed":
            return Packed(max=cast("int", parameters["max"]))
        case _:
            raise ProtocolError(f"The schema has an unknown kind {quote(name)}: the server is newer than this client.")


def _str(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{quote(value)} is not a str")
    return value
