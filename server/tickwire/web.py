"""Where the browser's files are: in the installed package, or beside it in a checkout."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from tickwire_shared.errors import UsageError


def web_root() -> Path:
    """The folder that holds ``sdk/`` and ``game/``.

    Raises:
        UsageError: The installation has no web files.
    """
    spec = find_spec("tickwire_client")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        package = Path(place)
        for candidate in (package / "web", package.parent / "web"):
            if (candidate / "sdk").is_dir():
                return candidate
    raise UsageError("the browser's files (tickwire_client/web) are not installed: install tickwire again")
