"""A Supabase project on loopback: Realtime, Data API and sign-in at one address, over a real PostgreSQL."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from websockets.exceptions import WebSocketException
from websockets.server import ServerProtocol
from websockets.sync.server import ServerConnection

from realtime_channels import Socket
from supabase_project import PUBLISHABLE_KEY, SECRET_KEY, Project, Refused

# NOTIFY comes in the order of commits, as Realtime's replication does.
HEARD = """
    create or replace function realtime.peer_heard() returns trigger language plpgsql as $$
      begin perform pg_notify('peer_messages', new.id::text); return null; end $$;
    drop trigger if exists peer_heard on realtime.messages;
    create trigger peer_heard after insert on realtime.messages
      for each row execute function realtime.peer_heard();
"""
WEBSOCKET = b"GET /realtime/v1/websocket"
LOOK_S = 0.02  # how often tokens and due messages are looked at


class RealtimePeer(ThreadingMixIn, TCPServer):
    """
    The project at `url`, in front of a database that `supabase=True` migrated; see `Project` for its users.

    `realtime_down` and `http_down` refuse what is new; `drop` and `double` are for the next so many
    broadcasts, `delay_s` for all; while `ready` is false, nothing is heard after a join (see `get_ready`);
    sockets that come while it is `silent` are never told whether they have joined.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, database_url: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Http)
        self.project = Project(database_url)
        self.project.url = self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.realtime_down = self.http_down = False
        self.drop, self.double, self.delay_s, self.ready = 0, 0, 0.0, True
        self.silent = False
        self.clock_s = 0.0  # how far its clock is ahead
        self.sockets: list[Socket] = []
        self.asked: list[str] = []  # "POST /rest/v1/rpc/article_read" …, in order
        self.answered: list[str] = []
        self.joined = 0  # sockets that came, ever
        self._waiting: deque[tuple[float, str]] = deque()
        self._closed = threading.Event()
        with psycopg.connect(database_url, autocommit=True) as db:
            db.execute(HEARD)
        listening = threading.Event()
        self._running = [
            threading.Thread(target=self.serve_forever, args=[LOOK_S], daemon=True),
            threading.Thread(target=self._relay, args=[listening], daemon=True),
        ]
        for thread in self._running:
            thread.start()
        assert listening.wait(10), "the peer hears nothing of the database"

    def close(self) -> None:
        self._closed.set()
        self.cut()
        self.shutdown()
        for thread in self._running:
            thread.join()
        self.server_close()

    # --- what a test asks of it
    def cut(self) -> None:
        """Every socket, as a network does it."""
        for one in list(self.sockets):
            one.cut()

    def get_ready(self) -> None:
        """Whoever has joined hears from now on, and so does whoever comes."""
        self.ready = True
        for one in list(self.sockets):
            one.get_ready()

    def channels(self, name: str = "") -> int:
        """How many sockets have joined it."""
        topics = [topic for one in list(self.sockets) for topic in list(one.channels)]
        return len([topic for topic in topics if not name or topic == f"realtime:{name}"])

    # --- the wire
    def finish_request(self, request: socket.socket, client_address: Any) -> None:
        start = request.recv(len(WEBSOCKET), socket.MSG_PEEK)
        if start == WEBSOCKET:
            if not self.realtime_down:
                self._websocket(request)
        elif start and not self.http_down:
            self.RequestHandlerClass(request, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is what this is for; anything else is a fault of the peer."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def _websocket(self, request: socket.socket) -> None:
        wire = ServerConnection(request, ServerProtocol(max_size=2**22), close_timeout=1)
        asked: dict[str, list[str]] = {}

        def check(connection: ServerConnection, handshake: Any) -> Any:
            asked.update(parse_qs(urlsplit(handshake.path).query))
            known = asked.get("apikey", [""])[0] in (PUBLISHABLE_KEY, SECRET_KEY)
            return None if known else connection.respond(401, "Unauthorized\n")

        with suppress(WebSocketException, OSError, EOFError):
            wire.handshake(check)
        if wire.protocol.state.name == "OPEN":
            vsn = asked.get("vsn", ["1.0.0"])[0]
            one = Socket(wire, vsn, asked["apikey"][0], self.project.claims, self.project.may_read)
            one.ready, one.silent = self.ready, self.silent
            self.joined += 1
            self.sockets.append(one)
            try:
                one.run()
            finally:
                self.sockets.remove(one)
        wire.close_socket()
        wire.recv_events_thread.join()

    # --- what the database says
    def _relay(self, listening: threading.Event) -> None:
        while not self._closed.is_set():
            with (
                suppress(psycopg.OperationalError),
                psycopg.connect(self.project.database_url, autocommit=True) as db,
            ):
                db.execute("listen peer_messages")
                listening.set()
                while not self._closed.is_set():
                    for said in db.notifies(timeout=LOOK_S, stop_after=1):
                        self._waiting.append((time.monotonic() + self.delay_s, said.payload))
                    while self._waiting and self._waiting[0][0] <= time.monotonic():
                        self._send(db, self._waiting.popleft()[1])
                    for one in list(self.sockets):
                        one.expire()
            self._closed.wait(LOOK_S)

    def _send(self, db: psycopg.Connection, message_id: str) -> None:
        if self.drop > 0:
            self.drop -= 1
            return
        times = 2 if self.double > 0 else 1
        self.double = max(self.double - 1, 0)
        found = db.execute(
            "select topic, event, payload from realtime.messages where id = %s and private", [message_id]
        ).fetchone()
        for one in list(self.sockets) * times if found else ():
            one.broadcast(*found, message_id)


class _Http(BaseHTTPRequestHandler):
    """The Data API's functions and sign-in, behind the gateway's check of the key."""

    server: RealtimePeer
    protocol_version = "HTTP/1.1"
    timeout = 30

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.server.clock_s)

    def do_OPTIONS(self) -> None:
        self._answer(200, None)

    def do_GET(self) -> None:
        self._handle("")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._handle(body.decode())

    def _handle(self, body: str) -> None:
        asked = f"{self.command} {urlsplit(self.path).path}"
        self.server.asked.append(asked)
        if self.server.http_down:
            self.close_connection = True
            return
        try:
            self._answer(200, self._found(body))
        except Refused as refused:
            self._answer(refused.status, refused.body)
        self.server.answered.append(asked)

    def _found(self, body: str) -> Any:
        project, url = self.server.project, urlsplit(self.path)
        if url.path == "/auth/v1/.well-known/jwks.json":
            return project.jwks()
        query = parse_qs(url.query)
        apikey = self.headers.get("apikey") or query.get("apikey", [""])[0]
        if apikey not in (PUBLISHABLE_KEY, SECRET_KEY):
            said = {"message": "Invalid API key", "hint": "Double check your Supabase API key."}
            raise Refused(401, said)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or apikey
        match self.command, url.path.split("/")[1:]:
            case "POST", ["rest", "v1", "rpc", function]:
                return project.call(function, json.loads(body or "{}"), token)
            case "POST", ["auth", "v1", "token"]:
                return project.sign_in(query.get("grant_type", [""])[0], json.loads(body))
            case "GET", ["auth", "v1", "user"]:
                return project.shown(project.user_of(token))
            case "POST", ["auth", "v1", "logout"]:
                return None
        raise Refused(404, {"code": "PGRST125", "message": "Invalid path specified in request URL"})

    def _answer(self, status: int, body: Any) -> None:
        empty = self.command == "OPTIONS" or self.path.startswith("/auth/v1/logout")
        sent = b"" if empty else json.dumps(body).encode()
        self.send_response(204 if empty and status == 200 and self.command == "POST" else status)
        self.send_header("Access-Control-Allow-Origin", "*")
        if self.command == "OPTIONS":
            self.send_header("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS")
            wanted = self.headers.get("Access-Control-Request-Headers", "*")
            self.send_header("Access-Control-Allow-Headers", wanted)
            self.send_header("Access-Control-Max-Age", "3600")
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *args: Any) -> None:
        pass
