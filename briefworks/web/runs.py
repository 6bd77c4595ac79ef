"""The runs of an article at a local engine, and their replay; not in production."""

from __future__ import annotations

from typing import Any

import flask
import httpx
import inngest

from briefworks.errors import BriefworksError, Conflict, EngineUnavailable, NotFound, RequestInvalid
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
    engine = _Engine(client.api_origin)

    @routes.get(f"{ARTICLE}/runs")
    def runs(project_id: str, article_id: str) -> flask.Response:
        found = _runs_of(store, project_id, article_id)[:RUNS_SHOWN]
        return flask.jsonify({"runs": [engine.shown(run_id) for run_id in found]})

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


class _Engine:
    """What the page needs of a local engine: its /v2 runs."""

    def __init__(self, origin: str) -> None:
        self._origin = origin.rstrip("/")

    def run(self, run_id: str) -> dict[str, Any]:
        return dict(self._ask("GET", f"/v2/runs/{run_id}"))

    def trace(self, run_id: str) -> dict[str, Any]:
        """The run as a span, its steps as `children`."""
        return dict(self._ask("GET", f"/v2/runs/{run_id}/trace")["rootSpan"])

    def rerun(self, run_id: str, body: dict[str, Any]) -> str:
        return str(self._ask("POST", f"/v2/runs/{run_id}/rerun", body)["runId"])

    def shown(self, run_id: str) -> dict[str, Any]:
        """A run with its steps; one that the engine no longer knows has neither."""
        try:
            run, root = self.run(run_id), self.trace(run_id)
            known = {key: run.get(key) for key in ("id", "status", "startedAt", "endedAt")}
            return known | {"error": root.get("error") or "", "steps": root.get("children") or []}
        except NotFound:
            return {
                "id": run_id,
                "status": "FORGOTTEN",
                "startedAt": None,
                "endedAt": None,
                "error": "",
                "steps": [],
            }

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = httpx.request(method, self._origin + path, json=body, timeout=10, trust_env=False)
            said = answer.json()
            if answer.status_code == 200:
                return said["data"]
            message = str(said["error"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            raise EngineUnavailable("The engine does not answer as one that can replay runs.") from None
        kinds: dict[int, type[BriefworksError]] = {400: RequestInvalid, 404: NotFound, 409: Conflict}
        raise kinds.get(answer.status_code, EngineUnavailable)(message)


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
