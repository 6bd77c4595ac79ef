"""The journal: one SQLite file that knows where every run is, owned by one process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from briefworks.executor import wire
from briefworks.executor.file import Row, open_to_write
from briefworks.executor.owner import own, say
from briefworks.executor.records import INVOKED_EVENT, Change, Event, Job, OpenStep, Run

LIVING = "Running"


class Journal:
    """
    Not thread-safe: the engine's lock guards it. `on_write` is called before and after each write (for tests
    that end the process there).

    Raises `ConfigError` when another process owns the file, when a newer version wrote it, or when the file
    cannot be used.
    """

    def __init__(self, path: Path, on_write: Callable[[], None] | None = None) -> None:
        self.path = path
        self._on_write = on_write or (lambda: None)
        self._owner = own(path)
        try:
            self._db = open_to_write(path, self._on_write)
        except BaseException:
            self._owner.close()
            raise

    def listens_at(self, url: str) -> None:
        """Let whoever finds the journal owned know where its owner can be asked."""
        say(self._owner, url)

    def close(self) -> None:
        self._db.close()
        self._owner.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is stored at once, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._on_write()
            self._db.execute("COMMIT")
            self._on_write()
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    # Apps and their functions

    def save_app(self, app_id: str, url: str, functions: Mapping[str, str], now: float) -> None:
        """Keep what an app registered; functions it names no longer become inactive."""
        self._db.execute("INSERT OR REPLACE INTO app VALUES (?, ?, ?)", (app_id, url, now))
        self._db.execute("UPDATE function SET active = 0 WHERE app_id = ?", (app_id,))
        self._db.executemany(
            "INSERT OR REPLACE INTO function VALUES (?, ?, ?, 1)",
            [(fn_id, app_id, said) for fn_id, said in functions.items()],
        )

    def functions(self) -> list[Row]:
        """`fn_id`, `app_id`, `said`, `active` of all, the inactive ones too."""
        return self._db.execute("SELECT * FROM function ORDER BY rowid").fetchall()

    def functions_of(self, app_id: str) -> dict[str, str]:
        """What an app said of its active functions, by id."""
        return {
            row["fn_id"]: row["said"] for row in self.functions() if row["app_id"] == app_id and row["active"]
        }

    # Events

    def add_event(self, event: Event, *, waiting: bool) -> None:
        self._db.execute(
            "INSERT INTO event VALUES (:internal_id, :given_id, :name, :body, :received_at, :waiting)",
            {**vars(event), "waiting": waiting},
        )

    def event(self, internal_id: str) -> Event | None:
        row = self._db.execute("SELECT * FROM event WHERE internal_id = ?", (internal_id,)).fetchone()
        return _event(row) if row else None

    def event_body(self, internal_id: str) -> str:
        """The canonical JSON of an event that is there."""
        body: str = self._db.execute(
            "SELECT body FROM event WHERE internal_id = ?", (internal_id,)
        ).fetchone()["body"]
        return body

    def waiting_events(self) -> list[Event]:
        """Oldest first."""
        return [
            _event(row)
            for row in self._db.execute("SELECT * FROM event WHERE waiting ORDER BY received_at, rowid")
        ]

    def none_waits(self) -> None:
        """Every app has registered: what no function wanted is wanted by none."""
        self._db.execute("UPDATE event SET waiting = 0 WHERE waiting")

    def once(self, scope: str, value: str, until: float, now: float) -> bool:
        """Whether this is the first time within the period; it then counts as seen."""
        cursor = self._db.execute(
            "INSERT INTO once VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET until = excluded.until WHERE until <= ?",
            (scope, value, until, now),
        )
        return cursor.rowcount > 0

    # Runs

    def add_run(self, run: Run) -> None:
        self._db.execute(
            "INSERT INTO run VALUES (:run_id, :fn_id, :event_id, :status, :created_at, NULL, :version,"
            " :fanned_out, :pools, :invoked_by, :start_by, :finish_by, NULL, NULL, :original_run_id)",
            {**vars(run), "status": LIVING, "pools": json.dumps(run.pools)},
        )
        self._write_jobs(run.jobs.values())

    def keep_steps(self, run_id: str, original_run_id: str, step_ids: Sequence[str]) -> None:
        """Give a run the results that these steps had in the run it replays, in the same order."""
        self._db.execute(
            "INSERT INTO step SELECT ?, step_id, name, op, opts, race, due_at, '', opened_at, closed_at,"
            " attempts, row_number() OVER (ORDER BY place) - 1, memo, started_at FROM step"
            " WHERE run_id = ? AND step_id IN (SELECT value FROM json_each(?))",
            (run_id, original_run_id, json.dumps(step_ids)),
        )

    def write(self, old: Run, change: Change, now: float) -> None:
        """Store what a change does to the run `old`."""
        new = change.run
        for step_id in new.open.keys() - old.open.keys():
            self._open(new.run_id, new.open[step_id], now)
        sent_at = now if change.sent_at is None else change.sent_at
        for place, closed in enumerate(change.closed, len(old.stack)):
            self._db.execute(
                "INSERT INTO step VALUES (:run_id, :step_id, :name, :op, '{}', 0, NULL, '', :sent_at, :now,"
                " :attempts, :place, :memo, :started_at)"
                " ON CONFLICT DO UPDATE SET op = excluded.op, closed_at = excluded.closed_at,"
                " attempts = excluded.attempts, place = excluded.place, memo = excluded.memo,"
                " started_at = excluded.started_at",
                {**vars(closed), "run_id": new.run_id, "place": place, "now": now, "sent_at": sent_at,
                 "started_at": change.sent_at},
            )  # fmt: skip
        if change.failed:
            self._db.execute(
                "INSERT INTO attempt VALUES (:run_id, :step_id, :name, :attempt, :sent_at, :now, :error)",
                {**vars(change.failed), "run_id": new.run_id, "sent_at": sent_at, "now": now},
            )
        if change.end:
            self._end(new.run_id, change, now)
            return
        gone = [(job_id,) for job_id in old.jobs.keys() - new.jobs.keys()]
        if gone:
            self._db.executemany("DELETE FROM job WHERE job_id = ?", gone)
        self._write_jobs(job for job_id, job in new.jobs.items() if old.jobs.get(job_id) != job)
        if (old.version, old.fanned_out) != (new.version, new.fanned_out):
            self._db.execute(
                "UPDATE run SET version = ?, fanned_out = ? WHERE run_id = ?",
                (new.version, new.fanned_out, new.run_id),
            )

    def _open(self, run_id: str, step: OpenStep, now: float) -> None:
        self._db.execute(
            "INSERT INTO step VALUES (:run_id, :step_id, :name, :op, :opts, :race, :due_at, :waits_for, :now,"
            " NULL, 0, NULL, NULL, NULL)",
            {**vars(step), "run_id": run_id, "opts": wire.canonical(dict(step.opts)), "now": now},
        )

    def _end(self, run_id: str, change: Change, now: float) -> None:
        assert change.end is not None
        error = None if change.end.error is None else wire.canonical(dict(change.end.error))
        self._db.execute("DELETE FROM job WHERE run_id = ?", (run_id,))
        self._db.execute("UPDATE step SET waits_for = '' WHERE run_id = ? AND memo IS NULL", (run_id,))
        self._db.execute(
            "UPDATE run SET status = ?, ended_at = ?, output = ?, error = ? WHERE run_id = ?",
            (change.end.status, now, change.end.output, error, run_id),
        )

    def _write_jobs(self, jobs: Iterable[Job]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO job VALUES (:job_id, :run_id, :step_id, :attempt, :generation, :due_at)",
            [vars(job) for job in jobs],
        )

    def living(self) -> list[Run]:
        """Every run that has not ended, as it was after its last change; oldest first."""
        rows = self._db.execute(
            "SELECT * FROM run WHERE ended_at IS NULL ORDER BY created_at, rowid"
        ).fetchall()
        return [self._living(row) for row in rows]

    def _living(self, row: Row) -> Run:
        run_id = row["run_id"]
        steps = self.steps_of(run_id)
        jobs = self._db.execute("SELECT * FROM job WHERE run_id = ? ORDER BY rowid", (run_id,)).fetchall()
        return Run(
            run_id=run_id,
            fn_id=row["fn_id"],
            event_id=row["event_id"],
            created_at=row["created_at"],
            version=row["version"],
            fanned_out=bool(row["fanned_out"]),
            stack=tuple(step["step_id"] for step in steps if step["memo"] is not None),
            jobs={job["job_id"]: Job(**dict(job)) for job in jobs},
            open={step["step_id"]: _open_step(step) for step in steps if step["memo"] is None},
            pools=tuple(json.loads(row["pools"])),
            invoked_by=row["invoked_by"],
            start_by=row["start_by"],
            finish_by=row["finish_by"],
            original_run_id=row["original_run_id"],
        )

    def memos(self, run_id: str) -> dict[str, str]:
        """The results of a run's steps, as canonical JSON."""
        rows = self._db.execute(
            "SELECT step_id, memo FROM step WHERE run_id = ? AND memo IS NOT NULL", (run_id,)
        )
        return {row["step_id"]: row["memo"] for row in rows}

    def steps_of(self, run_id: str) -> list[Row]:
        """All that is known of a run's steps, the finished ones in their order."""
        return self._db.execute("SELECT * FROM step WHERE run_id = ? ORDER BY place", (run_id,)).fetchall()

    def waits_for(self, event_name: str) -> list[tuple[str, str]]:
        """Run and step ids of the open waits for events of this name, oldest first."""
        rows = self._db.execute(
            "SELECT run_id, step_id FROM step WHERE waits_for = ? AND memo IS NULL ORDER BY opened_at",
            (event_name,),
        )
        return [(row["run_id"], row["step_id"]) for row in rows]

    def run(self, run_id: str) -> Row | None:
        row: Row | None = self._db.execute("SELECT * FROM run WHERE run_id = ?", (run_id,)).fetchone()
        return row

    def has_run(self, event_id: str, fn_id: str) -> bool:
        found = self._db.execute("SELECT 1 FROM run WHERE event_id = ? AND fn_id = ?", (event_id, fn_id))
        return found.fetchone() is not None

    def prune(self, before: float, now: float) -> int:
        """Forget the runs that ended before that moment, with what only they needed; how many they were."""
        old = "SELECT run_id FROM run WHERE ended_at < ?"
        with self.transaction():
            for table in ("step", "attempt", "job"):
                self._db.execute(f"DELETE FROM {table} WHERE run_id IN ({old})", (before,))  # noqa: S608
            pruned = self._db.execute(f"DELETE FROM run WHERE run_id IN ({old})", (before,)).rowcount  # noqa: S608
            self._db.execute(
                "DELETE FROM event WHERE received_at < ? AND NOT waiting"
                " AND NOT EXISTS (SELECT 1 FROM run WHERE event_id = internal_id)",
                (before,),
            )
            self._db.execute("DELETE FROM once WHERE until < ?", (now,))
        self._db.execute("VACUUM")
        return pruned

    def called_run(self, fn_id: str, key: str, since: float) -> str | None:
        """The run of a function that was invoked over HTTP with this idempotency key."""
        row = self._db.execute(
            "SELECT run_id FROM run JOIN event ON internal_id = event_id"
            " WHERE fn_id = ? AND given_id = ? AND name = ? AND received_at > ?",
            (fn_id, key, INVOKED_EVENT, since),
        ).fetchone()
        return row["run_id"] if row else None


def _event(row: Row) -> Event:
    return Event(
        internal_id=row["internal_id"],
        name=row["name"],
        content=wire.restore(row["body"]),
        body=row["body"],
        received_at=row["received_at"],
        given_id=row["given_id"],
    )


def _open_step(row: Row) -> OpenStep:
    return OpenStep(
        step_id=row["step_id"],
        name=row["name"],
        op=row["op"],
        opts=wire.restore(row["opts"]),
        due_at=row["due_at"],
        waits_for=row["waits_for"],
        race=bool(row["race"]),
    )
