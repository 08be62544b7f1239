"""SIGINT and SIGTERM: players are told, nothing hangs, status 0; a second signal ends at once."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

from tests.e2e.serving import TICKWIRE, Server, serving
from tickwire.demo.arena import TICK_RATE
from tickwire_client.client import connect
from tickwire_shared.closing import CloseCode
from tickwire_shared.ticks import tick_distance

# The server's own bounds (tickwire.server) plus the end of the interpreter on a busy machine.
SOON_S = 6.0

FROZEN_S = 3.0
GOES_ON_S = 2.5
"""Long enough for a checksum."""

STUCK = """
from pathlib import Path

from tickwire import Room


class Stuck(Room[None]):
    def on_create(self, options):
        Path("stuck").touch()
        while True:
            pass
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_idle_server_stops_with_status_0(tmp_path: Path, number: signal.Signals) -> None:
    with serving(cwd=tmp_path) as server:
        began = time.monotonic()
        outcome = server.stop(number)
    assert outcome.status == 0, outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert time.monotonic() - began < SOON_S


def test_a_server_with_bots_stops_with_status_0(tmp_path: Path) -> None:
    with serving("--bots", "3", cwd=tmp_path) as server:
        outcome = server.stop()
    assert outcome.status == 0, outcome.stderr
    assert "Traceback" not in outcome.stderr


async def read_all(connection: WebSocketConnection) -> None:
    while True:
        await connection.get_message()


async def test_a_player_is_told_that_the_server_stops(tmp_path: Path) -> None:
    with serving(cwd=tmp_path) as server:
        stream = await trio.open_tcp_stream("127.0.0.1", server.port)
        async with stream, trio.open_nursery() as nursery:
            connection = await wrap_client_stream(nursery, stream, "127.0.0.1", "/ws")
            await connection.send_message(JOIN)
            await connection.get_message()
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as caught:
                await read_all(connection)
        assert server.wait().status == 0
    assert caught.value.reason is not None
    assert caught.value.reason.code == CloseCode.SHUTTING_DOWN
    assert caught.value.reason.reason


# Section 4 of PROTOCOL.md: [1, 1, "join_or_create", "arena", nil, {}]
JOIN = b"\x96\x01\x01\xaejoin_or_create\xa5arena\xc0\x80"


def test_a_client_that_does_not_react_is_not_waited_for(tmp_path: Path) -> None:
    with serving(cwd=tmp_path) as server, socket.create_connection(("127.0.0.1", server.port)) as silent:
        silent.sendall(
            b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert silent.recv(12) == b"HTTP/1.1 101"
        began = time.monotonic()
        outcome = server.stop()
        assert outcome.status == 0, outcome.stderr
        assert time.monotonic() - began < SOON_S


def test_a_second_signal_ends_a_server_whose_game_is_stuck(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(STUCK)
    with serving("stuck:Stuck", "--bots", "1", cwd=tmp_path) as server:
        while not (tmp_path / "stuck").exists():
            assert server.process.poll() is None
            time.sleep(0.02)
        server.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(1.0)
        assert server.stop(signal.SIGINT).status == 128 + signal.SIGINT


def test_bots_can_be_interrupted(server: Server, tmp_path: Path) -> None:
    command = [str(TICKWIRE), "bots", server.websocket_url, "--count", "2", "--duration", "60"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bots:
        while '"players": 2' not in server.get("/rooms"):
            assert bots.poll() is None
            time.sleep(0.02)
        bots.send_signal(signal.SIGINT)
        stderr = bots.communicate(timeout=SOON_S)[1]
    assert bots.returncode == 128 + signal.SIGINT
    assert "Traceback" not in stderr


async def test_a_server_that_was_frozen_goes_on_where_it_was_and_nobody_has_to_start_over(tmp_path: Path) -> None:
    with serving(cwd=tmp_path) as server:
        async with (
            connect(server.websocket_url, room="arena") as ada,
            connect(server.websocket_url, room="arena") as bob,
        ):
            await trio.sleep(0.5)
            before = ada.tick
            server.process.send_signal(signal.SIGSTOP)
            await trio.sleep(FROZEN_S)
            server.process.send_signal(signal.SIGCONT)
            await trio.sleep(GOES_ON_S)
            # A few ticks are caught up with; the others of that time are never played, not even in fast-forward.
            gained = tick_distance(ada.tick, before)
            assert 0.5 * GOES_ON_S * TICK_RATE < gained < (GOES_ON_S + FROZEN_S / 2) * TICK_RATE
            for stats in (ada.stats, bob.stats):
                assert (stats.disconnects, stats.full_snapshots, stats.resyncs, stats.state_mismatches) == (0, 1, 0, 0)
                assert stats.checks > 0
        assert server.stop().status == 0
