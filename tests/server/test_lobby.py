"""The lobby: rooms on demand, never fuller than they may be, and none that takes another one with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, cast, get_args

import attrs
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from tests.server.frames import Op
from tests.server.kit import FakeLink, ticks
from tests.server.raw_client import Closed, RawClient
from tickwire.door import Door
from tickwire.engine import JOIN_TIMEOUT_S, MAX_CATCH_UP_STEPS, Engine
from tickwire.limits import Limits
from tickwire.lobby import STUCK_S, Lobby
from tickwire.player import LeaveReason
from tickwire.room import Room
from tickwire.seat import Seat
from tickwire.testing import World, play
from tickwire_shared.client_messages import (
    Join,
    Mode,
    Resume,
    build_join,
)
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import DeclarationError, ProtocolError
from tickwire_shared.server_messages import Welcome, parse_server
from tickwire_shared.session import SeatState

HZ = 20


class Duel(Room[None]):
    hz = HZ
    max_players = 2
    grace_s = 1.0

    def on_create(self, options: Mapping[str, object]) -> None:
        self.metadata["map"] = options.get("map", "")

    def on_tick(self) -> None:
        assert len(self.players) <= self.max_players


class Quiz(Room[None]):
    hz = HZ
    max_players = 1


class Chess(Room[None]):
    """A tick every twenty seconds."""

    hz = 0.05


@asynccontextmanager
async def running(*room_types: type[Room[Any]], max_rooms: int = 100) -> AsyncGenerator[Lobby]:
    async with trio.open_nursery() as nursery:
        lobby = Lobby(room_types, door=Door(Limits(max_rooms=max_rooms)))
        await nursery.start(lobby.run)
        yield lobby
        nursery.cancel_scope.cancel()


@attrs.define(eq=False)
class Guest:
    """Somebody with a seat."""

    engine: Engine
    seat: Seat
    generation: int
    link: FakeLink

    def go(self, reason: LeaveReason = LeaveReason.LEFT) -> None:
        self.engine.lost(self.seat, self.generation, reason)


def join(lobby: Lobby, target: str = "duel", mode: Mode = "join_or_create", **options: object) -> Guest:
    """Find a room and take a seat, as a connection does: with nothing in between."""
    link = FakeLink()
    engine = lobby.find(Join(mode, target, None, options))
    return Guest(engine, *engine.reserve(options, link), link)


def refusal(lobby: Lobby, target: str = "duel", mode: Mode = "join_or_create") -> tuple[CloseCode, str]:
    with pytest.raises(ProtocolError) as caught:
        join(lobby, target, mode)
    return caught.value.code, str(caught.value)


# Matching


async def test_a_room_is_made_when_it_is_asked_for_with_the_options_of_the_join(autojump_clock: MockClock) -> None:
    async with running(Duel, Quiz) as lobby:
        assert list(lobby.rooms) == []
        guest = join(lobby, map="hills")
        await ticks(guest.engine)
        assert list(lobby.rooms) == [guest.engine]
        assert guest.link.is_admitted
        assert guest.engine.metadata == {"map": "hills"}


async def test_joins_fill_a_room_before_another_is_made(autojump_clock: MockClock) -> None:
    async with running(Duel, Quiz) as lobby:
        guests = [join(lobby) for _ in range(5)]
        rooms = [guest.engine for guest in guests]
        assert rooms[0] is rooms[1] is not rooms[2] is rooms[3] is not rooms[4]
        assert join(lobby, "quiz").engine not in rooms


async def test_a_room_is_made_anew_when_that_is_asked_for(autojump_clock: MockClock) -> None:
    async with running(Duel) as lobby:
        assert join(lobby, mode="create").engine is not join(lobby, mode="create").engine


async def test_a_room_is_joined_by_its_id_and_only_that_one(autojump_clock: MockClock) -> None:
    async with running(Duel) as lobby:
        first, second = join(lobby, mode="create"), join(lobby, mode="create")
        assert join(lobby, second.engine.id, "id").engine is second.engine
        assert join(lobby, first.engine.id, "id").engine is first.engine
        assert refusal(lobby, second.engine.id, "id") == (
            CloseCode.ROOM_FULL,
            "The room is full: all 2 seats are taken.",
        )


async def test_a_join_without_creating_needs_a_room_with_a_free_seat(autojump_clock: MockClock) -> None:
    async with running(Duel, Quiz) as lobby:
        assert refusal(lobby, mode="join") == (CloseCode.NO_SUCH_ROOM, "No duel room is running.")
        first = join(lobby)
        assert join(lobby, mode="join").engine is first.engine
        assert refusal(lobby, mode="join") == (CloseCode.ROOM_FULL, "Every duel room is full.")
        first.go()
        await ticks(first.engine)
        assert join(lobby, mode="join").engine is first.engine


async def test_what_is_not_there_is_named_with_what_is(autojump_clock: MockClock) -> None:
    async with running(Duel, Quiz) as lobby:
        sentence = "There is no room type 'chess'; this server has duel, quiz."
        for mode in ("join_or_create", "create", "join"):
            assert refusal(lobby, "chess", mode) == (CloseCode.NO_SUCH_ROOM, sentence)
        assert refusal(lobby, "x1", "id") == (CloseCode.NO_SUCH_ROOM, "There is no room with the id 'x1'.")
        with pytest.raises(ProtocolError, match="join anew"):
            lobby.find(Resume("x1", "token", None))


async def test_nobody_is_sent_to_a_room_that_ends(autojump_clock: MockClock) -> None:
    async with running(Duel) as lobby:
        first = join(lobby)
        first.engine.request_end("Over.")
        assert refusal(lobby, first.engine.id, "id")[0] is CloseCode.ROOM_OVER
        assert join(lobby).engine is not first.engine


async def test_a_server_has_only_so_many_rooms(autojump_clock: MockClock) -> None:
    async with running(Quiz, max_rooms=3) as lobby:
        guests = [join(lobby, "quiz") for _ in range(3)]
        assert refusal(lobby, "quiz") == (CloseCode.SERVER_FULL, "The server has all of its 3 rooms already.")
        guests[1].go()
        await ticks(guests[0].engine, 3)
        join(lobby, "quiz")


@pytest.mark.parametrize("room_types, words", [((), "at least one room type"), ((Duel, Duel), "are called 'duel'")])
def test_a_lobby_needs_rooms_of_different_names(room_types: tuple[type[Room[Any]], ...], words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        Lobby(room_types)


# Ending


async def test_a_room_is_disposed_when_its_last_player_has_gone(autojump_clock: MockClock) -> None:
    async with running(Duel) as lobby:
        one, other = join(lobby), join(lobby)
        await ticks(one.engine)
        one.go()
        await ticks(one.engine, 5)
        assert list(lobby.rooms) == [one.engine]
        other.go()
        await ticks(one.engine, 3)
        assert list(lobby.rooms) == []


async def test_a_room_waits_for_who_may_come_back(autojump_clock: MockClock) -> None:
    async with running(Duel) as lobby:
        guest = join(lobby)
        await ticks(guest.engine)
        guest.go(LeaveReason.LOST)
        assert lobby.find(Resume(guest.engine.id, "token", 1)) is guest.engine
        await trio.sleep(Duel.grace_s - 2 / HZ)
        assert list(lobby.rooms) == [guest.engine]
        await trio.sleep(5 / HZ)
        assert list(lobby.rooms) == []


async def test_a_room_whose_maker_never_came_in_is_disposed_too(autojump_clock: MockClock) -> None:
    async with running(Duel) as lobby:
        join(lobby).go()
        await trio.sleep(JOIN_TIMEOUT_S + 1)
        assert list(lobby.rooms) == []


async def test_a_stopping_server_tells_every_player_and_takes_no_other(autojump_clock: MockClock) -> None:
    async with running(Duel) as lobby:
        guests = [join(lobby) for _ in range(5)]
        await ticks(guests[0].engine)
        await lobby.shut_down(2.0)
        assert {guest.link.closed for guest in guests} == {(CloseCode.SHUTTING_DOWN, "The server is shutting down.")}
        assert list(lobby.rooms) == []
        assert refusal(lobby) == (CloseCode.SHUTTING_DOWN, "The server is shutting down.")


async def test_players_of_a_slow_room_are_told_without_waiting_for_its_next_tick(autojump_clock: MockClock) -> None:
    async with running(Chess) as lobby:
        guest = join(lobby, "chess")
        await ticks(guest.engine)
        began = trio.current_time()
        await lobby.shut_down(2.0)
        assert trio.current_time() == began
        assert guest.link.closed == (CloseCode.SHUTTING_DOWN, "The server is shutting down.")


async def test_a_server_that_stops_at_once_has_not_run_a_tick(autojump_clock: MockClock) -> None:
    async with running(Duel) as lobby:
        guest = join(lobby)
        await lobby.shut_down(2.0)
        assert (guest.engine.tick, guest.link.closed is None) == (0, False)


# What can be seen from outside


async def test_rooms_are_listed_with_their_seats_and_what_they_say_of_themselves(autojump_clock: MockClock) -> None:
    async with running(Duel, Quiz) as lobby:
        duel, _, quiz = join(lobby, map="hills"), join(lobby), join(lobby, "quiz")
        await ticks(duel.engine, 4)
        assert lobby.rooms_json() == [
            {
                "id": duel.engine.id,
                "type": "duel",
                "players": 2,
                "max_players": 2,
                "tick": duel.engine.tick,
                "hz": HZ,
                "metadata": {"map": "hills"},
            },
            {
                "id": quiz.engine.id,
                "type": "quiz",
                "players": 1,
                "max_players": 1,
                "tick": quiz.engine.tick,
                "hz": HZ,
                "metadata": {},
            },
        ]


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


CIRCLE: dict[str, object] = {}
CIRCLE["self"] = CIRCLE


@pytest.mark.parametrize(
    "value, words",
    [
        ({(1, 2): 3}, "keys must be"),
        (float("nan"), "not JSON compliant"),
        (CIRCLE, "Circular"),
        (Unprintable(), "no text for you"),
    ],
    ids=["a tuple for a key", "NaN", "a circle", "an object that raises"],
)
async def test_metadata_that_is_no_json_hides_no_room(autojump_clock: MockClock, value: object, words: str) -> None:
    async with running(Duel, Quiz) as lobby:
        duel, quiz = join(lobby), join(lobby, "quiz")
        duel.engine.metadata["odd"] = value
        listed = json.loads(json.dumps(lobby.rooms_json()))
        assert [room["id"] for room in listed] == [duel.engine.id, quiz.engine.id]
        assert words in listed[0]["metadata"]["error"]


async def test_a_room_that_is_stuck_makes_the_server_unhealthy_until_it_goes_on(autojump_clock: MockClock) -> None:
    async with running(Duel, Chess) as lobby:
        guest, _ = join(lobby), join(lobby, "chess")
        await ticks(guest.engine)
        assert lobby.healthy() == (True, {"rooms": 2, "players": 2, "connections": 0})
        autojump_clock.jump(STUCK_S + 1)
        assert lobby.healthy() == (
            False,
            {"rooms": 2, "players": 2, "connections": 0, "stuck": [guest.engine.id]},
        )
        await ticks(guest.engine, MAX_CATCH_UP_STEPS + 2)
        assert lobby.healthy()[0]


# Seats, whoever comes and goes

Story = list[tuple[str, int]]
ACTS = [*get_args(Mode), "leave", "lose", "come back", "tick"]


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 9)), max_size=40))
def test_no_room_is_ever_fuller_than_it_may_be_and_no_free_seat_is_refused_in_any_story(story: Story) -> None:
    play(partial(tell, story))


async def tell(story: Story) -> None:
    async with running(Duel) as lobby:
        guests: list[Guest] = []
        for act, number in story:
            if act == "tick":
                await trio.sleep(number / HZ)
                await trio.testing.wait_all_tasks_blocked()
            else:
                move(lobby, guests, act, number)
            guests = [guest for guest in guests if guest.seat.state is not SeatState.GONE]
            seated = Counter(guest.engine for guest in guests)
            assert {engine: engine.seats_taken for engine in seated} == seated
            assert all(engine.seats_taken <= Duel.max_players for engine in lobby.rooms)


def move(lobby: Lobby, guests: list[Guest], act: str, number: int) -> None:
    """Let one guest do something; who is refused is so because there is no seat."""
    guest = guests[number % len(guests)] if guests else None
    if act in get_args(Mode):
        target = guest.engine.id if guest is not None and act == "id" else "duel"
        rooms = [room for room in lobby.rooms if act in ("join", "join_or_create") or room.id == target]
        has_seat = any(not room.over and room.seats_taken < Duel.max_players for room in rooms)
        if has_seat or act in ("create", "join_or_create"):
            guests.append(join(lobby, target, cast("Mode", act)))
        else:
            refusal(lobby, target, cast("Mode", act))
    elif guest is not None and act == "come back":
        with suppress(ProtocolError):  # it had left
            guest.link = FakeLink()
            _, guest.generation = guest.engine.resume(guest.seat.token, None, guest.link)
    elif guest is not None:
        guest.go(LeaveReason.LEFT if act == "leave" else LeaveReason.LOST)


async def test_of_many_that_join_at_once_each_gets_a_seat_in_some_room(autojump_clock: MockClock) -> None:
    async with World(Duel) as world:
        answers = await rush(world, 15, Join("join_or_create", "duel"))
        seats = Counter(answer.room for answer in answers if isinstance(answer, Welcome))
        assert sorted(seats.values()) == [1, *[2] * 7]
        assert seats == {engine.id: engine.seats_taken for engine in world.lobby.rooms}


async def test_of_many_that_want_the_same_room_at_once_as_many_get_in_as_it_has_seats(
    autojump_clock: MockClock,
) -> None:
    async with World(Duel) as world:
        await world.join("duel")
        answers = await rush(world, 10, Join("id", world.rooms[0].id))
        assert sum(isinstance(answer, Welcome) for answer in answers) == 1
        assert Counter(answer.code for answer in answers if isinstance(answer, Closed)) == {CloseCode.ROOM_FULL: 9}


async def rush(world: World, count: int, message: Join) -> list[Welcome | Closed]:
    """Let many clients send the same join at the same moment; return the answers."""
    answers: list[Welcome | Closed] = []

    async def one(client: RawClient) -> None:
        await client.open()
        await client.send(build_join(message))
        said = await client.next()
        if said.op is Op.CLOSE:
            answers.append(Closed(said.close_code, said.close_reason))
        else:
            welcome = parse_server(said.payload)
            assert isinstance(welcome, Welcome)
            answers.append(welcome)

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(one, RawClient(world.open_stream()))
    return answers
