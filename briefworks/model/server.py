"""One streamed request to a server that speaks the Messages API; whether the answer is good: `calls`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any
from weakref import finalize

import anthropic
import httpx2
from anthropic.types import RawMessageStreamEvent

from briefworks.errors import BriefworksError, ConfigError, ModelRefused, ModelUnavailable
from briefworks.model.answer import Answer, at
from briefworks.model.failures import TROUBLE, UNSENT, failure, retry_after_s
from briefworks.model.request import Request
from briefworks.model.watch import Watch
from briefworks.text import clean, squash

ANTHROPIC_URL = "https://api.anthropic.com"
_NO_KEY = "no-key-needed"  # a server of one's own asks for none, the SDK does
_CONNECT_S = 10.0
_QUIET_S = 60.0  # Anthropic sends a ping every few seconds
_QUIET_OWN_S = 180.0  # a small machine reads a long prompt for minutes before its first byte
_ATTEMPTS, _PAUSE_S, _MOST_PAUSE_S = 3, 0.5, 20.0
_MOST_CONNECTIONS = 1000
_RETRY_CHARS = 200


class Server:
    """Thread-safe. Raises `ConfigError` for an address that is none, or without a key for Anthropic's own."""

    def __init__(self, model: str, api_key: str | None, base_url: str | None) -> None:
        url = _base_url(base_url or ANTHROPIC_URL)
        self.model, self.host = model, url.netloc.decode()
        own = url.host != httpx2.URL(ANTHROPIC_URL).host
        if not api_key and not own:
            raise ConfigError(
                "There is no key for the model.",
                hint="Set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for a server of your own.",
            )
        self._secret = (api_key or "").strip()
        if not (self._secret.isascii() and self._secret.isprintable()):
            raise ConfigError(
                "The model's key has characters that no key has.", hint="Mend ANTHROPIC_API_KEY."
            )
        self._quiet_s = _QUIET_OWN_S if own else _QUIET_S
        self._takes_schemas = True
        key = self._secret or _NO_KEY
        headers = {"User-Agent": f"briefworks/{version('briefworks')}"}
        if own:
            headers |= {"Authorization": f"Bearer {key}", "X-Api-Key": key}
        http = httpx2.Client(
            trust_env=not _is_local(url.host),  # a proxy for the internet does not lead here
            follow_redirects=False,  # a redirect would carry the key elsewhere
            limits=httpx2.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=100),
        )
        finalize(self, http.close)
        self._sdk = anthropic.Anthropic(
            api_key=key,
            base_url=str(url),
            max_retries=0,  # its retries know no deadline
            default_headers=headers,
            http_client=http,
        )
        self._sdk._custom_headers = headers  # without those of ANTHROPIC_CUSTOM_HEADERS

    def stream(self, request: Request, answer: Answer, watch: Watch, hear: Callable[[str], None]) -> None:
        """
        Ask once and fill `answer`, also when it fails; `hear` gets the text as it comes.

        What fails before the first byte is tried again while there is time. Whatever `hear` or the watch
        raises closes the connection and passes through.

        Raises `RateLimited`, `ModelSpendLimit`, `ModelRejected`, `ModelUnavailable`, `ModelRefused`.
        """
        with self._open(request, answer, watch) as stream:
            watch.attend(stream.response)
            for event in self._events(stream, answer, watch):
                if at(event, "content_block", "type") in ("thinking", "redacted_thinking"):
                    watch.thinks()
                if text := answer.take(event):
                    hear(text)
                if answer.stop_reason:
                    watch.let_go()
        if not answer.stop_reason:
            watch.check()
            what = "was cut off" if answer.started else "is not one of the Messages API"
            raise ModelUnavailable(f"The answer of the model at {self.host} {what}.")
        if answer.stop_reason == "refusal":
            why = squash(clean(answer.explanation))[:300].rstrip(".")
            raise ModelRefused(f"The model declined to answer{f': {why}' if why else ''}.")

    def models(self, timeout_s: float) -> list[dict[str, Any]] | None:
        """What the server offers, or None where it does not tell."""
        try:
            listed = self._sdk.get(
                "/v1/models", cast_to=object, options={"params": {"limit": 1000}, "timeout": timeout_s}
            )
        except anthropic.APIStatusError as error:
            if error.status_code in (401, 403, 429):
                raise failure(error, self.host, self._secret) from None
            return None
        except TROUBLE as error:
            raise failure(error, self.host, self._secret) from None
        data = listed.get("data") if isinstance(listed, dict) else None
        return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else None

    def _open(
        self, request: Request, answer: Answer, watch: Watch
    ) -> anthropic.Stream[RawMessageStreamEvent]:
        attempt = 0
        while True:
            attempt += 1
            watch.check()
            try:
                return self._send(request, watch.left_s)
            except UNSENT as error:
                watch.check()
                if self._takes_schemas and request.schema and _refuses_schemas(error):
                    self._takes_schemas = False  # from now on the schema stands in the prompt only
                    continue
                failed = failure(error, self.host, self._secret)
                pause_s = _pause_s(failed, error, attempt)
                if attempt >= _ATTEMPTS or pause_s is None or pause_s >= watch.left_s:
                    raise failed from None
                answer.retries.append(str(failed)[:_RETRY_CHARS])
                watch.wait(pause_s)

    def _send(self, request: Request, left_s: float) -> anthropic.Stream[RawMessageStreamEvent]:
        more: dict[str, Any] = {}
        if request.system:
            more["system"] = [{"type": "text", "text": request.system}]
        if request.schema is not None and self._takes_schemas:
            more["output_config"] = {"format": {"type": "json_schema", "schema": request.schema}}
        left_s = max(0.01, left_s)
        timeout = httpx2.Timeout(min(self._quiet_s, left_s), connect=min(_CONNECT_S, left_s))
        stream: anthropic.Stream[RawMessageStreamEvent] = self._sdk.messages.create(
            model=self.model,
            max_tokens=request.max_tokens,
            messages=[{"role": "user", "content": list(request.blocks)}],
            stream=True,
            timeout=timeout,
            **more,
        )
        return stream

    def _events(
        self, stream: anthropic.Stream[RawMessageStreamEvent], answer: Answer, watch: Watch
    ) -> Iterator[RawMessageStreamEvent]:
        """The events of a stream; what is raised where they are used does not come by here."""
        try:
            yield from stream
        except TROUBLE as error:
            if answer.stop_reason:
                return  # the answer was complete
            watch.check()
            raise failure(error, self.host, self._secret) from None


def _refuses_schemas(error: Exception) -> bool:
    refusals = (anthropic.BadRequestError, anthropic.UnprocessableEntityError)
    return isinstance(error, refusals) and "output_config" in str(error.body)


def _pause_s(failed: BriefworksError, error: Exception, attempt: int) -> float | None:
    """How long to wait before the next attempt; None when there should be none, or not so soon."""
    if not failed.retriable:
        return None
    asked_s = retry_after_s(error.response.headers) if isinstance(error, anthropic.APIStatusError) else None
    if asked_s is not None:
        return asked_s if asked_s <= _MOST_PAUSE_S else None
    pause_s: float = _PAUSE_S * 2 ** (attempt - 1)
    return pause_s * random.uniform(0.75, 1)  # noqa: S311 – no secret


def _base_url(base_url: str) -> httpx2.URL:
    """Without the `/v1` that other SDKs want."""
    try:
        url = httpx2.URL(base_url.strip().rstrip("/").removesuffix("/v1"))
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise ConfigError(
            "The address of the model's server is not an http(s) URL without a password.",
            hint="Set ANTHROPIC_BASE_URL as in http://127.0.0.1:11434, and a key in ANTHROPIC_API_KEY.",
        )
    return url


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
