r"""The examples of PROTOCOL.md, section 11, read from the page.

::

    ```tickwire client PING                who sends it, and the message
    92           array 2                   hex, the msgpack items that it is, what they are here;
    05           5          PING           two spaces or more between them
    ...
    => {"t1": 1500.5}                      what it means, as JSON, to the end of the block
    ```

Blocks of other subjects (values, columns, a checksum's bytes, a close frame) have lines of the same form.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from importlib.resources import files

import attrs

_BLOCK = re.compile(r"^```tickwire ([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SIZES = {"b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8, "f": 4, "d": 8}
_NUMBERS = dict(zip((0xCA, 0xCB, *range(0xCC, 0xD4)), "fdBHIQbhiq", strict=True))
_INT_WIDTHS = {1: "b", 2: "h", 4: "i", 8: "q"}


@attrs.frozen
class Line:
    """One line of a block, split at its gaps; the last part is empty where the page says nothing more."""

    parts: tuple[str, ...]

    @property
    def data(self) -> bytes:
        """The bytes that the line starts with."""
        return bytes.fromhex(self.parts[0])


@attrs.frozen
class Block:
    """One fenced block: what it is about, its lines, and its meaning where it has one."""

    title: str
    lines: tuple[Line, ...]
    meaning: object

    @property
    def data(self) -> bytes:
        """The bytes of all lines."""
        return b"".join(line.data for line in self.lines)


def read_page() -> str:
    """Return the text of the page, as it is installed."""
    return files("tickwire_shared").joinpath("PROTOCOL.md").read_text("utf-8")


def read_blocks(page: str) -> list[Block]:
    """Return all blocks of the page, in order."""
    return [_block(found[1], found[2]) for found in _BLOCK.finditer(page)]


def _block(title: str, body: str) -> Block:
    head, _, meaning = body.partition("=> ")
    lines = tuple(Line(tuple(re.split(r" {2,}", line.strip()))) for line in head.splitlines())
    return Block(title, lines, json.loads(meaning) if meaning else None)


def check_reading(block: Block) -> None:
    """Compare what each line says that its bytes are with what msgpack says.

    A line holds whole items, or a part of the content of a ``bin`` whose head is on a line before.

    Raises:
        AssertionError: A line says something else.
    """
    content = 0
    for line in block.lines:
        said, data = line.parts[1], line.data
        if content:
            assert len(data) <= content, f"{line.parts}: more than the bin has"
            assert said in _content_readings(data, said), f"{line.parts}: that is not what these bytes are"
            content -= len(data)
            continue
        items = list(_items(data))
        assert said == " ".join(text for text, _ in items), f"{line.parts}: these items are {items}"
        content = items[-1][1]
    assert not content, f"{block.title}: the last bin lacks {content} bytes"


def check_content(block: Block) -> None:
    """As ``check_reading``, for bytes that are not msgpack.

    Raises:
        AssertionError: A line says something else.
    """
    for line in block.lines:
        assert line.parts[1] in _content_readings(line.data, line.parts[1]), f"{line.parts}: that is not what these are"


def _content_readings(data: bytes, said: str) -> list[str]:
    """The forms in which the page may write plain bytes: differences, ints, bits, text, or nothing in particular."""
    count = len(said.split())
    forms = ["bytes", "0b" + "".join(f"{byte:08b}" for byte in data)]
    if len(data) % count == 0 and len(data) // count in _INT_WIDTHS:
        ints = struct.unpack(f"<{count}{_INT_WIDTHS[len(data) // count]}", data)
        forms += [" ".join(f"{value:+d}" if value else "0" for value in ints), " ".join(map(str, ints))]
    if data.isascii():
        forms.append(json.dumps(data.decode()))
    return forms


def _items(data: bytes) -> Iterator[tuple[str, int]]:
    """Yield each msgpack item as text, and how many bytes of a ``bin`` have to follow on further lines."""
    at = 0
    while at < len(data):
        head = data[at]
        at += 1
        match head:
            case _ if head < 0x80 or head >= 0xE0:
                yield str(head if head < 0x80 else head - 256), 0
            case _ if head < 0xA0:
                yield f"{'map' if head < 0x90 else 'array'} {head & 15}", 0
            case _ if head < 0xC0:
                at += head & 31
                yield _text(data[at - (head & 31) : at], head & 31), 0
            case 0xC0 | 0xC2 | 0xC3:
                yield {0xC0: "nil", 0xC2: "false", 0xC3: "true"}[head], 0
            case 0xC4:
                size = data[at]
                at += 1
                rest = size if at == len(data) else 0
                at += size - rest
                yield f"bin {size}", rest
            case 0xD9:
                size = data[at]
                at += 1 + size
                yield _text(data[at - size : at], size), 0
            case 0xDC:
                at += 2
                yield f"array {struct.unpack_from('>H', data, at - 2)[0]}", 0
            case _:
                form = _NUMBERS[head]
                at += _SIZES[form]
                yield str(struct.unpack_from(f">{form}", data, at - _SIZES[form])[0]), 0
    assert at == len(data), f"{data.hex(' ')}: the line ends within an item"


def _text(raw: bytes, size: int) -> str:
    assert len(raw) == size, f"{raw!r}: the line ends within a text"
    return json.dumps(raw.decode(), ensure_ascii=False)
