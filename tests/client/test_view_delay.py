"""How a client tells the server how far in the past it sees the world."""

from tickwire_client.view_delay import ViewDelay, ticks_between
from tickwire_shared.client_messages import MAX_VIEW_DELAY, View, parse_client


def told(message: bytes | None) -> object:
    return None if message is None else parse_client(message)


def test_a_delay_is_told_once_and_again_when_it_changed_by_an_eighth_of_a_tick() -> None:
    view = ViewDelay()
    assert told(view.update(8.0)) == View(None, 128)
    assert view.update(8.09) is None
    assert told(view.update(8.1)) == View(None, 130)
    view.restart()
    assert not view.told
    assert told(view.update(8.1)) == View(None, 130)


def test_every_pong_is_answered_with_its_stamp_and_with_the_delay_once_there_is_one() -> None:
    view = ViewDelay()
    assert told(view.answer(5.5, None)) == View(5.5, None)
    before = view.told
    assert told(view.answer(6.5, 3.0)) == View(6.5, 48)
    assert (before, view.told) == (False, True)
    assert view.update(3.0) is None


def test_a_delay_that_can_not_be_is_told_as_the_nearest_that_can() -> None:
    assert told(ViewDelay().update(-3.0)) == View(None, 0)
    assert told(ViewDelay().update(1e9)) == View(None, MAX_VIEW_DELAY)


def test_ticks_are_subtracted_across_the_wrap() -> None:
    assert ticks_between(2**32 - 1.5, 3.0) == 4.5
    assert ticks_between(2**32 - 1, 2**32 + 3.25) == 4.25
    assert ticks_between(4.0, 2.0) == -2.0
