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
    from tickwire_shared.state import Table

Read = Callable[[Any], object]


def make_past_class(item: ClassType, author: type[Any]) -> type[Any]:
    """Make the read-only subclass of the entity class ``author``."""
    members: dict[str, object] = {
        "__slots__": ("_later", "_past", "_row", "_table", "_there"),
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


def remember(cls: type[Any], past: Past, table: Table, row: int, later: Table | None, there: int) -> object:
    """Make a past entity.

    Args:
        cls: From ``make_past_class``.
        past: The moment it is of.
        table: Its class in the snapshot before that moment; it is in ``row``.
        row: See ``table``.
        later: Its class in the snapshot behind; None when there is nothing in between: it rests, ends or jumps.
        there: Its row in ``later``.
    """
    made: object = object.__new__(cls)
    put = object.__setattr__  # its own refuses
    put(made, "id", table.ids[row])
    put(made, "_past", past)
    put(made, "_table", table)
    put(made, "_row", row)
    put(made, "_later", later)
    put(made, "_there", there)
    return made


def _reader(number: int, field: FieldType) -> Read:
    kind = field.kind
    if is_smooth(kind):

        def read_smooth(entity: Any) -> object:
            value = entity._table.columns[number][entity._row]
            if entity._later is None:
                return kind.from_wire(value)
            return mix(kind, value, entity._later.columns[number][entity._there], entity._past.share)

        return read_smooth
    if isinstance(kind, Ref):
        return lambda entity: entity._past.refer(kind.of, entity._table.columns[number][entity._row])
    return lambda entity: kind.from_wire(entity._table.columns[number][entity._row])


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
