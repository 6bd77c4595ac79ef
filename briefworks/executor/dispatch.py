"""The threads that send requests to the app and hand its answers to the engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import structlog

from briefworks.executor import answers
from briefworks.executor.answers import Answer
from briefworks.executor.engine import Engine, Request
from briefworks.executor.keys import Keys
from briefworks.executor.posting import NotThere, Silent, Unreadable, WentAway, post

log = structlog.get_logger("briefworks.executor")


class Dispatcher:
    """`workers` requests are under way at most; each may take `request_timeout_s`, `keys` sign it."""

    def __init__(self, engine: Engine, keys: Keys, *, workers: int, request_timeout_s: float) -> None:
        self._engine, self._keys = engine, keys
        self._timeout_s = request_timeout_s
        self._stopped = threading.Event()
        # Daemons: a request that takes two hours must not keep the process from ending.
        self._threads = [
            threading.Thread(target=self._work, name=f"executor-{n}", daemon=True) for n in range(workers)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, wait_s: float) -> None:
        """Wait a little for what is under way, then leave it: it is sent again by the next executor."""
        self._stopped.set()
        until = time.monotonic() + wait_s
        while self._engine.schedule.under_way and time.monotonic() < until:
            time.sleep(0.01)
        if not self._engine.schedule.under_way:
            for thread in self._threads:
                thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while (request := self._engine.take()) is not None:
            self._keep(request, self._send(request))

    def _keep(self, request: Request, store: Callable[[], None]) -> None:
        """Have what came out stored, however often that takes: an answer has cost its price already."""
        pause_s = 0.25
        while True:
            try:
                store()
                return
            except Exception:
                log.exception("an answer could not be stored; trying again", run_id=request.job.run_id)
            if self._stopped.wait(pause_s):
                return
            pause_s = min(2 * pause_s, 5.0)

    def _send(self, request: Request) -> Callable[[], None]:
        """Send a request; what to tell the engine about it."""
        engine, job = self._engine, request.job
        headers = request.headers | self._keys.signature(request.body, time.time())
        try:
            response = post(request.url, request.body, headers, self._timeout_s)
        except NotThere:
            return partial(engine.unanswered, job, broken=False)
        except WentAway:
            return partial(engine.unanswered, job, broken=True)
        except Silent:
            answer: Answer = answers.failed(f"The app did not answer within {self._timeout_s:g} s.")
        except Unreadable as error:
            answer = answers.failed(f"The app's answer cannot be read: {error}")
        else:
            answer = answers.read(response.status, response.headers, response.body, time.time())
        return partial(engine.answered, job, answer)
