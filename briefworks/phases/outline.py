"""The outline made sound by code, whatever a model answered, and what it still leaves out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, Field

from briefworks.scoring import covers
from briefworks.shapes import Gap, Research, SectionPlan
from briefworks.text import squash

MOST_WORDS = 700  # of a section
LEAST_SECTIONS, MOST_SECTIONS = 3, 12
_WORDS_PER_SECTION = 250
_MOST_ENTITIES = 25  # of those found, the ones on most pages
_TERM = 0.5  # what a shared term weighs beside a name
_SHARED = 0.3  # of the pages name it: an article without it is missing something
_MARKS = re.compile(r"^[\s#*\d.)(:–-]+|[\s#*:]+$")
_WORD = re.compile(r"[^\W\d_]{4,}")


class SectionAnswer(BaseModel):
    """One section as the model plans it."""

    heading: str = Field(min_length=1)
    purpose: str
    points: list[str]
    questions: list[str]
    entities: list[str]
    sources: list[str]
    words: int


class BriefAnswer(BaseModel):
    """The plan as the model gives it."""

    title: str = Field(min_length=1)
    angle: str
    reader: str
    meta_description: str
    outline: list[SectionAnswer] = Field(min_length=2)


def sections_for(target_words: int) -> int:
    """How many sections to ask for."""
    return max(LEAST_SECTIONS, min(MOST_SECTIONS, round(target_words / _WORDS_PER_SECTION)))


def share_words(wanted: Sequence[int], target_words: int) -> list[int]:
    """
    Whole numbers in the proportions of `wanted` that add up to `target_words`, each 1 to `MOST_WORDS`.

    The sum is smaller only when that many sections cannot hold it; a proportion beyond half or twice the
    mean is levelled, so that no section is starved.
    """
    n = len(wanted)
    positive = [max(1, min(words, 100_000)) for words in wanted]
    mean = sum(positive) / n
    weights = [min(2 * mean, max(mean / 2, words)) for words in positive]
    total = min(target_words, n * MOST_WORDS)
    shares = [0] * n
    while left := total - sum(shares):
        free = [i for i in range(n) if shares[i] < MOST_WORDS]
        weight = sum(weights[i] for i in free)
        for i in free:
            more = max(1, int(left * weights[i] / weight))
            shares[i] += min(more, MOST_WORDS - shares[i], total - sum(shares))
    return shares


def sound_outline(
    answer: Sequence[SectionAnswer], research: Research, texts: Mapping[str, str], target_words: int
) -> list[SectionPlan]:
    """
    The answered sections numbered from 1, without anything that research does not know.

    Sections of the same heading are one; entities and questions are spelled as in research; a section
    without a readable source gets the best fitting ones; words add up (see `share_words`).
    """
    plans: dict[str, SectionPlan] = {}
    for section in answer:
        plan = _plan(section, research, texts)
        key = "".join(_WORD.findall(plan["heading"].casefold())) or plan["heading"].casefold()
        if not plan["heading"]:
            continue
        if key in plans:
            _merge(plans[key], plan)
        else:
            plans[key] = plan
    outline = list(plans.values())[: max(LEAST_SECTIONS, min(MOST_SECTIONS, target_words // 100))]
    words = share_words([plan["words"] for plan in outline], target_words) if outline else []
    for n, (plan, share) in enumerate(zip(outline, words, strict=True), 1):
        plan["n"], plan["words"] = n, share
        plan["sources"] = plan["sources"] or _best_sources(plan, texts)
    return outline


def _plan(section: SectionAnswer, research: Research, texts: Mapping[str, str]) -> SectionPlan:
    names = {_key(entity["name"]): entity["name"] for entity in research["entities"]}
    questions = {_key(question): question for question in research["questions"]}
    ids = (source.strip("[] ").lower() for source in section.sources)
    return {
        "n": 0,
        "heading": _MARKS.sub("", squash(section.heading))[:120],
        "purpose": squash(section.purpose),
        "points": [squash(point) for point in section.points if point.strip()][:8],
        "questions": _distinct(questions.get(_key(question), "") for question in section.questions),
        "entities": _distinct(names.get(_key(name), "") for name in section.entities),
        "sources": _distinct(source for source in ids if source in texts),
        "words": section.words,
    }


def _key(text: str) -> str:
    return squash(text).casefold().rstrip("?.!")


def _distinct(values: Iterable[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value]


def _merge(plan: SectionPlan, more: SectionPlan) -> None:
    plan["points"] = _distinct([*plan["points"], *more["points"]])
    plan["questions"] = _distinct([*plan["questions"], *more["questions"]])
    plan["entities"] = _distinct([*plan["entities"], *more["entities"]])
    plan["sources"] = _distinct([*plan["sources"], *more["sources"]])
    plan["words"] += more["words"]


def _best_sources(plan: SectionPlan, texts: Mapping[str, str], most: int = 2) -> list[str]:
    wanted = _words(" ".join([plan["heading"], plan["purpose"], *plan["points"], *plan["entities"]]))
    shared = {source_id: len(wanted & _words(text)) for source_id, text in texts.items()}
    return sorted(texts, key=lambda source_id: -shared[source_id])[:most]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def find_gaps(
    outline: Sequence[SectionPlan],
    research: Research,
    texts: Mapping[str, str],
    target_words: int,
    language: str = "en",
) -> list[Gap]:
    """What the outline leaves out of what research found; weights 0 to 1, the heaviest first."""
    gaps: list[Gap] = []
    said = "\n".join(
        "\n".join([plan["heading"], plan["purpose"], *plan["points"], *plan["questions"], *plan["entities"]])
        for plan in outline
    )
    for entity in research["entities"][:_MOST_ENTITIES]:
        share = len(entity["pages"]) / max(1, len(texts))
        if share >= _SHARED and entity["name"].casefold() not in said.casefold():
            weight = min(1.0, share) * (1.0 if entity["kind"] == "entity" else _TERM)
            gaps.append({"kind": "entity", "what": entity["name"], "weight": round(weight, 2)})
    answered = {question for plan in outline for question in plan["questions"]}
    for question in research["questions"]:
        if question not in answered and not covers(said, question, language):
            gaps.append({"kind": "question", "what": question, "weight": 0.4})
    used = {source for plan in outline for source in plan["sources"]}
    gaps.extend({"kind": "source", "what": source, "weight": 0.2} for source in texts if source not in used)
    short = target_words - sum(plan["words"] for plan in outline)
    if short > 0:
        what = f"{short} of {target_words} words have no section"
        gaps.append({"kind": "words", "what": what, "weight": round(min(1.0, 2 * short / target_words), 2)})
    return sorted(gaps, key=lambda gap: -gap["weight"])
