"""The citation gate at work: what its sources do not say is rewritten once, then removed, and reported."""

from __future__ import annotations

from collections.abc import Sequence

from briefworks import citations
from briefworks.citations import Sources, Unsaid
from briefworks.errors import DraftUnsound, ModelAnswerInvalid
from briefworks.model import ModelCalls, Prompt
from briefworks.phases.paragraphs import is_prose, rewritten
from briefworks.phases.prompts import backing_prompt
from briefworks.shapes import Brief, Draft, Section, Unbacked
from briefworks.text import clean, count_words, join_paragraphs, split_paragraphs


def grounded(
    markdown: str, n: int, sources: Sources, prompt: Prompt, calls: ModelCalls
) -> tuple[str, list[Unbacked]]:
    """
    The text of section `n` without a fact that its sources do not say, and what was wrong.

    `prompt` is the one it was written for. A useless answer about the paragraphs is no rewrite; other model
    errors pass through.
    """
    found = citations.check(markdown, sources).unsaid
    if not found:
        return markdown, []
    mended = _rewritten(markdown, n, found, sources, prompt, calls)
    text, removed = cut(mended, n, sources)
    gone = {one["sentence"] for one in removed}
    reported = [_report(n, one, "rewritten") for one in found if one.sentence not in gone]
    return text, reported + removed


def cut(markdown: str, n: int, sources: Sources) -> tuple[str, list[Unbacked]]:
    """The text without the sentences that state what their sources do not say, and these sentences."""
    removed: list[Unbacked] = []
    while found := citations.check(markdown, sources).unsaid:  # a removed citation changes what is left
        removed += [_report(n, one, "removed") for one in found]
        markdown = citations.without(markdown, found)
    return markdown, removed


def final(sections: Sequence[Section], sources: Sources) -> tuple[list[Section], list[Unbacked], int]:
    """
    The last look before the article: its sections, all that the gate reports, how many facts are backed.

    A section of which nothing is left is none. Raises `DraftUnsound` when no section is left.
    """
    kept: list[Section] = []
    reported: list[Unbacked] = []
    facts = 0
    for section in sections:
        markdown, removed = cut(section["markdown"], section["n"], sources)
        reported += [*section.get("unbacked", []), *removed]
        facts += citations.check(markdown, sources).facts
        changes = {"sources": citations.cited(markdown), "words": count_words(markdown)} if removed else {}
        if markdown:
            kept.append({**section, "markdown": markdown, **changes})  # type: ignore[typeddict-item]
    if not kept:
        raise DraftUnsound("Its sources say nothing of what the draft states.")
    return kept, reported, facts


def sound_lines(
    brief: Brief, draft: Draft, sections: Sequence[Section], keyword: str, sources: Sources
) -> tuple[str, str, list[Section], list[Unbacked]]:
    """
    Title, description and the sections with their headings: nothing in them that no source says.

    They cite nothing, so any source will do. A heading that says more gives way to a question or a name that
    its section owns, it or the title else to the keyword; the description loses sentences. What was wrong is
    told, that of title and description as section 0.
    """
    told: list[Unbacked] = []

    def sound(line: str, others: Sequence[str], n: int) -> str:
        faults = [_line_faults(one, sources) for one in (line, *others)]
        told.extend(_report(n, one, "removed") for one in faults[0])
        kept = (one for one, found in zip((line, *others), faults, strict=True) if not found)
        return next(kept, keyword[:1].upper() + keyword[1:])

    owned = {plan["n"]: [*plan["questions"], *plan["entities"]] for plan in brief["outline"]}
    title = sound(draft["title"], (), 0)
    headed = [
        {**section, "heading": sound(section["heading"], owned.get(section["n"], ()), section["n"])}
        for section in sections
    ]
    description, removed = cut(brief["meta_description"], 0, sources)
    return title, description, headed, [*told, *removed]  # type: ignore[return-value]


def _line_faults(line: str, sources: Sources) -> list[Unsaid]:
    return citations.check(f"### {line}", sources).unsaid


def _rewritten(
    markdown: str, n: int, found: Sequence[Unsaid], sources: Sources, prompt: Prompt, calls: ModelCalls
) -> str:
    """The text with each faulty paragraph in the better of its two versions."""
    paragraphs = split_paragraphs(markdown)
    wrong = {
        k: (paragraphs[k - 1], [one for one in found if one.paragraph == k])
        for k in sorted({one.paragraph for one in found})
    }
    try:
        answer = calls.write(backing_prompt(prompt, n, wrong), lambda _text: None)
    except ModelAnswerInvalid:
        return markdown
    for k, written in rewritten(clean(answer)).items():
        if k in wrong:
            old, unsaid = wrong[k]
            new = citations.drop_unknown(written, set(sources.texts))
            if _is_better(old, new, len(unsaid), sources):
                paragraphs[k - 1] = new
    return join_paragraphs(paragraphs)


def _is_better(old: str, new: str, faults: int, sources: Sources) -> bool:
    if len(split_paragraphs(new)) != 1 or is_prose(new) != is_prose(old) or not citations.cited(new):
        return False
    length = count_words(new) / max(1, count_words(old))
    return 0.4 <= length <= 1.5 and len(citations.check(new, sources).unsaid) < faults


def _report(n: int, one: Unsaid, outcome: str) -> Unbacked:
    return {
        "section": n,
        "sentence": one.sentence[:500],
        "facts": list(one.facts),
        "cites": list(one.cites),
        "outcome": "removed" if outcome == "removed" else "rewritten",
    }
