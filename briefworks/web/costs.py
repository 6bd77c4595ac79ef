"""The route of what an article cost, summed up from its account; no prompt and no answer is in it."""

from __future__ import annotations

from typing import cast

import flask

from briefworks.account import AccountEntry
from briefworks.costs import PriceList, summed_up
from briefworks.errors import NotStarted
from briefworks.stream import Store, rows_of
from briefworks.web.access import Access


def costs_routes(access: Access, store: Store, prices: PriceList) -> flask.Blueprint:
    """The blueprint; `prices` says where each model's price was found."""
    routes = flask.Blueprint("costs", __name__)
    access.protect(routes)

    @routes.get("/api/projects/<project_id>/articles/<article_id>/costs")
    def costs(project_id: str, article_id: str) -> flask.Response:
        rows = rows_of(store, project_id, article_id)
        if not rows:
            raise NotStarted(f"Article {article_id!r} has not started, or was never asked for.")
        entries = cast(list[AccountEntry], store.entries(project_id, article_id))
        return flask.jsonify(summed_up(project_id, article_id, entries, rows, prices))

    return routes
