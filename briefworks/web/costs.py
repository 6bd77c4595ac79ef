"""The route of what an article cost, summed up from its account; no prompt and no answer is in it."""

from __future__ import annotations

import flask

from briefworks.costs import PriceList
from briefworks.stream import Store, costs_of
from briefworks.web.access import Access


def costs_routes(access: Access, store: Store, prices: PriceList) -> flask.Blueprint:
    """The blueprint; `prices` says where each model's price was found."""
    routes = flask.Blueprint("costs", __name__)
    access.protect(routes)

    @routes.get("/api/projects/<project_id>/articles/<article_id>/costs")
    def costs(project_id: str, article_id: str) -> flask.Response:
        return flask.jsonify(costs_of(store, project_id, article_id, prices))

    return routes
