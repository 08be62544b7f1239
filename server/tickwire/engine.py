"""The engine: runs one ``Room``. A task owns its life, the pulse runs its ticks; connections reach it by its inbox.

::

    each tick:  inbox (joins, leaves, client events) -> inputs -> timers -> on_tick -> commit -> flush
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import structlog
import trio

from tickwire.audience import Audience
from tickwire.board import MAX_AHEAD
from tickwire.entities import EntityStore
from tickwire.event_sender import EventSender
from tickwire.framing import build_frame
from tickwire.greeting import greet
from tickwire.inputs import RoomInputs
from tickwire.ladder import Ladder
from tickwire.pace import Pace
from tickwire.past import Past, Rewinder
from tickwire.places import Places
from tickwire.player import UNEXPECTED, LeaveReason, Player
from tickwire.pulse import Pulse
from tickwire.replication import Replicator
from tickwire.resyncing import Resyncs
from tickwire.room import Room
from tickwire.round_trip import RoundTrip
from tickwire.seat import MAX_CLIENT_EVENTS, Link, Seat
from tickwire.seating import Seating
from tickwire.silence import Silence
from tickwire.tick_times import TickTimes
from tickwire.timers import Timers
from tickwire.translation import Translator
from tickwire_shared.client_messages import VIEW_STEPS
from tickwire_shared.closing import CloseCode
from tickwire_shared.declare import Entity
from tickwire_shared.errors import ProtocolError, UsageError
from tickwire_shared.event_messages import EventMessage, check_event
from tickwire_shared.schema import ClassType
from tickwire_shared.server_messages import build_epoch, build_load
from tickwire_shared.session import SeatEvent, SeatState
from tickwire_shared.ticks import TICK_MODULUS, tick_add, tick_distance
from tickwire_shared.wire_values import Wire

MAX_CATCH_UP_STEPS: Final = 5
"""A room that is late runs at most this many ticks at once and drops the rest (field.md, T1)."""

JOIN_TIMEOUT_S: Final = 10.0
"""A room that nobody joined after this long is disposed."""

REST_S: Final = 5.0
"""A room at rest runs one tick this often, or in half of its ``silence_s``, to ping in time who is silent."""

TOGETHER_S: Final = 0.5
"""Rooms at rest run their ticks right after each so many seconds of the clock: what wakes up once is awake for all."""

HISTORY_S: Final = 5.0
"""The history reaches this far beyond the grace time, so that who comes back at its end is sent a delta."""

UNHEARD_GRACE_S: Final = 2.0
"""The most grace for a player that was never heard of behind its WELCOME: it may not know that it has a seat."""

_log = structlog.get_logger("tickwire.room")


class Engine:
    """Runs one room.

    Attributes:
        room: The author's object.
        tick: The last tick simulated (while a hook runs: the one being simulated).
        overruns: Ticks that took longer than they may.
        pace: When its ticks are due.
        rest_asked: Whether the author's room has nothing to do until something happens.
        resyncs: Counts the full snapshots that clients asked for because their state failed its check.
        board: Where the inputs of all rooms are.
        inputs: Those of the players.
        views_refused: How often a player claimed a view further in the past, or in the future, than it is believed.
        sender: Sends events.
        silence: Finds dead peers.
        ladder: How much of its time the room needs, and what it does without because of that.
        every: Ticks per snapshot, as of now.
        tick_times: Where it notes how its ticks go; its own, until it is given that of all rooms of its type.
        seating: Gives its seats.
        begun: Set when ``on_create`` is over, or the room is.
    """

    def __init__(self, room_type: type[Room[Any]], ident: str, options: Mapping[str, object], pulse: Pulse) -> None:
        """Prepare a room; nothing of the author's runs before ``run``."""
        self.room_type = room_type
        self.id = ident
        self.tick = 0
        self._pulse = pulse
        self.pace = Pace(pulse, room_type.hz, self._run_tick)
        self.rest_asked = False
        self.random = random.Random(room_type.seed)  # None: of the system
        self.timers = Timers()
        self.store = EntityStore(room_type.schema)
        self._owners: dict[int, Seat] = {}
        self.metadata: dict[str, object] = {}
        self.overruns = 0
        self.resyncs = Resyncs()
        self.views_refused = 0
        self.board = pulse.hub.board
        self.inputs = RoomInputs(self.board, room_type.input_reader, self._put_input)
        audience = Audience(pulse.hub.outbox)
        history_s = room_type.grace_s + HISTORY_S
        self.replicator = Replicator(self.store, audience, self._owners, self.inputs, room_type.hz, history_s)
        self.ladder = Ladder(self.pace.due, pulse.ladder)
        self.every = room_type.snapshot_every
        self.tick_times = TickTimes()
        self.begun = trio.Event()
        self.ended = trio.Event()
        self._options = options
        self.room = room_type()
        self.room._engine = self  # pyright: ignore[reportPrivateUsage]
        self._seats: dict[int, Seat] = {}
        self._places = Places()
        self._inbox: deque[Callable[[], None]] = deque()
        self._events: deque[tuple[Seat, ClassType, tuple[Wire, ...]]] = deque()
        self._next_expiry = math.inf
        self._hook = "on_create"
        self._end: tuple[CloseCode, str] | None = None
        self._joined_once = False
        self._born = self.pace.due
        self._over = trio.Event()
        self._translator = Translator(room_type, self.store)
        self.sender = EventSender(self._translator, self._seats, self._too_slow)
        self.silence = Silence(room_type.silence_s, self.pace.due)
        self.seating = Seating(self, self._seats, self._translator, self._give_up)
        self._rewinder: Rewinder | None = None
        self._on_input = None if room_type.on_input is Room[Any].on_input else self.room.on_input

    # What the lobby and the list of rooms see

    @property
    def seats_taken(self) -> int:
        """Seats that count against ``max_players``."""
        return len(self._seats)

    @property
    def hook(self) -> str:
        """The hook that runs, or ran last."""
        return self._hook

    @property
    def players(self) -> tuple[Player[Any], ...]:
        """The players that have joined."""
        return tuple(seat.player for seat in self._seats.values() if seat.state is not SeatState.RESERVED)

    @property
    def over(self) -> bool:
        """Whether the room ends or has ended."""
        return self._end is not None

    # What sessions call; all return at once

    def reserve(self, options: Mapping[str, object], link: Link, reservation: str | None = None) -> tuple[Seat, int]:
        """Take a seat, or the one that is kept for a reservation; the room admits it at its next tick.

        Returns:
            The seat and the generation of this connection.

        Raises:
            ProtocolError: No seat is free, the room is overloaded, or it ends; or there is no such reservation.
        """
        self.wake()
        seat = self.seating.take(options) if reservation is None else self.seating.claim(reservation, options)
        seat.link = link
        self._inbox.append(partial(self._admit, seat, link))
        return seat, seat.generation

    def resume(self, token: str, tick: int | None, link: Link) -> tuple[Seat, int]:
        """Give a player that comes back its seat; a connection that it still has is closed.

        Raises:
            ProtocolError: The token is not the last one given to a player that is still in the room.
        """
        seat = self._places.seat_of(token)
        if seat is None or seat.state not in (SeatState.LIVE, SeatState.DROPPED) or self._end is not None:
            raise ProtocolError("The seat is gone: join anew.", CloseCode.RESUME_FAILED)
        if seat.link is not None:
            seat.link.close(CloseCode.REPLACED, "Another connection resumed this player.")
        self.wake()
        held = tick if tick is not None and tick_distance(tick, self.tick) <= 0 else None
        found = None if held is None else self.replicator.history.at(held)
        self._attach(seat, link, used_token=token)
        seat.version = None if found is None else found[0]
        self.replicator.counts.resumed(by_delta=found is not None)
        seat.heard_tick = self.tick if held is None else held
        greet(self, seat, resumed=True)
        self._inbox.append(partial(self._resumed, seat, seat.generation))
        return seat, seat.generation

    def put_inputs(self, seat: Seat, tick: int, rows: Sequence[tuple[int, ...]]) -> None:
        """Take a player's inputs for the ticks from ``tick`` on; from the first one on it has a column on the board."""
        if not seat.column:
            seat.column = self.inputs.join(seat.player)
        for number, values in enumerate(rows):
            self._put_input(seat.column, tick_add(tick, number), values)

    def _put_input(self, column: int, tick: int, values: tuple[int, ...]) -> None:
        if self.pace.resting:
            if values == self.inputs.neutral:
                return  # that is in force at rest
            self.wake()
        self.inputs.put(column, tick, values, self.tick)

    def put_event(self, seat: Seat, message: EventMessage) -> None:
        """Hand a client's event to the room at its next tick.

        Raises:
            ProtocolError: Not an event that clients may send, a value is wrong, or too many at once.
        """
        item = check_event(message, self.room_type.schema.events, from_client=True)
        if seat.events_waiting >= MAX_CLIENT_EVENTS:
            raise ProtocolError(f"More than {MAX_CLIENT_EVENTS} events in one tick.", CloseCode.TOO_MANY_MESSAGES)
        self.wake()
        seat.events_waiting += 1
        self._events.append((seat, item, message.values))

    def put_view(self, seat: Seat, delay: int | None, round_trip: RoundTrip) -> None:
        """Note how far in the past the player says that it sees the world, and what its round trip is."""
        seat.player.rtt_s = round_trip.mean_s
        seat.viewing.allow(round_trip.most_s, self.room_type.hz, self.every)
        if delay is not None and not seat.viewing.claim(delay / VIEW_STEPS, self.tick):
            self.views_refused += 1

    def resync(self, seat: Seat) -> None:
        """Send the seat a full snapshot next, or as soon as it may have another one."""
        self.resyncs.ask(seat, trio.current_time())

    def confirm(self, seat: Seat) -> None:
        """Take note that the player is known to have heard its WELCOME, and so to have its newest token."""
        seat.confirmed = True
        self._places.confirm(seat)

    def lost(self, seat: Seat, generation: int, reason: LeaveReason) -> None:
        """Take note that a connection is gone; an older one than the seat's own changes nothing."""
        if seat.generation != generation or seat.state is SeatState.GONE or self.ended.is_set():
            return
        self.wake()
        seat.detach()
        grace_s = self.room_type.grace_s if seat.confirmed else min(self.room_type.grace_s, UNHEARD_GRACE_S)
        if seat.state is SeatState.RESERVED or reason is not LeaveReason.LOST or grace_s <= 0:
            self._places.forget(seat)
            self._inbox.append(partial(self._leave, seat, generation, reason))
        else:
            seat.advance(SeatEvent.DROP)
            seat.player.connected = False
            seat.drop_at = trio.current_time() + grace_s
            self._next_expiry = min(self._next_expiry, seat.drop_at)
            self._inbox.append(partial(self._dropped, seat, generation))

    # What the author's Room calls

    def spawn(self, entity: Entity, owner: Player[Any] | None) -> None:
        """Replicate an entity; see ``Room.spawn``."""
        self.store.add(entity)
        seat = None if owner is None else self._seats.get(owner.id)
        if seat is not None:
            seat.own_more(entity)
            self._owners[entity.id] = seat

    def despawn(self, entity: Entity) -> None:
        """Stop replicating an entity; see ``Room.despawn``."""
        ident = self.store.remove(entity)
        seat = self._owners.pop(ident, None)
        if seat is not None:
            seat.own_less(ident)

    def kick(self, player: Player[Any], reason: str) -> None:
        """Remove a player; see ``Player.kick``."""
        seat = self._seats.get(player.id)
        if seat is not None:
            self._remove(seat, CloseCode.KICKED, reason, LeaveReason.KICKED)

    def request_end(self, reason: str, code: CloseCode = CloseCode.ROOM_OVER) -> None:
        """End the room after this tick."""
        if self._end is None:
            self._end = (code, reason)

    def seen_by(self, player: Player[Any]) -> Past:
        """Show the world as a player saw it; see ``Room.seen_by``."""
        seat = self._seats.get(player.id)
        if seat is None:
            raise UsageError(f"{player!r} has left the room, so it sees nothing.")
        if self._rewinder is None:
            self._rewinder = Rewinder(self.replicator.history, self.room_type.schema, self.every)
        return self._rewinder.seen(self.tick, seat.viewing.delay(self.tick))

    def stop(self, reason: str, code: CloseCode) -> None:
        """End the room at once: between two ticks, however long the next one is off."""
        self.request_end(reason, code)
        self._over.set()

    # The life of the room

    async def run(self) -> None:
        """Run the room until it ends; returns, and never raises what the author's code raises."""
        try:
            self.pace.act(self._create)
            self.begun.set()
            self.pace.start(self.tick_times.mean_s)
            await self._over.wait()
        except Exception as error:  # the author's hook: it ends this room and no other
            self._report(error)
        finally:
            self.pace.act(self._dispose)

    def _create(self) -> None:
        self.room.on_create(self._options)
        self.replicator.commit(self.tick)

    def _run_tick(self) -> None:
        """Run the tick that is due; what it raises ends this room and no other."""
        if self._end is None:
            try:
                now = self._pulse.now
                if self.pace.resting:
                    self._pass_over(self.pace.resting)
                dropped = self.pace.begin(now, 1 if self.ladder.drops_late_ticks else MAX_CATCH_UP_STEPS)
                if dropped:
                    epoch = build_epoch(tick_add(self.tick, 1), self.pace.due * 1000.0)
                    self._say_to_all("epoch", build_frame(epoch))
                if dropped > MAX_AHEAD:  # clients begin anew as well, and what they send is not to find its place taken
                    self.inputs.forget_ahead(self.tick)
                self._step(now)
            except Exception as error:  # the author's hook: it ends this room and no other
                self._report(error)
        if self._end is None:
            rest = self._ticks_to_rest() if self.rest_asked else 0
            if rest:
                self.inputs.sleep()
            self.pace.go_on(rest)
        else:
            self._over.set()

    def wake(self) -> None:
        """Go on with the next tick if the room is at rest; something happened."""
        if self.pace.resting:
            self._pass_over(self.pace.wake())

    def _ticks_to_rest(self) -> int:
        """Return how many ticks may be left out: nothing is to be done or sent in them, as far as is known now."""
        busy = (
            self._inbox
            or self._events
            or self.resyncs.waiting
            or not self.replicator.settled
            or self.inputs.busy(self.tick)
        )
        if busy or not self._joined_once:
            return 0
        seconds = min(REST_S, self.silence.pause_s, self._next_expiry - self.pace.due)
        dt = self.pace.dt
        count = max(0, min(int(seconds / dt), self.timers.next_in() - 1))
        early = int((self.pace.due + dt * (1 + count)) % TOGETHER_S / dt)
        count -= early if early < count else 0
        # The tick that ends the rest is one that sends.
        return max(0, count - (self.tick + 1 + count) % self.every)

    def _pass_over(self, count: int) -> None:
        self.tick = tick_add(self.tick, count)
        self.inputs.wake(self.tick)
        self.timers.pass_over(count)

    def _say_to_all(self, about: str, frame: bytes) -> None:
        for seat in self._seats.values():
            if seat.link is not None:
                seat.say(about, frame)

    def _step(self, began: float) -> None:
        self.rest_asked = False
        self.tick = tick = (self.tick + 1) % TICK_MODULUS
        if self._inbox or self._events or self.resyncs.waiting:
            self._run_inbox()
        self._hook = "on_input"
        self.inputs.take(tick, self._translator.make_input, self._on_input)
        self._hook = "a timer"
        self.timers.run()
        self._hook = "on_tick"
        self.room.on_tick()
        self._hook = "the commit"
        self.replicator.commit(tick)
        if began >= self.silence.due:
            self.silence.check(self._seats.values(), began, self.pace.late_s)
        if tick % self.every == 0:
            self.replicator.flush(tick)
        ended = self._pulse.look()
        self.tick_times.note(ended - began, self.pace.late_s)
        if ended - began > self.pace.dt:
            self.overruns += 1
        if self.ladder.note(began, ended):
            self._change_rung()
        if began >= self._next_expiry or not self._seats:
            self._expire(began)

    def _change_rung(self) -> None:
        """Do without what the ladder says, and tell the clients."""
        ladder = self.ladder
        self.every = self.room_type.snapshot_every * ladder.thinning
        self.replicator.sparing = ladder.sparing
        if self._rewinder is not None:
            self._rewinder.every = self.every
        self._say_to_all("load", build_frame(build_load(ladder.rung, self.every)))
        ladder.report(room=self.id, type=self.room_type.name)

    def _run_inbox(self) -> None:
        while self._inbox:
            self._inbox.popleft()()
        self.resyncs.grant_due(self.pace.due)
        self._hook = "on_event"
        while self._events:
            seat, item, values = self._events.popleft()
            seat.events_waiting = 0
            if seat.player.id in self._seats:
                self.room.on_event(seat.player, self._translator.make(item, values))

    def _expire(self, now: float) -> None:
        if now >= self._next_expiry:
            dropped = [seat for seat in self._seats.values() if seat.state is SeatState.DROPPED]
            for seat in dropped:
                if now >= seat.drop_at:
                    seat.drop_at = math.inf
                    self._inbox.append(partial(self._leave, seat, seat.generation, LeaveReason.LOST))
            self._next_expiry = min((seat.drop_at for seat in dropped), default=math.inf)
        if self._seats or not self.room_type.auto_dispose:
            return
        if self._joined_once or now - self._born > JOIN_TIMEOUT_S:
            self.request_end("The room is empty.")

    # The inbox

    def _admit(self, seat: Seat, link: Link) -> None:
        if seat.link is not link:
            return
        self._hook = "on_join"
        self._attach(seat, link, generation=seat.generation)
        self._joined_once = True
        greet(self, seat, resumed=False)
        link.admitted()
        self.room.on_join(seat.player)

    def _attach(self, seat: Seat, link: Link, generation: int | None = None, used_token: str | None = None) -> None:
        seat.attach(link)
        self.inputs.reconnect(seat.column)
        if generation is not None:
            seat.generation = generation
        self._places.renew(seat, used_token)
        seat.player.connected = True

    def _resumed(self, seat: Seat, generation: int) -> None:
        if seat.generation == generation and seat.link is not None:
            seat.link.admitted()
            if seat.drop_told:
                seat.drop_told = False
                self._hook = "on_resume"
                self.room.on_resume(seat.player)

    def _dropped(self, seat: Seat, generation: int) -> None:
        if seat.generation == generation and seat.state is SeatState.DROPPED:
            seat.drop_told = True
            self._hook = "the last will"
            self.sender.send_will(seat)
            self._hook = "on_drop"
            self.room.on_drop(seat.player)

    def _leave(self, seat: Seat, generation: int, reason: LeaveReason) -> None:
        if seat.generation != generation or seat.state is SeatState.GONE:
            return
        joined = seat.state is not SeatState.RESERVED
        seat.advance(SeatEvent.FREE)
        self._places.forget(seat)
        seat.player.connected = False
        if joined and reason in UNEXPECTED and not seat.drop_told:
            self._hook = "the last will"
            self.sender.send_will(seat)
        if joined:
            self._hook = "on_leave"
            self.room.on_leave(seat.player, reason)
        for entity in list(seat.owned.values()):
            self.despawn(entity)
        self._seats.pop(seat.player.id, None)
        self.inputs.leave(seat.column)
        seat.column = 0
        self._joined_once = True  # or was about to: nobody has to be waited for any more

    def _remove(self, seat: Seat, code: CloseCode, sentence: str, reason: LeaveReason) -> None:
        link = seat.link
        seat.detach()
        self._places.forget(seat)
        seat.generation += 1  # what the connection still says, its end included, changes nothing
        if link is not None:
            link.close(code, sentence)
        self._inbox.append(partial(self._leave, seat, seat.generation, reason))

    # The end

    def _report(self, error: Exception) -> None:
        _log.error(
            "room failed", room=self.id, type=self.room_type.name, tick=self.tick, hook=self._hook, exc_info=error
        )
        self._end = (CloseCode.ROOM_FAILED, f"The game failed in {self._hook} at tick {self.tick}.")

    def _dispose(self) -> None:
        code, reason = self._end or (CloseCode.SHUTTING_DOWN, "The server is shutting down.")
        self._end = (code, reason)
        for seat in self._seats.values():
            if seat.link is not None:
                seat.link.close(code, reason)
                seat.detach()
        if code is not CloseCode.ROOM_FAILED:
            self._run_last("on_leave", self._let_all_leave)
        self._run_last("on_dispose", self.room.on_dispose)
        self.pace.stop()
        self.inputs.close()
        self._seats.clear()
        self._places.clear()
        self.begun.set()
        self.ended.set()

    def _let_all_leave(self) -> None:
        for seat in list(self._seats.values()):
            self._leave(seat, seat.generation, LeaveReason.CLOSING)

    def _run_last(self, hook: str, call: Callable[[], object]) -> None:
        self._hook = hook
        try:
            call()
        except Exception as error:  # the author's hook: the room ends all the same
            self._report(error)

    # Parts

    def _give_up(self, seat: Seat) -> None:
        self._inbox.append(partial(self._leave, seat, seat.generation, LeaveReason.LOST))

    def _too_slow(self, seat: Seat) -> None:
        self._remove(seat, CloseCode.TOO_SLOW, "The connection is too slow for this room.", LeaveReason.TOO_SLOW)
