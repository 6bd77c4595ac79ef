"""A table of rows behind real sockets that speaks the wire of the stream, and breaks it as it is told."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TERMINAL = ("polish-done", "run-failed", "run-cancelled")


def row(seq: int, article: str = "a", event: str = "draft-token", text: str = "ein wörd\u2028 🙂") -> Any:
    return {
        "project_id": "p", "seq": seq, "article_id": article, "run_id": "r", "step": "draft-section-1",
        "take": 1, "event": event, "data": {"text": text}, "created_at": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip


class Broken(Exception):
    """The server ends this connection now."""


class StreamServer:
    """
    `rows` are there, `coming` are batches that follow whenever a reader has all there is.

    `faults` are for the next requests of the stream, one each, as (name, number): ("cut", bytes),
    ("silent", 0), ("full", seconds), ("refuse", status), ("double", 0), ("no-ids", 0), ("page", rows),
    ("html", 0), ("drop", 0), ("json", 0), ("ok", 0).
    """

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.coming: list[list[Any]] = []
        self.head: int | None = None  # beyond the rows, when the newest are gone
        self.faults: list[tuple[str, int]] = []
        self.asked: list[tuple[str, str]] = []  # method or kind of answer, path with query
        self.listed: list[dict[str, str]] = []
        self.answers: dict[str, tuple[int, str, dict[str, str]]] = {}  # path → another answer
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def reset(self) -> None:
        with self.lock:
            self.rows, self.coming, self.faults, self.asked, self.head = [], [], [], [], None
            self.answers, self.listed = {}, []

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def page(self, after: int, article: str | None, limit: int) -> dict[str, Any]:
        with self.lock:
            head = self.head if self.head is not None else self.rows[-1]["seq"] if self.rows else 0
            after = 0 if after > head else after
            found = [r for r in self.rows if r["seq"] > after and article in (None, r["article_id"])]
        upto = found[limit - 1]["seq"] if len(found) > limit else head
        return {"rows": found[:limit], "head": head, "upto": upto}

    def grow(self) -> bool:
        with self.lock:
            if self.coming:
                self.rows += self.coming.pop(0)
                return True
        return False

    def state(self, article: str) -> dict[str, Any] | None:
        rows = [r for r in self.rows if r["article_id"] == article]
        if not rows:
            return None
        return {"status": "done" if rows[-1]["event"] in TERMINAL else "running", "seq": rows[-1]["seq"]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stream_server = self

        class Handler(_Handler):
            server_of_rows = stream_server

        return Handler


class _Handler(BaseHTTPRequestHandler):
    server_of_rows: StreamServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        with suppress(OSError):
            self.answer_get()

    def do_POST(self) -> None:
        table = self.server_of_rows
        body = self.rfile.read(int(self.headers["Content-Length"]))
        table.asked.append(("POST", body.decode()))
        fault, number = table.faults.pop(0) if table.faults else ("ok", 0)
        if fault == "drop":  # it was heard, but the answer is lost
            self.close_connection = True
        elif fault == "refuse":
            code = "engine-unavailable" if number == 503 else ""
            self.say(number, {"code": code, "detail": "no engine", "hint": "wait"})
        else:
            self.say(202, {})

    def answer_get(self) -> None:
        table, parts = self.server_of_rows, urlsplit(self.path)
        if parts.path in table.answers:
            status, body, headers = table.answers[parts.path]
            self.say_text(status, body, headers)
        elif parts.path.endswith("/stream"):
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            self.stream(int(query["after"]), query.get("article"))
        elif parts.path.endswith("/articles"):
            self.list_articles(parse_qs(parts.query).get("before", ["~"])[0])
        else:
            state = table.state(parts.path.rpartition("/")[2])
            self.say(200, state) if state else self.say(404, {"code": "not-started", "detail": "no row"})

    def do_DELETE(self) -> None:
        self.server_of_rows.asked.append(("DELETE", self.path))
        self.send_response(204)
        self.end_headers()

    def list_articles(self, before: str) -> None:
        """Two at a time, the newest first."""
        found = [each for each in self.server_of_rows.listed if each["started_at"] < before]
        found.sort(key=lambda each: each["started_at"], reverse=True)
        more = found[1]["started_at"] if len(found) > 2 else None
        self.server_of_rows.asked.append(("list", self.path))
        self.say(200, {"articles": found[:2], "next": more})

    def stream(self, after: int, article: str | None) -> None:
        table = self.server_of_rows
        fault, number = table.faults.pop(0) if table.faults else ("ok", 0)
        live = self.headers["Accept"] == "text/event-stream"
        table.asked.append(("sse" if live else "json", self.path))
        if fault == "drop":
            self.close_connection = True
        elif fault == "refuse" or (fault == "full" and live):
            status = 503 if fault == "full" else number
            self.say(status, {"code": "x", "detail": "refused"}, {"Retry-After": str(number)})
        elif fault == "html":
            self.say_text(200, "<p>Log in to the WLAN</p>", {"Content-Type": "text/html"})
        elif live and fault != "json":
            with suppress(Broken):
                self.events(after, article, fault, number)
            self.close_connection = True
        else:
            page = table.page(after, article, 1000)
            if page["upto"] == page["head"]:
                table.grow()
            self.say(200, page)

    def events(self, after: int, article: str | None, fault: str, number: int) -> None:
        left = [number if fault == "cut" else 1 << 60]

        def send(text: str) -> None:
            data = text.encode()
            framed = b"%x\r\n%s\r\n" % (len(data), data)
            self.wfile.write(framed[: left[0]])
            self.wfile.flush()
            left[0] -= len(framed)
            if left[0] <= 0:
                raise Broken

        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if fault == "silent":
            while self.connection.recv(1024):  # until the reader goes
                pass
            return
        send("retry: 1000\n\n")
        first = True
        while True:
            page = self.server_of_rows.page(after, article, number if fault == "page" else 1000)
            said = "" if fault == "no-ids" else f"id: {page['upto']}\n"
            if page["rows"] or first:
                said += f"event: rows\ndata: {json.dumps(page, ensure_ascii=False)}\n"
            if first or page["upto"] > after:
                send(f"{said}\n" * (2 if fault == "double" else 1))
            first, after = False, page["upto"]
            if after >= page["head"] and not self.server_of_rows.grow():
                if page["rows"] and page["rows"][-1]["event"] in TERMINAL and article:
                    send("event: end\ndata: {}\n\n")
                    self.wfile.write(b"0\r\n\r\n")
                    return
                send(": still here\n\n")
                threading.Event().wait(0.02)

    def say(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        kind = {"Content-Type": "application/json" if status < 400 else "application/problem+json"}
        self.say_text(status, json.dumps(body), kind | (headers or {}))

    def say_text(self, status: int, body: str, headers: dict[str, str]) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
