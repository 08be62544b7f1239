"""One entity while it is being predicted: its forecast, its picture, and what its step said would happen.

The browser's twin is ``client_demo/web/sdk/predicted_entity.js``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import cast

from attrs import frozen

from tickwire_client.forecast import Forecast
from tickwire_client.inputs import SentInputs
from tickwire_client.pacing import InputPacer
from tickwire_client.pose import Pose
from tickwire_client.predicted_events import Match, PredictedEvents, Tell, no_match, no_news
from tickwire_client.replica import Replica
from tickwire_client.stepper import Step, StepContext, Stepper, Wires
from tickwire_client.views import EntityView
from tickwire_client.visual_error import Place
from tickwire_shared.errors import UsageError
from tickwire_shared.schema import ClassType

Snap = Callable[[SimpleNamespace, SimpleNamespace], bool]


def no_snap(before: SimpleNamespace, after: SimpleNamespace) -> bool:
    """Smooth every correction that is short enough."""
    return False


@frozen(kw_only=True)
class PredictionOptions:
    """What to predict, and how; the arguments of ``game.predict``.

    Attributes:
        entity: The class of the own entity, or what finds it.
        step: The twin of what the server does with it in one tick.
        positions: The fields that make up its place; all quantized ones that everyone sees unless given.
        snap_distance: Units: what is put farther away than this jumps there; an eighth of the positions' range
            unless given, as for the interpolation.
        snap: Whether a correction from the predicted state to the server's is a jump, however short: a respawn.
        match: Whether an entity is the one of a predicted spawn; only asked for those that are not equal in all fields
            given, as when an input came late.
        on_event: Told each predicted event and spawn, and again when its fate is known.
        on_error: Told when the step, or another of these functions, raises; without it that is logged.
    """

    entity: str | Callable[[], EntityView | None]
    step: Step
    positions: Sequence[str] | None = None
    snap_distance: float | None = None
    snap: Snap = no_snap
    match: Match = no_match
    on_event: Tell = no_news
    on_error: Callable[[Exception], None] | None = None


@frozen
class Room:
    """What a prediction works with: the room's state, the inputs, and the local clock in milliseconds."""

    replica: Replica
    pacer: InputPacer
    hold: int
    now_ms: Callable[[], float]


class PredictedEntity:
    """One entity while it is being predicted, from the server's newest state on."""

    def __init__(self, room: Room, entity: EntityView, options: PredictionOptions, sent: SentInputs) -> None:
        """Start with the state that the room has now.

        Raises:
            UsageError: The entity can't be predicted.
        """
        item = _checked(room.replica, entity)
        tick = room.replica.tick
        assert tick is not None
        self.room = room
        self.entity = entity
        self.context = StepContext(room.replica, room.pacer.clock.hz)
        self.context.entity = entity
        self.stepper = Stepper(item, room.pacer.input_type, options.step, self.context)
        self.forecast = Forecast(self.stepper, sent.in_force, tick, self.wires)
        self.pose = Pose(item, self.stepper, options.positions, options.snap_distance)
        self.events = PredictedEvents(options.on_event, options.match)

    @property
    def wires(self) -> Wires:
        """What the server last said."""
        return cast("Wires", self.entity.wires(field.name for field in self.stepper.fields))

    def place(self) -> Place:
        """Where it is now, apart from what the picture is off."""
        room, now_ms = self.room, self.room.now_ms()
        pacer = room.pacer
        if not pacer.running:
            return self.pose.read(self.forecast.at(self.forecast.newest))
        tick = pacer.newest(now_ms)
        return self.pose.place(self.forecast, tick, pacer.peek(), now_ms, pacer.clock.tick_ms)

    def extend(self, tick: int) -> None:
        """Simulate up to ``tick``."""
        self.forecast.extend(tick)
        self.events.predict(self.context.take_raised(), self.room.replica)

    def replay(self, *, in_doubt: bool) -> None:
        """Simulate again what the server hasn't told; ``in_doubt``: what it has told was not as predicted."""
        self.forecast.replay()
        self.events.replay(self.context.take_raised(), self.forecast.oldest, in_doubt=in_doubt)


def predictable(replica: Replica, name: str) -> ClassType:
    """The class ``name``, if entities of it can be predicted.

    Raises:
        UsageError: They can't, or there is no such class.
    """
    item = next((item for item in replica.schema.entities if item.name == name), None)
    if item is None:
        known = ", ".join(item.name for item in replica.schema.entities) or "none"
        raise UsageError(f"The room has no entity class {name!r} to predict; it has {known}.")
    if not item.predicted:
        raise UsageError(f"{name} is not marked to be predicted; write @entity(predicted=True) on the server.")
    return item


def _checked(replica: Replica, entity: EntityView) -> ClassType:
    if not entity.mine:
        raise UsageError(f"{entity.type} {entity.id} is not this player's, so it can't be predicted.")
    return predictable(replica, entity.type)
