from __future__ import annotations

import tickwire_client


def test_the_public_names_are_these() -> None:
    names = {name for name in vars(tickwire_client) if name[0].isupper() or name in ("connect", "run_swarm")}
    assert names == {
        "Backoff",
        "ClientSession",
        "EntityView",
        "EventView",
        "Game",
        "GameStats",
        "GameView",
        "Link",
        "Me",
        "Replica",
        "SharedDecoder",
        "SwarmReport",
        "connect",
        "run_swarm",
    }
