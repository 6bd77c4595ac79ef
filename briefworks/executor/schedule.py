"""When: requests that are ready and wait for a slot, and everything that is due later. One lock for all."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from briefworks.executor.records import Job
from briefworks.executor.slots import Pool, Slots

AWAY_PAUSES_S = (0.25, 5.0)


@dataclass(frozen=True)
class Alarm:
    """Something of a run that is due: `step` (a sleep or wait is over), `start`, `finish` (its limits)."""

    kind: str
    run_id: str
    step_id: str = ""


Entry = tuple[float, int, Job | Alarm]  # when, in which order it was given, what


class Schedule:
    """
    `pools_of` names the limits of a job's function; it is asked under `lock`.

    `away_pauses_s` are the first and the longest pause before an app that was away is asked again.
    """

    def __init__(
        self,
        lock: threading.RLock,
        pools_of: Callable[[Job], tuple[Pool, ...]],
        away_pauses_s: tuple[float, float],
    ) -> None:
        self._pools_of = pools_of
        self._away_pauses_s = away_pauses_s
        self._ready = threading.Condition(lock)
        self._timer = threading.Condition(lock)
        self._slots = Slots()
        self._later: list[Entry] = []
        self._counted = 0
        self._away: dict[str, tuple[int, str]] = {}  # job id -> how often its app was away, and the app
        self.stopping = False

    def at(self, due_at: float, what: Job | Alarm) -> None:
        """Line a job up, or sound an alarm, as soon as it is due."""
        with self._timer:
            if isinstance(what, Job) and due_at <= time.time():
                self._line_up(what)
                return
            self._counted += 1
            heapq.heappush(self._later, (due_at, self._counted, what))
            if self._later[0][1] == self._counted:
                self._timer.notify()

    def next_job(self) -> Job | None:
        """Wait for a job that may be sent, and hold its slots; None when all stops."""
        with self._ready:
            while not self.stopping:
                if (job := self._slots.take()) is not None:
                    if self._slots.waiting:  # one waker, one woken: the next one looks for itself
                        self._ready.notify()
                    return job
                self._ready.wait()
            return None

    def next_alarm(self) -> Alarm | None:
        """Wait for the next alarm, lining up the jobs that come due meanwhile; None when all stops."""
        with self._timer:
            while not self.stopping:
                if not self._later:
                    self._timer.wait()
                elif (wait_s := self._later[0][0] - time.time()) > 0:
                    self._timer.wait(min(wait_s, threading.TIMEOUT_MAX))
                elif isinstance(what := heapq.heappop(self._later)[2], Alarm):
                    return what
                else:
                    self._line_up(what)
            return None

    def release(self, job: Job) -> None:
        """The job is no longer under way, and not to be sent again."""
        with self._ready:
            self._away.pop(job.job_id, None)
            self._free(job)

    def app_was_away(self, job: Job, app_id: str) -> None:
        """Send this job again after a pause that doubles each time, or when its app is heard of."""
        with self._ready:
            tries = self._away.get(job.job_id, (0, ""))[0] + 1
            self._away[job.job_id] = (tries, app_id)
            self._free(job)
            first_s, longest_s = self._away_pauses_s
            self.at(time.time() + min(first_s * 2.0 ** min(tries - 1, 30), longest_s), job)

    def app_is_back(self, app_id: str | None = None) -> None:
        """Line up every job that waits only because this app (or any, for None) was away."""
        with self._ready:
            away = {job_id for job_id, (_, app) in self._away.items() if app_id in (None, app)}
            if not away:
                return
            later: list[Entry] = []
            back: list[Entry] = []
            for entry in self._later:
                is_back = isinstance(entry[2], Job) and entry[2].job_id in away
                (back if is_back else later).append(entry)
            self._later = later
            heapq.heapify(self._later)
            for _, _, job in sorted(back, key=lambda entry: entry[1]):
                assert isinstance(job, Job)
                self._line_up(job)

    def is_under_way(self, job_id: str) -> bool:
        return self._slots.holds(job_id)

    @property
    def under_way(self) -> int:
        with self._ready:
            return self._slots.under_way

    def stop(self) -> None:
        """Wake everybody who waits, with nothing."""
        with self._ready:
            self.stopping = True
            self._ready.notify_all()
            self._timer.notify_all()

    def _free(self, job: Job) -> None:
        self._slots.release(job.job_id)
        if self._slots.waiting:
            self._ready.notify()

    def _line_up(self, job: Job) -> None:
        self._slots.add(job, self._pools_of(job))
        self._ready.notify()
