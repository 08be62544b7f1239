"""Garbage is collected when there is time for it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Generator

import pytest

from tickwire.collecting import URGENT_OBJECTS, YOUNG_OBJECTS, IdleCollector


class Loop:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def collector() -> Generator[IdleCollector]:
    with IdleCollector() as collector:
        yield collector


def litter(count: int) -> tuple[weakref.ref[Loop], list[list[int]]]:
    return weakref.ref(Loop()), [[] for _ in range(count)]


def test_what_is_young_goes_when_there_is_time(collector: IdleCollector) -> None:
    found, kept = litter(YOUNG_OBJECTS + 10)
    assert found() is not None
    collector.spare(1.0)
    assert found() is None
    assert collector.young == 1
    assert len(kept) > YOUNG_OBJECTS


def test_nothing_is_looked_for_when_there_is_little_or_no_time(collector: IdleCollector) -> None:
    collector.spare(1.0)
    _, few = litter(10)
    collector.spare(1.0)
    _, many = litter(YOUNG_OBJECTS + 10)
    collector.spare(0.0)
    assert collector.young == 0
    assert len(few) < len(many)


def test_very_much_is_looked_through_in_any_case(collector: IdleCollector) -> None:
    found, kept = litter(URGENT_OBJECTS + 10)
    collector.spare(0.0)
    assert found() is None
    assert kept


def test_the_interpreters_own_collector_is_off_meanwhile_and_on_afterwards() -> None:
    assert gc.isenabled()
    with IdleCollector():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_existed_before_is_set_aside_meanwhile() -> None:
    gc.unfreeze()  # what these tests' own set-up has put there
    with IdleCollector():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
    gc.freeze()


def test_what_the_program_has_set_aside_itself_stays_there() -> None:
    gc.freeze()
    aside = gc.get_freeze_count()
    with IdleCollector():
        pass
    assert gc.get_freeze_count() == aside > 0
