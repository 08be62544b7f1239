"""Who may join: Room.on_auth and signed tokens, before a seat is taken or a room made."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import jwt
import pytest
import structlog
import trio
from trio.testing import MockClock

from tests.server.raw_client import Closed, RawClient
from tickwire.auth import JoinRequest
from tickwire.limits import Limits
from tickwire.player import Player
from tickwire.room import Room
from tickwire.testing import World
from tickwire.token_key import parse_token_key
from tickwire_client.client import Game
from tickwire_shared.client_messages import Join, build_join, build_leave
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import JoinRefused, NotAllowed

SECRET = b"a secret of more than 32 bytes, for tests"


class Club(Room[None]):
    """Who gives the right word may join, under the name that it has."""

    grace_s = 5.0
    asked: ClassVar[list[JoinRequest]] = []
    joined: ClassVar[list[Player[None]]] = []

    @classmethod
    def on_auth(cls, request: JoinRequest) -> object:
        cls.asked.append(request)
        match request.options.get("word"):
            case "swordfish":
                return {"name": "Ada"}
            case "false":
                return False
            case "":
                raise NotAllowed
            case "bad":
                raise ZeroDivisionError
            case _:
                raise NotAllowed("You don't know the word.")

    def on_join(self, player: Player[None]) -> None:
        self.joined.append(player)


class SlowClub(Club):
    """Asks a database, which takes a second; or for ever."""

    @classmethod
    async def on_auth(cls, request: JoinRequest) -> object:
        await trio.sleep(1.0 if request.options.get("word") != "never" else trio.current_time() + 1e6)
        return super().on_auth(request)


class Open(Room[None]):
    """Asks nobody."""

    joined: ClassVar[list[Player[None]]] = []

    def on_join(self, player: Player[None]) -> None:
        self.joined.append(player)


@asynccontextmanager
async def world(**given: Any) -> AsyncGenerator[World]:
    for room_type in (Club, Open):
        room_type.joined.clear()
    Club.asked.clear()
    async with World(Club, SlowClub, Open, **given) as made:
        yield made


async def refused(made: World, room: str, **options: object) -> JoinRefused:
    with pytest.raises(JoinRefused) as caught:
        await made.join(room, link=None, **options)
    return caught.value


@pytest.mark.parametrize("room", ["club", "slowclub"])
async def test_what_the_hook_returns_is_the_players(autojump_clock: MockClock, room: str) -> None:
    async with world() as made:
        await made.join(room, word="swordfish")
        (player,) = Club.joined
        assert player.user == {"name": "Ada"}
        assert player.claims == {}
        (request,) = Club.asked
        assert (request.target, request.mode, request.options) == (room, "join_or_create", {"word": "swordfish"})


@pytest.mark.parametrize("room", ["club", "slowclub"])
@pytest.mark.parametrize(
    "word, code, reason",
    [
        ("xyzzy", CloseCode.REFUSED, "You don't know the word."),
        ("", CloseCode.REFUSED, "You may not join."),
        ("false", CloseCode.REFUSED, "You may not join."),
        ("bad", CloseCode.ROOM_FAILED, "The game failed in on_auth."),
    ],
)
async def test_who_is_refused_is_told_why_and_no_room_is_made_for_it(
    autojump_clock: MockClock, room: str, word: str, code: int, reason: str
) -> None:
    async with world() as made:
        with structlog.testing.capture_logs() as logs:
            error = await refused(made, room, word=word)
        assert (error.code, error.reason) == (code, reason)
        assert made.rooms == ()
        failures = [entry for entry in logs if entry["log_level"] == "error"]
        assert [entry["hook"] for entry in failures] == (["on_auth"] if word == "bad" else [])


async def test_an_exception_in_the_hook_harms_no_room(autojump_clock: MockClock) -> None:
    async with world() as made:
        ada = await made.join("club", word="swordfish")
        with structlog.testing.capture_logs():
            await refused(made, "club", word="bad")
        await made.ticks(3)
        assert ada.stats.disconnects == 0
        assert made.lobby.rooms[0].seats_taken == 1


async def test_a_hook_that_takes_too_long_refuses_the_join(autojump_clock: MockClock) -> None:
    async with world(limits=Limits(join_timeout_s=3)) as made:
        with structlog.testing.capture_logs() as logs:
            error = await refused(made, "slowclub", word="never")
        assert (error.code, error.reason) == (CloseCode.TIMED_OUT, "It took more than 3 s to check who you are.")
        assert [entry["hook"] for entry in logs if entry["log_level"] == "error"] == ["on_auth"]
        assert made.rooms == ()


async def test_rooms_tick_and_others_join_while_a_hook_waits(autojump_clock: MockClock) -> None:
    async with world() as made:
        await made.join("open")
        began = trio.current_time()
        games: list[Game] = []

        async def join_slowly() -> None:
            games.append(await made.join("slowclub", word="swordfish"))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(join_slowly)
            await trio.sleep(0.1)
            await made.join("open")
            assert trio.current_time() - began < 0.5
        assert len(games) == 5
        assert trio.current_time() - began < 1.5, "five at a time"


async def test_who_leaves_while_the_hook_waits_takes_no_seat(autojump_clock: MockClock) -> None:
    async with world() as made:
        for goodbye in (True, False):
            client = RawClient(made.open_stream())
            await client.open()
            await client.send(build_join(Join("create", "slowclub", options={"word": "swordfish"})))
            await trio.sleep(0.5)
            if goodbye:
                await client.send(build_leave())
                assert (await client.closed()).code == CloseCode.LEFT
            await trio.aclose_forcefully(client.stream)
        await trio.sleep(2)
        assert made.rooms == ()
        assert made.lobby.connections == 0


async def test_a_second_join_while_the_hook_waits_is_one_too_many(autojump_clock: MockClock) -> None:
    async with world() as made:
        client = RawClient(made.open_stream())
        await client.open()
        await client.send(*[build_join(Join("create", "slowclub", options={"word": "swordfish"}))] * 2)
        sentence = "The join is not answered yet; a second one is not accepted."
        assert await client.closed() == Closed(CloseCode.BAD_MESSAGE, sentence)
        assert made.rooms == ()


async def test_a_seat_that_is_gone_when_the_hook_has_decided_is_refused(autojump_clock: MockClock) -> None:
    class Pair(SlowClub):
        max_players = 1

    async with World(Pair) as made:
        outcomes: list[int] = []

        async def join() -> None:
            try:
                await made.join("pair", "create" if not made.rooms else "join", word="swordfish")
            except JoinRefused as error:
                outcomes.append(error.code)
            else:
                outcomes.append(0)

        await join()
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(join)
        assert outcomes == [0] + [CloseCode.ROOM_FULL] * 3


async def test_who_comes_back_is_not_asked_again_and_is_still_the_same(autojump_clock: MockClock) -> None:
    async with world() as made:
        ada = await made.join("club", word="swordfish")
        await made.cut(ada)
        await trio.sleep(3)
        assert ada.stats.disconnects == 1
        assert len(Club.asked) == 1
        assert [player.user for player in made.rooms[0].players] == [{"name": "Ada"}]


# Tokens


def token(key: bytes = SECRET, **changes: object) -> str:
    return jwt.encode({"sub": "ada", "exp": time.time() + 3600, **changes}, key, algorithm="HS256")


KEY = parse_token_key(SECRET, "here")


async def test_a_token_opens_the_door_and_its_claims_are_the_players(autojump_clock: MockClock) -> None:
    async with world(token_key=KEY) as made:
        await made.join("open", token=token(room="open", team="red"), name="Ada")
        (player,) = Open.joined
        assert (player.claims["sub"], player.claims["team"]) == ("ada", "red")
        assert dict(player.options) == {"name": "Ada"}, "a token is not for the game to pass on"


async def test_the_hook_sees_what_the_token_says(autojump_clock: MockClock) -> None:
    async with world(token_key=KEY) as made:
        await made.join("club", token=token(), word="swordfish")
        (request,) = Club.asked
        assert request.claims["sub"] == "ada"
        assert "token" not in request.options


@pytest.mark.parametrize(
    "options, words",
    [
        ({}, "needs a token"),
        ({"token": token(b"x" * 32)}, "Signature verification failed"),
        ({"token": token(exp=1)}, "has expired"),
        ({"token": token(room="club")}, "is for the room 'club', not for 'open'"),
    ],
)
async def test_without_a_good_token_nobody_joins_and_no_room_is_made(
    autojump_clock: MockClock, options: dict[str, object], words: str
) -> None:
    async with world(token_key=KEY) as made:
        error = await refused(made, "open", **options)
        assert error.code == CloseCode.REFUSED
        assert words in error.reason
        assert made.rooms == ()


async def test_a_token_for_one_room_is_good_for_that_room_alone(autojump_clock: MockClock) -> None:
    async with world(token_key=KEY) as made:
        await made.join("open", "create", token=token())
        await made.join("open", "create", token=token())
        first, second = (room.id for room in made.rooms)
        await made.join(first, "id", token=token(room=first))
        assert (await refused(made, second, token=token(room=first))).code == CloseCode.NO_SUCH_ROOM
        with pytest.raises(JoinRefused, match="is for the room"):
            await made.join(second, "id", token=token(room=first))


async def test_a_server_without_a_key_leaves_the_option_to_the_game(autojump_clock: MockClock) -> None:
    async with world() as made:
        await made.join("open", token="mine")
        assert Open.joined[0].options == {"token": "mine"}


async def test_a_name_is_as_long_as_the_server_allows(autojump_clock: MockClock) -> None:
    async with world(limits=Limits(name_length=5)) as made:
        await made.join("open", name="Hieronymus")
        assert Open.joined[0].option("name") == "Hiero"
        assert Open.joined[0].option("name", max_length=3) == "Hie"
