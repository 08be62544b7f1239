"""The read-only entities of a past: for each entity class a subclass whose fields are properties.

A subclass, so that the author's own methods and properties, type checkers and ``isinstance`` work on it as on the live
one. Values are worked out when they are read: most tests ask for a position and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import attrs

from tickwire_shared.errors import UsageError
from tickwire_shared.int_kinds import Ref
from tickwire_shared.schema import ClassType, FieldType
from tickwire_shared.smoothing import is_smooth, mix

if TYPE_CHECKING:
    from tickwire.past import Past
    from tickwire_shared.wire_values import Wire

Read = Callable[[Any], object]


def make_past_class(item: ClassType, author: type[Any]) -> type[Any]:
    """Make the read-only subclass of the entity class ``author``."""
    members: dict[str, object] = {
        "__slots__": ("_later", "_past", "_values"),
        "__setattr__": _refuse_change,
        "__delattr__": _refuse_change,
        "__init__": _refuse_making,
        "__repr__": _represent,
        "__doc__": f"{author.__name__} as it was at a moment of the past: read only.",
    }
    for attribute in attrs.fields(author):
        if attribute.name != "id":
            members[attribute.name] = property(_no_past_of(author.__name__, attribute.name))
    for number, field in enumerate(item.public):
        members[field.name] = property(_reader(number, field))
    return type(author.__name__, (author,), members)


def remember(
    cls: type[Any], ident: int, past: Past, values: tuple[Wire, ...], later: tuple[Wire, ...] | None
) -> object:
    """Make a past entity.

    Args:
        cls: From ``make_past_class``.
        ident: The entity's id.
        past: The moment it is of.
        values: The public wire values in the snapshot before that moment.
        later: Those in the snapshot behind it; None when there is nothing in between.
    """
    made: object = object.__new__(cls)
    put = object.__setattr__  # its own refuses
    put(made, "id", ident)
    put(made, "_past", past)
    put(made, "_values", values)
    put(made, "_later", later)
    return made


def _reader(number: int, field: FieldType) -> Read:
    kind = field.kind
    if is_smooth(kind):

        def read_smooth(entity: Any) -> object:
            later = entity._later
            if later is None:
                return kind.from_wire(entity._values[number])
            return mix(kind, entity._values[number], later[number], entity._past.share)

        return read_smooth
    if isinstance(kind, Ref):
        return lambda entity: entity._past.refer(kind.of, entity._values[number])
    return lambda entity: kind.from_wire(entity._values[number])


def _no_past_of(cls: str, name: str) -> Read:
    def refuse(entity: Any) -> NoReturn:
        raise UsageError(
            f"{cls}.{name} has no past: only fields that everyone sees are remembered. "
            f"Read it from the live entity: self.find({cls}, {entity.id})."
        )

    return refuse


def _refuse_change(entity: Any, name: str, *_: object) -> NoReturn:
    cls = type(entity).__name__
    raise UsageError(
        f"{cls} {entity.id} is of the past, so {name} can't be changed; "
        f"change the live entity: self.find({cls}, {entity.id})."
    )


def _refuse_making(entity: Any, *_: object, **__: object) -> NoReturn:
    raise UsageError(f"A {type(entity).__name__} of the past can't be made; ask room.seen_by(player) for one.")


def _represent(entity: Any) -> str:
    return f"<{type(entity).__name__} {entity.id} at tick {entity._past.tick:.2f}>"
