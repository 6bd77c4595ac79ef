"""The journal's file: made, brought up to this version and opened, to write into it or only to read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path

from briefworks.errors import ConfigError

Row = sqlite3.Row
_ASIDE = "A damaged one can be put aside: the runs in it end there, the articles' own store is another file."
VERSION = 2
UPGRADES = {  # what makes a journal of that version one of the next
    1: """
    ALTER TABLE run ADD COLUMN original_run_id TEXT NOT NULL DEFAULT '';
    ALTER TABLE step ADD COLUMN started_at REAL;
    CREATE TABLE attempt (
      run_id TEXT NOT NULL, step_id TEXT NOT NULL, name TEXT NOT NULL, attempt INTEGER NOT NULL,
      started_at REAL NOT NULL, ended_at REAL NOT NULL, error TEXT NOT NULL);
    CREATE INDEX attempt_of_run ON attempt (run_id);
    """,
}


def open_to_write(path: Path, on_write: Callable[[], None]) -> sqlite3.Connection:
    """
    The journal, for the process that owns it; `on_write` is called before and after a new version of it.

    Raises `ConfigError` when a newer briefworks wrote it, or when it cannot be used.
    """
    try:
        with ExitStack() as undone:
            db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            undone.callback(db.close)
            db.row_factory = Row
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            _bring_up(db, path, on_write)
            undone.pop_all()
            return db
    except sqlite3.Error as error:
        raise ConfigError(f"The journal {path} cannot be used: {error}.", hint=_ASIDE) from None


def _bring_up(db: sqlite3.Connection, path: Path, on_write: Callable[[], None]) -> None:
    version = _version(db)
    if version > VERSION:
        raise ConfigError(
            f"The journal {path} was written by a newer briefworks ({version} against {VERSION}).",
            hint="Update briefworks, or choose another data folder.",
        )
    if version == 0:
        steps = {VERSION: files("briefworks.executor").joinpath("journal.sql").read_text()}
    else:
        steps = {known + 1: UPGRADES[known] for known in range(version, VERSION)}
    for number, statements in steps.items():
        on_write()
        db.executescript(f"BEGIN IMMEDIATE;\n{statements}\nPRAGMA user_version = {number};\nCOMMIT;")
        on_write()


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The journal as it is, also while its owner writes; `ConfigError` if missing or of another version."""
    if not path.exists():
        raise ConfigError(
            f"There is no journal {path}.", hint="`briefworks dev` makes one at its first start."
        )
    try:
        # Not mode=ro: the first reader of a WAL file has to make its index.
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise ConfigError(f"The journal {path} cannot be read: {error}.") from None
    try:
        db.row_factory = Row
        db.execute("PRAGMA query_only = 1")
        if (version := _version(db)) != VERSION:
            raise ConfigError(
                f"The journal {path} is of version {version}, this briefworks reads {VERSION}.",
                hint="`briefworks dev` of the newer of the two brings it up to date.",
            )
        yield db
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"The journal {path} cannot be read: {error}.", hint=_ASIDE) from None
    finally:
        db.close()


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version
