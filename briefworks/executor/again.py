"""Runs that somebody asks for by hand: one once more, whole or from a step; a function without an event."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from briefworks.errors import NotFound, RequestInvalid
from briefworks.executor.events import called_event
from briefworks.executor.file import Row
from briefworks.executor.records import Function
from briefworks.executor.runs import DAY_S, Runs

FAILED = '{"error":'  # how the memo of a failed step begins


def rerun(runs: Runs, run_id: str, from_step: str | None, *, keep_finished: bool) -> str:
    """
    A new run of the same function on the same event; its id.

    It begins with nothing; or with the results of what came before `from_step` (an id or a name); or with
    those of all steps that had one, for `keep_finished`. What ran beside a step did not come after it: kept.
    """
    row = runs.journal.run(run_id)
    event = runs.journal.event(row["event_id"]) if row else None
    if row is None or event is None:
        raise NotFound("There is no such run.")
    fn = _active(runs, row["fn_id"])
    steps = runs.journal.steps_of(run_id)
    done = [step for step in steps if step["memo"] is not None]
    if from_step is not None:
        kept = _before(done, _step(steps, from_step))
    else:
        kept = [step for step in done if not step["memo"].startswith(FAILED)] if keep_finished else []
    return runs.start(fn, event, original=run_id, kept=[step["step_id"] for step in kept])


def invoke(runs: Runs, fn_id: str, data: Mapping[str, Any], key: str) -> tuple[str, bool]:
    """
    A run of the function with `data`; its id, and whether it is a new one.

    The same idempotency `key` within 24 hours is the same run.
    """
    fn = _active(runs, fn_id)
    if key and (known := runs.journal.called_run(fn_id, key, time.time() - DAY_S)):
        return known, False
    event = called_event(fn_id, data, key)
    runs.journal.add_event(event, waiting=False)
    return runs.start(fn, event), True


def _active(runs: Runs, fn_id: str) -> Function:
    if (fn := runs.active.get(fn_id)) is None:
        raise NotFound(
            f"No app that is registered has the function {fn_id!r}.", hint="Start the app, then ask again."
        )
    return fn


def _step(steps: Sequence[Row], wanted: str) -> Row:
    """The step of this id or name."""
    found = [step for step in steps if step["step_id"] == wanted]
    found = found or [step for step in steps if step["name"] == wanted]
    if len(found) != 1:
        what = "has no step" if not found else "has several steps"
        raise RequestInvalid(f"The run {what} {wanted[:100]!r}.", field="fromStep")
    return found[0]


def _before(done: Sequence[Row], step: Row) -> list[Row]:
    """The finished steps that were there before the step had its result."""
    until = float("inf") if step["closed_at"] is None else step["closed_at"]
    return [each for each in done if each["step_id"] != step["step_id"] and each["opened_at"] <= until]
