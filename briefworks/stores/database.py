"""A SQLite file shared by threads and processes: connections, transactions, noticing what others wrote."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from briefworks.errors import ConfigError, StoreUnavailable

POLL_S = 0.02  # how soon another process's commit is noticed


class Database:
    """
    One file in WAL mode with `synchronous=FULL`: what was committed survives a kill and a power cut.

    `schemas` are scripts: the n-th brings the file from version n-1 to n (`PRAGMA user_version`).

    Connections are pooled and each is used by one thread at a time. `factory` is the connection class.
    Locked, full and failing files raise `StoreUnavailable`; a file that can never work is a `ConfigError`.
    """

    def __init__(
        self,
        path: Path,
        schemas: Sequence[str],
        *,
        busy_s: float = 5.0,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        self.path = path.absolute()
        self._busy_s, self._factory = busy_s, factory
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._turn = threading.Lock()  # SQLite's own waiting is a sleep; a lock is fair and quick
        self._changed = threading.Condition()
        self._commits = 0
        try:
            if not self.path.exists():
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.path.touch(mode=0o600)
            self._prepare(schemas)
        except (OSError, sqlite3.DatabaseError) as error:
            if "locked" in str(error):
                raise StoreUnavailable(f"The stream store does not answer: {error}.") from error
            raise ConfigError(
                f"The stream store {self.path} cannot be opened: {error}.",
                hint="Set BRIEFWORKS_DATA_DIR or BRIEFWORKS_STORE to a place this user may write; put a"
                " damaged file aside.",
            ) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """All that is read inside comes out of one snapshot."""
        with self._connection() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside is committed together, or nothing; only one writer at a time."""
        if not self._turn.acquire(timeout=self._busy_s):
            raise StoreUnavailable(f"The stream store was busy for {self._busy_s:g} s.")
        try:
            with self._connection() as db:
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
                db.execute("COMMIT")
        finally:
            self._turn.release()
        self._notify()

    def wait(self, look: Callable[[sqlite3.Connection], int], beyond: int, timeout_s: float) -> int:
        """Block until `look` says more than `beyond` or the time is over; what it said last."""
        until = time.monotonic() + timeout_s
        with self._connection() as db:
            version: object = None
            commits, seen = -1, beyond
            while True:
                now = db.execute("PRAGMA data_version").fetchone()[0]
                if (self._commits, now) != (commits, version):
                    commits, version = self._commits, now
                    seen = look(db)
                left = until - time.monotonic()
                if seen > beyond or left <= 0:
                    return seen
                with self._changed:
                    if self._closed:
                        raise StoreUnavailable("The stream store is closed.")
                    if self._commits == commits:
                        self._changed.wait(min(POLL_S, left))

    def close(self) -> None:
        """Close what is idle now, and each connection in use when it comes back."""
        self._closed = True
        self._notify()
        while db := self._pooled():
            db.close()

    def _notify(self) -> None:
        with self._changed:
            self._commits += 1
            self._changed.notify_all()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._closed:
            raise StoreUnavailable("The stream store is closed.")
        sound = False
        db: sqlite3.Connection | None = None
        try:
            db = self._pooled() or self._connect()
            yield db
            sound = True
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
            raise  # a mistake of ours
        except sqlite3.Error as error:
            raise StoreUnavailable(f"The stream store does not answer: {error}.") from error
        except Exception:
            sound = True  # said by the code inside; the connection is as good as before
            raise
        finally:
            if db is not None:
                if sound and not db.in_transaction and not self._closed:
                    self._idle.append(db)
                else:
                    db.close()

    def _pooled(self) -> sqlite3.Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path,
            timeout=self._busy_s,
            isolation_level=None,
            check_same_thread=False,
            factory=self._factory,
        )
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous = FULL")
        return db

    def _prepare(self, schemas: Sequence[str]) -> None:
        """Bring the file to the newest version; several processes may do so at once."""
        version = len(schemas)
        until = time.monotonic() + self._busy_s
        while True:
            db = self._connect()
            try:
                if self._refuse_newer(db, version) == version:
                    return
                # Leaving the rollback journal needs the file alone, and SQLite does not wait for that.
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("BEGIN IMMEDIATE")
                for schema in schemas[self._refuse_newer(db, version) :]:
                    for statement in schema.split(";\n"):
                        db.execute(statement)
                db.execute(f"PRAGMA user_version = {version:d}")
                db.execute("COMMIT")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
            finally:
                db.close()
            time.sleep(POLL_S)

    def _refuse_newer(self, db: sqlite3.Connection, version: int) -> int:
        found = int(db.execute("PRAGMA user_version").fetchone()[0])
        if found > version:
            raise ConfigError(
                f"The stream store {self.path} was written by a newer briefworks"
                f" (schema {found}, this one knows {version}).",
                hint="Update briefworks, or use another BRIEFWORKS_DATA_DIR.",
            )
        return found
