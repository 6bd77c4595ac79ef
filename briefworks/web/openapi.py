"""What the app answers, as OpenAPI 3.1; docs/openapi.json is this, by `python docs/openapi_file.py`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import flask

from briefworks.account import ArticleCosts
from briefworks.phases.passages import ArticlePassages
from briefworks.shapes import ID, ArticleRequest, ArticleState
from briefworks.web.access import Access

Json = dict[str, Any]
_ID: Json = {"type": "string", "pattern": f"^{ID.pattern}$"}
_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
PROJECT, ARTICLE = (
    {"name": name, "in": "path", "required": True, "schema": _ID} for name in ("project_id", "article_id")
)
WHY = {
    400: "Not valid; `field` names what is wrong",
    401: "No key, or one that is not known here",
    403: "A web page of another site, or not from this machine while no keys are set",
    404: "There is none, or it is not yours; `not-started` before an article's first row",
    409: "The id is another request's, or the article has ended",
    413: "More than 64 KB",
    415: "Not declared as application/json",
    503: "What it needs does not answer, or no place is free: ask again (`Retry-After`)",
}


def openapi_routes(access: Access) -> flask.Blueprint:
    """The blueprint; everybody may read it."""
    routes = flask.Blueprint("openapi", __name__)
    access.protect(routes, is_open=True)

    @routes.get("/api/openapi.json")
    def openapi() -> flask.Response:
        return flask.jsonify(document())

    return routes


def document() -> Json:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "briefworks",
            "version": version("briefworks"),
            "description": "Articles asked for, followed and fetched. docs/STREAM.md says what rows mean,"
            " docs/stream.schema.json their shapes.",
        },
        "security": [{"bearer": []}, {"cookie": []}, {}],
        "paths": {**_article_paths(), **_run_paths(), **_project_paths(), **_other_paths()},
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or the token of a"
                           " Supabase user, who sees the projects whose member he is."},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "briefworks"},
            },
            "schemas": {
                "ArticleRequest": ArticleRequest.model_json_schema(by_alias=True),
                "ArticleCosts": _object(required=list(ArticleCosts.__annotations__)),
                "ArticlePassages": _object(required=list(ArticlePassages.__annotations__)),
                "ArticleState": _object(required=list(ArticleState.__annotations__)),
                "Problem": _object(
                    type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT, code=_TEXT,
                    required=["type", "title", "status", "detail", "code"],
                ),
            },
        },
    }  # fmt: skip


def _article_paths() -> Json:
    one = "/api/projects/{project_id}/articles/{article_id}"
    asked = _object(articleId=_ID, projectId=_ID, stream=_TEXT)
    download = _query("download", {"type": "string"}, "1: with a file's name")
    made = _query("provenance", {"type": "string"}, "1: with a closing section on how it was made")
    page = [PROJECT, ARTICLE, download, made]
    return {
        "/api/articles": {
            "post": _operation(
                "Ask for an article",
                {202: _answer("Asked", asked), 200: _answer("It was asked for before", asked)},
                (400, 401, 403, 404, 409, 413, 415, 503),
                body={"$ref": "#/components/schemas/ArticleRequest"},
            )
        },
        one: {
            "get": _operation(
                "The article as its rows add up now",
                {200: _answer("The state", {"$ref": "#/components/schemas/ArticleState"})},
                parameters=[PROJECT, ARTICLE],
            ),
            "delete": _operation(
                "Erase the article; a run of it, living or queued, is over",
                {204: {"description": "It is not there"}},
                parameters=[PROJECT, ARTICLE],
            ),
        },
        f"{one}.md": {
            "get": _operation(
                "The finished article", {200: _answer("Markdown", _TEXT, "text/markdown")}, parameters=page
            )
        },
        f"{one}.html": {
            "get": _operation(
                "The finished article", {200: _answer("A document", _TEXT, "text/html")}, parameters=page
            )
        },
        f"{one}/costs": {
            "get": _operation(
                "What it cost: each request to the model, and what they add up to",
                {200: _answer("The account", {"$ref": "#/components/schemas/ArticleCosts"})},
                parameters=[PROJECT, ARTICLE],
            )
        },
        f"{one}/passages": {
            "get": _operation(
                "Its sentences, each with the stored passages of the sources that it cites",
                {200: _answer("What backs it", {"$ref": "#/components/schemas/ArticlePassages"})},
                parameters=[PROJECT, ARTICLE],
            )
        },
        f"{one}/cancel": {
            "post": _operation(
                "End the run, also before it has begun",
                {202: _answer("It ends", _object(projectId=_ID, articleId=_ID))},
                (400, 401, 403, 404, 409, 413, 415, 503),
                parameters=[PROJECT, ARTICLE],
                body={"type": "object"},
            )
        },
    }


def _run_paths() -> Json:
    """Served with a local engine only."""
    one = "/api/projects/{project_id}/articles/{article_id}"
    asked = {
        **_object(runId=_TEXT),
        "properties": {"runId": _TEXT, "from": _TEXT, "anew": {"type": "boolean"}},
    }
    return {
        f"{one}/runs": {
            "get": _operation(
                "The article's runs at a local engine",
                {200: _answer("The newest of them", _object(runs={"type": "array"}))},
                parameters=[PROJECT, ARTICLE],
            )
        },
        f"{one}/replay": {
            "post": _operation(
                "Run one of them once more, at a local engine",
                {202: _answer("The new run", _object(runId=_TEXT))},
                (400, 401, 403, 404, 409, 413, 415, 503),
                parameters=[PROJECT, ARTICLE],
                body=asked,
            )
        },
    }


def _project_paths() -> Json:
    rows = _object(rows={"type": "array", "items": {"type": "object"}}, head=_COUNT, upto=_COUNT)
    stream = _answer("A page of rows", rows)
    stream["content"]["text/event-stream"] = {"schema": _TEXT}
    listed = _object(
        articles={"type": "array", "items": {"type": "object"}}, next={"type": ["string", "null"]}
    )
    return {
        "/api/projects/{project_id}/stream": {
            "get": _operation(
                "Follow a project or an article: events, or with Accept: application/json a page",
                {200: stream},
                parameters=[
                    PROJECT,
                    _query("after", {**_COUNT, "maximum": 2**53}, "the rows beyond it"),
                    _query("article", _ID, "of this article only"),
                    _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "rows at once"),
                    {**_query("Last-Event-ID", _COUNT, "wins over `after`, for events"), "in": "header"},
                ],
            )
        },
        "/api/projects/{project_id}/articles": {
            "get": _operation(
                "The project's articles, newest first",
                {200: _answer("A page of them; `next` is the next `before`", listed)},
                parameters=[
                    PROJECT,
                    _query("limit", {"type": "integer", "minimum": 1, "maximum": 200}, "articles at once"),
                    _query("before", {"type": "string", "format": "date-time"}, "those started earlier"),
                ],
            )
        },
    }


def _other_paths() -> Json:
    session = _object(
        login={"type": "boolean"}, projects={"type": ["array", "string"]}, runs={"type": "boolean"}
    )
    key = {"type": "object", "properties": {"key": _TEXT}, "required": ["key"], "additionalProperties": False}
    engine = {"summary": "Inngest's", "security": [], "responses": {"default": {"description": "Its own"}}}
    health = _object(ok={"type": "boolean"})
    return {
        "/api/personas": {
            "get": _operation(
                "The voices", {200: _answer("All of them", _object(personas={"type": "array"}))}
            )
        },
        "/api/measures": {
            "get": _operation(
                "What the scorecard measures, with definitions and bands",
                {200: _answer("All of them", _object(measures={"type": "array"}))},
                (401, 403),
            )
        },
        "/api/session": {
            "get": _operation("What this caller may see", {200: _answer("The session", session)}, (403,)),
            "post": _operation(
                "Keep a key in a cookie", {204: {"description": "Kept"}}, (400, 401, 403, 413, 415), body=key
            ),
            "delete": _operation("Forget the cookie", {204: {"description": "Forgotten"}}, (403,)),
        },
        "/api/openapi.json": {
            "get": _operation("This description", {200: _answer("OpenAPI 3.1", {"type": "object"})}, (403,))
        },
        "/healthz": {
            "get": _operation(
                "What is configured and reachable",
                {200: _answer("All answers", health), 503: _answer("Something does not", health)},
                (403,),
            )
        },
        "/api/inngest": {"get": engine, "post": engine, "put": engine},
    }


def _operation(
    summary: str,
    answers: dict[int, Json],
    problems: tuple[int, ...] = (400, 401, 403, 404, 503),
    *,
    parameters: list[Json] | None = None,
    body: Json | None = None,
) -> Json:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refused = {status: {"description": WHY[status], "content": problem} for status in problems}
    operation: Json = {
        "summary": summary,
        "responses": {str(status): answer for status, answer in sorted({**refused, **answers}.items())},
    }
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _answer(what: str, schema: Json, kind: str = "application/json") -> Json:
    return {"description": what, "content": {kind: {"schema": schema}}}


def _object(*, required: list[str] | None = None, **properties: Json) -> Json:
    found: Json = {"type": "object", "required": required or list(properties)}
    return {**found, "properties": properties} if properties else found


def _query(name: str, schema: Json, what: str) -> Json:
    return {"name": name, "in": "query", "required": False, "description": what, "schema": schema}
