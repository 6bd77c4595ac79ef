"""
Real pages with what a person finds on them (`real_pages.toml`), read by our page reader over HTTP.

`python tests/real_pages.py` fetches the packages that have them (apt-get download, some 40 MB) into
.real-pages/ and says how well they are read.
"""

from __future__ import annotations

import functools
import http.server
import re
import sys
import threading
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from debian_packages import fetch  # noqa: E402

from briefworks.pages import FetchedPage, Pages  # noqa: E402
from briefworks.scoring import shared_terms  # noqa: E402
from briefworks.scoring.words import stems  # noqa: E402

FOLDER = ROOT / ".real-pages"
LABELS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "real_pages.toml").read_text("utf-8"))
PAGES: list[dict[str, Any]] = LABELS["page"]
SETS = {False: "known", True: "held out"}  # by `held_out`: labelled before the reader had read any of them
PACKAGES = list(dict.fromkeys(page["package"] for page in PAGES))
MOST_TERMS, FIRST_TERMS = 40, 10


@dataclass
class Share:
    """So many of so many, and which are not."""

    of: int = 0
    missed: list[str] = field(default_factory=list)

    @property
    def value(self) -> float:
        return 1 - len(self.missed) / self.of

    def count(self, things: Sequence[str], page: str, is_right: Any) -> None:
        self.of += len(things)
        self.missed += [f"{page}: {thing}" for thing in things if not is_right(thing)]

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.of - len(self.missed)} of {self.of})"


@contextmanager
def served() -> Iterator[str]:
    """The folder over real HTTP on loopback, as a plain file server gives it: no charset in its headers."""
    handler = functools.partial(_Quiet, directory=str(FOLDER))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def read_all() -> list[FetchedPage]:
    with served() as host:
        urls = [f"http://{host}/{page['package']}/{page['path']}" for page in PAGES]
        return Pages(allow_hosts=[host]).fetch_all(urls, timeout_s=120, on_page=lambda _page: None)


def measure(read: Sequence[FetchedPage], *, held_out: bool) -> dict[str, Share]:
    """What was read of one of the two sets against what a person finds there."""
    names = (
        "sentences",
        "menus left out",
        "headings found",
        "headings right",
        "dates",
        "topic",
        "terms right",
    )
    shares = {name: Share() for name in names}
    pairs = [(page, got) for page, got in zip(PAGES, read, strict=True) if _held_out(page) == held_out]
    for page, got in pairs:
        name, text = page["path"].rpartition("/")[2], bare(got["text"])
        wanted, headings = set(map(bare, page["headings"])), set(map(bare, got["headings"]))
        shares["sentences"].count(page["sentences"], name, lambda said, text=text: bare(said) in text)
        shares["menus left out"].count(page["menus"], name, lambda menu, text=text: bare(menu) not in text)
        shares["headings found"].count(
            page["headings"], name, lambda one, headings=headings: bare(one) in headings
        )
        shares["headings right"].count(got["headings"], name, lambda one, wanted=wanted: bare(one) in wanted)
        shares["dates"].count(
            [page["date"]], name, lambda date, got=got: date == (got["published_at"] or "")[:10]
        )
    for topic in LABELS["topic"]:
        if _held_out(topic) != held_out:
            continue
        texts = {
            f"s{n}": got["text"] for n, (page, got) in enumerate(pairs) if page["package"] in topic["pages"]
        }
        terms = [entity["name"] for entity in shared_terms(texts, topic["keyword"], limit=MOST_TERMS)]
        found = {" ".join(stems(term)) for term in terms}
        right = {" ".join(stems(term)) for term in topic["terms"] + topic["fitting"]}
        name = topic["keyword"]
        shares["topic"].count(topic["terms"], name, lambda one, found=found: " ".join(stems(one)) in found)
        shares["terms right"].count(
            terms[:FIRST_TERMS], name, lambda one, right=right: " ".join(stems(one)) in right
        )
    return shares


def _held_out(labels: dict[str, Any]) -> bool:
    return bool(labels.get("held_out", False))


def bare(text: str) -> str:
    """Without spaces and the marks of Markdown."""
    return re.sub(r"[\s*_`|\\]+", "", text)


def report(shares: dict[str, Share]) -> str:
    return "\n".join(
        f"{name}: {share}; not: {'; '.join(share.missed) or '–'}" for name, share in shares.items()
    )


if __name__ == "__main__":
    fetch(FOLDER, PACKAGES)
    read = read_all()
    for held_out, name in SETS.items():
        print(f"{name}\n{report(measure(read, held_out=held_out))}\n")  # noqa: T201
