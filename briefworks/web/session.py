"""`/api/session`: what this caller may see, and a key kept for a browser in a cookie no script can read."""

from __future__ import annotations

import flask

from briefworks.errors import RequestInvalid, Unauthorized
from briefworks.keys import ALL
from briefworks.web.access import COOKIE, Access, is_https
from briefworks.web.asked import json_body
from briefworks.web.tokens import is_token

KEPT_S = 30 * 24 * 3600


def session_routes(access: Access, *, runs: bool) -> flask.Blueprint:
    """The blueprint; all may ask it. `runs`: whether there are pages of the articles' runs."""
    routes = flask.Blueprint("session", __name__)
    access.protect(routes, is_open=True)

    @routes.get("/api/session")
    def session() -> flask.Response:
        projects = access.visible()
        seen = ALL if ALL in projects else sorted(projects)
        return flask.jsonify({"login": access.login, "projects": seen, "runs": runs})

    @routes.post("/api/session")
    def log_in() -> flask.Response:
        body = json_body()
        key = body.get("key") if isinstance(body, dict) else None
        if not isinstance(key, str) or set(body) != {"key"}:  # type: ignore[call-overload]
            raise RequestInvalid('key: the body is {"key": "bw_…"}', field="key")
        if is_token(key) and not access.keys.projects(key):
            raise Unauthorized(
                "A user's token is not kept in a cookie: it ends within the hour.",
                hint="Send it as `Authorization: Bearer …`.",
            )
        if not access.keys.projects(key):
            raise Unauthorized("This key is not known here.")
        response = flask.Response(status=204)
        response.set_cookie(
            COOKIE, key, max_age=KEPT_S, path="/", httponly=True, samesite="Strict", secure=is_https()
        )
        return response

    @routes.delete("/api/session")
    def log_out() -> flask.Response:
        response = flask.Response(status=204)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="Strict", secure=is_https())
        return response

    return routes
