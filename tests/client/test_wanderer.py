from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import int_kinds
from tickwire_client.wanderer import wander
from tickwire_shared.byte_kinds import Text
from tickwire_shared.errors import UsageError
from tickwire_shared.int_kinds import Flag, Ref, Trigger
from tickwire_shared.kinds import Kind

input_kinds = int_kinds | st.just(Trigger()) | st.just(Ref(of=None))


@given(st.dictionaries(st.text(max_size=4), input_kinds, max_size=6), st.integers())
def test_whatever_the_controls_are_it_chooses_values_that_they_accept(kinds: dict[str, Kind], seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(10):
        for name, value in wander(kinds, rng).items():
            kind = kinds[name]
            kind.check(kind.to_wire(value))


def test_it_holds_its_controls_for_a_while_but_not_for_ever() -> None:
    rng = random.Random(1)
    chosen = [wander({"left": Flag()}, rng) for _ in range(400)]
    assert 50 < sum(map(bool, chosen)) < 200


def test_the_same_seed_gives_the_same_walk() -> None:
    kinds: dict[str, Kind] = {"left": Flag(), "jump": Trigger()}
    walks = [[wander(kinds, rng) for _ in range(50)] for rng in (random.Random(5), random.Random(5))]
    assert walks[0] == walks[1]


def test_text_is_no_control() -> None:
    rng = random.Random(2)
    with pytest.raises(UsageError, match="inputs have numbers"):
        [wander({"words": Text(max=9)}, rng) for _ in range(100)]
