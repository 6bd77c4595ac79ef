"""The routes of articles: ask, list, look, download, cancel, erase."""

from __future__ import annotations

import re
from typing import Any

import flask
import inngest
import structlog
from ulid import ULID

from briefworks import personas
from briefworks.errors import Conflict, EngineUnavailable, NotFound, NotStarted, RequestInvalid
from briefworks.fold import fold
from briefworks.phases.provenance import with_provenance
from briefworks.phases.scorecard import MEASURES
from briefworks.pipeline import Parts
from briefworks.shapes import TERMINAL, ArticleRequest, ArticleState, Polished
from briefworks.stream import Store, rows_of
from briefworks.text import slugify
from briefworks.web import asked as said
from briefworks.web import html
from briefworks.web.access import Access

log = structlog.get_logger("briefworks.web")
ARTICLES, ARTICLE = "/api/projects/<project_id>/articles", "/api/projects/<project_id>/articles/<article_id>"
MOST_ARTICLES = 200
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def article_routes(access: Access, client: inngest.Inngest, parts: Parts) -> flask.Blueprint:
    """The blueprint; `client` sends the events, `parts.store` holds the rows."""
    routes = flask.Blueprint("articles", __name__)
    access.protect(routes)
    _reading_routes(routes, parts)
    store = parts.store

    @routes.post("/api/articles")
    def ask() -> tuple[flask.Response, int]:
        asked = ArticleRequest.parse(said.json_body())
        access.check_project(asked.project_id)
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

    @routes.post(f"{ARTICLE}/cancel")
    def cancel(project_id: str, article_id: str) -> tuple[flask.Response, int]:
        # Stored first: an engine loses a cancel that comes before the run; the event only stops the work.
        if not store.decide(project_id, article_id, "cancel", {"by": "user", "reason": ""}):
            raise Conflict(f"Article {article_id!r} has ended.")
        ids = tell_cancelled(client, project_id, article_id)
        return flask.jsonify(ids), 202

    @routes.delete(ARTICLE)
    def erase(project_id: str, article_id: str) -> flask.Response:
        rows = rows_of(store, project_id, article_id)
        if rows:
            store.delete_article(project_id, article_id)
            if rows[-1]["event"] not in TERMINAL:
                tell_cancelled(client, project_id, article_id)
        return flask.Response(status=204)

    return routes


def _reading_routes(routes: flask.Blueprint, parts: Parts) -> None:
    """What changes nothing."""
    store = parts.store

    @routes.get("/api/personas")
    def voices() -> flask.Response:
        found = personas.usable(parts.personas_dir)
        return flask.jsonify(
            {"personas": [{"name": one.name, "description": one.description} for one in found]}
        )

    @routes.get("/api/measures")
    def measures() -> flask.Response:
        found = {
            name: {"group": one.group, "says": one.says, "band": one.band} for name, one in MEASURES.items()
        }
        return flask.jsonify({"measures": found})

    @routes.get(ARTICLES)
    def articles(project_id: str) -> flask.Response:
        limit, before = said.number("limit", 50, MOST_ARTICLES, least=1), flask.request.args.get("before")
        if before is not None and not INSTANT.fullmatch(before):
            raise RequestInvalid("before: the started_at of an article", field="before")
        found = store.articles(project_id, limit + 1, before)
        more = found[limit - 1]["started_at"] if len(found) > limit else None
        return flask.jsonify({"articles": found[:limit], "next": more})

    @routes.get(ARTICLE)
    def look(project_id: str, article_id: str) -> flask.Response:
        return flask.jsonify(state_of(store, project_id, article_id))

    @routes.get(f"{ARTICLE}.md")
    def as_markdown(project_id: str, article_id: str) -> flask.Response:
        started, polished = finished(store, project_id, article_id)
        response = flask.Response(_text_of(polished), mimetype="text/markdown")
        return _download(response, f"{slugify(started['keyword'])}.md")

    @routes.get(f"{ARTICLE}.html")
    def as_html(project_id: str, article_id: str) -> flask.Response:
        started, polished = finished(store, project_id, article_id)
        text = html.document(polished["title"], started["language"], _text_of(polished))
        response = flask.Response(text, mimetype="text/html")
        response.headers["Content-Security-Policy"] = html.POLICY
        return _download(response, f"{slugify(started['keyword'])}.html")


def send(client: inngest.Inngest, event: dict[str, Any]) -> None:
    """Hand an event to the engine; `EngineUnavailable` when it does not take it."""
    try:
        client.send_sync(inngest.Event(**event))
    except Exception as error:  # the SDK's own errors and its transport's share no class
        raise EngineUnavailable(f"The engine did not take the event ({type(error).__name__}).") from error


def tell_cancelled(client: inngest.Inngest, project_id: str, article_id: str) -> dict[str, str]:
    """Tell the engine that a run is over; the store stops the run also when the engine does not hear it."""
    ids = {"projectId": project_id, "articleId": article_id}
    try:
        send(client, {"name": "article.cancelled", "data": ids})
    except EngineUnavailable as error:
        log.warning("the engine was not told of a cancel; the store stops the run", reason=str(error))
    return ids


def state_of(store: Store, project_id: str, article_id: str) -> ArticleState:
    """The article as its rows add up now; `NotStarted` before the first of them."""
    rows = rows_of(store, project_id, article_id)
    if not rows:
        raise NotStarted(f"Article {article_id!r} has not started, or was never asked for.")
    return fold(project_id, article_id, rows)


def finished(store: Store, project_id: str, article_id: str) -> tuple[dict[str, Any], Polished]:
    """What was asked for and what came of it; `NotFound` while it is being written."""
    rows = rows_of(store, project_id, article_id)
    polished = fold(project_id, article_id, rows)["polished"] if rows else None
    if polished is None:
        state_of(store, project_id, article_id)
        raise NotFound(f"Article {article_id!r} is not finished yet.")
    started = next(row["data"] for row in reversed(rows) if row["event"] == "run-started")
    return started, polished


def _text_of(article: Polished) -> str:
    """Its Markdown; with `?provenance=1` it ends with how it was made."""
    return with_provenance(article) if flask.request.args.get("provenance") == "1" else article["markdown"]


def _download(response: flask.Response, name: str) -> flask.Response:
    """With `?download=1` the browser saves it under that name."""
    if flask.request.args.get("download") == "1":
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
