"""The game as game code sees it: entities to read, controls to steer with. No I/O.

The network client's `Game` adds waiting to this; a test kit may use it as it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen

from tickwire_client.client_session import ClientSession, Phase
from tickwire_client.game_clock import GameClock
from tickwire_client.pacing import InputPacer
from tickwire_client.predicted_entity import PredictionOptions, Snap, no_snap
from tickwire_client.predicted_events import Match, Tell, no_match, no_news
from tickwire_client.prediction import Prediction
from tickwire_client.replica import Replica
from tickwire_client.statistics import GameStats
from tickwire_client.stepper import Step
from tickwire_client.views import EntityView, EventView
from tickwire_shared.errors import UsageError

EVENT_BACKLOG = 1024  # events that nobody has taken yet; the oldest are dropped first

OUTBOX_LIMIT = 256


@frozen(slots=True)
class Me:
    """Who this player is.

    Attributes:
        player: The number of its seat in the room.
        owned: The ids of its entities.
    """

    player: int
    owned: frozenset[int]


class GameView:
    """One player's view of a room, and its controls. Reading never waits: it shows the newest snapshot."""

    def __init__(self, session: ClientSession) -> None:
        """Show what ``session`` has received."""
        self.session = session
        self._happened: deque[EventView] = deque(maxlen=EVENT_BACKLOG)
        self._outbox: list[bytes] = []
        self._prediction: Prediction | None = None
        self._clock = GameClock(session, lambda: self._now_ms())

    def all(self, name: str) -> list[EntityView]:
        """All entities of the class ``name``, by id.

        Raises:
            KeyError: The room has no such class.
        """
        return self.replica.all(name)

    def one(self, name: str) -> EntityView | None:
        """The first entity of the class ``name``: the one of a singleton. None if there is none.

        Raises:
            KeyError: The room has no such class.
        """
        return next(iter(self.all(name)), None)

    def find(self, id: int) -> EntityView | None:
        """The entity with this id, or None when it is not in the state."""
        return self.replica.find(id)

    @property
    def replica(self) -> Replica:
        """The decoded state below the views."""
        return self.session.playing()

    @property
    def me(self) -> Me:
        """This player's number and the ids of its entities."""
        welcome = self.session.welcome
        if welcome is None:
            raise UsageError("The room has not been joined yet; wait for WELCOME.")
        return Me(welcome.player, self.replica.owned)

    @property
    def owned(self) -> tuple[EntityView, ...]:
        """This player's entities, by id."""
        found = (self.find(id) for id in sorted(self.replica.owned))
        return tuple(view for view in found if view is not None)

    @property
    def tick(self) -> int:
        """The tick of the newest snapshot."""
        tick = self.replica.tick
        if tick is None:
            raise UsageError("No snapshot has come yet; wait for the first.")
        return tick

    @property
    def room_id(self) -> str:
        """The id of the room that was joined."""
        return "" if self.session.welcome is None else self.session.welcome.room

    @property
    def hz(self) -> float:
        """The room's ticks per second."""
        return self.session.clock.hz

    @property
    def clock(self) -> GameClock:
        """The time here, at the server and in the picture, and the round trip."""
        return self._clock

    @property
    def lead_ticks(self) -> float:
        """How many ticks ahead of the server inputs are addressed."""
        return self._clock.lead_ticks

    @property
    def stats(self) -> GameStats:
        """Counts and distributions since the join."""
        return self.session.stats

    def steer(self, **fields: Any) -> None:
        """Change fields of the input from the next tick on; what isn't mentioned stays as it is.

        Raises:
            UsageError: The room takes no inputs, or the input class has no such field.
            ValueRefused: A value doesn't fit its field.
        """
        pacer = self._pacer()
        running = pacer.running
        pacer.steer(fields)
        if not running:
            self._wake()

    def press(self, trigger: str) -> None:
        """Set a trigger of the input for exactly one tick.

        Raises:
            UsageError: The room takes no inputs, or the input class has no such trigger.
        """
        pacer = self._pacer()
        running = pacer.running
        pacer.press(trigger)
        if not running:
            self._wake()

    def predict(
        self,
        entity: str | Callable[[], EntityView | None],
        step: Step,
        *,
        positions: Sequence[str] | None = None,
        snap_distance: float | None = None,
        snap: Snap = no_snap,
        match: Match = no_match,
        on_event: Tell = no_news,
        on_error: Callable[[Exception], None] | None = None,
    ) -> Prediction:
        """Show an entity of this player where it will be when the server has heard what the player does now.

        From now on an input is sent for every tick, and simulated here at once.

        Args:
            entity: The class of the own entity, or what finds it; the class is marked ``predicted``.
            step: The twin of what the server does with it in one tick: pure, changes the plain state that it is given.
            positions: The fields that make up its place; all quantized ones that everyone sees unless given.
            snap_distance: Units: what is put farther away than this jumps there, less is smoothed.
            snap: Whether a correction from the predicted state to the server's is a jump, however short: a respawn.
            match: Whether an entity is the one of a predicted spawn, where their fields differ.
            on_event: Told each predicted event and spawn, and again when its fate is known.
            on_error: Told when the step raises; without it that is logged. The server's state is shown then.

        Raises:
            UsageError: Nothing was joined yet, the room takes no inputs, or the class can't be predicted.
        """
        options = PredictionOptions(
            entity=entity,
            step=step,
            positions=positions,
            snap_distance=snap_distance,
            snap=snap,
            match=match,
            on_event=on_event,
            on_error=on_error,
        )
        self._prediction = self.session.predict(options, self._now_ms)
        self._wake()
        return self._prediction

    @property
    def prediction(self) -> Prediction | None:
        """The newest prediction; None while there is none."""
        return self._prediction

    def frame(self) -> None:
        """Begin a frame of a picture: ``entity.view`` is as of now until the next. Call it once for each frame drawn.

        A client that never does has nothing to interpolate, and pays nothing for it.
        """
        self.session.frame(self._now_ms())

    def send(self, event_name: str, /, **fields: Any) -> None:
        """Send an event to the room; fields not given have their defaults.

        Sent as soon as possible. While the connection is lost, events are kept and sent after it is resumed.

        Raises:
            UsageError: The room has no such event, clients may not send it, it has no such field, or too
                many events are waiting.
            ValueRefused: A value doesn't fit its field.
        """
        if len(self._outbox) >= OUTBOX_LIMIT:
            raise UsageError(f"{OUTBOX_LIMIT} messages are waiting to be sent; send fewer, or wait for the connection.")
        self._outbox.append(self.session.write_event(event_name, fields))
        self._wake()

    def take_event(self) -> EventView | None:
        """The oldest event that nobody has taken yet; None if there is none."""
        return self._happened.popleft() if self._happened else None

    def take_events(self) -> list[EventView]:
        """All events that came since the last call, in order, at once."""
        taken = list(self._happened)
        self._happened.clear()
        return taken

    def take_outbox(self, now_ms: float, early_ticks: float = 0.0) -> list[bytes]:
        """All messages that are to be sent now, in order: what was asked for, then what is due.

        Nothing while the connection is lost or the join isn't answered yet.
        """
        if self.session.phase is not Phase.PLAYING:
            return []
        taken = self._outbox
        self._outbox = []
        taken.extend(self.session.poll(now_ms, early_ticks))
        return taken

    def put_back(self, messages: list[bytes]) -> None:
        """Give back messages that were taken from the outbox but could not be sent."""
        self._outbox[:0] = messages

    def note_event(self, event: EventView) -> None:
        """Keep an event until it is taken."""
        if len(self._happened) == EVENT_BACKLOG:
            self.stats.events_dropped += 1
        self._happened.append(event)

    def _now_ms(self) -> float:
        """The local clock. Without one of its own, a view goes by when the server was last heard."""
        return self.session.heard_ms

    def _wake(self) -> None:
        """Something may be due to be sent earlier than was planned."""

    def _pacer(self) -> InputPacer:
        pacer = self.session.pacer
        if pacer is None:
            self.replica  # noqa: B018 - explains when the room isn't joined yet
            raise UsageError("This room takes no inputs.")
        return pacer
