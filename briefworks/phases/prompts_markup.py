"""The markup in which text from outside stands in a prompt: as data, in tags that it cannot open or close."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from briefworks.shapes import Research
from briefworks.text import squash

SOURCES_CHARS = 60_000  # of all sources in a prompt: about 15,000 tokens, cached for the sections

_TAGS = "source|keyword|outline|section|paragraph|entities|questions|missing|wrong|words|sections|finding"
_OURS = re.compile(rf"<(?=\s{{0,3}}/?\s{{0,3}}(?:{_TAGS})\b)", re.IGNORECASE)
_CITATION = re.compile(r"\[(s\d{1,9})\]", re.IGNORECASE)


def data(text: str) -> str:
    """Text from outside that cannot open or close any of our tags."""
    return _OURS.sub("‹", text)


def page_text(text: str) -> str:
    """Text of a page, which cannot cite one of our sources either."""
    return _CITATION.sub(r"(\1)", data(text))


def attribute(text: str) -> str:
    return squash(data(text)).replace('"', "'").replace("<", "‹").replace(">", "›")


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {squash(data(line))}" for line in lines) or "- (none)"


def keyword_block(keyword: str) -> str:
    return f"<keyword>{attribute(keyword)}</keyword>"


def trimmed(texts: Mapping[str, str], chars: int) -> dict[str, str]:
    """The texts cut at a blank, together at most `chars` long; short ones leave room to long ones."""
    room, cut = chars, {}
    by_length = sorted(texts, key=lambda source_id: len(texts[source_id]))
    for left, source_id in zip(range(len(by_length), 0, -1), by_length, strict=True):
        text, share = texts[source_id], room // left
        if len(text) > share:
            head = text[:share]
            text = head[: head.rfind(" ")] if " " in head else head
        cut[source_id] = text
        room -= len(text)
    return {source_id: cut[source_id] for source_id in texts}


def pages_block(texts: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """Pages by source id, each in its own tag."""
    return "\n\n".join(
        f'<source id="{name}" title="{attribute(titles.get(name, ""))}">\n{page_text(text)}\n</source>'
        for name, text in texts.items()
    )


def sources_block(research: Research, texts: Mapping[str, str], chars: int = SOURCES_CHARS) -> str:
    """All readable sources in the order of the search, each in its own tag."""
    titles = {page["source_id"]: page["title"] for page in research["pages"]}
    parts = trimmed({source_id: texts[source_id] for source_id in titles if source_id in texts}, chars)
    return pages_block(parts, titles)


def paragraph_block(n: int, k: int, text: str) -> str:
    return f'<paragraph id="{n}.{k}">{data(text)}</paragraph>'
