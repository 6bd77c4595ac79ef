"""A proxy on loopback that loses a request on the way, or only its answer; for PostgreSQL and for HTTP."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

Fault = Literal["", "request", "answer"]


@dataclass(frozen=True)
class Language:
    """Whether the server speaks first, and when a request and an answer are complete."""

    greets: bool
    asked: Callable[[bytes], bool]
    answered: Callable[[bytes], bool]


class Lossy:
    """
    Passes bytes to `port`; `fault` cuts the connection at the next request or when its answer is there.

    With `every` each request loses its answer the first time it is made. `language` knows where requests
    and answers end.
    """

    def __init__(self, port: int, language: Language) -> None:
        self.target, self.language = port, language
        self.fault: Fault = ""
        self.every = False
        self.lost = 0
        self._made: set[bytes] = set()
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
            with client, socket.create_connection(("127.0.0.1", self.target)) as server:
                talk = _Talk(self, client, server)
                threading.Thread(target=talk.ask, daemon=True).start()
                talk.answer()
        except OSError:
            pass

    def take(self, request: bytes) -> Fault:
        """The fault of this request; each happens once."""
        fault, self.fault = self.fault, ""
        if self.every and request not in self._made:
            self._made.add(request)
            fault = "answer"
        if fault:
            self.lost += 1
        return fault


class _Talk:
    """One connection."""

    def __init__(self, lossy: Lossy, client: socket.socket, server: socket.socket) -> None:
        self.lossy, self.client, self.server = lossy, client, server
        self.greeted = not lossy.language.greets
        self.losing = False

    def ask(self) -> None:
        """The client's side."""
        request = b""
        with suppress(OSError):
            while data := self.client.recv(65536):
                request += data
                if self.greeted and not self.lossy.language.asked(request):
                    continue
                fault = self.lossy.take(request) if self.greeted else ""
                if fault == "request":
                    break
                self.losing = fault == "answer"
                self.server.sendall(request)
                request = b""
        self._cut()

    def answer(self) -> None:
        """The server's side."""
        said = b""
        with suppress(OSError):
            while data := self.server.recv(65536):
                said += data
                if self.losing and self.lossy.language.answered(said):
                    break
                if not self.losing:
                    self.client.sendall(data)
                    self.greeted = self.greeted or self.lossy.language.answered(said)
                    said = b"" if self.greeted else said[-64:]
        self._cut()

    def _cut(self) -> None:
        for side in (self.client, self.server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


def _http_whole(said: bytes) -> bool:
    head, ended, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if not ended or re.match(rb"HTTP/1.1 204", head):
        return bool(ended)
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")


HTTP = Language(greets=False, asked=_http_whole, answered=_http_whole)
POSTGRES = Language(  # Sync or a simple query; ready for the next one, outside a transaction
    greets=True,
    asked=lambda said: said.endswith(b"S\x00\x00\x00\x04") or said.startswith((b"Q", b"X")),
    answered=lambda said: said.endswith(b"Z\x00\x00\x00\x05I"),
)
