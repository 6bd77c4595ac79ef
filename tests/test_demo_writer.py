"""What the demo upstream writes for our own prompts: it is synthetic, says so, and cites what it uses."""

from __future__ import annotations

import re

import pytest

from briefworks.demo.phrases import INVENTED, NOTICE, TELLS
from briefworks.demo.writer import write_json, write_text
from briefworks.model import Prompt
from briefworks.personas import Persona
from briefworks.phases.brief import gaps_worth_another
from briefworks.phases.critique import CritiqueAnswer
from briefworks.phases.outline import BriefAnswer, find_gaps, sections_for, sound_outline
from briefworks.phases.paragraphs import losses, rewritten
from briefworks.phases.prompts import (
    brief_prompt,
    critic_prompt,
    entities_prompt,
    rewrite_prompt,
    section_prompt,
)
from briefworks.phases.research import EntitiesAnswer
from briefworks.shapes import ArticleRequest, Brief, Gap, Research, no_usage
from briefworks.text import count_words, split_paragraphs
from store_rows import page, research

PARTS = [
    "frame",
    "motor",
    "top",
    "cable tray",
    "control box",
    "foot",
    "warranty",
    "crossbar",
    "column",
    "mat",
]
DOES = ["carries a label that says", "was measured twice, and both times gave", "costs in most shops about"]
MAKERS = ["Northfield Works", "Acme Labs", "Orchard Street Desks"]
TEXTS = {
    f"s{n}": "\n".join(
        f"The {part} of model {n}{i} by {MAKERS[(n + i) % 3]} {DOES[i % 3]} {n * 10 + i} units of weight."
        for i, part in enumerate(PARTS * 3)
    )
    for n in range(1, 9)
}
RESEARCH: Research = research(
    *(page(n, title=f"Page s{n}", words=100) for n in range(1, 9)),
    questions=["How loud is a motor?", "Is a mat worth it?", "What does a frame carry?"],
    entities=[
        {"name": name, "kind": "entity", "pages": list(TEXTS), "mentions": 9}
        for name in [*MAKERS, "crossbar"]
    ],
    usage=no_usage(),
)
PERSONA = Persona(name="p", title="A plain expert", description="d", voice="Plain.", samples=[], banned=[])


def said(prompt: Prompt) -> str:
    return "\n\n".join(part for part in (prompt.system, prompt.shared, prompt.task) if part)


def schema(answer: type) -> dict:
    return answer.model_json_schema()


def a_request(keyword: str = "standing desks", words: int = 1800) -> ArticleRequest:
    return ArticleRequest(project_id="p1", keyword=keyword, target_words=words)


def a_brief(asked: ArticleRequest, seed: int = 7, missing: tuple[Gap, ...] = ()) -> Brief:
    sections = sections_for(asked.target_words)
    prompt = brief_prompt(asked, RESEARCH, TEXTS, PERSONA, sections=sections, missing=missing)
    answer = BriefAnswer.model_validate(write_json(said(prompt), schema(BriefAnswer), seed))
    outline = sound_outline(answer.outline, RESEARCH, TEXTS, asked.target_words)
    gaps = find_gaps(outline, RESEARCH, TEXTS, asked.target_words)
    fields = answer.model_dump(exclude={"outline"})
    return {"v": 1, **fields, "outline": outline, "gaps": gaps, "usage": no_usage()}


def sections_of(asked: ArticleRequest, seed: int = 7) -> list[str]:
    brief = a_brief(asked, seed)
    return [
        write_text(said(section_prompt(asked, plan, brief, RESEARCH, TEXTS, PERSONA)), seed)
        for plan in brief["outline"]
    ]


def test_it_names_what_the_sources_name_and_one_thing_that_none_does() -> None:
    prompt = said(entities_prompt("standing desks", {}, TEXTS))
    names = EntitiesAnswer.model_validate(write_json(prompt, schema(EntitiesAnswer), 7)).names
    assert set(MAKERS) <= set(names)
    assert INVENTED in names
    assert all(any(name in text for text in TEXTS.values()) for name in names if name != INVENTED)


def test_a_plan_has_the_sections_asked_for_and_spreads_the_sources() -> None:
    brief = a_brief(a_request())
    assert len(brief["outline"]) == 7
    assert brief["title"].startswith("Demo:")
    assert {source for plan in brief["outline"] for source in plan["sources"]} == set(TEXTS)


def test_for_some_keywords_the_first_plan_forgets_something_and_the_second_does_not() -> None:
    forgetful = 0
    for keyword in (
        "standing desks",
        "oak floors",
        "rain barrels",
        "night trains",
        "bread ovens",
        "bike lights",
    ):
        asked = a_request(keyword)
        first = a_brief(asked)
        if gaps_worth_another(first):
            forgetful += 1
            assert not gaps_worth_another(a_brief(asked, missing=tuple(first["gaps"])))
    assert 0 < forgetful < 6


@pytest.mark.parametrize("words", [600, 1200, 1800])
def test_an_article_has_about_the_length_asked_for(words: int) -> None:
    written = sum(count_words(section) for section in sections_of(a_request(words=words)))
    assert 0.65 * words <= written <= 1.15 * words


def test_the_first_sentence_says_that_no_model_wrote_this() -> None:
    sections = sections_of(a_request())
    assert sections[0].startswith(NOTICE)
    assert "synthetic" in NOTICE


def test_every_sentence_with_a_fact_cites_the_source_it_is_from() -> None:
    for section in sections_of(a_request()):
        for number, source_id in re.findall(r"model (\d+) by[^\[]*\[(s\d+)\]", section):
            assert f"model {number} by" in TEXTS[source_id]


def test_no_sentence_comes_twice_in_an_article() -> None:
    facts = re.findall(r"\w+ of model \d+ by", "\n".join(sections_of(a_request())))
    assert len(facts) > 40
    assert len(set(facts)) == len(facts)


def test_the_same_prompt_and_seed_give_the_same_text_and_another_seed_another() -> None:
    assert sections_of(a_request()) == sections_of(a_request())
    assert sections_of(a_request(), seed=7) != sections_of(a_request(), seed=8)


def test_the_critic_finds_what_was_planted_and_the_rewrite_loses_nothing_else() -> None:
    found = 0
    for n, section in enumerate(sections_of(a_request()), 1):
        texts = {(n, k): text for k, text in enumerate(split_paragraphs(section), 1)}
        critique = write_json(said(critic_prompt(texts, "en")), schema(CritiqueAnswer), 7)
        for verdict in CritiqueAnswer.model_validate(critique).verdicts:
            found += 1
            assert verdict.quote in texts[(n, int(verdict.paragraph_id.split(".")[1]))]
        flagged = {k: text for (_, k), text in texts.items()}
        rewrites = rewritten(write_text(said(rewrite_prompt(PERSONA, n, flagged, [], "en")), 7))
        assert rewrites.keys() == flagged.keys()
        for k, old in flagged.items():
            assert losses(old, rewrites[k]) == []
            assert not any(tell.strip() in rewrites[k] for tell, _ in TELLS)
            assert (NOTICE in old) == (NOTICE in rewrites[k])
    assert found >= 7


def test_other_prompts_get_no_json_and_an_honest_sentence() -> None:
    assert write_json("Say hello", {"properties": {"greeting": {}}}, 7) is None
    assert write_text("Say hello", 7) == NOTICE
