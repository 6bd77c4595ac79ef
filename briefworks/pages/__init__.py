"""The text of web pages: fetched politely, from public addresses only, and read in a process apart."""

from __future__ import annotations

import queue
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict

import structlog

from briefworks.pages.extractor import Extractor
from briefworks.pages.fetch import HTML_TYPES, Answer
from briefworks.pages.guard import NO_TIME, Guard, Refused, Resolver, resolve
from briefworks.pages.plain import Extracted, cut_at_paragraph, decode
from briefworks.pages.visits import Batch, Visits
from briefworks.text import clean, count_words, now_at

__all__ = ["FetchedPage", "Pages"]

MOST_THREADS = 16
CHARS_PER_BAD_CHAR = 20  # with more damage than this it is no text, whatever it is called
Ready = queue.SimpleQueue[tuple[int, Answer | str]]  # the number of a page, and it or a note
FEWEST_WORDS, FEWEST_CHARS = (
    50,
    400,
)  # below both a page says nothing; Chinese has few "words"

log = structlog.get_logger(__name__)


class FetchedPage(TypedDict):
    url: str  # as it was asked for, also when it redirected
    title: str
    text: str  # Markdown without links and images; at most 60,000 characters; "" with a note
    headings: list[str]
    published_at: str | None  # declared by the page, else None
    words: int
    has_list: bool
    has_table: bool
    fetched_at: str
    note: str  # "" or why the page could not be used, for a person


class Pages:
    """
    One per process; threads may share it. `allow_hosts` are the operator's "host" or "host:port", whose
    address may be private and whose pages are fetched several at once; other private addresses are refused.

    `resolver` and `ssl_context` replace the system's name service and certificates.
    """

    def __init__(
        self,
        allow_hosts: Sequence[str] = (),
        *,
        resolver: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._visits = Visits(Guard(allow_hosts, resolver=resolver, ssl_context=ssl_context))

    def fetch_all(
        self, urls: Sequence[str], *, timeout_s: float, on_page: Callable[[FetchedPage], None]
    ) -> list[FetchedPage]:
        """
        Fetch and read the pages, several hosts at once; the answer is in the order of `urls`.

        A page that cannot be used is one with a note, never an error. All ends within `timeout_s` seconds,
        whatever the pages do. `on_page` hears each page once, as soon as it is read, in the calling thread;
        what it raises stops everything and passes through.
        """
        if not urls:
            return []
        batch = Batch(time.monotonic() + timeout_s)
        ready: Ready = queue.SimpleQueue()
        pages: dict[int, FetchedPage] = {}
        threads = ThreadPoolExecutor(min(len(urls), MOST_THREADS), thread_name_prefix="pages")
        try:
            with Extractor() as extractor:
                for n, url in enumerate(urls):
                    threads.submit(self._bring, n, url, batch, ready)
                while len(pages) < len(urls):
                    try:
                        n, got = ready.get(timeout=batch.left_s)
                    except queue.Empty:
                        break
                    pages[n] = _page(urls[n], got, extractor, batch.deadline)
                    on_page(pages[n])
        finally:
            batch.stop()
            threads.shutdown(wait=False, cancel_futures=True)  # they end by themselves, at their next wait
        for n in set(range(len(urls))) - pages.keys():
            pages[n] = _unusable(urls[n], NO_TIME)
            on_page(pages[n])
        return [pages[n] for n in range(len(urls))]

    def _bring(
        self, n: int, url: str, batch: Batch, ready: queue.SimpleQueue[tuple[int, Answer | str]]
    ) -> None:
        try:
            ready.put((n, self._visits.page(url, batch)))
        except Refused as error:
            ready.put((n, str(error)))
        except Exception as error:  # a page must not end the run, whatever it found
            ready.put((n, _unforeseen(url, error)))


def _page(url: str, got: Answer | str, extractor: Extractor, deadline: float) -> FetchedPage:
    if isinstance(got, str):
        return _unusable(url, got)
    try:
        if got.content_type in HTML_TYPES:
            read = extractor.read(got.body, got.charset, deadline)
        else:
            read = _plain(got)
    except Refused as error:
        return _unusable(url, str(error))
    except Exception as error:  # no process to be had, say
        return _unusable(url, _unforeseen(url, error))
    words, text = count_words(read["text"]), read["text"]
    damaged = text.count("\ufffd") * CHARS_PER_BAD_CHAR > len(text)
    if damaged or (words < FEWEST_WORDS and len(text) < FEWEST_CHARS):
        return _unusable(url, "no readable text")
    return {**_unusable(url, ""), **read, "words": words}


def _unforeseen(url: str, error: Exception) -> str:
    log.warning("page-failed", url=url, exc_info=error)
    return f"could not be read ({type(error).__name__})"


def _plain(got: Answer) -> Extracted:
    text = cut_at_paragraph(clean(decode(got.body, got.charset)).replace("\r\n", "\n").strip())
    return {
        "title": "",
        "text": text,
        "headings": [],
        "published_at": None,
        "has_list": False,
        "has_table": False,
    }


def _unusable(url: str, note: str) -> FetchedPage:
    return {
        "url": url,
        "title": "",
        "text": "",
        "headings": [],
        "published_at": None,
        "words": 0,
        "has_list": False,
        "has_table": False,
        "fetched_at": now_at(),
        "note": note,
    }
