"""What the SQLite store reads and writes inside one transaction; the checks that fence writers are here."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from briefworks.errors import Hole, NoProject, RunOver, StaleTake
from briefworks.stream import Row
from briefworks.text import clean

_STATUS = {
    "run-started": "running",
    "review-waiting": "review",
    "review-done": "running",
    "polish-done": "done",
    "run-failed": "failed",
    "run-cancelled": "cancelled",
}
ERASED = "erased"  # what ended the runs of a deleted article
_ERASE = (
    """
    DELETE FROM snapshots WHERE project_id = :p
      AND snapshot_id IN (SELECT snapshot_id FROM sources WHERE project_id = :p AND article_id = :a)
      AND snapshot_id NOT IN (SELECT snapshot_id FROM sources WHERE project_id = :p AND article_id <> :a)
      AND NOT EXISTS (  -- a research under way, which names its pages only at its end
        SELECT 1 FROM articles o
        WHERE o.project_id = :p AND o.article_id <> :a AND o.status = 'running' AND o.started_at <= put_at
          AND NOT EXISTS (
            SELECT 1 FROM article_streams d
            WHERE d.project_id = :p AND d.article_id = o.article_id AND d.run_id = o.run_id
              AND d.event = 'research-done'))
    """,
    """
    UPDATE runs SET ended_by = 'erased', used_takes = max(used_takes, coalesce(
        (SELECT max(take) FROM takes WHERE project_id = :p AND article_id = :a), 0))
    WHERE project_id = :p AND article_id = :a
    """,
    "DELETE FROM article_streams WHERE project_id = :p AND article_id = :a",
    "DELETE FROM takes WHERE project_id = :p AND article_id = :a",
    "DELETE FROM articles WHERE project_id = :p AND article_id = :a",
    "DELETE FROM decisions WHERE project_id = :p AND article_id = :a",
    "DELETE FROM calls WHERE project_id = :p AND article_id = :a",
    "DELETE FROM account WHERE project_id = :p AND article_id = :a",
)


def head_of(db: sqlite3.Connection, project_id: str) -> int:
    """The seq of the project's newest row."""
    found = db.execute("SELECT head FROM projects WHERE project_id = ?", (project_id,)).fetchone()
    if found is None:
        raise NoProject(f"There is no project {project_id!r}.")
    return int(found["head"])


def run_of(db: sqlite3.Connection, project_id: str, run_id: str) -> Any:
    """The run's record, or None."""
    return db.execute(
        "SELECT * FROM runs WHERE project_id = ? AND run_id = ?", (project_id, run_id)
    ).fetchone()


def newest_run(db: sqlite3.Connection, project_id: str, article_id: str) -> Any:
    """The record of the article's newest run, or None."""
    return db.execute(
        "SELECT * FROM runs WHERE project_id = ? AND article_id = ? ORDER BY nth DESC LIMIT 1",
        (project_id, article_id),
    ).fetchone()


def newest_take(db: sqlite3.Connection, project_id: str, article_id: str, step: str) -> Any:
    """The record of the step's newest take, or None."""
    return db.execute(
        "SELECT * FROM takes WHERE project_id = ? AND article_id = ? AND step = ? ORDER BY take DESC LIMIT 1",
        (project_id, article_id, step),
    ).fetchone()


def used_takes(db: sqlite3.Connection, project_id: str, article_id: str) -> int:
    """The highest take that the article had of any step before it was erased."""
    found = db.execute(
        "SELECT max(used_takes) FROM runs WHERE project_id = ? AND article_id = ?", (project_id, article_id)
    ).fetchone()
    return int(found[0] or 0)


def result_of(db: sqlite3.Connection, project_id: str, article_id: str, run_id: str, step: str) -> Any:
    """`take` and `data` of the done row that this run wrote for the step, or None."""
    return db.execute(
        "SELECT t.take, a.data FROM takes t"
        " JOIN article_streams a ON a.project_id = t.project_id AND a.seq = t.done_seq"
        " WHERE t.project_id = ? AND t.article_id = ? AND t.step = ? AND t.run_id = ?",
        (project_id, article_id, step, run_id),
    ).fetchone()


def check_take(
    db: sqlite3.Connection, project_id: str, article_id: str, step: str, take: int, span: range, done: bool
) -> tuple[Any, int] | None:
    """
    The run that may write rows `span` (indices within the take) and the first index that is new.

    None when all of them are stored already. `done`: the last of them is the done row.
    """
    newest = newest_take(db, project_id, article_id, step)
    if newest is None or newest["take"] != take:
        run = newest_run(db, project_id, article_id)
        if newest is None and run is not None and run["ended_by"] is not None:
            raise RunOver
        known = newest["take"] if newest else used_takes(db, project_id, article_id)
        raise StaleTake if take <= known else Hole(f"Take {take} of {step} was never opened.")
    finished, next_idx = newest["done_seq"] is not None, int(newest["next_idx"])
    if span.start >= 0 and span.stop <= next_idx and (finished or not done):
        return None
    if finished:
        raise StaleTake(f"Take {take} of {step} is finished.")
    run = run_of(db, project_id, newest["run_id"])
    if run["ended_by"] is not None:
        raise RunOver
    if not 0 <= span.start <= next_idx or span.stop <= next_idx:
        raise Hole(f"Rows {span.start} to {span.stop} of {step} do not follow row {next_idx}.")
    return run, next_idx


def write(db: sqlite3.Connection, run: Any, step: str, take: int, rows: Sequence[Row], at: str) -> int:
    """Store rows of a run with the next numbers; the number of the last one, the new head."""
    project_id, article_id = run["project_id"], run["article_id"]
    head = head_of(db, project_id)
    db.executemany(
        "INSERT INTO article_streams"
        " (project_id, seq, article_id, run_id, step, take, event, data, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (project_id, seq, article_id, run["run_id"], step, take, event, dump(data), at)
            for seq, (event, data) in enumerate(rows, head + 1)
        ],
    )
    head += len(rows)
    db.execute("UPDATE projects SET head = ? WHERE project_id = ?", (head, project_id))
    status = [_STATUS[event] for event, _ in rows if event in _STATUS]
    titles = [clean(data["title"]) for event, data in rows if event == "polish-done" and "title" in data]
    db.execute(
        "UPDATE articles SET updated_at = ?, status = coalesce(?, status), title = coalesce(?, title)"
        " WHERE project_id = ? AND article_id = ?",
        (at, status[-1] if status else None, titles[-1] if titles else None, project_id, article_id),
    )
    return head


def drop(
    db: sqlite3.Connection, project_id: str, article_id: str, events: Sequence[str], step: str | None = None
) -> None:
    """Remove the article's rows of these events, of one step or of all."""
    db.execute(
        "DELETE FROM article_streams WHERE project_id = ? AND article_id = ? AND step = coalesce(?, step)"
        " AND event IN (SELECT value FROM json_each(?))",
        (project_id, article_id, step, json.dumps(events)),
    )


def decision_of(db: sqlite3.Connection, project_id: str, article_id: str, what: str) -> Any:
    """The stored decision, or None."""
    found = db.execute(
        "SELECT decision FROM decisions WHERE project_id = ? AND article_id = ? AND what = ?",
        (project_id, article_id, what),
    ).fetchone()
    return json.loads(found["decision"]) if found else None


def erase(db: sqlite3.Connection, project_id: str, article_id: str) -> None:
    """
    Remove all that is kept of an article but the ids of its runs, which are over.

    A page's text goes too, unless another article's research names it, or one is under way that may.
    """
    ids = {"p": project_id, "a": article_id}
    for statement in _ERASE:
        db.execute(statement, ids)


def dump(data: Any) -> str:
    """JSON that every UTF-8 reader takes."""
    return clean(json.dumps(data, ensure_ascii=False, separators=(",", ":")))
