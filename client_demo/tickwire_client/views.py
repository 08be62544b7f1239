"""What game code reads: entities and events with the author's names and values.

A view holds no values of its own. Reading an attribute finds the entity's row in the replica's state
and dequantises that one wire value, so what nobody reads costs nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from tickwire_client.layout import Layout, Place
from tickwire_shared.wire_values import Wire

if TYPE_CHECKING:
    from tickwire_client.replica import Replica


class EntityView:
    """An entity as the newest snapshot shows it; its fields are attributes.

    A view follows its entity through later snapshots, and keeps the last values when the entity is
    gone. A ``ref`` field reads as the view of that entity, or None when it is not in the state.
    Views of the same entity are equal.
    """

    __slots__ = ("_layout", "_replica", "_row", "_table", "id")

    id: Final[int]

    def __init__(self, replica: Replica, layout: Layout, id: int) -> None:
        """Make a view of an entity that the replica holds now."""
        self.id = id
        self._replica = replica
        self._layout = layout
        self._table = replica.state.tables[layout.index]
        self._row = bisect_left(self._table.ids, id)

    @property
    def type(self) -> str:
        """The name of the entity's class."""
        return self._layout.name

    @property
    def mine(self) -> bool:
        """Whether this player owns the entity."""
        return self.id in self._replica.owned

    @property
    def view(self) -> Mapping[str, float]:
        """Where to draw it in this frame (``game.frame``): its public quantised and angle fields.

        Predicted if it is, otherwise interpolated; as the newest snapshot has it where nothing is drawn yet.
        """
        viewer = self._replica.viewer
        seen = None if viewer is None else viewer(self)
        return {name: getattr(self, name) for name in self._layout.smooth} if seen is None else seen

    def to_dict(self) -> dict[str, Any]:
        """All fields and their values."""
        return {name: getattr(self, name) for name in self._layout.places}

    def wires(self, names: Iterable[str]) -> tuple[Wire, ...]:
        """The wire values of some fields, as the last snapshot has them."""
        return tuple(self._wire(self._layout.place(name)) for name in names)

    def __getattr__(self, name: str) -> Any:
        """The author's value of the field ``name``."""
        if name.startswith("__"):
            raise AttributeError(name)
        place = self._layout.place(name)
        return self._replica.author_value(place, self._wire(place))

    def _wire(self, place: Place) -> Wire:
        if place.private:
            return self._replica.private.get(self.id, self._layout.private_defaults)[place.number]
        table = self._replica.state.tables[self._layout.index]
        if table is not self._table:
            self._follow()
        return self._table.columns[place.number][self._row]

    def _follow(self) -> None:
        table = self._replica.state.tables[self._layout.index]
        row = bisect_left(table.ids, self.id)
        if row < len(table.ids) and table.ids[row] == self.id:
            self._table, self._row = table, row

    def __eq__(self, other: object) -> bool:
        """Whether both are views of the same entity of the same replica."""
        return isinstance(other, EntityView) and other.id == self.id and other._replica is self._replica

    def __hash__(self) -> int:
        """By the entity's id."""
        return hash(self.id)

    def __dir__(self) -> Iterator[str]:
        """The fields too, for interactive use."""
        return iter([*object.__dir__(self), *self._layout.places])

    def __repr__(self) -> str:
        """The class, the id and the values."""
        values = " ".join(f"{name}={getattr(self, name)!r:.40}" for name in self._layout.places)
        return f"<{self._layout.name} #{self.id} {values}>"


class EventView:
    """An event that the server sent; its fields are attributes.

    References are resolved when the event arrives: None if the entity is not in the state then.

    Attributes:
        type: The name of the event's class.
    """

    __slots__ = ("_fields", "type")

    type: Final[str]

    def __init__(self, type: str, fields: dict[str, Any]) -> None:
        """Hold the decoded event."""
        self.type = type
        self._fields = fields

    def to_dict(self) -> dict[str, Any]:
        """All fields and their values."""
        return dict(self._fields)

    def __getattr__(self, name: str) -> Any:
        """The value of the field ``name``."""
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._fields[name]
        except KeyError:
            known = ", ".join(self._fields) or "no fields"
            raise AttributeError(f"{self.type} has no field {name!r}; it has {known}.") from None

    def __repr__(self) -> str:
        """The class and the values."""
        return f"<{self.type} {' '.join(f'{name}={value!r:.40}' for name, value in self._fields.items())}>"
