"""The stream store in one SQLite file, for one machine; `sqlite.sql` has the tables and what they mean."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from briefworks.errors import NotFound, RunOver, StaleTake, Unauthorized
from briefworks.shapes import RunStarted, StreamRow, Terminal
from briefworks.stores import records, runs
from briefworks.stores.database import Database
from briefworks.stores.rows import check_append, check_finish, snapshot_id
from briefworks.stream import Decision, PageOfRows, Row, Take
from briefworks.text import clean, now_at

_SCHEMAS = ("sqlite.sql", "sqlite.2.sql")  # one a version
_LIVE = ("brief-token", "draft-token", "polish-token", "thinking")  # what the done row of a step carries
_CARRIED = (*_LIVE, "research-progress", "section-done", "draft-done", "critique-done")  # by polish-done

_READ = """
    SELECT project_id, seq, article_id, run_id, step, take, event, data, created_at FROM article_streams
    WHERE project_id = :project AND seq > :after ORDER BY seq LIMIT :limit
"""
_READ_ARTICLE = _READ.replace(
    "seq >", "article_id = :article AND seq >"
)  # its own, so that it finds its index


class SqliteStore:
    """
    `briefworks.stream.Store` in the file at `path`, which is made when it is missing.

    Threads and processes may share it. `lost_after_s` is the silence after which a run can be taken over,
    `busy_s` how long another writer is waited for, `clock` gives the instants of rows, `factory` is the
    class of the connections.
    """

    def __init__(
        self,
        path: Path,
        lost_after_s: float = 480,
        *,
        busy_s: float = 5.0,
        clock: Callable[[], str] = now_at,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        schemas = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _SCHEMAS]
        self._file = Database(path, schemas, busy_s=busy_s, factory=factory)
        self._lost_after_s, self._clock = lost_after_s, clock

    # --- runs
    def start_run(self, project_id: str, article_id: str, run_id: str, data: RunStarted) -> bool:
        with self._file.writing() as db:
            db.execute("INSERT INTO projects (project_id) VALUES (?) ON CONFLICT DO NOTHING", (project_id,))
            if run := records.run_of(db, project_id, run_id):
                if run["article_id"] != article_id:
                    raise RunOver(f"Run {run_id} is one of another article.")
                return run["ended_by"] is None
            parent_id = data["parent_run_id"]
            if parent_id is not None and not runs.is_kept(db, project_id, article_id, parent_id):
                return False
            newest = records.newest_run(db, project_id, article_id)
            if newest and newest["ended_by"] is None:
                lost = runs.lost(db, newest, self._clock(), self._lost_after_s)
                if lost is None:
                    return False
                runs.end(db, newest, "run-failed", dict(lost), self._clock())
            elif newest and newest["ended_by"] == "polish-done" and parent_id is None:
                return False
            cancel = records.decision_of(db, project_id, article_id, "cancel")
            run = runs.begin(db, project_id, article_id, run_id, data, self._clock())
            if cancel is not None:
                runs.end(db, run, "run-cancelled", runs.cancelled(cancel), self._clock())
            return cancel is None

    def end_run(self, project_id: str, run_id: str, event: Terminal, data: dict[str, Any]) -> bool:
        with self._file.writing() as db:
            records.head_of(db, project_id)
            run = records.run_of(db, project_id, run_id)
            if run is None:
                raise NotFound(f"Run {run_id} has not started.")
            if run["ended_by"] is None:
                runs.end(db, run, event, data, self._clock())
                return True
            return False

    # --- takes
    def open_take(self, project_id: str, article_id: str, run_id: str, step: str, claim_id: str) -> Take:
        key = (project_id, article_id, step)
        with self._file.writing() as db:
            records.head_of(db, project_id)
            if done := records.result_of(db, project_id, article_id, run_id, step):
                return {"take": done["take"], "done": json.loads(done["data"])}
            run = records.run_of(db, project_id, run_id)
            if run is None or run["article_id"] != article_id or run["ended_by"] is not None:
                raise RunOver
            newest = records.newest_take(db, *key)
            if newest and newest["claim_id"] == claim_id and newest["run_id"] == run_id:
                return {"take": newest["take"], "done": None}
            claimed = (
                "SELECT 1 FROM takes WHERE project_id = ? AND article_id = ? AND step = ? AND claim_id = ?"
            )
            if db.execute(claimed, (*key, claim_id)).fetchone():
                raise StaleTake
            take = 1 + (newest["take"] if newest else records.used_takes(db, project_id, article_id))
            db.execute(
                "INSERT INTO takes (project_id, article_id, step, take, run_id, claim_id)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (*key, take, run_id, claim_id),
            )
            return {"take": take, "done": None}

    def append(
        self, project_id: str, article_id: str, step: str, take: int, first_idx: int, rows: list[Row]
    ) -> int:
        check_append(rows)
        with self._file.writing() as db:
            return self._add(db, project_id, article_id, step, take, first_idx, rows)[1]

    def finish(
        self,
        project_id: str,
        article_id: str,
        step: str,
        take: int,
        first_idx: int,
        rows: list[Row],
        ends_run: bool = False,
    ) -> int:
        check_finish(rows, ends_run)
        with self._file.writing() as db:
            run, head = self._add(db, project_id, article_id, step, take, first_idx, rows, done=True)
            if run is None:
                return head
            db.execute(
                "UPDATE takes SET done_seq = ? WHERE project_id = ? AND article_id = ? AND step = ?"
                " AND take = ?",
                (head, project_id, article_id, step, take),
            )
            records.drop(db, project_id, article_id, _LIVE, step)
            if ends_run:
                records.drop(db, project_id, article_id, _CARRIED)
                runs.close(db, run, rows[-1][0])
            return head

    def _add(
        self,
        db: sqlite3.Connection,
        project_id: str,
        article_id: str,
        step: str,
        take: int,
        first_idx: int,
        rows: list[Row],
        done: bool = False,
    ) -> tuple[Any, int]:
        """Store what is new of the rows; the run, None when nothing is, and the head."""
        head = records.head_of(db, project_id)
        span = range(first_idx, first_idx + len(rows))
        found = records.check_take(db, project_id, article_id, step, take, span, done)
        if found is None:
            return None, head
        run, next_idx = found
        db.execute(
            "UPDATE takes SET next_idx = ? WHERE project_id = ? AND article_id = ? AND step = ? AND take = ?",
            (span.stop, project_id, article_id, step, take),
        )
        return run, records.write(db, run, step, take, rows[next_idx - first_idx :], self._clock())

    # --- decisions
    def decide(self, project_id: str, article_id: str, what: Decision, decision: dict[str, Any]) -> bool:
        with self._file.writing() as db:
            db.execute("INSERT INTO projects (project_id) VALUES (?) ON CONFLICT DO NOTHING", (project_id,))
            run = records.newest_run(db, project_id, article_id)
            if run and run["ended_by"] is not None:
                return False
            if run and what == "cancel":
                runs.end(db, run, "run-cancelled", runs.cancelled(decision), self._clock())
                return True
            db.execute(
                "INSERT INTO decisions (project_id, article_id, what, decision) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET decision = excluded.decision",
                (project_id, article_id, what, records.dump(decision)),
            )
            return True

    def decision(self, project_id: str, article_id: str, what: Decision) -> dict[str, Any] | None:
        with self._file.reading() as db:
            found: dict[str, Any] | None = records.decision_of(db, project_id, article_id, what)
            return found

    # --- reading
    def read(
        self, project_id: str, after: int = 0, article_id: str | None = None, limit: int = 1000
    ) -> PageOfRows:
        limit = max(limit, 1)
        args = {"project": project_id, "article": article_id, "after": after, "limit": limit}
        with self._file.reading() as db:
            found = db.execute("SELECT head FROM projects WHERE project_id = ?", (project_id,)).fetchone()
            rows = db.execute(_READ if article_id is None else _READ_ARTICLE, args).fetchall()
        head = found["head"] if found else 0
        page = [cast(StreamRow, {**row, "data": json.loads(row["data"])}) for row in map(dict, rows)]
        return {"rows": page, "head": head, "upto": head if len(page) < limit else page[-1]["seq"]}

    def wait(self, project_id: str, after: int, timeout_s: float) -> int:
        def head(db: sqlite3.Connection) -> int:
            found = db.execute("SELECT head FROM projects WHERE project_id = ?", (project_id,)).fetchone()
            return found["head"] if found else 0

        return self._file.wait(head, after, timeout_s)

    def articles(self, project_id: str, limit: int = 50, before: str | None = None) -> list[dict[str, Any]]:
        with self._file.reading() as db:
            found = db.execute(
                "SELECT article_id, keyword, persona, status, title, started_at, updated_at FROM articles"
                " WHERE project_id = ? AND started_at < ? ORDER BY started_at DESC LIMIT ?",
                (project_id, before or "~", limit),  # "~" is beyond every instant
            ).fetchall()
        return [dict(row) for row in found]

    # --- what is kept beside the rows
    def recall(self, project_id: str, article_id: str, call_key: str) -> dict[str, Any] | None:
        with self._file.reading() as db:
            found = db.execute(
                "SELECT answer FROM calls WHERE project_id = ? AND article_id = ? AND call_key = ?",
                (project_id, article_id, call_key),
            ).fetchone()
        return json.loads(found["answer"]) if found else None

    def remember(self, project_id: str, article_id: str, call_key: str, answer: dict[str, Any]) -> None:
        with self._file.writing() as db:
            records.head_of(db, project_id)
            run = records.newest_run(db, project_id, article_id)
            if run and run["ended_by"] == records.ERASED:
                raise RunOver
            db.execute(
                "INSERT INTO calls (project_id, article_id, call_key, answer) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (project_id, article_id, call_key, records.dump(answer)),
            )

    def enter(self, project_id: str, article_id: str, entry_id: str, entry: dict[str, Any]) -> None:
        with self._file.writing() as db:
            records.head_of(db, project_id)
            known = "SELECT 1 FROM articles WHERE project_id = ? AND article_id = ?"
            if not db.execute(known, (project_id, article_id)).fetchone():
                raise RunOver
            db.execute(
                "INSERT INTO account (project_id, article_id, entry_id, entry) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET entry = excluded.entry",
                (project_id, article_id, entry_id, records.dump(entry)),
            )

    def entries(self, project_id: str, article_id: str) -> list[dict[str, Any]]:
        with self._file.reading() as db:
            found = db.execute(
                "SELECT entry FROM account WHERE project_id = ? AND article_id = ? ORDER BY entry_id",
                (project_id, article_id),
            ).fetchall()
        return [json.loads(row["entry"]) for row in found]

    def put_snapshot(self, project_id: str, url: str, text: str, fetched_at: str) -> str:
        url, text = clean(url), clean(text)
        kept = snapshot_id(url, text)
        with self._file.writing() as db:
            records.head_of(db, project_id)
            db.execute(
                "INSERT INTO snapshots (project_id, snapshot_id, url, text, fetched_at, put_at)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET put_at = excluded.put_at",
                (project_id, kept, url, text, fetched_at, self._clock()),
            )
        return kept

    def snapshot(self, project_id: str, snapshot_id: str) -> str:
        with self._file.reading() as db:
            found = db.execute(
                "SELECT text FROM snapshots WHERE project_id = ? AND snapshot_id = ?",
                (project_id, snapshot_id),
            ).fetchone()
        if found is None:
            raise NotFound(f"There is no snapshot {snapshot_id!r}.")
        return str(found["text"])

    def delete_article(self, project_id: str, article_id: str) -> None:
        with self._file.writing() as db:
            records.erase(db, project_id, article_id)

    def projects_of(self, claims: dict[str, Any]) -> frozenset[str]:  # noqa: ARG002  # it is the contract's
        raise Unauthorized(
            "The stream is in an SQLite file, which knows no members.",
            hint="Send an API key, or keep the stream in Supabase or PostgreSQL (BRIEFWORKS_STORE).",
        )

    def close(self) -> None:
        self._file.close()
