"""The runs of an article at a local engine, and their replay; not in production."""

from __future__ import annotations

from typing import Any

import flask
import inngest

from briefworks.engines import LocalEngine
from briefworks.errors import Conflict, NotFound, RequestInvalid
from briefworks.replay import ARTICLE_FN, replay_request
from briefworks.stream import Store, rows_of
from briefworks.web import asked
from briefworks.web.access import Access

RUNS_SHOWN = 10
ARTICLE = "/api/projects/<project_id>/articles/<article_id>"


def run_routes(access: Access, client: inngest.Inngest, store: Store) -> flask.Blueprint:
    """What static/run.js asks for; `client` knows where the engine is, `store` which runs an article had."""
    routes = flask.Blueprint("runs", __name__)
    access.protect(routes)
    engine = LocalEngine(client.api_origin)

    @routes.get(f"{ARTICLE}/runs")
    def runs(project_id: str, article_id: str) -> flask.Response:
        found = _runs_of(store, project_id, article_id)[:RUNS_SHOWN]
        return flask.jsonify({"runs": [_shown(engine, run_id) for run_id in found]})

    @routes.post(f"{ARTICLE}/replay")
    def replay(project_id: str, article_id: str) -> tuple[flask.Response, int]:
        run_id, from_step, anew = _asked()
        found = _runs_of(store, project_id, article_id)
        if run_id not in found:
            raise NotFound(f"Article {article_id!r} has no run {run_id!r}.")
        run, steps = engine.run(run_id), engine.trace(run_id).get("children") or []
        if engine.run(found[0])["status"] == "RUNNING":
            raise Conflict(
                "The article's newest run is still running.", hint="Wait for its end, or cancel it."
            )
        names = [step["name"] for step in steps]
        body = replay_request(ARTICLE_FN, run["status"], names, from_step, anew=anew)
        return flask.jsonify({"runId": engine.rerun(run_id, body)}), 202

    return routes


def _shown(engine: LocalEngine, run_id: str) -> dict[str, Any]:
    """A run with its steps; one that the engine no longer knows has neither."""
    try:
        run, root = engine.run(run_id), engine.trace(run_id)
    except NotFound:
        run, root = {"id": run_id, "status": "FORGOTTEN"}, {}
    known = {key: run.get(key) for key in ("id", "status", "startedAt", "endedAt")}
    return known | {"error": root.get("error") or "", "steps": root.get("children") or []}


def _runs_of(store: Store, project_id: str, article_id: str) -> list[str]:
    """The runs that the article had, newest first."""
    rows = rows_of(store, project_id, article_id)
    found = dict.fromkeys(row["run_id"] for row in reversed(rows) if row["event"] == "run-started")
    if not found:
        raise NotFound(f"Article {article_id!r} has no run.")
    return list(found)


def _asked() -> tuple[str, str | None, bool]:
    said = asked.json_body()
    said = said if isinstance(said, dict) else {}
    run_id, step, anew = said.get("runId"), said.get("from"), said.get("anew", False)
    if not isinstance(run_id, str):
        raise RequestInvalid("runId must be the id of a run.", field="runId")
    if step is not None and (not isinstance(step, str) or not step):
        raise RequestInvalid("from must be the name of a step.", field="from")
    if not isinstance(anew, bool):
        raise RequestInvalid("anew must be true or false.", field="anew")
    return run_id, step, anew
