"""One app at one address: requests to it, and its refusals and silences in the words of our errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from briefworks import errors
from briefworks.errors import BriefworksError, ConfigError, RateLimited, RequestInvalid, UpstreamUnavailable
from briefworks.loopback import LOOPBACK

ADDRESS = "Is this the app's address? It looks like http://127.0.0.1:8000."
START = "Start it with `briefworks dev` or `briefworks serve`, or give another address."
KEY_HINT = "Send a key of this app: `Client(api_key=…)`, or BRIEFWORKS_API_KEY for the command line."
MOST_DETAIL_CHARS = 500
BY_CODE: dict[str, type[BriefworksError]] = {
    error.code: error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, BriefworksError)
}
BY_STATUS: dict[int, type[BriefworksError]] = {
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    429: RateLimited,
}


ApiKey = str | Callable[[], str] | None  # a callable is asked for each request: for tokens that end


class App:
    """Where the app is and how to speak to it; the key is sent to it and shown to nobody."""

    def __init__(
        self, base_url: str, api_key: ApiKey, timeout_s: float, http_client: httpx.Client | None
    ) -> None:
        self.url, host = _checked(base_url)
        self._key = api_key if callable(api_key) else _checked_key(api_key) if api_key else None
        self._timeout_s = timeout_s
        self._owned = http_client is None
        # No proxy stands between us and loopback, whatever the environment says.
        self._http = http_client or httpx.Client(trust_env=host not in LOOPBACK)

    def close(self) -> None:
        if self._owned:
            self._http.close()

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer, a good one; else one of our errors."""
        with self.open(method, path, "application/json", **request) as response:
            if not response.is_success:
                raise error_of(response)
        return response

    @contextmanager
    def open(
        self, method: str, path: str, accept: str, *, quiet_s: float | None = None, **request: Any
    ) -> Iterator[httpx.Response]:
        """
        The answer, whatever it is: read, unless it is a good stream of events.

        `quiet_s` is how long it may be silent; transport errors are ours, also those met while reading.
        """
        key = _checked_key(self._key()) if callable(self._key) else self._key
        headers = {"Accept": accept} | ({"Authorization": f"Bearer {key}"} if key else {})
        timeout = httpx.Timeout(self._timeout_s, read=quiet_s or self._timeout_s)
        try:
            with self._http.stream(
                method, self.url + path, headers=headers, timeout=timeout, **request
            ) as response:
                if not (response.is_success and is_stream(response)):
                    response.read()
                yield response
        except httpx.RequestError as error:
            raise self._unreachable(error) from error

    def json(self, path: str, *keys: str, **request: Any) -> dict[str, Any]:
        """The JSON object that is answered there, with these keys."""
        return json_object(self.ask("GET", path, **request).text, *keys)

    def _unreachable(self, error: httpx.RequestError) -> UpstreamUnavailable:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            why = str(error)[:200] or type(error).__name__
            return UpstreamUnavailable(f"No app answers at {self.url} ({why}).", hint=START)
        if isinstance(error, httpx.TimeoutException):
            return UpstreamUnavailable(f"The app at {self.url} did not answer in time.")
        return UpstreamUnavailable(f"The connection to {self.url} broke ({type(error).__name__}).")


def is_stream(response: httpx.Response) -> bool:
    return str(response.headers.get("Content-Type", "")).startswith("text/event-stream")


def json_object(text: str, *keys: str) -> dict[str, Any]:
    """`UpstreamUnavailable` when the text is none, or has not all of the keys."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not found.keys() >= set(keys):
        raise UpstreamUnavailable(
            "The answer is not what a briefworks app says.", hint="Is the address right?"
        )
    return found


def retry_after_s(response: httpx.Response, default_s: float) -> float:
    """The header's seconds, an hour at most."""
    said = str(response.headers.get("Retry-After", ""))
    return min(float(said), 3600.0) if re.fullmatch(r"[0-9]{1,9}", said) else default_s


def error_of(response: httpx.Response) -> BriefworksError:
    """What a refusal means: by the `code` of its problem document, else by its status."""
    status = response.status_code
    try:
        problem = json_object(response.text)
    except UpstreamUnavailable:
        problem = {}
    told = {name: str(problem.get(name) or "")[:MOST_DETAIL_CHARS] for name in ("detail", "hint", "field")}
    detail = told["detail"] or f"The app answered {status} {response.reason_phrase}".rstrip() + "."
    kind = BY_CODE.get(str(problem.get("code"))) or BY_STATUS.get(status) or _by_class_of(status)
    if kind is errors.Unauthorized:
        told["hint"] = told["hint"] or KEY_HINT
    elif not problem and kind is errors.NotFound:
        told["hint"] = ADDRESS
    if issubclass(kind, RateLimited):
        return kind(detail, retry_after_s=retry_after_s(response, 5.0), hint=told["hint"])
    if issubclass(kind, RequestInvalid):
        return kind(detail, field=told["field"], hint=told["hint"])
    return kind(detail, hint=told["hint"])


def _by_class_of(status: int) -> type[BriefworksError]:
    if status >= 500:
        return UpstreamUnavailable
    return RequestInvalid if status >= 400 else BriefworksError


def _checked(base_url: str) -> tuple[str, str]:
    """The address without a slash at its end, and its host."""
    try:
        url = httpx.URL(base_url)
        urlsplit(base_url)  # refuses half an IPv6 address, which httpx does only when it asks
    except (httpx.InvalidURL, TypeError, ValueError):
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise ConfigError(
            "The app's address is not an http(s) URL.", hint="It looks like http://127.0.0.1:8000."
        )
    if url.userinfo:
        raise ConfigError("The app's address holds a password.", hint="Hand in a key instead: api_key=….")
    return str(url).rstrip("/"), url.host


def _checked_key(api_key: str) -> str:
    if not re.fullmatch(r"[!-~]+", api_key):
        raise ConfigError(
            "The API key has characters that no key has.", hint="`briefworks keys new` makes one."
        )
    return api_key
