"""The greeting: WELCOME, as it stands when a player gets its seat or comes back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tickwire.framing import build_frame
from tickwire.inputs import HOLD_TICKS
from tickwire.seat import Seat
from tickwire_shared.server_messages import Welcome, build_load, build_welcome

if TYPE_CHECKING:
    from tickwire.engine import Engine


def greet(engine: Engine, seat: Seat, *, resumed: bool) -> None:
    """Tell the player of ``seat`` all about its room and its place in it, and that the room is busy if it is."""
    seat.say("welcome", _welcome_frame(engine, seat, resumed=resumed))
    if engine.ladder.rung:
        seat.say("load", build_frame(build_load(engine.ladder.rung, engine.every)))


def _welcome_frame(engine: Engine, seat: Seat, *, resumed: bool) -> bytes:
    room, schema = engine.room_type, engine.room_type.schema
    welcome = Welcome(
        room=engine.id,
        type=room.name,
        player=seat.player.id,
        token=seat.token,
        hz=room.hz,
        snapshot_every=room.snapshot_every,
        tick=engine.tick,
        time=engine.pace.due * 1000.0,
        schema=schema.describe(),
        schema_hash=schema.hash,
        resumed=resumed,
        hold=HOLD_TICKS if engine.inputs.taken else 0,
    )
    return build_frame(build_welcome(welcome))
