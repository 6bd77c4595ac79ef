"""An engine asked over HTTP: whether it is there and, of a local one, its runs and one of them once more."""

from __future__ import annotations

from typing import Any

import httpx

from briefworks.errors import BriefworksError, Conflict, EngineUnavailable, NotFound, RequestInvalid

_REFUSALS: dict[int, type[BriefworksError]] = {400: RequestInvalid, 404: NotFound, 409: Conflict}


def health(url: str) -> dict[str, Any]:
    """
    What an engine says of itself; nothing if it has no such page, as Inngest's cloud.

    Raises `EngineUnavailable` when nobody answers.
    """
    try:
        answer = httpx.get(f"{url}/health", timeout=3, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise EngineUnavailable(f"{url} does not answer ({type(error).__name__}).") from None
    if answer.status_code >= 500:
        raise EngineUnavailable(f"{url} answers with status {answer.status_code}.")
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


class LocalEngine:
    """
    The runs that a local engine knows.

    Raises what it refuses a request with, and `EngineUnavailable` when it does not answer as such an engine.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def run(self, run_id: str) -> dict[str, Any]:
        return dict(self._ask("GET", f"/v2/runs/{run_id}"))

    def trace(self, run_id: str) -> dict[str, Any]:
        """The run as a span, its steps as `children`."""
        return dict(self._ask("GET", f"/v2/runs/{run_id}/trace")["rootSpan"])

    def rerun(self, run_id: str, body: dict[str, Any]) -> str:
        """The id of the new run; `replay.replay_request` makes the body."""
        return str(self._ask("POST", f"/v2/runs/{run_id}/rerun", json=body)["runId"])

    def prune(self, older_than: str) -> int:
        """How many runs, ended longer ago than that, the executor has forgotten."""
        said = self._ask("DELETE", "/v1/runs", timeout_s=60, params={"older_than": older_than})
        return int(said["pruned"])

    def _ask(self, method: str, path: str, *, timeout_s: float = 10, **request: Any) -> Any:
        try:
            answer = httpx.request(method, self._url + path, timeout=timeout_s, trust_env=False, **request)
            said = answer.json()
            if answer.status_code == 200:
                return said["data"]
            message = str(said["error"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            raise EngineUnavailable("The engine does not answer, or not as a local one.") from None
        raise _REFUSALS.get(answer.status_code, EngineUnavailable)(message)
