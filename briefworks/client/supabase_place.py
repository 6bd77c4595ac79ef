"""A Supabase project and an Inngest engine as the place of a client, without an app in between."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import cached_property
from typing import Any, cast
from weakref import WeakSet

import inngest

from briefworks import asking, personas
from briefworks.account import ArticleCosts
from briefworks.client.ear import MEMBER_HINT, Ear
from briefworks.client.place import USUAL, ListedArticle, ListedPersona, Page, Timing
from briefworks.costs import price_list
from briefworks.errors import BriefworksError, ConfigError, Forbidden, Unauthorized, UpstreamUnavailable
from briefworks.settings import Settings
from briefworks.shapes import ArticleRequest, ArticleState
from briefworks.stores.supabase import RENEW_HINT, SupabaseReader, SupabaseStore
from briefworks.stream import Store, costs_of, finished, state_of

LISTED = 50
APP_HINT = "Use Client(url): the app reads its own store."


class SupabasePlace:
    """
    What `settings` name: with the secret key, or as the user whose current token `access_token` gives.

    `ConfigError` says which setting is missing; the engine's are needed by who asks, not by who reads.
    """

    def __init__(
        self, settings: Settings, access_token: Callable[[], str] | None = None, timing: Timing = USUAL
    ) -> None:
        self.name, self._key = _needed(settings, access_token is not None)
        self._settings, self._timing = settings, timing
        self._token = None if access_token is None else _checked(access_token)
        self._store: SupabaseStore | SupabaseReader = (
            SupabaseStore(self.name, self._key)
            if self._token is None
            else SupabaseReader(self.name, self._key, self._token)
        )
        self._ears: WeakSet[Ear] = WeakSet()

    @cached_property
    def _engine(self) -> inngest.Inngest:
        return asking.inngest_client(self._settings, serves=False)

    def request(self, asked: ArticleRequest) -> bool:
        personas.load(asked.persona, self._settings.personas_dir)
        return asking.request(self._store, self._engine, asked)

    def feed(self, project_id: str, article_id: str | None, quiet_s: float) -> ChannelFeed:
        timing = replace(self._timing, check_s=min(self._timing.check_s, quiet_s))
        ear = Ear(self.name, self._key, self._token, project_id, timing)
        self._ears.add(ear)
        return ChannelFeed(self._store, ear, project_id, article_id, as_user=self._token is not None)

    def article(self, project_id: str, article_id: str) -> ArticleState:
        return state_of(self._store, project_id, article_id)

    def costs(self, project_id: str, article_id: str) -> ArticleCosts:
        return costs_of(self._store, project_id, article_id, price_list(self._settings.prices))

    def articles(self, project_id: str, before: str | None) -> tuple[list[ListedArticle], str | None]:
        found = cast("list[ListedArticle]", self._store.articles(project_id, LISTED + 1, before))
        return found[:LISTED], found[LISTED - 1]["started_at"] if len(found) > LISTED else None

    def markdown(self, project_id: str, article_id: str) -> str:
        return finished(self._store, project_id, article_id).polished["markdown"]

    def cancel(self, project_id: str, article_id: str) -> None:
        asking.cancel(self._store, self._engine, project_id, article_id)

    def delete(self, project_id: str, article_id: str) -> None:
        asking.erase(self._store, self._engine, project_id, article_id)

    def personas(self) -> list[ListedPersona]:
        found = personas.usable(self._settings.personas_dir)
        return [{"name": one.name, "description": one.description} for one in found]

    def close(self) -> None:
        for ear in list(self._ears):
            ear.close()
        self._store.close()


class ChannelFeed:
    """Rows as the channel says them; the table, whenever it may have said less than there is."""

    def __init__(
        self, store: Store, ear: Ear, project_id: str, article_id: str | None, *, as_user: bool
    ) -> None:
        self._store, self._ear, self._as_user = store, ear, as_user
        self._project_id, self._article_id = project_id, article_id

    def pages(self, after: int) -> Generator[Page | BriefworksError, None, None]:
        self._ear.start()
        said: dict[str, Any] | None = None
        overdue = False
        while True:
            page = None if said is None else self._said(said, after)
            if page is None:
                page = self._read(after)
                if overdue and page["upto"] > after:
                    self._ear.renew()
            yield page
            after = page["upto"]
            said, overdue = self._ear.next() if after >= page["head"] else (None, False)
            yield from self._ear.troubles()

    def close(self) -> None:
        self._ear.close()

    def _said(self, said: dict[str, Any], after: int) -> Page | None:
        """The page that a message makes; None when there may be more than it says."""
        first, last, rows = said.get("from_seq"), said.get("to_seq"), said.get("rows")
        if not isinstance(first, int) or not isinstance(last, int):
            return None
        if last <= after:
            return {"rows": [], "head": after, "upto": after}
        if first > after + 1 or not isinstance(rows, list):
            return None
        wanted = [row for row in rows if self._article_id in (None, row["article_id"])]
        return {"rows": wanted, "head": last, "upto": last}

    def _read(self, after: int) -> Page:
        page = self._store.read(self._project_id, after, self._article_id)
        if self._as_user and page["head"] == 0 < after:
            # No answer means no permission: what a member has seen does not vanish for him.
            raise Forbidden(f"Project {self._project_id!r} shows you nothing any more.", hint=MEMBER_HINT)
        return cast(Page, page)


def _needed(settings: Settings, as_user: bool) -> tuple[str, str]:
    """The project's address and the key; `ConfigError` names what is missing."""
    if settings.store and settings.store_kind != "supabase":
        raise ConfigError(
            f"The stream is in {settings.store_kind}, which only the app can read.", hint=APP_HINT
        )
    key_name = "SUPABASE_PUBLISHABLE_KEY" if as_user else "SUPABASE_SECRET_KEY"
    url = settings.supabase_url
    key = settings.supabase_publishable_key if as_user else settings.supabase_secret_key
    missing = [name for name, value in (("SUPABASE_URL", url), (key_name, key)) if not value]
    if url is None or key is None or missing:
        raise ConfigError(
            f"Not set: {' and '.join(missing)}.",
            hint="Both are in the project's settings under API Keys; see .env.example. "
            "Without Supabase: " + APP_HINT,
        )
    return url.rstrip("/"), key.get_secret_value()


def _checked(access_token: Callable[[], str]) -> Callable[[], str]:
    """The same, with our errors."""

    def current() -> str:
        try:
            token = access_token()
        except BriefworksError:
            raise
        except Exception as error:
            raise UpstreamUnavailable(f"access_token() failed ({type(error).__name__}).") from error
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise Unauthorized("access_token() gave no token.", hint=RENEW_HINT)
        return token

    return current
