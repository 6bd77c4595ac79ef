"""Rows as they are written: server-sent events, else polling, through every bad connection."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from httpx_sse import EventSource, ServerSentEvent

from briefworks.client.app import App, error_of, is_stream, json_object, retry_after_s
from briefworks.errors import BriefworksError, NotStarted, RateLimited, UpstreamUnavailable
from briefworks.shapes import TERMINAL, StreamRow

PAGE = ("rows", "head", "upto")
OVER = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Timing:
    """How long is waited, in seconds."""

    waits_s: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)  # between attempts, the last one from then on
    poll_s: float = 2.0
    full_s: float = 5.0  # no place among the watchers: poll that long, if the answer does not say
    sse_again_s: float = 30.0  # a stream that brought nothing: likewise, twice as long each time
    most_s: float = 600.0
    first_s: float = 8.0  # the patience before anything was heard: it is more likely the wrong address


class Follower:
    """Follows a project, or one article of it to the end of its run; see `Client.follow`."""

    def __init__(
        self,
        app: App,
        project_id: str,
        article_id: str | None,
        after: int,
        quiet_s: float,
        patience_s: float,
        on_trouble: Callable[[BriefworksError], None] | None = None,
        timing: Timing = Timing(),
    ) -> None:
        self._app, self._timing, self._on_trouble = app, timing, on_trouble
        self._quiet_s, self._patience_s = quiet_s, patience_s
        self._path = f"/api/projects/{project_id}/stream"
        self._article_path = f"/api/projects/{project_id}/articles/{article_id}"
        self._article_id, self._seen = article_id, after
        self._unsure = after > 0  # the run's end may lie before `after`
        self._ended = False  # the newest row of the article ends its run
        self._over = False
        self._anew = False  # what was seen is void: ask again from the start
        self._failures, self._failing_since, self._heard = 0, 0.0, False
        self._sse_at, self._sse_again_s = 0.0, timing.sse_again_s  # poll until then

    def rows(self) -> Iterator[StreamRow]:
        while not self._over:
            self._anew = False
            try:
                yield from self._poll() if time.monotonic() < self._sse_at else self._listen()
            except BriefworksError as error:
                self._pause(error)

    def _params(self) -> dict[str, str]:
        article = {} if self._article_id is None else {"article": self._article_id}
        return {"after": str(self._seen), **article}

    def _poll(self) -> Iterator[StreamRow]:
        """One page, and a pause when there is no more."""
        before, page = self._seen, self._app.json(self._path, *PAGE, params=self._params())
        yield from self._take(page)
        if not (self._over or self._anew or before < self._seen < page["head"]):
            time.sleep(self._timing.poll_s)

    def _listen(self) -> Iterator[StreamRow]:
        """Messages until the run is over; `UpstreamUnavailable` when they end before."""
        with self._app.open(
            "GET", self._path, "text/event-stream", quiet_s=self._quiet_s, params=self._params()
        ) as response:
            if response.status_code == 503:
                self._sse_at = time.monotonic() + retry_after_s(response, self._timing.full_s)
                return
            if not response.is_success:
                raise error_of(response)
            # Unless a message comes: an answer that is no stream, or one that something keeps back.
            self._sse_at = time.monotonic() + self._sse_again_s
            self._sse_again_s = min(2 * self._sse_again_s, self._timing.most_s)
            if not is_stream(response):
                return
            for message in EventSource(response).iter_sse():
                if (page := _page_of(message)) is not None:
                    self._sse_at, self._sse_again_s = 0.0, self._timing.sse_again_s
                    yield from self._take(page)
                if self._over or self._anew:
                    return
        raise UpstreamUnavailable("The app ended the connection.")

    def _take(self, page: dict[str, Any]) -> Iterator[StreamRow]:
        head = _count(page, "head")
        if head < self._seen:
            self._seen, self._ended, self._unsure, self._anew = 0, False, False, True
            return
        self._failures, self._heard = 0, True
        for row in page["rows"]:
            if row["seq"] > self._seen:
                self._seen, self._unsure = row["seq"], False
                self._ended = row["event"] in TERMINAL
                yield row
        self._seen = max(self._seen, _count(page, "upto"))
        if self._article_id is not None and self._seen >= head:
            self._over = self._ended or self._ended_before()

    def _ended_before(self) -> bool:
        """Whether a reader that came back has nothing left to wait for."""
        if not self._unsure:
            return False
        try:
            state = self._app.json(self._article_path, "status", "seq")
        except NotStarted:
            state = {}
        self._unsure = False
        return state.get("status") in OVER and state["seq"] <= self._seen

    def _pause(self, error: BriefworksError) -> None:
        """Wait before the next attempt; raise what no attempt can mend, and what has gone on for too long."""
        now = time.monotonic()
        if not self._failures:
            self._failing_since = now
        patience_s = self._patience_s if self._heard else min(self._patience_s, self._timing.first_s)
        if not error.retriable or now - self._failing_since >= patience_s:
            raise error
        waits_s = self._timing.waits_s
        wait_s = waits_s[min(self._failures, len(waits_s) - 1)] * random.uniform(0.75, 1.25)  # noqa: S311
        self._failures += 1
        if self._failures > 1 and self._on_trouble:
            self._on_trouble(error)
        time.sleep(max(wait_s, error.retry_after_s if isinstance(error, RateLimited) else 0))


def _page_of(message: ServerSentEvent) -> dict[str, Any] | None:
    """The page in a message; an id alone says that nothing up to there is for us."""
    if message.event == "rows":
        return json_object(message.data, *PAGE)
    if message.event in ("", "message") and not message.data and message.id.isdecimal():
        return {"rows": [], "head": int(message.id), "upto": int(message.id)}
    return None


def _count(page: dict[str, Any], name: str) -> int:
    count = page.get(name)
    if not isinstance(count, int) or count < 0:
        raise UpstreamUnavailable(
            f"The answer has no {name}.", hint="Is the address that of a briefworks app?"
        )
    return count
