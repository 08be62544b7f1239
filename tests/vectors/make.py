"""Golden vectors: random states from a seed, the messages that lead from one to the next, and what is held then.

``python -m tests.vectors.make`` writes ``replication.json``; ``write_corpus`` makes more of them for one test run.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import cast

from tickwire_shared.byte_kinds import Blob, Packed, Text
from tickwire_shared.delta import diff
from tickwire_shared.int_kinds import Angle, Choice, Flag, Integer, IntKind, Quantized, Ref
from tickwire_shared.kinds import Kind
from tickwire_shared.packing import pack
from tickwire_shared.schema import ClassType, FieldType, Schema
from tickwire_shared.server_messages import build_check, build_snapshot
from tickwire_shared.state import Column, Table, WorldState, checksum
from tickwire_shared.ticks import tick_add
from tickwire_shared.wire_values import Wire

GOLDEN = Path(__file__).with_name("replication.json")
SEED = 20
STEPS = 12
FULL_EVERY = 5
NEARLY_WRAPPING = (1 << 32) - 6

KINDS: tuple[Kind, ...] = (
    Quantized(min=-512, max=512, step=1 / 64),
    Angle(bits=10),
    Angle(bits=32),
    Integer(min=-(1 << 52), max=1 << 52),
    Integer(min=0, max=9),
    Flag(),
    Choice(names=("red", "green", "blue")),
    Ref(of="Many"),
    Text(max=16),
    Blob(max=8),
    Packed(max=64),
)


def make_vectors(seed: int, count: int) -> list[dict[str, object]]:
    """Make ``count`` vectors; the same for the same seed."""
    random = Random(seed)
    return [_vector(random, f"{seed}.{number}") for number in range(count)]


def write_corpus(folder: Path, seed: int, count: int) -> None:
    """Write vectors into ``folder`` for the JavaScript tests."""
    (folder / "corpus.json").write_text(json.dumps(make_vectors(seed, count)))


def render_golden() -> str:
    """Return what ``replication.json`` has to hold."""
    return json.dumps(make_vectors(SEED, 2), separators=(",", ":"), sort_keys=True) + "\n"


def _vector(random: Random, name: str) -> dict[str, object]:
    schema = Schema(entities=_classes(random), input=None, events=())
    state = WorldState.empty(schema)
    tick, last_id = NEARLY_WRAPPING, 0
    steps: list[dict[str, object]] = []
    for number in range(STEPS):
        before = state
        tick = tick_add(tick, 1)
        tables: list[Table] = []
        for item, table in zip(schema.entities, state.tables, strict=True):
            changed, last_id = _evolve(random, item, table, last_id)
            tables.append(changed)
        state = WorldState(schema, tuple(tables))
        full = number % FULL_EVERY == 0
        base = WorldState.empty(schema) if full else before
        message = build_snapshot(tick, 0 if full else 1, diff(base, state))
        steps.append({"message": message.hex(), "state": _shown(state), "public": checksum(state)})
        steps.append({"message": build_check(tick, checksum(state), None).hex()})
    return {"name": name, "schema": pack(schema.describe()).hex(), "steps": steps}


def _classes(random: Random) -> tuple[ClassType, ...]:
    """One class with every kind, one with a few, one with more int fields than ``widths`` packs into a number."""
    few = tuple(random.choice(KINDS) for _ in range(3))
    wide = tuple(Integer(min=-999, max=999) for _ in range(24))
    return tuple(
        ClassType(name=name, flags=(), fields=tuple(_field(random, f"f{at}", kind) for at, kind in enumerate(kinds)))
        for name, kinds in (("Many", KINDS), ("Few", few), ("Wide", wide))
    )


def _field(random: Random, name: str, kind: Kind) -> FieldType:
    default = kind.zero() if random.random() < 0.5 else _value(random, kind)
    return FieldType(name=name, kind=kind, private=False, default=default)


def _value(random: Random, kind: Kind) -> Wire:
    match kind:
        case Text():
            return "".join(random.choice("aé✓z") for _ in range(random.randrange(5))).encode()
        case Blob():
            return random.randbytes(random.randrange(8))
        case Packed():
            return kind.to_wire(random.choice(([], [1, "x", None], {"b": 2.5, "a": True})))
        case _:
            return random.randint(kind.low, kind.high)


def _near(random: Random, kind: Kind, held: Wire) -> Wire:
    if not isinstance(kind, IntKind) or random.random() < 0.05:
        return _value(random, kind)
    moved = cast("int", held) + random.randint(-random.choice((3, 120, 2000)), 120)
    return moved % kind.modulus if kind.modulus else min(max(moved, kind.low), kind.high)


def _evolve(random: Random, item: ClassType, table: Table, last_id: int) -> tuple[Table, int]:
    """Take some entities away, move some fields of some, and put new ones in."""
    rows = [row for row in range(len(table.ids)) if random.random() > 0.08]
    share = [random.choice((0.0, 0.1, 0.9, 1.0)) for _ in item.public]
    ids = [table.ids[row] for row in rows]
    columns: list[list[Wire]] = [
        [_near(random, field.kind, column[row]) if random.random() < share[number] else column[row] for row in rows]
        for number, (field, column) in enumerate(zip(item.public, table.columns, strict=True))
    ]
    for _ in range(random.choice((0, 0, 1, 3, 20)) if len(ids) < 24 else 0):
        last_id += random.choice((1, 1, 1, 300))
        ids.append(last_id)
        for field, column in zip(item.public, columns, strict=True):
            column.append(field.default if random.random() < 0.3 else _value(random, field.kind))
    return Table(tuple(ids), cast("tuple[Column, ...]", tuple(columns))), last_id


def _shown(state: WorldState) -> dict[str, object]:
    """Return the state in the form of a vector; classes without entities are left out."""
    return {
        name: {
            str(ident): {field: wire.hex() if isinstance(wire, bytes) else wire for field, wire in fields.items()}
            for ident, fields in entities.items()
        }
        for name, entities in state.to_dict().items()
        if entities
    }


if __name__ == "__main__":
    GOLDEN.write_text(render_golden())
