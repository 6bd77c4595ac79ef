"""What the journal tells of events, runs and steps: read by the HTTP face and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from briefworks.errors import NotFound, RequestInvalid
from briefworks.executor import wire
from briefworks.executor.file import Row, reading
from briefworks.executor.records import DISCOVERY

_RUNS = """
    SELECT run.*, event.name AS event_name, event.body AS event_body, app_id,
      json_extract(said, '$.name') AS fn_name,
      (SELECT count(*) FROM step WHERE step.run_id = run.run_id AND memo IS NOT NULL) AS steps,
      (SELECT count(*) FROM attempt WHERE attempt.run_id = run.run_id) AS failed_attempts
    FROM run JOIN function USING (fn_id) JOIN event ON internal_id = event_id
"""
_EVENTS = "SELECT * FROM event WHERE name NOT LIKE 'inngest/%'"


@dataclass(frozen=True)
class Try:
    """An attempt that failed and was made again."""

    attempt: int
    started_at: float
    ended_at: float
    error: str


@dataclass(frozen=True)
class Span:
    """
    A step in the timeline of its run.

    `status` is `done`, `failed`, `open`, or `kept`: the result came with the run that this one replays.
    `started_at` is that of its first attempt, `last_started_at` of the one that gave the result. Attempts of
    which nobody knows the step are spans named "".
    """

    step_id: str
    name: str
    op: str
    status: str
    started_at: float
    last_started_at: float
    ended_at: float | None
    tries: tuple[Try, ...]
    error: str = ""
    due_at: float | None = None
    waits_for: str = ""


class History:
    """
    The journal at `path`, also while an executor owns it; each question is answered by the file as it is.

    Raises `ConfigError` when it is missing or of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, run_id: str) -> Row:
        """One run; `NotFound` when there is none of this id."""
        return self._one(f"{_RUNS} WHERE run.run_id = ?", run_id, "There is no such run.")

    def find(self, name: str) -> Row:
        """The run whose id begins or ends with `name`, in any case; `RequestInvalid` when several do."""
        text = "".join(each for each in name.upper() if each.isalnum())
        query = f"{_RUNS} WHERE upper(run.run_id) LIKE ? OR upper(run.run_id) LIKE ? LIMIT 2"
        found = self._all(query, f"{text}%", f"%{text}") if text else []
        if len(found) > 1:
            raise RequestInvalid(
                f"Several runs have an id that begins or ends with {name!r}.", hint="Say more of it."
            )
        if not found:
            raise NotFound(f"There is no run {name!r}.", hint="`briefworks runs` lists them.")
        return found[0]

    def runs(self, limit: int, event_id: str | None = None) -> list[Row]:
        """The newest runs, or those of an event, oldest first."""
        if event_id is not None:
            return self._all(f"{_RUNS} WHERE event_id = ? ORDER BY created_at LIMIT ?", event_id, limit)
        return self._all(f"{_RUNS} ORDER BY created_at DESC LIMIT ?", limit)

    def events(self, limit: int, name: str | None = None) -> list[Row]:
        """The newest events, without the engine's own."""
        wanted, values = (" AND name = ?", [name]) if name else ("", [])
        return self._all(f"{_EVENTS}{wanted} ORDER BY received_at DESC LIMIT ?", *values, limit)

    def event(self, event_id: str) -> Row:
        """One event by the id that the engine gave it; `NotFound` when there is none."""
        return self._one("SELECT * FROM event WHERE internal_id = ?", event_id, "There is no such event.")

    def memos(self, run_id: str) -> Mapping[str, Any]:
        """The results of a run's steps, as the function sees them."""
        rows = self._all("SELECT step_id, memo FROM step WHERE run_id = ? AND memo IS NOT NULL", run_id)
        return {row["step_id"]: wire.restore(row["memo"]) for row in rows}

    def jobs(self, run_id: str) -> list[Row]:
        """The requests of a run that are due or under way."""
        return self._all("SELECT * FROM job WHERE run_id = ? ORDER BY due_at", run_id)

    def timeline(self, run_id: str) -> list[Span]:
        """The steps of a run in the order in which they began."""
        run = self.run(run_id)
        tries: dict[tuple[str, str], list[Try]] = {}
        for row in self._all("SELECT * FROM attempt WHERE run_id = ? ORDER BY ended_at", run_id):
            tries.setdefault((row["step_id"], row["name"]), []).append(
                Try(row["attempt"], row["started_at"], row["ended_at"], row["error"])
            )
        steps = self._all("SELECT * FROM step WHERE run_id = ? ORDER BY place", run_id)
        spans = [_span(step, run, _tries_of(step, tries)) for step in steps]
        for (step_id, name), failed in tries.items():
            over = step_id == DISCOVERY or run["ended_at"] is not None
            status, ended_at = ("failed", failed[-1].ended_at) if over else ("open", None)
            spans.append(
                Span(
                    step_id,
                    name,
                    "StepRun",
                    status,
                    failed[0].started_at,
                    failed[-1].started_at,
                    ended_at,
                    tuple(failed),
                )
            )
        return sorted(spans, key=lambda span: (span.status != "kept", span.started_at))

    def _one(self, query: str, value: str, missing: str) -> Row:
        found = self._all(query, value)
        if not found:
            raise NotFound(missing)
        return found[0]

    def _all(self, query: str, *values: Any) -> list[Row]:
        with reading(self.path) as db:
            return db.execute(query, values).fetchall()


def _tries_of(step: Row, tries: dict[tuple[str, str], list[Try]]) -> tuple[Try, ...]:
    """The failed attempts of a step; those of a planned step may lack its name."""
    mine = [key for key in tries if key[0] == step["step_id"] and key[0] != DISCOVERY]
    return tuple(each for key in mine for each in tries.pop(key))


def _span(step: Row, run: Row, tries: tuple[Try, ...]) -> Span:
    started = step["opened_at"] if step["started_at"] is None else step["started_at"]
    error = ""
    if step["memo"] is None:
        status = "open"
    elif step["closed_at"] < run["created_at"]:
        status = "kept"
    else:
        memo = wire.restore(step["memo"])
        failed = isinstance(memo, dict) and set(memo) == {"error"}
        status = "failed" if failed else "done"
        error = f"{memo['error'].get('name', 'Error')}: {memo['error'].get('message', '')}" if failed else ""
    return Span(
        step["step_id"],
        step["name"],
        step["op"],
        status,
        min([started, *(each.started_at for each in tries)]),
        started,
        step["closed_at"],
        tries,
        error,
        step["due_at"],
        step["waits_for"],
    )
