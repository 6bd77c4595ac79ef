"""What the app answers, as OpenAPI 3.1; docs/openapi.json is this, by `python docs/openapi_file.py`."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
_DATE: Json = {"type": "string", "format": "date-time"}
_ONE = "/api/projects/{project_id}/articles/{article_id}"
READS, WRITES = (400, 401, 403, 404, 503), (400, 401, 403, 404, 409, 413, 415, 503)
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
        "paths": _paths(),
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


class _Paths(dict[str, Json]):
    """Operations by path and method."""

    def add(
        self,
        asked: str,
        summary: str,
        answers: dict[int, Json],
        problems: tuple[int, ...] = READS,
        *,
        queries: Sequence[Json] = (),
        body: Json | None = None,
    ) -> None:
        """`asked` is a method and a path; what the path names are ids."""
        method, path = asked.split(" ")
        problem = {"application/problem+json": {"schema": _shape("Problem")}}
        refused = {status: {"description": WHY[status], "content": problem} for status in problems}
        operation: Json = {
            "summary": summary,
            "responses": {str(status): answer for status, answer in sorted({**refused, **answers}.items())},
        }
        ids = [
            {"name": name, "in": "path", "required": True, "schema": _ID}
            for name in re.findall(r"{(\w+)}", path)
        ]
        if ids or queries:
            operation["parameters"] = [*ids, *queries]
        if body:
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        self.setdefault(path, {})[method.lower()] = operation


def _paths() -> _Paths:
    paths = _Paths()
    for group in (_articles, _runs, _projects, _others):
        group(paths)
    return paths


def _articles(paths: _Paths) -> None:
    asked = _object(articleId=_ID, projectId=_ID, stream=_TEXT)
    page = [
        _query("download", _TEXT, "1: with a file's name"),
        _query("provenance", _TEXT, "1: with a closing section on how it was made"),
    ]
    paths.add(
        "POST /api/articles",
        "Ask for an article",
        {202: _answer("Asked", asked), 200: _answer("It was asked for before", asked)},
        WRITES,
        body=_shape("ArticleRequest"),
    )
    paths.add(
        f"GET {_ONE}",
        "The article as its rows add up now",
        {200: _answer("The state", _shape("ArticleState"))},
    )
    paths.add(
        f"DELETE {_ONE}",
        "Erase the article; a run of it, living or queued, is over",
        {204: {"description": "It is not there"}},
    )
    for ending, what, kind in (("md", "Markdown", "text/markdown"), ("html", "A document", "text/html")):
        paths.add(
            f"GET {_ONE}.{ending}", "The finished article", {200: _answer(what, _TEXT, kind)}, queries=page
        )
    paths.add(
        f"GET {_ONE}/costs",
        "What it cost: each request to the model, and what they add up to",
        {200: _answer("The account", _shape("ArticleCosts"))},
    )
    paths.add(
        f"GET {_ONE}/passages",
        "Its sentences, each with the stored passages of the sources that it cites",
        {200: _answer("What backs it", _shape("ArticlePassages"))},
    )
    paths.add(
        f"POST {_ONE}/cancel",
        "End the run, also before it has begun",
        {202: _answer("It ends", _object(projectId=_ID, articleId=_ID))},
        WRITES,
        body={"type": "object"},
    )


def _runs(paths: _Paths) -> None:
    """Served with a local engine only."""
    again = {"runId": _TEXT, "from": _TEXT, "anew": {"type": "boolean"}}
    paths.add(
        f"GET {_ONE}/runs",
        "The article's runs at a local engine",
        {200: _answer("The newest of them", _object(runs={"type": "array"}))},
    )
    paths.add(
        f"POST {_ONE}/replay",
        "Run one of them once more, at a local engine",
        {202: _answer("The new run", _object(runId=_TEXT))},
        WRITES,
        body=_object(required=["runId"], **again),
    )


def _projects(paths: _Paths) -> None:
    rows = _object(rows={"type": "array", "items": {"type": "object"}}, head=_COUNT, upto=_COUNT)
    stream = _answer("A page of rows", rows)
    stream["content"]["text/event-stream"] = {"schema": _TEXT}
    listed = _object(
        articles={"type": "array", "items": {"type": "object"}}, next={"type": ["string", "null"]}
    )
    paths.add(
        "GET /api/projects/{project_id}/stream",
        "Follow a project or an article: events, or with Accept: application/json a page",
        {200: stream},
        queries=[
            _query("after", {**_COUNT, "maximum": 2**53}, "the rows beyond it"),
            _query("article", _ID, "of this article only"),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, "rows at once"),
            {**_query("Last-Event-ID", _COUNT, "wins over `after`, for events"), "in": "header"},
        ],
    )
    paths.add(
        "GET /api/projects/{project_id}/articles",
        "The project's articles, newest first",
        {200: _answer("A page of them; `next` is the next `before`", listed)},
        queries=[
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 200}, "articles at once"),
            _query("before", _DATE, "those started earlier"),
        ],
    )


def _others(paths: _Paths) -> None:
    session = _object(
        login={"type": "boolean"}, projects={"type": ["array", "string"]}, runs={"type": "boolean"}
    )
    key = {**_object(key=_TEXT), "additionalProperties": False}
    health = _object(ok={"type": "boolean"})
    paths.add(
        "GET /api/personas", "The voices", {200: _answer("All of them", _object(personas={"type": "array"}))}
    )
    paths.add(
        "GET /api/measures",
        "What the scorecard measures, with definitions and bands",
        {200: _answer("All of them", _object(measures={"type": "array"}))},
        (401, 403),
    )
    paths.add("GET /api/session", "What this caller may see", {200: _answer("The session", session)}, (403,))
    paths.add(
        "POST /api/session",
        "Keep a key in a cookie",
        {204: {"description": "Kept"}},
        (400, 401, 403, 413, 415),
        body=key,
    )
    paths.add("DELETE /api/session", "Forget the cookie", {204: {"description": "Forgotten"}}, (403,))
    paths.add(
        "GET /api/openapi.json", "This description", {200: _answer("OpenAPI 3.1", {"type": "object"})}, (403,)
    )
    paths.add(
        "GET /healthz",
        "What is configured and reachable",
        {200: _answer("All answers", health), 503: _answer("Something does not", health)},
        (403,),
    )
    engine = {"summary": "Inngest's", "security": [], "responses": {"default": {"description": "Its own"}}}
    paths["/api/inngest"] = dict.fromkeys(("get", "post", "put"), engine)


def _answer(what: str, schema: Json, kind: str = "application/json") -> Json:
    return {"description": what, "content": {kind: {"schema": schema}}}


def _object(*, required: list[str] | None = None, **properties: Json) -> Json:
    found: Json = {"type": "object", "required": required or list(properties)}
    return {**found, "properties": properties} if properties else found


def _shape(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(name: str, schema: Json, what: str) -> Json:
    return {"name": name, "in": "query", "required": False, "description": what, "schema": schema}
