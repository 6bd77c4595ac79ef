"""Phase 2, brief: what the article is to say, planned by the model and made sound by code."""

from __future__ import annotations

from collections.abc import Mapping

from briefworks.errors import ModelAnswerInvalid
from briefworks.model import ModelCalls
from briefworks.personas import Persona
from briefworks.phases.outline import BriefAnswer, find_gaps, sections_for, sound_outline, without_twins
from briefworks.phases.ownership import all_owned
from briefworks.phases.prompts import brief_prompt
from briefworks.shapes import ArticleRequest, Brief, Research, StepOutput
from briefworks.text import squash

_HEAVY_GAP = 0.9  # one gap worth another plan: what nearly every page talks about
_MANY_GAPS = 2.0  # or many small ones, by the sum of their weights


def run_brief_phase(
    asked: ArticleRequest,
    research: Research,
    texts: Mapping[str, str],
    persona: Persona,
    *,
    calls: ModelCalls,
    out: StepOutput,
    former: Brief | None = None,
) -> Brief:
    """
    Plan the article; `texts` are the readable pages by source id.

    Its gaps are those of the model's plan; code then gives every question, source and widely shared name
    left out to the section that fits it best.

    With a `former` brief the model is told what that one left out, and the one with the lighter gaps is the
    result: the new one, unless it is worse. Sections that still have the same job are then merged. Usage is
    that of this step alone either way.

    Raises `ModelAnswerInvalid` when nothing of the answer can be used; model errors pass through.
    """
    texts = {
        page["source_id"]: texts[page["source_id"]]
        for page in research["pages"]
        if page["source_id"] in texts
    }
    prompt = brief_prompt(
        asked,
        research,
        texts,
        persona,
        sections=sections_for(asked.target_words),
        missing=former["gaps"] if former else (),
    )
    answer = calls.ask(prompt, BriefAnswer, out.token)
    outline = sound_outline(answer.outline, research, texts, asked.target_words)
    if not outline:
        raise ModelAnswerInvalid("The model's plan has no section with a heading.")
    brief: Brief = {
        "v": 1,
        "title": squash(answer.title).strip("#* ")[:200] or asked.keyword,
        "angle": squash(answer.angle),
        "reader": squash(answer.reader),
        "meta_description": squash(answer.meta_description)[:300],
        "outline": all_owned(outline, research, texts),
        "gaps": find_gaps(outline, research, texts, asked.target_words, asked.language),
        "usage": calls.usage,
        "intent": answer.intent,
        "intent_why": squash(answer.intent_why)[:300],
    }
    if former is None:
        return brief
    better = former if _gap_weight(former) < _gap_weight(brief) else brief
    outline = without_twins(better["outline"], asked.keyword, asked.target_words)
    return {**better, "outline": outline, "usage": calls.usage}


def gaps_worth_another(brief: Brief) -> bool:
    """Whether what the brief leaves out is worth asking for another one."""
    return _gap_weight(brief) >= _MANY_GAPS or any(gap["weight"] >= _HEAVY_GAP for gap in brief["gaps"])


def _gap_weight(brief: Brief) -> float:
    return sum(gap["weight"] for gap in brief["gaps"])
