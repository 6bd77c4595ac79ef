"""Waiting for new rows: one thread looks for all who wait in this process."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Protocol

from briefworks.errors import BriefworksError

LOOK_S = 0.5  # how often the heads are asked for while somebody waits and nothing is heard


class Source(Protocol):
    """Where the thread looks."""

    def heads(self, project_ids: list[str]) -> dict[str, int]: ...
    def pause(self, longest_s: float) -> dict[str, int]: ...


class Heads:
    """The heads of the projects that somebody waits for."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._thread: threading.Thread | None = None
        self._state = threading.Condition()  # guards all that follows
        self._waiting: Counter[str] = Counter()  # how many wait, by project
        self._seen: dict[str, int] = {}
        self._failures = 0
        self.closed = False

    def wait(self, project_id: str, after: int, timeout_s: float) -> int:
        """Block until the head is beyond `after` or the time is over; the head."""
        until = time.monotonic() + timeout_s
        with self._state:
            self._waiting[project_id] += 1
            self._start()
        try:
            while True:
                failures = self._failures
                head = self._source.heads([project_id]).get(project_id, 0)
                if head <= after:
                    head = max(head, self._wait(project_id, after, failures, until))
                if head > after or time.monotonic() >= until:
                    return head
        finally:
            with self._state:
                self._waiting[project_id] -= 1
                if not self._waiting[project_id]:
                    del self._waiting[project_id]
                    self._seen.pop(project_id, None)

    def heard(self, heads: dict[str, int]) -> None:
        """Tell those who wait."""
        with self._state:
            news = {p: head for p, head in heads.items() if p in self._waiting and head > self._head(p)}
            if news:
                self._seen |= news
                self._state.notify_all()

    def close(self) -> None:
        """Those who wait are told by their next look."""
        with self._state:
            self.closed = True
            self._state.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _wait(self, project_id: str, after: int, failures: int, until: float) -> int:
        """Sleep until the head is beyond `after`, or there is reason to look, or the time is over."""

        def stirred() -> bool:
            return self._head(project_id) > after or self.closed or self._failures > failures

        with self._state:
            self._state.wait_for(stirred, max(0.0, until - time.monotonic()))
            return self._head(project_id)

    def _head(self, project_id: str) -> int:
        return self._seen.get(project_id, 0)

    def _start(self) -> None:
        if self._thread is None and not self.closed:
            self._thread = threading.Thread(target=self._look, name="stream heads", daemon=True)
            self._thread.start()

    def _look(self) -> None:
        while not self.closed:
            try:
                heads = self._source.pause(LOOK_S)
                if not heads and self._waiting:
                    heads = self._source.heads(list(self._waiting))
                self.heard(heads)
            except BriefworksError:  # each of those who wait looks for itself, and says what it meets
                with self._state:
                    self._failures += 1
                    self._state.notify_all()
                    self._state.wait_for(lambda: self.closed, LOOK_S)
