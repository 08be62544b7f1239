"""A ring: many non-blocking sends in one system call, by Linux's io_uring.

Each `os.write` enters and leaves the kernel, gives up Python's lock and takes it back. Here what is to be sent is
written into memory that the kernel shares, and one call sends all of it. Only what returns at once is used, so nothing
is under way any more when `Ring.send` returns.

::

    submission ring   head, tail           entry number = tail modulo entries
    entries           64 bytes each: opcode, socket, address, length, flags; the constant parts are written once
    data              the frames, one behind the other; one that goes to many sockets once
    completion ring   head, tail, 16 bytes each: what `send` would have returned

The layout is that of ``linux/io_uring.h`` (io_uring_setup(2), io_uring_enter(2)). Where the system has no io_uring, is
older than Linux 6.0 or doesn't allow it (containers often don't), `open_ring` returns None.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
import sys
from array import array
from socket import MSG_DONTWAIT, MSG_NOSIGNAL
from typing import Final

_SYSCALL_ARGUMENTS: Final = 7
_SETUP: Final = 425
_ENTER: Final = 426
_SUBMISSIONS_AT: Final = 0
_COMPLETIONS_AT: Final = 0x8000000
_ENTRIES_AT: Final = 0x10000000
_SEND: Final = 26
_LINKED_FILE: Final = 1 << 12
"""A feature of Linux 6.0: what is non-blocking for `send` is so here, in every release since."""

_ENTRY_BYTES: Final = 64
_COMPLETION_BYTES: Final = 16
_PARAMS: Final = struct.Struct("=7I12x10I10I")
"""Entries of both rings, three more, features, one more; then offsets within each: head, tail, mask, entries, ..."""

ENTRIES: Final = 512
"""Sends in one call at most; a power of two."""

DATA_BYTES: Final = 1 << 18
"""Frames of one call at most; a longer one is not for a ring."""


class Ring:
    """Sends frames to sockets; for one thread at a time. Close it when it is no longer used."""

    def __init__(self) -> None:
        """Set it up.

        Raises:
            OSError: The system has none, or doesn't allow it.
        """
        self._syscall = ctypes.CDLL(None).syscall
        self._syscall.restype, self._syscall.argtypes = ctypes.c_long, [ctypes.c_long] * _SYSCALL_ARGUMENTS
        params = ctypes.create_string_buffer(_PARAMS.size)
        self._fileno = int(self._syscall(_SETUP, ENTRIES, ctypes.addressof(params), 0, 0, 0, 0))
        if self._fileno < 0:
            raise OSError(errno.ENOSYS, "this system has no io_uring, or doesn't allow it")
        try:
            self._map(*_PARAMS.unpack(params.raw))
        except BaseException:
            os.close(self._fileno)
            raise

    def _map(self, *params: int) -> None:
        if params[0] != ENTRIES or not params[5] & _LINKED_FILE:
            raise OSError(errno.ENOSYS, "this system's io_uring is too old")
        _, tail_at, _, _, _, _, order_at, *_ = params[7:17]
        head_at, _, _, _, _, results_at, *_ = params[17:27]
        self._completions = params[1]
        completions = memoryview(self._shared(_COMPLETIONS_AT, results_at + _COMPLETION_BYTES * self._completions))
        submissions = memoryview(self._shared(_SUBMISSIONS_AT, order_at + 4 * ENTRIES)).cast("I")
        entries = memoryview(self._shared(_ENTRIES_AT, _ENTRY_BYTES * ENTRIES))
        self._tail = submissions[tail_at // 4 :][:1]
        self._done = completions.cast("I")[head_at // 4 :][:1]
        self._marks = completions.cast("Q")[results_at // 8 :: _COMPLETION_BYTES // 8]
        self._results = completions.cast("i")[results_at // 4 + 2 :: _COMPLETION_BYTES // 4]
        submissions[order_at // 4 :] = array("I", range(ENTRIES))
        self._data = mmap.mmap(-1, DATA_BYTES)
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._data))
        for at in range(ENTRIES):
            fields = (_SEND, 0, 0, -1, 0, 0, 0, MSG_DONTWAIT | MSG_NOSIGNAL, at)
            struct.pack_into("=BBHiQQIIQ", entries, at * _ENTRY_BYTES, *fields)
        self._sockets = entries.cast("i")[1::16]
        self._addresses = entries.cast("Q")[2::8]
        self._sizes = entries.cast("I")[6::16]
        self._sent = 0

    def _shared(self, what: int, size: int) -> mmap.mmap:
        return mmap.mmap(self._fileno, size, offset=what)

    def close(self) -> None:
        """Give it back to the system; it is of no use any more."""
        os.close(self._fileno)
        vars(self).clear()  # what is shared with the kernel goes with the last view of it

    def send(self, filenos: array[int], frames: list[bytes]) -> list[int]:
        """Send each socket its frames; all sockets are non-blocking and ``filenos`` is an array of "i".

        Returns:
            For each how many bytes were taken, or the negative number of an error. Perhaps for fewer than all: if the
            system is short of memory, or the next frame is too long for a ring.
        """
        results: list[int] = []
        while len(results) < len(frames):
            first = len(results)
            at = self._sent % ENTRIES  # a call ends where this ring does, and so never behind the end of the longer one
            addresses, sizes = self._write(frames, first, min(first + ENTRIES - at, len(frames)))
            count = len(sizes)
            self._sockets[at : at + count] = memoryview(filenos)[first : first + count]
            self._addresses[at : at + count] = memoryview(addresses)
            self._sizes[at : at + count] = memoryview(sizes)
            self._tail[0] = self._sent + count & 0xFFFFFFFF
            entered = self._syscall(_ENTER, self._fileno, count, 0, 0, 0, 0) if count else 0
            done = max(0, entered)
            results += self._take(done)
            if done < count or not count:
                break
        return results

    def _write(self, frames: list[bytes], first: int, end: int) -> tuple[array[int], array[int]]:
        """Write frames to the data from the beginning on, as far as they fit; return their addresses and sizes."""
        addresses, sizes = array("Q"), array("I")
        data, room, base = self._data, DATA_BYTES, self._address
        at = used = size = 0
        last = None
        for number in range(first, end):
            frame = frames[number]
            if frame is not last:
                size = len(frame)
                at, used = used, used + size
                if used > room:
                    break
                data[at:used] = frame
                last = frame
            addresses.append(base + at)
            sizes.append(size)
        return addresses, sizes

    def _take(self, count: int) -> list[int]:
        """Return the results of the last ``count`` sends, in their order."""
        at, first = self._sent % self._completions, self._sent % ENTRIES
        results = self._results[at : at + count].tolist()
        marks = self._marks[at : at + count].tolist()
        self._sent = self._sent + count & 0xFFFFFFFF
        self._done[0] = self._sent
        if marks != [*range(first, first + count)]:  # what couldn't even begin may be told of first
            results = [result for _, result in sorted(zip(marks, results, strict=True))]
        return results


def open_ring() -> Ring | None:
    """Return a ring, or None where there is none to be had."""
    if sys.platform != "linux":
        return None
    try:
        return Ring()
    except (OSError, AttributeError):  # of a system, or of a Python, that has no such thing
        return None
