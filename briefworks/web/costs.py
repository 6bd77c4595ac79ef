"""The route of what an article cost, summed up from its account; no prompt and no answer is in it."""

from __future__ import annotations

from typing import cast

import flask

from briefworks.account import AccountEntry
from briefworks.costs import PriceList, summed_up
from briefworks.stream import Store, started_rows
from briefworks.web.access import Access


def costs_routes(access: Access, store: Store, prices: PriceList) -> flask.Blueprint:
    """The blueprint; `prices` says where each model's price was found."""
    routes = flask.Blueprint("costs", __name__)
    access.protect(routes)

    @routes.get("/api/projects/<project_id>/articles/<article_id>/costs")
    def costs(project_id: str, article_id: str) -> flask.Response:
        rows = started_rows(store, project_id, article_id)
        entries = cast(list[AccountEntry], store.entries(project_id, article_id))
        return flask.jsonify(summed_up(project_id, article_id, entries, rows, prices))

    return routes
