"""Errors on the wire: RFC 9457 problem documents, never a traceback."""

from __future__ import annotations

import http

import flask
import structlog
from werkzeug.exceptions import HTTPException

from briefworks.errors import BriefworksError, RateLimited, RequestInvalid, Unauthorized

log = structlog.get_logger("briefworks.web")


def handle_problems(app: flask.Blueprint | flask.Flask) -> None:
    """Answer every error of these routes as `application/problem+json`."""
    app.register_error_handler(BriefworksError, problem_of)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _of_bug)


def problem(status: int, detail: str, code: str, **more: str) -> flask.Response:
    """`{type, title, status, detail, code, …}`; `more` holds `field` and `hint` where there is one."""
    body = {
        "type": "about:blank",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **{key: value for key, value in more.items() if value},
    }
    response = flask.jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def problem_of(error: BriefworksError) -> flask.Response:
    """The problem document of one of our errors."""
    field = error.field if isinstance(error, RequestInvalid) else ""
    response = problem(error.status, str(error), error.code, field=field, hint=error.hint)
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(int(error.retry_after_s))
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _of_http(error: HTTPException) -> flask.Response:
    status = error.code or 500
    code = http.HTTPStatus(status).phrase.lower().replace(" ", "-")
    detail = f"There is no {flask.request.path} here." if status == 404 else error.description or ""
    response = problem(status, detail, code)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _of_bug(error: Exception) -> flask.Response:
    log.exception("unexpected error", path=flask.request.path, exc_info=error)
    return problem(500, "Something unexpected went wrong; the app's log has the details.", "internal")
