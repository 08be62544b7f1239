"""Sorties flown by the arena, for the browser's twin of ``Arena.fly`` to repeat: `tests/vectors/sorties.json`.

Run as a script, with the sources importable, it writes the file anew.
"""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from tickwire.demo.arena import Arena, Bullet, Rock, Ship, Steer
from tickwire.testing import World, play

VECTORS = Path(__file__).parents[1] / "vectors" / "sorties.json"
TICKS = 240
SHOT_DOWN_AT = 150

ALIVE = 6

State = list[object]


class Sortie(Arena):
    """The arena with one pilot, whose commands are made up here."""

    name = "sortie"
    seed = 11

    def on_create(self, options: Mapping[str, object]) -> None:
        """Set up the field, and an empty log."""
        super().on_create(options)
        self.chance = random.Random(3)
        self.steer = Steer()
        self.flown: list[dict[str, object]] = []

    def fly(self, ship: Ship, steer: Steer) -> None:
        """Fly by the made-up commands, and write down what came of it."""
        if self.tick == SHOT_DOWN_AT:
            self.shoot_down(ship, None)
        if self.tick % 5 == 0:
            turn, thrust, fire = (
                self.chance.randrange(-8, 9) / 8,
                self.chance.random() < 0.8,
                self.chance.random() < 0.6,
            )
            self.steer = Steer(turn=turn, thrust=thrust, fire=fire)
        before, bullets = state(ship), set(self.all(Bullet))
        super().fly(ship, self.steer)
        shots = [[shot.x, shot.y, shot.heading, shot.born] for shot in self.all(Bullet) if shot not in bullets]
        if ship.alive and not before[ALIVE]:
            return  # where it comes back is not for a prediction to know
        commands = [self.steer.turn, self.steer.thrust, self.steer.fire]
        self.flown.append(
            {"tick": self.tick, "before": before, "steer": commands, "after": state(ship), "shots": shots}
        )


def state(ship: Ship) -> State:
    """What the step is about."""
    return [ship.x, ship.y, ship.vx, ship.vy, ship.heading, ship.thrust, ship.alive, ship.reload]


def fly_sortie() -> dict[str, object]:
    """One sortie among the arena's rocks, the same at every call: JSON-able."""

    async def fly() -> dict[str, object]:
        async with World(Sortie) as world:
            await world.join("sortie", name="Ada")
            await world.ticks(TICKS)
            room = cast("Sortie", world.rooms[0])
            rocks = [[rock.x, rock.y, rock.radius] for rock in room.all(Rock)]
            return {"hz": room.hz, "rocks": rocks, "ticks": room.flown[:TICKS]}

    return play(fly)


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(fly_sortie(), separators=(",", ":")) + "\n")
