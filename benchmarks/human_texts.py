"""
Texts that people wrote, from Debian's documentation packages.

Debian 12 froze in February 2023, and most of these texts are many years older.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from briefworks.pages.extract import Unreadable, read_html
from briefworks.text import count_words

LEAST_WORDS, MOST_WORDS, MOST_TEXTS = 400, 3000, 60
CORPORA = {  # package → where its prose is
    "anarchism": "usr/share/doc/anarchism/html/*.html",
    "apache2-doc": "usr/share/doc/apache2-doc/manual/en/**/*.html",
    "aptitude-doc-en": "usr/share/doc/aptitude/html/en/*.html",
    "debian-faq": "usr/share/doc/debian/FAQ/*.en.html",
    "debian-handbook": "usr/share/doc/debian-handbook/html/en-US/*.html",
    "debian-reference-en": "usr/share/debian-reference/*.en.html",
    "developers-reference": "usr/share/developers-reference/*.html",
    "git-doc": "usr/share/doc/git/html/**/*.html",
    "harden-doc": "usr/share/doc/harden-doc/html/en-US/*.html",
    "installation-guide-amd64": "usr/share/doc/installation-guide-amd64/en/*.html",
    "jargon-text": "usr/share/doc/jargon-text/jargon.html",
    "python3.11-doc": "usr/share/doc/python3.11/html/[fhtw]*/*.html",
    "sqlite3-doc": "usr/share/doc/sqlite3/*.html",
}


@dataclass(frozen=True)
class Text:
    """One page's prose."""

    corpus: str
    name: str
    text: str
    words: int


def texts(folder: Path) -> Iterator[Text]:
    """Up to 60 pages of each package, spread evenly over its files, each cut to 3,000 words."""
    for package, pattern in CORPORA.items():
        found = list(_of_package(package, sorted((folder / package).glob(pattern))))
        step = max(1.0, len(found) / MOST_TEXTS)
        yield from (found[int(n * step)] for n in range(min(MOST_TEXTS, len(found))))


def _of_package(package: str, files: list[Path]) -> Iterator[Text]:
    seen: set[str] = set()
    for file in files:
        try:
            text = read_html(file.read_bytes(), "")["text"]
        except Unreadable:
            continue
        for n, part in enumerate(_parts(text)):
            if (words := count_words(part)) >= LEAST_WORDS and part[:200] not in seen:
                seen.add(part[:200])
                yield Text(package, f"{file.name}#{n}", part, words)


def _parts(text: str) -> Iterator[str]:
    """The text in pieces of at most 3,000 words, cut between lines."""
    part: list[str] = []
    words = 0
    for line in text.split("\n"):
        if words + (more := count_words(line)) > MOST_WORDS and part:
            yield "\n".join(part)
            part, words = [], 0
        part.append(line)
        words += more
    yield "\n".join(part)
