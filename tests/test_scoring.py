"""Scoring: the formula part by part, names only where the pages have them, and honest blanks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from briefworks.scoring import (
    PageFacts,
    copies,
    covers,
    flesch,
    score_pages,
    shared_terms,
    spearman,
    verify_entities,
)
from briefworks.scoring.words import mentions
from briefworks.shapes import Entity
from in_time import quickly

TODAY = date(2026, 11, 22)


def page(source_id: str, text: str = "", **facts: object) -> PageFacts:
    whole: PageFacts = {
        "source_id": source_id,
        "text": text,
        "words": 100,
        "headings": ["One", "Two"],
        "has_list": False,
        "has_table": False,
        "published_at": None,
    }
    return {**whole, **facts}


def entity(name: str, kind: str = "entity") -> Entity:
    return {"name": name, "kind": kind, "pages": [], "mentions": 0}


def parts(pages: Sequence[PageFacts], questions: Sequence[str] = ()) -> dict[str, float]:
    return score_pages(pages, [], questions, today=TODAY)["s1"]["parts"]


# --- terms
def test_a_text_that_is_nearly_an_earlier_one_is_its_copy() -> None:
    text = " ".join(f"word{n}" for n in range(200))
    texts = {
        "s1": text,
        "s2": "Another text about quite other things.",
        "s3": text.upper() + " The end.",
        "s4": "",
    }
    assert copies(texts) == {"s3": "s1"}
    half = " ".join(f"word{n}" for n in range(100)) + " " + " ".join(f"other{n}" for n in range(100))
    assert copies({"s1": text, "s2": half, "s3": "", "s4": ""}) == {}


def test_a_term_is_shared_when_it_stands_on_two_pages() -> None:
    texts = {
        "s1": "A steel frame. The steel frame holds.",
        "s2": "Choose a steel frame.",
        "s3": "An oak top.",
    }
    found = {term["name"]: term for term in shared_terms(texts, "standing desk")}
    assert found["steel frame"] == {
        "name": "steel frame",
        "kind": "term",
        "pages": ["s1", "s2"],
        "mentions": 3,
    }
    assert "oak top" not in found


def test_of_many_pages_three_in_ten_must_share_a_term() -> None:
    texts = {f"s{n}": "plain words" for n in range(1, 11)}
    two = {**texts, "s1": "cable tray", "s2": "cable tray"}
    assert "cable tray" not in {term["name"] for term in shared_terms(two, "desk")}
    assert "cable tray" in {term["name"] for term in shared_terms({**two, "s3": "cable tray"}, "desk")}


def test_terms_have_no_stop_words_at_their_ends_and_do_not_cross_punctuation() -> None:
    texts = dict.fromkeys(("s1", "s2"), "The quality of materials, frame height. Motor")
    names = {term["name"] for term in shared_terms(texts, "desk")}
    assert "quality of materials" in names
    assert not any("materials, frame" in name or "height. Motor" in name for name in names)
    assert not names & {"The quality", "of materials", "of", "The"}


def test_the_bare_keyword_is_no_term_but_its_words_may_be_in_one() -> None:
    texts = dict.fromkeys(("s1", "s2"), "A standing desk. Standing desks. A standing desk converter.")
    names = {term["name"] for term in shared_terms(texts, "Standing Desk")}
    assert "standing desk converter" in names
    assert not names & {"standing desk", "Standing desks"}


def test_a_part_that_nearly_always_stands_in_a_longer_term_is_left_out() -> None:
    texts = dict.fromkeys(("s1", "s2"), "memory presets here, memory presets there")
    assert [term["name"] for term in shared_terms(texts, "desk")] == ["memory presets"]


def test_terms_come_by_weight_and_no_more_than_asked() -> None:
    texts = dict.fromkeys(("s1", "s2", "s3"), "motor. motor. motor. noise. lifting column")
    names = [term["name"] for term in shared_terms(texts, "desk")]
    assert names[0] == "motor"  # 3 times a page against once
    assert shared_terms(texts, "desk", limit=1) == shared_terms(texts, "desk")[:1]


WORDS = st.sampled_from(
    ["motor", "Motor", "steel frame", "the", "Steel", "IKEA", ".", ",", "desk's", "sit-stand", "\n"]
)


@given(st.lists(st.lists(WORDS, max_size=30).map(" ".join), min_size=2, max_size=4))
def test_every_term_stands_letter_for_letter_in_its_pages(written: list[str]) -> None:
    texts = {f"s{n}": text for n, text in enumerate(written, 1)}
    for term in shared_terms(texts, "desk"):
        assert len(term["pages"]) >= 2
        assert term["mentions"] == sum(
            mentions(term["name"], texts[source_id]) for source_id in term["pages"]
        )
        assert all(term["name"] in texts[source_id] for source_id in term["pages"])


# --- names
TEXTS = {"s1": "IKEA sells the Bekant. IKEA is Swedish.", "s2": "Fully made the Jarvis desk; ikea did not."}


def test_a_name_is_kept_only_where_it_stands() -> None:
    assert verify_entities(["IKEA", "Quillhaven Institute"], TEXTS) == [
        {"name": "IKEA", "kind": "entity", "pages": ["s1"], "mentions": 2}
    ]


@pytest.mark.parametrize("name", ["Beka", "ekant", "KEA", "Full", "bekant", "", " ", "x" * 200])
def test_half_a_word_or_one_word_in_another_case_is_no_name(name: str) -> None:
    assert verify_entities([name], TEXTS) == []


def test_several_words_take_the_spelling_of_the_pages() -> None:
    assert [one["name"] for one in verify_entities(["jarvis  Desk"], TEXTS)] == ["Jarvis desk"]


def test_names_of_the_same_letters_are_one() -> None:
    texts = {"s1": "Wi-Fi and Wi-Fi, WiFi once."}
    assert verify_entities(["WiFi", "Wi-Fi", "Wi-Fi"], texts) == [
        {"name": "Wi-Fi", "kind": "entity", "pages": ["s1"], "mentions": 2}
    ]


def test_names_with_signs_are_found_as_they_are() -> None:
    assert [one["name"] for one in verify_entities(["C++", "AT&T", "(.*)"], {"s1": "AT&T used C++."})] == [
        "AT&T",
        "C++",
    ]


# --- the score
def test_coverage_is_the_weighted_share_of_what_the_pages_share() -> None:
    pages = [
        page("s1", "motor motor"),
        page("s2", "motor Acme Labs Bekant"),
        page("s3", "motor Acme Labs Acme Labs"),
    ]
    found = score_pages(
        pages, [entity("motor", "term"), entity("Acme Labs"), entity("Bekant")], [], today=TODAY
    )
    motor, acme = 1.0 * math.log(1 + 4 / 3), 2 / 3 * 1.35 * math.log(1 + 3 / 2)
    assert found["s1"]["parts"]["coverage"] == pytest.approx(motor / (motor + acme), abs=1e-4)
    assert found["s2"]["parts"]["coverage"] == pytest.approx(
        (motor + acme * 1 / 1.5) / (motor + acme), abs=1e-4
    )
    assert found["s3"]["parts"]["coverage"] == 1.0
    assert [found[source_id]["missing"] for source_id in ("s1", "s2", "s3")] == [["Acme Labs"], [], []]


def test_depth_is_measured_against_the_median_page() -> None:
    pages = [page("s1", words=500), page("s2", words=1000), page("s3", words=4000)]
    found = score_pages(pages, [], [], today=TODAY)
    assert [found[one]["parts"]["depth"] for one in ("s1", "s2", "s3")] == [0.5, 1.0, 1.0]


def test_structure_counts_headings_a_list_and_a_table() -> None:
    rich = page("s2", headings=["a"] * 4, has_list=True, has_table=True)
    assert parts([page("s1", headings=["a"]), rich])["structure"] == pytest.approx(0.6 * 1 / 2.5)
    assert parts([page("s1", has_table=True), rich])["structure"] == pytest.approx(
        0.6 * 2 / 3 + 0.2, abs=1e-4
    )


@pytest.mark.parametrize(
    ("published_at", "fresh"),
    [
        ("2026-11-22T08:00:00Z", 1.0),
        ("2025-11-22", 0.5),
        ("2024-11-22", 0.25),
        (None, None),
        ("soon", None),
        ("2031-01-01", None),
    ],
)
def test_freshness_halves_every_year_and_is_unknown_without_a_date(
    published_at: str | None, fresh: float | None
) -> None:
    found = parts([page("s1", published_at=published_at)]).get("freshness")
    assert found == (fresh if fresh is None else pytest.approx(fresh, abs=1e-3))


def test_questions_are_a_share_of_those_asked() -> None:
    text = "A desk should stand as high as your elbows."
    assert parts([page("s1", text)], questions=["How high should a desk be?", "Who invented the treadmill?"])[
        "questions"
    ] == pytest.approx(0.5)


def test_readability_is_best_at_sixty_and_left_out_elsewhere_than_in_english() -> None:
    text = "The frame is made of steel and carries a wooden top. " * 10
    ease = flesch(text)
    assert ease is not None
    assert parts([page("s1", text)])["readability"] == pytest.approx(1 - abs(ease - 60) / 60, abs=1e-3)
    assert score_pages([page("s1", text)], [], [], "de")["s1"]["unknown"].count("readability") == 1


def test_unknown_parts_drop_out_and_the_rest_is_renormalised() -> None:
    scored = score_pages([page("s1"), page("s2", words=300, has_list=True)], [], [], today=TODAY)["s1"]
    assert scored["unknown"] == ["coverage", "questions", "freshness", "readability"]
    assert scored["parts"] == {"depth": 0.5, "structure": 0.6}
    assert scored["total"] == pytest.approx((20 * 0.5 + 10 * 0.6) / 30 * 100, abs=0.05)


@given(
    st.lists(
        st.tuples(
            st.text(max_size=40),
            st.integers(0, 9000),
            st.lists(st.text(max_size=3), max_size=4),
            st.text(max_size=12),
        ),
        max_size=5,
    ),
    st.lists(st.text(max_size=20), max_size=3),
)
def test_scores_are_always_between_nothing_and_a_hundred(
    facts: list[tuple[str, int, list[str], str]], questions: list[str]
) -> None:
    pages = [
        page(f"s{n}", text, words=words, headings=headings, published_at=published_at)
        for n, (text, words, headings, published_at) in enumerate(facts)
    ]
    texts = {one["source_id"]: one["text"] for one in pages}
    for scored in score_pages(pages, shared_terms(texts, "x"), questions).values():
        assert 0 <= scored["total"] <= 100
        assert all(0 <= part <= 1 for part in scored["parts"].values())
        assert set(scored["unknown"]) | set(scored["parts"]) == {
            *("coverage", "depth", "questions", "structure", "freshness", "readability")
        }


def test_ten_long_pages_are_scored_in_seconds() -> None:
    texts = {f"s{n}": " ".join(f"word{n * k % 997} and" for k in range(6000)) for n in range(1, 11)}
    pages = [page(key, text) for key, text in texts.items()]
    quickly(5, lambda: score_pages(pages, shared_terms(texts, "word1"), ["which word1 and word2"] * 20))


# --- questions, readability, ranks
@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        ("Standing desks cost 300 euros.", "What does a standing desk cost?", True),
        ("A sit-stand desk helps the back.", "Is a sit stand desk better for your back?", True),
        ("A desk.", "What does a standing desk cost?", False),
        ("Motors and cables and frames.", "Which motor, cable, frame and top?", True),  # 3 of 4
        ("Motors and cables.", "Which motor, cable, frame?", False),  # 2 of 3
        ("Anything at all.", "???", False),
        ("", "What does a desk cost?", False),
    ],
)
def test_a_question_is_covered_by_three_quarters_of_its_content_words(
    text: str, question: str, answer: bool
) -> None:
    assert covers(text, question) is answer


def test_short_plain_words_read_easier_than_long_ones() -> None:
    plain, heavy = (
        flesch("The cat sat on the mat. " * 10),
        flesch("Organisational responsibilities necessitate. " * 20),
    )
    assert plain == pytest.approx(116.1, abs=0.2)
    assert heavy is not None and heavy < 0
    assert flesch("Too short to say.") is None


@pytest.mark.parametrize(
    ("xs", "ys", "rank"),
    [
        ([1, 2, 3, 4], [10, 20, 30, 40], 1.0),
        ([1, 2, 3, 4], [9, 7, 5, 1], -1.0),
        ([1, 2, 3, 4], [1, 2, 2, 4], 0.948683),
        ([1, 1, 2], [2, 2, 1], -1.0),
        ([1, 1, 1], [1, 2, 3], None),
        ([1], [2], None),
        ([], [], None),
    ],
)
def test_spearman_shares_ranks_among_ties_and_is_none_when_undefined(
    xs: list[float], ys: list[float], rank: float | None
) -> None:
    assert spearman(xs, ys) == (None if rank is None else pytest.approx(rank, abs=1e-6))


def test_spearman_refuses_sides_of_different_length() -> None:
    with pytest.raises(ValueError, match="2 values against 1"):
        spearman([1, 2], [1])
