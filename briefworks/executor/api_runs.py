"""The HTTP face of runs: /v0, /v1 and /v2 as the dev server answers them, with a status that is true."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import flask

from briefworks.errors import Conflict, RequestInvalid
from briefworks.executor import wire
from briefworks.executor.engine import Engine
from briefworks.executor.file import Row
from briefworks.executor.history import History, Span, Try

LISTED, MOST_LISTED = 20, 1000
NOBODY = "00000000-0000-0000-0000-000000000000"
SPAN_STATUS = {"done": "COMPLETED", "kept": "COMPLETED", "failed": "FAILED", "open": "RUNNING"}
SPAN_OPS = {"Sleep": "SLEEP", "WaitForEvent": "WAIT_FOR_EVENT", "InvokeFunction": "INVOKE"}


def history_routes(app: flask.Flask, history: History) -> None:
    """What can be asked about events and runs."""

    @app.get("/v1/events")
    def events() -> dict[str, Any]:
        found = history.events(_limit(), flask.request.args.get("name"))
        return _answer([_event(row) for row in found])

    @app.get("/v1/events/<event_id>")
    def event(event_id: str) -> dict[str, Any]:
        return _answer(_event(history.event(event_id)))

    @app.get("/v1/events/<event_id>/runs")
    def runs_of(event_id: str) -> dict[str, Any]:
        return _answer([_run(row) for row in history.runs(MOST_LISTED, event_id)])

    @app.get("/v1/runs")
    def newest_runs() -> dict[str, Any]:
        return _answer([_run(row) for row in history.runs(_limit())])

    @app.get("/v1/runs/<run_id>")
    def run(run_id: str) -> dict[str, Any]:
        return _answer(_run(history.run(run_id)))

    @app.get("/v1/runs/<run_id>/jobs")
    def jobs(run_id: str) -> dict[str, Any]:
        run_id = history.run(run_id)["run_id"]
        return _answer([_job(row) for row in history.jobs(run_id)])

    @app.get("/v2/events/<event_id>/runs")
    def runs_of_v2(event_id: str) -> dict[str, Any]:
        return _answer_v2([_run_v2(row) for row in history.runs(MOST_LISTED, event_id)])

    @app.get("/v2/runs")
    def newest_runs_v2() -> dict[str, Any]:
        return _answer_v2([_run_v2(row) for row in history.runs(_limit())])

    @app.get("/v2/runs/<run_id>")
    def run_v2(run_id: str) -> dict[str, Any]:
        return _answer_v2(_run_v2(history.run(run_id)))

    @app.get("/v2/runs/<run_id>/trace")
    def trace(run_id: str) -> dict[str, Any]:
        return _answer_v2(_trace(history.run(run_id), history.timeline(run_id)))

    # What the SDK asks for when a request was too small for the state of its run.
    @app.get("/v0/runs/<run_id>/batch")
    def batch(run_id: str) -> flask.Response:
        return flask.jsonify([wire.restore(history.run(run_id)["event_body"])])

    @app.get("/v0/runs/<run_id>/actions")
    def actions(run_id: str) -> flask.Response:
        return flask.jsonify(history.memos(history.run(run_id)["run_id"]))


def run_routes(app: flask.Flask, engine: Engine, history: History, body: Callable[[], Any]) -> None:
    """What can be done with runs; `body` reads the JSON of the request."""

    @app.delete("/v1/runs/<run_id>")
    def cancel(run_id: str) -> dict[str, Any]:
        engine.cancel(history.run(run_id)["run_id"])  # once more is no mistake here
        return {"ok": True, "status": 200}

    @app.delete("/v1/runs")
    def prune() -> dict[str, Any]:  # ours: nobody else has it
        text = flask.request.args.get("older_than", "")
        try:
            return _answer({"pruned": engine.prune(wire.duration_s(text))})
        except ValueError as error:
            raise RequestInvalid(f"older_than: {error}", field="older_than") from None

    @app.post("/v2/runs/<run_id>/cancel")
    def cancel_v2(run_id: str) -> dict[str, Any]:
        before = engine.cancel(history.run(run_id)["run_id"])
        if before == "Cancelled":
            raise Conflict("The run is already cancelled.")
        if before != "Running":
            raise Conflict("A run that has ended cannot be cancelled.")
        return _answer_v2({"runId": run_id})

    @app.post("/v2/runs/<run_id>/rerun")
    def rerun(run_id: str) -> dict[str, Any]:
        from_step, keep_finished = _rerun_options(_said(body))
        return _answer_v2({"runId": engine.rerun(run_id, from_step, keep_finished=keep_finished)})

    @app.post("/v2/apps/<app_id>/functions/<fn_id>/invoke")
    def invoke(app_id: str, fn_id: str) -> tuple[dict[str, Any], int]:
        said = _said(body)
        data, key = said.get("data") or {}, said.get("idempotencyKey") or ""
        if not isinstance(data, dict):
            raise RequestInvalid("data must be an object.", field="data")
        if not isinstance(key, str) or len(key) > 256:
            raise RequestInvalid(
                "idempotencyKey must be text of up to 256 characters.", field="idempotencyKey"
            )
        prefix = f"{app_id}-"
        run_id, new = engine.invoke(fn_id if fn_id.startswith(prefix) else prefix + fn_id, data, key)
        return _answer_v2({"runId": run_id}), 200 if new else 409


def _said(body: Callable[[], Any]) -> Mapping[str, Any]:
    """The object that a request brings; nothing is an empty one."""
    said = body() if flask.request.content_length else {}
    if not isinstance(said, dict):
        raise RequestInvalid("The body must be a JSON object.")
    return said


def _rerun_options(said: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The step to begin with, if any, and whether all that is finished is kept (ours: nobody else has it)."""
    step, keep = said.get("fromStep"), said.get("keepFinished", False)
    if not isinstance(keep, bool):
        raise RequestInvalid("keepFinished must be true or false.", field="keepFinished")
    if step is None:
        return None, keep
    if not isinstance(step, dict) or not isinstance(step.get("stepId"), str) or not step["stepId"]:
        raise RequestInvalid("fromStep must be an object with a stepId.", field="fromStep")
    if step.get("input") is not None:
        raise RequestInvalid(
            "The embedded executor leaves out fromStep.input: the Python SDK takes it for a result.",
            field="fromStep",
        )
    if keep:
        raise RequestInvalid("Choose one of fromStep and keepFinished.", field="keepFinished")
    return step["stepId"], False


def _limit() -> int:
    limit = flask.request.args.get("limit", default=LISTED, type=int)
    return max(1, min(limit, MOST_LISTED))


def _answer(data: Any) -> dict[str, Any]:
    now = wire.iso(time.time())
    return {"data": data, "metadata": {"fetched_at": now, "cached_until": now}}


def _answer_v2(data: Any) -> dict[str, Any]:
    return {"data": data, "metadata": {"fetchedAt": wire.iso(time.time())}}


def _instant(seconds: float | None) -> str | None:
    return None if seconds is None else wire.iso(seconds)


def _event(row: Row) -> dict[str, Any]:
    return {
        "internal_id": row["internal_id"],
        "account_id": NOBODY,
        "workspace_id": NOBODY,
        "received_at": wire.iso(row["received_at"]),
        **wire.restore(row["body"]),
    }


def _job(row: Row) -> dict[str, Any]:
    return {
        "at": wire.iso(row["due_at"]),
        "kind": "edge",
        "attempt": row["attempt"],
        "step_id": row["step_id"],
    }


def _run(row: Row) -> dict[str, Any]:
    return {
        "run_id": row["run_id"],
        "run_started_at": wire.iso(row["created_at"]),
        "function_id": wire.uuid_of(row["fn_id"]),
        "function": row["fn_id"],
        "function_version": 0,
        "environment_id": NOBODY,
        "event_id": row["event_id"],
        "status": row["status"],
        "ended_at": _instant(row["ended_at"]),
        "output": None if row["output"] is None else wire.restore(row["output"]),
        **({"original_run_id": row["original_run_id"]} if row["original_run_id"] else {}),
    }


def _run_v2(row: Row) -> dict[str, Any]:
    ended_at = row["ended_at"]
    return {
        "id": row["run_id"],
        "function": {
            "id": row["fn_id"].removeprefix(f"{row['app_id']}-"),
            "name": row["fn_name"] or row["fn_id"],
            "slug": row["fn_id"],
        },
        "app": {"id": row["app_id"]},
        "status": row["status"].upper(),
        "queuedAt": wire.iso(row["created_at"]),
        "startedAt": wire.iso(row["created_at"]),
        "endedAt": _instant(ended_at),
        "durationMs": None if ended_at is None else _ms(ended_at - row["created_at"]),
        "trigger": {"eventIds": [row["event_id"]], "eventName": row["event_name"], "isBatch": False},
    }


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _trace(run: Row, spans: list[Span]) -> dict[str, Any]:
    error = wire.restore(run["error"]) if run["error"] else {}
    root = {
        "id": run["run_id"],
        "name": run["fn_name"] or run["fn_id"],
        "status": run["status"].upper(),
        "queuedAt": wire.iso(run["created_at"]),
        "startedAt": wire.iso(run["created_at"]),
        "endedAt": _instant(run["ended_at"]),
        "error": f"{error.get('name') or 'Error'}: {error.get('message') or ''}" if error else "",
        "children": [_span(span) for span in spans],
    }
    return {"runId": run["run_id"], "rootSpan": root}


def _span(span: Span) -> dict[str, Any]:
    return {
        "id": span.step_id,
        "stepId": span.step_id,
        "name": span.name,
        "stepOp": SPAN_OPS.get(span.op, "RUN"),
        "status": SPAN_STATUS[span.status],
        "kept": span.status == "kept",
        "queuedAt": wire.iso(span.started_at),
        "startedAt": wire.iso(span.started_at),
        "lastStartedAt": wire.iso(span.last_started_at),  # ours: of the attempt that gave the result
        "endedAt": _instant(span.ended_at),
        "durationMs": None if span.ended_at is None else _ms(span.ended_at - span.started_at),
        "error": span.error,
        "children": [_try(each) for each in span.tries],
    }


def _try(each: Try) -> dict[str, Any]:
    return {
        "name": f"Attempt {each.attempt}",
        "status": "FAILED",
        "startedAt": wire.iso(each.started_at),
        "endedAt": wire.iso(each.ended_at),
        "error": each.error,
    }
