"""The HTTP face: who may ask, events in, registrations in, errors out; `api_runs` has the rest of it."""

from __future__ import annotations

import os
from typing import Any

import flask
import structlog
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from briefworks.errors import BriefworksError, RequestInvalid
from briefworks.executor import wire
from briefworks.executor.api_runs import history_routes, run_routes
from briefworks.executor.apps import read_registration
from briefworks.executor.engine import Engine
from briefworks.executor.events import read_events
from briefworks.executor.history import History
from briefworks.executor.keys import Keys
from briefworks.executor.records import ELSEWHERE
from briefworks.loopback import check_host, check_json, check_origin

log = structlog.get_logger("briefworks.executor")

MAX_BODY_BYTES = 4 * 1024 * 1024
OPEN = ("health", "dev", "send")  # no signing key for these; `send` has a key of its own
LEFT_OUT = {
    "/v0/gql": "GraphQL",
    "/v1/realtime": "realtime",
    "/v1/signals": "signals",
    "/v1/cancellations": "bulk cancellation",
    "/v1/traces": "traces of its own",
}


def create_api(engine: Engine, history: History, keys: Keys) -> flask.Flask:
    """The WSGI app, under the names of loopback only."""
    app = flask.Flask("briefworks.executor", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES

    @app.before_request
    def guard() -> None:
        request = flask.request
        check_host(request.host)
        check_origin(request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site"))
        if request.content_length or request.mimetype:
            check_json(request.method, request.mimetype)
        if request.endpoint not in OPEN:
            keys.check_caller(request.headers.get("Authorization", ""))

    @app.errorhandler(Exception)
    def explain(error: Exception) -> tuple[flask.Response, int]:
        return _problem(error)

    _take_events(app, engine, keys)
    history_routes(app, history)
    run_routes(app, engine, history, body)
    return app


def _take_events(app: flask.Flask, engine: Engine, keys: Keys) -> None:
    @app.post("/e/<key>")
    def send(key: str) -> dict[str, Any]:
        keys.check_event_key(key)
        events = read_events(body(), flask.request.headers.get("x-inngest-event-id-seed", ""))
        return {"ids": engine.receive(events), "status": 200}

    @app.post("/fn/register")
    def register() -> dict[str, Any]:
        registration = read_registration(body())
        modified = engine.register(registration)
        app_id = wire.uuid_of(registration.app_id)
        return {"ok": True, "modified": modified, "sync_id": wire.new_id(), "app_id": app_id}

    @app.get("/health")
    def health() -> dict[str, Any]:
        return {"status": 200, "message": "OK", "server": "briefworks", "pid": os.getpid()}

    @app.get("/dev")
    def dev() -> dict[str, Any]:
        functions = [{"id": fn.fn_id, "name": fn.name, "url": fn.url} for fn in engine.active_functions()]
        return {"version": "briefworks", "authed": True, "functions": functions}


def body() -> Any:
    """The JSON of the request; `RequestInvalid` says what is wrong with it."""
    try:
        return wire.decode(flask.request.get_data(cache=False))
    except ValueError as error:
        raise RequestInvalid(f"The body is not usable JSON: {error}") from None


def _problem(error: Exception) -> tuple[flask.Response, int]:
    """Every error as `{"error": …, "status": …}`, which SDKs read, and as the list that v2 answers."""
    code = "internal_error"
    if isinstance(error, RequestEntityTooLarge):
        status, message, code = 400, f"The body is larger than {MAX_BODY_BYTES // 2**20} MiB.", "too_large"
    elif isinstance(error, BriefworksError) and error.status < 500:
        status, message, code = error.status, str(error), error.code.replace("-", "_")
    elif isinstance(error, HTTPException):
        status, message = error.code or 500, _left_out() or error.description or error.name
        code = error.name.lower().replace(" ", "_")
    else:
        log.error("a request failed", path=flask.request.path, exc_info=error)
        status, message = 500, "The executor failed; see its log."
    said = {"error": message, "status": status, "errors": [{"code": code, "message": message}]}
    return flask.jsonify(said), status


def _left_out() -> str:
    """Which part of the real server's face is asked for, if it is one that we leave out."""
    for path, name in LEFT_OUT.items():
        if flask.request.path.startswith(path):
            return f"The embedded executor leaves out {name}; {ELSEWHERE}"
    return ""
