"""What two sections say: the sentence goes from the later one, the paragraph is a finding."""

from __future__ import annotations

from briefworks.phases.repetition import alike, without_repeats
from briefworks.shapes import Section, no_usage

RISES = "A desk with two motors rises to its full height in nine seconds [s1]."
HUMS = "Its motor hums at 45 decibels, which is as loud as a fridge [s2]."
PLAIN = "Walnut tops weigh more than bamboo ones [s2]."


def sections(*markdowns: str) -> list[Section]:
    return [
        {"n": n, "heading": f"H{n}", "markdown": text, "sources": ["s1"], "words": 9, "usage": no_usage()}
        for n, text in enumerate(markdowns, 1)
    ]


def test_a_sentence_that_an_earlier_section_has_said_is_cut_and_reported() -> None:
    again = "a desk with two motors rises to its full height in nine seconds [s3]."
    first, second = without_repeats(sections(f"{RISES} {HUMS}", f"{PLAIN}\n\n{again} {HUMS}"))
    assert first["markdown"] == f"{RISES} {HUMS}" and "mended" not in first
    assert second["markdown"] == PLAIN
    assert second["sources"] == ["s2"] and second["words"] == 7
    assert [(one["section"], one["what"], one["text"]) for one in second["mended"]] == [
        (2, "said-twice", again),
        (2, "said-twice", HUMS),
    ]


def test_short_sentences_repetitions_within_a_section_and_code_stay() -> None:
    texts = [f"It hums [s1].\n\n{RISES} {RISES}", f"It hums [s1].\n\n```\n{RISES}\n```\n\n{PLAIN}"]
    assert [section["markdown"] for section in without_repeats(sections(*texts))] == texts


def test_a_section_that_only_repeats_another_keeps_its_text_for_the_critic() -> None:
    assert without_repeats(sections(RISES, RISES))[1]["markdown"] == RISES


def test_a_paragraph_half_of_which_stands_in_another_section_is_a_finding() -> None:
    told = f"{RISES} {HUMS}"
    changed = told.replace("nine seconds", "nine seconds flat").replace("45 decibels", "45 decibels or so")
    found = list(alike(sections(f"{PLAIN}\n\n{told}", f"{PLAIN}\n\n{changed}")))
    assert [(one["section"], one["paragraph"], one["rule"]) for one in found] == [(2, 2, "said-twice")]
    assert changed[found[0]["start"] : found[0]["end"]] == found[0]["quote"]
    assert "“H1”" in found[0]["why"]
    assert not list(alike(sections(told, f"{PLAIN} Bamboo grows back within a few years and is light [s2].")))
