"""Tokens: each gives one player its seat back, and none is used up before the next one arrived."""

from __future__ import annotations

from trio.testing import MockClock

from tests.server.kit import FakeLink, FakePlayer, running, ticks
from tickwire.places import Places
from tickwire.room import Room
from tickwire.seat import Seat


class Hall(Room[None]):
    """Nothing happens."""

    auto_dispose = False


async def seat_of_hall() -> Seat:
    async with running(Hall) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        return player.seat


async def test_a_new_token_voids_the_one_before(autojump_clock: MockClock) -> None:
    places, seat = Places(), await seat_of_hall()
    places.renew(seat)
    first = seat.token
    places.renew(seat)
    assert seat.token != first
    assert (places.seat_of(first), places.seat_of(seat.token), len(places)) == (None, seat, 1)


async def test_a_used_token_is_good_until_the_next_one_is_confirmed(autojump_clock: MockClock) -> None:
    places, seat = Places(), await seat_of_hall()
    places.renew(seat)
    used = seat.token
    places.renew(seat, used)
    assert places.seat_of(used) is places.seat_of(seat.token) is seat
    places.confirm(seat)
    places.confirm(seat)
    assert (places.seat_of(used), places.seat_of(seat.token)) == (None, seat)


async def test_only_the_token_that_the_player_used_is_good_again(autojump_clock: MockClock) -> None:
    places, seat = Places(), await seat_of_hall()
    places.renew(seat)
    used = seat.token
    places.renew(seat, used)
    never_heard = seat.token
    places.renew(seat, used)
    assert places.seat_of(never_heard) is None
    assert places.seat_of(used) is seat
    places.forget(seat)
    assert len(places) == 0


async def test_a_player_whose_welcome_was_lost_comes_back_with_the_token_it_has(autojump_clock: MockClock) -> None:
    async with running(Hall) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        player.hear()
        assert player.welcome is not None
        token = player.welcome.token
        for _ in range(3):
            player.drop()
            player.link = FakeLink()
            player.seat, player.generation = engine.resume(token, None, player.link)
            await ticks(engine)
        assert engine.seats_taken == 1
        assert player.seat.link is player.link
