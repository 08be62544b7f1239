"""The own entity, shown where it will be when the server has heard what the player does now.

::

    def fly(ship, steer, context):           # the twin of what the server does in one tick; pure
        ship.x += steer.thrust * 10 * context.dt

    prediction = game.predict("Ship", fly)   # the own entity of this class
    prediction.pose()                        # where to draw it now

The client commands ticks that are yet to come (`lead.py`), and simulates those itself. When the server's state of a
tick comes, it is compared with what had been predicted for it, in wire values: equal costs nothing; otherwise the
simulation goes back there and runs again with the inputs since, and the picture glides over (`visual_error.py`). The
class must be marked ``predicted`` on the server, which then goes on from the quantised values that it sends, as this
does.

The method is Quake's and Source's (Bernier, "Latency Compensating Methods", 2001), on ticks instead of acknowledged
commands: a snapshot of a tick says by itself which inputs it contains.
The browser's twin is ``client_demo/web/sdk/prediction.js``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import TypeVar

from attrs import define, field

from tickwire_client.forecast import Outcome, Verdict
from tickwire_client.inputs import InputRun, SentInputs
from tickwire_client.pacing import InputPacer
from tickwire_client.pose import position_kinds
from tickwire_client.predicted_entity import PredictedEntity, PredictionOptions, Room, predictable
from tickwire_client.predicted_events import PredictedEvent
from tickwire_client.replica import Replica
from tickwire_client.stepper import Wires
from tickwire_client.views import EntityView
from tickwire_client.visual_error import Place
from tickwire_shared.errors import UsageError
from tickwire_shared.ticks import tick_distance

_log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")


@define(eq=False)
class Prediction:
    """Predicts one entity of this player, always the one that ``options`` find. Made by ``game.predict``.

    When the author's code raises, that is told once, and the server's state is shown from then on.

    Attributes:
        options: What to predict, and how.
        compared: States of the server that were compared with a prediction.
        error_units: How far the last of them was off from what had been predicted; 0 when it was equal, or a snap.
        corrections: How many of them differed in what the step itself changes; snaps are not counted.
        replays: How often ticks were simulated anew, because the server's state was not as predicted.
        snaps: How often the entity was put elsewhere.
        error: What the author's code raised; None while all is well.
    """

    options: PredictionOptions
    room: Room
    compared: int = field(default=0, init=False)
    error_units: float = field(default=0.0, init=False)
    corrections: int = field(default=0, init=False)
    replays: int = field(default=0, init=False)
    snaps: int = field(default=0, init=False)
    error: Exception | None = field(default=None, init=False)
    _sent: SentInputs = field(init=False)
    _run: PredictedEntity | None = field(default=None, init=False)
    _enabled: bool = field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        """Start with the newest state and the next input.

        Raises:
            UsageError: The class can't be predicted.
        """
        self._bind(self.room)

    def rebind(self, replica: Replica, pacer: InputPacer | None, hold: int) -> None:
        """Go on in a room that has another schema since the connection was resumed; fails if it can't be predicted."""
        self.restart()
        if pacer is None:
            self._fail(UsageError("The room takes no inputs any more, so there is nothing to predict from."))
        else:
            room = Room(replica, pacer, hold, self.room.now_ms)
            self._guard(lambda: self._bind(room))

    @property
    def enabled(self) -> bool:
        """Whether to predict; without, the server's state is shown. Switching it on after an error tries again."""
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._enabled = value
        if value:
            self.error = None
            self._guard(self._look)
        else:
            self.restart()

    @property
    def entity(self) -> EntityView | None:
        """The entity that is predicted, with the server's values; None while nothing is."""
        return None if self._run is None else self._run.entity

    @property
    def tick(self) -> int | None:
        """The last tick that was simulated here; None while nothing is predicted."""
        return None if self._run is None else self._run.forecast.newest

    @property
    def pending_ticks(self) -> int:
        """Ticks that are predicted and that the server has not told yet."""
        return 0 if self._run is None else tick_distance(self._run.forecast.newest, self._run.forecast.oldest)

    @property
    def state(self) -> SimpleNamespace | None:
        """The predicted state after ``tick``: its fields with numbers, references as ids. None: there is none."""
        run = self._run
        return None if run is None else run.stepper.read(run.forecast.at(run.forecast.newest))

    @property
    def spawned(self) -> tuple[PredictedEvent, ...]:
        """The entities that the step launched and that the server has not got yet."""
        return () if self._run is None else self._run.events.spawned

    @property
    def visual_error_units(self) -> float:
        """How far the picture still has to glide."""
        return 0.0 if self._run is None else self._run.pose.error_units(self.room.now_ms())

    def pose(self) -> Place | None:
        """Where to draw it now: its public quantized and angle fields, by name. None: nothing is predicted.

        Between two ticks it is drawn as the input stands now, which so shows in the very next picture.
        """
        run = self._run
        place = None if run is None else self._guard(run.place)
        return None if run is None or place is None else run.pose.shown(place, self.room.now_ms())

    def restart(self) -> None:
        """Drop everything predicted and begin anew with the server's next state."""
        run, self._run = self._run, None
        self.error_units = 0.0
        if run is not None:
            self._guard(run.events.clear)

    def reconnect(self) -> None:
        """Another connection begins: what was sent on the last one may never have arrived."""
        self.restart()
        self._sent.clear()

    def advance(self, inputs: InputRun) -> None:
        """Simulate the ticks whose inputs are being sent."""
        self._sent.note(inputs)
        run = self._run
        if run is not None:
            self._guard(lambda: run.extend(inputs.last))

    def reconcile(self) -> None:
        """Take in the snapshot that the replica has moved to."""
        if self._enabled and self.error is None:
            self._guard(self._look)

    def _bind(self, room: Room) -> None:
        if isinstance(self.options.entity, str):
            position_kinds(predictable(room.replica, self.options.entity), self.options.positions)
        self.room = room
        self._sent = SentInputs(room.pacer.neutral, room.pacer.triggers, room.hold)
        room.pacer.follow(self.advance)
        self._guard(self._look)

    def _look(self) -> None:
        entity, run = self._find(), self._run
        if run is not None and entity != run.entity:
            self.restart()
        elif run is not None:
            self._compare(run)
        if self._run is None and entity is not None and self.error is None:
            self._run = PredictedEntity(self.room, entity, self.options, self._sent)

    def _compare(self, run: PredictedEntity) -> None:
        tick = self.room.replica.tick
        if tick is None or tick_distance(tick, run.forecast.oldest) <= 0:
            return
        wires = run.wires
        before = None if run.forecast.states.get(tick) == wires else run.place()
        verdict = run.forecast.correct(tick, wires)
        self.error_units = 0.0
        self.compared += verdict.predicted is not None
        if before is not None:
            self._correct(run, verdict, before, wires)
        run.events.judge(tick, verdict.outcome in (Outcome.EQUAL, Outcome.NEWS), self.room.replica)

    def _correct(self, run: PredictedEntity, verdict: Verdict, before: Place, wires: Wires) -> None:
        predicted = verdict.predicted
        snap = predicted is not None and self.options.snap(run.stepper.read(predicted), run.stepper.read(wires))
        self.replays += 1
        run.replay(in_doubt=verdict.outcome in (Outcome.WRONG, Outcome.UNFORESEEN))
        if run.pose.glide(before, run.place(), self.room.now_ms(), snap=snap):
            self.snaps += 1
        elif verdict.outcome is Outcome.WRONG and predicted is not None:
            self.corrections += 1
            self.error_units = run.pose.distance(predicted, wires)

    def _find(self) -> EntityView | None:
        wanted = self.options.entity
        if callable(wanted):
            return wanted()
        found = (self.room.replica.find(id) for id in sorted(self.room.replica.owned))
        return next((view for view in found if view is not None and view.type == wanted), None)

    def _guard(self, action: Callable[[], ResultT]) -> ResultT | None:
        """Whatever the author's functions raise ends the prediction, and nothing else."""
        try:
            return action()
        except Exception as error:  # the author's code: told, and the server's state is shown instead
            self._fail(error)
            return None

    def _fail(self, error: Exception) -> None:
        if self.error is not None:  # what the author's code raises while it is being stopped has been told
            return
        self.error = error
        self.restart()
        if self.options.on_error is not None:
            self.options.on_error(error)
            return
        _log.error("The prediction failed, so the server's state is shown instead.", exc_info=error)
