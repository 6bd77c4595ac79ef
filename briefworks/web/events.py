"""`GET /api/projects/<p>/stream`: a page of rows as JSON, or server-sent events as they come."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import flask
import structlog

from briefworks.errors import BriefworksError
from briefworks.shapes import TERMINAL
from briefworks.stream import PageOfRows, Store
from briefworks.web import asked
from briefworks.web.access import Access
from briefworks.web.watching import Watch, Watchers

log = structlog.get_logger("briefworks.web")
PAGE_ROWS = 1000
HEARTBEAT_S = 15.0
LOOK_S = 1.0  # how often it is asked whether the reader is still there

Read = Callable[[int], PageOfRows]


def stream_routes(access: Access, store: Store, watchers: Watchers) -> flask.Blueprint:
    """The blueprint; `watchers` has the places of those who are sent events."""
    routes = flask.Blueprint("stream", __name__)
    access.protect(routes)

    @routes.get("/api/projects/<project_id>/stream")
    def stream(project_id: str) -> flask.Response:
        article_id, limit = asked.article(), asked.number("limit", PAGE_ROWS, PAGE_ROWS, least=1)
        after = asked.number("after", 0, 2**53)

        def read(after: int) -> PageOfRows:
            return store.read(project_id, after, article_id, limit)

        accept = flask.request.accept_mimetypes
        if accept.quality("application/json") > accept.quality("text/event-stream"):
            response = flask.jsonify(read(after))
            response.vary.add("Accept")
            return response
        if last := flask.request.headers.get("Last-Event-ID"):
            after = asked.whole("Last-Event-ID", last, 2**53)
        watch = watchers.enter(project_id)
        try:
            page = read(after)  # what fails, fails as a problem and not as an empty stream
            gone, may = gone_check(flask.request.environ), access.lasting(project_id)
            said = events(read, page, watch, article_id is not None, lambda: gone() or not may())
            response = flask.Response(said, mimetype="text/event-stream")
        except BaseException:
            watch.leave()
            raise
        response.call_on_close(watch.leave)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Accel-Buffering"] = "no"  # nginx passes on what it gets at once
        response.vary.add("Accept")
        return response

    return routes


def events(
    read: Read, page: PageOfRows, watch: Watch, of_article: bool, gone: Callable[[], bool]
) -> Iterator[str]:
    """
    The text of the answer, from a first page on; each message carries `id: <upto>`.

    Ends when the article's run has ended and all is said, when the reader is `gone` or may no longer read,
    when the store fails and when the server stops: whoever is still there asks again, with a fresh token.
    """
    yield "retry: 1000\n\n"
    yield _message(page)
    after, ended, said_at = page["upto"], _ends(page), time.monotonic()
    while not watch.over and not gone():
        if of_article and ended and after >= page["head"]:
            yield "event: end\ndata: {}\n\n"
            return
        try:
            if after >= page["head"]:
                watch.wait(after, LOOK_S)
            page = read(after)
        except BriefworksError as error:
            log.warning("a stream ends early; its reader asks again", reason=str(error))
            return
        if page["upto"] != after:
            ended = _ends(page) if page["rows"] else ended
            after, said_at = page["upto"], time.monotonic()
            yield _message(page) if page["rows"] else f"id: {after}\n\n"
        elif time.monotonic() - said_at >= HEARTBEAT_S:
            said_at = time.monotonic()
            yield ": still here\n\n"


def _message(page: PageOfRows) -> str:
    data = json.dumps(page, ensure_ascii=False, separators=(",", ":"))
    return f"id: {page['upto']}\nevent: rows\ndata: {data}\n\n"


def _ends(page: PageOfRows) -> bool:
    return bool(page["rows"]) and page["rows"][-1]["event"] in TERMINAL


def gone_check(environ: Mapping[str, Any]) -> Callable[[], bool]:
    """
    Says whether the reader has hung up, as far as the server lets us see.

    Where it does not, a heartbeat that cannot be sent ends the answer.
    """
    if told := environ.get("waitress.client_disconnected"):
        return told  # type: ignore[no-any-return]
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if not isinstance(connection, socket.socket) or isinstance(connection, ssl.SSLSocket):
        return lambda: False

    def gone() -> bool:
        try:
            return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    return gone
