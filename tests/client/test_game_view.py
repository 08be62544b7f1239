"""The parts of a game that need no network: a session in which nothing but the schema has come yet."""

from __future__ import annotations

import pytest

from tests.client.meadow import Meadow
from tickwire_client.client_session import ClientSession, Phase
from tickwire_client.game_view import EVENT_BACKLOG, GameView
from tickwire_client.pacing import InputPacer
from tickwire_client.replica import Replica
from tickwire_client.views import EventView
from tickwire_shared.client_messages import Join, parse_client
from tickwire_shared.errors import UsageError
from tickwire_shared.schema import Schema


def playing(schema: Schema = Meadow.schema) -> GameView:
    session = ClientSession(Join("join", "meadow"))
    session.phase = Phase.PLAYING
    session.replica = Replica(schema)
    if schema.input is not None:
        session.pacer = InputPacer(schema.input, session.clock)
    return GameView(session)


def test_events_that_nobody_takes_are_dropped_from_the_oldest_on_and_counted() -> None:
    game = playing()
    for number in range(EVENT_BACKLOG + 3):
        game.note_event(EventView("Thunder", {"volume": number}))
    assert game.stats.events_dropped == 3
    first = game.take_event()
    assert first is not None
    assert first.volume == 3
    assert len(game.take_events()) == EVENT_BACKLOG - 1
    assert game.take_event() is None


def test_what_is_sent_waits_in_order_until_the_connection_is_there() -> None:
    game = playing()
    game.send("Bleat", words="one")
    game.send("Bleat", words="two")
    game.session.enter(Phase.LOST)
    assert game.take_outbox(0.0) == []
    game.session.enter(Phase.JOINING)
    assert game.take_outbox(0.0) == []
    game.session.enter(Phase.PLAYING)
    first, second, ping = game.take_outbox(0.0)
    game.put_back([first, second])
    assert [parse_client(message) for message in game.take_outbox(1.0)] == [parse_client(first), parse_client(second)]
    assert parse_client(ping) is not None


def test_a_room_without_inputs_says_so() -> None:
    game = playing(Schema(entities=(), input=None, events=()))
    with pytest.raises(UsageError, match="takes no inputs"):
        game.steer(pace=1.0)
    with pytest.raises(UsageError, match="takes no inputs"):
        game.press("jump")


def test_before_the_join_everything_says_what_to_wait_for() -> None:
    game = GameView(ClientSession(Join("join", "meadow")))
    for read in (lambda: game.all("Sheep"), lambda: game.me, lambda: game.owned, lambda: game.steer(pace=1.0)):
        with pytest.raises(UsageError, match="not been joined yet"):
            read()
    with pytest.raises(UsageError, match="No snapshot has come yet"):
        playing().tick  # noqa: B018 - reading raises
    assert (game.room_id, game.lead_ticks) == ("", 0.0)
