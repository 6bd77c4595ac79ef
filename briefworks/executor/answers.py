"""What the app answered to a request, read and judged; nothing it sends can surprise the machine behind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from briefworks.executor import wire

MAX_ANSWER_BYTES = 32 * 1024 * 1024
MAX_STEP_BYTES = 4 * 1024 * 1024
RETRY_AFTER_S = (1.0, 86400.0)


@dataclass(frozen=True)
class Op:
    """One step that the function reports; `memo` is its result as canonical JSON, for those that have one."""

    step_id: str
    op: str
    name: str
    label: str
    opts: Mapping[str, Any] = field(default_factory=dict)
    memo: str = ""
    error: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """The function returned `output` (canonical JSON)."""

    output: str
    version: int | None = None


@dataclass(frozen=True)
class Steps:
    """The function reports steps; the two hints count for those that failed."""

    ops: tuple[Op, ...]
    version: int | None = None
    no_retry: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Failed:
    """
    The request failed outside any step.

    `result` is the error as the app worded it (`name`, `message`, `stack`, `code`), `word` what the engine
    itself says about it.
    """

    result: Mapping[str, Any]
    word: str
    no_retry: bool = False
    retry_after_s: float | None = None


Answer = Finished | Steps | Failed


def failed(message: str, *, no_retry: bool = False, name: str = "Error") -> Failed:
    """A failure that the engine words itself."""
    return Failed({"name": name, "message": message, "stack": ""}, message, no_retry)


def read(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Answer:
    """The answer in a response; `headers` are looked up in lower case, `now` is seconds since 1970."""
    success = 200 <= status < 300
    version = _version(headers)
    try:
        if len(body) > MAX_ANSWER_BYTES:
            raise Hopeless(f"The app answered more than {MAX_ANSWER_BYTES // 2**20} MiB.")
        if success and "x-inngest-sdk" not in headers:
            raise ValueError(f"The answer ({status}) has no x-inngest-sdk header: no Inngest SDK wrote it.")
        value = _decoded(body, strict=success)
        if status == 201 and isinstance(value, dict) and "status" in value:
            return _unwrapped(value, now)
        hints = (headers.get("x-inngest-no-retry", "").lower() == "true", _retry_after(headers, now))
        if not success:
            return _failure(status, value, *hints)
        return (
            Steps(_ops(value), version, *hints) if status == 206 else Finished(wire.canonical(value), version)
        )
    except ValueError as error:
        return failed(str(error), no_retry=isinstance(error, Hopeless))


class Hopeless(ValueError):
    """An answer that would be the same the next time."""


def _decoded(body: bytes, *, strict: bool) -> Any:
    try:
        return wire.decode(body)
    except ValueError as error:
        if strict:
            raise ValueError(f"The app's answer is not JSON: {error}") from None
        return None


def _unwrapped(value: Mapping[str, Any], now: float) -> Answer:
    """The answer inside a 201: apps that stream say their status and headers at the end."""
    status, headers, body = value["status"], value.get("headers") or {}, value.get("body")
    if not isinstance(status, int) or status == 201 or not isinstance(headers, dict):
        raise ValueError("The app's streamed answer is malformed.")
    text = body if isinstance(body, str) else wire.canonical(body)
    plain = {str(key).lower(): str(item) for key, item in headers.items()}
    return read(status, {"x-inngest-sdk": "streamed", **plain}, text.encode(), now)


def _failure(status: int, value: Any, no_retry: bool, retry_after_s: float | None) -> Failed:
    word = "NonRetriableError" if no_retry else f"invalid status code: {status}"
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        result = {"name": "Error", "stack": "", **value}
    else:
        result = {"name": "Error", "message": f"The app answered with status {status}.", "stack": ""}
    return Failed(result, word, no_retry, retry_after_s)


def _version(headers: Mapping[str, str]) -> int | None:
    text = headers.get("x-inngest-req-version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, from an instant or a number, between 1 s and a day; None without such a hint."""
    text = headers.get("retry-after", "").strip()
    try:
        wait_s = float(text)
    except ValueError:
        try:
            wait_s = wire.instant(text) - now
        except (ValueError, OverflowError):
            return None
    return None if math.isnan(wait_s) else min(max(wait_s, RETRY_AFTER_S[0]), RETRY_AFTER_S[1])


def _ops(value: Any) -> tuple[Op, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("The app answered 206 without a list of steps.")
    ops = tuple(_op(each) for each in value)
    for op in ops:
        if len(op.memo) > MAX_STEP_BYTES:
            raise Hopeless(f"The output of step {op.label!r} is larger than {MAX_STEP_BYTES // 2**20} MiB.")
    return ops


def _op(value: Any) -> Op:
    if not isinstance(value, dict):
        raise ValueError("The app reported a step that is not an object.")
    step_id, op = value.get("id"), value.get("op")
    if not (isinstance(step_id, str) and step_id and isinstance(op, str)):
        raise ValueError("The app reported a step without id or op.")
    name = value.get("name") if isinstance(value.get("name"), str) else ""
    label = value.get("displayName") if isinstance(value.get("displayName"), str) else name
    opts, error = value.get("opts"), value.get("error")
    memo = ""
    if op in ("StepRun", "Step"):
        memo = f'{{"data":{wire.canonical(value.get("data"))}}}'
    return Op(
        step_id=step_id,
        op=op,
        name=name or "",
        label=label or step_id,
        opts=opts if isinstance(opts, dict) else {},
        memo=memo,
        error={"name": "Error", "message": "", "stack": ""} | (error if isinstance(error, dict) else {}),
    )
