"""The client's side of a session, without I/O: bytes and the time in, effects out.

::

    IDLE --begin--> JOINING --WELCOME--> PLAYING --lost--> LOST --begin--> JOINING (with RESUME)
    LOST --lost--> LOST (an attempt failed)
      any of them --ended for good--> ENDED

A session outlives its connections. Whoever owns it sends what it returns, in order, and tells it what
arrived: the network client in `client.py`, the in-memory test kit, the fuzz tests.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import assert_never

from attrs import define, field, frozen

from tickwire_client.clock import PingTimer, ServerClock
from tickwire_client.decoding import Decoder, PlainDecoder
from tickwire_client.interpolation import Interpolation
from tickwire_client.lateness import Lateness
from tickwire_client.pacing import InputPacer
from tickwire_client.predicted_entity import PredictionOptions, Room
from tickwire_client.prediction import Prediction
from tickwire_client.replica import Replica
from tickwire_client.statistics import GameStats
from tickwire_client.timeline import Timeline
from tickwire_client.view_delay import ViewDelay, ticks_between
from tickwire_client.views import EntityView, EventView
from tickwire_shared.client_messages import (
    Join,
    Resume,
    build_input,
    build_join,
    build_leave,
    build_ping,
    build_resume,
    build_resync,
)
from tickwire_shared.closing import CloseCode, RetryPolicy, retry_policy
from tickwire_shared.errors import ProtocolError, StaleBaseline, UsageError
from tickwire_shared.event_messages import EventMessage, build_event
from tickwire_shared.schema import ClassType, Schema
from tickwire_shared.server_messages import (
    Check,
    Epoch,
    Load,
    News,
    Pong,
    Private,
    ServerMessage,
    SnapshotMessage,
    Welcome,
)
from tickwire_shared.wire_values import Wire


class Phase(enum.Enum):
    """Where a client's session stands."""

    IDLE = "idle"
    JOINING = "joining"
    PLAYING = "playing"
    LOST = "lost"
    ENDED = "ended"


TRANSITIONS: Mapping[Phase, frozenset[Phase]] = {
    Phase.IDLE: frozenset({Phase.JOINING, Phase.ENDED}),
    Phase.JOINING: frozenset({Phase.PLAYING, Phase.LOST, Phase.ENDED}),
    Phase.PLAYING: frozenset({Phase.LOST, Phase.ENDED}),
    Phase.LOST: frozenset({Phase.LOST, Phase.JOINING, Phase.ENDED}),
    Phase.ENDED: frozenset(),
}


@frozen(slots=True)
class Send:
    """Send these bytes as one binary message."""

    data: bytes


@frozen(slots=True)
class Welcomed:
    """The server has answered; a snapshot follows."""

    resumed: bool


@frozen(slots=True)
class Updated:
    """The state is now that of ``tick``."""

    tick: int
    full: bool


@frozen(slots=True)
class Happened:
    """An event came from the server."""

    event: EventView


Effect = Send | Welcomed | Updated | Happened
NOTHING: tuple[Effect, ...] = ()


@define(eq=False)
class ClientSession:
    """One player's session. All times are the local clock's, in milliseconds.

    Attributes:
        join: What to ask the server for.
        decoder: How messages are decoded; sessions of one process may share it.
        replica: The room; None before the first WELCOME.
        welcome: The newest WELCOME.
        snap: Units by entity class: what moves farther from one snapshot to the next jumps instead of flying there.
        interpolation: Draws the room; None before the first WELCOME.
    """

    join: Join
    decoder: Decoder = field(factory=PlainDecoder)
    snap: Mapping[str, float] = field(factory=dict[str, float])
    phase: Phase = field(default=Phase.IDLE, init=False)
    replica: Replica | None = field(default=None, init=False)
    welcome: Welcome | None = field(default=None, init=False)
    clock: ServerClock = field(factory=ServerClock, init=False)
    stats: GameStats = field(factory=GameStats, init=False)
    pacer: InputPacer | None = field(default=None, init=False)
    heard_ms: float = field(default=0.0, init=False)
    interpolation: Interpolation | None = field(default=None, init=False)
    predictions: list[Prediction] = field(factory=list[Prediction], init=False)
    _pings: PingTimer = field(factory=PingTimer, init=False)
    _view_delay: ViewDelay = field(factory=ViewDelay, init=False)
    _left: bool = field(default=False, init=False)
    _awaiting_full: bool = field(default=False, init=False)
    _every: int = field(default=1, init=False)

    def begin(self, now_ms: float) -> bytes:
        """Start on a new connection: the first message, JOIN or RESUME."""
        self.enter(Phase.JOINING)
        self.heard_ms = now_ms
        self._pings = PingTimer()
        self._awaiting_full = False
        self.clock.forget_path()
        self._view_delay.restart()
        if self.pacer is not None:
            self.pacer.restart()
        for prediction in self.predictions:
            prediction.reconnect()
        if self.replica is not None:
            self.replica.forget_staged()
        if self.welcome is None:
            return build_join(self.join)
        tick = None if self.replica is None else self.replica.tick
        return build_resume(Resume(self.welcome.room, self.welcome.token, tick, self.welcome.schema_hash))

    def receive(self, data: bytes, now_ms: float) -> tuple[Effect, ...]:
        """Take one message of the server.

        Raises:
            ProtocolError: The server broke the protocol. Close the connection with the error's code;
                the session can't go on.
        """
        self.heard_ms = now_ms
        self.stats.count_message(len(data))
        message = self.decoder.parse(data)
        if type(message) is SnapshotMessage and self.replica is not None:
            return self._on_snapshot(self.replica, message, now_ms)
        return self._on_message(message, now_ms)

    def poll(self, now_ms: float, early_ticks: float = 0.0) -> list[bytes]:
        """The messages that are due now: PINGs and inputs. Call it when ``next_due_ms`` has come, or earlier.

        Inputs that will be due within ``early_ticks`` are among them.
        """
        due: list[bytes] = []
        if self.phase is not Phase.PLAYING or self._left:
            return due
        if self._pings.take(now_ms):
            due.append(build_ping(now_ms))
        run = self.pacer.take(now_ms, early_ticks) if self.pacer is not None else None
        if run is not None:
            newest = run.tick + len(run.inputs) - 1
            news = self._view_delay.update(self._shown_delay(newest, now_ms))
            due.extend(() if news is None else (news,))
            due.append(build_input(run.tick, run.flat()))
        return due

    def next_due_ms(self, now_ms: float) -> float:
        """The local time at which ``poll`` next has something to send; infinity when only a message can change that."""
        if self.phase is not Phase.PLAYING or self._left:
            return float("inf")
        due_ms = self._pings.due_ms
        return due_ms if self.pacer is None else min(due_ms, self.pacer.next_due_ms(now_ms))

    def lose(self, code: int) -> RetryPolicy:
        """The connection is gone. Says whether, and how soon, to ``begin`` again on a new one.

        A join that never succeeded is not tried again: whoever asked for it is there to hear why.
        """
        if self.phase is Phase.PLAYING and code != CloseCode.LEFT:
            self.stats.count_disconnect()
        policy = RetryPolicy.NEVER if self.welcome is None else retry_policy(code)
        self.enter(Phase.ENDED if policy is RetryPolicy.NEVER else Phase.LOST)
        return policy

    def end(self) -> None:
        """Nobody will begin again: the player left, or gave up."""
        if self.phase is not Phase.ENDED:
            self.enter(Phase.ENDED)

    def leave(self) -> bytes:
        """The message that gives up the seat; nothing is due behind it."""
        self._left = True
        return build_leave()

    def write_event(self, name: str, fields: Mapping[str, object]) -> bytes:
        """An event for the server, from the author's values; fields not given have their defaults.

        Raises:
            UsageError: The room has no such event, clients may not send it, or it has no such field.
            ValueRefused: A value doesn't fit its field.
        """
        schema = self.playing().schema
        names = [item.name for item in schema.events if item.from_client]
        if name not in names:
            raise UsageError(
                f"{name!r} is no event that clients may send here; there are {', '.join(names) or 'none'}."
            )
        index = schema.event_index(name)
        return build_event(index, wire_values(schema.events[index], fields))

    def predict(self, options: PredictionOptions, now_ms: Callable[[], float]) -> Prediction:
        """Predict an entity of this player from now on.

        Raises:
            UsageError: Nothing was joined yet, the room takes no inputs, or the class can't be predicted.
        """
        replica = self.playing()
        if self.pacer is None or self.welcome is None:
            raise UsageError("This room takes no inputs, so there is nothing to predict from.")
        prediction = Prediction(options, Room(replica, self.pacer, self.welcome.hold, now_ms))
        self.predictions.append(prediction)
        return prediction

    def frame(self, now_ms: float) -> None:
        """Begin a frame: everything is drawn as of now until the next."""
        if self.interpolation is not None:
            self.interpolation.frame(now_ms)

    @property
    def shown_tick(self) -> float | None:
        """The tick drawn in the last frame, not wrapped; None before the first."""
        return None if self.interpolation is None else self.interpolation.render_tick

    def playing(self) -> Replica:
        """The replica of the room that was joined.

        Raises:
            UsageError: Nothing was joined yet.
        """
        if self.replica is None:
            raise UsageError("The room has not been joined yet; wait for WELCOME.")
        return self.replica

    def enter(self, phase: Phase) -> None:
        """Go to another phase, if the table has that transition.

        Raises:
            UsageError: It hasn't.
        """
        if phase not in TRANSITIONS[self.phase]:
            raise UsageError(f"A session that is {self.phase.value} can't become {phase.value}.")
        self.phase = phase

    def _on_message(self, message: ServerMessage, now_ms: float) -> tuple[Effect, ...]:
        if isinstance(message, Welcome):
            return self._on_welcome(message, now_ms)
        replica = self.replica
        if replica is None or self.phase is not Phase.PLAYING:
            raise ProtocolError(f"The server sent {type(message).__name__} before WELCOME.")
        match message:
            case SnapshotMessage():
                return self._on_snapshot(replica, message, now_ms)
            case Private():
                replica.stage(message)
            case EventMessage():
                return (Happened(replica.read_event(message)),)
            case Pong():
                return self._on_pong(message, now_ms)
            case Check():
                return self._on_check(replica, message)
            case Epoch():
                self.clock.observe_epoch(message.tick, message.time)
            case News():
                self._on_news(message, now_ms)
            case Load():
                self._on_load(message)
            case _:
                assert_never(message)
        return NOTHING

    def _on_welcome(self, welcome: Welcome, now_ms: float) -> tuple[Effect, ...]:
        if self.phase is not Phase.JOINING:
            raise ProtocolError("The server sent a second WELCOME.")
        resumed = self.welcome is not None
        if welcome.resumed != resumed:
            raise ProtocolError(
                f"WELCOME says resumed is {welcome.resumed}, but it answers a {'RESUME' if resumed else 'JOIN'}."
            )
        if self.replica is None or self.welcome is None or welcome.schema_hash != self.welcome.schema_hash:
            self._adopt(Schema.parse(welcome.schema), welcome)
        self.welcome = welcome
        self.clock.hz = welcome.hz
        self.clock.observe_epoch(welcome.tick, welcome.time)
        self.clock.observe_welcome(welcome.time, now_ms)
        self.stats.resumes += resumed
        self._on_load(Load(0, welcome.snapshot_every))  # another one follows if the server is busy
        self.enter(Phase.PLAYING)
        return (Welcomed(resumed),)

    def _adopt(self, schema: Schema, welcome: Welcome) -> None:
        self.clock.hz = welcome.hz
        self.replica = Replica(schema, self.decoder)
        self.pacer = None if schema.input is None else InputPacer(schema.input, self.clock)
        timeline = Timeline(schema, welcome.hz, self.snap)
        self.interpolation = Interpolation(self.clock, timeline, Lateness(welcome.snapshot_every), self.stats)
        self.replica.viewer = self._view
        for prediction in self.predictions:
            prediction.rebind(self.replica, self.pacer, welcome.hold)

    def _view(self, entity: EntityView) -> Mapping[str, float] | None:
        """Where an entity is drawn: predicted if it is, else interpolated."""
        for prediction in reversed(self.predictions):
            if prediction.entity == entity:
                return prediction.pose()
        interpolation = self.interpolation
        return None if interpolation is None else interpolation.place(entity.type, entity.id)

    def _on_pong(self, pong: Pong, now_ms: float) -> tuple[Effect, ...]:
        self.stats.rtt.add(self.clock.observe_pong(pong.t1, pong.t2, pong.t3, now_ms))
        # Once inputs are sent, each says itself whether the delay has changed.
        commanded = self.clock.tick_at(now_ms) + self.clock.rtt_ms / 2 / self.clock.tick_ms
        delay = None if self._view_delay.told else self._shown_delay(commanded, now_ms)
        return (Send(self._view_delay.answer(pong.t3, delay)),)

    def _shown_delay(self, commanded: float, now_ms: float) -> float:
        """How many ticks what is shown is behind what is commanded: the newest snapshot, unless frames are drawn."""
        newest = self._known_tick(now_ms)
        drawn = None if self.interpolation is None else self.interpolation.shown_tick(now_ms)
        shown = newest if drawn is None else drawn
        return 0.0 if shown is None else ticks_between(shown, commanded)

    def _known_tick(self, now_ms: float) -> float | None:
        """The tick up to which the room is known: the newest snapshot's, or later while nothing changes."""
        tick = None if self.replica is None else self.replica.tick
        if tick is None:
            return None
        way_ticks = (self.clock.rtt_ms / 2 + 2 * self.clock.jitter_ms) / self.clock.tick_ms
        heard = self.clock.tick_at(now_ms) - way_ticks - self._every
        return tick + max(0.0, ticks_between(tick, heard))

    def _on_snapshot(self, replica: Replica, snapshot: SnapshotMessage, now_ms: float) -> tuple[Effect, ...]:
        full = snapshot.age == 0
        if self._awaiting_full and not full:
            replica.forget_staged()
            return NOTHING
        try:
            replica.advance(snapshot)
        except StaleBaseline:
            return self._resync(replica, snapshot.tick)
        except ProtocolError:
            # A delta that doesn't fit may mean that our state has gone wrong; a full one can't.
            if full:
                raise
            self.stats.state_mismatches += 1
            return self._resync(replica, snapshot.tick)
        self._awaiting_full = False
        self.stats.count_snapshot(now_ms, full=full)
        if self.interpolation is not None:
            self.interpolation.arrived(snapshot.tick, replica.state, now_ms, full=full)
        for prediction in self.predictions:
            prediction.reconcile()
        return (Updated(snapshot.tick, full),)

    def _on_check(self, replica: Replica, check: Check) -> tuple[Effect, ...]:
        if self._awaiting_full:
            return NOTHING
        self.stats.checks += 1
        if replica.agrees(check):
            return NOTHING
        self.stats.state_mismatches += 1
        return self._resync(replica, check.tick)

    def _resync(self, replica: Replica, tick: int) -> tuple[Effect, ...]:
        self.stats.resyncs += 1
        self._awaiting_full = True
        replica.forget_staged()
        return (Send(build_resync(tick)),)

    def _on_load(self, load: Load) -> None:
        if load.rung < self.stats.load and self.pacer is not None:
            self.pacer.lead.relieve()
        self.stats.load = load.rung
        self._every = load.every
        if self.interpolation is not None:
            self.interpolation.lateness.announce(load.every)

    def _on_news(self, news: News, now_ms: float) -> None:
        self.stats.late_inputs = news.late
        self.stats.refused_inputs = news.refused
        if self.pacer is not None:
            self.pacer.lead.observe_news(news.tick, news.slack, now_ms)


def wire_values(item: ClassType, fields: Mapping[str, object]) -> list[Wire]:
    """The wire values of all public fields of ``item``, in order, defaults where nothing is given.

    Raises:
        UsageError: ``fields`` has a name that the class doesn't.
        ValueRefused: A value doesn't fit its field.
    """
    unknown = fields.keys() - {declared.name for declared in item.public}
    if unknown:
        known = ", ".join(declared.name for declared in item.public) or "no fields"
        raise UsageError(f"{item.name} has no field {min(unknown)!r}; it has {known}.")
    return [
        declared.kind.to_wire(fields[declared.name]) if declared.name in fields else declared.default
        for declared in item.public
    ]
