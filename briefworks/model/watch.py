"""Looks after one call of the model while its caller waits: says that it thinks, and ends it in time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import httpx2

from briefworks.errors import ModelUnavailable

SILENCE_S = 5.0  # between two words that the model is still at work


class Watch:
    """
    A thread beside one call, used as a context manager.

    Every `silence_s` seconds without a visible word it calls `thinking` with the milliseconds since the last
    one (or since the call began). When that raises (the take is over), or at `deadline` (monotonic), it shuts
    down the connection under the answer, so that even a silent server cannot hold the caller; `check` then
    says why. All methods may be called from any thread.
    """

    def __init__(
        self, thinking: Callable[[int], None], deadline: float, silence_s: float = SILENCE_S
    ) -> None:
        self._thinking, self._deadline, self._silence_s = thinking, deadline, silence_s
        self._state = threading.Condition()  # guards all that follows
        self._quiet_since = self._said_at = time.monotonic()
        self._socket: socket.socket | None = None
        self._error: BaseException | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="watch model call", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._state:
            self._ended = True
            self._socket = None
            self._state.notify_all()
        self._thread.join()

    @property
    def left_s(self) -> float:
        return self._deadline - time.monotonic()

    def visible(self) -> None:
        """A word has been heard."""
        with self._state:
            self._quiet_since = self._said_at = time.monotonic()

    def thinks(self) -> None:
        """The model begins to think: said at once."""
        with self._state:
            self._say()

    def attend(self, response: httpx2.Response) -> None:
        """Watch over this answer."""
        with self._state:
            self._socket = response.extensions["network_stream"].get_extra_info("socket")
        self.check()

    def let_go(self) -> None:
        """The answer is complete: its connection is no longer ours."""
        with self._state:
            self._socket = None

    def check(self) -> None:
        """Raise what `thinking` raised, or `ModelUnavailable` when the time is over."""
        with self._state:
            if self._error is not None:
                raise self._error
        if self.left_s <= 0:
            raise ModelUnavailable("The model gave no answer within the step limit.")

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond what `check` raises."""
        with self._state:
            self._state.wait_for(lambda: self._error is not None, min(seconds, max(0.0, self.left_s)))
        self.check()

    def _say(self) -> None:
        self._said_at = time.monotonic()
        self._thinking(round((self._said_at - self._quiet_since) * 1000))

    def _run(self) -> None:
        with self._state:
            while not self._ended:
                now = time.monotonic()
                if now >= self._deadline:
                    self._shut()
                    return
                if now >= self._said_at + self._silence_s:
                    try:
                        self._say()
                    except BaseException as error:  # whatever it is, the caller raises it
                        self._error = error
                        self._shut()
                        self._state.notify_all()
                        return
                until = min(self._deadline, self._said_at + self._silence_s)
                self._state.wait(max(0.0, until - time.monotonic()))

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # TLS or not: the bare connection
