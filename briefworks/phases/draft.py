"""Phase 3, draft: each planned section in the persona's voice, and all of them put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from briefworks import citations
from briefworks.errors import DraftUnsound, NothingToResearch
from briefworks.model import ModelCalls
from briefworks.personas import Persona
from briefworks.phases.grounding import grounded
from briefworks.phases.prompts import section_prompt
from briefworks.phases.repair import MENDED_CHARS, Cut, other_headings, repaired, repeats
from briefworks.phases.repetition import without_repeats
from briefworks.shapes import (
    ArticleRequest,
    Brief,
    Draft,
    Mended,
    Research,
    Section,
    SectionDone,
    SectionPlan,
    StepOutput,
    Unbacked,
    no_usage,
)
from briefworks.text import clean, count_words, squash

_LEAST_SHARE = 0.3  # of the planned words; with less it is no section
_LEAST_WORDS = 30


def run_section_phase(
    asked: ArticleRequest,
    plan: SectionPlan,
    brief: Brief,
    research: Research,
    texts: Mapping[str, str],
    persona: Persona,
    *,
    calls: ModelCalls,
    out: StepOutput,
) -> SectionDone:
    """
    Write one section; `texts` are the readable pages by source id, the same for every section.

    Code mends what it can (see `repair`); a section without a citation or with hardly any text is asked for
    once more, told what is wrong. Its tokens are heard after those of the first try. Sentences that state
    what their sources do not say are rewritten once, then removed (see `grounding`), and listed.

    Raises `NothingToResearch` without a text, `DraftUnsound` when the second try is no better; model errors
    pass through.
    """
    allowed = {page["source_id"] for page in research["pages"] if page["source_id"] in texts}
    if not allowed:
        raise NothingToResearch("There is no source to write from, and nothing is invented.")
    others = [other["heading"] for other in brief["outline"] if other["n"] != plan["n"]]
    wrong: list[str] = []
    mended: list[Mended] = []
    for _ in range(2):
        if wrong:
            out.token("\n\n")
            mended.append({"section": plan["n"], "what": "asked-again", "text": " ".join(wrong)})
        prompt = section_prompt(asked, plan, brief, research, texts, persona, wrong=wrong)
        answer = calls.write(prompt, out.token)
        prose, cuts = repaired(clean(answer), plan["heading"])
        mended += [_mended(plan["n"], cut, prompt.system) for cut in cuts]
        markdown = citations.drop_unknown(prose, allowed).strip()
        wrong = _faults(markdown, plan, allowed, prompt.system, others)
        unbacked: list[Unbacked] = []
        if not wrong:
            sources = citations.Sources.of(research, texts, asked.language)
            markdown, unbacked = grounded(markdown, plan["n"], sources, prompt, calls)
            wrong = _faults(markdown, plan, allowed, prompt.system, others)
        if not wrong:
            section: Section = {
                "n": plan["n"],
                "heading": plan["heading"],
                "markdown": markdown,
                "sources": citations.cited(markdown),
                "words": count_words(markdown),
                "usage": calls.usage,
                "unbacked": unbacked,
                "mended": mended,
            }
            return {"n": plan["n"], "section": section}
    raise DraftUnsound(f"Section {plan['n']}, “{plan['heading']}”: {' '.join(wrong)}")


def _mended(n: int, cut: Cut, instructions: str) -> Mended:
    """The report of what was cut; never a word of the instructions, which readers do not see."""
    shown = "" if repeats(cut.text, instructions) else squash(cut.text)[:MENDED_CHARS]
    return {"section": n, "what": cut.what, "text": shown}


def _faults(
    markdown: str, plan: SectionPlan, allowed: set[str], instructions: str, others: Sequence[str]
) -> list[str]:
    """What keeps a mended section from being published, in sentences for whoever wrote it."""
    words = count_words(markdown)
    if markdown.startswith(("{", "[{")):
        return ["It is not prose."]
    if foreign := other_headings(markdown, others):
        return [f"It also writes “{foreign[0]}”, which is another section."]
    if words < max(_LEAST_WORDS, plan["words"] * _LEAST_SHARE):
        return [f"It has {words} words of the {plan['words']} asked for."]
    if repeats(markdown, instructions):
        return ["It repeats its instructions."]
    return citations.problems(markdown, allowed)


def run_draft_phase(brief: Brief, sections: Sequence[Section], research: Research) -> Draft:
    """
    The sections in the order of the outline, and the list of sources in the order of first use.

    A sentence that an earlier section has said is left out (see `repetition`). Its usage is nothing: every
    section carries its own. Raises `DraftUnsound` when a section of the outline is missing or a citation has
    no source.
    """
    by_n = {section["n"]: section for section in sections}
    missing = [plan["n"] for plan in brief["outline"] if plan["n"] not in by_n]
    if missing:
        raise DraftUnsound(f"The draft lacks section {', '.join(map(str, missing))} of its outline.")
    ordered = [by_n[plan["n"]] for plan in brief["outline"]]
    readable = {page["source_id"] for page in research["pages"] if page["snapshot_id"] is not None}
    for section in ordered:
        if unknown := set(citations.cited(section["markdown"])) - readable:
            raise DraftUnsound(
                f"Section {section['n']} cites {', '.join(sorted(unknown))}, which was never read."
            )
    ordered = without_repeats(ordered)
    _, sources = citations.assemble(brief["title"], ordered, research)
    return {"v": 1, "title": brief["title"], "sections": ordered, "sources": sources, "usage": no_usage()}
