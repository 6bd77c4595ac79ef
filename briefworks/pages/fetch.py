"""One page over the network: redirects by hand, each hop checked, sizes and times bounded."""

from __future__ import annotations

import http
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version

import httpcore
import httpx

from briefworks.pages.guard import Guard, GuardedBackend, Refused

AGENT = "briefworks"  # the name that robots.txt files call us by
USER_AGENT = f"{AGENT}/{version('briefworks')} (+https://github.com/briefworks/briefworks)"
MOST_BYTES = 2_000_000  # on the wire, and again decoded
PAGE_S, READ_S, CONNECT_S = 20.0, 8.0, 8.0
MOST_REDIRECTS = 4
HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
READABLE_TYPES = HTML_TYPES | {"text/plain"}
TOO_SLOW = f"took longer than {PAGE_S:.0f} s"
_HEADERS: Mapping[bytes | str, bytes | str] = {
    "User-Agent": USER_AGENT,
    "Accept": "text/html,application/xhtml+xml,text/plain;q=0.8",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",
}


@dataclass(frozen=True)
class Wanted:
    """What is taken from an answer: which content types (none given: any), and how much of it."""

    types: frozenset[str]
    most_bytes: int
    cut: bool  # a longer body ends there; else it is too large


PAGE = Wanted(READABLE_TYPES, MOST_BYTES, cut=False)
ROBOTS_TXT = Wanted(frozenset(), 500_000, cut=True)


@dataclass(frozen=True)
class Answer:
    """What one request brought. `body` is decoded, and empty unless the status is 200."""

    status: int
    location: str  # of a redirect, else ""
    content_type: str
    charset: str  # as declared over HTTP, else ""
    body: bytes


def get(guard: Guard, url: httpx.URL, deadline: float, wanted: Wanted = PAGE) -> Answer:
    """
    Ask for one URL that `guard.check_url` gave; redirects are answers, not followed.

    Raises `Refused` with a note for what cannot be used, `httpcore.TimeoutException` when it takes
    beyond `deadline` (monotonic), and other httpcore errors.
    """
    target = httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path or b"/"
    )
    left_s = deadline - time.monotonic()
    timeout = {"connect": min(CONNECT_S, left_s), "read": READ_S, "write": READ_S, "pool": left_s}
    backend = GuardedBackend(guard, deadline)
    secure = guard.ssl_context if url.scheme == "https" else None
    with (
        httpcore.ConnectionPool(ssl_context=secure, network_backend=backend) as pool,
        pool.stream("GET", target, headers=_HEADERS, extensions={"timeout": timeout}) as response,
    ):
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in response.headers}
        if response.status in (301, 302, 303, 307, 308) and headers.get("location"):
            return Answer(response.status, headers["location"], "", "", b"")
        if response.status != 200:
            return Answer(response.status, "", "", "", b"")
        content_type, charset = _content_type(headers)
        if wanted.types and content_type not in wanted.types:
            raise Refused(f"not HTML: {content_type or 'no content type'}")
        chunks = response.iter_stream()  # as they come: gathering them would wait for a slow drip
        body = _decoded(_on_the_wire(chunks, deadline), headers, wanted)
        return Answer(200, "", content_type, charset, body)


def status_note(status: int) -> str:
    """An HTTP status as a person reads it, such as "404 Not Found"."""
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _content_type(headers: Mapping[str, str]) -> tuple[str, str]:
    kind, _, rest = headers.get("content-type", "").partition(";")
    charset = ""
    for parameter in rest.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip("\"'")
    return kind.strip().lower()[:100], charset[:40]


def _on_the_wire(chunks: Iterator[bytes], deadline: float) -> Iterator[bytes]:
    for chunk in chunks:
        if time.monotonic() > deadline:
            raise httpcore.ReadTimeout("the page's time is over")
        yield chunk


def _decoded(chunks: Iterator[bytes], headers: Mapping[str, str], wanted: Wanted) -> bytes:
    """The body without its content encoding; never holds more than is wanted and one chunk."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise Refused(f"an encoding that was not asked for: {encoding[:30]}")
    squeezed = None if encoding in ("", "identity") else _Inflater(raw_too=encoding == "deflate")
    body, wire_bytes = bytearray(), 0
    for chunk in chunks:
        wire_bytes += len(chunk)
        room = wanted.most_bytes + 1 - len(body)
        body += squeezed.take(chunk, room) if squeezed else chunk[:room]
        if max(len(body), wire_bytes) > wanted.most_bytes:
            if wanted.cut:
                return bytes(body[: wanted.most_bytes])
            raise Refused("too large")
    if squeezed and not squeezed.complete:
        raise Refused("the answer was cut off")
    return bytes(body)


class _Inflater:
    """gzip or deflate, undone into at most as many bytes as there is room: a bomb stays unexploded."""

    def __init__(self, *, raw_too: bool) -> None:
        self._raw_too = raw_too  # "deflate" without the zlib header that it should have
        self._zlib = zlib.decompressobj(47)
        self._begun = False

    @property
    def complete(self) -> bool:
        return self._zlib.eof or not self._begun

    def take(self, chunk: bytes, room: int) -> bytes:
        out = bytearray()
        try:
            while chunk and len(out) < room:
                if self._zlib.eof:
                    if not chunk.startswith(b"\x1f\x8b"):
                        break  # padding; a further gzip member begins like that
                    self._zlib = zlib.decompressobj(47)
                out += self._inflate(chunk, room - len(out))
                chunk = self._zlib.unconsumed_tail or self._zlib.unused_data
        except zlib.error:
            raise Refused("the answer's compression is broken") from None
        return bytes(out)

    def _inflate(self, chunk: bytes, room: int) -> bytes:
        first, self._begun = not self._begun, True
        try:
            return self._zlib.decompress(chunk, room)
        except zlib.error:
            if not (first and self._raw_too):
                raise
        self._zlib = zlib.decompressobj(-15)
        return self._zlib.decompress(chunk, room)
