"""The scorecard: every measure is what its definition says, the bands are those of people."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from briefworks.cli import main
from briefworks.phases import run_draft_phase, run_polish_phase, score_markdown
from briefworks.phases.scorecard import MEASURES, mattr, repeated_share
from briefworks.shapes import no_usage
from briefworks.text import count_words
from test_citation_gate import FOUND, HONESTLY, TEXTS
from test_phases_model import ASKED, BRIEF
from test_phases_polish import MENDED, PLAIN, SLOPPY, a_draft, a_round, a_section, polished

ROOT = Path(__file__).parent.parent
FIGURES = json.loads((ROOT / "benchmarks/human_bands.json").read_text("utf-8"))
ARTICLE = """# What a desk costs over the years

A desk of steel costs 480 euros [1]. Nobody counts the hours, though a lamp would help [2]!

## Money

It hums. Does it rise? Yes, by 65 cm [3].

### Nothing below

## Upkeep

- Oil it.
- Wait

## Sources

1. [A](https://a.example/1), read 2026-11-22
2. [B](https://b.example/1), read 2026-11-22
"""


def measures(markdown: str, language: str = "en") -> dict[str, float | None]:
    return score_markdown(markdown, language)["measures"]


def test_each_measure_is_what_its_definition_says() -> None:
    found = measures(ARTICLE)
    assert found["dangling_citations"] == 1  # [3]
    assert found["cited_sentence_share"] == round(3 / 7, 4)
    assert found["sections"] == 2
    assert found["title_chars"] == len("What a desk costs over the years")
    assert found["empty_headings"] == 1
    assert found["cut_off"] == 1
    assert found["longest_paragraph_words"] == 16
    assert found["tells_per_1000_words"] == 0
    assert found["facts"] is None  # without the gate there is no word on them


def test_a_text_with_habits_scores_worse_than_one_without() -> None:
    assert (measures(SLOPPY)["tells_per_1000_words"] or 0) > 50
    assert measures(PLAIN)["tells_per_1000_words"] == 0
    assert "tells_per_1000_words" in score_markdown(SLOPPY)["outside"]


def test_in_another_language_nothing_is_guessed() -> None:
    found = measures(ARTICLE * 5, "de")
    assert found["tells_per_1000_words"] is None and found["reading_ease"] is None
    assert found["sentence_words"] is not None


def test_the_variety_of_words_is_a_mean_over_windows_whatever_the_length() -> None:
    assert mattr(["a", "b"] * 500, 500) == mattr(["a", "b"] * 5000, 500) == 2 / 500
    assert mattr(list("abcd")) == 1
    assert mattr(list("aabb"), 2) == round((0.5 + 1 + 0.5) / 3, 4)


def test_a_phrase_counts_as_repeated_wherever_it_stands_again() -> None:
    sentence = ["one", "two", "three", "four", "five", "six"]
    assert repeated_share([*sentence, *"abcdefg", *sentence]) == round(2 / 14, 4)
    assert repeated_share(list("abcdefghij")) == 0


def test_an_article_is_scored_with_all_it_was_made_of() -> None:
    draft = run_draft_phase({**BRIEF, "outline": BRIEF["outline"][:1]}, [a_section(1, HONESTLY)], FOUND)
    found = {**FOUND, "questions": ["Is the desk quiet?", "Who sells boats?"]}
    found["entities"] = [
        {"name": name, "kind": "entity", "pages": [page], "mentions": 1}
        for name, page in (("Acme", "s1"), ("Varnholt", "s2"))
    ]
    article = run_polish_phase(ASKED, BRIEF, draft, [], found, TEXTS, usage_so_far=no_usage())
    scored = article["scores"]["measures"]
    assert scored["facts"] == 12 and scored["unbacked_removed"] == 0 and scored["dangling_citations"] == 0
    assert scored["entity_coverage"] == 0.5 and scored["entity_coverage_competitors"] == 0.5
    assert scored["question_coverage"] == 0.5 and scored["question_coverage_competitors"] == 0.25
    assert scored["words_of_target"] == round(article["words"] / ASKED.target_words, 4)
    assert (scored["source_hosts"], scored["top_host_share"]) == (1, 1)
    assert set(scored) == set(MEASURES)
    assert set(article["scores"]["outside"]) >= {"words_of_target", "source_hosts"}


def test_before_and_after_are_in_the_result_for_each_rule() -> None:
    article = polished(a_draft(SLOPPY, PLAIN), a_round(1, MENDED))
    assert article["tells_by_rule"]["over-transition"] == {"before": 1.0, "after": 0.0}
    unmended = polished(a_draft(SLOPPY, PLAIN))
    words = sum(count_words(text) for text in (SLOPPY, PLAIN))
    for when in ("before", "after"):
        whole = sum(rule[when] for rule in unmended["tells_by_rule"].values())
        assert round(1000 * whole / words, 2) == unmended[f"tells_{when}"] > 0


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from([ARTICLE, "# ", "\n", "[1]", "`", "```\n", "| a |", "é ", "> ", "“", "1. "])
        | st.text(max_size=5),
        max_size=12,
    ).map("".join)
)
def test_any_markdown_has_a_scorecard(markdown: str) -> None:
    card = score_markdown(markdown)
    assert set(card["measures"]) == set(MEASURES)
    assert set(card["outside"]) <= {name for name, value in card["measures"].items() if value is not None}
    assert json.loads(json.dumps(card)) == card


# --- the bands
def test_people_keep_to_the_limits_that_the_linter_was_made_for() -> None:
    tells = FIGURES["measures"]["tells_per_1000_words"]
    assert FIGURES["texts"] >= 300
    assert tells["median"] <= 3 and tells["p90"] <= 7


def test_the_bands_are_the_measured_ones() -> None:
    for name, figures in FIGURES["measures"].items():
        least, most = MEASURES[name].least, MEASURES[name].most
        assert least is None or least == pytest.approx(figures["p5"], rel=0.03)
        upper = figures["p90" if name == "tells_per_1000_words" else "p95"]
        assert most is None or most == pytest.approx(upper, rel=0.04)


def test_the_document_lists_every_measure_as_it_is() -> None:
    document = (ROOT / "docs/QUALITY.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", document, re.MULTILINE)
    assert rows == [(name, measure.says, measure.band) for name, measure in MEASURES.items()]


# --- the command
def run(*arguments: str, **options: object):
    return CliRunner().invoke(main, ["score", *arguments], **options)


def test_score_says_what_is_outside_and_where_the_tells_are(tmp_path: Path) -> None:
    file = tmp_path / "article.md"
    file.write_text(f"# A title\n\n{SLOPPY}\n", "utf-8")
    ran = run(str(file))
    assert ran.exit_code == 0
    assert re.search(r"tells_per_1000_words +\d+.* outside ", ran.output)
    assert re.search(r"line 3 +over-transition +'Moreover,'", ran.output)


def test_score_as_json_has_every_measure_at_the_top(tmp_path: Path) -> None:
    file = tmp_path / "article.md"
    file.write_text(SLOPPY, "utf-8")
    report = json.loads(run(str(file), "--json").output)
    assert set(MEASURES) <= set(report)
    assert report["tells_per_1000_words"] > 50
    assert report["tells"][0]["quote"] == "Moreover," and report["tells"][0]["line"] == 1


def test_score_reads_the_standard_input() -> None:
    assert json.loads(run("-", "--json", input=ARTICLE).output)["dangling_citations"] == 1


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a" * 2_000_001])
def test_what_is_no_text_is_said_plainly(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "article.md"
    file.write_bytes(content)
    ran = run(str(file))
    assert ran.exit_code == 2 and "Error: " in ran.output and "Traceback" not in ran.output
