"""What every test of processes needs: a condition waited for, a port that nobody has."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

# Below those that a system gives to whoever asks for any: nobody comes to one by chance, also not while
# the process that has it is killed and started again. Each worker begins elsewhere, and uses none twice.
PORTS = range(12_000, 32_000)
_turns = itertools.count(101 * os.getpid())


def wait_for(condition: Callable[[], Any], timeout_s: float = 60.0, what: str = "") -> Any:
    """The first true answer of `condition`, asked every 5 ms."""
    until = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < until, f"waited {timeout_s} s for {what or condition}"
        time.sleep(0.005)
    return found


def free_port() -> int:
    """A port of loopback on which nothing listens."""
    while True:
        port = PORTS[next(_turns) % len(PORTS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
