"""How a ship flies: one pure step from where it is to where it will be one tick later.

The server runs this step, and a browser runs its twin, `client_demo/web/game/flight.js`, to show the
own ship before the server's answer is there. Both must agree to the last bit, so the step

* has no clock, no randomness and no state of its own;
* uses only +, -, *, /, floor and the square root, which IEEE 754 rounds the same way everywhere, in the
  same order as the twin; sine and cosine, which it doesn't, come from a table rounded to 1/65536;
* ends on the grid of the wire (`POSITION_STEP`, `SPEED_STEP`, `HEADINGS`), so that what the server sends
  is what the server goes on from.

`tests/vectors/flight.json` holds courses flown here that the twin has to repeat exactly.
"""

from collections.abc import Iterable
from math import cos, floor, pi, sqrt
from typing import NamedTuple, Protocol

WIDTH = 120.0
HEIGHT = 80.0
SHIP_RADIUS = 1.2

HEADINGS = 1024
"""A ship points in one of so many directions."""
HEADING_STEP = 2 * pi / HEADINGS
POSITION_STEP = 1 / 64
SPEED_STEP = 1 / 256

TURN_RATE = 720.0
"""Headings per second at full rudder: 253 degrees. At 30 ticks a second every eighth of a rudder is whole headings."""
THRUST = 22.0
"""Acceleration of the engine, units per second squared."""
DRAG = 0.9
"""Share of the speed lost per second. Makes the top speed THRUST / DRAG, about 24 units per second."""
BOUNCE = 0.55
"""Share of the speed into a wall or a rock that comes back out of it."""

COSINES = tuple(floor(cos(i * HEADING_STEP) * 65536 + 0.5) / 65536 for i in range(HEADINGS))
"""Cosine of each heading. No entry is near a rounding border, so any decent cosine gives this table."""


class Motion(NamedTuple):
    """Where a ship is (units), how fast it moves (units per second) and where it points (radians)."""

    x: float
    y: float
    vx: float
    vy: float
    heading: float


class Disc(Protocol):
    """Something round to bounce off: a rock."""

    @property
    def x(self) -> float:
        """Across, in units."""
        ...

    @property
    def y(self) -> float:
        """Down, in units."""
        ...

    @property
    def radius(self) -> float:
        """In units."""
        ...


def step(ship: Motion, turn: float, thrust: bool, rocks: Iterable[Disc], dt: float) -> Motion:
    """Fly for one tick.

    Args:
        ship: Where it is now.
        turn: Rudder from -1 (counter-clockwise on the screen) to 1.
        thrust: Whether the engine burns.
        rocks: What it may bounce off, in the same order for every peer (by id).
        dt: Length of the tick in seconds.
    """
    index = (heading_index(ship.heading) + floor(turn * TURN_RATE * dt + 0.5)) % HEADINGS
    vx, vy = ship.vx, ship.vy
    if thrust:
        vx += COSINES[index] * THRUST * dt
        vy += COSINES[(index + 768) % HEADINGS] * THRUST * dt
    keep = 1 - DRAG * dt
    vx *= keep
    vy *= keep
    x = ship.x + vx * dt
    y = ship.y + vy * dt
    for rock in rocks:
        x, y, vx, vy = _bounce(x, y, vx, vy, rock)
    x, vx = _stay_inside(x, vx, WIDTH)
    y, vy = _stay_inside(y, vy, HEIGHT)
    return Motion(
        _snap(x, POSITION_STEP),
        _snap(y, POSITION_STEP),
        _snap(vx, SPEED_STEP),
        _snap(vy, SPEED_STEP),
        index * HEADING_STEP,
    )


def heading_index(heading: float) -> int:
    """The number of the direction nearest to an angle in radians, 0 .. HEADINGS - 1."""
    return floor(heading / HEADING_STEP + 0.5) % HEADINGS


def direction(heading: float) -> tuple[float, float]:
    """The unit vector a ship with this heading points along; y is down, so angles run clockwise on the screen."""
    index = heading_index(heading)
    return COSINES[index], COSINES[(index + 768) % HEADINGS]


def _bounce(x: float, y: float, vx: float, vy: float, rock: Disc) -> tuple[float, float, float, float]:
    """Push a ship that overlaps a rock out of it and turn its speed away from it."""
    dx = x - rock.x
    dy = y - rock.y
    reach = rock.radius + SHIP_RADIUS
    square = dx * dx + dy * dy
    if square >= reach * reach:
        return x, y, vx, vy
    distance = sqrt(square)
    # A ship in the very centre of a rock has no way out of its own: it leaves to the right.
    nx, ny = (dx / distance, dy / distance) if distance > 0 else (1.0, 0.0)
    inward = vx * nx + vy * ny
    if inward < 0:
        vx -= (1 + BOUNCE) * inward * nx
        vy -= (1 + BOUNCE) * inward * ny
    return rock.x + nx * reach, rock.y + ny * reach, vx, vy


def _stay_inside(at: float, speed: float, size: float) -> tuple[float, float]:
    """Bounce off the arena's walls, along one axis."""
    if at < SHIP_RADIUS:
        return SHIP_RADIUS, -speed * BOUNCE if speed < 0 else speed
    if at > size - SHIP_RADIUS:
        return size - SHIP_RADIUS, -speed * BOUNCE if speed > 0 else speed
    return at, speed


def _snap(value: float, grid: float) -> float:
    """Round to a multiple of ``grid``, halves up."""
    return floor(value / grid + 0.5) * grid
