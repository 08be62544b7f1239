"""The live entities of one room, and their commit into an immutable state."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, cast

import attrs

from tickwire_shared.declare import Entity, EntityT
from tickwire_shared.errors import UsageError
from tickwire_shared.reading import TableReader
from tickwire_shared.schema import ClassType, Schema
from tickwire_shared.state import Column, Table, WorldState

MAX_ID: Final = (1 << 32) - 1


@attrs.define
class ClassStore:
    """The entities of one class, in order of id.

    Attributes:
        private: Their private columns, as of the last commit.
        private_before: The ids and private columns as of the commit before.
    """

    reader: TableReader
    members: dict[int, Entity] = attrs.field(factory=dict[int, Entity])
    ordered: tuple[Entity, ...] | None = attrs.field(default=())
    ids: tuple[int, ...] = attrs.field(default=())
    private: tuple[Column, ...] = attrs.field(default=())
    private_before: tuple[tuple[int, ...], tuple[Column, ...]] = attrs.field(default=((), ()))

    def refresh(self) -> tuple[Entity, ...]:
        """Return the members as a tuple; made anew only after a change."""
        if self.ordered is None:
            # Ids ascend in order of spawning, and dicts keep that order.
            self.ordered = tuple(self.members.values())
            self.ids = tuple(self.members)
        return self.ordered


@attrs.define
class EntityStore:
    """All entities of a room; the room alone touches it."""

    schema: Schema
    _stores: tuple[ClassStore, ...] = attrs.field(init=False)
    _by_type: dict[type, ClassStore] = attrs.field(init=False, factory=dict[type, ClassStore])
    _last_id: int = attrs.field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        """Make an empty store for each class."""
        self._stores = tuple(ClassStore(TableReader(item)) for item in self.schema.entities)
        for item, store in zip(self.schema.entities, self._stores, strict=True):
            if item.author is not None:
                self._by_type[item.author] = store

    def add(self, entity: Entity) -> None:
        """Give ``entity`` an id and replicate it from the next commit on."""
        store = self._store(type(entity))
        if entity.id:
            raise UsageError(f"{type(entity).__name__} {entity.id} is spawned already; make a new one.")
        if store.members and store.reader.item.singleton:
            raise UsageError(f"{type(entity).__name__} is a singleton and there is one already.")
        if self._last_id >= MAX_ID:
            raise UsageError("The room has used up all entity ids; start a new room.")
        self._last_id += 1
        entity.id = self._last_id
        store.members[entity.id] = entity
        store.ordered = None

    def remove(self, entity: Entity) -> int:
        """Stop replicating ``entity`` and return the id that it had; 0 when it is not spawned."""
        store = self._store(type(entity))
        ident = entity.id
        if store.members.get(ident) is not entity:
            return 0
        del store.members[ident]
        store.ordered = None
        entity.id = 0
        return ident

    def all(self, cls: type[EntityT]) -> tuple[EntityT, ...]:
        """Return all entities of a class, by id."""
        return cast("tuple[EntityT, ...]", self._store(cls).refresh())

    def find(self, cls: type[EntityT], ident: int) -> EntityT | None:
        """Return the entity of a class with this id, or None."""
        return cast("EntityT | None", self._store(cls).members.get(ident))

    def get(self, of: str | None, ident: int) -> Entity | None:
        """Return what a reference to ``ident`` means: an entity (of the class named ``of``, if it is given) or None."""
        for store in self._stores:
            if of in (None, store.reader.item.name) and ident in store.members:
                return store.members[ident]
        return None

    def commit(self, previous: WorldState) -> WorldState:
        """Read all fields into a state; ``previous`` itself when nothing that everyone sees changed.

        Raises:
            ValueRefused: A field holds what its kind can't carry; names class, id and field.
        """
        changed: list[Table] | None = None
        for index, (store, table) in enumerate(zip(self._stores, previous.tables, strict=True)):
            entities = store.refresh()
            if entities or table.ids:
                store.private_before = table.ids, store.private
                read, store.private = store.reader.read(store.ids, entities, table)
                if read is not table:
                    if changed is None:
                        changed = list(previous.tables)
                    changed[index] = read
        return previous if changed is None else WorldState(self.schema, tuple(changed))

    def private_changes(self) -> list[int]:
        """Return the ids of the entities whose private values are others than as of the commit before."""
        changed: list[int] = []
        for store in self._stores:
            ids, columns = store.private_before
            if store.private != columns:
                before = dict(zip(ids, zip(*columns, strict=True), strict=True))
                rows = zip(store.ids, zip(*store.private, strict=True), strict=True)
                changed += [ident for ident, row in rows if before.get(ident) != row]
        return changed

    def private_rows(self, idents: Sequence[int]) -> dict[int, tuple[ClassType, tuple[int | bytes, ...]]]:
        """Return the private wire values, as of the last commit, of those of ``idents`` that have any."""
        found: dict[int, tuple[ClassType, tuple[int | bytes, ...]]] = {}
        for store in self._stores:
            if not store.private:
                continue
            for ident in idents:
                if ident in store.members:
                    row = bisect_left(store.ids, ident)
                    found[ident] = (store.reader.item, tuple([column[row] for column in store.private]))
        return found

    def _store(self, cls: type) -> ClassStore:
        try:
            return self._by_type[cls]
        except KeyError:
            names = ", ".join(item.name for item in self.schema.entities) or "none"
            raise UsageError(f"{cls.__name__} is not among the room's entities ({names}); list it there.") from None
