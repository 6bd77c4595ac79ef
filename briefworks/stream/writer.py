"""The writer of one take of one step: rows now and in batches, the result last, or nothing."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self, cast

from briefworks.errors import BriefworksError, StoreUnavailable
from briefworks.shapes import Event, Phase
from briefworks.stream.store import Row, Store
from briefworks.text import clean, clean_json

_ROW_CHARS = 100  # what a row without text counts against `max_waiting_chars`
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0


class StepWriter:
    """
    Rows of one take; implements `shapes.StepOutput`.

    `token`, `progress` and `thinking` never wait for the store: a background thread writes, the first row
    at once, then what has gathered `flush_ms` milliseconds after the store's last answer or when `max_chars`
    characters wait. What the thread meets (`StaleTake`, `RunOver`, a store away for longer than `give_up_s`)
    is raised by the next call; more than `max_waiting_chars` characters that wait raise `StoreUnavailable`.
    After `until` (monotonic) the store is not waited for at all.

    As a context manager it abandons the take unless `done` was called.
    """

    def __init__(
        self,
        store: Store,
        project_id: str,
        article_id: str,
        step: str,
        take: int,
        phase: Phase,
        *,
        flush_ms: int = 100,
        max_chars: int = 2000,
        max_waiting_chars: int = 64_000,
        give_up_s: float = 90.0,
        until: float = math.inf,
    ) -> None:
        self._store, self._take = store, (project_id, article_id, step, take)
        self._token_event = cast(Event, f"{phase}-token")
        self._flush_s, self._max_chars = flush_ms / 1000, max_chars
        self._max_waiting_chars, self._give_up_s, self._until = max_waiting_chars, give_up_s, until
        self._thread = threading.Thread(target=self._write, name=f"stream {step}", daemon=True)
        self._state = threading.Condition()  # guards all that follows
        self._waiting: list[Row] = []
        self._waiting_chars = 0
        self._leaving_chars = 0  # of the batch that the store is being given
        self._half = ""  # first half of a surrogate pair whose second half has not come
        self._half_paragraph: int | None = None
        self._next_idx = 0  # within the take, of the first row that the store has not confirmed
        self._ending: Literal["", "done", "abandoned"] = ""
        self._error: BaseException | None = None

    def token(self, text: str, paragraph: int | None = None) -> None:
        with self._state:
            self._check()
            if self._half and paragraph != self._half_paragraph:
                self._end_half()
            text = (self._half + text).replace("\x00", "")
            self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
            self._half_paragraph = paragraph
            self._add_token(clean(text[: len(text) - len(self._half)]), paragraph)

    def progress(
        self, stage: Literal["serp", "pages", "entities"], done: int, of: int, note: str = ""
    ) -> None:
        note = clean(note)
        self._add_row("research-progress", {"stage": stage, "done": done, "of": of, "note": note}, len(note))

    def thinking(self, since_ms: int) -> None:
        self._add_row("thinking", {"since_ms": since_ms}, 0)

    def done(self, event: Event, result: dict[str, Any], ends_run: bool = False) -> None:
        """
        Store the result as the done row, together with the rows that still wait, all or nothing.

        Waits while the store is away, at most `give_up_s` seconds. May be called again after an error of
        the store's absence.
        """
        self._stop("done")
        with self._state:
            if self._error is not None:
                raise self._error
            rows = [*self._waiting, (event, clean_json(result))]
        self._insist(lambda: self._store.finish(*self._take, self._next_idx, rows, ends_run))

    def abandon(self) -> None:
        """Write what waits if the store takes it at once, and stop; nothing is raised."""
        self._stop("abandoned")
        if self._error is None and self._waiting:
            with suppress(BriefworksError):
                self._store.append(*self._take, self._next_idx, self._waiting)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None or self._ending != "done":
            self.abandon()

    # --- the caller's side; the condition is held
    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._ending:
            raise RuntimeError("This take is written to its end.")

    def _add_token(self, text: str, paragraph: int | None) -> None:
        if not text:
            return
        event, data = self._waiting[-1] if self._waiting else ("thinking", {})
        joins = event == self._token_event and data.get("paragraph") == paragraph
        if joins and len(data["text"]) + len(text) <= self._max_chars:
            self._gather(len(text))
            data["text"] += text
            return
        data = {"text": text} if paragraph is None else {"text": text, "paragraph": paragraph}
        self._gather(len(text), (self._token_event, data))

    def _add_row(self, event: Event, data: dict[str, Any], chars: int) -> None:
        with self._state:
            self._check()
            self._end_half()
            self._gather(chars + _ROW_CHARS, (event, data))

    def _end_half(self) -> None:
        """What came after half a pair was not its other half."""
        half, self._half = self._half, ""
        self._add_token(clean(half), self._half_paragraph)

    def _gather(self, chars: int, row: Row | None = None) -> None:
        """Count characters that will wait, and wake the thread when it has something to do."""
        if self._waiting_chars + self._leaving_chars + chars > self._max_waiting_chars:
            raise StoreUnavailable("The stream store does not keep up: too much text waits for it.")
        idle = not self._waiting
        self._waiting_chars += chars
        if row is not None:
            self._waiting.append(row)
        if self._thread.ident is None and not self._ending:
            self._thread.start()
        elif idle or self._waiting_chars >= self._max_chars:
            self._state.notify_all()

    def _stop(self, ending: Literal["done", "abandoned"]) -> None:
        """End the thread; a batch on its way is waited for."""
        with self._state:
            self._ending = ending
            self._state.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    # --- the thread's side
    def _write(self) -> None:
        try:
            flushed_at = 0.0
            while rows := self._next_batch(flushed_at + self._flush_s):
                self._append(rows)
                flushed_at = time.monotonic()
        except BaseException as error:  # whatever it is, the next call says it
            with self._state:
                self._error = error

    def _next_batch(self, not_before: float) -> list[Row]:
        """Wait for rows, then for more of them until the instant or the size; none when all ends."""
        with self._state:
            self._state.wait_for(lambda: self._waiting or self._ending)
            self._state.wait_for(
                lambda: self._ending or self._waiting_chars >= self._max_chars,
                max(0.0, not_before - time.monotonic()),
            )
            if self._ending:
                return []  # whoever ends it writes the rest
            rows, self._waiting = self._waiting, []
            self._leaving_chars, self._waiting_chars = self._waiting_chars, 0
            return rows

    def _append(self, rows: list[Row]) -> None:
        self._insist(lambda: self._store.append(*self._take, self._next_idx, rows))
        with self._state:
            self._next_idx += len(rows)
            self._leaving_chars = 0

    def _insist(self, call: Callable[[], object]) -> None:
        """Call until the store is there, for `give_up_s` seconds or until the take is abandoned."""
        until, pause_s = min(time.monotonic() + self._give_up_s, self._until), _FIRST_PAUSE_S
        while True:
            try:
                call()
                return
            except StoreUnavailable:
                left_s = until - time.monotonic()
                if left_s <= 0 or self._ending == "abandoned":
                    raise
            with self._state:
                self._state.wait_for(lambda: self._ending == "abandoned", min(pause_s, left_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
