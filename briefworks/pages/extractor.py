"""The parent's side of the child that reads HTML: one process for a batch, replaced when it is killed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Self, cast

from briefworks.pages.guard import Refused
from briefworks.pages.plain import Extracted
from briefworks.settings import child_environment

START_S = 20.0
PAGE_S = 10.0
TOO_HEAVY = "too complex to read safely"
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONHOME")


class Extractor:
    """A context manager for one thread. Starting returns at once; the child loads its libraries meanwhile."""

    def __init__(self, page_s: float = PAGE_S) -> None:
        self._page_s = page_s
        self._ready = False
        self._child = _start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _end(self._child)

    @property
    def pid(self) -> int:
        """The child's process id; another one after a restart."""
        return self._child.pid

    def read(self, body: bytes, charset: str, deadline: float) -> Extracted:
        """
        See `read_html`; `charset` is what HTTP declared, `deadline` a `time.monotonic()` value.

        Raises `Refused` with a note; also when the page takes more time or memory than one page may.
        """
        left_s = deadline - time.monotonic()
        if not self._ready:
            self._ready = bool(self._exchange(None, min(START_S, left_s)))
        asked = json.dumps({"charset": charset, "body": base64.b64encode(body).decode()}).encode() + b"\n"
        line = self._exchange(asked, min(self._page_s, deadline - time.monotonic())) if self._ready else b""
        if not line:
            self._restart()
            raise Refused("no time was left for it" if time.monotonic() >= deadline else TOO_HEAVY)
        answer = json.loads(line)
        if "note" in answer:
            raise Refused(answer["note"])
        return cast(Extracted, answer)

    def _exchange(self, line: bytes | None, limit_s: float) -> bytes:
        """Send a line, if any, and wait for one; empty when the child died or had to be killed."""
        assert self._child.stdin and self._child.stdout
        watch = threading.Timer(max(0.0, limit_s), self._child.kill)
        watch.start()
        try:
            if line is not None:
                self._child.stdin.write(line)
                self._child.stdin.flush()
            answer = self._child.stdout.readline()
        except OSError:
            return b""
        finally:
            watch.cancel()
        return answer if answer.endswith(b"\n") else b""

    def _restart(self) -> None:
        _end(self._child)
        self._ready = False
        self._child = _start()


def _start() -> subprocess.Popen[bytes]:
    environment = child_environment()
    passed_on = {name: environment[name] for name in _PASSED_ON if name in environment}  # no key among them
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "briefworks.pages.extract_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**passed_on, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)},
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        try:
            if pipe:
                pipe.close()
        except OSError:
            pass  # what was still to be written is of no interest
