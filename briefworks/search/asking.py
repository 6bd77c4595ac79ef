"""One HTTP question to a search provider: its time limit, its retries, and its failures in our words."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from math import isfinite
from typing import Any

import httpx
import stamina

from briefworks.errors import ConfigError, RateLimited, SearchUnavailable
from briefworks.text import clean, squash

CONNECT_S = 5.0
MOST_BYTES = 5_000_000
ATTEMPTS, WAIT_S, MOST_WAIT_S = 3, 0.2, 1.0
SPENT = (402, 432, 433)  # the last two are Tavily's: the plan's limit, the account's limit
DEFAULT_RETRY_AFTER_S, MOST_RETRY_AFTER_S = 30.0, 3600.0
_SAID_IN = ("message", "error", "errors", "detail")


class _WorthRepeating(SearchUnavailable):
    """The search did not answer; the next attempt may be luckier."""


def usable_key(provider: str, key: str, setting: str) -> str:
    """The key as a header can carry it; `ConfigError` names the setting when none can."""
    if not key.isascii() or not key.strip():
        raise ConfigError(f"{provider}: the key is empty or not ASCII.", hint=f"Check {setting}.")
    return key.strip()


class Asker:
    """
    Asks one server. Messages name the provider and the host, never the key.

    `denied_hint` and `moved_hint` say what to do when it refuses access, or redirects.
    """

    def __init__(
        self, provider: str, base_url: str, *, secret: str = "", denied_hint: str, moved_hint: str
    ) -> None:
        try:
            url = httpx.URL(base_url.rstrip("/"))
        except httpx.InvalidURL:
            url = httpx.URL("")
        if url.scheme not in ("http", "https") or not url.host:
            raise ConfigError(f"{provider}: its address is not an http(s) URL.", hint=moved_hint)
        self._auth = (url.username, url.password) if url.userinfo else None  # not in the URL, which is logged
        self._base = str(url.copy_with(username=None, password=None))
        self.address = self._base
        self._name = f"{provider} ({url.host})"
        self._secrets = [part for part in (secret, url.password) if part]
        self._denied_hint, self._moved_hint = denied_hint, moved_hint

    def ask(self, method: str, path: str, timeout_s: float, **request: Any) -> dict[str, Any]:
        """The JSON object that the server answers; see `Search.search` for the errors."""
        deadline = time.monotonic() + timeout_s
        attempts = stamina.retry_context(
            on=_WorthRepeating,
            attempts=ATTEMPTS,
            timeout=max(0.01, timeout_s - MOST_WAIT_S),  # the last wait must end in time
            wait_initial=WAIT_S,
            wait_max=MOST_WAIT_S,
            wait_jitter=WAIT_S,
        )
        with httpx.Client(
            trust_env=False,
            follow_redirects=False,  # a redirect would carry the key elsewhere
            auth=self._auth,
            headers={"User-Agent": f"briefworks/{version('briefworks')}", "Accept": "application/json"},
        ) as client:
            for attempt in attempts:
                with attempt:
                    return self._once(
                        client, client.build_request(method, self._base + path, **request), deadline
                    )
        raise AssertionError("unreachable: the last attempt raises")

    def _once(self, client: httpx.Client, request: httpx.Request, deadline: float) -> dict[str, Any]:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise SearchUnavailable(f"{self._name} did not answer in time.")
        request.extensions["timeout"] = httpx.Timeout(left_s, connect=min(left_s, CONNECT_S)).as_dict()
        try:
            response = client.send(request, stream=True)
            try:
                body = self._body(response, deadline)
            finally:
                response.close()
        except httpx.TimeoutException:
            raise SearchUnavailable(f"{self._name} did not answer in time.") from None
        except httpx.HTTPError as error:
            raise _WorthRepeating(f"{self._name} cannot be reached ({type(error).__name__}).") from None
        return self._read(response, body)

    def _body(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                raise SearchUnavailable(f"{self._name} answered with more than {MOST_BYTES // 10**6} MB.")
            if time.monotonic() > deadline:
                raise SearchUnavailable(f"{self._name} did not answer in time.")
        return bytes(body)

    def _read(self, response: httpx.Response, body: bytes) -> dict[str, Any]:
        status = response.status_code
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        said = self._said(answer)
        if status in (401, 403) or (status == 422 and "token" in said.lower()):  # as Brave calls a wrong key
            raise ConfigError(f"{self._name} denies access ({status}){said}.", hint=self._denied_hint)
        no_credits = status in SPENT or (status == 400 and "credit" in said.lower())
        if no_credits and "Retry-After" not in response.headers:
            raise ConfigError(
                f"{self._name} ({status}){said or ': the limit is reached'}.",
                hint="The account has no credits left: buy some, or set the key of another search.",
            )
        if status == 429 or no_credits:
            raise RateLimited(f"{self._name} asks to wait.", retry_after_s=_retry_after_s(response.headers))
        if response.is_redirect:
            raise ConfigError(f"{self._name} redirects elsewhere.", hint=self._moved_hint)
        if status >= 500:
            raise _WorthRepeating(f"{self._name} answered {status}{said}.")
        if status != 200:
            raise SearchUnavailable(f"{self._name} answered {status}{said}.")
        if not isinstance(answer, dict):
            raise SearchUnavailable(f"{self._name} answered with something that is not a JSON object.")
        return answer

    def _said(self, answer: Any) -> str:
        message = _message(answer)
        for secret in self._secrets:
            message = message.replace(secret, "…")
        return f": {squash(clean(message))[:200].rstrip('.')}" if message else ""


def _message(answer: Any) -> str:
    """What the server says for a person, wherever its kind puts it; "" when it says nothing."""
    for _ in range(3):
        if isinstance(answer, list):
            answer = answer[0] if answer else None
        if not isinstance(answer, dict):
            break
        answer = next((answer[key] for key in _SAID_IN if answer.get(key)), None)
    return answer if isinstance(answer, str) else ""


def _retry_after_s(headers: Mapping[str, str]) -> float:
    asked = headers.get("Retry-After", "").strip() or _until_reset(headers)
    try:
        wait_s = float(asked)
    except ValueError:
        try:
            wait_s = (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            wait_s = DEFAULT_RETRY_AFTER_S
    return min(max(wait_s, 1.0), MOST_RETRY_AFTER_S) if isfinite(wait_s) else DEFAULT_RETRY_AFTER_S


def _until_reset(headers: Mapping[str, str]) -> str:
    """Seconds until the last of the spent windows begins anew, as Brave lists them: "1, 1419704"; or ""."""
    left, resets = (headers.get(f"X-RateLimit-{name}", "").split(",") for name in ("Remaining", "Reset"))
    spent = [reset.strip() for rest, reset in zip(left, resets, strict=False) if rest.strip() == "0"]
    return max((reset for reset in spent if reset.isdigit()), key=int, default="")
