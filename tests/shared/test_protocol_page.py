"""The byte examples of PROTOCOL.md: each is what the page says it is, to the decoders and to the encoders."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable
from typing import cast

import pytest

from tests.shared.page import Block, check_content, check_reading, read_blocks, read_page
from tests.shared.page_player import PagePlayer
from tickwire_shared.client_messages import ClientKind, ClientMessage
from tickwire_shared.closing import CloseCode, retry_policy
from tickwire_shared.columns import read_column, write_column
from tickwire_shared.errors import ProtocolError
from tickwire_shared.kinds import KIND_NAMES, parse_kind
from tickwire_shared.packing import pack
from tickwire_shared.schema import Schema
from tickwire_shared.server_messages import ServerKind, ServerMessage, Welcome, parse_server
from tickwire_shared.state import checksum, private_checksum

PAGE = read_page()
BLOCKS = read_blocks(PAGE)
MESSAGES = frozenset({*(f"client {kind.name}" for kind in ClientKind), *(f"server {kind.name}" for kind in ServerKind)})
WIDTH_CODES = 5


def check_page(page: str) -> PagePlayer:
    """Hold every message of a page against the decoders and encoders; returns what is held at the end."""
    blocks = read_blocks(page)
    player = PagePlayer(page_schema(blocks))
    for block in blocks:
        match block.title.split():
            case ["client" | "server" as sender, "refused"]:
                check_reading(block)
                check_refused(player, sender, block)
            case ["client" | "server" as sender, name, *other] if name.isupper():
                check_reading(block)
                check_message(player, sender, name.removesuffix(","), block, canonical=not other)
            case _:
                pass
    missing = MESSAGES - {block.title for block in blocks}
    assert not missing, f"the page has no example of {missing}"
    return player


def page_schema(blocks: list[Block]) -> Schema:
    welcome = parse_server(next(block.data for block in blocks if block.title == "server WELCOME"))
    assert isinstance(welcome, Welcome)
    schema = Schema.parse(welcome.schema)
    assert schema.hash == welcome.schema_hash, "the hash is not that of the schema"
    assert pack(welcome.schema) == schema.packed
    return schema


def check_message(player: PagePlayer, sender: str, name: str, block: Block, *, canonical: bool) -> None:
    kinds = ClientKind if sender == "client" else ServerKind
    assert block.data[1] == kinds[name], f"{block.title} has the kind of another message"
    message: ClientMessage | ServerMessage
    if sender == "client":
        message = player.parse_client(block.data)
        meaning = player.client_meaning(message)
    else:
        message = player.take(block.data)
        meaning = player.server_meaning(message)
    assert meaning == block.meaning
    rebuilt = player.rebuild(message)
    assert (rebuilt == block.data) is canonical, f"{block.title} is written as {rebuilt.hex(' ')}"


def check_refused(player: PagePlayer, sender: str, block: Block) -> None:
    held = player.replica.state
    assert isinstance(block.meaning, str)
    take = player.parse_client if sender == "client" else player.take
    with pytest.raises(ProtocolError):
        take(block.data)
    assert player.replica.state is held


@pytest.fixture(scope="module")
def player() -> PagePlayer:
    return check_page(PAGE)


def titled(title: str) -> list[Block]:
    found = [block for block in BLOCKS if block.title == title]
    assert found, f"the page has no block {title}"
    return found


def test_every_message_is_what_the_page_says(player: PagePlayer) -> None:
    assert player.replica.tick is not None


def changed(pattern: str, replacement: str) -> str:
    """The page with one thing changed; it has to be there."""
    page, count = re.subn(pattern, replacement, PAGE, count=1)
    assert count == 1, f"{pattern} is not on the page"
    return page


BROKEN = {
    "another byte": lambda: changed(r"(?m)^3a 2a c4 ", "3b 2a c4 "),
    "another byte and its reading": lambda: changed(r"(?m)^3a 2a c4  \+58 ", "3b 2a c4  +59 "),
    "another item": lambda: changed(r"(?m)^cd 012d   301 ", "cd 012d   302 "),
    "another difference": lambda: changed(r"\+58 \+42", "+58 +43"),
    "another bit": lambda: changed("0b00000101", "0b00000100"),
    "another meaning": lambda: changed(r'"heading": 1023', '"heading": 1022'),
    "a byte too few": lambda: changed(r"(?m)^c0( +nil +hash: any.*)\n", ""),
    "another checksum": lambda: changed(r'"public": \d', '"public": 5'),
    "another schema hash": lambda: changed(r"(?m)^e5( .*\n=> \{\"protocol\")", r"e6\1"),
    "a form that tickwire writes, called other": lambda: changed(
        "tickwire server EPOCH", "tickwire server EPOCH, other"
    ),
    "a form that tickwire does not write": lambda: changed("SNAPSHOT, other", "SNAPSHOT"),
    "another sender": lambda: changed("tickwire client PING", "tickwire server PONG"),
    "a good message, called refused": lambda: changed("tickwire client LEAVE", "tickwire client refused"),
    "no example of NEWS": lambda: changed("tickwire server NEWS", "text"),
    "no example of LEAVE": lambda: changed("tickwire client LEAVE", "text"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_example_fails(broken: Callable[[], str]) -> None:
    page = broken()
    with pytest.raises((AssertionError, ProtocolError, pytest.fail.Exception)):
        check_page(page)


def test_the_checksums_are_of_the_bytes_that_the_page_shows(player: PagePlayer) -> None:
    [public], [private] = titled("checksum public"), titled("checksum private")
    for block in (public, private):
        check_content(block)
        assert zlib.crc32(block.data) == block.meaning
    replica = player.replica
    assert public.meaning == checksum(replica.state)
    assert private.meaning == private_checksum(replica.state, sorted(replica.owned), replica.private)


def test_the_close_frame_is_what_the_page_says() -> None:
    [block] = titled("server close")
    code, reason = CloseCode(struct.unpack(">H", block.data[:2])[0]), block.data[2:].decode()
    name = code.name.lower().replace("_", " ")
    assert block.meaning == {"code": code, "name": name, "retry": retry_policy(code).value, "reason": reason}


def test_the_values_are_what_the_page_says() -> None:
    [block] = titled("values")
    described: set[object] = set()
    for kind_text, *texts in (line.parts[:4] for line in block.lines):
        parameters = cast("dict[str, object]", json.loads(kind_text))
        value, wire, back = map(json.loads, texts)
        kind = parse_kind(parameters["kind"], parameters)
        described.add(parameters["kind"])
        written = kind.to_wire(bytes.fromhex(value) if parameters["kind"] == "blob" else value)
        assert (written.hex() if isinstance(written, bytes) else written) == wire
        read = kind.from_wire(kind.check(written))
        assert (read.hex() if isinstance(read, bytes) else read) == back
    assert described == set(KIND_NAMES.values()) - {"trigger"}, "a trigger is a flag on the wire"


def test_the_columns_are_what_the_page_says() -> None:
    [block] = titled("columns")
    codes: set[int] = set()
    for line in block.lines:
        code, changes = int(line.parts[1].removeprefix("code ")), [int(text) for text in line.parts[2].split()]
        assert write_column(changes, code) == line.data
        assert read_column(line.data, code, len(changes)) == changes
        codes.add(code)
    assert codes == set(range(WIDTH_CODES))


def test_the_close_codes_are_those_of_the_page() -> None:
    listed = re.findall(r"^\| (4\d{3}) \| ([a-z ]+) \|", PAGE, re.MULTILINE)
    assert listed == [(str(code.value), code.name.lower().replace("_", " ")) for code in CloseCode]
