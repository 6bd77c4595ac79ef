"""What two sections say: the same sentence is cut from the later one, a paragraph much alike is a finding."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from briefworks import citations
from briefworks.phases.paragraphs import is_prose
from briefworks.phases.repair import MENDED_CHARS
from briefworks.shapes import Finding, Mended, Section
from briefworks.text import count_words, sentence_spans, sentences_with_gaps, split_paragraphs

_LEAST_WORDS = 8  # of a sentence that counts; shorter ones may come again
_RUN = 4  # words that follow each other
_ALIKE = 0.5  # of a paragraph's runs stand in one paragraph of an earlier section
_LEAST_RUNS = 12
_WEIGHT = 2.0
_CITATION = re.compile(r"\[s\d{1,4}\]")
_WORD = re.compile(r"\w+")


def _words(text: str) -> list[str]:
    return _WORD.findall(_CITATION.sub(" ", text).casefold())


def without_repeats(sections: Sequence[Section]) -> list[Section]:
    """
    The sections without any sentence of eight words or more that an earlier section has, letter case apart.

    What goes is in their `mended`. A section that would lose its last citation stays as it is.
    """
    said: set[tuple[str, ...]] = set()
    kept = []
    for section in sections:
        mine: set[tuple[str, ...]] = set()
        repeated: list[str] = []
        paragraphs = (_without(text, said, mine, repeated) for text in split_paragraphs(section["markdown"]))
        markdown = "\n\n".join(text for text in paragraphs if text)
        changed = repeated and citations.cited(markdown)
        kept.append(_changed(section, markdown, repeated) if changed else section)
        said |= mine
    return kept


def _without(
    paragraph: str, said: set[tuple[str, ...]], mine: set[tuple[str, ...]], repeated: list[str]
) -> str:
    """The paragraph without what is `said`; its own sentences go to `mine`, those cut to `repeated`."""
    if not is_prose(paragraph):
        return paragraph
    kept = []
    for sentence, with_gap in sentences_with_gaps(paragraph):
        words = tuple(_words(sentence))
        if len(words) >= _LEAST_WORDS and words in said:
            repeated.append(sentence)
            continue
        mine.add(words)
        kept.append(with_gap)
    return "".join(kept).strip()


def _changed(section: Section, markdown: str, repeated: Sequence[str]) -> Section:
    cut: list[Mended] = [
        {"section": section["n"], "what": "said-twice", "text": sentence[:MENDED_CHARS]}
        for sentence in repeated
    ]
    changed = section.copy()
    changed["markdown"], changed["words"] = markdown, count_words(markdown)
    changed["sources"] = citations.cited(markdown)
    changed["mended"] = [*section.get("mended", []), *cut]
    return changed


def alike(sections: Sequence[Section]) -> Iterator[Finding]:
    """Each paragraph of which half stands in a paragraph of an earlier section, for its rewriting."""
    earlier: list[tuple[str, set[tuple[str, ...]]]] = []
    for section in sections:
        mine = []
        for k, paragraph in enumerate(split_paragraphs(section["markdown"]), 1):
            runs = _runs(paragraph) if is_prose(paragraph) else set()
            if len(runs) < _LEAST_RUNS:
                continue
            mine.append((section["heading"], runs))
            for heading, others in earlier:
                if len(runs & others) / len(runs) >= _ALIKE:
                    yield _finding(section["n"], k, paragraph, heading)
                    break
        earlier += mine


def _runs(paragraph: str) -> set[tuple[str, ...]]:
    words = _words(paragraph)
    return {tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1)}


def _finding(n: int, k: int, paragraph: str, heading: str) -> Finding:
    start, end = sentence_spans(paragraph)[0]
    return {
        "section": n,
        "paragraph": k,
        "start": start,
        "end": end,
        "quote": paragraph[start:end],
        "rule": "said-twice",
        "by": "linter",
        "why": f"Half of this paragraph already stands in the section “{heading}”; say what is new.",
        "weight": _WEIGHT,
        "fixed": False,
    }
