"""The threads that send requests to the app and hand its answers to the engine."""

from __future__ import annotations

import threading
import time

import httpx
import structlog

from briefworks.executor import answers
from briefworks.executor.answers import Answer
from briefworks.executor.engine import Engine, Request

log = structlog.get_logger("briefworks.executor")

CONNECT_S = 10.0


class Dispatcher:
    """`workers` requests are under way at most; each may take `request_timeout_s`."""

    def __init__(self, engine: Engine, *, workers: int, request_timeout_s: float) -> None:
        self._engine = engine
        self._timeout_s = request_timeout_s
        self._http = httpx.Client(
            timeout=httpx.Timeout(request_timeout_s, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            trust_env=False,
        )
        # Daemons: a request that takes two hours must not keep the process from ending.
        self._threads = [
            threading.Thread(target=self._work, name=f"executor-{n}", daemon=True) for n in range(workers)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, wait_s: float) -> None:
        """Wait a little for what is under way, then leave it: it is sent again by the next executor."""
        until = time.monotonic() + wait_s
        while self._engine.schedule.under_way and time.monotonic() < until:
            time.sleep(0.01)
        if not self._engine.schedule.under_way:
            for thread in self._threads:
                thread.join(max(0.0, until - time.monotonic()))
            self._http.close()

    def _work(self) -> None:
        while (request := self._engine.take()) is not None:
            try:
                self._handle(request)
            except Exception:  # the journal could not be written, say: the request is sent again
                log.exception("an answer could not be kept", run_id=request.job.run_id)
                self._engine.schedule.app_was_away(request.job)

    def _handle(self, request: Request) -> None:
        try:
            answer = self._send(request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            self._engine.unanswered(request.job, broken=False)
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            self._engine.unanswered(request.job, broken=True)
        else:
            self._engine.answered(request.job, answer)

    def _send(self, request: Request) -> Answer:
        try:
            response = self._http.post(request.url, content=request.body, headers=request.headers)
        except httpx.TimeoutException:
            return answers.failed(f"The app did not answer within {self._timeout_s:.0f} s.")
        except (httpx.DecodingError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            return answers.failed(f"The app's answer cannot be read: {error}")
        return answers.read(response.status_code, response.headers, response.content, time.time())
