"""An outline is sound whatever a model answered, and its gaps say what it leaves out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from briefworks.phases.brief import gaps_worth_another
from briefworks.phases.outline import (
    SectionAnswer,
    find_gaps,
    sections_for,
    share_words,
    sound_outline,
    without_twins,
)
from briefworks.phases.ownership import all_owned, same_job
from briefworks.shapes import Brief, Research, SectionPlan, no_usage
from store_rows import page, research

TEXTS = {
    "s1": "A desk that rises carries a motor, and the motor carries a warranty.",
    "s2": "Walnut tops weigh more than bamboo tops, says Acme Labs.",
    "s3": "Cable trays keep the floor free of cables.",
}
RESEARCH: Research = research(
    *(page(n, title=f"s{n}", words=12) for n in (1, 2, 3)),
    questions=["How loud is a motor?", "Is walnut heavy?"],
    entities=[
        {"name": "motor", "kind": "entity", "pages": ["s1", "s2", "s3"], "mentions": 5},
        {"name": "Acme Labs", "kind": "entity", "pages": ["s2"], "mentions": 1},
    ],
    usage=no_usage(),
)

words = st.text(max_size=30) | st.sampled_from(["Walnut tops", "walnut TOPS!", "s1", "motor"])
answers = st.lists(
    st.builds(
        SectionAnswer,
        heading=words.filter(bool),
        purpose=words,
        points=st.lists(words, max_size=4),
        questions=st.lists(words | st.sampled_from(RESEARCH["questions"]), max_size=3),
        entities=st.lists(words, max_size=4),
        sources=st.lists(words | st.sampled_from(["s1", "S2", "[s3]", "s7"]), max_size=4),
        words=st.integers(-(10**9), 10**9),
    ),
    min_size=2,
    max_size=20,
)


def section(heading: str, **changes: object) -> SectionAnswer:
    fields = {"purpose": "", "points": [], "questions": [], "entities": [], "sources": ["s1"], "words": 200}
    return SectionAnswer.model_validate({"heading": heading, **fields, **changes})


def a_brief(outline: list[SectionPlan]) -> Brief:
    return {
        "v": 1,
        "title": "T",
        "angle": "",
        "reader": "",
        "meta_description": "",
        "outline": outline,
        "gaps": find_gaps(outline, RESEARCH, TEXTS, 900),
        "usage": no_usage(),
        "intent": "informational",
        "intent_why": "",
    }


@given(answers, st.integers(600, 6000))
def test_any_answer_becomes_a_sound_outline(answer: list[SectionAnswer], target: int) -> None:
    outline = sound_outline(answer, RESEARCH, TEXTS, target)
    assert [plan["n"] for plan in outline] == list(range(1, len(outline) + 1))
    assert len(outline) <= 12
    headings = [plan["heading"].casefold() for plan in outline]
    assert all(headings) and len(set(headings)) == len(headings)
    names = {entity["name"] for entity in RESEARCH["entities"]}
    for plan in outline:
        assert plan["sources"] and set(plan["sources"]) <= TEXTS.keys()
        assert set(plan["entities"]) <= names
        assert set(plan["questions"]) <= set(RESEARCH["questions"])
        assert 1 <= plan["words"] <= 700
        assert not plan["heading"].startswith("#")
    if outline:
        assert sum(plan["words"] for plan in outline) == min(target, 700 * len(outline))
        owned = all_owned(outline, RESEARCH, TEXTS)
        assert sorted(q for plan in owned for q in plan["questions"]) == sorted(RESEARCH["questions"])
        assert sorted(name for plan in owned for name in plan["entities"]) == sorted(names)
        assert {source for plan in owned for source in plan["sources"]} == TEXTS.keys()


@given(st.lists(st.integers(), min_size=1, max_size=12), st.integers(600, 6000))
def test_shared_words_add_up_and_starve_no_section(wanted: list[int], target: int) -> None:
    shares = share_words(wanted, target)
    total = min(target, 700 * len(wanted))
    assert sum(shares) == total
    assert max(shares) <= 700
    assert min(shares) >= total / len(wanted) / 4 - 1


def test_shared_words_keep_the_proportions_asked_for() -> None:
    assert share_words([100, 100, 200], 800) == [200, 200, 400]


@pytest.mark.parametrize(("target", "sections"), [(600, 3), (1800, 7), (6000, 12)])
def test_the_number_of_sections_follows_the_length(target: int, sections: int) -> None:
    assert sections_for(target) == sections


def test_sections_of_the_same_heading_are_merged() -> None:
    outline = sound_outline(
        [section("1. Motors", sources=["s1"]), section("## motors:", sources=["s3"]), section("Tops")],
        RESEARCH,
        TEXTS,
        600,
    )
    assert [plan["heading"] for plan in outline] == ["Motors", "Tops"]
    assert outline[0]["sources"] == ["s1", "s3"]


def test_a_section_without_a_known_source_gets_the_best_fitting_ones() -> None:
    outline = sound_outline(
        [section("Walnut or bamboo tops", sources=["s42"]), section("Motors")], RESEARCH, TEXTS, 600
    )
    assert outline[0]["sources"][0] == "s2"


def test_names_are_spelled_as_in_research() -> None:
    outline = sound_outline(
        [section("A", entities=["ACME labs", "Nobody"], questions=["how loud is a motor"]), section("B")],
        RESEARCH,
        TEXTS,
        600,
    )
    assert outline[0]["entities"] == ["Acme Labs"]
    assert outline[0]["questions"] == ["How loud is a motor?"]


def test_gaps_name_what_the_outline_leaves_out_and_are_worth_another_plan() -> None:
    answer = [section("A", sources=["s1"]), section("B", sources=["s2"])]
    brief = a_brief(sound_outline(answer, RESEARCH, TEXTS, 900))
    assert [(gap["kind"], gap["what"], gap["weight"]) for gap in brief["gaps"]] == [
        ("entity", "motor", 1.0),
        ("question", "How loud is a motor?", 0.4),
        ("question", "Is walnut heavy?", 0.4),
        ("entity", "Acme Labs", 0.33),
        ("source", "s3", 0.2),
    ]
    assert gaps_worth_another(brief)


def test_an_outline_with_a_place_for_everything_has_no_gaps() -> None:
    outline = sound_outline(
        [
            section("A", sources=["s1", "s2"], entities=["motor", "Acme Labs"]),
            section("B", sources=["s3"], questions=RESEARCH["questions"]),
        ],
        RESEARCH,
        TEXTS,
        900,
    )
    assert a_brief(outline)["gaps"] == []
    assert not gaps_worth_another(a_brief(outline))


def test_words_that_no_section_can_hold_are_a_gap() -> None:
    outline = sound_outline([section("A"), section("B")], RESEARCH, TEXTS, 6000)
    gaps = find_gaps(outline, RESEARCH, TEXTS, 6000)
    assert ("words", 1.0) in [(gap["kind"], gap["weight"]) for gap in gaps]


def test_a_question_or_name_that_two_sections_claim_belongs_to_the_first() -> None:
    claim = {"questions": ["Is walnut heavy?"], "entities": ["motor", "Acme Labs"]}
    one, two = sound_outline([section("Tops", **claim), section("Drives", **claim)], RESEARCH, TEXTS, 600)
    assert (one["questions"], one["entities"]) == (["Is walnut heavy?"], ["motor", "Acme Labs"])
    assert (two["questions"], two["entities"]) == ([], [])


def test_what_no_section_claims_goes_to_the_one_that_fits_best() -> None:
    outline = sound_outline(
        [
            section("What drives it", points=["How loud the motor is"], sources=["s1"]),
            section("What lies on top", points=["Walnut and its weight"], sources=["s2"]),
            section("What hangs below", points=["Cables in trays"], sources=["s2"]),
        ],
        RESEARCH,
        TEXTS,
        900,
    )
    drives, top, below = all_owned(outline, RESEARCH, TEXTS)
    assert (drives["questions"], drives["entities"][0]) == (["How loud is a motor?"], "motor")
    assert top["questions"] == ["Is walnut heavy?"]
    assert below["sources"] == ["s2", "s3"]
    assert outline[0]["questions"] == []  # the plan it was made from stays as it was


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Costs over ten years", ""), ("Over the years: costs", ""), True),
        (("What it costs", "Adds up price and power."), ("Money", "Adds up power and prices."), True),
        (
            ("Benefits of standing desks", "Says who gains."),
            ("Standing desk benefits", "Says who gains"),
            True,
        ),
        (("Choosing a standing desk", "Names the sizes."), ("Why choosing matters", "Tells a story."), False),
        (("Standing desks at home", ""), ("Standing desks at work", ""), False),
        (("Motors", "Tells what a motor does."), ("Tops", "Tells what a top weighs."), False),
    ],
)
def test_sections_with_the_same_job_are_told_apart_from_neighbours(
    one: tuple[str, str], other: tuple[str, str], same: bool
) -> None:
    answer = [section(heading, purpose=purpose) for heading, purpose in (one, other)]
    outline = sound_outline(answer, RESEARCH, TEXTS, 900)
    assert bool(list(same_job(outline, "standing desks"))) is same
    found = find_gaps(outline, RESEARCH, TEXTS, 900)
    assert [gap["what"] for gap in found if gap["kind"] == "job"] == (
        [f"“{one[0]}” and “{other[0]}” have the same job"] if same else []
    )


def test_the_words_of_the_keyword_make_no_twins() -> None:
    keyword = "cheap adjustable electric corner standing desks"
    answer = [section(f"{keyword}: motors"), section(f"{keyword}: frames")]
    assert not list(same_job(sound_outline(answer, RESEARCH, TEXTS, 900), keyword))


def test_twins_are_merged_as_long_as_the_rest_can_hold_the_words() -> None:
    answer = [section("Costs over ten years", sources=["s1"]), section("Tops"), section("Motors")]
    answer.append(section("Over the years: costs", sources=["s3"], points=["Power"]))
    outline = sound_outline(answer, RESEARCH, TEXTS, 900)
    merged = without_twins(outline, "standing desks", 900)
    assert [(plan["n"], plan["heading"]) for plan in merged] == [
        (1, "Costs over ten years"),
        (2, "Tops"),
        (3, "Motors"),
    ]
    assert (merged[0]["sources"], merged[0]["points"]) == (["s1", "s3"], ["Power"])
    assert sum(plan["words"] for plan in merged) == 900
    assert len(without_twins(outline, "standing desks", 2800)) == 4
