"""The history of a room's commits."""

from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import ticks
from tickwire.history import History
from tickwire_shared.int_kinds import Integer
from tickwire_shared.schema import ClassType, FieldType, Schema
from tickwire_shared.state import Table, WorldState
from tickwire_shared.ticks import tick_add

FIELDS = tuple(FieldType(name=f"f{i}", kind=Integer(min=0, max=1 << 40), private=False, default=0) for i in range(2))
SCHEMA = Schema(entities=(ClassType(name="E", flags=(), fields=FIELDS),), input=None, events=())


def state(*values: int, shared: list[int] | None = None) -> WorldState:
    ids = tuple(range(1, len(values) + 1))
    return WorldState(SCHEMA, (Table(ids, (list(values), shared if shared is not None else list(values))),))


@given(ticks, st.lists(st.integers(1, 5), min_size=1, max_size=20), st.integers(-3, 80))
def test_the_state_at_a_tick_is_the_last_version_before_it(start: int, waits: list[int], ask: int) -> None:
    history = History()
    versions: list[int] = []
    offset = 0
    for number, wait in enumerate(waits):
        history.add(tick_add(start, offset), state(number))
        versions.append(offset)
        offset += wait
    found = history.at(tick_add(start, ask))
    before = [version for version in versions if version <= ask]
    if not before:
        assert found is None
    else:
        assert found is not None
        assert found[0] == tick_add(start, before[-1])
        assert found[1].to_dict() == state(versions.index(before[-1])).to_dict()


def test_the_oldest_versions_are_forgotten_beyond_the_bound() -> None:
    history = History(max_bytes=10_000)
    for tick in range(1000):
        history.add(tick, state(*range(tick, tick + 10)))
    assert history.size_bytes <= 10_000
    assert 2 <= len(history) < 1000
    assert history.at(0) is None
    assert history.at(999) is not None


def test_the_newest_version_is_kept_however_large_it_is() -> None:
    history = History(max_bytes=1)
    history.add(0, state(1, 2, 3))
    history.add(1, state(4, 5, 6))
    assert len(history) == 1
    assert history.at(0) is None
    assert history.at(1) == (1, state(4, 5, 6))


def test_what_two_versions_share_counts_once() -> None:
    apart, shared = History(), History()
    column = list(range(1000))
    for tick in range(10):
        values = tuple(range(tick, tick + 1000))
        apart.add(tick, state(*values))
        shared.add(tick, state(*values, shared=column))
    assert shared.size_bytes < 0.6 * apart.size_bytes


def test_an_empty_history_has_nothing() -> None:
    assert History().at(0) is None
    assert len(History()) == 0


@given(ticks)
def test_versions_that_ended_too_long_ago_are_forgotten(start: int) -> None:
    history = History(max_ticks=10)
    for offset in range(0, 60, 3):
        history.add(tick_add(start, offset), state(offset))
    assert history.at(tick_add(start, 57 - 10)) is not None, "a delta from here is what is promised"
    assert history.at(tick_add(start, 57 - 14)) is None


def test_the_last_version_but_one_is_had_without_a_search() -> None:
    history = History()
    history.add(3, state(1))
    assert history.before(3) is None
    history.add(7, state(2))
    assert history.before(3) == state(1)
    assert history.before(7) is None
    assert history.before(4) is None


def test_a_tick_has_one_version() -> None:
    history = History()
    history.add(0, state(1))
    history.add(0, state(2))
    history.add(1, state(3))
    assert (len(history), history.before(0), history.at(0)) == (2, state(2), (0, state(2)))
    alone = History()
    alone.add(0, state(2))
    alone.add(1, state(3))
    assert history.size_bytes == alone.size_bytes
