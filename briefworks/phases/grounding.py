"""The citation gate at work: what its sources do not say is rewritten once, then removed, and reported."""

from __future__ import annotations

from collections.abc import Sequence

from briefworks import citations
from briefworks.citations import Sources, Unsaid
from briefworks.errors import DraftUnsound, ModelAnswerInvalid
from briefworks.model import ModelCalls, Prompt
from briefworks.phases.paragraphs import is_prose, rewritten
from briefworks.phases.prompts import backing_prompt
from briefworks.shapes import Section, Unbacked
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
