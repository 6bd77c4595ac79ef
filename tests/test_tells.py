"""The linter: it finds what it should, leaves people's prose alone, and no input makes it slow."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from briefworks.tells import RULES_VERSION, lint, rate
from briefworks.tells.linter import RULES
from briefworks.text import count_words
from in_time import quickly

HITS = {
    "chat-leak": "I hope this helps you choose a desk.",
    "citation-leak": "The motor is quiet :contentReference[oaicite:3].",
    "placeholder": "It costs [insert price] in most shops.",
    "stock-vocabulary": "We delve into the frame first.",
    "vocabulary-cluster": "A robust frame, a vibrant top and a seamless motor.",
    "copula-avoidance": "The frame serves as the base.",
    "negative-parallelism": "It isn't just a desk; it's a habit.",
    "rule-of-three": "It is light, cheap, and sturdy. He is slow, tired, and late. Be calm, kind, and brief.",
    "ing-tail": "Sales rose by a tenth, underscoring a wider turn to standing.",
    "vague-attribution": "Experts say that twenty minutes are enough.",
    "inflated-significance": "Posture plays a vital role in it.",
    "over-transition": "The desk is high. Moreover, it is heavy.",
    "generic-conclusion": "In conclusion, a desk is a desk.",
    "challenges-and-future": "Despite these advances, the sector faces many challenges.",
    "stock-opening": "In today's fast-paced world, people sit.",
    "staged-reveal": "Let's dive in.",
    "filler-emphasis": "It is worth noting that the motor hums.",
    "promotional-tone": "It is a must-have for any office.",
    "em-dash-density": "One — two — three — four.",
    "bold-overuse": "**One** is **two** and **three** is **four**.",
    "inline-header-list": "- **Height:** from 60 cm\n- **Load:** up to 80 kg",
    "title-case-heading": "## How Desks Change Your Working Day",
    "emoji": "🚀 Faster than before.",
}
PLANTED = tomllib.loads((Path(__file__).parent / "tells_planted.toml").read_text("utf-8"))
PEOPLE = """
A ceiling fan does not cool a room. It moves air over skin, and that makes the room feel about two
degrees cooler to whoever sits under it. So switch it off when you leave: an empty room gains nothing
from the breeze, and the motor still draws its 30 to 70 watts [s1].

Check the bearing before you buy a new motor. Spin the blades by hand with the power off. If they stop
within a turn or two, or you hear grinding, the bearing has dried out, and a five-euro part saves the
whole fan. Studies show the same for pumps [s2]. The maker, the shop and the electrician will each tell
you something else; not one of them is wrong.
"""
MACHINE = """
In today's fast-paced world, standing desks have emerged as a game-changer. They serve as a testament to
how far modern offices have come, underscoring the importance of movement. Moreover, experts say that
they play a crucial role in well-being. It's not just a desk — it's a lifestyle. Whether you're a student
or a seasoned professional, the benefits are robust, seamless, and transformative.

In conclusion, as technology continues to evolve, the future of work looks bright.
"""


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_each_rule_finds_its_tell(rule: str) -> None:
    found = [tell for tell in lint(f"The first sentence is plain.\n\n{HITS[rule]}\n") if tell["rule"] == rule]
    assert found
    assert all(tell["weight"] > 0 and tell["why"] for tell in found)


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_planted_habits_are_found_and_what_comes_near_them_is_not(rule: str) -> None:
    planted = PLANTED[rule]["planted"]
    plain = [text for of_rule in PLANTED.values() for text in of_rule["plain"]]
    hits, false = (
        sum(any(tell["rule"] == rule for tell in lint(text)) for text in texts) for texts in (planted, plain)
    )
    assert len(planted) >= 8
    assert hits / len(planted) >= 0.9
    assert hits / (hits + false) >= 0.8


def test_people_are_left_alone_and_machine_prose_is_not() -> None:
    assert rate(lint(PEOPLE), count_words(PEOPLE)) <= 6.5
    assert rate(lint(MACHINE), count_words(MACHINE)) > 70


@pytest.mark.parametrize(
    "hidden",
    [
        "`Moreover, we delve` is code.",
        "```\n## How Desks Change Your Working Day\nWe delve\n```",
        'She wrote: "We delve into a rich tapestry of desks."',
        "“We delve into it”, he said.",
        "> We delve into it, as the report says.",
        "See https://example.org/we-delve-into-tapestry-must-have for more.",
    ],
)
def test_code_quotations_and_urls_are_not_the_writers_words(hidden: str) -> None:
    assert lint(hidden) == []


def test_what_a_chat_tool_left_in_a_url_is_seen() -> None:
    assert [tell["rule"] for tell in lint("See https://example.org/?utm_source=chatgpt.com now.")] == [
        "citation-leak"
    ]


def test_studies_that_are_cited_in_the_same_sentence_are_no_vague_attribution() -> None:
    assert lint("Studies show that twenty minutes are enough [s3].") == []
    assert [tell["quote"] for tell in lint("Studies show that it helps. Others do [s3].")] == ["Studies show"]


def test_a_few_dashes_are_human_and_only_those_beyond_are_told() -> None:
    assert lint("One — two.") == []
    assert [tell["start"] for tell in lint("One — two — three.")] == [10]


def test_a_sentence_over_two_lines_is_one_sentence() -> None:
    assert lint("Studies show that twenty minutes\nare enough [s3].") == []
    assert [tell["quote"] for tell in lint("It is not just\na desk, but a habit.")] == [
        "not just\na desk, but"
    ]


def test_the_free_dashes_grow_with_the_text() -> None:
    dashes = "One — two. " * 4
    assert len(lint(dashes)) == 3
    assert lint(dashes + "A plain word stands here. " * 200) == []


def test_a_heading_of_one_sentence_is_no_title_case() -> None:
    assert lint("## How the IKEA Bekant compares with the Fully Jarvis in use") == []


def test_a_tell_stands_where_its_quote_is_whatever_is_hidden_before_it() -> None:
    before = '`x = "é"` 𝔸é "quoted" https://example.org/a [s12]\n\n'
    markdown = f"{before}   Moreover, we delve."
    assert [(tell["quote"], tell["start"] - len(before)) for tell in lint(markdown)] == [
        ("Moreover,", 3),
        ("delve", 16),
    ]


def test_other_languages_have_no_tells() -> None:
    assert lint(MACHINE, "de") == []


def test_the_rate_is_weight_per_thousand_words() -> None:
    tells = lint("Let's dive in.")
    assert rate(tells, 500) == 3.0
    assert rate(tells, 0) == 0.0


def test_every_rule_says_why_and_has_its_own_name() -> None:
    assert RULES_VERSION
    assert len({rule.id for rule in RULES}) == len(RULES) >= 15


PIECES = st.sampled_from(
    [
        *HITS.values(),
        "`code`",
        "\n\n",
        "[s1]",
        "“",
        '"',
        "”",
        "😀",
        "é",
        "\ue001",
        "```\n",
        "> ",
        "🚀 ",
        ". ",
        "— ",
    ]
)


@settings(max_examples=150)
@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=14).map(" ".join))
def test_offsets_quote_the_text_and_hits_of_a_rule_never_overlap(markdown: str) -> None:
    last: dict[str, int] = {}
    for tell in lint(markdown):
        assert tell["quote"] == markdown[tell["start"] : tell["end"]] != ""
        assert tell["start"] >= last.get(tell["rule"], 0)
        last[tell["rule"]] = tell["end"]


@pytest.mark.parametrize(
    "piece",
    [
        *["a", " ", "\n", "“", '"a', "**a ", "a-", "`a`\n\n"],
        *["not just ", "word, ", "a\n", "[insert ", ", ensuring x", "it is ", "in the a-"],
    ],
)
def test_a_megabyte_of_anything_is_linted_in_two_seconds(piece: str) -> None:
    hostile = piece * (1_000_000 // len(piece))
    quickly(2, lambda: lint(hostile))
