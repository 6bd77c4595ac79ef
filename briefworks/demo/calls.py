"""The log of every request: in memory for tests, as JSON lines for whoever looks after a crash."""

from __future__ import annotations

import json
import threading
from collections import deque
from pathlib import Path
from typing import Literal, TypedDict

from briefworks.text import now_at

MOST_CALLS = 10_000
Ended = Literal["open", "ok", "cut", "aborted", "error"]


class Call(TypedDict):
    """
    One request. Never a header: keys travel there.

    `ended`: "ok" answered in full, "error" answered with an HTTP error, "cut" broken off by a fault,
    "aborted" broken off by the client, "open" until then. `tokens` is what was sent of the answer's text.
    """

    n: int
    kind: str  # model, models, count, search, page, robots, other
    at: str
    path: str
    prompt_sha: str  # of model, system, messages and schema; "" unless kind is model
    system_head: str
    task_head: str
    tokens: int
    fault: str
    ended: Ended
    ended_at: str | None


class CallLog:
    """Thread-safe. In the file each call stands twice: when it begins, flushed at once, and when it ends."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=MOST_CALLS)
        self._n = _last_number(path)
        self._file = path.open("a", encoding="utf-8") if path else None

    def begin(
        self, kind: str, path: str, prompt_sha: str = "", system_head: str = "", task_head: str = ""
    ) -> Call:
        with self._lock:
            self._n += 1
            call: Call = {
                "n": self._n,
                "kind": kind,
                "at": now_at(),
                "path": path,
                "prompt_sha": prompt_sha,
                "system_head": system_head,
                "task_head": task_head,
                "tokens": 0,
                "fault": "",
                "ended": "open",
                "ended_at": None,
            }
            self._calls.append(call)
            self._write(call)
            return call

    def end(self, call: Call, ended: Ended) -> None:
        """The first ending stays. Ended before the last byte is sent, no client is ahead of the log."""
        with self._lock:
            if call["ended"] == "open":
                call["ended"], call["ended_at"] = ended, now_at()
                self._write(call)

    def calls(self, kind: str | None = None) -> list[Call]:
        """Copies, oldest first."""
        with self._lock:
            return [call.copy() for call in self._calls if kind in (None, call["kind"])]

    def clear(self) -> None:
        """Forget what is in memory; the file and the numbering go on."""
        with self._lock:
            self._calls.clear()

    def close(self) -> None:
        with self._lock:
            if self._file:
                self._file.close()
                self._file = None

    def _write(self, call: Call) -> None:
        if self._file:
            self._file.write(json.dumps(call) + "\n")
            self._file.flush()


def _last_number(path: Path | None) -> int:
    """Of an earlier process's log: a number must not name two calls."""
    last = 0
    if path and path.exists():
        for line in path.read_text("utf-8", "replace").splitlines():
            try:
                last = max(last, int(json.loads(line)["n"]))
            except (ValueError, KeyError, TypeError):
                continue  # a line that a crash cut short
    return last
