"""What a game author declares: ``@entity``, ``@inputs`` and ``@event`` classes, and their fields.

The decorators make attrs slots classes with keyword-only constructors. Game code sets attributes at
full speed: nothing here hooks, wraps or tracks them. A field without a wire kind is an ordinary
attrs attribute and never leaves the server.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeVar, cast, dataclass_transform, overload

import attrs

from tickwire_shared.byte_kinds import Blob, Packed, Text
from tickwire_shared.errors import DeclarationError, UsageError, ValueRefused
from tickwire_shared.int_kinds import Angle, Choice, Flag, Integer, IntKind, Quantized, Ref, Trigger
from tickwire_shared.kinds import Kind
from tickwire_shared.policies import Policy, PolicyName, parse_policy
from tickwire_shared.quoting import quote
from tickwire_shared.schema import ClassType, FieldType
from tickwire_shared.wire_values import Overflow

To = Literal["all", "owner"]
T = TypeVar("T")
EnumT = TypeVar("EnumT", bound=enum.Enum)

_METADATA_KEY = "tickwire"
_REQUIRED: Any = attrs.NOTHING
_RESERVED = frozenset({"id", "type", "mine", "view"})


@attrs.frozen
class FieldSpec:
    """What a field specifier leaves in the attrs metadata for the decorator."""

    kind: Kind
    to: To


def _field(kind: Kind, to: To, default: object, factory: Callable[[], object] | None = None) -> Any:
    if to not in ("all", "owner"):
        raise DeclarationError(f'to is {quote(to)}; use "all" or "owner", or no wire kind to keep it on the server.')
    metadata = {_METADATA_KEY: FieldSpec(kind, to)}
    if factory is not None:
        return attrs.field(factory=factory, metadata=metadata)
    return attrs.field(default=default, metadata=metadata)


def quantized(
    min: float,
    max: float,
    *,
    step: float,
    overflow: Overflow = "clamp",
    default: float = _REQUIRED,
    to: To = "all",
) -> float:
    """Declare a float from ``min`` to ``max`` in steps of ``step``; 1 byte when it moves by up to 127 steps."""
    return cast("float", _field(Quantized(min=min, max=max, step=step, overflow=overflow), to, default))


def angle(bits: int = 10, *, default: float = _REQUIRED, to: To = "all") -> float:
    """Declare an angle in radians that wraps, with ``2 ** bits`` steps in a full turn."""
    return cast("float", _field(Angle(bits=bits), to, default))


def integer(min: int, max: int, *, overflow: Overflow = "clamp", default: int = _REQUIRED, to: To = "all") -> int:
    """Declare an int from ``min`` to ``max``, both included, within +-2^52."""
    return cast("int", _field(Integer(min=min, max=max, overflow=overflow), to, default))


def flag(*, default: bool = _REQUIRED, to: To = "all") -> bool:
    """Declare a bool."""
    return cast("bool", _field(Flag(), to, default))


def trigger(*, default: bool = cast("bool", attrs.NOTHING)) -> bool:
    """Declare a button of an input: true for one tick, never repeated, and not lost when the input is late."""
    return cast("bool", _field(Trigger(), "all", default))


def choice(members: type[EnumT], *, default: EnumT = _REQUIRED, to: To = "all") -> EnumT:
    """Declare a member of the enum ``members``; the browser sees its name."""
    return cast("EnumT", _field(Choice.of(members), to, default))


def ref(of: str | None = None, *, default: None = _REQUIRED, to: To = "all") -> Any:
    """Declare a reference to an entity (of the class named ``of``) or None."""
    return _field(Ref(of=of), to, default)


def text(max_bytes: int, *, overflow: Overflow = "clamp", default: str = _REQUIRED, to: To = "all") -> str:
    """Declare a str of at most ``max_bytes`` UTF-8 bytes."""
    return cast("str", _field(Text(max=max_bytes, overflow=overflow), to, default))


def blob(max_bytes: int, *, default: bytes = _REQUIRED, to: To = "all") -> bytes:
    """Declare bytes, at most ``max_bytes`` of them."""
    return cast("bytes", _field(Blob(max=max_bytes), to, default))


def packed(max_bytes: int, *, factory: Callable[[], T], to: To = "all") -> T:
    """Declare a small list, or dict with str keys, of scalars; it is sent whole when it changed."""
    try:
        empty = Packed(max=max_bytes).to_wire(factory())
    except ValueRefused as error:
        raise DeclarationError(f"packed: what the factory makes is not usable: {error}") from error
    return cast("T", _field(Packed(max=max_bytes, empty=empty), to, None, factory))


@attrs.define(kw_only=True, eq=False)
class Entity:
    """The base of replicated objects.

    Attributes:
        id: The entity's id in its room, from 1; 0 before it is spawned and after it is despawned.
    """

    declared_with: ClassVar[str] = "@entity"
    wire_type: ClassVar[ClassType]
    id: int = attrs.field(default=0, init=False)


@attrs.define(kw_only=True)
class Input:
    """The base of a player's command for one tick."""

    declared_with: ClassVar[str] = "@inputs"
    wire_type: ClassVar[ClassType]


@attrs.define(kw_only=True)
class Event:
    """The base of one-off messages."""

    declared_with: ClassVar[str] = "@event"
    wire_type: ClassVar[ClassType]
    policy: ClassVar[Policy] = Policy.MUST


EntityT = TypeVar("EntityT", bound=Entity)
InputT = TypeVar("InputT", bound=Input)
EventT = TypeVar("EventT", bound=Event)

# Type checkers want the tuple of field specifiers written out each time.


@overload
@dataclass_transform(
    kw_only_default=True,
    eq_default=False,
    field_specifiers=(quantized, angle, integer, flag, trigger, choice, ref, text, blob, packed, attrs.field),
)
def entity(cls: type[EntityT], /) -> type[EntityT]: ...
@overload
@dataclass_transform(
    kw_only_default=True,
    eq_default=False,
    field_specifiers=(quantized, angle, integer, flag, trigger, choice, ref, text, blob, packed, attrs.field),
)
def entity(*, singleton: bool = False, predicted: bool = False) -> Callable[[type[EntityT]], type[EntityT]]: ...
def entity(cls: type[Any] | None = None, /, *, singleton: bool = False, predicted: bool = False) -> Any:
    """Make a class a replicated entity.

    Args:
        cls: A subclass of ``Entity``.
        singleton: At most one may be spawned in a room: the place for room-wide values.
        predicted: Clients may simulate it ahead of the server. At each commit the quantised values are
            written back to the attributes, so that both sides step from the same numbers. Give such
            fields a step finer than the smallest motion of one tick, or slow motion stands still.

    Raises:
        DeclarationError: A field or the class can't be put in a schema.
    """
    flags = [name for name, on in (("singleton", singleton), ("predicted", predicted)) if on]

    def decorate(target: type[Any]) -> type[Any]:
        return _declare(target, Entity, flags, eq=False)

    return decorate if cls is None else decorate(cls)


@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(quantized, angle, integer, flag, trigger, choice, ref, text, blob, packed, attrs.field),
)
def inputs(cls: type[InputT]) -> type[InputT]:
    """Make a class the command that a player gives for each tick; every field needs a default.

    Raises:
        DeclarationError: A field has no default, no wire kind, or a kind with bytes.
    """
    made = _declare(cls, Input, [], eq=True)
    for field in made.wire_type.public:
        if not isinstance(field.kind, IntKind):
            raise DeclarationError(
                f"{cls.__name__}.{field.name}: inputs hold numbers, flags and choices; send text as an event."
            )
    if not made.wire_type.public:
        raise DeclarationError(f"{cls.__name__} has no fields; a game without inputs is a Room[None].")
    for attribute in attrs.fields(made):
        if attribute.default is attrs.NOTHING:
            raise DeclarationError(
                f"{cls.__name__}.{attribute.name} needs a default: the neutral input is made of them."
            )
    return cast("type[InputT]", made)


@overload
@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(quantized, angle, integer, flag, trigger, choice, ref, text, blob, packed, attrs.field),
)
def event(cls: type[EventT], /) -> type[EventT]: ...
@overload
@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(quantized, angle, integer, flag, trigger, choice, ref, text, blob, packed, attrs.field),
)
def event(*, client: bool = False, policy: PolicyName = "must") -> Callable[[type[EventT]], type[EventT]]: ...
def event(cls: type[Any] | None = None, /, *, client: bool = False, policy: PolicyName = "must") -> Any:
    """Make a class a one-off message from the server to clients, and with ``client`` also the other way.

    Args:
        cls: A subclass of ``Event``.
        client: Clients may send it.
        policy: What may happen to one that a slow client can't take (see `Policy`); a single send may say otherwise.

    Raises:
        DeclarationError: A field or the class can't be put in a schema, or there is no such policy.
    """
    try:
        chosen = parse_policy(policy)
    except UsageError as error:
        raise DeclarationError(str(error)) from None

    def decorate(target: type[Any]) -> type[Any]:
        made = _declare(target, Event, ["client"] if client else [], eq=True)
        made.policy = chosen
        return made

    return decorate if cls is None else decorate(cls)


def _declare(cls: type[Any], base: type[Any], flags: list[str], *, eq: bool) -> type[Any]:
    if not issubclass(cls, base):
        raise DeclarationError(
            f"{cls.__name__} must inherit from {base.__name__}: class {cls.__name__}({base.__name__})."
        )
    made = attrs.define(cls, kw_only=True, slots=True, eq=eq)
    fields: list[FieldType] = []
    for attribute in attrs.fields(made):
        spec = cast("FieldSpec | None", attribute.metadata.get(_METADATA_KEY))
        if spec is None:
            if base is not Entity:
                raise DeclarationError(f"{cls.__name__}.{attribute.name} needs a wire kind, such as integer(0, 9).")
            continue
        fields.append(_field_type(cls, base, attribute, spec))
    made.wire_type = ClassType(name=cls.__name__, flags=tuple(flags), fields=tuple(fields), author=made)
    return made


def _field_type(cls: type[Any], base: type[Any], attribute: attrs.Attribute[Any], spec: FieldSpec) -> FieldType:
    where = f"{cls.__name__}.{attribute.name}"
    if attribute.name in _RESERVED:
        raise DeclarationError(f"{where}: {quote(attribute.name)} is taken by tickwire; choose another name.")
    if attribute.name.startswith("_"):
        raise DeclarationError(f"{where}: a replicated field can't start with an underscore; it isn't private.")
    if spec.to == "owner" and base is not Entity:
        raise DeclarationError(f"{where}: only entities have fields to their owner.")
    if isinstance(spec.kind, Trigger) and base is not Input:
        raise DeclarationError(f"{where}: trigger is for inputs; use flag.")
    default: int | bytes = spec.kind.zero()
    if attribute.default is not attrs.NOTHING and not isinstance(spec.kind, Packed):
        try:
            default = spec.kind.to_wire(attribute.default)
        except ValueRefused as error:
            raise DeclarationError(f"{where}: the default is not usable: {error}") from error
    return FieldType(name=attribute.name, kind=spec.kind, private=spec.to == "owner", default=default)
