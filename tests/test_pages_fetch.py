"""Fetching a batch: every page comes back, as text or as a note, in time and in order."""

import gzip
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from briefworks.errors import StaleTake
from briefworks.pages import FetchedPage, Pages
from briefworks.pages.fetch import MOST_BYTES, PAGE
from briefworks.pages.guard import Guard, Refused
from briefworks.pages.visits import Batch
from in_time import HELD_S, in_time

GUIDE = (Path(__file__).parent / "pages" / "guide.html").read_bytes()
PLAIN = "A desk is a table to work at, and a standing desk is one that is high enough to stand at.\n\n" * 6
PACKED = PLAIN.encode()


class RawServer:
    """Speaks HTTP by hand, one thread for a connection: `answers[path]` writes whatever it likes."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[socket.socket], None]] = {}
        self.sent_bytes = 0
        self.over = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def close(self) -> None:
        self.over.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                path = connection.recv(65536).split(b" ")[1].decode()
                self.answers.get(path, self._nothing)(connection)
            except OSError:
                pass  # the client has had enough

    def _nothing(self, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def drip(self, connection: socket.socket, head: bytes, drop: bytes) -> None:
        """`head`, then `drop` every 50 ms until the client leaves or the test is over."""
        connection.sendall(head)
        until = time.monotonic() + HELD_S
        while not self.over.wait(0.05) and time.monotonic() < until:
            connection.sendall(drop)

    def pour(self, connection: socket.socket, chunks: Iterator[bytes]) -> None:
        for chunk in chunks:
            connection.sendall(chunk)
            self.sent_bytes += len(chunk)


@pytest.fixture
def raw():
    server = RawServer()
    yield server
    server.close()


@pytest.fixture
def site(threaded_server: HTTPServer):
    threaded_server.clear()
    threaded_server.no_handler_status_code = 404
    threaded_server.expect_request("/guide").respond_with_data(GUIDE, content_type="text/html")
    threaded_server.expect_request("/plain").respond_with_data(PLAIN, content_type="text/plain")
    return threaded_server


def fetch_all(urls: list[str], timeout_s: float = 30, **options) -> list[FetchedPage]:
    hosts = sorted({url.split("/")[2] for url in urls if url.startswith("http")})
    return Pages(hosts, **options).fetch_all(urls, timeout_s=timeout_s, on_page=lambda page: None)


def fetch(url: str, timeout_s: float = 30) -> FetchedPage:
    (page,) = fetch_all([url], timeout_s)
    assert page["url"] == url
    assert bool(page["text"]) is not bool(page["note"])
    return page


def head(content_type: str = "text/html", **headers: str) -> bytes:
    lines = [f"Content-Type: {content_type}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("HTTP/1.1 200 OK\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode()


def test_a_page_comes_back_as_text_with_its_facts(site: HTTPServer):
    page = fetch(site.url_for("/guide"))
    assert page["note"] == ""
    assert page["title"] == "How high should a standing desk be?"
    assert page["text"].startswith("# How high should a standing desk be?\n\nA standing desk is at")
    assert page["words"] == pytest.approx(170, abs=30)
    assert len(page["headings"]) == 3
    assert page["published_at"] == "2026-03-04T08:00:00Z"
    assert page["has_list"]
    assert page["has_table"]
    assert page["fetched_at"].endswith("Z")


def test_plain_text_is_taken_as_it_is(site: HTTPServer):
    site.expect_request("/german").respond_with_data(
        ("Größe.\r\n\r\n" + PLAIN).encode("cp1252"), content_type="text/plain; charset=windows-1252"
    )
    page = fetch(site.url_for("/german"))
    assert page["text"].startswith("Größe.\n\nA desk is a table")
    assert page["title"] == ""


@pytest.mark.parametrize(
    ("status", "content_type", "body", "note"),
    [
        (404, "text/html", GUIDE, "404 Not Found"),
        (500, "text/html", GUIDE, "500 Internal Server Error"),
        (403, "text/html", GUIDE, "403 Forbidden"),
        (304, "text/html", b"", "304 Not Modified"),
        (799, "text/html", GUIDE, "799"),
        (200, "application/pdf", b"%PDF-1.7", "not HTML: application/pdf"),
        (200, "image/png", b"\x89PNG", "not HTML: image/png"),
        (200, "", GUIDE, "not HTML: no content type"),
        (200, "text/html", b"<html><body><p>Please enable JavaScript.</p></body></html>", "no readable text"),
        (200, "text/html", b"", "no readable text"),
        (200, "text/plain", b"short", "no readable text"),
        (200, "text/plain; charset=utf-8", bytes(range(256)) * 20, "no readable text"),
        (200, "text/html", b"<p>x" * 200_000, "too complex to read safely"),
        (200, "text/html", b"x" * (MOST_BYTES + 1), "too large"),
    ],
)
def test_a_page_that_cannot_be_used_has_a_note(site: HTTPServer, status, content_type, body, note):
    answer = Response(body, status=status, headers={"Content-Type": content_type} if content_type else {})
    if not content_type:
        del answer.headers["Content-Type"]
    site.expect_request("/page").respond_with_response(answer)
    assert fetch(site.url_for("/page"))["note"] == note


def test_addresses_that_may_not_be_fetched_are_notes_among_the_others(site: HTTPServer):
    urls = ["http://127.0.0.1:8080/", site.url_for("/plain"), "file:///etc/passwd", "http://u@h/", "nonsense"]
    allow = [f"{site.host}:{site.port}"]
    pages = Pages(allow).fetch_all(urls, timeout_s=30, on_page=lambda page: None)
    assert [page["url"] for page in pages] == urls
    assert [page["note"] for page in pages] == [
        "private address",
        "",
        "not a web address",
        "an address with a user name in it",
        "not a web address",
    ]


def test_nobody_at_the_address_is_a_note():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        assert fetch(f"http://127.0.0.1:{taken.getsockname()[1]}/")["note"] == "the host cannot be reached"


def test_no_page_is_no_work():
    assert fetch_all([]) == []


def test_pages_are_announced_as_they_come_and_returned_as_they_were_asked(site: HTTPServer):
    release = threading.Event()

    def late(request: Request) -> Response:
        release.wait(HELD_S)
        return Response(PLAIN, content_type="text/plain")

    site.expect_request("/late").respond_with_handler(late)
    urls = [site.url_for(path) for path in ("/late", "/missing", "/plain")]
    heard: list[FetchedPage] = []
    threads: set[int] = set()

    def on_page(page: FetchedPage) -> None:
        heard.append(page)
        threads.add(threading.get_ident())
        if len(heard) == 2:
            release.set()  # a late page keeps nobody waiting: only now may it come

    pages = Pages([f"{site.host}:{site.port}"]).fetch_all(urls, timeout_s=30, on_page=on_page)
    assert [page["url"] for page in pages] == urls
    assert [page["note"] for page in pages] == ["", "404 Not Found", ""]
    assert heard[2] == pages[0]
    assert len(heard) == 3
    assert threads == {threading.get_ident()}


def test_what_on_page_raises_stops_everything_and_passes_through(site: HTTPServer):
    asked = threading.Semaphore(0)
    release = threading.Event()

    def held(request: Request) -> Response:
        asked.release()
        release.wait(HELD_S)
        return Response(PLAIN, content_type="text/plain")

    site.expect_request("/held").respond_with_handler(held)
    urls = [site.url_for("/missing"), *[site.url_for("/held")] * 9]

    def on_page(page: FetchedPage) -> None:
        assert asked.acquire(timeout=HELD_S)
        raise StaleTake

    try:
        with in_time(), pytest.raises(StaleTake):
            Pages([f"{site.host}:{site.port}"]).fetch_all(urls, timeout_s=HELD_S, on_page=on_page)
    finally:
        release.set()
    for thread in threading.enumerate():
        if thread.name.startswith("pages"):
            thread.join(HELD_S)
    assert sum(request.path == "/held" for request, _ in site.log) <= 4


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "raw deflate", "two members", "padded"])
def test_compressed_pages_are_read(site: HTTPServer, encoding):
    raw = zlib.compressobj(wbits=-15)
    body = {
        "gzip": gzip.compress(PACKED),
        "x-gzip": gzip.compress(PACKED),
        "deflate": zlib.compress(PACKED),
        "raw deflate": raw.compress(PACKED) + raw.flush(),
        "two members": gzip.compress(PACKED[:700]) + gzip.compress(PACKED[700:]),
        "padded": gzip.compress(PACKED) + b"\0" * 99,
    }[encoding]
    header = {"raw deflate": "deflate", "two members": "gzip", "padded": "gzip"}.get(encoding, encoding)
    site.expect_request("/z").respond_with_data(
        body, content_type="text/plain", headers={"Content-Encoding": header}
    )
    assert fetch(site.url_for("/z"))["text"] == PLAIN.strip()


@pytest.mark.parametrize(
    ("encoding", "body", "note"),
    [
        ("br", PACKED, "an encoding that was not asked for: br"),
        ("gzip", PACKED, "the answer's compression is broken"),
        ("deflate", PACKED, "the answer's compression is broken"),
        ("gzip", gzip.compress(PACKED)[:-20], "the answer was cut off"),
    ],
    ids=["unknown", "not gzip", "not deflate", "cut"],
)
def test_a_body_that_cannot_be_unpacked_has_a_note(site: HTTPServer, encoding, body, note):
    site.expect_request("/z").respond_with_data(
        body, content_type="text/plain", headers={"Content-Encoding": encoding}
    )
    assert fetch(site.url_for("/z"))["note"] == note


def test_a_gzip_bomb_is_too_large_and_never_unpacked(site: HTTPServer):
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(10_000_000)
    bomb = b"".join(packer.compress(zeros) for _ in range(30)) + packer.flush()  # 300 MB in 0.3
    assert len(bomb) < 500_000
    site.expect_request("/bomb").respond_with_data(
        bomb, content_type="text/plain", headers={"Content-Encoding": "gzip"}
    )
    fetch(site.url_for("/plain"))  # whatever is loaded once is not counted
    tracemalloc.start()
    try:
        note = fetch(site.url_for("/bomb"))["note"]
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert note == "too large"
    assert peak_bytes < 8 * MOST_BYTES


def test_a_page_without_end_is_left_at_two_megabytes(raw: RawServer):
    def endless() -> Iterator[bytes]:
        yield head()
        while not raw.over.is_set():
            yield b"<p>More and more and more words." * 2000

    raw.answers["/"] = lambda connection: raw.pour(connection, endless())
    assert fetch(raw.url("/"))["note"] == "too large"
    assert raw.sent_bytes < 20_000_000  # what the buffers between us took


@pytest.mark.parametrize("where", ["body", "headers", "status", "gzip"])
def test_a_slow_drip_ends_with_the_time_given(raw: RawServer, where):
    before, drop = {
        "body": (head() + b"<p>", b"drip "),
        "headers": (b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"),
        "status": (b"HTTP/1.1 200 ", b"O"),
        "gzip": (head(**{"Content-Encoding": "gzip"}) + gzip.compress(b"")[:10], b"\x00"),
    }[where]
    raw.answers["/"] = lambda connection: raw.drip(connection, before, drop)
    with in_time():
        page = fetch(raw.url("/"), timeout_s=1.0)
    assert page["note"] in (
        "no time was left for it",
        "the connection broke",
        "the answer's compression is broken",
    )


@pytest.mark.parametrize("drop", [b"X-More: and more\r\n", b""], ids=["drip", "silence"])
def test_a_page_has_a_time_limit_of_its_own(raw: RawServer, drop):
    raw.answers["/"] = lambda connection: raw.drip(connection, b"HTTP/1.1 200 OK\r\n", drop)
    guard = Guard([raw.host])
    with in_time(), pytest.raises(Refused, match="took longer than 20 s"):
        Batch(time.monotonic() + HELD_S).request(guard, guard.check_url(raw.url("/")), 0.4, PAGE)


def test_a_silent_page_does_not_take_the_others_with_it(raw: RawServer):
    raw.answers["/silent"] = lambda connection: raw.drip(connection, b"", b"")
    raw.answers["/plain"] = lambda connection: connection.sendall(head("text/plain") + PACKED)
    with in_time():
        pages = fetch_all([raw.url("/silent"), raw.url("/plain")], timeout_s=4.0)
    assert [page["note"] for page in pages] == ["no time was left for it", ""]


def test_a_name_service_that_hangs_ends_with_the_time_given():
    over = threading.Event()

    def hangs(host: str, port: int) -> list[str]:
        over.wait(HELD_S)
        raise socket.gaierror

    try:
        with in_time():
            (page,) = Pages(resolver=hangs).fetch_all(
                ["http://a.example/"], timeout_s=0.5, on_page=lambda page: None
            )
    finally:
        over.set()
    assert page["note"] == "no time was left for it"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\nContent-Type: text/html\r\n\r\ncut",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\x00\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=[
        "nothing",
        "garbage",
        "no status",
        "cut",
        "bad chunk",
        "huge header",
        "bad length",
        "bad location",
        "no location",
    ],
)
def test_broken_http_is_a_note(raw: RawServer, answer):
    raw.answers["/"] = lambda connection: connection.sendall(answer)
    assert not fetch(raw.url("/"), timeout_s=5)["note"].startswith("could not be read")


def test_an_unforeseen_failure_is_a_note_as_well():
    def broken(host: str, port: int) -> list[str]:
        raise RuntimeError("a bug in the resolver")

    (page,) = Pages(resolver=broken).fetch_all(["http://a.example/"], timeout_s=5, on_page=lambda page: None)
    assert page["note"] == "could not be read (RuntimeError)"


def robots(site: HTTPServer, text: str, status: int = 200) -> None:
    site.expect_request("/robots.txt").respond_with_data(text, status=status, content_type="text/plain")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("User-agent: *\nDisallow: /plain", "robots.txt does not allow it"),
        ("User-agent: briefworks\nDisallow: /\n\nUser-agent: *\nAllow: /", "robots.txt does not allow it"),
        ("User-agent: *\nDisallow: /*ain$", "robots.txt does not allow it"),
        ("User-agent: *\nDisallow: /\nAllow: /plain", ""),
        ("User-agent: other\nDisallow: /", ""),
        ("User-agent: github\nDisallow: /", ""),
        ("User-agent: *\nCrawl-delay: 11", "robots.txt asks for 11 s between two requests"),
        ("User-agent: *\nCrawl-delay: nonsense", ""),
        ("<html>not a robots.txt</html>", ""),
        ("", ""),
        ("Disallow: /\n" * 50_000, ""),
    ],
)
def test_robots_txt_is_obeyed(site: HTTPServer, text, note):
    robots(site, text)
    assert fetch(site.url_for("/plain"))["note"] == note
    assert (("/plain" in [request.path for request, _ in site.log]) is True) is (note == "")


@pytest.mark.parametrize(
    ("status", "note"),
    [
        (404, ""),
        (403, ""),
        (410, ""),
        (500, "robots.txt cannot be read: 500"),
        (503, "robots.txt cannot be read: 503"),
    ],
)
def test_no_robots_txt_allows_all_and_a_failing_server_nothing(site: HTTPServer, status, note):
    robots(site, "", status)
    assert fetch(site.url_for("/plain"))["note"] == note


def test_robots_txt_may_redirect(site: HTTPServer):
    site.expect_request("/robots.txt").respond_with_data(status=301, headers={"Location": "/rules.txt"})
    site.expect_request("/rules.txt").respond_with_data("User-agent: *\nDisallow: /")
    assert fetch(site.url_for("/plain"))["note"] == "robots.txt does not allow it"


def test_robots_txt_counts_for_where_a_redirect_leads(site: HTTPServer):
    robots(site, "User-agent: *\nDisallow: /plain")
    site.expect_request("/open").respond_with_data(status=302, headers={"Location": "/plain"})
    assert fetch(site.url_for("/open"))["note"] == "robots.txt does not allow it"


def test_robots_txt_is_asked_for_once_and_remembered(site: HTTPServer):
    robots(site, "User-agent: *\nAllow: /")
    pages = Pages([f"{site.host}:{site.port}"])
    for _ in range(2):
        pages.fetch_all([site.url_for("/plain")] * 3, timeout_s=30, on_page=lambda page: None)
    paths = [request.path for request, _ in site.log]
    assert paths.count("/robots.txt") == 1
    assert paths.count("/plain") == 6


def test_a_crawl_delay_lies_between_two_pages_of_a_host(site: HTTPServer):
    robots(site, "User-agent: *\nCrawl-delay: 0.4")
    times: list[float] = []

    def plain(request: Request) -> Response:
        times.append(time.monotonic())
        return Response(PLAIN, content_type="text/plain")

    site.expect_request("/slowly").respond_with_handler(plain)
    pages = fetch_all([site.url_for("/slowly")] * 2)
    assert [page["note"] for page in pages] == ["", ""]
    assert times[1] - times[0] >= 0.35


def test_a_crawl_delay_beyond_the_time_left_is_not_waited_for(site: HTTPServer):
    robots(site, "User-agent: *\nCrawl-delay: 9")
    began = time.monotonic()
    pages = fetch_all([site.url_for("/plain")] * 2, timeout_s=8)
    assert sorted(page["note"] for page in pages) == ["", "no time was left for it"]
    assert time.monotonic() - began < 8
