"""Where the fields of a class are: names to positions, found once per schema instead of per read."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from tickwire_shared.int_kinds import Ref
from tickwire_shared.kinds import Kind
from tickwire_shared.schema import ClassType, FieldType
from tickwire_shared.smoothing import is_smooth
from tickwire_shared.wire_values import Wire


@frozen(slots=True)
class Place:
    """One field's place among its class's public or private columns."""

    number: int
    private: bool
    kind: Kind
    is_ref: bool


@frozen(slots=True)
class Layout:
    """The places of all fields of one class."""

    name: str
    index: int
    places: Mapping[str, Place]
    private_defaults: tuple[Wire, ...]
    smooth: tuple[str, ...]

    def place(self, name: str) -> Place:
        """The place of the field ``name``.

        Raises:
            AttributeError: There is none; the message lists those there are.
        """
        try:
            return self.places[name]
        except KeyError:
            known = ", ".join(self.places) or "no fields"
            raise AttributeError(f"{self.name} has no field {name!r}; it has {known}.") from None


def lay_out(classes: tuple[ClassType, ...]) -> dict[str, Layout]:
    """The layouts of all ``classes``, by name."""
    return {item.name: _layout(index, item) for index, item in enumerate(classes)}


def _layout(index: int, item: ClassType) -> Layout:
    places = {
        **_places(item.public, private=False),
        **_places(item.private, private=True),
    }
    defaults = tuple(field.default for field in item.private)
    smooth = tuple(field.name for field in item.public if is_smooth(field.kind))
    return Layout(item.name, index, places, defaults, smooth)


def _places(fields: tuple[FieldType, ...], *, private: bool) -> dict[str, Place]:
    return {
        field.name: Place(number, private, field.kind, isinstance(field.kind, Ref))
        for number, field in enumerate(fields)
    }
