"""Matchmaking: a seat is kept for who asked, for nobody else, and not for longer than was said."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from tests.server.kit import FakeLink, ticks
from tickwire.auth import JoinRequest
from tickwire.door import NOBODY
from tickwire.head import Request
from tickwire.lobby import Lobby
from tickwire.matchmaking import MAX_KEPT, Matchmaker
from tickwire.player import LeaveReason, Player
from tickwire.room import Room
from tickwire.seating import KEEP_S
from tickwire.testing import World
from tickwire_shared.client_messages import Join
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import JoinRefused, NotAllowed, ProtocolError

HZ = 20


class Duel(Room[None]):
    hz = HZ
    max_players = 2

    def on_create(self, options: Mapping[str, object]) -> None:
        self.told: list[str] = []
        if options.get("break"):
            raise ValueError("broken on purpose")

    def on_join(self, player: Player[None]) -> None:
        self.told.append(f"{player.id} {player.option('name')} {player.option('hat')}")

    def on_leave(self, player: Player[None], reason: LeaveReason) -> None:
        self.told.append(f"{player.id} left")


class Club(Room[None]):
    """Lets in who knows the word."""

    hz = HZ

    @classmethod
    async def on_auth(cls, request: JoinRequest) -> str:
        await trio.sleep(0.1)
        if request.options.get("word") != "swordfish":
            raise NotAllowed("You don't know the word.")
        return "a member"


@attrs.define(eq=False)
class Desk:
    """A lobby and its matchmaker."""

    lobby: Lobby
    matchmaker: Matchmaker

    async def ask(self, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
        """Post a request, and return the answer's status and what it says."""
        names = {"host": "game:8000", "content_type": "application/json", **headers}
        given = tuple((name.replace("_", "-"), value) for name, value in names.items())
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.matchmaker.answer(Request("POST", "/matchmake", "", given, data))
        assert isinstance(answer.body, bytes)
        assert answer.content_type == "application/json"
        return answer.status, json.loads(answer.body)

    async def keep(self, room: str = "duel", **options: object) -> str:
        """Ask for a seat that there has to be, and return the reservation."""
        status, answer = await self.ask({"room": room, "options": options})
        assert status == 201
        return str(answer["reservation"])

    def claim(self, reservation: str, **options: object) -> tuple[Room[Any], int]:
        """Join with a reservation, and return the room and the number of the seat."""
        join = Join("reserved", reservation, None, options)
        assert join.reservation is not None
        engine = self.lobby.find(join)
        seat, _ = engine.reserve(options, FakeLink(), join.reservation[1])
        return engine.room, seat.player.id


@asynccontextmanager
async def desk(*room_types: type[Room[Any]]) -> AsyncGenerator[Desk]:
    async with trio.open_nursery() as nursery:
        lobby = Lobby(room_types or (Duel,))
        await nursery.start(lobby.run)
        yield Desk(lobby, Matchmaker(lobby))
        nursery.cancel_scope.cancel()


async def test_the_answer_names_the_room_the_reservation_and_where_to_go(autojump_clock: MockClock) -> None:
    async with desk() as at:
        status, answer = await at.ask({"room": "duel"})
        (engine,) = at.lobby.rooms
        assert status == 201
        assert answer.pop("reservation").startswith(f"{engine.id}.")
        assert answer == {"room": engine.id, "type": "duel", "expires_s": KEEP_S, "url": "ws://game:8000/ws"}


@pytest.mark.parametrize("header", ["https", "https, http"])
async def test_behind_tls_the_address_is_one_of_tls(autojump_clock: MockClock, header: str) -> None:
    async with desk() as at:
        assert (await at.ask({"room": "duel"}, x_forwarded_proto=header))[1]["url"] == "wss://game:8000/ws"


async def test_a_reservation_is_good_for_just_its_seat_and_once(autojump_clock: MockClock) -> None:
    async with desk() as at:
        first, second = await at.keep(name="Ada"), await at.keep(name="Bob")
        (engine,) = at.lobby.rooms
        assert (engine.seats_taken, engine.seating.accepting, engine.players) == (2, False, ())
        room, seat = at.claim(second, hat="bowler", name="Eve")
        assert (room, seat) == (engine.room, 2)
        assert at.claim(first) == (engine.room, 1)
        await ticks(engine)
        assert isinstance(room, Duel)
        assert room.told == ["2 Bob bowler", "1 Ada "]
        with pytest.raises(ProtocolError, match=r"used or has expired.*ask for another") as caught:
            at.claim(first)
        assert caught.value.code is CloseCode.RESUME_FAILED


async def test_nobody_else_gets_a_kept_seat(autojump_clock: MockClock) -> None:
    async with desk() as at:
        kept = [await at.keep() for _ in range(2)]
        (engine,) = at.lobby.rooms
        with pytest.raises(ProtocolError, match="full"):
            engine.reserve({}, FakeLink())
        assert at.lobby.find(Join("join_or_create", "duel")) is not engine
        with pytest.raises(ProtocolError, match="ask for another"):
            at.claim(f"{engine.id}.guess")
        assert {at.claim(reservation)[1] for reservation in kept} == {1, 2}


async def test_a_seat_that_nobody_comes_for_is_free_again_and_its_room_goes(autojump_clock: MockClock) -> None:
    async with desk() as at:
        kept = await at.keep()
        (engine,) = at.lobby.rooms
        await trio.sleep(KEEP_S - 1)
        assert engine.seats_taken == 1
        await trio.sleep(1.5)
        assert at.lobby.rooms == ()
        assert isinstance(engine.room, Duel)
        assert engine.room.told == []
        with pytest.raises(ProtocolError, match="ask for another"):
            at.claim(kept)


async def test_the_time_to_come_does_not_run_while_the_server_is_stalled(autojump_clock: MockClock) -> None:
    async with desk() as at:
        kept = await at.keep()
        (engine,) = at.lobby.rooms
        await ticks(engine)
        autojump_clock.jump(KEEP_S + 5)
        await ticks(engine)
        assert engine.pace.dropped_ticks > HZ * KEEP_S
        assert at.claim(kept)[1] == 1


async def test_a_room_that_fails_as_it_begins_keeps_nothing(autojump_clock: MockClock) -> None:
    async with desk() as at:
        status, answer = await at.ask({"room": "duel", "options": {"break": True}})
        assert (status, answer["code"]) == (503, CloseCode.ROOM_FAILED)
        assert at.lobby.rooms == ()


async def test_the_game_is_asked_before_a_seat_is_kept_and_not_again(autojump_clock: MockClock) -> None:
    async with desk(Club) as at:
        status, answer = await at.ask({"room": "club"})
        assert (status, answer) == (403, {"error": "You don't know the word.", "code": CloseCode.REFUSED})
        assert not at.lobby.rooms
        room, _ = at.claim(await at.keep("club", word="swordfish"))
        (engine,) = at.lobby.rooms
        await ticks(engine)
        assert [player.user for player in room.players] == ["a member"]


@pytest.mark.parametrize(
    "body, says",
    [
        (b"{", "not JSON"),
        (b"[" * 3000, "not JSON"),
        (b"\xff", "not JSON"),
        ([], 'no object; send for example {"room": "arena"}'),
        ({}, "None is not the name or id of a room"),
        ({"room": ""}, "is not the name or id"),
        ({"room": "x" * 65}, "is not the name or id"),
        ({"room": "duel", "mode": "reserved"}, "is no mode; use one of join_or_create, create, join, id"),
        ({"room": "duel", "mode": []}, "is no mode"),
        ({"room": "duel", "options": 5}, "they have to be an object"),
        ({"room": "duel", "seat": 1}, "there are room, mode and options"),
        ({"room": "duel", "options": {"name": "x" * 5000}}, "4096 are allowed"),
        ({"room": "duel", "options": {"n": 2**70}}, "can't be sent"),
        ({"room": "duel", "options": {"a": [[[[[[[[1]]]]]]]]}}, "nested deeper"),
    ],
)
async def test_a_bad_request_is_told_what_is_wrong_and_makes_no_room(
    autojump_clock: MockClock, body: object, says: str
) -> None:
    async with desk() as at:
        status, answer = await at.ask(body)
        assert (status, answer["code"]) == (400, CloseCode.BAD_MESSAGE)
        assert says in answer["error"]
        assert at.lobby.rooms == ()


async def test_a_form_of_another_page_is_not_taken_for_a_request(autojump_clock: MockClock) -> None:
    async with desk() as at:
        status, answer = await at.ask({"room": "duel"}, content_type="text/plain")
        assert status == 400
        assert "application/json" in answer["error"]


@pytest.mark.parametrize(
    "body, status, code",
    [
        ({"room": "chess"}, 404, CloseCode.NO_SUCH_ROOM),
        ({"room": "duel", "mode": "join"}, 404, CloseCode.NO_SUCH_ROOM),
        ({"room": "nowhere", "mode": "id"}, 404, CloseCode.NO_SUCH_ROOM),
    ],
)
async def test_a_seat_that_does_not_exist_is_not_found(
    autojump_clock: MockClock, body: object, status: int, code: CloseCode
) -> None:
    async with desk() as at:
        answered, answer = await at.ask(body)
        assert (answered, answer["code"]) == (status, code)


async def test_no_more_seats_are_kept_than_a_server_keeps(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickwire.matchmaking.MAX_KEPT", 3)
    assert MAX_KEPT > 3
    async with desk() as at:
        for _ in range(3):
            await at.keep()
        assert (await at.ask({"room": "duel"}))[1]["code"] == CloseCode.SERVER_FULL


async def test_a_client_joins_with_a_reservation(autojump_clock: MockClock) -> None:
    async with World(Duel) as world:
        _, secret = await world.lobby.keep_seat(NOBODY, Join("create", "duel"))
        (engine,) = world.lobby.rooms
        game = await world.join(f"{engine.id}.{secret}", "reserved", name="Ada")
        assert game.me.player == 1
        with pytest.raises(JoinRefused) as caught:
            await world.join(f"{engine.id}.{secret}", "reserved")
        assert caught.value.code == CloseCode.RESUME_FAILED
