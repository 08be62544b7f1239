"""What is played: how many rooms, players and entities, and whether anything moves."""

from __future__ import annotations

import attrs

HZ = 20


@attrs.frozen
class Scenario:
    """One load.

    Attributes:
        name: As on the command line.
        title: What a table says about it.
        rooms: Rooms that run at once.
        players: Players in each room; each has one avatar.
        entities: Moving entities in each room beside the avatars.
        moving: Whether avatars move and players send inputs; else nothing changes.
        floor_bytes: How long a frame of the C floor is: about what a tickwire snapshot takes.
    """

    name: str
    title: str
    rooms: int
    players: int
    entities: int = 0
    moving: bool = True
    floor_bytes: int = 0

    @property
    def clients(self) -> int:
        """Players in all rooms."""
        return self.rooms * self.players


MICRO = "micro"


def scenarios(world_entities: int = 500) -> dict[str, Scenario]:
    """All scenarios by name; ``world_entities`` move in S3, its players' avatars among them."""
    world_players = 500
    known = [
        Scenario("S1", "100 rooms x 8 players", rooms=100, players=8, floor_bytes=48),
        Scenario("S2", "one room, 300 players", rooms=1, players=300, floor_bytes=1000),
        Scenario(
            "S3",
            f"one room, {world_players} players, {world_entities} entities",
            rooms=1,
            players=world_players,
            entities=max(0, world_entities - world_players),
            floor_bytes=round(3.2 * world_entities),
        ),
        Scenario("S4", "250 rooms x 8 players, nothing changes", rooms=250, players=8, moving=False),
    ]
    return {scenario.name: scenario for scenario in known}
