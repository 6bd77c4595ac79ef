"""Phase 4, polish, the eyes: what the linter and a hostile critic find in the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel

from briefworks import tells
from briefworks.errors import ModelAnswerInvalid
from briefworks.model import ModelCalls
from briefworks.phases.paragraphs import is_prose
from briefworks.phases.prompts import critic_prompt
from briefworks.phases.repetition import alike
from briefworks.shapes import Critique, Finding, Section
from briefworks.text import clean, join_paragraphs, paragraph_spans, split_paragraphs, squash

_WORTH = 1.0  # the weight of findings from which a paragraph is rewritten
_SEVERITY = {"low": 0.5, "medium": 1.0, "high": 2.0}


class Verdict(BaseModel):
    """One fault as the critic names it."""

    paragraph_id: str
    quote: str
    category: Literal["empty", "inflated", "vague", "formula", "repetition", "unsourced", "summary", "other"]
    severity: Literal["low", "medium", "high"]
    why: str


class CritiqueAnswer(BaseModel):
    """The critic's list."""

    verdicts: list[Verdict]


def run_critique_phase(
    sections: Sequence[Section], round_n: int, *, calls: ModelCalls, language: str = "en"
) -> Critique:
    """
    What the linter and a hostile critic find in the sections as they are now, and what two of them say.

    A critic's quote that is not verbatim in its paragraph is dropped; when its answer is invalid for good,
    the linter's findings stand alone. The linter knows English only. Other model errors pass through.
    """
    findings = [*_linted(sections, language), *alike(sections)]
    prose = {
        (section["n"], k): text
        for section in sections
        for k, text in enumerate(split_paragraphs(section["markdown"]), 1)
        if is_prose(text)
    }
    try:
        verdicts = calls.ask(critic_prompt(prose, language), CritiqueAnswer).verdicts if prose else []
    except ModelAnswerInvalid:
        verdicts = []
    seen = {(finding["section"], finding["paragraph"], finding["quote"]) for finding in findings}
    for finding in _judged(verdicts, prose):
        if (key := (finding["section"], finding["paragraph"], finding["quote"])) not in seen:
            seen.add(key)
            findings.append(finding)
    findings.sort(key=lambda finding: (finding["section"], finding["paragraph"], finding["start"]))
    return {"v": 1, "round": round_n, "findings": findings, "usage": calls.usage}


def article_text(sections: Sequence[Section]) -> str:
    """The text that the linter judges: all sections as one, since some rules allow a little per article."""
    return join_paragraphs(section["markdown"].strip("\n") for section in sections)


def _linted(sections: Sequence[Section], language: str) -> Iterator[Finding]:
    found = tells.lint(article_text(sections), language)
    at = 0
    for section in sections:
        markdown = section["markdown"].strip("\n")
        for k, (start, end) in enumerate(paragraph_spans(markdown), 1):
            for tell in found:
                if at + start <= tell["start"] < at + end:
                    yield _finding(section["n"], k, tell, at + start, at + end)
        at += len(markdown) + len("\n\n")


def _finding(n: int, k: int, tell: tells.Tell, start: int, end: int) -> Finding:
    """A tell of the article as a finding of the paragraph that is `[start:end]` of it."""
    stop = min(tell["end"], end)
    return {
        "section": n,
        "paragraph": k,
        "start": tell["start"] - start,
        "end": stop - start,
        "quote": tell["quote"][: stop - tell["start"]],
        "rule": tell["rule"],
        "by": "linter",
        "why": tell["why"],
        "weight": tell["weight"],
        "fixed": False,
    }


def _judged(verdicts: Sequence[Verdict], prose: Mapping[tuple[int, int], str]) -> Iterator[Finding]:
    ids = {f"{n}.{k}": (n, k) for n, k in prose}
    for verdict in verdicts:
        place, quote = ids.get(verdict.paragraph_id.strip()), verdict.quote.strip()
        if place is None or not quote or (start := prose[place].find(quote)) < 0:
            continue
        yield {
            "section": place[0],
            "paragraph": place[1],
            "start": start,
            "end": start + len(quote),
            "quote": quote,
            "rule": verdict.category,
            "by": "critic",
            "why": squash(clean(verdict.why))[:300],
            "weight": _SEVERITY[verdict.severity],
            "fixed": False,
        }


def flagged_paragraphs(findings: Sequence[Finding]) -> dict[int, set[int]]:
    """The paragraphs worth rewriting, by section."""
    weights: dict[tuple[int, int], float] = {}
    for finding in findings:
        place = (finding["section"], finding["paragraph"])
        weights[place] = weights.get(place, 0.0) + finding["weight"]
    flagged: dict[int, set[int]] = {}
    for (n, k), weight in weights.items():
        if weight >= _WORTH:
            flagged.setdefault(n, set()).add(k)
    return flagged


def flagged_sections(critique: Critique) -> list[int]:
    """The numbers of the sections that have a paragraph worth rewriting, rising."""
    return sorted(flagged_paragraphs(critique["findings"]))
