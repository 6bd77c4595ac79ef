"""JSON as the protocol wants it, ids, durations, and the request that the app gets."""

from __future__ import annotations

import base64
import json
import math
import re
import secrets
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import rfc8785
from ulid import ULID

from briefworks.executor.records import DISCOVERY, Function, Job, Run

MAX_DEPTH = 200
MAX_REQUEST_BYTES = 4 * 1024 * 1024
SAFE_INTEGER = 2**53 - 1
MAX_WAIT_S = 3653 * 86400.0
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_ACCOUNT = "00000000-0000-4000-a000-000000000000"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def decode(raw: bytes | str) -> Any:
    """
    Read JSON as the real server does: numbers are doubles, half a surrogate pair becomes U+FFFD.

    Raises `ValueError` with a sentence for anything that is not JSON, for NaN and infinity, and for more than
    200 levels.
    """
    try:
        return _sound(json.loads(raw, parse_constant=_refuse), MAX_DEPTH)
    except RecursionError:
        raise ValueError(f"JSON may be nested {MAX_DEPTH} levels deep.") from None


def restore(text: str) -> Any:
    """Read canonical JSON of our own, which may hold what came from outside a few levels deeper."""
    return _sound(json.loads(text), 2 * MAX_DEPTH)


def canonical(value: Any) -> str:
    """The canonical JSON (RFC 8785) of what `decode` gave."""
    return rfc8785.dumps(value).decode()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON.")


def _sound(value: Any, levels: int) -> Any:
    if levels < 0:
        raise ValueError(f"JSON may be nested {MAX_DEPTH} levels deep.")
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, dict):
        return {_whole(key): _sound(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_sound(item, levels - 1) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > SAFE_INTEGER:
        try:
            value = float(value)
        except OverflowError:
            raise ValueError("A number is too large.") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("A number is too large.")
    return value


def _whole(text: str) -> str:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def new_id() -> str:
    """A new ULID for a run, an event or a request."""
    return str(ULID())


def seeded_ids(seed: str, count: int) -> list[str]:
    """
    Ids for the events of one request; the same `x-inngest-event-id-seed` gives the same ids again.

    The seed is `<milliseconds>,<10 bytes in base64>`; anything else gives fresh ids.
    """
    millis, _, entropy = seed.partition(",")
    try:
        number = int.from_bytes(base64.b64decode(entropy, validate=True))
        stamp = int(millis)
        return [str(ULID(stamp.to_bytes(6) + (number + n).to_bytes(10))) for n in range(1, count + 1)]
    except (ValueError, OverflowError):
        return [new_id() for _ in range(count)]


def new_job_id() -> str:
    """Base 36, as the real server's."""
    number, text = secrets.randbits(64), ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


@lru_cache(maxsize=1024)
def uuid_of(name: str) -> str:
    """The lasting UUID of an app or a function."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"briefworks:{name}"))


def duration_s(text: str) -> float:
    """Seconds in `30s`, `5m`, `1h30m`, `2d`, `1w`; `ValueError` for anything else."""
    if not text or _DURATION.sub("", text):
        raise ValueError(f"{text[:50]!r} is not a duration; say it like 30s, 5m, 2h or 1d.")
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in _DURATION.findall(text))
    if seconds > MAX_WAIT_S:
        raise ValueError("A wait may take ten years.")
    return seconds


def instant(text: str) -> float:
    """Seconds since 1970 of an ISO-8601 instant; `ValueError` for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:50]!r} is not an instant; say it like 2026-01-31T12:00:00Z.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def iso(seconds: float) -> str:
    """The instant as the REST answers write it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def request_url(function: Function, job: Job) -> str:
    """The registered URL with the step that is asked for."""
    parts = urlsplit(function.url)
    query = {**dict(parse_qsl(parts.query)), "fnId": function.fn_id, "stepId": job.step_id}
    return urlunsplit(parts._replace(query=urlencode(query)))


def request_headers(run: Run, job: Job, request_id: str) -> dict[str, str]:
    """What the real server sends; `Connection: close` because it uses one connection per request."""
    return {
        "User-Agent": "Inngest",
        "Connection": "close",
        "Account-Id": _ACCOUNT,
        "Content-Type": "application/json",
        "Traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
        "X-Inngest-Generation-Id": str(job.generation),
        "X-Inngest-Job-Id": job.job_id,
        "X-Inngest-Req-Version": str(run.version),
        "X-Inngest-Step-Id": job.step_id,
        "X-Request-Id": request_id,
        "X-Run-Id": run.run_id,
        "Accept-Encoding": "gzip",
    }


def request_body(
    function: Function, run: Run, job: Job, request_id: str, event: str, steps: Mapping[str, str]
) -> bytes:
    """
    The canonical JSON of one request; `event` and the memos in `steps` are canonical already.

    Several steps under way mean that a discovery must not execute what it finds, only plan it. A body that
    would be larger than `MAX_REQUEST_BYTES` says `use_api` and carries neither events nor memos: the SDK
    fetches them from `/v0/runs/<id>`.
    """
    ctx = {
        "attempt": job.attempt,
        "disable_immediate_execution": run.fanned_out or len(run.jobs) > 1,
        "env": "",
        "fn_id": uuid_of(function.fn_id),
        "generation_id": job.generation,
        "job_id": job.job_id,
        "max_attempts": function.max_attempts,
        "qi_id": base64.b64encode(f"{job.job_id}::default".encode()).decode(),
        "request_id": request_id,
        "run_id": run.run_id,
        "stack": {"current": len(run.stack), "stack": list(run.stack)},
        "step_id": DISCOVERY,  # even in a request for one step: that is in the URL and a header
        "use_api": False,
    }
    memos = ",".join(f"{json.dumps(step_id)}:{memo}" for step_id, memo in sorted(steps.items()))
    body = _body(ctx, run.version, event, f"[{event}]", memos)
    if len(body) <= MAX_REQUEST_BYTES:
        return body
    return _body(ctx | {"use_api": True}, run.version, event, "[]", "")


def _body(ctx: Mapping[str, Any], version: int, event: str, events: str, memos: str) -> bytes:
    return (
        f'{{"ctx":{canonical(ctx)},"defers":{{}},"event":{event},"events":{events},"steps":{{{memos}}},'
        f'"use_api":{json.dumps(ctx["use_api"])},"version":{version}}}'
    ).encode()


def milliseconds() -> int:
    return int(time.time() * 1000)
