"""How a test says that something ends: with room for a machine that pauses, and none for what hangs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

ROOM_S = 20.0
HELD_S = 60.0  # how long a trick of a test holds whoever waits for it by mistake; no test waits for that

Made = TypeVar("Made")


@contextmanager
def in_time(more_than_s: float = 0.0) -> Iterator[None]:
    """What is done inside takes this or a moment more when it is right, and far longer when it hangs."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert more_than_s < took < ROOM_S, f"took {took:.1f} s"


def quickly(limit_s: float, do: Callable[[], Made], clock: Callable[[], float] = time.process_time) -> Made:
    """
    What `do` returns, which in one of three turns takes `limit_s` of the processor at the most.

    The limit lies several times above what is usual, and far below what a square of the length would take.
    """
    took = []
    while True:
        began = clock()
        made = do()
        took.append(clock() - began)
        if took[-1] < limit_s:
            return made
        assert len(took) < 3, f"took {took} s, each more than {limit_s}"
