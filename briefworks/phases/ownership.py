"""Who tells what: every question, name and source has its section, and no two sections have the same job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from briefworks.shapes import Entity, Research, SectionPlan

MOST_ENTITIES = 25  # of those found, the ones on most pages
SHARED = 0.3  # of the pages name it: an article without it is missing something
_SAME = 0.75  # of the words of two headings, or of two purposes
_NEAR = 0.5  # of two purposes, where the headings have one word alone
_WORD = re.compile(r"[^\W\d_]{4,}")


def share_of_pages(entity: Entity, texts: Mapping[str, str]) -> float:
    """The share of the readable pages that name it; the reason to name it as well."""
    return min(1.0, len(entity["pages"]) / max(1, len(texts)))


def words_of(text: str) -> set[str]:
    """Its words of four letters or more, without regard to case and to a final s."""
    return {word.removesuffix("s") for word in _WORD.findall(text.casefold())}


def told(plan: SectionPlan) -> str:
    """All that a section is planned to say."""
    return "\n".join(
        [plan["heading"], plan["purpose"], *plan["points"], *plan["questions"], *plan["entities"]]
    )


def each_owned_once(outline: Sequence[SectionPlan]) -> list[SectionPlan]:
    """The outline with every question and name in the first section alone that claims it."""
    taken: set[str] = set()

    def first(values: Iterable[str]) -> list[str]:
        mine = [value for value in values if value not in taken]
        taken.update(mine)
        return mine

    return [
        {**plan, "questions": first(plan["questions"]), "entities": first(plan["entities"])}
        for plan in outline
    ]


def all_owned(
    outline: Sequence[SectionPlan], research: Research, texts: Mapping[str, str]
) -> list[SectionPlan]:
    """
    The outline with a section for every question, source and widely shared name that none has claimed.

    It goes to the section that already names it, else to the one that shares most words with it (a source:
    for its length), of equals to the one that owns the least of the kind, then to the first.
    """
    plans: list[SectionPlan] = [
        {
            **plan,
            "questions": [*plan["questions"]],
            "entities": [*plan["entities"]],
            "sources": [*plan["sources"]],
        }
        for plan in outline
    ]
    questions = {question for plan in plans for question in plan["questions"]}
    for question in research["questions"]:
        if question not in questions:
            _fitting(plans, question, "questions").append(question)
    names = {name for plan in plans for name in plan["entities"]}
    for entity in research["entities"][:MOST_ENTITIES]:
        if entity["name"] not in names and share_of_pages(entity, texts) >= SHARED:
            _fitting(plans, entity["name"], "entities").append(entity["name"])
    used = {source for plan in plans for source in plan["sources"]}
    for source, text in texts.items():
        if source not in used:
            _fitting(plans, text, "sources").append(source)
    return plans


def _fitting(plans: Sequence[SectionPlan], text: str, kind: str) -> list[str]:
    """What the section that fits `text` best owns of that kind."""
    wanted = words_of(text)

    def fits(plan: SectionPlan) -> tuple[bool, float, int]:
        said = told(plan)
        words = words_of(said)
        return (
            text.casefold() in said.casefold(),
            len(wanted & words) / max(1, len(words)),
            -len(_owned(plan, kind)),
        )

    return _owned(max(plans, key=fits), kind)


def _owned(plan: SectionPlan, kind: str) -> list[str]:
    if kind == "questions":
        return plan["questions"]
    return plan["entities"] if kind == "entities" else plan["sources"]


def same_job(outline: Sequence[SectionPlan], keyword: str) -> Iterator[tuple[SectionPlan, SectionPlan]]:
    """
    The pairs of sections that would tell the same, the words of the keyword apart.

    Their headings share three quarters of their words (and the purposes half, where that is one word), or
    their purposes do.
    """
    common = words_of(keyword)
    for one, other in combinations(outline, 2):
        headings = [words_of(plan["heading"]) - common for plan in (one, other)]
        purposes = [words_of(plan["purpose"]) - common for plan in (one, other)]
        aims = _alike(*purposes)
        few = min(map(len, headings)) < 2
        if (_alike(*headings) >= _SAME and (not few or aims >= _NEAR)) or (
            aims >= _SAME and min(map(len, purposes)) >= 3
        ):
            yield one, other


def _alike(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, len(one | other))
