"""The parent's side of the child that reads HTML: one process for a batch, replaced when it is killed."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Self, cast

from briefworks.pages.guard import NO_TIME, Refused
from briefworks.pages.plain import Extracted
from briefworks.settings import child_environment

START_S = 20.0
PAGE_S = 10.0
TOO_HEAVY = "too complex to read safely"
NO_READER = "the process that reads pages does not start"
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONHOME")


class Extractor:
    """A context manager for one thread. The child is started for the first page that needs it."""

    def __init__(self, page_s: float = PAGE_S) -> None:
        self._page_s = page_s
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def pid(self) -> int | None:
        """The child's process id; None before the first page, and after one that cost it its life."""
        return self._child.pid if self._child else None

    def read(self, body: bytes, charset: str, deadline: float) -> Extracted:
        """
        See `read_html`; `charset` is what HTTP declared, `deadline` a `time.monotonic()` value.

        Raises `Refused` with a note; also when the page takes more time or memory than one page may.
        """
        asked = json.dumps({"charset": charset, "body": base64.b64encode(body).decode()}).encode() + b"\n"
        if not (self._child or self._start(min(START_S, deadline - time.monotonic()))):
            self._end()
            raise Refused(NO_TIME if time.monotonic() >= deadline else NO_READER)
        line = self._exchange(asked, min(self._page_s, deadline - time.monotonic()))
        if not line:
            self._end()
            raise Refused(NO_TIME if time.monotonic() >= deadline else TOO_HEAVY)
        answer = json.loads(line)
        if "note" in answer:
            raise Refused(answer["note"])
        return cast(Extracted, answer)

    def _start(self, limit_s: float) -> bool:
        environment = child_environment()
        harmless = {name: environment[name] for name in _PASSED_ON if name in environment}  # above all no key
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "briefworks.pages.extract_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**harmless, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)},
        )
        return bool(self._exchange(b"", limit_s))  # it says when it is ready

    def _exchange(self, line: bytes, limit_s: float) -> bytes:
        """Send this and wait for a line; empty when the child died or had to be killed."""
        assert self._child and self._child.stdin and self._child.stdout
        watch = threading.Timer(max(0.0, limit_s), self._child.kill)
        watch.start()
        try:
            self._child.stdin.write(line)
            self._child.stdin.flush()
            answer = self._child.stdout.readline()
        except OSError:
            return b""
        finally:
            watch.cancel()
        return answer if answer.endswith(b"\n") else b""

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):  # what was still to be written is of no interest
                if pipe:
                    pipe.close()
