from __future__ import annotations

from typing import cast

from tickwire import Player
from tickwire.audience import Audience
from tickwire.outbox import Outbox
from tickwire.resyncing import PAUSE_S, Resyncs
from tickwire.seat import Seat


def seat() -> Seat:
    """A seat whose client holds a state."""
    return Seat(cast("Player[None]", None), Audience(Outbox()), None, version=7, owned_changed=False)


def test_who_asks_holds_nothing_any_more_and_so_gets_a_full_snapshot() -> None:
    resyncs, asking = Resyncs(), seat()
    resyncs.ask(asking, 10.0)
    assert (asking.version, asking.owned_changed) == (None, True)
    assert (resyncs.granted, resyncs.put_off) == (1, 0)


def test_who_asks_again_too_soon_gets_one_when_the_pause_is_over() -> None:
    resyncs, asking = Resyncs(), seat()
    resyncs.ask(asking, 10.0)
    asking.version = 8
    for number in range(100):
        resyncs.ask(asking, 10.1 + number / 1000)
    held: list[int | None] = []
    for now in (10.0 + PAUSE_S - 0.01, 10.0 + PAUSE_S):
        resyncs.grant_due(now)
        held.append(asking.version)
    assert held == [8, None]
    assert (resyncs.granted, resyncs.put_off) == (2, 100)
    resyncs.grant_due(99.0)
    assert resyncs.granted == 2


def test_one_who_asks_too_often_keeps_nobody_else_from_theirs() -> None:
    resyncs, liar, honest = Resyncs(), seat(), seat()
    for _ in range(100):
        resyncs.ask(liar, 10.0)
    resyncs.ask(honest, 10.0)
    assert honest.version is None
