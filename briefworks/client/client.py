"""`Client`: ask for articles, follow them, fetch them; small, in httpx's manner."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

import httpx
from ulid import ULID

from briefworks.account import ArticleCosts
from briefworks.client.app import ApiKey, App
from briefworks.client.app_place import AppPlace
from briefworks.client.follower import Follower
from briefworks.client.place import ListedArticle, ListedPersona, Place
from briefworks.errors import BriefworksError, RateLimited, RequestInvalid, UpstreamUnavailable
from briefworks.shapes import ArticleRequest, ArticleState, StreamRow, check_id

ASK_AGAIN_S = (0.2, 0.8, 1.5)  # after an unclear answer
MOST_WAIT_S = 10.0


@dataclass(frozen=True)
class Asked:
    """An article that was asked for; `existed` says that it had begun before."""

    project_id: str
    article_id: str
    existed: bool


class Client:
    """
    An app at `base_url`: a context manager, safe to share between threads.

    `api_key` is needed where the app has keys; a Supabase user's token is one too, and a callable gives the
    current one for each request. `http_client` brings proxies, certificates or transports of
    your own, and stays yours to close. Every method raises our errors only: `Unauthorized`, `NotFound`,
    `RequestInvalid` …, and `UpstreamUnavailable` when the app cannot be reached.
    """

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8000",
        *,
        api_key: ApiKey = None,
        timeout_s: float = 30.0,
        http_client: httpx.Client | None = None,
    ) -> None:
        self._place: Place = AppPlace(App(base_url, api_key, timeout_s, http_client))

    @classmethod
    def from_env(cls, *, access_token: Callable[[], str] | None = None) -> Self:
        """
        A client without an app: it asks through Inngest, and reads and follows Supabase straight.

        Settings come from the environment and .env: SUPABASE_URL and SUPABASE_SECRET_KEY, and to ask for
        articles INNGEST_EVENT_KEY (or INNGEST_DEV). In a user's hands SUPABASE_PUBLISHABLE_KEY and
        `access_token`, which gives his current token whenever it is called, from any thread; he reads the
        projects that he is a member of, and may not cancel, erase or see costs (`Forbidden`). Raises
        `ConfigError` that names what is missing.
        """
        from briefworks.client.supabase_place import SupabasePlace  # noqa: PLC0415  # loads Supabase, Inngest
        from briefworks.settings import Settings  # noqa: PLC0415

        client = cls.__new__(cls)
        client._place = SupabasePlace(Settings.load(), access_token)
        return client

    def __repr__(self) -> str:
        return f"Client({self._place.name!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless `http_client` brought them."""
        self._place.close()

    def request_article(self, request: ArticleRequest) -> Asked:
        """
        Ask for an article, once: what the app does not answer clearly is asked again with the same id.

        The id is `request.article_id`, else a new one. After the last attempt the error's hint says the id,
        so that you can ask again with it. Raises `Conflict` when it is the id of another request.
        """
        if request.article_id is None:
            request = request.model_copy(update={"article_id": str(ULID())})
        article_id = str(request.article_id)
        for wait_s in (*ASK_AGAIN_S, None):
            try:
                return Asked(request.project_id, article_id, existed=self._place.request(request))
            except UpstreamUnavailable as error:
                told_s = error.retry_after_s if isinstance(error, RateLimited) else 0.0
                if wait_s is None or told_s > MOST_WAIT_S:
                    if not isinstance(error.__cause__, httpx.ConnectError):  # it may have been heard
                        error.hint = f"{error.hint} The article's id is {article_id}."
                    raise
                time.sleep(max(wait_s, told_s))
        raise AssertionError("unreachable: the last attempt raises")

    def follow(
        self,
        project_id: str,
        after: int = 0,
        *,
        article_id: str | None = None,
        quiet_s: float = 45.0,
        patience_s: float = 120.0,
        on_trouble: Callable[[BriefworksError], None] | None = None,
    ) -> Iterator[StreamRow]:
        """
        Yield the rows with `seq > after`, then each new one as it is written.

        Rows come in the order of `seq`, without gap or repeat, however often the connection breaks; holes are
        what finished steps have dropped. With `article_id` only its rows come, and it ends with the run. One
        thing begins anew: when the app has lost rows that were seen (its store was replaced), all that it has
        now is yielded from the start. So a `seq` that is not above the one before means: empty your state.

        `quiet_s` is how many seconds of silence are believed: then the connection to an app is dead, and
        Supabase is asked what there is (at least every 12 s). What breaks is tried again for `patience_s`
        seconds (8 at the most before the first answer), and `on_trouble` hears of it from the second failure
        in a row on; then `UpstreamUnavailable` is raised. An empty stream is not an error: it is waited for.
        """
        _check(project_id, article_id)
        if after < 0:
            raise RequestInvalid("after: a whole number from 0", field="after")
        feed = self._place.feed(project_id, article_id, quiet_s)
        look = None if article_id is None else partial(self._place.article, project_id, article_id)
        return Follower(feed, look, after, patience_s, on_trouble).rows()

    def article(self, project_id: str, article_id: str) -> ArticleState:
        """What the article's rows add up to now; `NotStarted` before its first one."""
        _check(project_id, article_id)
        return self._place.article(project_id, article_id)

    def costs(self, project_id: str, article_id: str) -> ArticleCosts:
        """What the article cost, request by request and summed up; `NotStarted` before its first row."""
        _check(project_id, article_id)
        return self._place.costs(project_id, article_id)

    def articles(self, project_id: str) -> Iterator[ListedArticle]:
        """The project's articles, the one begun last first; pages are fetched as they are needed."""
        _check(project_id)
        before: str | None = None
        while True:
            page, before = self._place.articles(project_id, before)
            yield from page
            if not before:
                return

    def markdown(self, project_id: str, article_id: str) -> str:
        """The finished article; `NotFound` before it is finished."""
        _check(project_id, article_id)
        return self._place.markdown(project_id, article_id)

    def cancel(self, project_id: str, article_id: str) -> None:
        """Stop the run, also one that has not begun; `Conflict` when it has ended."""
        _check(project_id, article_id)
        self._place.cancel(project_id, article_id)

    def delete(self, project_id: str, article_id: str) -> None:
        """Erase the article and all its rows; a living run is cancelled. Nothing there is no error."""
        _check(project_id, article_id)
        self._place.delete(project_id, article_id)

    def personas(self) -> list[ListedPersona]:
        """The voices that there are."""
        return self._place.personas()


def _check(project_id: str, article_id: str | None = None) -> None:
    """Said here already: an id is part of the path."""
    check_id("project_id", project_id)
    if article_id is not None:
        check_id("article_id", article_id)
