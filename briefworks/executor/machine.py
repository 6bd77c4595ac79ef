"""
The state machine: a run and what happened to it give the run as it is from then on. No clock, no I/O.

Each request is a job. A discovery asks the function what comes next; a job with a step id asks for that step
alone. When the last step that an answer opened has its result, one discovery follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from briefworks.executor import wire
from briefworks.executor.answers import Answer, Failed, Finished, Op, Steps, failed
from briefworks.executor.records import DISCOVERY, ELSEWHERE, Attempt, Change, Closed, End, Job, OpenStep, Run

MAX_STEPS = 1000
INVOKE_TIMEOUT_S = 365 * 86400.0
MAX_SAID_CHARS = 2000  # of an error that is kept for the timeline
NULL = "null"


@dataclass(frozen=True)
class Retries:
    """How often a job may be tried, and how long to wait after attempt 0, 1, 2 …"""

    max_attempts: int
    wait_s: Callable[[int], float]


def begun(run: Run, now: float) -> Run:
    """A new run with its first discovery."""
    return _with_discovery(run, now)


def answered(run: Run, job: Job, answer: Answer, retries: Retries, now: float) -> Change:
    """What the app's answer to `job` does."""
    run = replace(run, jobs=_without(run.jobs, job.job_id))
    if isinstance(answer, Failed):
        return _failed(run, job, answer, retries, now)
    run = replace(run, version=answer.version or run.version)
    if isinstance(answer, Finished):
        return Change(run, end=End("Completed", answer.output))
    return _stepped(run, job, answer, retries, now)


def resolved(run: Run, step_id: str, memo: str, now: float) -> Change:
    """A sleep is over, an event or the result of an invoked function has come, or a wait has timed out."""
    step = run.open[step_id]
    closed = Closed(step_id, step.name, step.op, memo)
    return Change(_closing(run, [closed], now, race=step.race), (closed,))


def cancelled(run: Run, reason: str) -> Change:
    """The run ends now; what is under way is answered into the void."""
    return Change(run, end=End("Cancelled", "{}"), reason=reason)


def error_memo(error: Mapping[str, Any], *, no_retry: bool = False) -> str:
    """The memo of a failed step, as user code sees it."""
    known = {key: error[key] for key in ("error", "message", "name", "stack") if key in error}
    return wire.canonical({"error": {**known, "noRetry": True} if no_retry else known})


def timeout_memo(step: OpenStep) -> str:
    """What a step gets when only its time has come: nothing, but an invoked function owes a result."""
    if step.op != "InvokeFunction":
        return NULL
    message = "Timed out waiting for invoked function to complete"
    return error_memo({"error": message, "message": message, "name": "InngestInvokeTimeoutError"})


def _failed(run: Run, job: Job, answer: Failed, retries: Retries, now: float) -> Change:
    if not answer.no_retry and job.attempt + 1 < retries.max_attempts:
        name = run.open[job.step_id].name if job.step_id in run.open else ""
        failed = Attempt(job.step_id, name, job.attempt, _said(answer.result))
        return _retried(run, job, answer.retry_after_s, retries, now, failed)
    error = {"error": answer.word, **{key: answer.result[key] for key in ("message", "name", "stack")}}
    return Change(run, end=End("Failed", wire.canonical(dict(answer.result)), error), reason=answer.word)


def _said(error: Mapping[str, Any]) -> str:
    return f"{error.get('name') or 'Error'}: {error.get('message') or ''}"[:MAX_SAID_CHARS]


def _retried(
    run: Run, job: Job, after_s: float | None, retries: Retries, now: float, failed: Attempt
) -> Change:
    wait_s = retries.wait_s(job.attempt) if after_s is None else after_s
    again = replace(job, attempt=job.attempt + 1, generation=job.generation + 1, due_at=now + wait_s)
    run = replace(run, jobs={**run.jobs, again.job_id: again})
    return Change(run, retry=again, failed=failed, reason=f"{failed.name} {failed.error}".strip())


@dataclass(frozen=True)
class _News:
    """What an answer says that was not known: finished steps, new open ones, and the one to try again."""

    closed: list[Closed]
    opened: list[OpenStep]
    again: Op | None = None


def _news(run: Run, job: Job, answer: Steps, retries: Retries, now: float) -> _News:
    """Sort the steps of an answer; `ValueError` for one that cannot be kept."""
    last = answer.no_retry or job.attempt + 1 >= retries.max_attempts
    known = set(run.stack) | (set(run.open) - {job.step_id})
    closed: list[Closed] = []
    opened: list[OpenStep] = []
    again: Op | None = None
    for op in answer.ops:
        if op.step_id in known:
            continue  # another answer has reported it already
        known.add(op.step_id)
        if op.op in ("StepRun", "Step"):
            closed.append(Closed(op.step_id, op.label, "StepRun", op.memo, job.attempt + 1))
        elif op.op == "StepFailed" or (op.op == "StepError" and last):
            memo = error_memo(op.error, no_retry=answer.no_retry)
            closed.append(Closed(op.step_id, op.label, "StepFailed", memo, job.attempt + 1))
        elif op.op == "StepError":
            again = op
        elif op.step_id not in run.open:
            opened.append(_opened(op, now))
    if len(known) > MAX_STEPS:
        raise ValueError(f"The run has more than {MAX_STEPS} steps.")
    return _News(closed, opened, again)


def _stepped(run: Run, job: Job, answer: Steps, retries: Retries, now: float) -> Change:
    try:
        news = _news(run, job, answer, retries, now)
    except ValueError as error:
        return _failed(run, job, failed(str(error), no_retry=True), retries, now)
    if news.again is None and (lost := _nothing_done(run, job, news)):
        return _failed(run, job, failed(lost), retries, now)
    race = any(run.open[step.step_id].race for step in news.closed if step.step_id in run.open)
    run = replace(
        run,
        jobs={**run.jobs, **{each.job_id: each for each in _planned(run, news.opened, now)}},
        open={**run.open, **{step.step_id: step for step in news.opened}},
        fanned_out=run.fanned_out or len(news.opened) > 1,
    )
    run = _closing(run, news.closed, now, race=race, discover=news.again is None)
    invokes = tuple(step for step in news.opened if step.op == "InvokeFunction")
    if news.again is None:
        return Change(run, tuple(news.closed), invokes)
    again = Attempt(news.again.step_id, news.again.label, job.attempt, _said(news.again.error))
    change = _retried(run, job, answer.retry_after_s, retries, now, again)
    return replace(change, closed=tuple(news.closed), invokes=invokes)


def _nothing_done(run: Run, job: Job, news: _News) -> str:
    """Why this answer brings the run no further; "" when it does, or when something else will."""
    if job.step_id != DISCOVERY and job.step_id not in (step.step_id for step in news.closed):
        return "The app did not run the step it was asked for; does the function take another path now?"
    if not (news.closed or news.opened or run.open or run.jobs):
        return "The app reported only steps that have a result already."
    return ""


def _opened(op: Op, now: float) -> OpenStep:
    """The open step of an op that is not finished by its answer; `ValueError` when it cannot be kept."""
    race = op.opts.get("parallelMode") == "race"
    step = OpenStep(op.step_id, op.label, op.op, op.opts, race=race)
    if op.op == "StepPlanned":
        return step
    if op.op == "Sleep":
        return replace(step, due_at=wire.instant(op.name))
    if op.op == "WaitForEvent":
        return replace(step, due_at=now + wire.duration_s(str(op.opts.get("timeout"))), waits_for=op.name)
    if op.op == "InvokeFunction":
        timeout, payload = op.opts.get("timeout"), op.opts.get("payload") or {}
        if not isinstance(payload, dict) or not isinstance(payload.get("data") or {}, dict):
            raise ValueError(f"Step {op.label!r} invokes a function with data that is not an object.")
        wait_s = INVOKE_TIMEOUT_S if timeout is None else wire.duration_s(str(timeout))
        return replace(step, due_at=now + wait_s)
    raise ValueError(f"Step {op.label!r} is a {op.op}, which the embedded executor leaves out; {ELSEWHERE}")


def _planned(run: Run, opened: list[OpenStep], now: float) -> list[Job]:
    return [
        Job(wire.new_job_id(), run.run_id, now, step_id=step.step_id)
        for step in opened
        if step.op == "StepPlanned"
    ]


def _closing(run: Run, closed: list[Closed], now: float, *, race: bool, discover: bool = True) -> Run:
    """The run with these steps finished; a discovery follows the last open step, or each one of a race."""
    if not closed:
        return run
    still_open = {
        step_id: step for step_id, step in run.open.items() if step_id not in {c.step_id for c in closed}
    }
    run = replace(
        run,
        stack=run.stack + tuple(step.step_id for step in closed),
        open=still_open,
        fanned_out=run.fanned_out and bool(still_open),
    )
    return _with_discovery(run, now) if discover and (race or not still_open) else run


def _with_discovery(run: Run, now: float) -> Run:
    job = Job(wire.new_job_id(), run.run_id, now)
    return replace(run, jobs={**run.jobs, job.job_id: job})


def _without(jobs: Mapping[str, Job], job_id: str) -> dict[str, Job]:
    return {each: job for each, job in jobs.items() if each != job_id}
