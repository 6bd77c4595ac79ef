"""A server of the stream's wire over the store's model, that misbehaves as it is told, request by request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from store_model import ModelStore

Mood = dict[str, Any]
"""
What is wrong with an answer: `status` (with `headers`, `body`), `type`, `hang` (nothing comes at all), `cut`
(bytes after which the connection ends), `mute` (messages after which it is silent), `doubled` (rows sent
again), `last` (messages after which the connection ends), `limit` (rows in a message), `eol`.
"""


class WireServer(ThreadingHTTPServer):
    """`moods` gives the mood of each request; `asked` keeps what was asked for: (accepted type, after)."""

    daemon_threads = True

    def __init__(self, store: ModelStore) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store = store
        self.changed = threading.Condition()
        self.moods: Callable[[], Mood] = dict
        self.asked: list[tuple[str, int]] = []
        self.headers: dict[str, str] = {}
        self.closing = False
        self.generation = 0
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that has gone is no error."""

    @contextmanager
    def writing(self) -> Iterator[ModelStore]:
        """Change the store; whoever waits for rows is told."""
        with self.changed:
            yield self.store
            self.changed.notify_all()

    def drop(self) -> None:
        """End every answer that is being given."""
        with self.changed:
            self.generation += 1
            self.changed.notify_all()


class _Handler(BaseHTTPRequestHandler):
    server: WireServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        accept, after = self.headers.get("Accept", ""), int(query["after"])
        with self.server.changed:
            self.server.asked.append((accept, after))
            self.server.headers = {name.lower(): value for name, value in self.headers.items()}
            mood = self.server.moods()
        if mood.get("hang"):
            self._wait(lambda: False)
        elif "status" in mood:
            self._answer(mood["status"], "application/problem+json", mood.get("headers", {}))
            self.wfile.write(json.dumps(mood.get("body", {})).encode())
        elif accept == "application/json":
            self._answer(200, mood.get("type", "application/json"))
            self.wfile.write(json.dumps(self._page(after, query.get("article"), mood)).encode())
        else:
            self._answer(200, mood.get("type", "text/event-stream; charset=utf-8"))
            self._stream(after, query.get("article"), mood)

    def _answer(self, status: int, content_type: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content_type, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def _page(self, after: int, article: str | None, mood: Mood) -> Any:
        with self.server.changed:
            again, limit = mood.get("doubled", 0), mood.get("limit", 1000)
            return self.server.store.read(max(after - again, 0), article, limit + again)

    def _wait(self, ready: Callable[[], bool]) -> bool:
        """Until something is ready; False when the answer is to end."""
        server = self.server
        with server.changed:
            generation = server.generation
            server.changed.wait_for(lambda: ready() or server.closing or server.generation != generation)
            return not server.closing and server.generation == generation

    def _stream(self, after: int, article: str | None, mood: Mood) -> None:
        left = mood.get("cut", -1)
        for number, message in enumerate(self._messages(after, article, mood)):
            if number == mood.get("mute", -1):
                self._wait(lambda: False)
                return
            data = message.replace("\n", mood.get("eol", "\n")).encode()
            if 0 <= left < len(data):
                self.wfile.write(data[:left])
                return
            left -= len(data) if left >= 0 else 0
            self.wfile.write(data)
            if number + 1 == mood.get("last"):
                return

    def _messages(self, after: int, article: str | None, mood: Mood) -> Iterator[str]:
        yield "retry: 1000\n\n"
        first = True
        while True:
            page = self._page(after, article, mood)
            head, upto = page["head"], page["upto"]
            if first or page["rows"]:
                data = json.dumps(page, ensure_ascii=False)
                yield f": a comment\nid: {upto}\nevent: rows\ndata: {data}\n\n"
            else:
                yield f"id: {upto}\n\n"
            first, after = False, max(upto, after)
            if upto >= head and not self._wait(lambda: self.server.store.head > after):  # noqa: B023
                return


@contextmanager
def serve_wire(store: ModelStore) -> Iterator[WireServer]:
    """A running server."""
    server = WireServer(store)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing = True
        server.drop()
        server.shutdown()
        server.server_close()
        thread.join()
