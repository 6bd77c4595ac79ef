"""The routes of articles: ask, follow, look, cancel, download."""

from __future__ import annotations

import json
from typing import Any

import flask
import inngest
import structlog
from ulid import ULID

from briefworks import personas
from briefworks.errors import Conflict, EngineUnavailable, NotFound, NotStarted, RequestInvalid
from briefworks.fold import fold
from briefworks.loopback import check_host, check_json, check_origin
from briefworks.pipeline import Parts
from briefworks.shapes import ArticleRequest, ArticleState, is_id
from briefworks.stream import rows_of

log = structlog.get_logger("briefworks.web")
MAX_BODY_BYTES = 64 * 1024
PAGE_ROWS = 1000


def article_routes(client: inngest.Inngest, parts: Parts) -> flask.Blueprint:
    """The blueprint; `client` sends the events, `parts.store` holds the rows."""
    routes = flask.Blueprint("articles", __name__)
    store = parts.store

    @routes.before_request
    def guard() -> None:
        check_host(flask.request.host)
        check_origin(flask.request.headers.get("Origin"), flask.request.headers.get("Sec-Fetch-Site"))
        check_json(flask.request.method, flask.request.mimetype)
        flask.request.max_content_length = MAX_BODY_BYTES
        for name, value in (flask.request.view_args or {}).items():
            if not is_id(value):
                raise RequestInvalid(f"{name}: 1 to 64 of A-Z a-z 0-9 _ -", field=name)

    @routes.post("/api/articles")
    def ask() -> tuple[flask.Response, int]:
        asked = ArticleRequest.parse(_json_body())
        personas.load(asked.persona, parts.personas_dir)
        if asked.article_id is None:
            asked = asked.model_copy(update={"article_id": str(ULID())})
        project_id, article_id = asked.project_id, str(asked.article_id)
        first = store.read(project_id, 0, article_id, limit=1)["rows"]
        if first and any(first[0]["data"].get(key) != value for key, value in asked.run_started().items()):
            raise Conflict(f"Article {article_id!r} was asked for with another request.")
        if not first:
            send(client, asked.event())
        found = {
            "articleId": article_id,
            "projectId": project_id,
            "stream": f"/api/projects/{project_id}/stream?article={article_id}",
        }
        return flask.jsonify(found), 200 if first else 202

    @routes.get("/api/projects/<project_id>/stream")
    def stream(project_id: str) -> flask.Response:
        article_id = flask.request.args.get("article")
        if article_id is not None and not is_id(article_id):
            raise RequestInvalid("article: 1 to 64 of A-Z a-z 0-9 _ -", field="article")
        after, limit = _number("after", 0, 2**53), _number("limit", PAGE_ROWS, PAGE_ROWS)
        return flask.jsonify(store.read(project_id, after, article_id, max(limit, 1)))

    @routes.get("/api/projects/<project_id>/articles/<article_id>")
    def look(project_id: str, article_id: str) -> flask.Response:
        return flask.jsonify(state_of(parts, project_id, article_id))

    @routes.get("/api/projects/<project_id>/articles/<article_id>.md")
    def download(project_id: str, article_id: str) -> flask.Response:
        polished = state_of(parts, project_id, article_id)["polished"]
        if polished is None:
            raise NotFound(f"Article {article_id!r} is not finished yet.")
        return flask.Response(polished["markdown"], mimetype="text/markdown")

    @routes.post("/api/projects/<project_id>/articles/<article_id>/cancel")
    def cancel(project_id: str, article_id: str) -> tuple[flask.Response, int]:
        # Stored first: an engine loses a cancel that comes before the run; the event only stops the work.
        if not store.decide(project_id, article_id, "cancel", {"by": "user", "reason": ""}):
            raise Conflict(f"Article {article_id!r} has ended.")
        ids = {"projectId": project_id, "articleId": article_id}
        try:
            send(client, {"name": "article.cancelled", "data": ids})
        except EngineUnavailable as error:
            log.warning("the engine was not told of a cancel; the store stops the run", reason=str(error))
        return flask.jsonify(ids), 202

    return routes


def send(client: inngest.Inngest, event: dict[str, Any]) -> None:
    """Hand an event to the engine; `EngineUnavailable` when it does not take it."""
    try:
        client.send_sync(inngest.Event(**event))
    except Exception as error:  # the SDK's own errors and its transport's share no class
        raise EngineUnavailable(f"The engine did not take the event ({type(error).__name__}).") from error


def state_of(parts: Parts, project_id: str, article_id: str) -> ArticleState:
    """The article as its rows add up now; `NotStarted` before the first of them."""
    rows = rows_of(parts.store, project_id, article_id)
    if not rows:
        raise NotStarted(f"Article {article_id!r} has not started, or was never asked for.")
    return fold(project_id, article_id, rows)


def _json_body() -> object:
    try:
        return json.loads(flask.request.get_data())
    except (ValueError, RecursionError):
        raise RequestInvalid("The body is not JSON.") from None


def _number(name: str, default: int, most: int) -> int:
    text = flask.request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= most):
        raise RequestInvalid(f"{name}: a whole number from 0 to {most}", field=name)
    return int(text)
