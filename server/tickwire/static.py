"""Files below a folder: which one a path means, its type and its tag.

Only what lies below the folder is found, symbolic links followed, and nothing whose name starts with a dot.
"""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import attrs

INDEX = "index.html"

# Written out: the system's own table differs from machine to machine, and browsers refuse modules of a wrong type.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".glb": "model/gltf-binary",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
UNKNOWN_TYPE = "application/octet-stream"

# A page has tens of files, a large game hundreds; past this the tags are computed again.
_MAX_CACHED_TAGS = 1024


@attrs.frozen
class StaticFile:
    """A file as it was when it was looked up.

    Attributes:
        path: Where it is.
        size_bytes: Its length.
        content_type: The value of its Content-Type header.
        etag: A strong entity tag, quotes included: a hash of its content.
    """

    path: Path
    size_bytes: int
    content_type: str
    etag: str


class Folder:
    """The files that one folder serves. Its methods block on the disk; the cache is safe in threads."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve(strict=True)
        self._tags: dict[tuple[Path, int, int], str] = {}

    def is_folder(self, relative: str) -> bool:
        """Whether the path means a folder with an index page, so that a browser should add a slash."""
        place = self._locate(relative)
        return place is not None and (place / INDEX).is_file()

    def find(self, relative: str) -> StaticFile | None:
        """The file of a path below this folder (``""`` and a trailing ``/`` mean its index page), or None.

        Raises:
            OSError: The file is there but can't be read.
        """
        place = self._locate(relative + INDEX if relative == "" or relative.endswith("/") else relative)
        if place is None:
            return None
        status = place.stat()
        if not stat.S_ISREG(status.st_mode):
            return None
        content_type = CONTENT_TYPES.get(place.suffix.lower(), UNKNOWN_TYPE)
        return StaticFile(place, status.st_size, content_type, self._tag(place, status.st_mtime_ns, status.st_size))

    def _locate(self, relative: str) -> Path | None:
        parts = relative.rstrip("/").split("/") if relative else []
        if any(not _is_plain_name(part) for part in parts):
            return None
        try:
            place = self._root.joinpath(*parts).resolve(strict=True)
        except (FileNotFoundError, NotADirectoryError, RuntimeError):  # RuntimeError: a loop of links
            return None
        except OSError as error:
            if isinstance(error, PermissionError):
                raise
            return None  # a name that is too long, or one that this system can't have
        return place if place.is_relative_to(self._root) else None

    def _tag(self, place: Path, mtime_ns: int, size_bytes: int) -> str:
        key = (place, mtime_ns, size_bytes)
        tag = self._tags.get(key)
        if tag is None:
            with place.open("rb") as file:
                tag = f'"{hashlib.file_digest(file, "sha256").hexdigest()[:20]}"'
            if len(self._tags) >= _MAX_CACHED_TAGS:
                self._tags.clear()
            self._tags[key] = tag
        return tag


def _is_plain_name(part: str) -> bool:
    """Whether a path's part can only be a name: no way up, no hidden file, no separator or drive of any system."""
    return part != "" and not part.startswith(".") and not any(mark in part for mark in "\\:\0")
