"""How a run begins and ends in the SQLite store, inside one transaction."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import Any

from briefworks.shapes import Event, RunFailed, RunStarted
from briefworks.stores import records
from briefworks.text import clean


def begin(
    db: sqlite3.Connection, project_id: str, article_id: str, run_id: str, data: RunStarted, at: str
) -> Any:
    """A new run: its record, its article's place in the list, and `run-started`; the record."""
    taken = "SELECT 1 FROM articles WHERE project_id = ? AND started_at = ?"
    while db.execute(taken, (project_id, at)).fetchone():
        at = _later(at)  # the list of articles is paged by it
    newest = records.newest_run(db, project_id, article_id)
    nth = 1 + (newest["nth"] if newest else 0)
    db.execute(
        "INSERT INTO runs (project_id, run_id, article_id, nth) VALUES (?, ?, ?, ?)",
        (project_id, run_id, article_id, nth),
    )
    db.execute(
        "INSERT INTO articles (project_id, article_id, run_id, keyword, persona, status, started_at,"
        " updated_at) VALUES (?, ?, ?, ?, ?, '', ?, '') ON CONFLICT (project_id, article_id)"
        " DO UPDATE SET run_id = excluded.run_id, keyword = excluded.keyword,"
        " persona = excluded.persona, started_at = excluded.started_at",
        (project_id, article_id, run_id, clean(data["keyword"]), clean(data["persona"]), at),
    )
    run = records.run_of(db, project_id, run_id)
    records.write(db, run, "start", nth, [("run-started", dict(data))], at)
    return run


def is_kept(db: sqlite3.Connection, project_id: str, article_id: str, run_id: str) -> bool:
    """Whether this is a run of the article, and not of one that was erased."""
    run = records.run_of(db, project_id, run_id)
    return run is not None and run["article_id"] == article_id and run["ended_by"] != records.ERASED


def end(db: sqlite3.Connection, run: Any, event: Event, data: dict[str, Any], at: str) -> None:
    """The terminal row of a run that has none."""
    records.write(db, run, "end", run["nth"], [(event, data)], at)
    close(db, run, event)


def close(db: sqlite3.Connection, run: Any, event: Event) -> None:
    """The run is over; decisions that it has not carried out are settled with it."""
    db.execute(
        "UPDATE runs SET ended_by = ? WHERE project_id = ? AND run_id = ?",
        (event, run["project_id"], run["run_id"]),
    )
    db.execute(
        "DELETE FROM decisions WHERE project_id = ? AND article_id = ?",
        (run["project_id"], run["article_id"]),
    )


def lost(db: sqlite3.Connection, run: Any, at: str, after_s: float) -> RunFailed | None:
    """What is to be said of a living run that has written nothing for longer than `after_s`; else None."""
    article = db.execute(
        "SELECT status, updated_at FROM articles WHERE project_id = ? AND article_id = ?",
        (run["project_id"], run["article_id"]),
    ).fetchone()
    silent_s = (datetime.fromisoformat(at) - datetime.fromisoformat(article["updated_at"])).total_seconds()
    if article["status"] == "review" or silent_s <= after_s:
        return None
    return {
        "code": "lost",
        "step": "",
        "message": f"The run was silent for {silent_s:.0f} s and was given up.",
        "hint": "Another run of the article has taken over; what was finished is not paid for again.",
        "retriable": True,
    }


def cancelled(decision: dict[str, Any]) -> dict[str, Any]:
    """The data of `run-cancelled` for a person's decision."""
    return {"by": "user", "reason": str(decision.get("reason", ""))}


def _later(at: str) -> str:
    """The next millisecond."""
    after = datetime.fromisoformat(at) + timedelta(milliseconds=1)
    return after.isoformat(timespec="milliseconds").replace("+00:00", "Z")
