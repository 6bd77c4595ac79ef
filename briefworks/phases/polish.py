"""Phase 4, polish, the hands: rewrite only what was flagged, and keep the best version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from briefworks import citations, tells
from briefworks.model import ModelCalls
from briefworks.personas import Persona
from briefworks.phases.critique import article_text, flagged_paragraphs
from briefworks.phases.grounding import final, sound_lines
from briefworks.phases.paragraphs import ParagraphStream, is_prose, losses, rewritten
from briefworks.phases.prompts import rewrite_prompt
from briefworks.phases.repair import MENDED_CHARS, is_talk
from briefworks.phases.scorecard import score_article
from briefworks.shapes import (
    ArticleRequest,
    Brief,
    Critique,
    Draft,
    Finding,
    Mended,
    Polished,
    Research,
    RuleTells,
    Section,
    SectionDone,
    StepOutput,
    Usage,
)
from briefworks.text import clean, count_words, join_paragraphs, sentence_spans, split_paragraphs

_NOUNS_CAPITALISED = frozenset({"de", "lb"})


class Round(TypedDict):
    """One round of polish: what was found, and the sections that were rewritten for it."""

    critique: Critique
    sections: list[SectionDone]


def worth_another_round(before: Sequence[Section], after: Sequence[Section], language: str = "en") -> bool:
    """Whether a round took away at least a tenth of the tells and left some; never without a linter."""
    was, is_now = _rate(before, language), _rate(after, language)
    return 0 < is_now <= 0.9 * was


def run_rewrite_phase(
    section: Section,
    findings: Sequence[Finding],
    persona: Persona,
    *,
    research: Research,
    texts: Mapping[str, str],
    calls: ModelCalls,
    out: StepOutput,
    language: str = "en",
) -> SectionDone:
    """
    Rewrite the flagged paragraphs of one section; all others stay as they are, letter for letter.

    `findings` may be those of the whole critique. A new paragraph that loses something (see `losses`) or
    weighs more by the linter, or states what its sources do not say, is thrown away and the old one stays.
    `texts` are the readable pages by source id. Model errors pass through.
    """
    n = section["n"]
    found = split_paragraphs(section["markdown"])
    mine = [finding for finding in findings if finding["section"] == n]
    flagged = {
        k: found[k - 1]
        for k in sorted(flagged_paragraphs(mine).get(n, ()))
        if k <= len(found) and is_prose(found[k - 1])
    }
    mended: list[Mended] = list(section.get("mended", []))
    if flagged:
        heard = ParagraphStream(lambda text, k: out.token(text, paragraph=k) if k in flagged else None)
        answer = calls.write(rewrite_prompt(persona, n, flagged, mine, language), heard.feed)
        names = [entity["name"] for entity in research["entities"] if entity["kind"] == "entity"]
        sources = citations.Sources.of(research, texts, language)
        written = rewritten(clean(answer))
        for k, old in flagged.items():
            new = citations.drop_unknown(written.get(k, ""), set(citations.cited(old)))  # no link comes in
            if wrong := _refusal(old, new, names, language, sources):
                mended.append({"section": n, "what": "rewrite-refused", "text": wrong})
            else:
                found[k - 1] = new
    markdown = join_paragraphs(found)
    done: Section = {
        **section,
        "markdown": markdown,
        "sources": citations.cited(markdown),
        "words": count_words(markdown),
        "usage": calls.usage,
        "mended": mended,
    }
    return {"n": n, "section": done}


def _refusal(old: str, new: str, names: Sequence[str], language: str, sources: citations.Sources) -> str:
    """Why a new paragraph must not take the place of the old one; "" when it may."""
    if not new:
        return "it did not come"
    if lost := losses(old, new, names, capitals=language not in _NOUNS_CAPITALISED):
        return "; ".join(lost)[:MENDED_CHARS]
    if any(is_talk(new[start:end]) for start, end in sentence_spans(new)):
        return "it speaks of the task"
    if _weight(new, language) > _weight(old, language):
        return "it has more tells than before"
    return "it states what its sources do not say" if citations.check(new, sources).unsaid else ""


def _weight(text: str, language: str) -> float:
    return sum(tell["weight"] for tell in tells.lint(text, language))


def _rate(sections: Sequence[Section], language: str) -> float:
    """Weighted tells per 1,000 words of the whole text; 0 for languages the linter does not know."""
    words = sum(section["words"] for section in sections)
    return tells.rate(tells.lint(article_text(sections), language), words)


def run_polish_phase(
    asked: ArticleRequest,
    brief: Brief,
    draft: Draft,
    rounds: Sequence[Round],
    research: Research,
    texts: Mapping[str, str],
    *,
    usage_so_far: Usage,
) -> Polished:
    """
    The article: the version with the fewest tells, its citations numbered, what was found and what is mended.

    The citation gate has the last word (see `grounding`); `texts` are the readable pages by source id.

    Versions are the draft and the text after each round; one that lost something against the draft is none.
    Of equal versions the latest wins. Pure code. `usage_so_far` is what all steps before have spent.
    """
    names = [entity["name"] for entity in research["entities"] if entity["kind"] == "entity"]
    versions = [draft["sections"]]
    for done in rounds:
        new = {section["n"]: section["section"] for section in done["sections"]}
        versions.append([new.get(section["n"], section) for section in versions[-1]])
    candidates = [
        version for version in versions if _nothing_lost(draft["sections"], version, names, asked.language)
    ]
    rates = [_rate(version, asked.language) for version in candidates]
    best = min(range(len(candidates)), key=lambda i: (rates[i], -i))
    sections, unbacked, facts = final(candidates[best], citations.Sources.of(research, texts, asked.language))
    title, description, sections, faults = sound_lines(
        brief,
        draft,
        sections,
        asked.keyword,
        citations.Sources.of(research, texts, asked.language, with_year=True),
    )
    markdown, sources = citations.assemble(title, sections, research)
    article: Polished = {
        "v": 1,
        "title": title,
        "meta_description": description,
        "sections": sections,
        "sources": sources,
        "markdown": markdown,
        "words": sum(section["words"] for section in sections),
        "findings": _settled(
            [finding for done in rounds for finding in done["critique"]["findings"]], sections
        ),
        "tells_before": _rate(draft["sections"], asked.language),
        "tells_after": _rate(sections, asked.language),
        "complete": True,
        "stopped_by": "",
        "usage": usage_so_far,
        "backing": {"facts": facts, "unbacked": [*faults, *unbacked]},
        "tells_by_rule": _by_rule(draft["sections"], sections, asked.language),
        "mended": [one for section in versions[-1] for one in section.get("mended", [])],
    }
    article["scores"] = score_article(article, research, texts, asked.target_words, asked.language)
    return article


def _by_rule(before: Sequence[Section], after: Sequence[Section], language: str) -> dict[str, RuleTells]:
    """What each rule that finds something weighs in the draft and in the article, the heaviest first."""
    found: dict[str, RuleTells] = {}
    for when, sections in (("before", before), ("after", after)):
        for tell in tells.lint(article_text(sections), language):
            weights = found.setdefault(tell["rule"], {"before": 0.0, "after": 0.0})
            weights["before" if when == "before" else "after"] += tell["weight"]
    return dict(sorted(found.items(), key=lambda item: -item[1]["before"]))


def _nothing_lost(
    old: Sequence[Section], new: Sequence[Section], names: Sequence[str], language: str
) -> bool:
    capitals = language not in _NOUNS_CAPITALISED
    for before, after in zip(old, new, strict=True):
        was = split_paragraphs(before["markdown"])
        is_now = split_paragraphs(after["markdown"])
        if len(was) != len(is_now):
            return False
        if any(a != b and losses(a, b, names, capitals=capitals) for a, b in zip(was, is_now, strict=True)):
            return False
    return True


def _settled(findings: Sequence[Finding], sections: Sequence[Section]) -> list[Finding]:
    """Each finding once; `fixed` when its words are gone, else with its place in the final paragraph."""
    texts = {
        (section["n"], k): text
        for section in sections
        for k, text in enumerate(split_paragraphs(section["markdown"]), 1)
    }
    settled: dict[tuple[int, int, str, str], Finding] = {}
    for finding in findings:
        key = (finding["section"], finding["paragraph"], finding["rule"], finding["quote"])
        start = texts.get(key[:2], "").find(finding["quote"])
        if start < 0:
            settled.setdefault(key, {**finding, "fixed": True})
        else:
            settled.setdefault(key, {**finding, "start": start, "end": start + len(finding["quote"])})
    return list(settled.values())
