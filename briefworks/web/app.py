"""The Flask app: Inngest's endpoint and the routes, wired to the parts they work with."""

from __future__ import annotations

import flask
import inngest.flask

from briefworks.asking import inngest_client
from briefworks.costs import price_list
from briefworks.loopback import check_json, check_origin
from briefworks.pipeline import Parts, article_function, ended_function
from briefworks.settings import Settings
from briefworks.web.access import Access, check_neighbour, secure
from briefworks.web.articles import article_routes
from briefworks.web.costs import costs_routes
from briefworks.web.events import stream_routes
from briefworks.web.health import health_routes
from briefworks.web.openapi import openapi_routes
from briefworks.web.page import page_routes
from briefworks.web.parts import build_parts
from briefworks.web.passages import passages_routes
from briefworks.web.problems import handle_problems
from briefworks.web.runs import run_routes
from briefworks.web.session import session_routes
from briefworks.web.supabase_js import supabase_js
from briefworks.web.watching import Watchers

SERVE_PATH = "/api/inngest"
WATCHERS = "briefworks.watchers"  # in `app.extensions`, for the server that closes them


def create_app(settings: Settings | None = None, parts: Parts | None = None) -> flask.Flask:
    """
    A WSGI app that serves everything.

    `settings` come from the environment; `parts` (model, search, pages, store) are built from them unless
    they are handed in. Raises `ConfigError` when the configuration cannot work.
    """
    app = flask.Flask("briefworks", static_folder=None)
    mount(app, settings, parts, home=True)
    handle_problems(app)
    app.after_request(secure)
    return app


def mount(
    app: flask.Flask,
    settings: Settings | None = None,
    parts: Parts | None = None,
    *,
    page: bool = True,
    home: bool = False,
) -> None:
    """
    Add `/api/inngest`, the routes of articles and, with `page`, the live page to an app of one's own.

    The page is at `/projects/…`; `home` puts it at `/` as well. Errors as in `create_app`.
    """
    settings = settings or Settings.load()
    parts = parts or build_parts(settings)
    access = Access(settings, parts.store)
    client = inngest_client(settings)
    watchers = app.extensions[WATCHERS] = Watchers(parts.store, settings.max_watchers)

    @app.before_request
    def guard_engine() -> None:
        # Never behind a key. Signed requests are the SDK's to check; in dev mode it checks nothing, so that
        # unsigned ones must come from this machine, and from no web page.
        if flask.request.path == SERVE_PATH and settings.inngest_dev:
            check_neighbour("INNGEST_DEV trusts everybody: set INNGEST_SIGNING_KEY in its place.")
            check_origin(
                *map(flask.request.headers.get, ("Origin", "Sec-Fetch-Site"))
            )  # not the host: an engine may know us by another name
            if flask.request.method == "POST":
                check_json("POST", flask.request.mimetype)

    inngest.flask.serve(app, client, [article_function(client, parts), ended_function(client, parts)])
    for routes in (
        article_routes(access, client, parts),
        passages_routes(access, parts.store),
        costs_routes(access, parts.store, price_list(settings.prices)),
        stream_routes(access, parts.store, watchers),
        session_routes(access, runs=bool(settings.inngest_dev)),
        openapi_routes(access),
        health_routes(access, client, settings, parts, watchers),
        *([run_routes(access, client, parts.store)] if settings.inngest_dev else []),
    ):
        handle_problems(routes)
        app.register_blueprint(routes)
    if page:
        runs = bool(settings.inngest_dev)
        app.register_blueprint(page_routes(home=home, runs=runs, supabase=supabase_js(settings)))
