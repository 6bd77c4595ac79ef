"""The processes behind `demo` and `dev`: started in order, started again when one dies, ended with us."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from briefworks.errors import ConfigError

START_S = 30.0
PAUSES_S = (0.2, 1.0, 2.0, 5.0)


class Supervised:
    """
    One child process that says `{"url": …}` on its first line of output when it listens.

    `args` are those of `python -m`; a function is asked anew at every start. Logs go to `log`.
    """

    def __init__(
        self, name: str, args: Callable[[], Sequence[str]], environment: dict[str, str], log: Path
    ) -> None:
        self.name, self.args, self.environment, self.log = name, args, environment, log
        self.url = ""
        self.restarts = 0
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> str:
        """Start it and see to it from now on; its url. `ConfigError` with the log's end when it cannot."""
        self._launch()
        threading.Thread(target=self._look_after, name=f"{self.name}-keeper", daemon=True).start()
        return self.url

    def stop(self) -> None:
        """End it: asked first, killed after 3 s."""
        self._stopping.set()
        if (process := self._process) is not None:
            process.terminate()
            try:
                process.wait(3.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _launch(self) -> None:
        with self.log.open("ab") as log:
            told = log.tell()  # what an earlier start said is no reason of this one
            self._process = subprocess.Popen(  # noqa: S603 – our own interpreter and modules
                [sys.executable, "-m", "briefworks.cli.child", *self.args()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.environment,
                start_new_session=True,  # Ctrl-C in the terminal is ours to answer
            )
        process = self._process
        assert process.stdout is not None
        guard = threading.Timer(START_S, process.kill)
        guard.start()
        line = process.stdout.readline()
        guard.cancel()
        try:
            self.url = json.loads(line)["url"]
        except (ValueError, KeyError, TypeError):
            process.kill()
            process.wait()
            raise ConfigError(
                f"The {self.name} did not start: {_tail(self.log, told)}", hint=f"More in {self.log}."
            ) from None

    def _look_after(self) -> None:
        while not self._stopping.is_set():
            assert self._process is not None and self._process.stdout is not None
            with self._process.stdout as rest:  # drained, so that it never blocks the child
                while rest.read(4096):
                    pass
            self._process.wait()
            while not self._stopping.is_set():
                self.restarts += 1
                self._stopping.wait(PAUSES_S[min(self.restarts, len(PAUSES_S)) - 1])
                if self._stopping.is_set():
                    return
                try:
                    self._launch()
                    break
                except ConfigError:
                    continue


def free_port(wanted: int) -> int:
    """`wanted` if nothing listens there on loopback, else the next one that is free."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ConfigError(f"No free port from {wanted} to {wanted + 99}.")


def wait_until(ready: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Ask every 50 ms; `ConfigError` when it is not so within `timeout_s`."""
    until = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > until:
            raise ConfigError(f"{what} within {timeout_s:.0f} s.")
        time.sleep(0.05)


def _tail(log: Path, after: int) -> str:
    try:
        lines = log.read_bytes()[after:].decode(errors="replace").strip().splitlines()
    except OSError:
        return "no log"
    said = [line for line in lines if line.startswith("Error: ")] or lines or ["it said nothing"]
    return said[-1].removeprefix("Error: ")[:300]
