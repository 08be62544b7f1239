"""From ``module:Room`` on a command line to the room's class, with an error a person can act on."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from typing import Any, TypeGuard

from tickwire.room import Room
from tickwire_shared.errors import UsageError

RoomType = type[Room[Any]]


def load_room(name: str, folder: Path | None = None) -> RoomType:
    """Import the room class that ``module:Class`` names; modules in ``folder`` (the working one) come first.

    Raises:
        UsageError: The name is malformed, or the module can't be imported, or it holds no such `Room`.
    """
    module_name, colon, class_name = name.partition(":")
    if not (colon and class_name.isidentifier() and all(part.isidentifier() for part in module_name.split("."))):
        raise UsageError(f"{name!r} is not module:Room; write for example game:Arena for class Arena in game.py")
    place = str(Path.cwd() if folder is None else folder)
    if place not in sys.path:
        sys.path.insert(0, place)
    found: object = getattr(_import(module_name, place), class_name, None)
    if found is None:
        raise UsageError(f"module {module_name!r} has no {class_name!r}")
    if not _is_room_type(found):
        raise UsageError(f"{name} is not a Room: derive the class from tickwire.Room")
    return found


def _is_room_type(value: object) -> TypeGuard[RoomType]:
    return isinstance(value, type) and issubclass(value, Room)


def _import(name: str, place: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise UsageError(f"there is no module {error.name!r} in {place} or on Python's path") from error
        raise UsageError(_failure(name, place, error)) from error
    except Exception as error:  # a user's module may raise anything; it becomes one line
        raise UsageError(_failure(name, place, error)) from error


def _failure(name: str, place: str, error: Exception) -> str:
    """One line that says what went wrong, and where in the user's own code."""
    what = f"importing {name} failed: {type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, SyntaxError):  # says where by itself
        return what
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(place)] or frames
    return f"{what} ({own[-1].filename}, line {own[-1].lineno})"
