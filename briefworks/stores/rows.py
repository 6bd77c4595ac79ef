"""What stores check and name in the same way, whatever they keep their rows in."""

from __future__ import annotations

import hashlib

from briefworks.errors import Hole
from briefworks.shapes import RESULT, TERMINAL
from briefworks.stream import Row


def check_append(rows: list[Row]) -> None:
    """`Hole` for rows that `append` may not write."""
    if any(event in RESULT | TERMINAL for event, _ in rows):
        raise Hole("A done row is written by `finish`, a terminal one by `finish` or `end_run`.")


def check_finish(rows: list[Row], ends_run: bool) -> None:
    """`Hole` unless the last of the rows, and only that, is a done row, which ends the run as it should."""
    ends = [(event, event in TERMINAL) for event, _ in rows if event in RESULT | TERMINAL]
    if not rows or ends != [(rows[-1][0], ends_run)]:
        raise Hole("The last row of a take, and only that, is its done row; polish-done ends the run.")


def snapshot_id(url: str, text: str) -> str:
    """The name of a page's text: the same for the same url and text."""
    return hashlib.sha256(f"{url}\0{text}".encode()).hexdigest()[:32]
