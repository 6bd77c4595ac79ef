"""What a client speaks to: a place where articles are asked for and read, and its feeds of rows."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict

from briefworks.account import ArticleCosts
from briefworks.errors import BriefworksError
from briefworks.shapes import ArticleRequest, ArticleState

Page = dict[str, Any]  # {rows, head, upto}; its rows are the article's, or the project's
PAGE = ("rows", "head", "upto")


class ListedArticle(TypedDict):
    article_id: str
    keyword: str
    persona: str
    status: str
    title: str
    started_at: str
    updated_at: str


class ListedPersona(TypedDict):
    name: str
    description: str


@dataclass(frozen=True)
class Timing:
    """How long is waited, in seconds."""

    waits_s: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)  # between attempts, the last one from then on
    poll_s: float = 2.0
    full_s: float = 5.0  # no place among the watchers: poll that long, if the answer does not say
    sse_again_s: float = 30.0  # a stream that brought nothing: likewise, twice as long each time
    most_s: float = 600.0
    first_s: float = 8.0  # the patience before anything was heard: it is more likely the wrong address
    check_s: float = 12.0  # so often the head is looked at: what Realtime dropped is there within 15 s
    renew_s: float = 60.0  # so long before it is over the next token is asked for


USUAL = Timing()


class Feed(Protocol):
    """The rows of a project, or of one article: as they are written, else by polling."""

    def pages(self, after: int) -> Generator[Page | BriefworksError, None, None]:
        """
        Pages from `after` on, each beginning where the one before ended; when that breaks, one of our errors.

        An error that is yielded is a trouble that is being dealt with.
        """

    def close(self) -> None:
        """Leave nothing behind."""


class Place(Protocol):
    """An app, or a Supabase project with an engine; errors are ours."""

    name: str  # without a secret

    def request(self, asked: ArticleRequest) -> bool:
        """Ask for the article, which has an id; whether it had begun before."""

    def feed(self, project_id: str, article_id: str | None, quiet_s: float) -> Feed: ...

    def article(self, project_id: str, article_id: str) -> ArticleState: ...

    def costs(self, project_id: str, article_id: str) -> ArticleCosts: ...

    def articles(self, project_id: str, before: str | None) -> tuple[list[ListedArticle], str | None]:
        """A page of them, and the `before` of the next one."""

    def markdown(self, project_id: str, article_id: str) -> str: ...

    def cancel(self, project_id: str, article_id: str) -> None: ...

    def delete(self, project_id: str, article_id: str) -> None: ...

    def personas(self) -> list[ListedPersona]: ...

    def close(self) -> None: ...
