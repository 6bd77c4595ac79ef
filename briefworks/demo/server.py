"""The demo upstream as a thing to start and stop: its port, its threads, its connections."""

from __future__ import annotations

import http.server
import socket
import socketserver
import struct
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

from briefworks.demo.calls import Call, CallLog
from briefworks.demo.routes import Handler, State

PORTS_TRIED = 100


class DemoUpstream:
    """
    Model, search and web pages on loopback, for demos and tests; every text it sends is synthetic.

    `port` 0 is any; a busy one means the next that is free. `tokens_per_s` is the pace of each answer,
    `ttft_s` the wait before its first byte, `thinking_s` how long it thinks first. `log_path` gets a JSON
    line when a request begins and one when it ends.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        seed: int = 1,
        tokens_per_s: float = 400.0,
        ttft_s: float = 0.0,
        thinking_s: float = 0.0,
        log_path: Path | None = None,
    ) -> None:
        self._port = port
        self._state = State(seed, tokens_per_s, ttft_s, thinking_s, CallLog(log_path))
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        return self._state.url

    def start(self) -> str:
        """Listen, answer in threads of its own, and return the url. Raises `OSError` when no port is free."""
        self._server = self._listen()
        self._state.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="demo-upstream", daemon=True
        ).start()
        return self.url

    def stop(self) -> None:
        """Close the port, every connection and the log."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server.close_connections()
            self._server = None
        self._state.log.close()

    def fault(self, name: str, match: str = "", times: int = 1, **options: float) -> None:
        """Let the next `times` requests that match fail so; `ValueError` for a fault there is not."""
        self._state.faults.add([{"fault": name, "match": match, "times": times, **options}])

    def add_faults(self, faults: Any) -> None:
        """A list of faults as `POST /_demo/faults` takes it."""
        self._state.faults.add(faults)

    def calls(self, kind: str | None = None) -> list[Call]:
        """Every request since the start or the last reset, oldest first."""
        return self._state.log.calls(kind)

    def reset(self) -> None:
        """As if just started: no faults, no calls, nothing cached."""
        self._state.reset()

    def _listen(self) -> _Server:
        if self._port == 0:
            return _Server(self._state, 0)
        for port in range(self._port, self._port + PORTS_TRIED):
            try:
                return _Server(self._state, port)
            except OSError:
                continue
        raise OSError(f"no free port from {self._port} to {self._port + PORTS_TRIED - 1}")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_port = False  # or two of them would share a port

    def __init__(self, state: State, port: int) -> None:
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), partial(Handler, state))

    def server_bind(self) -> None:
        # http.server would ask the name service for our own name here, which takes seconds on some machines
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        lingers, _ = struct.unpack("ii", request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        if lingers:  # a reset: the FIN of an ordinary shutdown would spoil it
            request.close()
        else:
            super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # its client has closed it already

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
