"""Bots: players without people. In the demo arena they play in earnest, elsewhere they wander."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Protocol

import trio
from attrs import frozen

from tickwire_client.arena_pilot import DECISION_S, decide
from tickwire_client.arena_scout import ArenaScout, is_arena
from tickwire_client.client import Game
from tickwire_client.game_view import GameView
from tickwire_client.wanderer import wander
from tickwire_shared.kinds import Kind
from tickwire_shared.schema import ClassType


class Brain(Protocol):
    """Decides what a bot does."""

    def choose(self, game: GameView, rng: random.Random) -> Mapping[str, object]:
        """The fields of the input to change now."""
        ...


@frozen
class ArenaBrain:
    """Plays the demo arena."""

    scout: ArenaScout

    def choose(self, game: GameView, rng: random.Random) -> Mapping[str, object]:
        """Look round and steer."""
        steering = decide(self.scout.look(game), rng)
        return {"turn": steering.turn, "thrust": steering.thrust, "fire": steering.fire}


@frozen
class WanderingBrain:
    """Plays anything, without understanding."""

    kinds: Mapping[str, Kind]

    @classmethod
    def of(cls, input_type: ClassType) -> WanderingBrain:
        """Make one for an input class."""
        return cls({declared.name: declared.kind for declared in input_type.public})

    def choose(self, game: GameView, rng: random.Random) -> Mapping[str, object]:
        """Change something now and then."""
        return wander(self.kinds, rng)


@frozen
class IdleBrain:
    """For rooms that take no inputs: watches."""

    def choose(self, game: GameView, rng: random.Random) -> Mapping[str, object]:
        """Do nothing."""
        return {}


Scouts = dict[str, ArenaScout]
"""One scout for each room, by its id."""


def brain_for(game: GameView, scouts: Scouts) -> Brain:
    """The best brain for the room that was joined. Bots that are given the same ``scouts`` share the looking."""
    if is_arena(game.replica):
        return ArenaBrain(scouts.setdefault(game.room_id, ArenaScout()))
    input_type = game.replica.schema.input
    return IdleBrain() if input_type is None else WanderingBrain.of(input_type)


async def play(game: Game, rng: random.Random, scouts: Scouts | None = None) -> None:
    """Play until the game is over; cancel it to stop earlier.

    Args:
        game: What to play.
        rng: Where the bot's whims come from.
        scouts: Bots of one process that are given the same share the work of looking round.

    Raises:
        ConnectionEnded: The game is over for this player.
    """
    brain = brain_for(game, {} if scouts is None else scouts)
    await trio.sleep(rng.uniform(0.0, DECISION_S))  # a swarm that thinks all at once stutters
    while game.ended is None:
        chosen = brain.choose(game, rng)
        if chosen:
            game.steer(**chosen)
        await trio.sleep(DECISION_S)
    raise game.ended
