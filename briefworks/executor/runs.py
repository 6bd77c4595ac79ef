"""The living runs: what an event, an answer or a moment changes, each change one transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog

from briefworks.executor import machine, triggers, wire
from briefworks.executor.apps import read_function
from briefworks.executor.events import ended_events, invoked_event
from briefworks.executor.journal import Journal
from briefworks.executor.records import ENDED_EVENTS, Change, End, Event, Function, OpenStep, Run

log = structlog.get_logger("briefworks.executor")

DAY_S = 86400.0


class Runs:
    """
    Every change happens under `lock` and inside `transaction`; memory follows the journal, never leads it.

    `planned(before, run)` is called for each living run that was changed, after the journal has everything.
    """

    def __init__(
        self, journal: Journal, urls: Sequence[str], planned: Callable[[Run | None, Run], None]
    ) -> None:
        self.lock = threading.RLock()
        self.journal = journal
        self.living = {run.run_id: run for run in journal.living()}
        self.unsynced = set(urls)
        self.functions: dict[str, Function] = {}
        self.active: dict[str, Function] = {}
        self._planned = planned
        self._changed: dict[str, Run | None] = {}
        self.load_functions()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Runs change in memory, and requests become due, only when the journal has everything."""
        with self.lock:
            try:
                with self.journal.transaction():
                    yield
                changed = self._changed
            finally:
                self._changed = {}
            for run_id, run in changed.items():
                old = self.living.pop(run_id, None)
                if run is not None:
                    self.living[run_id] = run
                    self._planned(old, run)

    def get(self, run_id: str) -> Run | None:
        return self._changed[run_id] if run_id in self._changed else self.living.get(run_id)

    def _of_function(self, fn_id: str) -> list[Run]:
        runs = {**self.living, **self._changed}.values()
        return [run for run in runs if run is not None and run.fn_id == fn_id]

    def apply(self, run: Run, change: Change) -> None:
        """Write what happened to `run`, and pass on what follows from it for others."""
        self.journal.write(run, change, time.time())
        self._changed[run.run_id] = None if change.end else change.run
        if change.retry:
            log.info(
                "attempt failed", run_id=run.run_id, attempt=change.retry.attempt - 1,
                reason=change.reason[:200], next_in_s=round(change.retry.due_at - time.time(), 1),
            )  # fmt: skip
        for step in change.invokes:
            self._invoke(run.run_id, step)
        if change.end:
            self._ended(run, change.end, change.reason)

    def take_in(self, event: Event, *, ours: bool = False) -> None:
        """Wake waits, cancel runs, start runs, in this order: a run is not cancelled by what starts it."""
        waiting = bool(self.unsynced) or not self.functions
        wanted = self._wake(event) | self._cancel(event)
        wanted |= any(trigger.names(event.name) for fn in self.active.values() for trigger in fn.triggers)
        if wanted or waiting or not ours:  # our own events that nobody wants leave no trace
            self.journal.add_event(event, waiting=waiting)
            self.start_matching(event, list(self.active.values()))

    def _wake(self, event: Event) -> bool:
        waits = self.journal.waits_for(event.name)
        for run_id, step_id in waits:
            run = self.get(run_id)
            if run is not None and step_id in run.open:
                expression = str(run.open[step_id].opts.get("if") or "")
                if self._concerns(run, expression, event):
                    self.apply(run, machine.resolved(run, step_id, event.body, time.time()))
        return bool(waits)

    def _cancel(self, event: Event) -> bool:
        cancels = [
            (fn.fn_id, each)
            for fn in self.functions.values()
            for each in fn.cancels
            if each.event == event.name
        ]
        for fn_id, cancel in cancels:
            for run_id in [run.run_id for run in self._of_function(fn_id)]:
                run = self.get(run_id)  # anew: ending another run may have changed this one
                if run is None or (
                    cancel.timeout_s and event.received_at > run.created_at + cancel.timeout_s
                ):
                    continue
                if self._concerns(run, cancel.expression, event):
                    self.apply(run, machine.cancelled(run, f"by {event.name}"))
        return bool(cancels)

    def _concerns(self, run: Run, expression: str, event: Event) -> bool:
        if not expression:
            return True
        return triggers.matches(expression, self.event_of(run).content, event.content)

    def start_matching(self, event: Event, functions: Sequence[Function]) -> None:
        """Start a run of each of these functions that a trigger names, once per event."""
        for fn in functions:
            wanted = any(
                each.names(event.name) and triggers.matches(each.expression, event.content)
                for each in fn.triggers
            )
            if wanted and not self.journal.has_run(event.internal_id, fn.fn_id) and self._is_first(fn, event):
                self.start(fn, event)

    def _is_first(self, fn: Function, event: Event) -> bool:
        """Whether the function has not yet seen this event's id or idempotency key within 24 hours."""
        now = time.time()
        first = True
        if event.given_id:
            first = self.journal.once(f"id {fn.fn_id}", event.given_id, now + DAY_S, now)
        if first and fn.idempotency:
            with suppress(ValueError):  # an event without the key is nobody's duplicate
                key = repr(triggers.value(fn.idempotency, event.content))
                first = self.journal.once(f"key {fn.fn_id}", key, now + DAY_S, now)
        if not first:
            log.info("duplicate event, no run", function=fn.fn_id, event_id=event.internal_id)
        return first

    def start(
        self,
        fn: Function,
        event: Event,
        *,
        invoked_by: str = "",
        original: str = "",
        kept: Sequence[str] = (),
    ) -> str:
        """A new run and its first request; `kept` are steps of the `original` run whose results it has."""
        now = time.time()
        run = Run(
            run_id=wire.new_id(),
            fn_id=fn.fn_id,
            event_id=event.internal_id,
            created_at=now,
            pools=tuple(_pool_value(limit.key, event) for limit in fn.limits),
            invoked_by=invoked_by,
            start_by=None if fn.start_within_s is None else now + fn.start_within_s,
            finish_by=None if fn.finish_within_s is None else now + fn.finish_within_s,
            stack=tuple(kept),
            original_run_id=original,
        )
        run = machine.begun(run, now)
        self.journal.add_run(run)
        self.journal.keep_steps(run.run_id, original, kept)
        self._changed[run.run_id] = run
        log.info("run started", run_id=run.run_id, function=fn.fn_id)
        return run.run_id

    def _invoke(self, run_id: str, step: OpenStep) -> None:
        """Start the function that a step invokes; an unknown one is the step's error at once."""
        run = self.get(run_id)
        assert run is not None
        fn = self.active.get(str(step.opts.get("function_id")))
        if fn is None:
            message = f"could not find function with ID: {step.opts.get('function_id')}"
            memo = machine.error_memo({"error": message, "message": message, "name": "Error", "stack": ""})
            self.apply(run, machine.resolved(run, step.step_id, memo, time.time()))
            return
        event = invoked_event(run, self.functions[run.fn_id], step, fn.fn_id)
        self.journal.add_event(event, waiting=False)
        self.start(fn, event, invoked_by=f"{run.run_id}.{step.step_id}")

    def _ended(self, run: Run, end: End, reason: str) -> None:
        """Tell whoever invoked the run, and everybody else by the engine's own events."""
        log.info(
            "run ended", run_id=run.run_id, function=run.fn_id, status=end.status, reason=reason,
            after_s=round(time.time() - run.created_at, 2),
        )  # fmt: skip
        self._tell_caller(run, end)
        event = self.event_of(run)
        if event.name not in ENDED_EVENTS:  # else a function on these events could go on for ever
            for ours in ended_events(run, event, end):
                self.take_in(ours, ours=True)

    def _tell_caller(self, run: Run, end: End) -> None:
        caller_id, _, step_id = run.invoked_by.partition(".")
        caller = self.get(caller_id) if caller_id else None
        if caller is not None and step_id in caller.open:
            if end.status == "Completed":
                memo = f'{{"data":{end.output}}}'
            else:
                message = "The invoked function was cancelled."
                memo = machine.error_memo(
                    end.error or {"error": message, "message": message, "name": "Error"}
                )
            self.apply(caller, machine.resolved(caller, step_id, memo, time.time()))

    def load_functions(self) -> None:
        rows = self.journal.functions()
        self.functions = {
            row["fn_id"]: read_function(row["app_id"], wire.restore(row["said"])) for row in rows
        }
        self.active = {row["fn_id"]: self.functions[row["fn_id"]] for row in rows if row["active"]}

    def event_of(self, run: Run) -> Event:
        event = self.journal.event(run.event_id)
        assert event is not None
        return event


def _pool_value(key: str, event: Event) -> str:
    """What a concurrency key says of an event; "" without a key, or when the event lacks it."""
    if key:
        with suppress(ValueError):
            return str(triggers.value(key, event.content))
    return ""
