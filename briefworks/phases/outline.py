"""The outline made sound by code, whatever a model answered, and what it still leaves out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, Field

from briefworks.phases.ownership import (
    MOST_ENTITIES,
    SHARED,
    each_owned_once,
    same_job,
    share_of_pages,
    told,
    words_of,
)
from briefworks.scoring import covers
from briefworks.shapes import Gap, Intent, Research, SectionPlan
from briefworks.text import squash

MOST_WORDS = 700  # of a section
LEAST_SECTIONS, MOST_SECTIONS = 3, 12
_WORDS_PER_SECTION = 250
_TERM = 0.5  # what a shared term weighs beside a name
_SAME_JOB = 1.0  # what two sections that tell the same weigh
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
    intent: Intent
    intent_why: str
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

    Sections of the same heading are one; entities and questions are spelled as in research, each in the
    first section that claims it; a section without a readable source gets the best fitting ones; words add
    up (see `share_words`).
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
    for plan in outline:
        plan["sources"] = plan["sources"] or _best_sources(plan, texts)
    return _numbered(each_owned_once(outline), target_words)


def without_twins(outline: Sequence[SectionPlan], keyword: str, target_words: int) -> list[SectionPlan]:
    """
    The outline with sections of the same job merged into the first of them.

    Only as long as the sections left can hold the words.
    """
    plans: list[SectionPlan] = [{**plan} for plan in outline]
    least = max(2, -(-target_words // MOST_WORDS))
    while len(plans) > least and (twins := next(same_job(plans, keyword), None)):
        _merge(twins[0], twins[1])
        plans.remove(twins[1])
    return _numbered(plans, target_words) if len(plans) < len(outline) else plans


def _numbered(plans: list[SectionPlan], target_words: int) -> list[SectionPlan]:
    words = share_words([plan["words"] for plan in plans], target_words) if plans else []
    for n, (plan, share) in enumerate(zip(plans, words, strict=True), 1):
        plan["n"], plan["words"] = n, share
    return plans


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
    wanted = words_of(told(plan))
    shared = {source_id: len(wanted & words_of(text)) for source_id, text in texts.items()}
    return sorted(texts, key=lambda source_id: -shared[source_id])[:most]


def find_gaps(
    outline: Sequence[SectionPlan],
    research: Research,
    texts: Mapping[str, str],
    target_words: int,
    language: str = "en",
) -> list[Gap]:
    """
    What the outline leaves out of what research found, and sections that tell the same, the heaviest first.

    Weights, 0 to 1: a name the share of the pages that have it, a term half of that; a question 0.4; a source
    0.2; words without a section twice their share; two sections with the same job 1.
    """
    gaps: list[Gap] = []
    said = "\n".join(map(told, outline))
    for entity in research["entities"][:MOST_ENTITIES]:
        share = share_of_pages(entity, texts)
        if share >= SHARED and entity["name"].casefold() not in said.casefold():
            weight = share * (1.0 if entity["kind"] == "entity" else _TERM)
            gaps.append({"kind": "entity", "what": entity["name"], "weight": round(weight, 2)})
    answered = {question for plan in outline for question in plan["questions"]}
    for question in research["questions"]:
        if question not in answered and not covers(said, question, language):
            gaps.append({"kind": "question", "what": question, "weight": 0.4})
    used = {source for plan in outline for source in plan["sources"]}
    gaps.extend({"kind": "source", "what": source, "weight": 0.2} for source in texts if source not in used)
    for one, other in same_job(outline, research["keyword"]):
        what = f"“{one['heading']}” and “{other['heading']}” have the same job"
        gaps.append({"kind": "job", "what": what, "weight": _SAME_JOB})
    short = target_words - sum(plan["words"] for plan in outline)
    if short > 0:
        what = f"{short} of {target_words} words have no section"
        gaps.append({"kind": "words", "what": what, "weight": round(min(1.0, 2 * short / target_words), 2)})
    return sorted(gaps, key=lambda gap: -gap["weight"])
