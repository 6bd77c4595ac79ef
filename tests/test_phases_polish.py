"""The guards of polish: what a rewritten paragraph may not lose, how it is heard, and which version wins."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from briefworks.phases import flagged_sections, run_draft_phase, run_polish_phase, worth_another_round
from briefworks.phases.critique import Verdict, _judged
from briefworks.phases.paragraphs import ParagraphStream, losses, rewritten
from briefworks.phases.polish import Round
from briefworks.shapes import ArticleRequest, Brief, Draft, Finding, Research, Section, no_usage
from briefworks.text import count_words
from store_rows import page, research

OLD = (
    'Moreover, the desk by Acme Labs rises 65 cm in 9.5 seconds [s1] and is "quiet enough for calls" '
    "by its maker's account [s2], which is not just marketing but measured in Leeds at https://acme.example/test."
)


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("65 cm", "some centimetres", "65"),
        ("9.5 seconds", "9 seconds", "9.5"),
        (" [s1]", "", "citations"),
        ("[s2]", "[s3]", "citations"),
        ('"quiet enough for calls"', "quiet", "quotation"),
        ("Acme Labs", "Acme", "Labs"),
        ("in Leeds", "in a town", "Leeds"),
        ("https://acme.example/test", "https://acme.example/", "https://acme.example/test"),
        ("the desk", "the desk, which 40 people tried,", "40"),
        (" and is", "\n\nand is", "one paragraph"),
        ("Moreover, the desk", "### The desk", "one paragraph"),
    ],
)
def test_a_paragraph_that_loses_something_is_refused(was: str, becomes: str, complaint: str) -> None:
    assert was in OLD
    assert complaint in "; ".join(losses(OLD, OLD.replace(was, becomes)))


def test_a_paragraph_that_lost_only_its_tells_may_replace_the_old_one() -> None:
    new = OLD.replace("Moreover, the", "The").replace("is not just marketing but measured", "was measured")
    assert losses(OLD, new) == []


@pytest.mark.parametrize("share", [0.3, 2.0])
def test_a_much_shorter_or_longer_paragraph_is_refused(share: float) -> None:
    old = " ".join(["one more word"] * 20)
    assert "words instead of 60" in "; ".join(losses(old, " ".join(["word"] * int(60 * share))))


def test_names_known_from_research_are_kept_also_without_capitals() -> None:
    assert losses("the eloop motor hums along", "the plain motor hums along", ["eloop"]) == [
        "lost the name eloop"
    ]


@given(
    st.dictionaries(st.integers(1, 9), st.text(alphabet="ab <p/>é\n", min_size=1, max_size=40), max_size=4),
    st.lists(st.integers(1, 200), max_size=30),
)
def test_a_stream_of_paragraphs_is_heard_as_it_will_be_read(texts: dict[int, str], cuts: list[int]) -> None:
    texts = {k: text.strip() for k, text in texts.items() if text.strip()}
    answer = "Sure:\n" + "\n\n".join(
        f'<paragraph id="2.{k}">\n{text}\n</paragraph>' for k, text in texts.items()
    )
    heard: dict[int, str] = {}
    stream = ParagraphStream(lambda text, k: heard.__setitem__(k, heard.get(k, "") + text))
    places = sorted({min(cut, len(answer)) for cut in cuts} | {0, len(answer)})
    for start, end in pairwise(places):
        stream.feed(answer[start:end])
    assert heard == texts == rewritten(answer)


def test_text_of_a_paragraph_is_heard_before_its_end() -> None:
    heard: list[str] = []
    stream = ParagraphStream(lambda text, k: heard.append(text))
    for piece in ("<para", 'graph id="1.1">', "The desk", " rises", " in ", "ten"):
        stream.feed(piece)
    assert "".join(heard) == "The desk rises in ten"


def test_a_paragraph_whose_end_never_came_is_no_rewrite() -> None:
    assert rewritten('<paragraph id="1.1">whole</paragraph><paragraph id="1.2">cut off') == {1: "whole"}


def test_a_quote_that_is_not_in_its_paragraph_is_dropped() -> None:
    def verdict(place: str, quote: str) -> Verdict:
        return Verdict(paragraph_id=place, quote=quote, category="empty", severity="high", why="w")

    found = list(
        _judged(
            [verdict("1.1", "hums"), verdict("1.1", "sings"), verdict("7.7", "hums"), verdict("1.1", " ")],
            {(1, 1): "It hums."},
        )
    )
    assert [(f["quote"], f["start"], f["end"]) for f in found] == [("hums", 3, 7)]


# --- versions
RESEARCH: Research = research(*(page(n, title=f"Page {n}", words=100) for n in (1, 2, 3)), usage=no_usage())
ASKED = ArticleRequest(project_id="p1", keyword="standing desks")
TEXTS = {f"s{n}": "The leaflet of the maker says that it rises 65 cm in nine seconds." for n in (1, 2, 3)}
PLAIN = "A desk rises 65 cm in nine seconds, says its maker in a leaflet that came with the frame [s2]."
SLOPPY = (
    f"Moreover, {PLAIN[0].lower()}{PLAIN[1:]} "
    "It is not just a desk, but a promise, and it plays a crucial role."
)
MENDED = f"{PLAIN} It is a desk and it keeps what its maker promised about the way it rises every day."


def a_section(n: int, markdown: str) -> Section:
    return {
        "n": n,
        "heading": f"Part {n}",
        "markdown": markdown,
        "sources": [],
        "words": count_words(markdown),
        "usage": no_usage(),
    }


BRIEF: Brief = {
    "v": 1,
    "title": "Desks that rise",
    "angle": "",
    "reader": "",
    "meta_description": "About desks.",
    "outline": [
        {
            "n": n,
            "heading": f"Part {n}",
            "purpose": "",
            "points": [],
            "questions": [],
            "entities": [],
            "sources": ["s1"],
            "words": 300,
        }
        for n in (1, 2)
    ],
    "gaps": [],
    "usage": no_usage(),
}


def a_draft(*texts: str) -> Draft:
    return run_draft_phase(BRIEF, [a_section(n, text) for n, text in enumerate(texts, 1)], RESEARCH)


def a_finding(quote: str, weight: float = 2.0) -> Finding:
    start = SLOPPY.find(quote)
    return {
        "section": 1,
        "paragraph": 1,
        "start": start,
        "end": start + len(quote),
        "quote": quote,
        "rule": "formula",
        "by": "critic",
        "why": "w",
        "weight": weight,
        "fixed": False,
    }


def a_round(n: int, *texts: str, findings: tuple[Finding, ...] = ()) -> Round:
    return {
        "critique": {"v": 1, "round": n, "findings": list(findings), "usage": no_usage()},
        "sections": [{"n": 1, "section": a_section(1, text)} for text in texts],
    }


def polished(draft: Draft, *rounds: Round, language: str = "en"):
    asked = ASKED.model_copy(update={"language": language})
    return run_polish_phase(asked, BRIEF, draft, rounds, RESEARCH, TEXTS, usage_so_far=no_usage())


def test_the_draft_assembled_lists_its_sources_in_the_order_of_first_use() -> None:
    draft = a_draft("It rises [s3] and falls [s1].", "It hums [s3].")
    assert [(source["number"], source["source_id"]) for source in draft["sources"]] == [(1, "s3"), (2, "s1")]


def test_the_version_with_fewer_tells_wins_and_says_so() -> None:
    article = polished(a_draft(SLOPPY, PLAIN), a_round(1, MENDED))
    assert article["sections"][0]["markdown"] == MENDED
    assert article["tells_after"] < article["tells_before"]


def test_a_round_that_made_it_worse_is_not_used() -> None:
    article = polished(a_draft(SLOPPY, PLAIN), a_round(1, MENDED), a_round(2, SLOPPY))
    assert article["sections"][0]["markdown"] == MENDED


def test_a_version_that_lost_a_number_is_not_used_however_plain_it_is() -> None:
    article = polished(a_draft(SLOPPY, PLAIN), a_round(1, MENDED.replace("65 cm", "far")))
    assert article["sections"][0]["markdown"] == SLOPPY
    assert article["tells_after"] == article["tells_before"]


def test_of_equal_versions_the_latest_wins() -> None:
    other = PLAIN.replace("leaflet", "small leaflet")
    assert polished(a_draft(PLAIN, PLAIN), a_round(1, other))["sections"][0]["markdown"] == other


def test_in_a_language_the_linter_does_not_know_nothing_is_rated() -> None:
    article = polished(a_draft(SLOPPY, PLAIN), a_round(1, MENDED), language="de")
    assert (article["tells_before"], article["tells_after"]) == (0.0, 0.0)
    assert article["sections"][0]["markdown"] == MENDED


def test_findings_say_whether_they_are_mended_and_where_the_others_are() -> None:
    gone, stays = a_finding("not just a desk, but a promise"), a_finding("in a leaflet")
    article = polished(a_draft(SLOPPY, PLAIN), a_round(1, MENDED, findings=(gone, stays, gone)))
    assert [(found["quote"], found["fixed"]) for found in article["findings"]] == [
        ("not just a desk, but a promise", True),
        ("in a leaflet", False),
    ]
    left = article["findings"][1]
    assert MENDED[left["start"] : left["end"]] == "in a leaflet"


def test_the_article_numbers_every_citation_and_lists_its_source() -> None:
    article = polished(a_draft("It rises [s3] and falls [s1].", "It hums [s3]."))
    assert "[s" not in article["markdown"]
    assert "It rises [1] and falls [2]." in article["markdown"]
    assert "https://example.org/3" in article["markdown"]
    assert "https://example.org/2" not in article["markdown"]


def test_only_paragraphs_with_weight_are_worth_a_rewrite() -> None:
    critique = a_round(1, findings=(a_finding("Moreover", 0.5),))["critique"]
    assert flagged_sections(critique) == []
    critique["findings"].append(a_finding("crucial", 0.5))
    assert flagged_sections(critique) == [1]


def test_another_round_is_worth_it_only_after_a_real_improvement_that_left_some() -> None:
    sloppy, mended = a_section(1, SLOPPY), a_section(1, MENDED)
    half = a_section(1, SLOPPY.replace("Moreover, a", "A"))
    assert worth_another_round([sloppy], [half])
    assert not worth_another_round([sloppy], [sloppy])
    assert not worth_another_round([sloppy], [mended])
    assert not worth_another_round([sloppy], [half], "de")
