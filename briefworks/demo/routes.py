"""Which path of the demo upstream does what, each request logged before and after."""

from __future__ import annotations

import contextlib
import http.server
import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from briefworks.demo.answers import answer_to
from briefworks.demo.cache import PromptCache
from briefworks.demo.calls import Call, CallLog
from briefworks.demo.faults import Fault, Faults
from briefworks.demo.messages import ApiError, identity, invalid, models, parse
from briefworks.demo.pages import GONE_PAGE, PAGES, ROBOTS, keyword_of, page_html, search_json, spoiled
from briefworks.demo.sending import Sending
from briefworks.demo.wire import Gone, Wire

MOST_BODY_BYTES = 32_000_000
HTML = "text/html; charset=utf-8"


class _Broken(Exception):
    """A fault has ended the connection."""


@dataclass
class State:
    """What all connections share."""

    seed: int
    tokens_per_s: float
    ttft_s: float
    thinking_s: float
    log: CallLog
    url: str = ""
    faults: Faults = field(default_factory=Faults)
    cache: PromptCache = field(default_factory=PromptCache)

    def reset(self) -> None:
        """As if just started: no faults, no calls, nothing cached."""
        self.faults.clear()
        self.log.clear()
        self.cache.clear()


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection; kept alive from request to request."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "briefworks-demo", ""
    disable_nagle_algorithm = True
    parts: SplitResult
    wire: Wire

    def __init__(self, state: State, *connection: Any) -> None:
        self.state = state
        super().__init__(*connection)

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the call log is the log."""

    def _answer(self, method: str) -> None:
        self.wire = Wire(self)
        try:
            self.parts = _split(self.path)
            body = self._body()
            if self.parts.path.startswith("/_demo/"):
                self._admin(method, body)
            else:
                self._logged(method, body)
        except ApiError as error:
            after = "" if error.retry_after is None else f"{error.retry_after:g}"
            more = {"retry_after": after} if after else {}
            with contextlib.suppress(Gone):
                self.wire.json(error.status, error.body(self.wire.request_id), **more)
        except Gone:
            self.close_connection = True

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise ApiError(411, "invalid_request_error", "A Content-Length is required.")
        if int(length) > MOST_BODY_BYTES:
            self.close_connection = True
            raise ApiError(413, "request_too_large", "Request exceeds the maximum allowed number of bytes.")
        return self.rfile.read(int(length))

    def _logged(self, method: str, body: bytes) -> None:
        kind, about = _kind(method, self.parts.path), ("", "", "")
        if kind == "model":
            with contextlib.suppress(ApiError):
                about = identity(_json(body))
        log = self.state.log
        call = log.begin(kind, unquote(self.path)[:500], *about)
        try:
            if kind == "model":
                self._message(call, body)
            else:
                self._simple(call, body, self._fault(call))
        except Gone:
            log.end(call, "aborted")
            raise
        except _Broken:
            log.end(call, "cut")
            self.close_connection = True
        finally:
            log.end(call, "error")  # unless it has ended already

    # --- the model -----------------------------------------------------------------------------------------
    def _message(self, call: Call, body: bytes) -> None:
        state = self.state
        self._check_key()
        asked = parse(_json(body))
        fault = self._fault(call, asked.prompt)
        answer = answer_to(asked, state.seed, state.cache.use(asked), fault)
        self.wire.sleep_until(time.monotonic() + state.ttft_s)
        sending = Sending(
            self.wire, state.log, call, fault, tokens_per_s=state.tokens_per_s, thinking_s=state.thinking_s
        )
        sending.send(asked, answer)

    def _check_key(self) -> None:
        _, _, bearer = self.headers.get("Authorization", "").partition(" ")
        if not (bearer.strip() or self.headers.get("x-api-key", "").strip()):
            raise ApiError(401, "authentication_error", "An API key is required; the demo takes any.")

    def _fault(self, call: Call, prompt: str = "") -> Fault | None:
        """The fault of this request; one that needs no answer of ours is raised at once."""
        fault = self.state.faults.take(call["kind"], call["path"], prompt)
        if fault is None:
            return None
        call["fault"] = fault.name
        if fault.name == "drop":
            raise _Broken
        if error := fault.error():
            raise error
        return fault

    # --- all others ----------------------------------------------------------------------------------------
    def _simple(self, call: Call, body: bytes, fault: Fault | None) -> None:
        if fault and fault.name == "stall":
            self.wire.sleep_until(time.monotonic() + fault.number("seconds"))
        match call["kind"]:
            case "count":
                self._check_key()
                asked = parse(_json(body), counting=True)
                self._say_json(call, {"input_tokens": asked.input_tokens})
            case "models":
                self._check_key()
                self._say_json(call, models(self.parts.path.removeprefix("/v1/models").strip("/")))
            case "search":
                self._search(call)
            case "page":
                self._page(call, fault)
            case "robots":
                self._say(call, 200, "text/plain; charset=utf-8", ROBOTS)
            case _:
                raise ApiError(404, "not_found_error", "Not found")

    def _search(self, call: Call) -> None:
        query = {name: values[0] for name, values in parse_qs(self.parts.query).items()}
        if query.get("format") != "json":
            self._say(call, 403, HTML, "<h1>Forbidden</h1><p>Ask with format=json.</p>")
        elif not query.get("q", "").strip():
            self._say_json(call, {"error": "No query"}, 400)
        else:
            self._say_json(call, search_json(query["q"], self.state.seed, self.state.url))

    def _page(self, call: Call, fault: Fault | None) -> None:
        slug, _, number = self.parts.path.removeprefix("/pages/").rpartition("/")
        n = int(number) if number.isdecimal() and len(number) < 4 else 0
        keyword, name = keyword_of(slug), fault.name if fault else ""
        if name == "page_500":
            raise ApiError(500, "api_error", "Internal server error")
        if not keyword or n == GONE_PAGE or not 1 <= n <= PAGES:
            self._say(call, 404, HTML, "<h1>404</h1><p>This synthetic demo page is gone.</p>")
            return
        html = spoiled(page_html(keyword, n, self.state.seed), fault)
        if fault and name == "page_slow":
            self._drip(call, html.encode(), fault.number("seconds"))
        else:
            self._say(call, 200, HTML, html)

    def _drip(self, call: Call, body: bytes, seconds: float) -> None:
        self.wire.headers(200, HTML, Content_Length=str(len(body)))
        started, steps = time.monotonic(), 100
        for step in range(steps):
            self.wire.sleep_until(started + seconds * (step + 1) / steps)
            if step == steps - 1:
                self.state.log.end(call, "ok")
            self.wire.write(body[len(body) * step // steps : len(body) * (step + 1) // steps])

    def _say_json(self, call: Call, value: Any, status: int = 200) -> None:
        self._say(call, status, "application/json", json.dumps(value, ensure_ascii=False))

    def _say(self, call: Call, status: int, content_type: str, text: str) -> None:
        self.state.log.end(call, "ok" if status == HTTPStatus.OK else "error")
        self.wire.whole(status, content_type, text.encode())

    # --- the tests' side door ------------------------------------------------------------------------------
    def _admin(self, method: str, body: bytes) -> None:
        if method == "POST" and self.headers.get_content_type() != "application/json":
            raise ApiError(415, "invalid_request_error", "Send application/json.")  # no web page's form
        answer: Any = {}
        match method, self.parts.path:
            case "GET", "/_demo/calls":
                answer = self.state.log.calls(parse_qs(self.parts.query).get("kind", [None])[0])
            case "POST", "/_demo/faults":
                try:
                    self.state.faults.add(_json(body))
                except ValueError as error:
                    raise invalid(str(error)) from None
            case "DELETE", "/_demo/faults":
                self.state.faults.clear()
            case "POST", "/_demo/reset":
                self.state.reset()
            case _:
                raise ApiError(404, "not_found_error", "Not found")
        self.wire.json(200, answer)


def _split(path: str) -> SplitResult:
    try:
        return urlsplit(path)
    except ValueError:
        raise invalid("The request's path is not valid.") from None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"The request body is not valid JSON: {error}") from None


def _kind(method: str, path: str) -> str:
    match method, path:
        case "POST", "/v1/messages":
            return "model"
        case "POST", "/v1/messages/count_tokens":
            return "count"
        case "GET", "/search":
            return "search"
        case "GET", "/robots.txt":
            return "robots"
    if method == "GET" and (path == "/v1/models" or path.startswith("/v1/models/")):
        return "models"
    return "page" if method == "GET" and path.startswith("/pages/") else "other"
