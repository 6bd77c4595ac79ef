"""Whose turn it is: one request at a time for a host, few at once in all, robots.txt and its pauses kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLError

import httpcore
import httpx

from briefworks.pages import robots
from briefworks.pages.fetch import (
    MOST_REDIRECTS,
    PAGE,
    PAGE_S,
    READ_S,
    ROBOTS_TXT,
    TOO_SLOW,
    Answer,
    Wanted,
    get,
    status_note,
)
from briefworks.pages.guard import NO_TIME, Guard, OutOfTime, Refused, Unreachable, port_of

ROBOTS_S = 8.0
MOST_AT_ONCE = 6
MOST_AT_ONCE_ALLOWED = 4  # for one host of the operator's
MOST_HOSTS_KEPT = 1000


class Batch:
    """The pages of one `fetch_all`: they end together, by `deadline` (monotonic) or by `stop()`."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self._stopped = threading.Event()
        self.turns = threading.BoundedSemaphore(MOST_AT_ONCE)

    def stop(self) -> None:
        """No further request begins."""
        self._stopped.set()

    @property
    def left_s(self) -> float:
        return 0.0 if self._stopped.is_set() else max(0.0, self.deadline - time.monotonic())

    def pause(self, wait_s: float) -> None:
        """Sleep, unless the batch ends before that: then `OutOfTime` at once."""
        if wait_s >= self.left_s or (wait_s > 0 and self._stopped.wait(wait_s)):
            raise OutOfTime(NO_TIME)

    @contextmanager
    def holding(self, places: threading.Semaphore) -> Iterator[None]:
        """Hold one of the places; `OutOfTime` when none becomes free in time."""
        if not places.acquire(timeout=self.left_s):
            raise OutOfTime(NO_TIME)
        try:
            self.pause(0)
            yield
        finally:
            places.release()

    def request(self, guard: Guard, url: httpx.URL, limit_s: float, wanted: Wanted) -> Answer:
        """One request; every way in which it can fail is a `Refused` that says it to a person."""
        deadline = time.monotonic() + min(limit_s, self.left_s)
        try:
            return get(guard, url, deadline, wanted)
        except httpcore.TimeoutException:
            if not self.left_s:
                raise OutOfTime(NO_TIME) from None
            slow = time.monotonic() >= deadline
            raise Refused(TOO_SLOW if slow else f"did not answer for {READ_S:.0f} s") from None
        except httpcore.ConnectError as error:
            tls = isinstance(error.__cause__, SSLError) or isinstance(error.__context__, SSLError)
            raise Unreachable("no valid certificate" if tls else "the host cannot be reached") from None
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise Refused("the connection broke") from None


class _Host:
    def __init__(self, at_once: int) -> None:
        self.turns = threading.BoundedSemaphore(at_once)
        self.robots_turn = threading.BoundedSemaphore(1)
        self.rules: dict[str, robots.Rules] = {}  # by origin
        self.next_at = 0.0


class Visits:
    """Fetches pages for any number of batches, and remembers the hosts between them."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def page(self, text: str, batch: Batch) -> Answer:
        """The page at this address, after at most four redirects; `Refused` says why it cannot be had."""
        url = self._guard.check_url(text)
        left_s = PAGE_S
        for _ in range(MOST_REDIRECTS + 1):
            host = self._host(url)
            with batch.holding(host.turns):
                self._keep_rules(url, host, batch)
                with batch.holding(batch.turns):
                    began = time.monotonic()
                    answer = batch.request(self._guard, url, left_s, PAGE)
                    left_s -= time.monotonic() - began
            if answer.location:
                url = self._guard.check_url(_joined(url, answer.location))
            elif answer.status != 200:
                raise Refused(status_note(answer.status))
            else:
                return answer
        raise Refused(f"more than {MOST_REDIRECTS} redirects")

    def _keep_rules(self, url: httpx.URL, host: _Host, batch: Batch) -> None:
        with batch.holding(host.robots_turn):
            origin = f"{url.scheme}://{url.host}:{port_of(url)}"
            rules = host.rules.get(origin)
            if rules is None or rules.stale_at < time.monotonic():
                rules = host.rules[origin] = robots.read_rules(
                    url, lambda at: self._robots_txt(at, batch), self._guard.check_url
                )
        if note := rules.note_for(url):
            raise Refused(note)
        if rules.delay_s:
            batch.pause(host.next_at - time.monotonic())
            host.next_at = time.monotonic() + rules.delay_s

    def _robots_txt(self, url: httpx.URL, batch: Batch) -> Answer:
        with batch.holding(batch.turns):
            return batch.request(self._guard, url, ROBOTS_S, ROBOTS_TXT)

    def _host(self, url: httpx.URL) -> _Host:
        at_once = MOST_AT_ONCE_ALLOWED if self._guard.allows(url.host, port_of(url)) else 1
        with self._lock:
            if len(self._hosts) >= MOST_HOSTS_KEPT:
                self._hosts.pop(next(iter(self._hosts)))
            return self._hosts.setdefault(url.host, _Host(at_once))


def _joined(url: httpx.URL, location: str) -> str:
    try:
        return str(url.join(location))
    except (httpx.InvalidURL, ValueError):
        raise Refused("it redirects to nowhere") from None
