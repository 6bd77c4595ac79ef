"""The HTTP face: events in, registrations in, runs out; the dev server's paths, to this machine only."""

from __future__ import annotations

import time
from typing import Any

import flask
import structlog
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from briefworks.errors import BriefworksError, NotFound, RequestInvalid
from briefworks.executor import wire
from briefworks.executor.apps import read_registration
from briefworks.executor.engine import Engine
from briefworks.executor.events import read_events
from briefworks.executor.journal import Row
from briefworks.loopback import check_host, check_json, check_origin

log = structlog.get_logger("briefworks.executor")

MAX_BODY_BYTES = 4 * 1024 * 1024
RUNS_LISTED = 100
_NOBODY = "00000000-0000-0000-0000-000000000000"


def create_api(engine: Engine) -> flask.Flask:
    """The WSGI app, under the names of loopback only."""
    app = flask.Flask("briefworks.executor", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES

    @app.before_request
    def guard() -> None:
        check_host(flask.request.host)
        check_origin(flask.request.headers.get("Origin"), flask.request.headers.get("Sec-Fetch-Site"))
        check_json(flask.request.method, flask.request.mimetype)

    @app.errorhandler(Exception)
    def explain(error: Exception) -> tuple[flask.Response, int]:
        return _problem(error)

    _take_events(app, engine)
    _show_runs(app, engine)
    return app


def _take_events(app: flask.Flask, engine: Engine) -> None:
    @app.post("/e/<_key>")
    def send(_key: str) -> dict[str, Any]:
        events = read_events(_body(), flask.request.headers.get("x-inngest-event-id-seed", ""))
        return {"ids": engine.receive(events), "status": 200}

    @app.post("/fn/register")
    def register() -> dict[str, Any]:
        registration = read_registration(_body())
        modified = engine.register(registration)
        app_id = wire.uuid_of(registration.app_id)
        return {"ok": True, "modified": modified, "sync_id": wire.new_id(), "app_id": app_id}

    @app.get("/health")
    def health() -> dict[str, Any]:
        return {"status": 200, "message": "OK", "server": "briefworks"}

    @app.get("/dev")
    def dev() -> dict[str, Any]:
        functions = [{"id": fn.fn_id, "name": fn.name, "url": fn.url} for fn in engine.active_functions()]
        return {"version": "briefworks", "authed": True, "functions": functions}


def _show_runs(app: flask.Flask, engine: Engine) -> None:
    @app.get("/v1/events/<event_id>/runs")
    def runs_of(event_id: str) -> dict[str, Any]:
        return _answer([_run(row) for row in engine.runs_of(event_id)])

    @app.get("/v1/runs")
    def newest_runs() -> dict[str, Any]:
        limit = flask.request.args.get("limit", default=RUNS_LISTED, type=int)
        return _answer([_run(row) for row in engine.newest_runs(max(1, min(limit, 1000)))])

    @app.get("/v1/runs/<run_id>")
    def run(run_id: str) -> dict[str, Any]:
        if (row := engine.run(run_id)) is None:
            raise NotFound("There is no such run.")
        return _answer(_run(row))

    @app.delete("/v1/runs/<run_id>")
    def cancel(run_id: str) -> dict[str, Any]:
        if not engine.cancel(run_id):
            raise NotFound("There is no such run.")
        return {"ok": True, "status": 200}


def _body() -> Any:
    try:
        return wire.decode(flask.request.get_data(cache=False))
    except ValueError as error:
        raise RequestInvalid(f"The body is not usable JSON: {error}") from None


def _problem(error: Exception) -> tuple[flask.Response, int]:
    """Every error as `{"error": …, "status": …}`, which is what SDKs read."""
    if isinstance(error, RequestEntityTooLarge):
        status, message = 400, f"The body is larger than {MAX_BODY_BYTES // 2**20} MiB."
    elif isinstance(error, BriefworksError):
        status, message = error.status, str(error)
    elif isinstance(error, HTTPException):
        status, message = error.code or 500, error.description or error.name
    else:
        log.error("a request failed", path=flask.request.path, exc_info=error)
        status, message = 500, "The executor failed; see its log."
    return flask.jsonify({"error": message, "status": status}), status


def _answer(data: Any) -> dict[str, Any]:
    now = wire.iso(time.time())
    return {"data": data, "metadata": {"fetched_at": now, "cached_until": now}}


def _run(row: Row) -> dict[str, Any]:
    return {
        "run_id": row["run_id"],
        "run_started_at": wire.iso(row["created_at"]),
        "function_id": wire.uuid_of(row["fn_id"]),
        "function": row["fn_id"],
        "function_version": 1,
        "environment_id": _NOBODY,
        "event_id": row["event_id"],
        "status": row["status"],
        "ended_at": None if row["ended_at"] is None else wire.iso(row["ended_at"]),
        "output": None if row["output"] is None else wire.restore(row["output"]),
    }
