"""Courses flown in Python, for the browser's twin of the flight step to repeat: `tests/vectors/flight.json`.

Run as a script, with the sources importable, it writes the file anew.
"""

import json
import random
from pathlib import Path

import attrs

from tickwire.demo.flight import COSINES, HEADING_STEP, HEADINGS, HEIGHT, WIDTH, Motion, step

VECTORS = Path(__file__).parents[1] / "vectors" / "flight.json"
DT = 1 / 30
COURSES = 24
TICKS = 60


@attrs.frozen
class Rock:
    """A round obstacle."""

    x: float
    y: float
    radius: float


def all_courses() -> dict[str, object]:
    """The cosine table and a set of courses, the same at every call: JSON-able."""
    return {"cosines": list(COSINES), "dt": DT, "courses": [course(seed) for seed in range(COURSES)]}


def course(seed: int) -> dict[str, object]:
    """One ship among rocks, with a new command every few ticks, and where that took it."""
    chance = random.Random(seed)
    rocks = [
        Rock(chance.randrange(481) / 4, chance.randrange(321) / 4, chance.randrange(16, 129) / 16) for _ in range(6)
    ]
    # The first course starts in the very centre of a rock, which is a case of its own.
    x, y = (rocks[0].x, rocks[0].y) if seed == 0 else (chance.random() * WIDTH, chance.random() * HEIGHT)
    ship = Motion(x, y, chance.uniform(-30, 30), chance.uniform(-30, 30), chance.randrange(HEADINGS) * HEADING_STEP)
    start = ship
    flown: list[list[object]] = []
    turn, thrust = 0.0, True
    for tick in range(TICKS):
        if tick % 7 == 0:
            turn, thrust = chance.randrange(-8, 9) / 8, chance.random() < 0.8
        ship = step(ship, turn, thrust, rocks, DT)
        flown.append([turn, thrust, *ship])
    return {"rocks": [[rock.x, rock.y, rock.radius] for rock in rocks], "start": list(start), "flown": flown}


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(all_courses(), separators=(",", ":")) + "\n")
