"""The byte kinds: text, bytes and small collections, all with a byte string on the wire (PROTOCOL.md, section 3)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, cast

import attrs

from tickwire_shared.errors import DeclarationError, ProtocolError, ValueRefused
from tickwire_shared.packing import pack, unpack
from tickwire_shared.quoting import quote
from tickwire_shared.wire_values import Overflow, Wire

MAX_FIELD_BYTES: Final = 1 << 16


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
