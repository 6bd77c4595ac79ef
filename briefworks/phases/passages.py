"""
Where a source says what a sentence states: for each sentence of a section, the passages of what it cites.

A passage is verbatim: the sentence of the source that says most of what is stated, with its neighbours; where
it does is marked. That no passage is like a sentence is an answer too.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypedDict

from briefworks.citations import stated_by
from briefworks.citations.facts import Fact, Stated, facts, stated
from briefworks.citations.plain import plain
from briefworks.scoring.words import is_content, stems
from briefworks.text import paragraph_spans, sentence_spans

MOST_SOURCES, MOST_PASSAGES = 5, 3  # for one sentence; of one source for it
MOST_CHARS = 600  # of each part of a passage
MOST_TEXT, MOST_FACTS, MOST_TRIED = 200_000, 20, 200  # of a source, a sentence, a fact: for hostile pages
_LEAST_SHARED = 0.3  # of a sentence's words, for a passage that says none of its facts
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?=\S)")
_stated = stated.__wrapped__  # what is asked once need not be kept


class Passage(TypedDict):
    """A stretch of a source as it was read, verbatim: the sentence that was meant, and its neighbours."""

    source_id: str
    before: str
    text: str
    after: str
    marks: list[list[int]]  # [start, end] in `text`: the figures and words that the article's sentence states


class BackedSentence(TypedDict):
    """A sentence of the article at `[start:end]` of its section's Markdown, and what its sources say."""

    section: int
    start: int
    end: int
    cites: list[str]  # source ids
    passages: list[Passage]


class ArticlePassages(TypedDict):
    """What backs the sentences of an article."""

    v: Literal[1]
    project_id: str
    article_id: str
    gone: list[str]  # the sources whose text is no longer stored
    sentences: list[BackedSentence]


class Told:
    """The text of one source (of a very long one, its beginning), ready to be searched."""

    def __init__(self, text: str, language: str = "en") -> None:
        self.text, self.language = text[:MOST_TEXT], language
        self.spans = [
            piece
            for start, end in paragraph_spans(self.text)
            for a, b in sentence_spans(self.text[start:end])
            for piece in self._pieces(start + a, start + b)
        ]

    def _pieces(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """A sentence without a list item's mark, which the page itself has not; in parts when it is long."""
        if mark := _ITEM.match(self.text, start, end):
            start = mark.end()
        while end - start > MOST_CHARS:
            cut = max(self.text.rfind(" ", start, start + MOST_CHARS), start + MOST_CHARS // 2)
            yield start, cut
            start = cut
        yield start, end

    @cached_property
    def words(self) -> list[frozenset[str]]:
        return [_words(self.text[a:b], self.language) for a, b in self.spans]

    @cached_property
    def said(self) -> list[Stated]:
        return [_stated(self.text[a:b]) for a, b in self.spans]

    @cached_property
    def _by_value(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = {}
        for k, one in enumerate(self.said):
            for value in {value for value, _ in one.values}:
                found.setdefault(value, []).append(k)
        return found

    def saying(self, fact: Fact) -> list[int]:
        """The sentences that say a fact, as far as they are among the first that may."""
        if any(unit in ("quotation", "name") for _, unit in fact.values):
            return [k for k, one in enumerate(self.said) if one.has(fact)]
        may = {k for value, _ in fact.values for k in self._by_value.get(value, [])[:MOST_TRIED]}
        return [k for k in sorted(may) if self.said[k].has(fact)]


@dataclass(frozen=True)
class _Sentence:
    start: int
    end: int
    facts: list[Fact]
    cites: list[str]
    words: frozenset[str]


def passages(
    section: int, markdown: str, sources: Mapping[str, Told], language: str = "en"
) -> list[BackedSentence]:
    """The sentences of a section, its citations as `[s3]`; `sources` are those that can be read."""
    return [
        {
            "section": section,
            "start": one.start,
            "end": one.end,
            "cites": one.cites,
            "passages": [
                passage
                for source_id in [cited for cited in one.cites if cited in sources][:MOST_SOURCES]
                for passage in _found(source_id, one, sources[source_id])
            ],
        }
        for one in _sentences(markdown, language)
    ]


def _sentences(markdown: str, language: str) -> Iterator[_Sentence]:
    for start, end in paragraph_spans(markdown):
        paragraph = markdown[start:end]
        if paragraph.lstrip().startswith(("```", "~~~", "#")):
            continue
        for a, b in sentence_spans(paragraph):
            found, places = stated_by(paragraph[a:b], language)
            cites = list(dict.fromkeys(source_id for _, source_id in places))
            if re.search(r"\w", paragraph[a:b]):
                yield _Sentence(start + a, start + b, found, cites, _words(paragraph[a:b], language))


def _words(text: str, language: str) -> frozenset[str]:
    return frozenset(word for word in stems(text) if is_content(word, language))


def _found(source_id: str, sentence: _Sentence, source: Told) -> Iterator[Passage]:
    """What one source says of a sentence: each passage says facts that those before do not."""
    says: dict[int, list[Fact]] = {}
    for fact in sentence.facts[:MOST_FACTS]:
        for k in source.saying(fact):
            says.setdefault(k, []).append(fact)

    def shared(k: int) -> int:
        return len(sentence.words & source.words[k])

    if not says and source.spans:
        best = max(range(len(source.spans)), key=shared)
        if shared(best) and shared(best) >= _LEAST_SHARED * len(sentence.words):
            yield _passage(source_id, source, best, [])
    for _ in range(MOST_PASSAGES):
        if not says:
            return
        best = max(says, key=lambda k: (len(says[k]), shared(k), -k))
        told = says[best]
        yield _passage(source_id, source, best, told)
        says = {k: left for k, facts in says.items() if (left := [one for one in facts if one not in told])}


def _passage(source_id: str, source: Told, best: int, says: list[Fact]) -> Passage:
    """A sentence of the source with a neighbour on each side."""
    start, end = source.spans[best]
    first = source.spans[best - 1][0] if best else start
    last = source.spans[best + 1][1] if best + 1 < len(source.spans) else end
    text = source.text[start:end]
    return {
        "source_id": source_id,
        "before": source.text[max(first, start - MOST_CHARS) : start],
        "text": text,
        "after": source.text[end : min(last, end + MOST_CHARS)],
        "marks": [list(mark) for mark in sorted({mark for fact in says for mark in marks_of(fact, text)})],
    }


def marks_of(fact: Fact, text: str) -> list[tuple[int, int]]:
    """Where a text says a fact, as (start, end); what it says only in other words has no place."""
    said = plain(text)
    if fact.kind == "quotation":
        (parts, _), *_ = fact.values
        patterns = (r"\W+".join(map(re.escape, part.split())) for part in parts.split("\x01"))
        spans = [match.span() for pattern in patterns if (match := re.search(pattern, said))]
    else:
        spans = [
            (one.at, one.at + len(one.text.rstrip()))
            for one in facts(said.replace('"', " "))  # else a number in a quotation is the quotation's
            if one.kind != "quotation" and _stated(one.text).has(fact)
        ]
    places = range(len(text) + 1)

    def raw(place: int) -> int:
        return bisect_left(places, place, key=lambda n: len(plain(text[:n])))

    return [(max(0, raw(start + 1) - 1), raw(end)) for start, end in spans]
