"""Runs and their steps as text for a terminal of any width."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from briefworks.cli.prose import plain_line
from briefworks.executor.file import Row
from briefworks.executor.history import Span

WIDE = 90
COLOURS = {"Completed": "green", "Failed": "red", "Cancelled": "yellow", "Running": "cyan"}
BARS = {"done": "█", "failed": "█", "open": "▒", "kept": " "}
WAITS = ("Sleep", "WaitForEvent", "InvokeFunction")
NARROW_NAME, WIDE_NAME = 18, 28
NEVER_SAID = "nothing"


def subject(row: Row) -> str:
    """The article that a run is about, if its event names one."""
    event = json.loads(row["event_body"])
    while isinstance(inner := event["data"].get("event"), dict) and isinstance(inner.get("data"), dict):
        event = inner  # the engine's own events carry the one that they are about
    ids = [event["data"].get("projectId"), event["data"].get("articleId")]
    return plain_line("/".join(str(each) for each in ids if each))


def took(seconds: float) -> str:
    """`42 ms`, `1.23 s`, `3:05 min`, `2:10 h`."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02} h"


def ran_for(row: Row) -> float:
    return float((time.time() if row["ended_at"] is None else row["ended_at"]) - row["created_at"])


def run_lines(row: Row, width: int) -> Iterator[str]:
    """A run in the list: one line in a wide terminal, two in a narrow one."""
    status = click.style(f"{row['status']:<9}", fg=COLOURS.get(row["status"]))
    counts = f"{row['steps']} {'step' if row['steps'] == 1 else 'steps'}"
    if row["failed_attempts"]:
        counts += f", {row['failed_attempts']} failed"
    first = f"{row['run_id']}  {status}  {took(ran_for(row)):>9}"
    about = subject(row) or plain_line(row["event_name"])
    if row["original_run_id"]:
        about = f"↻ {about}"
    about += f"  {plain_line(row['fn_id']).removeprefix(row['app_id'] + '-')}"
    if width >= WIDE:
        room = max(width - 70, 10)
        yield f"{first}  {counts:<18}  {fit(about, room)}".rstrip()
    else:
        yield f"{first}"
        yield click.style(f"  {fit(f'{counts}  {about}', width - 2)}", dim=True)


def timeline_lines(row: Row, spans: list[Span], width: int) -> Iterator[str]:
    """A run: what it is, then each step as a bar in the time that the run has taken."""
    status = click.style(row["status"], fg=COLOURS.get(row["status"]), bold=True)
    yield f"{plain_line(row['fn_id'])}  {status} {'after' if row['ended_at'] else 'for'} {took(ran_for(row))}"
    yield from _about(row, width)
    yield ""
    if not spans:
        yield "No step has begun."
    until = time.time() if row["ended_at"] is None else row["ended_at"]
    scale = _Scale(row["created_at"], until, spans, width)
    for span in spans:
        yield from _span_lines(span, scale, over=row["ended_at"] is not None)
    if row["status"] == "Failed":
        error = json.loads(row["error"] or "{}")
        yield ""
        said = f"{error.get('name') or 'Error'}: {error.get('message') or NEVER_SAID}"
        yield from _wrapped(said, width, "red")


def _about(row: Row, width: int) -> Iterator[str]:
    began = datetime.fromtimestamp(row["created_at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    yield f"  {row['run_id']}  {began}"
    about = ", ".join(filter(None, (subject(row), f"on {plain_line(row['event_name'])}")))
    yield "  " + fit(about, width - 2)
    if row["original_run_id"]:
        yield f"  once more, of {row['original_run_id']}"


class _Scale:
    """Where an instant is in the bar's columns."""

    def __init__(self, since: float, until: float, spans: list[Span], width: int) -> None:
        most = WIDE_NAME if width >= WIDE else NARROW_NAME
        self.name = min(max([len(_name(span)) for span in spans] or [0]), most)
        self.columns = max(width - self.name - 2 - 2 - 12, 10)
        self.width, self.since, self.until = width, since, until
        self._per_s = self.columns / max(until - since, 0.001)

    def at(self, instant: float) -> int:
        return min(max(int((instant - self.since) * self._per_s), 0), self.columns - 1)


def _name(span: Span) -> str:
    return plain_line(span.name) or "(between steps)"


def _span_lines(span: Span, scale: _Scale, *, over: bool) -> Iterator[str]:
    name = fit(_name(span), scale.name)
    duration, bar = "kept", ""
    if span.status != "kept":
        ended = scale.until if span.ended_at is None else span.ended_at
        duration = "not finished" if over and span.ended_at is None else took(ended - span.started_at)
        bar = _bar(span, scale, ended)
    colour = {"failed": "red", "open": "yellow"}.get(span.status, "green")
    dim = span.status == "kept"
    yield (
        click.style(f"{name:<{scale.name}}", dim=dim)
        + f"  {click.style(f'{bar:<{scale.columns}}', fg=colour)}  "
        + click.style(f"{duration:>12}", dim=dim)
    )
    if span.status == "open" and span.waits_for and not over:
        yield click.style(f"{'':<{scale.name}}  waits for {plain_line(span.waits_for)}", dim=True)
    for each in span.tries:
        yield from _wrapped(
            f"attempt {each.attempt + 1}: {each.error}", scale.width, "yellow", scale.name + 2
        )
    if span.error:
        yield from _wrapped(span.error, scale.width, "red", scale.name + 2)


def _bar(span: Span, scale: _Scale, ended: float) -> str:
    """The bar: `░` for attempts that failed, `·` for waiting, then what the step is."""
    signs = [" "] * scale.columns

    def fill(since: float, until: float, sign: str) -> None:
        first, last = scale.at(since), scale.at(until)
        signs[first : last + 1] = sign * (last - first + 1)

    fill(span.started_at, ended, "·")
    if span.op not in WAITS and not (span.status == "open" and span.tries):
        fill(span.last_started_at, ended, BARS[span.status])
    for each in span.tries:
        fill(each.started_at, each.ended_at, "░")
    return "".join(signs).rstrip()


def fit(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…"


def _wrapped(text: str, width: int, colour: str, indent: int = 2) -> Iterator[str]:
    """An error in at most six lines."""
    lines = textwrap.wrap(plain_line(text), max(width - indent, 20))
    for line in lines[:5] + (["…"] if len(lines) > 5 else []):
        yield " " * indent + click.style(line, fg=colour)


def run_json(row: Row) -> dict[str, Any]:
    """A run for programs; instants in seconds since 1970."""
    return {
        "run_id": row["run_id"],
        "function": row["fn_id"],
        "event": row["event_name"],
        "about": subject(row),
        "status": row["status"],
        "started_at": row["created_at"],
        "ended_at": row["ended_at"],
        "took_s": round(ran_for(row), 3),
        "steps": row["steps"],
        "failed_attempts": row["failed_attempts"],
        "original_run_id": row["original_run_id"] or None,
    }
