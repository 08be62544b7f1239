"""The lobby: which rooms there are, and which of them a join leads to."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

import attrs
import structlog
import trio

from tickwire.auth import Pass, ask_game, check_token, has_on_auth
from tickwire.connection import Surroundings, serve_connection
from tickwire.door import Door, Visitor, peer_address
from tickwire.engine import Engine
from tickwire.head import Request
from tickwire.ladder import Ladder
from tickwire.limits import Limits
from tickwire.pulse import Pulse
from tickwire.room import Room
from tickwire.tally import Tally
from tickwire.token_key import TokenKey
from tickwire.traffic import TrafficWatch
from tickwire.watchdog import Sight
from tickwire.wires import Wires
from tickwire_shared.client_messages import Join, Resume
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import DeclarationError, ProtocolError

STUCK_S: Final = 5.0
"""A room whose next tick is overdue by this much makes the server unhealthy."""

_log = structlog.get_logger("tickwire.lobby")


class Lobby:
    """Owns the rooms of one server process."""

    def __init__(
        self,
        room_types: Iterable[type[Room[Any]]],
        *,
        door: Door | None = None,
        token_key: TokenKey | None = None,
        spare: Callable[[float], object] | None = None,
    ) -> None:
        """Offer ``room_types``; each runs as many rooms as joins ask for.

        Args:
            room_types: The room classes.
            door: Says whom to let in, and holds the limits; one with the defaults unless given.
            token_key: What tokens are checked with; None: nobody needs one.
            spare: Told how many seconds nothing is due for, before they are slept through.

        Raises:
            DeclarationError: Two room types have the same name, or there is none.
        """
        self.door = door or Door(Limits())
        self._token_key = token_key
        self._watch = TrafficWatch(self.door.limits)
        self._types: dict[str, type[Room[Any]]] = {}
        for room_type in room_types:
            if room_type.name in self._types:
                raise DeclarationError(f"Two room types are called {room_type.name!r}; give one another name.")
            self._types[room_type.name] = room_type
        if not self._types:
            raise DeclarationError("A server needs at least one room type.")
        self._max_rooms = self.door.limits.max_rooms
        self._rooms: dict[str, Engine] = {}
        self._start: Callable[[Engine], None] | None = None
        self._closing = False
        self._all_closed = trio.Event()
        self._connections = 0
        self._past = {name: Tally() for name in self._types}
        self._pulse = Pulse(spare)
        self.wires = Wires(read=self._pulse.hub, written=self._pulse.hub.outbox)

    @property
    def rooms(self) -> tuple[Engine, ...]:
        """The rooms that run."""
        return tuple(self._rooms.values())

    @property
    def connections(self) -> int:
        """Open WebSockets."""
        return self._connections

    @property
    def ladder(self) -> Ladder:
        """How much of its time the process spends in ticks, judged anew if that is due."""
        now = trio.current_time()
        self._pulse.ladder.note(now, now)
        return self._pulse.ladder

    def running(self) -> Sight | None:
        """Whose hook runs just now; for the watchdog, in a thread of its own."""
        call = self._pulse.running
        found = next((engine for engine in self.rooms if engine.pace.calls(call)), None)
        return None if found is None else Sight(found.id, found.room_type.name, found.hook, found.tick)

    def tallies(self) -> dict[str, Tally]:
        """What the rooms of each type have counted since the server began."""
        by_type = self.rooms_by_type()
        return {name: past.with_rooms(by_type[name]) for name, past in self._past.items()}

    def rooms_by_type(self) -> dict[str, list[Engine]]:
        """The rooms that run, by the name of their type; a type without any is there too."""
        by_type: dict[str, list[Engine]] = {name: [] for name in self._types}
        for engine in self._rooms.values():
            by_type[engine.room_type.name].append(engine)
        return by_type

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run rooms until cancelled; one task each. Cancelling ends all of them at once."""
        async with trio.open_nursery() as nursery:
            self._start = lambda engine: nursery.start_soon(self._run_room, engine, name=f"room {engine.id}")
            nursery.start_soon(self._watch.run)
            task_status.started()
            await self._pulse.run()

    async def handle_upgrade(self, stream: trio.abc.Stream, head: bytes, request: Request | None = None) -> None:
        """Serve one WebSocket whose upgrade request is in ``head``, until it is closed.

        Raises:
            RequestRefused: The door doesn't let it in; nothing was said to it yet.
        """
        visitor = self.door.visitor(request, peer_address(stream))
        with self.door.visiting(visitor):
            await self.door.turn()
            await self._serve(stream, head, visitor)

    async def _serve(self, stream: trio.abc.Stream, head: bytes, visitor: Visitor) -> None:
        self._connections += 1
        try:
            around = Surroundings(
                hub=self._pulse.hub,
                limits=self.door.limits,
                authorize=partial(self._authorize, visitor),
                watch=self._watch,
                wires=self.wires,
            )
            await serve_connection(stream, head, self.find, around)
        finally:
            self._connections -= 1
            if self._closing and not self._connections:
                self._all_closed.set()

    def _authorize(self, visitor: Visitor, join: Join) -> Pass | Awaitable[Pass]:
        """Check a join's token, and ask the game if it wants to be; before a room is made."""
        room_type = self._room_type(join)
        if join.reservation is not None:  # that was done when it was reserved
            return Pass(join.options)
        granted = check_token(join, room_type, self._token_key)
        if not has_on_auth(room_type):
            return granted
        return ask_game(join, room_type, visitor, granted, self.door.limits.join_timeout_s)

    def _room_type(self, join: Join) -> type[Room[Any]]:
        """The type that a join is for.

        Raises:
            ProtocolError: There is none, or the client was built against another schema.
        """
        if self._closing:
            raise ProtocolError("The server is shutting down.", CloseCode.SHUTTING_DOWN)
        match join.mode:
            case "id":
                room_type = self._by_id(join.target).room_type
            case "reserved":
                room_type = self._by_reservation(join).room_type
            case _:
                room_type = self._type(join.target)
        _check_schema(join, room_type)
        return room_type

    def find(self, message: Join | Resume) -> Engine:
        """Return the room that a join or resume leads to; make it if that is asked for.

        Raises:
            ProtocolError: There is no such room, it is full, no further room may be made, or the client was
                built against another schema.
        """
        if self._closing:
            raise ProtocolError("The server is shutting down.", CloseCode.SHUTTING_DOWN)
        if isinstance(message, Resume):
            return self._of_seat(message)
        room_type = self._room_type(message)  # checks the schema, before a room is made
        match message.mode:
            case "id":
                return self._by_id(message.target)
            case "reserved":
                return self._by_reservation(message)
            case "create":
                return self.create(room_type, message.options)
            case "join":
                return self._open_room(room_type)
            case "join_or_create":
                return self._first_open(room_type) or self.create(room_type, message.options)

    def create(self, room_type: type[Room[Any]], options: Mapping[str, object]) -> Engine:
        """Make a room and start it.

        Raises:
            ProtocolError: The server has all the rooms it may have, or is overloaded, or the room's own ``__init__``
                raised.
        """
        if not self.ladder.admits:
            raise ProtocolError("The server is overloaded: come back in a few seconds.", CloseCode.SERVER_FULL)
        if len(self._rooms) >= self._max_rooms:
            raise ProtocolError(f"The server has all of its {self._max_rooms} rooms already.", CloseCode.SERVER_FULL)
        assert self._start is not None
        try:
            engine = Engine(room_type, secrets.token_urlsafe(6), options, self._pulse)
        except Exception as error:  # the author's __init__: it ends this join and nothing else
            _log.error("room failed", type=room_type.name, tick=0, hook="__init__", exc_info=error)
            raise ProtocolError("The game failed in __init__.", CloseCode.ROOM_FAILED) from error
        engine.tick_times = self._past[room_type.name].tick_times
        self._rooms[engine.id] = engine
        self._start(engine)
        return engine

    async def keep_seat(self, visitor: Visitor, join: Join) -> tuple[Engine, str]:
        """Keep a seat for a join to come, and return its room, and the secret to claim it with, once it can be claimed.

        Raises:
            ProtocolError: As `find` does; or the game says no, no seat is free, or the room failed as it began.
        """
        granted = self._authorize(visitor, join)
        if not isinstance(granted, Pass):
            granted = await granted
        engine = self.find(attrs.evolve(join, options=granted.options))
        seat, secret = engine.seating.keep(granted.options)
        granted.introduce(seat.player, self.door.limits.name_length)
        await engine.begun.wait()
        if engine.over:
            raise ProtocolError("The room ended before it began; the server's log says why.", CloseCode.ROOM_FAILED)
        return engine, secret

    def rooms_json(self) -> list[dict[str, object]]:
        """The rooms as plain data, for ``/rooms``."""
        return [_describe(engine) for engine in self.rooms]

    def healthy(self) -> tuple[bool, dict[str, object]]:
        """Whether every room's tick loop goes on, and figures that say more."""
        now = trio.current_time()
        stuck = [engine.id for engine in self._rooms.values() if now - engine.pace.due_next > STUCK_S]
        players = sum(engine.seats_taken for engine in self._rooms.values())
        figures: dict[str, object] = {"rooms": len(self._rooms), "players": players, "connections": self._connections}
        if stuck:
            figures["stuck"] = stuck
        return not stuck, figures

    def ready(self) -> tuple[bool, dict[str, object]]:
        """Whether a player who has no seat yet could get one, and why not."""
        why: list[str] = []
        if self._closing:
            why.append("shutting down")
        if not self.ladder.admits:
            why.append("overloaded")
        if len(self._rooms) >= self._max_rooms and not any(engine.seating.accepting for engine in self._rooms.values()):
            why.append("full")
        return not why, {"why": why} if why else {}

    async def shut_down(self, grace_s: float) -> None:
        """End all rooms, tell the players, and wait up to ``grace_s`` until their connections are closed."""
        self._closing = True
        if not self._connections:
            self._all_closed.set()
        for engine in list(self._rooms.values()):
            engine.stop("The server is shutting down.", CloseCode.SHUTTING_DOWN)
        with trio.move_on_after(grace_s):
            for engine in list(self._rooms.values()):
                await engine.ended.wait()
            await self._all_closed.wait()

    async def _run_room(self, engine: Engine) -> None:
        _log.info("room created", room=engine.id, type=engine.room_type.name)
        try:
            await engine.run()
        finally:
            self._rooms.pop(engine.id, None)
            self._past[engine.room_type.name].add(engine)
            _log.info("room disposed", room=engine.id, type=engine.room_type.name, tick=engine.tick)

    def _of_seat(self, message: Resume) -> Engine:
        found = self._rooms.get(message.room)
        if found is None:
            raise ProtocolError("The room of this seat is over: join anew.", CloseCode.RESUME_FAILED)
        _check_schema(message, found.room_type)
        return found

    def _type(self, name: str) -> type[Room[Any]]:
        try:
            return self._types[name]
        except KeyError:
            offered = ", ".join(sorted(self._types))
            reason = f"There is no room type {name!r}; this server has {offered}."
            raise ProtocolError(reason, CloseCode.NO_SUCH_ROOM) from None

    def _by_id(self, ident: str) -> Engine:
        try:
            return self._rooms[ident]
        except KeyError:
            raise ProtocolError(f"There is no room with the id {ident!r}.", CloseCode.NO_SUCH_ROOM) from None

    def _by_reservation(self, join: Join) -> Engine:
        assert join.reservation is not None
        found = self._rooms.get(join.reservation[0])
        if found is None:
            reason = "The room of this reservation is over: ask for another."
            raise ProtocolError(reason, CloseCode.RESUME_FAILED)
        return found

    def _first_open(self, room_type: type[Room[Any]]) -> Engine | None:
        rooms = (engine for engine in self._rooms.values() if engine.room_type is room_type)
        return next((engine for engine in rooms if engine.seating.accepting), None)

    def _open_room(self, room_type: type[Room[Any]]) -> Engine:
        found = self._first_open(room_type)
        if found is not None:
            return found
        if any(engine.room_type is room_type for engine in self._rooms.values()):
            raise ProtocolError(f"Every {room_type.name} room is full.", CloseCode.ROOM_FULL)
        raise ProtocolError(f"No {room_type.name} room is running.", CloseCode.NO_SUCH_ROOM)


def _json_or_why_not(metadata: Mapping[str, object]) -> Mapping[str, object]:
    """What a room says of itself; what isn't JSON must not hide the other rooms."""
    try:
        json.dumps(metadata, default=str, allow_nan=False)
    except Exception as error:  # the author's own values: they may raise anything
        return {"error": f"The metadata is not JSON: {error}"}
    return metadata


def _check_schema(message: Join | Resume, room_type: type[Room[Any]]) -> None:
    if message.schema_hash is not None and message.schema_hash != room_type.schema.hash:
        reason = f"The client was built for another version of {room_type.name}: reload the page or update."
        raise ProtocolError(reason, CloseCode.WRONG_SCHEMA)


def _describe(engine: Engine) -> dict[str, object]:
    """Return a room as the list of rooms shows it."""
    return {
        "id": engine.id,
        "type": engine.room_type.name,
        "players": engine.seats_taken,
        "max_players": engine.room_type.max_players,
        "tick": engine.tick,
        "hz": engine.room_type.hz,
        "metadata": _json_or_why_not(engine.metadata),
    }
