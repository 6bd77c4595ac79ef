"""Events: those that are sent to us, checked, and those that the engine itself sends when a run ends."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from briefworks.errors import RequestInvalid
from briefworks.executor import wire
from briefworks.executor.records import INVOKED_EVENT, End, Event, Function, OpenStep, Run

MAX_EVENTS = 5000
MAX_NAME_CHARS = 256


def read_events(body: Any, seed: str) -> list[Event]:
    """The events of one request, an object or a list of them; `RequestInvalid` names the wrong field."""
    said = body if isinstance(body, list) else [body]
    if len(said) > MAX_EVENTS:
        raise RequestInvalid(f"One request may carry {MAX_EVENTS} events.")
    ids = wire.seeded_ids(seed, len(said)) if seed else [wire.new_id() for _ in said]
    return [_read(each, internal_id) for each, internal_id in zip(said, ids, strict=True)]


def _read(said: Any, internal_id: str) -> Event:
    if not isinstance(said, dict):
        raise RequestInvalid("An event is a JSON object with a name.")
    name = said.get("name")
    if not isinstance(name, str) or not name or len(name) > MAX_NAME_CHARS:
        raise RequestInvalid(f"name must be text of 1 to {MAX_NAME_CHARS} characters.", field="name")
    if name.lower().startswith("inngest/"):
        raise RequestInvalid("Names that begin with inngest/ are the engine's own.", field="name")
    given_id = said.get("id") or ""
    if not isinstance(given_id, str) or len(given_id) > MAX_NAME_CHARS:
        raise RequestInvalid(f"id must be text of up to {MAX_NAME_CHARS} characters.", field="id")
    version = said.get("v") or ""
    if not isinstance(version, str):
        raise RequestInvalid("v must be text.", field="v")
    content = {
        "data": _object(said, "data"),
        "id": given_id or internal_id,
        "name": name,
        "ts": _milliseconds(said.get("ts")),
        "user": _object(said, "user"),
    }
    return _event(internal_id, content | ({"v": version} if version else {}), given_id)


def _object(said: Mapping[str, Any], field: str) -> Any:
    value = said.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RequestInvalid(f"{field} must be an object.", field=field)
    return value


def _milliseconds(value: Any) -> int:
    if not value:
        return wire.milliseconds()
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= wire.SAFE_INTEGER:
        raise RequestInvalid("ts must be milliseconds since 1970.", field="ts")
    return int(value)


def _event(internal_id: str, content: Mapping[str, Any], given_id: str = "") -> Event:
    body = wire.canonical(dict(content))
    return Event(internal_id, content["name"], content, body, time.time(), given_id)


def _ours(name: str, data: Mapping[str, Any], event_id: str = "") -> Event:
    internal_id = wire.new_id()
    content = {
        "data": data, "id": event_id or internal_id, "name": name, "ts": wire.milliseconds(), "user": {},
    }  # fmt: skip
    return _event(internal_id, content)


def ended_events(run: Run, event: Event, end: End) -> list[Event]:
    """`inngest/function.failed` or `.cancelled` when the run ended so, and always `.finished`."""
    inner = {key: item for key, item in event.content.items() if key != "user" or item}
    data: dict[str, Any] = {
        "_inngest": {"status": end.status},
        "event": event.content,
        "events": [inner],
        "function_id": run.fn_id,
        "run_id": run.run_id,
    }
    result = {"result": wire.restore(end.output)}
    if end.status == "Failed":
        data |= result | {"error": end.error}
        return [_ours("inngest/function.failed", data, run.run_id), _ours("inngest/function.finished", data)]
    if end.status == "Cancelled":
        return [
            _ours("inngest/function.cancelled", data, run.run_id),
            _ours("inngest/function.finished", data),
        ]
    return [_ours("inngest/function.finished", data | result)]


def called_event(fn_id: str, data: Mapping[str, Any], key: str) -> Event:
    """The event of a function that is invoked over HTTP, with the caller's idempotency key or ""."""
    event = _ours(INVOKED_EVENT, {**data, "_inngest": {"fn_id": fn_id, "invoke_type": "api"}})
    return replace(event, given_id=key)


def invoked_event(run: Run, caller: Function, step: OpenStep, fn_id: str) -> Event:
    """The event that an invoked function gets; its correlation id is where the result goes."""
    payload = step.opts.get("payload")
    given = payload if isinstance(payload, dict) else {}
    ours = {
        "correlation_id": f"{run.run_id}.{step.step_id}",
        "expire": int((step.due_at or 0) * 1000),
        "fn_id": fn_id,
        "name": step.name,
        "source_app_id": wire.uuid_of(caller.app_id),
        "source_fn_id": wire.uuid_of(caller.fn_id),
        "source_fn_v": 1,
    }
    event = _ours(INVOKED_EVENT, {**(given.get("data") or {}), "_inngest": ours})
    if isinstance(version := given.get("v"), str):
        return _event(event.internal_id, {**event.content, "v": version})
    return event
