"""The stream store in a Supabase project, by its Data API; its functions are in supabase/migrations."""

from __future__ import annotations

import threading
from typing import Any

import httpx
from postgrest import APIError
from supabase import ClientOptions, create_client

from briefworks.errors import BriefworksError, ConfigError, StoreUnavailable
from briefworks.keys import is_publishable
from briefworks.stores.functions import FunctionStore, error_of

# A call takes milliseconds, and waits 2 s for a lock at most.
TIMEOUT = httpx.Timeout(10.0, connect=3.0, pool=5.0)
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=30.0)
_KEY_HINT = "Set SUPABASE_SECRET_KEY to the project's secret key (sb_secret_…; Settings → API Keys)."
_WRONG_KEY = {"PGRST300", "PGRST301", "PGRST302", "PGRST303", "401"}


class SupabaseStore(FunctionStore):
    """
    `briefworks.stream.Store` in the project at `url`, with its secret key (tables: `briefworks migrate`).

    Browsers follow over Realtime, told by the database itself; this process looks every half second while
    somebody waits in it for rows of another one.
    """

    def __init__(self, url: str, secret_key: str, lost_after_s: float = 480) -> None:
        check_secret_key(secret_key)
        super().__init__(lost_after_s)
        self._http = httpx.Client(timeout=TIMEOUT, limits=LIMITS, follow_redirects=False)
        options = ClientOptions(httpx_client=self._http, auto_refresh_token=False, persist_session=False)
        try:
            self._client = create_client(url, secret_key, options)
        except Exception as error:  # supabase's own class for a malformed URL or key has no public home
            raise ConfigError(f"SUPABASE_URL or SUPABASE_SECRET_KEY: {error}.", hint=_KEY_HINT) from None
        self._closed = threading.Event()

    def ask(self, function: str, arguments: dict[str, Any]) -> Any:
        if self._closed.is_set():
            raise StoreUnavailable("The stream store is closed.")
        try:
            return self._client.rpc(function, arguments).execute().data
        except APIError as error:
            raise _said(error) from None
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"Supabase does not answer: {type(error).__name__}.") from error

    def pause(self, longest_s: float) -> dict[str, int]:
        self._closed.wait(longest_s)
        return {}

    def close(self) -> None:
        self._closed.set()
        super().close()
        self._http.close()


def check_secret_key(key: str) -> None:
    """`ConfigError` for a key that is plainly not the secret one: a publishable key, or the old anon key."""
    if is_publishable(key):
        raise ConfigError(
            "SUPABASE_SECRET_KEY holds the publishable key, which may not write.", hint=_KEY_HINT
        )


def _said(error: APIError) -> BriefworksError:
    """What the Data API, or a gateway in front of it, refuses; never with a key in it."""
    code, message = error.code, error.message or "no reason given"
    if code in _WRONG_KEY or (code is None and "api key" in message.lower()):
        return ConfigError(f"Supabase does not take SUPABASE_SECRET_KEY: {message}.", hint=_KEY_HINT)
    if code == "404":
        return ConfigError("There is no Supabase project at SUPABASE_URL.", hint="Check SUPABASE_URL.")
    if code is None or (len(code) == 3 and code >= "429"):  # a gateway's page, a limit
        return StoreUnavailable(f"Supabase does not answer as it should: {code or ''} {message}.")
    return error_of(code, message)
