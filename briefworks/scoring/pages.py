"""
How good a page is by what can be counted, each part shown.

score = 100 · Σ weight · part / Σ weight over the parts that are known; a part that cannot be measured drops
out. The position in the search result is no part, so that `spearman` can compare the two. Links and
authority are not known here.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TypedDict

from briefworks.scoring.terms import shared_by, weight
from briefworks.scoring.words import WORD, is_content, mentions, stem, stems
from briefworks.shapes import Entity, Score

WEIGHTS: Mapping[str, float] = {
    "coverage": 40,
    "depth": 20,
    "questions": 15,
    "structure": 10,
    "freshness": 10,
    "readability": 5,
}
_COVERED = 0.75  # of a question's content words
_HALF_LIFE_DAYS = 365
_LEAST_WORDS = 50  # below that a readability says nothing
_SENTENCE = re.compile(r"[^.!?\n]+")


class PageFacts(TypedDict):
    """What is known of a page that was read."""

    source_id: str
    text: str
    words: int
    headings: list[str]
    has_list: bool
    has_table: bool
    published_at: str | None


def score_pages(
    pages: Sequence[PageFacts],
    entities: Sequence[Entity],
    questions: Sequence[str],
    language: str = "en",
    *,
    today: date | None = None,
) -> dict[str, Score]:
    """
    The score of each page by source id: `total` 0..100, `parts` 0..1 each.

    `missing` are the shared terms and entities the page lacks, the weightiest first. `today` is what
    freshness is measured from. No pages, no scores.
    """
    if not pages:
        return {}
    today = today or datetime.now(UTC).date()
    coverage = _coverage(pages, entities)
    words = statistics.median(page["words"] for page in pages)
    headings = statistics.median(len(page["headings"]) for page in pages)
    scores: dict[str, Score] = {}
    for page in pages:
        covered, missing = coverage[page["source_id"]]
        parts: dict[str, float | None] = {
            "coverage": covered,
            "depth": min(1.0, page["words"] / words) if words else None,
            "questions": _answered(page["text"], questions, language),
            "structure": _structure(page, headings),
            "freshness": _freshness(page["published_at"], today),
            "readability": _readability(page["text"]) if language == "en" else None,
        }
        scores[page["source_id"]] = _score(parts, missing)
    return scores


def _score(parts: Mapping[str, float | None], missing: list[str]) -> Score:
    known = {name: part for name, part in parts.items() if part is not None}
    total = sum(WEIGHTS[name] * part for name, part in known.items()) / sum(WEIGHTS[name] for name in known)
    return {
        "total": round(100 * total, 1),
        "parts": {name: round(part, 4) for name, part in known.items()},
        "unknown": [name for name in parts if name not in known],
        "missing": missing,
    }


def _coverage(
    pages: Sequence[PageFacts], entities: Sequence[Entity]
) -> dict[str, tuple[float | None, list[str]]]:
    """Per page the share of the shared vocabulary it has, None without one, and what it lacks."""
    texts = {page["source_id"]: page["text"] for page in pages}
    small = {source_id: text.lower() for source_id, text in texts.items()}
    reached = dict.fromkeys(texts, 0.0)
    lacking: dict[str, list[tuple[float, str]]] = {source_id: [] for source_id in texts}
    whole = 0.0
    for entity in entities:
        is_term = entity["kind"] == "term"
        name, where = (entity["name"].lower(), small) if is_term else (entity["name"], texts)
        times = {source_id: mentions(name, text) for source_id, text in where.items()}
        present = [n for n in times.values() if n]
        if len(present) < shared_by(len(pages)):
            continue
        worth = weight(len(present), len(pages), name, sum(present))
        usual = statistics.median(present)
        whole += worth
        for source_id, n in times.items():
            reached[source_id] += worth * min(1.0, n / usual)
            if not n:
                lacking[source_id].append((worth, entity["name"]))
    return {
        source_id: (
            reached[source_id] / whole if whole else None,
            [name for _, name in sorted(lacking[source_id], key=lambda pair: (-pair[0], pair[1]))],
        )
        for source_id in texts
    }


def _structure(page: PageFacts, usual_headings: float) -> float:
    headings = min(1.0, len(page["headings"]) / max(1.0, usual_headings))
    return 0.6 * headings + 0.2 * page["has_list"] + 0.2 * page["has_table"]


def _freshness(published_at: str | None, today: date) -> float | None:
    """Halves every year; None without a date the page declares, or with one that is not to be believed."""
    try:
        published = date.fromisoformat((published_at or "")[:10])
    except ValueError:
        return None
    age_days = (today - published).days
    return float(0.5 ** (max(0, age_days) / _HALF_LIFE_DAYS)) if age_days >= -1 else None


def _readability(text: str) -> float | None:
    ease = flesch(text)
    return None if ease is None else max(0.0, 1 - abs(ease - 60) / 60)


def flesch(text: str) -> float | None:
    """Flesch reading ease of an English text (60 is plain), None below 50 words."""
    words = WORD.findall(text)
    if len(words) < _LEAST_WORDS:
        return None
    sentences = sum(1 for sentence in _SENTENCE.findall(text) if WORD.search(sentence))
    syllables = sum(map(_syllables, words))
    return 206.835 - 1.015 * len(words) / max(1, sentences) - 84.6 * syllables / len(words)


def _syllables(word: str) -> int:
    """Groups of vowels, without a silent e at the end; at least one."""
    word = re.sub(r"(?:[^laeiouy]es|[^laeiouydt]ed|(?<![aeioul])e|(?<=[aeiouy])le)$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]+", word)))


def _answered(text: str, questions: Sequence[str], language: str) -> float | None:
    if not questions:
        return None
    present = set(stems(text))
    return sum(_is_covered(question, present, language) for question in questions) / len(questions)


def covers(text: str, question: str, language: str = "en") -> bool:
    """Whether at least 75 % of the question's content words stand in the text, plurals apart."""
    return _is_covered(question, set(stems(text)), language)


def _is_covered(question: str, present: set[str], language: str) -> bool:
    words = WORD.findall(question.lower().replace("-", " "))
    content = [word for word in words if is_content(word, language)] or [
        word for word in words if len(word) > 2
    ]
    asked = {stem(word) for word in content}
    return bool(asked) and len(asked & present) >= _COVERED * len(asked)


def spearman(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """
    Spearman's rank correlation, ties sharing their mean rank; None when undefined (fewer than two pairs, or
    a side that never varies).

    Raises `ValueError` when the two are not of one length.
    """
    if len(xs) != len(ys):
        raise ValueError(f"{len(xs)} values against {len(ys)}")
    if len(set(xs)) < 2 or len(set(ys)) < 2:
        return None
    return statistics.correlation(_ranks(xs), _ranks(ys))


def _ranks(values: Sequence[float]) -> list[float]:
    in_order = sorted(values)
    first = {value: n for n, value in reversed(list(enumerate(in_order)))}
    last = {value: n for n, value in enumerate(in_order)}
    return [(first[value] + last[value]) / 2 for value in values]
