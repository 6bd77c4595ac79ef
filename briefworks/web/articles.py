"""The routes of articles: ask, list, look, download, cancel, erase."""

from __future__ import annotations

import re

import flask
import inngest
from ulid import ULID

from briefworks import asking, personas
from briefworks.errors import RequestInvalid
from briefworks.phases.provenance import with_provenance
from briefworks.phases.scorecard import MEASURES
from briefworks.pipeline import Parts
from briefworks.shapes import ArticleRequest, Polished
from briefworks.stream import finished, state_of
from briefworks.text import slugify
from briefworks.web import asked as said
from briefworks.web import html
from briefworks.web.access import Access

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
        existed = asking.request(store, client, asked)
        found = {
            "articleId": article_id,
            "projectId": project_id,
            "stream": f"/api/projects/{project_id}/stream?article={article_id}",
        }
        return flask.jsonify(found), 200 if existed else 202

    @routes.post(f"{ARTICLE}/cancel")
    def cancel(project_id: str, article_id: str) -> tuple[flask.Response, int]:
        asking.cancel(store, client, project_id, article_id)
        return flask.jsonify({"projectId": project_id, "articleId": article_id}), 202

    @routes.delete(ARTICLE)
    def erase(project_id: str, article_id: str) -> flask.Response:
        asking.erase(store, client, project_id, article_id)
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
        found = [
            {"name": name, "group": one.group, "says": one.says, "band": one.band}
            for name, one in MEASURES.items()
        ]
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
        started, _, polished = finished(store, project_id, article_id)
        response = flask.Response(_text_of(polished), mimetype="text/markdown")
        return _download(response, f"{slugify(started['keyword'])}.md")

    @routes.get(f"{ARTICLE}.html")
    def as_html(project_id: str, article_id: str) -> flask.Response:
        started, _, polished = finished(store, project_id, article_id)
        text = html.document(polished["title"], started["language"], _text_of(polished))
        response = flask.Response(text, mimetype="text/html")
        response.headers["Content-Security-Policy"] = html.POLICY
        return _download(response, f"{slugify(started['keyword'])}.html")


def _text_of(article: Polished) -> str:
    """Its Markdown; with `?provenance=1` it ends with how it was made."""
    return with_provenance(article) if flask.request.args.get("provenance") == "1" else article["markdown"]


def _download(response: flask.Response, name: str) -> flask.Response:
    """With `?download=1` the browser saves it under that name."""
    if flask.request.args.get("download") == "1":
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
