"""A proxy on loopback that loses a request on the way, or only its answer; for PostgreSQL and for HTTP."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

Fault = Literal["", "request", "answer"]


class Lossy:
    """
    Passes bytes to `port`; `fault` cuts the connection at the next request or when its answer is there.

    With `every` each request that follows one that got through loses its answer. `greeting` says when the
    server has said all that comes before the first request (PostgreSQL's handshake), `whole` when an answer
    is complete.
    """

    def __init__(
        self, port: int, greeting: Callable[[bytes], bool] | None, whole: Callable[[bytes], bool]
    ) -> None:
        self._target, self._greeting, self._whole = port, greeting, whole
        self.fault: Fault = ""
        self.every, self._turn = False, False
        self.lost = 0
        self.slow_s = 0.0  # how long a request takes to get through
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, socket.create_connection(("127.0.0.1", self._target)) as server:
                talk = _Talk(self, client, server)
                threading.Thread(target=talk.ask, daemon=True).start()
                talk.answer()
        except OSError:
            pass

    def take(self) -> Fault:
        """The fault of this request; each happens once."""
        fault, self.fault = self.fault, ""
        if self.every:
            self._turn = not self._turn
            fault = "answer" if self._turn else ""
        if fault:
            self.lost += 1
        return fault


class _Talk:
    """One connection."""

    def __init__(self, lossy: Lossy, client: socket.socket, server: socket.socket) -> None:
        self.lossy, self.client, self.server = lossy, client, server
        self.ready = lossy._greeting is None
        self.asking = self.losing = False

    def ask(self) -> None:
        """The client's side."""
        with suppress(OSError):
            while data := self.client.recv(65536):
                if self.ready and not self.asking:
                    self.asking = True
                    if self.lossy.slow_s:
                        threading.Event().wait(self.lossy.slow_s)
                    fault = self.lossy.take()
                    if fault == "request":
                        break
                    self.losing = fault == "answer"
                self.server.sendall(data)
        self._cut()

    def answer(self) -> None:
        """The server's side."""
        said = b""
        with suppress(OSError):
            while data := self.server.recv(65536):
                said += data
                if self.losing:
                    if self.lossy._whole(said):
                        break
                    continue
                self.asking = False
                self.client.sendall(data)
                if not self.ready:
                    self.ready = self.lossy._greeting is not None and self.lossy._greeting(said)
                said = b"" if self.ready else said[-64:]
        self._cut()

    def _cut(self) -> None:
        for side in (self.client, self.server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


def idle(said: bytes) -> bool:
    """PostgreSQL has answered and waits for the next request."""
    return said.endswith(b"Z\x00\x00\x00\x05I")


def http_answer(said: bytes) -> bool:
    """An HTTP answer is complete."""
    head, ended, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if not ended or re.match(rb"HTTP/1.1 204", head):
        return bool(ended)
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
