"""One connection, bare: bytes at their time, and every way in which a connection can break."""

from __future__ import annotations

import http.server
import json
import select
import socket
import struct
import time
import uuid
from typing import Any


class Gone(Exception):
    """The client has closed the connection."""


class Wire:
    """Writes one answer over the handler's socket and notices at once when the client has left."""

    def __init__(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        self._handler = handler
        self._socket: socket.socket = handler.connection
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._chunked = False
        self.request_id = f"req_{uuid.uuid4().hex[:24]}"

    def headers(self, status: int, content_type: str, **more: str) -> None:
        """Begin the answer; in `more` an underscore stands for a hyphen."""
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", content_type)
        self._handler.send_header("request-id", self.request_id)
        for name, value in more.items():
            self._handler.send_header(name.replace("_", "-"), value)
        if self._handler.close_connection and "Connection" not in more:
            self._handler.send_header("Connection", "close")
        self._handler.end_headers()

    def whole(self, status: int, content_type: str, body: bytes, **more: str) -> None:
        """A complete answer."""
        self.headers(status, content_type, Content_Length=str(len(body)), **more)
        self.write(body)

    def json(self, status: int, value: Any, **more: str) -> None:
        self.whole(status, "application/json", json.dumps(value, ensure_ascii=False).encode(), **more)

    def begin_stream(self, content_type: str, *, chunked: bool) -> None:
        """Chunked, so that a broken end is seen; else the body ends where the connection ends."""
        self._chunked = chunked
        if chunked:
            self.headers(200, content_type, Transfer_Encoding="chunked", Cache_Control="no-cache")
        else:
            self._handler.close_connection = True
            self.headers(200, content_type, Connection="close", Cache_Control="no-cache")

    def write(self, data: bytes) -> None:
        """Raises `Gone` when nobody is there any more."""
        self.sleep_until(0)
        if self._chunked:
            data = b"%x\r\n%s\r\n" % (len(data), data)
        try:
            self._handler.wfile.write(data)
        except OSError as error:
            raise Gone from error

    def end_stream(self, last: bytes) -> None:
        """The last bytes and the end in one packet."""
        if self._chunked:
            last = b"%x\r\n%s\r\n0\r\n\r\n" % (len(last), last)
            self._chunked = False
        self.write(last)

    def sleep_until(self, instant: float) -> None:
        """Wait for a `time.monotonic()` value; raises `Gone` as soon as the client closes."""
        wait_s = instant - time.monotonic()
        if self._poll.poll(max(0.0, wait_s * 1000)) and self._left():
            raise Gone
        if (rest_s := instant - time.monotonic()) > 0:  # it has sent its next request early
            time.sleep(rest_s)

    def cut(self) -> None:
        """End with FIN, whatever was promised."""
        self._handler.close_connection = True

    def reset(self) -> None:
        """End with RST: what is not delivered yet is lost."""
        self._handler.close_connection = True
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _left(self) -> bool:
        try:
            return self._socket.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True
