"""The sorties that the browser's twin of the arena's step has to repeat."""

import json

from tests.server.sorties import VECTORS, fly_sortie


def test_the_stored_sortie_is_what_the_arena_flies() -> None:
    sortie = fly_sortie()
    assert json.loads(VECTORS.read_text()) == json.loads(json.dumps(sortie))
