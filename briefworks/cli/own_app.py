"""Finds the app of one's own that `serve --app` and `dev --app` are given."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from briefworks.errors import ConfigError


def own_app(place: str) -> Any:
    """
    The WSGI app at `file.py`, `module` or `module:name`; without a name it is called `app`.

    Raises `ConfigError` when there is none.
    """
    module, _, name = place.partition(":")
    path = Path(module)
    is_file = path.suffix == ".py"
    sys.path.insert(0, str(path.parent.resolve() if is_file else Path.cwd()))
    try:
        app = getattr(import_module(path.stem if is_file else module), name or "app")
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"There is no app at {place!r}: {error}.",
            hint="Say it as `file.py` or `module:name`; without a name it is called `app`.",
        ) from None
    if not callable(app):
        raise ConfigError(f"What is at {place!r} is no WSGI app.", hint="Name the Flask app itself.")
    return app
