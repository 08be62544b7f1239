"""Predicts the demo's own ship in Python: the twin of ``Arena.fly``, as ``client_demo/web/game/pilot.js`` is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from tickwire.demo.arena import RELOAD_TICKS
from tickwire.demo.flight import SHIP_RADIUS, Disc, Motion, direction, step
from tickwire_client.stepper import StepContext

SNAP_UNITS = 4.0
"""As on the demo's page: a ship that is put right by more than this jumps."""


def fly(ship: SimpleNamespace, steer: SimpleNamespace, context: StepContext) -> None:
    """One tick of the own ship: move, shoot, count down."""
    ship.reload = max(0, ship.reload - 1)
    if not ship.alive:
        return
    ship.thrust = steer.thrust
    now = Motion(ship.x, ship.y, ship.vx, ship.vy, ship.heading)
    rocks = cast("tuple[Disc, ...]", context.all("Rock"))
    ship.x, ship.y, ship.vx, ship.vy, ship.heading = step(now, steer.turn, steer.thrust, rocks, context.dt)
    if steer.fire and ship.reload == 0:
        shoot(ship, context)


def shoot(ship: SimpleNamespace, context: StepContext) -> None:
    """Launch a bullet from the ship's nose."""
    dx, dy = direction(ship.heading)
    nose_x, nose_y = ship.x + dx * SHIP_RADIUS, ship.y + dy * SHIP_RADIUS
    context.spawn("Bullet", x=nose_x, y=nose_y, heading=ship.heading, born=context.tick, by=context.entity)
    ship.reload = RELOAD_TICKS
