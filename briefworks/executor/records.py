"""What the executor keeps: functions, events, runs, their jobs and open steps. All of it immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DISCOVERY = "step"  # the step id of a request that asks the function what comes next
ENDED_EVENTS = ("inngest/function.failed", "inngest/function.cancelled", "inngest/function.finished")
INVOKED_EVENT = "inngest/function.invoked"
ELSEWHERE = "the Inngest dev server (npx inngest-cli dev) and Inngest Cloud have it."  # what we leave out


@dataclass(frozen=True)
class Trigger:
    """An event name (`shop/*` means every name that begins with `shop/`) and a CEL expression or ""."""

    event: str
    expression: str = ""

    def names(self, event_name: str) -> bool:
        if self.event.endswith("*"):
            return event_name.startswith(self.event[:-1])
        return event_name == self.event


@dataclass(frozen=True)
class Cancel:
    """A run ends when `event` comes, the expression holds, and no more than `timeout_s` have passed."""

    event: str
    expression: str = ""
    timeout_s: float | None = None


@dataclass(frozen=True)
class Limit:
    """At most `limit` requests at once per value of the expression `key`; scope `fn`, `env` or `account`."""

    limit: int
    key: str = ""
    scope: str = "fn"


@dataclass(frozen=True)
class Function:
    """A registered function; `fn_id` is `<app>-<function>`, `url` where its requests go."""

    fn_id: str
    app_id: str
    name: str
    url: str
    triggers: tuple[Trigger, ...]
    max_attempts: int
    cancels: tuple[Cancel, ...] = ()
    limits: tuple[Limit, ...] = ()
    idempotency: str = ""
    start_within_s: float | None = None
    finish_within_s: float | None = None


@dataclass(frozen=True)
class Event:
    """
    An event that was received; `internal_id` is ours, `given_id` the sender's or "".

    `content` is the event as functions see it (`data`, `id`, `name`, `ts`, `user`), `body` that as
    canonical JSON.
    """

    internal_id: str
    name: str
    content: Mapping[str, Any]
    body: str
    received_at: float
    given_id: str = ""


@dataclass(frozen=True)
class Job:
    """One request that is due or under way; its id stays over retries, `generation` counts its sendings."""

    job_id: str
    run_id: str
    due_at: float
    step_id: str = DISCOVERY
    attempt: int = 0
    generation: int = 1


@dataclass(frozen=True)
class OpenStep:
    """A step without a result yet: planned, asleep, or waiting. `due_at` is when time alone resolves it."""

    step_id: str
    name: str
    op: str
    opts: Mapping[str, Any] = field(default_factory=dict)
    due_at: float | None = None
    waits_for: str = ""
    race: bool = False


@dataclass(frozen=True)
class Run:
    """
    A living run. `version` is -1 until the app has reported a step; `stack` lists finished steps in order.

    `fanned_out` holds from an answer with several steps until all of them are resolved; `pools` are the
    values of the function's concurrency keys; `invoked_by` is `<run>.<step>` of the one that waits for us;
    `original_run_id` is the run that this one replays, or "".
    """

    run_id: str
    fn_id: str
    event_id: str
    created_at: float
    version: int = -1
    fanned_out: bool = False
    stack: tuple[str, ...] = ()
    jobs: Mapping[str, Job] = field(default_factory=dict)
    open: Mapping[str, OpenStep] = field(default_factory=dict)
    pools: tuple[str, ...] = ()
    invoked_by: str = ""
    start_by: float | None = None
    finish_by: float | None = None
    original_run_id: str = ""


@dataclass(frozen=True)
class Closed:
    """A step and its memo, as canonical JSON."""

    step_id: str
    name: str
    op: str
    memo: str
    attempts: int = 1


@dataclass(frozen=True)
class End:
    """
    How a run ended: `Completed`, `Failed` or `Cancelled`.

    `output` is what the function returned or, of a failure, the error as the app worded it; `error` is the
    error as `inngest/function.failed` carries it.
    """

    status: str
    output: str = "null"
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Attempt:
    """A try that failed and is made again: of a step, or of nobody knows which (`step`, and no name)."""

    step_id: str
    name: str
    attempt: int
    error: str


@dataclass(frozen=True)
class Change:
    """
    What one answer or one moment does to a run: the run from now on, and what has to be written.

    `sent_at` is when the request was sent whose answer this is, `failed` what is tried again by `retry`.
    """

    run: Run
    closed: tuple[Closed, ...] = ()
    invokes: tuple[OpenStep, ...] = ()
    end: End | None = None
    retry: Job | None = None
    failed: Attempt | None = None
    sent_at: float | None = None
    reason: str = ""
