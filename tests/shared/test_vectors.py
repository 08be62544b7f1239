"""The golden vectors are up to date, and both decoders, Python's and the browser's, hold what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest

from tests.vectors.make import GOLDEN, make_vectors, render_golden, write_corpus
from tickwire_client.replica import Replica
from tickwire_shared.packing import unpack
from tickwire_shared.schema import Schema
from tickwire_shared.server_messages import Check, SnapshotMessage, parse_server
from tickwire_shared.state import checksum

WEB_TESTS = Path(__file__).parents[1] / "web"
CORPUS_SEED = 77
CORPUS_VECTORS = 20


def test_the_golden_vectors_are_what_the_encoder_makes() -> None:
    assert GOLDEN.read_text() == render_golden(), "run python -m tests.vectors.make and bump the protocol"


@pytest.mark.parametrize("vector", [*json.loads(GOLDEN.read_text()), *make_vectors(CORPUS_SEED, CORPUS_VECTORS)])
def test_the_python_replica_holds_each_vector(vector: dict[str, object]) -> None:
    schema = unpack(bytes.fromhex(cast("str", vector["schema"])), max_bytes=1 << 20)
    replica = Replica(Schema.parse(schema))
    for step in cast("list[dict[str, object]]", vector["steps"]):
        message = parse_server(bytes.fromhex(cast("str", step["message"])))
        if isinstance(message, SnapshotMessage):
            replica.advance(message)
            assert checksum(replica.state) == step["public"]
            shown = {name: members for name, members in replica.state.to_dict().items() if members}
            assert json.loads(json.dumps(shown, default=bytes.hex)) == step["state"]
        else:
            assert isinstance(message, Check)
            assert replica.agrees(message)


def test_the_browser_decoder_holds_a_corpus_made_in_this_run(tmp_path: Path) -> None:
    write_corpus(tmp_path, CORPUS_SEED, CORPUS_VECTORS)
    node = shutil.which("node")
    assert node is not None, "Node 20 or newer is needed"
    ran = subprocess.run(
        [node, "--test", "--test-reporter=tap", "vectors.test.js"],
        cwd=WEB_TESTS,
        env={**os.environ, "TICKWIRE_CORPUS": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert "every vector of the generated corpus holds" in ran.stdout
