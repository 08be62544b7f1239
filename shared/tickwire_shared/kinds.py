"""All wire kinds under their names in a schema: how a field's description becomes its kind (PROTOCOL.md, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from tickwire_shared.byte_kinds import Blob, Packed, Text
from tickwire_shared.errors import DeclarationError, ProtocolError
from tickwire_shared.int_kinds import Angle, Choice, Flag, Integer, Quantized, Ref, Trigger
from tickwire_shared.quoting import quote
from tickwire_shared.wire_values import check_overflow

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
            return Quantized(min=low, max=high, step=step, overflow=check_overflow(parameters["overflow"]))
        case "angle":
            return Angle(bits=cast("int", parameters["bits"]))
        case "integer":
            low, high = cast("int", parameters["min"]), cast("int", parameters["max"])
            return Integer(min=low, max=high, overflow=check_overflow(parameters["overflow"]))
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
            overflow = check_overflow(parameters.get("overflow", "clamp"))
            return Text(max=cast("int", parameters["max"]), overflow=overflow)
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
