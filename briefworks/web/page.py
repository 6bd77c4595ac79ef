"""The live page and that of the runs: one document each for every address, and the files they are made of."""

from __future__ import annotations

from pathlib import Path

import flask

from briefworks.shapes import is_id
from briefworks.web.supabase_js import SCRIPT, SupabaseJs

STATIC = Path(__file__).parent.parent / "static"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src {script}; style-src 'self'; img-src 'self' data:; connect-src {connect};"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # asked for again each time, by ETag: an update is seen at once
}


def page_routes(*, home: bool, runs: bool = False, supabase: SupabaseJs | None = None) -> flask.Blueprint:
    """
    The blueprint, with `/` if `home`; with `supabase` the page signs in and follows by it.

    With `runs` there is another document: it draws the runs of an article at a local engine. Neither holds
    anything of anybody's: what a page shows it asks the API for.
    """
    routes = flask.Blueprint("page", __name__)
    head = supabase.meta if supabase else ""
    policy = _POLICY.format(
        script=f"'self' {SCRIPT}" if supabase else "'self'",
        connect=f"'self' {supabase.connect}" if supabase else "'self'",
    )

    @routes.after_request
    def secure(response: flask.Response) -> flask.Response:
        response.headers.update(_HEADERS)
        response.headers["Content-Security-Policy"] = policy
        return response

    @routes.get("/projects/<project_id>")
    @routes.get("/projects/<project_id>/articles/<article_id>")
    def page(project_id: str = "-", article_id: str = "-") -> flask.Response:
        response = _file("index.html", "text/html", head)
        if not (is_id(project_id) and is_id(article_id)):
            response.status_code = 404  # and the document says so
        return response

    if home:
        routes.add_url_rule("/", view_func=page)
    if runs:

        @routes.get("/projects/<_project_id>/articles/<_article_id>/run")
        def run_page(**_address: str) -> flask.Response:
            return _file("run.html", "text/html", head)

    @routes.get("/briefworks/<name>")
    def asset(name: str) -> flask.Response:
        kind = _KINDS.get(Path(name).suffix)
        if kind is None or name not in {path.name for path in STATIC.iterdir()}:
            flask.abort(404)
        return _file(name, kind)

    return routes


def _file(name: str, kind: str, head: str = "") -> flask.Response:
    """The file, with an element more in its head."""
    content = (STATIC / name).read_bytes().replace(b"</head>", f"{head}</head>".encode(), 1 if head else 0)
    response = flask.Response(content, mimetype=kind)
    response.add_etag()
    return response.make_conditional(flask.request)  # type: ignore[return-value]  # it is this response
