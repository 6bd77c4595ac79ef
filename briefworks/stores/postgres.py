"""The stream store in a PostgreSQL database, by psycopg; its functions are in supabase/migrations."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from briefworks.errors import StoreUnavailable
from briefworks.stores.connection import CONNECT_S, checked, connect, our_words
from briefworks.stores.functions import FunctionStore


class PostgresStore(FunctionStore):
    """
    `briefworks.stream.Store` in the database at `url`, as the owner of the tables (`briefworks migrate`).

    At most `connections` for calls, and one that listens for all who wait. A database that is away, or not
    migrated, is noticed by the first call.
    """

    def __init__(self, url: str, lost_after_s: float = 480, *, connections: int = 8) -> None:
        super().__init__(lost_after_s)
        self._url = checked(url)
        self._turns = threading.BoundedSemaphore(connections)
        self._idle: list[psycopg.Connection] = []
        self._ear: psycopg.Connection | None = None

    def ask(self, function: str, arguments: dict[str, Any]) -> Any:
        with self._connection() as db:
            row = db.execute(_call(function, tuple(arguments)), [*map(_value, arguments.values())]).fetchone()
            return row[0] if row else None

    def pause(self, longest_s: float) -> dict[str, int]:
        with our_words():
            if self._ear is None or self._ear.closed:
                self._ear = self._connect()
                self._ear.execute("listen article_rows")
                return {}  # what came before is not heard: look
            heard = [said.payload for said in self._ear.notifies(timeout=longest_s, stop_after=1)]
        said = (payload.partition(" ") for payload in heard)
        return {project: int(head) for project, _, head in said if head.isdecimal()}  # anybody may notify

    def close(self) -> None:
        super().close()
        self._forget()
        if self._ear is not None:
            self._ear.close()

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        if not self._turns.acquire(timeout=CONNECT_S):
            raise StoreUnavailable(f"The stream store was busy for {CONNECT_S} s.")
        db: psycopg.Connection | None = None
        try:
            with our_words():
                with suppress(IndexError):
                    db = self._idle.pop()
                if db is None:
                    db = self._connect()
                    db.add_notify_handler(_unheard)
                yield db
        except StoreUnavailable:
            if db is not None:
                db.close()  # a new one may be led elsewhere
            raise
        finally:
            if db is not None and db.closed:
                self._forget()  # the others met the same fate, most likely
            elif db is not None and not self.closed:
                self._idle.append(db)
            elif db is not None:
                db.close()
            self._turns.release()

    def _connect(self) -> psycopg.Connection:
        if self.closed:
            raise StoreUnavailable("The stream store is closed.")
        return connect(self._url, autocommit=True)

    def _forget(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


def _unheard(_: psycopg.Notify) -> None:
    """A pooler may hand on what another connection listens to, and what nobody hears is kept for ever."""


@lru_cache
def _call(function: str, names: tuple[str, ...]) -> sql.Composed:
    named = sql.SQL(", ").join(sql.SQL("{} => %s").format(sql.Identifier(name)) for name in names)
    return sql.SQL("select public.{}({})").format(sql.Identifier(function), named)


def _value(value: Any) -> Any:
    """Objects in a list are jsonb."""
    if isinstance(value, list):
        return [Jsonb(item) if isinstance(item, dict) else item for item in value]
    return value
