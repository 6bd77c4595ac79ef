"""The stream store in a Supabase project, by its Data API; its functions are in supabase/migrations."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
from postgrest import APIError
from supabase import ClientOptions, create_client

from briefworks.errors import BriefworksError, ConfigError, Forbidden, StoreUnavailable, Unauthorized
from briefworks.keys import is_publishable
from briefworks.stores.functions import FunctionStore, error_of

# A call takes milliseconds, and waits 2 s for a lock at most.
TIMEOUT = httpx.Timeout(10.0, connect=3.0, pool=5.0)
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=30.0)
_KEY_HINT = "Set SUPABASE_SECRET_KEY to the project's secret key (sb_secret_…; Settings → API Keys)."
RENEW_HINT = "access_token must give the user's current token: sign in again, or refresh the session."
_WRONG_KEY = {"PGRST300", "PGRST301", "PGRST302", "PGRST303", "401"}


class _DataApi(FunctionStore):
    """The functions in the project at `url`, called with `key`."""

    _setting, _key_hint = "SUPABASE_SECRET_KEY", _KEY_HINT

    def __init__(self, url: str, key: str, lost_after_s: float) -> None:
        super().__init__(lost_after_s)
        self._http = httpx.Client(timeout=TIMEOUT, limits=LIMITS, follow_redirects=False)
        options = ClientOptions(httpx_client=self._http, auto_refresh_token=False, persist_session=False)
        try:
            self._client = create_client(url, key, options)
        except Exception as error:  # supabase's own class for a malformed URL or key has no public home
            raise ConfigError(f"SUPABASE_URL or {self._setting}: {error}.", hint=self._key_hint) from None
        self._closed = threading.Event()

    def ask(self, function: str, arguments: dict[str, Any]) -> Any:
        if self._closed.is_set():
            raise StoreUnavailable("The stream store is closed.")
        try:
            return self._client.rpc(function, arguments).execute().data
        except APIError as error:
            raise self._said(error.code, error.message or "no reason given") from None
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"Supabase does not answer: {type(error).__name__}.") from error

    def pause(self, longest_s: float) -> dict[str, int]:
        self._closed.wait(longest_s)
        return {}

    def close(self) -> None:
        self._closed.set()
        super().close()
        self._http.close()

    def _said(self, code: str | None, message: str) -> BriefworksError:
        """What the Data API, or a gateway in front of it, refuses; never with a key in it."""
        if code in _WRONG_KEY or (code is None and "api key" in message.lower()):
            return ConfigError(f"Supabase does not take {self._setting}: {message}.", hint=self._key_hint)
        if code == "404":
            return ConfigError("There is no Supabase project at SUPABASE_URL.", hint="Check SUPABASE_URL.")
        if code is None or (len(code) == 3 and code >= "429"):  # a gateway's page, a limit
            return StoreUnavailable(f"Supabase does not answer as it should: {code or ''} {message}.")
        return error_of(code, message)


class SupabaseStore(_DataApi):
    """
    `briefworks.stream.Store` in the project at `url`, with its secret key (tables: `briefworks migrate`).

    Browsers follow over Realtime, told by the database itself; this process looks every half second while
    somebody waits in it for rows of another one.
    """

    def __init__(self, url: str, secret_key: str, lost_after_s: float = 480) -> None:
        check_secret_key(secret_key)
        super().__init__(url, secret_key, lost_after_s)


class SupabaseReader(_DataApi):
    """The same project as one of its users sees it, whose current token `access_token` gives: to read."""

    _setting = "SUPABASE_PUBLISHABLE_KEY"
    _key_hint = "Set it to the project's publishable key (sb_publishable_…; Settings → API Keys)."

    def __init__(self, url: str, publishable_key: str, access_token: Callable[[], str]) -> None:
        if not is_publishable(publishable_key):
            raise ConfigError("SUPABASE_PUBLISHABLE_KEY holds no publishable key.", hint=self._key_hint)
        super().__init__(url, publishable_key, 0)

        def as_user(request: httpx.Request) -> None:
            request.headers["Authorization"] = f"Bearer {access_token()}"

        self._http.event_hooks = {"request": [as_user]}

    def ask(self, function: str, arguments: dict[str, Any]) -> Any:
        try:
            return super().ask(function, arguments)
        except Unauthorized:  # it may have been over by a moment: once more with the next one
            return super().ask(function, arguments)

    def _said(self, code: str | None, message: str) -> BriefworksError:
        if code in _WRONG_KEY and "api key" not in message.lower():
            return Unauthorized(f"Supabase does not take the user's token: {message}.", hint=RENEW_HINT)
        if code == "42501":
            return Forbidden(
                "Only the project's secret key may do this.",
                hint="Ask the app, Client(url); or, on a server, leave out access_token.",
            )
        return super()._said(code, message)


def check_secret_key(key: str) -> None:
    """`ConfigError` for a key that is plainly not the secret one: a publishable key, or the old anon key."""
    if is_publishable(key):
        raise ConfigError(
            "SUPABASE_SECRET_KEY holds the publishable key, which may not write.", hint=_KEY_HINT
        )
