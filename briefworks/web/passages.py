"""The route of what backs a finished article: its sentences, and the stored passages of what they cite."""

from __future__ import annotations

import flask

from briefworks.errors import NotFound
from briefworks.phases.passages import ArticlePassages, Told, passages
from briefworks.shapes import Research
from briefworks.stream import Store, finished
from briefworks.web.access import Access


def passages_routes(access: Access, store: Store) -> flask.Blueprint:
    """The blueprint; a page's text leaves the store only as passages of what is cited."""
    routes = flask.Blueprint("passages", __name__)
    access.protect(routes)

    @routes.get("/api/projects/<project_id>/articles/<article_id>/passages")
    def look(project_id: str, article_id: str) -> flask.Response:
        started, research, polished = finished(store, project_id, article_id)
        language = started["language"]
        cited = {source["source_id"] for source in polished["sources"]}
        told = _told(store, project_id, research, cited, language) if research else {}
        found: ArticlePassages = {
            "v": 1,
            "project_id": project_id,
            "article_id": article_id,
            "gone": sorted(cited - told.keys()),
            "sentences": [
                sentence
                for section in polished["sections"]
                for sentence in passages(section["n"], section["markdown"], told, language)
            ],
        }
        return flask.jsonify(found)

    return routes


def _told(
    store: Store, project_id: str, research: Research, cited: set[str], language: str
) -> dict[str, Told]:
    """The cited pages whose text is still there."""
    found = {}
    for page in research["pages"]:
        if page["source_id"] in cited and page["snapshot_id"] is not None:
            try:
                text = store.snapshot(project_id, page["snapshot_id"])
            except NotFound:
                continue
            found[page["source_id"]] = Told(text, language)
    return found
