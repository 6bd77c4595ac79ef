"""
The engine: what comes from outside, from the app and from the clock, put to the runs.

Nothing is sent before what led to it is stored, so whoever starts again on the same journal finds every run
where it was; what was under way is sent again, with the same job id and attempt.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from briefworks.executor import again, machine, wire
from briefworks.executor.answers import Answer, failed
from briefworks.executor.apps import Registration
from briefworks.executor.journal import Journal
from briefworks.executor.records import Event, Function, Job, Run
from briefworks.executor.runs import Runs
from briefworks.executor.schedule import AWAY_PAUSES_S, Alarm, Schedule
from briefworks.executor.slots import Pool

log = structlog.get_logger("briefworks.executor")

BACKOFF_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 2400, 3600, 7200)
MAX_STATE_CHARS = 32 * 1024 * 1024
TOO_LARGE = "The results of the run's steps are larger than 32 MiB together; keep large things elsewhere."
MAX_BREAKS = 20  # connections that may break under one request before that counts as its fault


@dataclass(frozen=True)
class Request:
    """One request to send to the app."""

    job: Job
    url: str
    headers: dict[str, str]
    body: bytes


class Engine:
    """
    `urls` are the apps that must register before an event that nobody wants is given up.

    `retry_scale` shortens the waits between attempts (for tests); `burn_attempts_when_away` makes an app that
    is not there cost attempts, as the real server does.
    """

    def __init__(
        self,
        journal: Journal,
        urls: Sequence[str] = (),
        *,
        retry_scale: float = 1.0,
        burn_attempts_when_away: bool = False,
        away_pauses_s: tuple[float, float] = AWAY_PAUSES_S,
    ) -> None:
        self._journal = journal
        self._scale = retry_scale
        self._burn = burn_attempts_when_away
        self._closed = False
        self._breaks: dict[str, int] = {}
        self._sent_at: dict[str, float] = {}  # job id -> when its request was last sent
        self._apps: set[str] = set()  # those that have registered with this process
        self.registrations = 0  # how many came, whether or not they brought anything new
        self._runs = Runs(journal, urls, self._plan)
        self._lock = self._runs.lock
        self.schedule = Schedule(self._lock, self._pools_of, away_pauses_s)
        for run in self._runs.living.values():
            self._plan(None, run)

    # From outside

    def receive(self, events: Sequence[Event]) -> list[str]:
        """Store events, and start, wake and cancel what they concern; their ids."""
        with self._runs.transaction():
            for event in events:
                if self._journal.event(event.internal_id) is None:  # else the sender repeats itself
                    self._runs.take_in(event)
        return [event.internal_id for event in events]

    def register(self, app: Registration) -> bool:
        """Take an app's functions; whether they differ from before. Events that waited start their runs."""
        said = {function.fn_id: text for function, text in app.functions}
        with self._lock:
            self.registrations += 1
            known = self._journal.functions_of(app.app_id)
            if known == said and app.app_id in self._apps:
                return False
            with self._runs.transaction():
                self._journal.save_app(app.app_id, app.url, said, time.time())
                self._runs.load_functions()
                for event in self._journal.waiting_events():
                    self._runs.start_matching(event, [function for function, _ in app.functions])
                if not self._runs.unsynced:
                    self._journal.none_waits()
            self._apps.add(app.app_id)
        log.info("app registered", app=app.app_id, url=app.url, functions=len(said))
        return known != said

    def synced(self, url: str) -> None:
        """The app at `url` is there and has registered; after the last of them no event waits any longer."""
        with self._lock:
            if url in self._runs.unsynced:
                self._runs.unsynced.discard(url)
                if not self._runs.unsynced:
                    with self._runs.transaction():
                        self._journal.none_waits()
            self.schedule.app_is_back()

    def cancel(self, run_id: str) -> str | None:
        """End a run now, if it lives; the status that it had, None when there is no such run."""
        with self._runs.transaction():
            row = self._journal.run(run_id)
            if (run := self._runs.get(run_id)) is not None:
                self._runs.apply(run, machine.cancelled(run, "by request"))
            return None if row is None else str(row["status"])

    def rerun(self, run_id: str, from_step: str | None = None, *, keep_finished: bool = False) -> str:
        """Run an event's function once more, as `again.rerun` says; the id of the new run."""
        with self._runs.transaction():
            return again.rerun(self._runs, run_id, from_step, keep_finished=keep_finished)

    def invoke(self, fn_id: str, data: Mapping[str, Any], key: str = "") -> tuple[str, bool]:
        """Run a function without an event of its own, as `again.invoke` says."""
        with self._runs.transaction():
            return again.invoke(self._runs, fn_id, data, key)

    def prune(self, older_than_s: float) -> int:
        """Forget what ended longer ago than that; how many runs it was."""
        with self._lock:
            return self._journal.prune(time.time() - older_than_s, time.time())

    # From and for the dispatcher

    def take(self) -> Request | None:
        """Wait for the next request to send; None when the engine stops."""
        while (job := self.schedule.next_job()) is not None:
            with self._lock:
                if not self._is_current(job):
                    self.schedule.release(job)
                    continue
                try:
                    if (request := self._request(job)) is not None:
                        return request
                except Exception:
                    log.exception("a request could not be made; trying again", run_id=job.run_id)
                    self.schedule.app_was_away(job, self._app_of(job))
        return None

    def answered(self, job: Job, answer: Answer) -> None:
        """The app has answered a request; what is no longer wanted is dropped."""
        with self._lock:
            app_id = self._app_of(job)
            if self._is_current(job):
                run = self._runs.living[job.run_id]
                retries = machine.Retries(self._runs.functions[run.fn_id].max_attempts, self._wait_s)
                change = machine.answered(run, job, answer, retries, time.time())
                with self._runs.transaction():
                    self._runs.apply(run, replace(change, sent_at=self._sent_at.get(job.job_id)))
            self._sent_at.pop(job.job_id, None)
            self._breaks.pop(job.job_id, None)
            self.schedule.release(job)
            self.schedule.app_is_back(app_id)

    def unanswered(self, job: Job, *, broken: bool) -> None:
        """
        The app was not there, or (`broken`) went away under the request.

        No attempt is burned: the same request is sent again. Only one under which the connection breaks again
        and again counts as failed at last, since it is probably what kills the app.
        """
        with self._lock:
            breaks = self._breaks.get(job.job_id, 0) + broken
            if self._burn or breaks >= MAX_BREAKS:
                self.answered(job, failed("The app could not be reached, or went away before it answered."))
            else:
                self._breaks[job.job_id] = breaks
                self.schedule.app_was_away(job, self._app_of(job))

    def keep_time(self) -> None:
        """Do what is due when it is due, until the engine stops."""
        while (alarm := self.schedule.next_alarm()) is not None:
            try:
                with self._lock:
                    if not self._closed:
                        self._do_due(alarm)
            except Exception:
                log.exception("an alarm failed and is tried again", kind=alarm.kind, run_id=alarm.run_id)
                self.schedule.at(time.time() + 1.0, alarm)

    def close(self) -> None:
        """After `schedule.stop()`: what is answered from now on is dropped; the next engine asks again."""
        with self._lock:
            self._closed = True
            self._journal.close()

    # For the REST face

    def active_functions(self) -> list[Function]:
        with self._lock:
            return list(self._runs.active.values())

    # Inside

    def _do_due(self, alarm: Alarm) -> None:
        run = self._runs.get(alarm.run_id)
        if run is None:
            return
        with self._runs.transaction():
            if alarm.kind == "step":
                if alarm.step_id in run.open:
                    memo = machine.timeout_memo(run.open[alarm.step_id])
                    self._runs.apply(run, machine.resolved(run, alarm.step_id, memo, time.time()))
            elif alarm.kind == "finish" or not self._has_begun(run):
                self._runs.apply(run, machine.cancelled(run, f"its {alarm.kind} time-out"))

    def _has_begun(self, run: Run) -> bool:
        return run.version != -1 or any(
            job.attempt or self.schedule.is_under_way(job.job_id) for job in run.jobs.values()
        )

    def _plan(self, old: Run | None, run: Run) -> None:
        """Schedule what a run has now and had not before."""
        for job_id, job in run.jobs.items():
            if old is None or old.jobs.get(job_id) != job:
                self.schedule.at(job.due_at, job)
        for step_id, step in run.open.items():
            if step.due_at is not None and (old is None or step_id not in old.open):
                self.schedule.at(step.due_at, Alarm("step", run.run_id, step_id))
        if old is None:
            for kind, due_at in (("start", run.start_by), ("finish", run.finish_by)):
                if due_at is not None:
                    self.schedule.at(due_at, Alarm(kind, run.run_id))

    def _is_current(self, job: Job) -> bool:
        run = self._runs.living.get(job.run_id)
        return run is not None and run.jobs.get(job.job_id) == job and not self._closed

    def _app_of(self, job: Job) -> str:
        run = self._runs.living.get(job.run_id)
        return "" if run is None else self._runs.functions[run.fn_id].app_id

    def _pools_of(self, job: Job) -> tuple[Pool, ...]:
        run = self._runs.living.get(job.run_id)
        if run is None:
            return ()
        pools = []
        for limit, value in zip(self._runs.functions[run.fn_id].limits, run.pools, strict=False):
            owner = run.fn_id if limit.scope == "fn" else limit.scope
            pools.append(Pool(f"{owner} {limit.key} {value}", limit.limit))
        return tuple(pools)

    def _request(self, job: Job) -> Request | None:
        """What to send for a job; None when its run ends here, because its results are too large."""
        run = self._runs.living[job.run_id]
        function = self._runs.functions[run.fn_id]
        request_id = wire.new_id()
        self._sent_at[job.job_id] = time.time()
        event, memos = self._journal.event_body(run.event_id), self._journal.memos(run.run_id)
        if sum(map(len, memos.values())) > MAX_STATE_CHARS:
            self.answered(job, failed(TOO_LARGE, no_retry=True, name="InngestErrStateOverflowed"))
            return None
        body = wire.request_body(function, run, job, request_id, event, memos)
        return Request(job, wire.request_url(function, job), wire.request_headers(run, job, request_id), body)

    def _wait_s(self, attempt: int) -> float:
        return self._scale * BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)]
