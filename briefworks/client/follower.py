"""Rows as they are written, each once and in order, through every bad connection."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from briefworks.client.place import USUAL, Feed, Page, Timing
from briefworks.errors import BriefworksError, NotStarted, RateLimited, UpstreamUnavailable
from briefworks.shapes import TERMINAL, ArticleState, StreamRow

OVER = ("done", "failed", "cancelled")


class Follower:
    """
    Follows a feed, to the end of the run where `look` says the state of the one article it is about.

    See `Client.follow`. The feed is closed with it.
    """

    def __init__(
        self,
        feed: Feed,
        look: Callable[[], ArticleState] | None,
        after: int,
        patience_s: float,
        on_trouble: Callable[[BriefworksError], None] | None = None,
        timing: Timing = USUAL,
    ) -> None:
        self._feed, self._look, self._timing, self._on_trouble = feed, look, timing, on_trouble
        self._patience_s, self._seen = patience_s, after
        self._unsure = after > 0  # the run's end may lie before `after`
        self._ended = False  # the newest row of the article ends its run
        self._over = False
        self._anew = False  # what was seen is void: ask again from the start
        self._failures, self._failing_since, self._heard = 0, 0.0, False

    def rows(self) -> Iterator[StreamRow]:
        with closing(self._feed):
            while not self._over:
                self._anew = False
                try:
                    yield from self._pages()
                except BriefworksError as error:
                    self._pause(error)

    def _pages(self) -> Iterator[StreamRow]:
        with closing(self._feed.pages(self._seen)) as pages:
            for page in pages:
                if isinstance(page, BriefworksError):
                    self._tell(page)
                    continue
                yield from self._take(page)
                if self._over or self._anew:
                    return

    def _take(self, page: Page) -> Iterator[StreamRow]:
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
        if self._look is not None and self._seen >= head:
            self._over = self._ended or self._ended_before(self._look)

    def _ended_before(self, look: Callable[[], ArticleState]) -> bool:
        """Whether a reader that came back has nothing left to wait for."""
        if not self._unsure:
            return False
        try:
            state = look()
        except NotStarted:
            return False
        finally:
            self._unsure = False
        return state["status"] in OVER and state["seq"] <= self._seen

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
        if self._failures > 1:
            self._tell(error)
        time.sleep(max(wait_s, error.retry_after_s if isinstance(error, RateLimited) else 0))

    def _tell(self, error: BriefworksError) -> None:
        if self._on_trouble:
            self._on_trouble(error)


def _count(page: Page, name: str) -> int:
    count = page.get(name)
    if not isinstance(count, int) or count < 0:
        raise UpstreamUnavailable(
            f"The answer has no {name}.", hint="Is the address that of a briefworks app?"
        )
    return count
