"""
The gate: what a sentence states must be said by the source it cites, in the normal form of `facts`.

A sentence is held against all sources it cites, a quotation against those of the citation that follows it
(or, at the end, comes before). A sentence without a citation is held against those of its paragraph, and in
a paragraph without any against all sources: what no source says is never published. What the keyword itself
states needs no source. A web address must be one of the research.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from briefworks.citations.facts import Fact, facts, quotation, stated
from briefworks.citations.numbers import CLAIMS
from briefworks.citations.plain import plain
from briefworks.shapes import Research
from briefworks.text import paragraph_spans, sentence_spans, squash

_CITED = re.compile(r"\[(s\d{1,9})\]")
_QUOTE_MARK = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)
_BY = re.compile(r"\n[ \t]*-[^\n]{1,120}$")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+")


@dataclass(frozen=True)
class Sources:
    """What may be said: the text of each source by its id, the hosts that may be named, the keyword."""

    texts: Mapping[str, str]
    hosts: frozenset[str]
    given: str
    language: str = "en"  # of what is held against them

    @classmethod
    def of(
        cls, research: Research, texts: Mapping[str, str], language: str = "en", *, with_year: bool = False
    ) -> Sources:
        """The readable pages of a research, each with its title; with the year as something given."""
        titles = {page["source_id"]: page["title"] for page in research["pages"]}
        hosts = {urlsplit(page["url"]).hostname or "" for page in research["pages"]}
        return cls(
            {source_id: f"{titles.get(source_id, '')}\n{text}" for source_id, text in texts.items()},
            frozenset(host.removeprefix("www.") for host in hosts),
            f"{research['keyword']} {research['fetched_at'][:4]}" if with_year else research["keyword"],
            language,
        )


@dataclass(frozen=True)
class Unsaid:
    """A sentence of which the sources it cites do not say all: where it is, and what they do not say."""

    paragraph: int  # 1-based
    start: int
    end: int
    sentence: str
    facts: tuple[str, ...]
    cites: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """What the gate has seen of a text."""

    facts: int
    unsaid: list[Unsaid]


def check(markdown: str, sources: Sources) -> Checked:
    """Hold every sentence of a section against its sources; citations are in normal form (`[s3]`)."""
    count, unsaid = 0, []
    for k, (start, end) in enumerate(paragraph_spans(markdown), 1):
        paragraph = markdown[start:end]
        is_code = paragraph.lstrip().startswith(("```", "~~~"))
        around = () if is_code else _known(_CITED.findall(paragraph), sources)
        for a, b in [(0, end - start)] if is_code else sentence_spans(paragraph):
            text = paragraph[a:b]
            found, places = stated_by(text, sources.language, is_code=is_code)
            own = _known([source_id for _, source_id in places], sources)
            held = own or around or tuple(sources.texts)
            missing = [fact for fact in found if not _is_said(fact, places, held, sources)]
            count += len(found)
            if missing:
                shown = tuple(dict.fromkeys(_shown(fact) for fact in missing))
                unsaid.append(Unsaid(k, start + a, start + b, squash(text), shown, own))
    return Checked(count, unsaid)


def _known(ids: Sequence[str], sources: Sources) -> tuple[str, ...]:
    return tuple(source_id for source_id in dict.fromkeys(ids) if source_id in sources.texts)


def stated_by(
    sentence: str, language: str = "en", *, is_code: bool = False
) -> tuple[list[Fact], list[tuple[int, str]]]:
    """
    The facts of a sentence, and where in its plain form it cites what.

    A block of code, which cites nothing, states its addresses, dates, shares and sums of money.
    """
    if is_code:
        return [fact for fact in facts(plain(sentence), language=language) if _is_claim(fact)], []
    is_heading = sentence.lstrip().startswith("#")
    sentence = _ITEM.sub("", sentence, count=1) if _ITEM.match(sentence) else sentence
    text = plain(sentence)
    places = [(match.start(), match[1]) for match in _CITED.finditer(text)]
    text = _CITED.sub(lambda match: "\x02" * len(match.group()), text)
    if sentence.lstrip().startswith(">"):
        body = _BY.sub("", _QUOTE_MARK.sub("", text).rstrip(" \n\x02"))
        return [quotation(squash(body), body)], places
    return facts(text, heading=is_heading, language=language), places


def _is_claim(fact: Fact) -> bool:
    return fact.kind in ("address", "date") or any(unit in CLAIMS for _, unit in fact.values)


def _is_said(fact: Fact, places: Sequence[tuple[int, str]], ids: Sequence[str], sources: Sources) -> bool:
    if fact.kind == "address":
        hosts = {host for host, _ in fact.values}
        return any(host.removeprefix("www.") in sources.hosts for host in hosts)
    if fact.kind == "quotation" and places:
        ids = _known(_nearest(fact, places), sources)
    if any(stated(sources.texts[source_id]).has(fact) for source_id in ids):
        return True
    return fact.kind != "quotation" and stated(sources.given).has(fact)


def _nearest(fact: Fact, places: Sequence[tuple[int, str]]) -> list[str]:
    """The sources of the citation behind the fact, else of the last one before; neighbours belong to it."""
    behind = [place for place in places if place[0] >= fact.at]
    ordered = behind or list(reversed(places))
    near = [ordered[0]]
    for place in ordered[1:]:
        if abs(place[0] - near[-1][0]) > len(f"[{near[-1][1]}]") + 2:
            break
        near.append(place)
    return [source_id for _, source_id in near]


def _shown(fact: Fact) -> str:
    return fact.text.replace("\x01", "…").replace("\x02", "").strip()[:200]


def without(markdown: str, unsaid: Sequence[Unsaid]) -> str:
    """The text without these sentences, and without what that leaves empty, a heading over nothing too."""
    parts = []
    for start, end in paragraph_spans(markdown):
        cut = [(one.start, one.end) for one in unsaid if start <= one.start < end]
        paragraph = markdown[start:end]
        for a, b in reversed(cut):
            paragraph = _cut(paragraph, a - start, b - start)
        if not cut or _CITED.sub("", paragraph).strip(" \t\n-*+|>.:"):
            parts.append(paragraph)
    kept = [
        part
        for n, part in enumerate(parts)
        if not part.startswith("#") or (n + 1 < len(parts) and not parts[n + 1].startswith("#"))
    ]
    return "\n\n".join(kept)


def _cut(paragraph: str, start: int, end: int) -> str:
    """Without a stretch and the blanks behind it; a list item's mark goes with its last sentence."""
    mark = _ITEM.match(paragraph, start) if start == 0 or paragraph[start - 1] == "\n" else None
    line_end = paragraph.find("\n", end)
    rest_of_line = paragraph[end : line_end if line_end >= 0 else len(paragraph)].strip()
    if mark and mark.end() < end and rest_of_line:
        start = mark.end()
    return (
        paragraph[:start] + paragraph[end:].lstrip(" \t\n" if not paragraph[:start].strip() else " \t")
    ).strip("\n ")
