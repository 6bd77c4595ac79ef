"""One process owns a journal: a lock that dies with its holder, and says who and where that is."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any, TextIO

from briefworks.errors import ConfigError


def own(path: Path) -> TextIO:
    """Lock the journal for this process; the open file is the lock."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock_file(path).open("a+", encoding="ascii")
    except OSError as error:
        raise ConfigError(f"The journal {path} cannot be used: {error.strerror}.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = _said(lock).get("pid", "unknown")
        lock.close()
        raise ConfigError(
            f"The journal {path} is in use by another executor (process {owner}).",
            hint="Stop that one, or choose another data folder.",
        ) from None
    say(lock, "")
    return lock


def say(lock: TextIO, url: str) -> None:
    """Write into the lock who holds it and where it listens."""
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps({"pid": os.getpid(), "url": url}))
    lock.flush()


def owner_of(path: Path) -> dict[str, Any]:
    """`pid` and `url` of the executor that last owned the journal; its /health says whether it still does."""
    try:
        with _lock_file(path).open("r", encoding="ascii") as lock:
            return _said(lock)
    except (OSError, UnicodeDecodeError):
        return {}


def _lock_file(path: Path) -> Path:
    return Path(f"{path}.lock")


def _said(lock: TextIO) -> dict[str, Any]:
    lock.seek(0)
    try:
        said = json.loads(lock.read())
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
