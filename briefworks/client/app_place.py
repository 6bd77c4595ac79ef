"""An app as the place of a client: its routes, and its stream as server-sent events, else by polling."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, cast

from httpx_sse import EventSource, ServerSentEvent

from briefworks.account import ArticleCosts
from briefworks.client.app import App, error_of, is_stream, json_object, retry_after_s
from briefworks.client.place import PAGE, USUAL, ListedArticle, ListedPersona, Page, Timing
from briefworks.errors import UpstreamUnavailable
from briefworks.shapes import ArticleRequest, ArticleState


class AppPlace:
    """The routes of `app`."""

    def __init__(self, app: App) -> None:
        self._app, self.name = app, app.url

    def request(self, asked: ArticleRequest) -> bool:
        return self._app.ask("POST", "/api/articles", json=asked.event()["data"]).status_code == 200

    def feed(self, project_id: str, article_id: str | None, quiet_s: float) -> AppFeed:
        return AppFeed(self._app, project_id, article_id, quiet_s)

    def article(self, project_id: str, article_id: str) -> ArticleState:
        return cast(ArticleState, self._app.json(_path(project_id, article_id), "status", "seq"))

    def costs(self, project_id: str, article_id: str) -> ArticleCosts:
        found = self._app.json(_path(project_id, article_id) + "/costs", "total", "runs", "entries")
        return cast(ArticleCosts, found)

    def articles(self, project_id: str, before: str | None) -> tuple[list[ListedArticle], str | None]:
        params = {} if before is None else {"before": before}
        page = self._app.json(f"/api/projects/{project_id}/articles", "articles", "next", params=params)
        return page["articles"], page["next"]

    def markdown(self, project_id: str, article_id: str) -> str:
        return self._app.ask("GET", _path(project_id, article_id) + ".md").text

    def cancel(self, project_id: str, article_id: str) -> None:
        self._app.ask("POST", _path(project_id, article_id) + "/cancel", json={})

    def delete(self, project_id: str, article_id: str) -> None:
        self._app.ask("DELETE", _path(project_id, article_id))

    def personas(self) -> list[ListedPersona]:
        found: list[ListedPersona] = self._app.json("/api/personas", "personas")["personas"]
        return found

    def close(self) -> None:
        self._app.close()


class AppFeed:
    """Messages of one connection, or one polled page; the reader asks again for more."""

    def __init__(
        self,
        app: App,
        project_id: str,
        article_id: str | None,
        quiet_s: float,
        timing: Timing = USUAL,
    ) -> None:
        self._app, self._quiet_s, self._timing = app, quiet_s, timing
        self._path = f"/api/projects/{project_id}/stream"
        self._article = {} if article_id is None else {"article": article_id}
        self._sse_at, self._sse_again_s = 0.0, timing.sse_again_s  # poll until then

    def pages(self, after: int) -> Generator[Page, None, None]:
        params = {"after": str(after), **self._article}
        return self._poll(after, params) if time.monotonic() < self._sse_at else self._listen(params)

    def close(self) -> None:
        """Each connection ends with the reading of it."""

    def _poll(self, after: int, params: dict[str, str]) -> Generator[Page, None, None]:
        """One page, and a pause when there is no more."""
        page = self._app.json(self._path, *PAGE, params=params)
        yield page
        if not after < page["upto"] < page["head"]:
            time.sleep(self._timing.poll_s)

    def _listen(self, params: dict[str, str]) -> Generator[Page, None, None]:
        """Messages as they come; `UpstreamUnavailable` when they end."""
        with self._app.open(
            "GET", self._path, "text/event-stream", quiet_s=self._quiet_s, params=params
        ) as response:
            if response.status_code == 503:
                self._sse_at = time.monotonic() + retry_after_s(response, self._timing.full_s)
                return
            if not response.is_success:
                raise error_of(response)
            # Unless a message comes: an answer that is no stream, or one that something keeps back.
            self._sse_at = time.monotonic() + self._sse_again_s
            self._sse_again_s = min(2 * self._sse_again_s, self._timing.most_s)
            if not is_stream(response):
                return
            for message in EventSource(response).iter_sse():
                if (page := _page_of(message)) is not None:
                    self._sse_at, self._sse_again_s = 0.0, self._timing.sse_again_s
                    yield page
        raise UpstreamUnavailable("The app ended the connection.")


def _path(project_id: str, article_id: str) -> str:
    return f"/api/projects/{project_id}/articles/{article_id}"


def _page_of(message: ServerSentEvent) -> dict[str, Any] | None:
    """The page in a message; an id alone says that nothing up to there is for us."""
    if message.event == "rows":
        return json_object(message.data, *PAGE)
    if message.event in ("", "message") and not message.data and message.id.isdecimal():
        return {"rows": [], "head": int(message.id), "upto": int(message.id)}
    return None
