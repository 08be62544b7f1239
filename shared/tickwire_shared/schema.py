"""The schema of a room: which classes of entities, inputs and events it has, with which fields.

It is made from the author's classes on the server and sent to clients in the handshake, so that a client
needs no generated code (PROTOCOL.md, section 3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import attrs

from tickwire_shared.errors import DeclarationError, ProtocolError
from tickwire_shared.int_kinds import IntKind, Trigger
from tickwire_shared.kinds import KIND_NAMES, Kind, parse_kind
from tickwire_shared.lanes import MAX_SPAN, LaneKind, LaneTable
from tickwire_shared.packing import pack
from tickwire_shared.quoting import quote
from tickwire_shared.wire_values import Wire

MAX_FIELDS = 48
"""Per visibility; a mask of them is exact in a JavaScript number."""

HASH_BYTES = 8


@attrs.frozen
class FieldType:
    """One replicated attribute: its name, wire kind, visibility and default wire value."""

    name: str
    kind: Kind
    private: bool
    default: Wire

    @property
    def is_int(self) -> bool:
        """Whether the wire value is an int."""
        return isinstance(self.kind, IntKind)

    def describe(self) -> dict[str, object]:
        """The field as it stands in the schema."""
        head = {"name": self.name, "kind": KIND_NAMES[type(self.kind)], "to": "owner" if self.private else "all"}
        return {**head, "default": self.default, **self.kind.parameters()}

    @classmethod
    def parse(cls, value: object) -> FieldType:
        """Read a field of a schema, or raise ProtocolError."""
        items = _mapping(value, "field")
        kind = parse_kind(items.get("kind"), items)
        name, to = items.get("name"), items.get("to")
        if not isinstance(name, str) or to not in ("all", "owner"):
            raise ProtocolError(f"The schema's field {quote(name)} is not well formed.")
        return cls(name=name, kind=kind, private=to == "owner", default=kind.check(items.get("default")))


@attrs.frozen
class ClassType:
    """An entity, input or event class.

    Attributes:
        public: The fields that everyone sees, in order of declaration.
        private: The fields that only an entity's owner sees.
        author: The Python class, where it is known (on a server).
        moduli: For each public field, what its ints wrap at; 0: they don't, None: its values are bytes.
        lanes: For the differences of whole columns.
        generated: Functions that were generated for the class, by name: all rooms share them.
    """

    name: str
    flags: tuple[str, ...]
    fields: tuple[FieldType, ...]
    author: type | None = attrs.field(default=None, eq=False, repr=False)
    public: tuple[FieldType, ...] = attrs.field(init=False, eq=False, repr=False)
    private: tuple[FieldType, ...] = attrs.field(init=False, eq=False, repr=False)
    moduli: tuple[int | None, ...] = attrs.field(init=False, eq=False, repr=False)
    lanes: LaneTable = attrs.field(init=False, eq=False, repr=False)
    generated: dict[str, Callable[..., Any]] = attrs.field(
        init=False, eq=False, repr=False, factory=dict[str, Callable[..., Any]]
    )

    def __attrs_post_init__(self) -> None:
        """Split the fields by visibility and check their number and names."""
        public = tuple(field for field in self.fields if not field.private)
        private = tuple(field for field in self.fields if field.private)
        if len(public) > MAX_FIELDS or len(private) > MAX_FIELDS:
            raise DeclarationError(f"{self.name} has more than {MAX_FIELDS} fields; put some in a second class.")
        if len({field.name for field in self.fields}) != len(self.fields):
            raise DeclarationError(f"{self.name} has two fields of the same name.")
        object.__setattr__(self, "public", public)
        object.__setattr__(self, "private", private)
        moduli = tuple(field.kind.modulus if isinstance(field.kind, IntKind) else None for field in public)
        object.__setattr__(self, "moduli", moduli)
        object.__setattr__(self, "lanes", LaneTable([_lane_kind(field.kind) for field in public]))

    @property
    def singleton(self) -> bool:
        """Whether a room has at most one of it."""
        return "singleton" in self.flags

    @property
    def predicted(self) -> bool:
        """Whether clients may simulate it ahead."""
        return "predicted" in self.flags

    @property
    def from_client(self) -> bool:
        """Whether clients may send it (events)."""
        return "client" in self.flags

    def describe(self) -> dict[str, object]:
        """The class as it stands in the schema."""
        return {"name": self.name, "flags": list(self.flags), "fields": [field.describe() for field in self.fields]}

    @classmethod
    def parse(cls, value: object) -> ClassType:
        """Read a class of a schema, or raise ProtocolError."""
        items = _mapping(value, "class")
        name, flags = items.get("name"), items.get("flags")
        if not isinstance(name, str) or not isinstance(flags, list):
            raise ProtocolError(f"The schema's class {quote(name)} is not well formed.")
        known = tuple(flag for flag in cast("list[object]", flags) if isinstance(flag, str))
        fields = tuple(FieldType.parse(field) for field in _list(items.get("fields"), "fields"))
        try:
            return cls(name=name, flags=known, fields=fields)
        except DeclarationError as error:
            raise ProtocolError(f"The schema can't be used: {error}") from None


@attrs.frozen
class Schema:
    """All classes of a room; two schemas are the same when their hashes are.

    Attributes:
        packed: The schema as msgpack, as it goes into WELCOME's hash.
        hash: The first 8 bytes of the SHA-256 of ``packed``.
        has_private: Whether any entity class has a field for its owner alone.
    """

    entities: tuple[ClassType, ...]
    input: ClassType | None
    events: tuple[ClassType, ...]
    packed: bytes = attrs.field(init=False, eq=False, repr=False)
    hash: bytes = attrs.field(init=False, eq=False, repr=False)
    has_private: bool = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Pack and hash."""
        for group in (self.entities, self.events):
            names = [item.name for item in group]
            if len(set(names)) != len(names):
                raise DeclarationError(f"Two classes of the same name among {', '.join(names)}; rename one.")
        self._check_fields()
        packed = pack(self.describe())
        object.__setattr__(self, "packed", packed)
        object.__setattr__(self, "hash", hashlib.sha256(packed).digest()[:HASH_BYTES])
        object.__setattr__(self, "has_private", any(item.private for item in self.entities))

    def _check_fields(self) -> None:
        for item in (*self.events, *([self.input] if self.input is not None else [])):
            if item.private:
                raise DeclarationError(f"{item.name}.{item.private[0].name}: only entities have fields to their owner.")
        if self.input is not None:
            for field in self.input.public:
                if not field.is_int:
                    raise DeclarationError(f"{self.input.name}.{field.name}: inputs hold numbers, flags and choices.")
            if not self.input.public:
                raise DeclarationError(f"{self.input.name} has no fields, so there is nothing to send.")

    @classmethod
    def of(cls, *, entities: Sequence[type] = (), input: type | None = None, events: Sequence[type] = ()) -> Schema:
        """Make the schema of declared classes.

        Raises:
            DeclarationError: A class has no decorator, or two have the same name.
        """
        return cls(
            entities=tuple(_wire_type(item, "@entity") for item in entities),
            input=None if input is None else _wire_type(input, "@inputs"),
            events=tuple(_wire_type(item, "@event") for item in events),
        )

    def describe(self) -> dict[str, object]:
        """The schema as plain data, the way it is sent."""
        return {
            "entities": [item.describe() for item in self.entities],
            "input": None if self.input is None else self.input.describe(),
            "events": [item.describe() for item in self.events],
        }

    @classmethod
    def parse(cls, value: object) -> Schema:
        """Read the schema that a server sent.

        Raises:
            ProtocolError: It is not well formed, or uses a kind that this version does not know.
        """
        items = _mapping(value, "schema")
        given = items.get("input")
        try:
            return cls(
                entities=tuple(ClassType.parse(item) for item in _list(items.get("entities"), "entities")),
                input=None if given is None else ClassType.parse(given),
                events=tuple(ClassType.parse(item) for item in _list(items.get("events"), "events")),
            )
        except DeclarationError as error:
            raise ProtocolError(f"The schema can't be used: {error}") from None

    def entity_index(self, name: str) -> int:
        """Return the index of the entity class ``name``; KeyError names what there is."""
        return _index(self.entities, name)

    def event_index(self, name: str) -> int:
        """Return the index of the event class ``name``; KeyError names what there is."""
        return _index(self.events, name)


def _lane_kind(kind: Kind) -> LaneKind | None:
    if not isinstance(kind, IntKind) or kind.typecode != "i" or kind.high - kind.low > MAX_SPAN:
        return None
    return LaneKind(kind.modulus, kind.low < 0)


def trigger_positions(input_type: ClassType) -> tuple[int, ...]:
    """Return the positions of the trigger fields of an input class."""
    return tuple(i for i, field in enumerate(input_type.public) if isinstance(field.kind, Trigger))


def _index(classes: tuple[ClassType, ...], name: str) -> int:
    for index, item in enumerate(classes):
        if item.name == name:
            return index
    raise KeyError(f"There is no class {quote(name)}; there are {', '.join(item.name for item in classes) or 'none'}.")


def _wire_type(cls: type, decorator: str) -> ClassType:
    found = cls.__dict__.get("wire_type")
    if not isinstance(found, ClassType):
        raise DeclarationError(f"{cls.__name__} is not declared: put {decorator} above it.")
    declared = getattr(cls, "declared_with", None)
    if declared != decorator:
        raise DeclarationError(f"{cls.__name__} is not an {decorator} class but an {declared} class.")
    return found


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ProtocolError(f"The schema's {what} is not a map.")
    return cast("dict[str, object]", value)


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise ProtocolError(f"The schema's {what} is not an array.")
    return cast("list[object]", value)
