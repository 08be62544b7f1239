"""Bad command lines: one clear line and exit status 2, no traceback."""

from __future__ import annotations

import socket
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.e2e.forking import run_forked
from tests.e2e.serving import Outcome, run, serving

BROKEN = "import math\n\nprint(math.nosuch)\n"
NOT_A_ROOM = "class Thing:\n    pass\n\nvalue = 3\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "things.py").write_text(NOT_A_ROOM)
    (tmp_path / "needs.py").write_text("import a_module_that_is_not_there\n")
    (tmp_path / "syntax.py").write_text("class\n")
    (tmp_path / "short.key").write_text("secret\n")
    (tmp_path / "empty").mkdir()
    return tmp_path


def assert_one_line(outcome: Outcome, *words: str) -> None:
    assert outcome.status == 2, outcome
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("tickwire: ")
    assert outcome.stderr.count("\n") == 1
    for word in words:
        assert word in outcome.stderr


@pytest.mark.parametrize(
    "arguments,words",
    [
        ("serve nosuch:Thing", ["nosuch"]),
        ("serve nosuch.inner:Thing", ["nosuch"]),
        ("serve things", ["things", "module:Room"]),
        ("serve things:Missing", ["Missing"]),
        ("serve things:Thing", ["things:Thing", "Room"]),
        ("serve things:value", ["things:value", "Room"]),
        ("serve ../things:Thing", ["module:Room"]),
        ("serve broken:Room", ["AttributeError", "broken.py", "line 3"]),
        ("serve needs:Room", ["a_module_that_is_not_there", "needs.py"]),
        ("serve syntax:Room", ["SyntaxError", "syntax.py"]),
        ("serve --web nosuch", ["nosuch", "not a folder"]),
        ("serve --web empty", ["index.html", "can't be read"]),
        ("serve --port 70000", ["--port", "70000"]),
        ("serve --port x", ["--port", "x"]),
        ("serve --bots -1", ["--bots"]),
        ("serve --host 203.0.113.1", ["203.0.113.1"]),
        ("serve --messages-per-second 0", ["messages_per_second is 0", "use 0.001 to"]),
        ("serve --message-bytes 5000", ["message_bytes is 5000", "use 256 to 4096"]),
        ("serve --trusted-proxies -1", ["trusted_proxies is -1", "use 0 to 16"]),
        ("serve --origin game.example", ["'game.example' is no origin", "https://game.example"]),
        ("serve --token-key nosuch.key", ["nosuch.key", "can't be read", "env:NAME"]),
        ("serve --token-key env:NO_SUCH_NAME", ["'NO_SUCH_NAME'", "environment"]),
        ("serve --token-key short.key", ["short.key", "use 32 or more", "openssl rand"]),
        ("serve --token-key things.py --bots 2", ["no tokens", "--bots"]),
        ("serve --tls-cert nosuch.pem", ["certificate", "nosuch.pem", "can't be read"]),
        ("serve --tls-key things.py", ["--tls-cert"]),
        ("serve --tls-cert things.py --tls-dev", ["--tls-dev", "--tls-cert"]),
        ("serve --tls-cert things.py", ["things.py", "no certificate"]),
        ("bots wss://127.0.0.1:1 --tls-ca nosuch.pem", ["nosuch.pem", "can't be read"]),
        ("doctor", ["URL"]),
        ("doctor ftp://127.0.0.1", ["ftp://127.0.0.1", "ws://"]),
        ("doctor wss://127.0.0.1:1 --tls-ca nosuch.pem", ["nosuch.pem", "can't be read"]),
        ("token --key nosuch.key --sub ada", ["nosuch.key", "can't be read"]),
        ("token --sub ada", ["--key"]),
        ("serve --nosuch", ["--nosuch"]),
        ("nosuch", ["nosuch"]),
        ("bots", ["URL"]),
        ("bots ws://127.0.0.1:1 --count 0", ["--count"]),
        ("bots ws://127.0.0.1:1 --rtt -1", ["--rtt"]),
        ("bots ws://127.0.0.1:1 --jitter much", ["--jitter"]),
    ],
)
def test_a_bad_command_line_is_one_clear_line_and_status_2(folder: Path, arguments: str, words: list[str]) -> None:
    assert_one_line(run_forked(*arguments.split(), cwd=folder), *words)


def test_so_it_is_of_the_installed_command(folder: Path) -> None:
    assert_one_line(run("serve", "broken:Room", cwd=folder), "AttributeError", "broken.py", "line 3")


def test_a_port_in_use_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_one_line(run("serve", "--port", port, cwd=folder), port, "in use")


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path) == Outcome(0, version("tickwire") + "\n", "")


def test_a_token_lets_in_whom_it_is_for_and_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("a secret of more than 32 bytes, for tests")
    made = run_forked("token", "--key", "secret.key", "--sub", "ada", "--room", "arena", cwd=tmp_path)
    assert (made.status, made.stderr) == (0, "")
    with serving("--token-key", "secret.key", cwd=tmp_path) as server:
        assert run("doctor", server.url, "--token", made.stdout.strip(), cwd=tmp_path).status == 0
        refused = run("doctor", server.url, cwd=tmp_path)
        assert refused.status == 1
        assert "token" in refused.stdout
        assert server.stop().status == 0


@pytest.mark.parametrize("arguments", ["", "--help", "serve --help", "bots --help", "doctor --help", "token --help"])
def test_the_help_tells_enough_to_start(tmp_path: Path, arguments: str) -> None:
    outcome = run_forked(*arguments.split(), cwd=tmp_path)
    assert (outcome.status, outcome.stderr) == (0, "")
    wanted = (
        ["--host", "--port", "--bots", "--web", "--tls-cert", "--tls-key", "--tls-dev", "--log-level"]
        if "serve" in arguments
        else []
    )
    wanted += ["--room", "--count", "--duration", "--rtt", "--jitter", "--json"] if "bots" in arguments else []
    wanted += ["--room", "--origin", "--token", "--tls-ca", "--json"] if "doctor" in arguments else []
    wanted += ["--key", "--sub", "--room", "--minutes"] if "token" in arguments else []
    wanted = wanted or ["tickwire serve game:Arena --web page", "tickwire bots ws://"]
    for word in wanted:
        assert word in outcome.stdout


def test_a_room_in_the_working_folder_is_served(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from tickwire import Room\n\nclass Quiet(Room[None]):\n    pass\n")
    with serving("mine:Quiet", cwd=tmp_path) as server:
        assert '"ok": true' in server.get("/healthz")
        assert server.stop().status == 0


def test_bots_that_can_not_connect_fail_with_status_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    outcome = run("bots", f"ws://127.0.0.1:{port}", "--count", "2", "--duration", "1", "--json", cwd=tmp_path)
    assert outcome.status == 1
    assert "Traceback" not in outcome.stderr


def test_the_doctor_finds_a_good_server_well_and_a_missing_one_not(tmp_path: Path) -> None:
    with serving(cwd=tmp_path) as server:
        well = run("doctor", server.url, cwd=tmp_path)
        assert server.stop().status == 0
    assert (well.status, well.stderr) == (0, "")
    assert well.stdout.count("✓") == 9
    assert well.stdout.endswith(f"All is well at {server.url}.\n")
    gone = run("doctor", server.url, "--json", cwd=tmp_path)
    assert (gone.status, gone.stderr) == (1, "")
    assert '"reason": "not there"' in gone.stdout
