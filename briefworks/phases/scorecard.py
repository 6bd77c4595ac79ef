"""
What can be counted of an article without a judge or a network: each measure with its definition and band.

A band is where a measure should lie, both ends included; those of style and tells are the 5th and 95th
percentile (of tells: up to the 90th), rounded, of texts that people wrote: see `benchmarks/human_bands.py`.
A measure that cannot be taken is None, never a guess.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from briefworks import tells
from briefworks.scoring import covers, flesch
from briefworks.scoring.words import WORD, mentions
from briefworks.shapes import Polished, Research, Scorecard
from briefworks.text import code_spans, count_words, paragraph_spans, sentence_spans

MATTR_WORDS, PHRASE_WORDS, MOST_ENTITIES = 500, 6, 25
_LEAST_WORDS = 100  # below that style says nothing
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(\S.*)$", re.MULTILINE)
_SOURCES = re.compile(r"^#{1,6} +(?:sources|references|notes)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w\]])\[(\d{1,4})\](?![(:])")
_LISTED = re.compile(r"^(?:[ \t]{0,3}|\[)(\d{1,4})(?:[.)]|\]:) ", re.MULTILINE)
_CITED = re.compile(r"\[\^?s?\d{1,4}\]|\]\(https?://")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\n]{0,500}\)")
_MARKUP = re.compile(r"\[\^?s?\d{1,4}\]|[*_`#>|]|^[ \t]*(?:[-+]|\d{1,9}[.)])[ \t]+", re.MULTILINE)
_ENDS = re.compile(r"[.!?…:。][\"'”’)\]*_]*(?:\s*\[\^?s?\d{1,4}\])*$")


@dataclass(frozen=True)
class Measure:
    """One measure: what it is, and the band it should lie in; None where there is no end."""

    group: str
    says: str
    least: float | None = None
    most: float | None = None

    @property
    def band(self) -> str:
        """The band in words, "" without one."""
        if self.least is None and self.most is None:
            return ""
        if self.least is None or self.most is None:
            return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"
        return f"{self.least:g}" if self.least == self.most else f"{self.least:g} to {self.most:g}"


MEASURES: Mapping[str, Measure] = {
    "facts": Measure("grounding", "numbers, dates, quotations and addresses, each said by a source it cites"),
    "unbacked_removed": Measure("grounding", "sentences the citation gate has taken out"),
    "dangling_citations": Measure("grounding", "citation numbers that lead to no listed source", 0, 0),
    "cited_sentence_share": Measure("grounding", "sentences with a citation, of all", 0.3),
    "source_hosts": Measure("grounding", "web hosts among the listed sources", 2),
    "top_host_share": Measure("grounding", "listed sources of the most frequent host, of all", None, 0.6),
    "entity_coverage": Measure("coverage", "share of the 25 names and terms on most pages that it has"),
    "entity_coverage_competitors": Measure("coverage", "the same, median of the pages read"),
    "question_coverage": Measure("coverage", "share of people's questions of which it has 75 % of the words"),
    "question_coverage_competitors": Measure("coverage", "the same, median of the pages read"),
    "tells_per_1000_words": Measure("tells", "weight of the linter's findings per 1,000 words", None, 3.0),
    "reading_ease": Measure("style", "Flesch reading ease of the prose; 60 is plain", 37, 68),
    "sentence_words": Measure("style", "mean words of a sentence", 11, 27),
    "sentence_spread": Measure("style", "standard deviation of the words of its sentences", 7, None),
    "mattr": Measure(
        "style", "distinct words in a window of 500 (or all), mean over all windows", 0.36, 0.54
    ),
    "repeated_share": Measure(
        "style", "six-word phrases that stand at two places or more, of all", None, 0.11
    ),
    "words": Measure("form", "words; citations and the list of sources are none"),
    "words_of_target": Measure("form", "words, of those asked for", 0.8, 1.25),
    "sections": Measure("form", "headings of the second level, without the sources", 3),
    "title_chars": Measure("form", "characters of the title", 15, 90),
    "meta_description_chars": Measure("form", "characters of the description for search results", 50, 170),
    "empty_headings": Measure("form", "headings with nothing below", 0, 0),
    "cut_off": Measure("form", "1 when the last sentence has no end", 0, 0),
    "longest_paragraph_words": Measure("form", "words of the longest paragraph", None, 250),
}


def score_markdown(markdown: str, language: str = "en") -> Scorecard:
    """The measures of any Markdown; those that need the research, the request or the gate are None."""
    body, listed = _without_sources(markdown)
    sentences = _sentences(body)
    numbers = set(_NUMBER.findall(_without_code(body)))
    prose = " ".join(sentences)
    found: dict[str, float | None] = dict.fromkeys(MEASURES)
    heading = _HEADING.search(body)
    found |= {
        "dangling_citations": len(numbers - set(_LISTED.findall(listed)) - set(_LISTED.findall(body))),
        "cited_sentence_share": _cited_share(body),
        "tells_per_1000_words": tells.rate(tells.lint(body), count_words(body)) if language == "en" else None,
        "reading_ease": _rounded(flesch(prose)) if language == "en" else None,
        "words": count_words(body),
        "sections": sum(len(marks) == 2 for marks, _ in _HEADING.findall(_without_code(body))),
        "title_chars": len(heading[2].strip()) if heading and len(heading[1]) == 1 else None,
        "empty_headings": _empty_headings(body),
        "cut_off": float(bool(sentences) and not _ENDS.search(_last_line(body))),
        "longest_paragraph_words": max((count_words(text) for text in _paragraphs(body)), default=0),
        **_style(sentences),
    }
    return _card(found)


def score_article(
    article: Polished, research: Research, texts: Mapping[str, str], target_words: int, language: str
) -> Scorecard:
    """The measures of an article with all it was made of; `texts` are the readable pages by source id."""
    found = score_markdown(article["markdown"], language)["measures"]
    hosts = Counter(urlsplit(source["url"]).netloc for source in article["sources"])
    backing = article.get("backing")
    if backing:
        found["facts"] = backing["facts"]
        found["unbacked_removed"] = sum(one["outcome"] == "removed" for one in backing["unbacked"])
    found |= {
        "tells_per_1000_words": article["tells_after"] if language == "en" else None,
        "source_hosts": len(hosts),
        "top_host_share": _share(max(hosts.values(), default=0), hosts.total()),
        "words": article["words"],
        "words_of_target": _share(article["words"], target_words),
        "title_chars": len(article["title"]),
        "meta_description_chars": len(article["meta_description"]),
    }
    names = [entity["name"] for entity in research["entities"][:MOST_ENTITIES]]
    pages = [*texts.values(), article["markdown"]]
    *others, own = [_share(sum(_has(name, text) for name in names), len(names)) for text in pages]
    found |= {"entity_coverage": own, "entity_coverage_competitors": _median(others)}
    asked = research["questions"]
    *others, own = [_share(sum(covers(text, one, language) for one in asked), len(asked)) for text in pages]
    found |= {"question_coverage": own, "question_coverage_competitors": _median(others)}
    return _card(found)


def _card(found: dict[str, float | None]) -> Scorecard:
    outside = [name for name, value in found.items() if value is not None and not _within(name, value)]
    return {"v": 1, "measures": found, "outside": outside, "rules_version": tells.RULES_VERSION}


def _within(name: str, value: float) -> bool:
    measure = MEASURES[name]
    return (measure.least is None or measure.least <= value) and (
        measure.most is None or value <= measure.most
    )


def _without_sources(markdown: str) -> tuple[str, str]:
    """The text before its last list of sources, and that list."""
    lists = list(_SOURCES.finditer(markdown))
    return (markdown[: lists[-1].start()], markdown[lists[-1].end() :]) if lists else (markdown, "")


def _without_code(markdown: str) -> str:
    for start, end in reversed(code_spans(markdown)):
        markdown = markdown[:start] + markdown[end:]
    return markdown


def _paragraphs(body: str) -> list[str]:
    """The prose: no headings, tables and code blocks."""
    found = (body[start:end] for start, end in paragraph_spans(body))
    return [text for text in found if not text.lstrip().startswith(("#", "|", "```", "~~~"))]


def _sentences(body: str) -> list[str]:
    """The sentences of the prose without their markup."""
    stripped = (
        _MARKUP.sub("", _LINK.sub(r"\1", text[start:end])).strip()
        for text in _paragraphs(body)
        for start, end in sentence_spans(text)
    )
    return [sentence for sentence in stripped if WORD.search(sentence)]


def _cited_share(body: str) -> float | None:
    spans = [text[start:end] for text in _paragraphs(body) for start, end in sentence_spans(text)]
    return _share(sum(bool(_CITED.search(text)) for text in spans), len(spans))


def _empty_headings(body: str) -> int:
    """Headings right before one of the same or a higher level, or at the end; a title may stand alone."""
    parts = [body[start:end] for start, end in paragraph_spans(body)]
    levels = [len(match[1]) if (match := _HEADING.match(part)) and "\n" not in part else 0 for part in parts]
    after = [*levels, 1][1:]
    return sum(level > 1 and 0 < following <= level for level, following in zip(levels, after, strict=True))


def _last_line(body: str) -> str:
    """The last line of the prose, as far as it is a sentence."""
    texts = _paragraphs(body)
    return texts[-1].rstrip().rpartition("\n")[2].rstrip() if texts else ""


def _style(sentences: Sequence[str]) -> dict[str, float | None]:
    lengths = [len(WORD.findall(sentence)) for sentence in sentences]
    words = WORD.findall(" ".join(sentences).casefold())
    if len(words) < _LEAST_WORDS or len(lengths) < 2:
        return {}
    return {
        "sentence_words": _rounded(statistics.mean(lengths)),
        "sentence_spread": _rounded(statistics.stdev(lengths)),
        "mattr": mattr(words),
        "repeated_share": repeated_share(words),
    }


def mattr(words: Sequence[str], window: int = MATTR_WORDS) -> float:
    """The mean share of distinct words over all windows of so many words (Covington and McFall 2010)."""
    window = min(window, len(words))
    seen = Counter(words[:window])
    total = len(seen)
    for gone, come in zip(words, words[window:], strict=False):
        seen[come] += 1
        seen[gone] -= 1
        if not seen[gone]:
            del seen[gone]
        total += len(seen)
    return round(total / (len(words) - window + 1) / window, 4)


def repeated_share(words: Sequence[str], size: int = PHRASE_WORDS) -> float:
    """The share of phrases of so many words that stand at more than one place."""
    phrases = Counter(tuple(words[n : n + size]) for n in range(len(words) - size + 1))
    return _share(sum(n for n in phrases.values() if n > 1), phrases.total()) or 0.0


def _has(name: str, text: str) -> bool:
    return mentions(name, text) > 0 or mentions(name.casefold(), text.casefold()) > 0


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 4) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
