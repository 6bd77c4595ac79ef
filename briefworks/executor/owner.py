"""One process owns a journal: a lock that dies with its holder, and says who that is."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TextIO

from briefworks.errors import ConfigError


def own(path: Path) -> TextIO:
    """Lock the journal for this process; the open file is the lock."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = Path(f"{path}.lock").open("a+", encoding="ascii")  # noqa: SIM115 – it stays open as long as we own it
    except OSError as error:
        raise ConfigError(f"The journal {path} cannot be used: {error.strerror}.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise ConfigError(
            f"The journal {path} is in use by another executor (process {owner}).",
            hint="Stop that one, or choose another data folder.",
        ) from None
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
