"""The live entities of a room, and their commit."""

import pytest

from tickwire.entities import MAX_ID, EntityStore
from tickwire_shared.declare import Entity, entity, flag, integer, quantized
from tickwire_shared.errors import UsageError, ValueRefused
from tickwire_shared.schema import Schema
from tickwire_shared.state import WorldState


@entity
class Ship(Entity):
    x: float = quantized(0, 10, step=1, default=0.0)
    ammo: int = integer(0, 9, default=3, to="owner")


@entity
class Rock(Entity):
    big: bool = flag(default=False)


@entity(singleton=True)
class Match(Entity):
    left: int = integer(0, 99, default=9)


@entity
class Stranger(Entity):
    pass


SCHEMA = Schema.of(entities=[Ship, Rock, Match])
EMPTY = WorldState.empty(SCHEMA)


def store_of(*entities: Entity) -> EntityStore:
    store = EntityStore(SCHEMA)
    for item in entities:
        store.add(item)
    return store


def test_ids_ascend_across_classes_and_are_never_used_again() -> None:
    ship, rock, late = Ship(), Rock(), Ship()
    store = store_of(ship, rock)
    store.remove(rock)
    store.add(late)
    assert (ship.id, rock.id, late.id) == (1, 0, 3)


def test_entities_are_listed_by_id_and_found_by_id() -> None:
    ships = [Ship(), Ship(), Ship()]
    store = store_of(*ships)
    assert store.all(Ship) == tuple(ships)
    assert store.find(Ship, 2) is ships[1]
    assert store.find(Rock, 2) is None
    assert store.find(Ship, 99) is None


def test_a_list_in_hand_does_not_change_while_entities_come_and_go() -> None:
    store = store_of(Ship(), Ship())
    held = store.all(Ship)
    for ship in held:
        store.remove(ship)
        store.add(Ship())
    assert len(held) == 2
    assert [ship.id for ship in store.all(Ship)] == [3, 4]


def test_despawning_twice_is_harmless() -> None:
    ship = Ship()
    store = store_of(ship)
    assert store.remove(ship) == 1
    assert store.remove(ship) == 0
    assert store.remove(Rock()) == 0
    assert store.all(Ship) == ()


def test_a_despawned_entity_may_be_spawned_again_and_gets_a_new_id() -> None:
    ship = Ship()
    store = store_of(ship)
    store.remove(ship)
    store.add(ship)
    assert ship.id == 2


def test_spawning_twice_is_a_mistake() -> None:
    ship = Ship()
    store = store_of(ship)
    with pytest.raises(UsageError, match=r"Ship 1 is spawned already"):
        store.add(ship)


def test_a_second_singleton_is_a_mistake_until_the_first_is_gone() -> None:
    match = Match()
    store = store_of(match)
    with pytest.raises(UsageError, match=r"Match is a singleton"):
        store.add(Match())
    store.remove(match)
    store.add(Match())


def test_a_class_that_the_room_does_not_list_is_named() -> None:
    store = store_of()
    for act in (store.add, store.remove):
        with pytest.raises(UsageError, match=r"Stranger is not among the room's entities \(Ship, Rock, Match\)"):
            act(Stranger())
    with pytest.raises(UsageError, match=r"Stranger is not among"):
        store.all(Stranger)


def test_ids_run_out_with_a_sentence() -> None:
    store = store_of()
    store._last_id = MAX_ID  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(UsageError, match=r"used up all entity ids"):
        store.add(Ship())


def test_a_commit_is_the_state_of_all_entities() -> None:
    store = store_of(Ship(x=4.4), Rock(big=True), Ship(x=5.6))
    state = store.commit(EMPTY)
    assert state.to_dict() == {"Ship": {1: {"x": 4}, 3: {"x": 6}}, "Rock": {2: {"big": 1}}, "Match": {}}


def test_a_commit_without_a_change_is_the_same_state() -> None:
    ship = Ship()
    store = store_of(ship)
    state = store.commit(EMPTY)
    assert store.commit(state) is state
    ship.ammo = 0
    assert store.commit(state) is state
    ship.x = 1.0
    assert store.commit(state) is not state


def test_a_class_that_became_empty_is_committed_as_empty() -> None:
    ship = Ship()
    store = store_of(ship, Rock())
    state = store.commit(EMPTY)
    store.remove(ship)
    after = store.commit(state)
    assert after.to_dict()["Ship"] == {}
    assert after.tables[1] is state.tables[1]


def test_private_values_are_those_of_the_commit() -> None:
    one, two = Ship(ammo=1), Ship(ammo=2)
    store = store_of(one, Rock(), two)
    store.commit(EMPTY)
    one.ammo = 9
    rows = store.private_rows((1, 2, 3, 99))
    assert {ident: row for ident, (_, row) in rows.items()} == {1: (1,), 3: (2,)}


def test_the_commit_names_who_holds_a_bad_value() -> None:
    ship = Ship()
    store = store_of(Ship(), ship)
    ship.x = float("nan")
    with pytest.raises(ValueRefused, match=r"Ship 2, field x"):
        store.commit(EMPTY)
