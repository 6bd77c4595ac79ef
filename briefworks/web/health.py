"""`GET /healthz`: what is configured and reachable, without secrets."""

from __future__ import annotations

import flask
import inngest

from briefworks import engines
from briefworks.errors import BriefworksError
from briefworks.pipeline import Parts
from briefworks.settings import Settings
from briefworks.web.access import Access
from briefworks.web.watching import Watchers


def health_routes(
    access: Access, client: inngest.Inngest, settings: Settings, parts: Parts, watchers: Watchers
) -> flask.Blueprint:
    """200 when articles can be written, 503 when the store or the engine does not answer."""
    routes = flask.Blueprint("health", __name__)
    access.protect(routes, is_open=True)

    @routes.get("/healthz")
    def healthz() -> tuple[flask.Response, int]:
        store, engine = _store_answers(parts), _engine_answers(client)
        body = {
            "ok": store and engine,
            "store": store,
            "engine": engine,
            "model": settings.model,
            "search": parts.search.provider,
            "watchers": {"now": watchers.count, "most": settings.max_watchers},
        }
        return flask.jsonify(body), 200 if body["ok"] else 503

    return routes


def _store_answers(parts: Parts) -> bool:
    try:
        parts.store.read("healthz", limit=1)
    except BriefworksError:
        return False
    return True


def _engine_answers(client: inngest.Inngest) -> bool:
    """Whether anything answers where events are sent."""
    try:
        engines.health(client.event_api_origin)
    except BriefworksError:
        return False
    return True
