"""The citation gate: what no source says is not published, however it is put; honest text passes."""

from __future__ import annotations

import re

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pytest_httpserver import HTTPServer

from briefworks.citations import Sources, assemble, check, drop_unknown, without
from briefworks.citations.facts import facts
from briefworks.citations.plain import plain
from briefworks.demo import DemoUpstream
from briefworks.demo.pages import COMMANDS
from briefworks.errors import DraftUnsound, NothingToResearch
from briefworks.pages.commands import without_commands
from briefworks.phases import run_draft_phase, run_polish_phase, run_section_phase
from briefworks.phases.repair import repeats
from briefworks.shapes import Section, no_usage
from in_time import quickly
from test_citations import page, research
from test_phases_demo import write_article
from test_phases_model import ASKED, BRIEF, OUTLINE, PERSONA, Says
from test_phases_polish import a_section

DESK = """Acme's desk was tested on 12 March 2019 by 1,200 people. It costs 480 euros and rises 65 cm in 9.5
seconds. “It is quiet enough for calls,” says Ilse Lindholm, “and I would not send it back.” A quarter of all
buyers, 25 %, return it within two weeks. The motor draws between 30 and 70 watts. Model A4 carries 120 kg.
In 2.5 million offices somebody stands for half an hour a day. Three makers share the market, the first since
1987. | Frame | 300 | euros |"""
LAMP = """A lamp of 8 W lights a desk for twenty thousand hours. Dr. Varnholt counted 35 percent fewer
headaches. “The cheapest lamp was the best one in our test”, the laboratory wrote on 2021-06-05."""
SOURCES = Sources({"s1": DESK, "s2": LAMP}, frozenset({"acme.example"}), "best 5 desks under $500")


def unsaid(markdown: str) -> list[str]:
    return [fact for one in check(markdown, SOURCES).unsaid for fact in one.facts]


# --- the normal form
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,000", "1000"),
        ("1\u202f000", "1000"),
        ("1'000", "1000"),
        ("1.000.000", "1,000,000"),
        ("1,5 kg", "1500 g"),
        ("25 %", "25 percent"),
        ("25 per cent", "25%"),
        ("twenty-five percent", "25 %"),
        ("two hundred and fifty people", "250 people"),
        ("half a million", "500,000"),
        ("5 million", "5,000,000"),
        ("$5m", "5 million dollars"),
        ("€480", "480 euros"),
        ("0.65 m", "65 cm"),
        ("65-cm", "65 centimetres"),
        ("two weeks", "14 days"),
        ("1990s", "1990"),
        ("12 March 2024", "2024-03-12"),
        ("March 12, 2024", "12.03.2024"),
        ("the 12th of March 2024", "3/12/2024"),
        ("Sept. 2024", "September 2024"),
        ("COVID-19", "Covid 19"),
        ("“As I said,”", '"as I said"'),
    ],
)
def test_two_spellings_of_a_fact_have_one_normal_form(one: str, other: str) -> None:
    first, second = ({v for fact in facts(plain(text)) for v in fact.values} for text in (one, other))
    if one == "COVID-19":  # a name is sought in the text, blanks and hyphens apart
        second = {("covid19", "name")}
    assert first & second


@pytest.mark.parametrize(
    "text", ["Three makers", "one of them", "Step 2 of it", "### 7 things", "half of it", "1. A word"]
)
def test_what_counts_nothing_is_no_fact(text: str) -> None:
    assert check(text, Sources({"s1": "x"}, frozenset(), "")).facts == 0


# --- honest text passes
HONEST = [
    "Acme asks €480 for it [s1].",
    "It takes 9.5 s to rise by 0.65 metres [s1].",
    "Twelve hundred, or 1200, people tried it in March 2019 [s1].",
    "Some 1,200 testers used it on March 12, 2019. [s1]",
    "Back in 2019, 1 200 people tested it [s1].",
    "Twenty-five percent go back within 14 days [s1].",
    "The motor needs 30–70 W [s1], the lamp only 8 [s2].",
    "“It is quiet enough for calls”, Lindholm says [s1].",
    'Lindholm would "not send it back" [s1].',
    "“It is quiet … and I would not send it back” [s1].",
    "“[The desk] is quiet enough for calls” [s1].",
    "> It is quiet enough for calls\n> – Ilse Lindholm [s1]",
    "The A4 bears 120 kilograms [s1].",
    "In 2,500,000 offices people stand [s1].",
    "One of three makers has been there since 1987 [s1].",
    "The frame is 300 € [s1].",
    "It lasts 20,000 hours [s2]. Headaches fell by 35 per cent [s2].",
    "“The cheapest lamp was the best one in our test” [s2], a test of 5 June 2021 [s2].",
    "Acme tested it with 1,200 people. The price is 480 euros. Both stand in one report [s1].",
    "Dr. Varnholt found 35 % fewer headaches [s2]. Nobody knows why.",
    "- It costs 480 euros [s1].\n- It lifts 120 kg [s1].",
    "| Desk | 480 euros [s1] |\n|---|---|\n| Lamp | 8 W [s2] |",
    "The best 5 desks under $500 start with this one [s1].",
    "Details are on acme.example [s1].",
    "Some call it a “smart” desk [s1].",
    "Step 3 is the motor [s1].",
    "### What 3 testers said\n\nThey liked it [s1].",
    "Neither is perfect: half of them hum, twice as loud as before [s1].",
    "**480 euros** is its *price* [s1].",
    "A desk of 480 euros, a lamp of 8 watts: that is all [s1][s2].",
]


@pytest.mark.parametrize("markdown", HONEST)
def test_an_honest_paraphrase_passes(markdown: str) -> None:
    assert unsaid(markdown) == []


# --- each way to cheat
CHEATS = {
    "a number that no source has": ("It costs 490 euros [s1].", "490 euros"),
    "a number of another thing": ("It returns 25 euros [s1].", "25 euros"),
    "a rounded number": ("It costs about 500 euros [s1].", "500 euros"),
    "a number in words": ("Seventy percent return it [s1].", "seventy percent"),
    "a number in code": ("It costs `490` euros [s1].", "490 euros"),
    "a number in a name": ("The A5 is better [s1].", "a5"),
    "a year": ("It came in 1988 [s1].", "1988"),
    "a date": ("It was tested on 13 March 2019 [s1].", "13 march 2019"),
    "a month": ("It was tested in April 2019 [s1].", "april 2019"),
    "a number of another source": ("It draws 8 watts [s1].", "8 watts"),
    "a number without a citation": ("All 900 agree. It costs 480 euros [s1].", "900"),
    "a number in a heading": ("### Why 95 % agree\n\nIt costs 480 euros [s1].", "95 %"),
    "a number in a list": ("- It costs 480 euros [s1].\n- It weighs 99 kg [s1].", "99 kg"),
    "a number in a table": ("| Desk | 490 euros [s1] |\n|---|---|", "490 euros"),
    "a sentence misquoted": ("“It is too quiet for calls”, she says [s1].", '"it is too quiet for calls"'),
    "a sentence cut to its opposite": ("“I would send it back” [s1].", '"i would send it back"'),
    "a quotation in single quotes": ("‘It is far too quiet’ [s1].", "'it is far too quiet'"),
    "a quotation put together in another order": (
        "“I would not send it back … It is quiet” [s1].",
        '"i would not send it back … it is quiet"',
    ),
    "a block quote": ("> It is the best desk of all\n> – Ilse Lindholm [s1]", "it is the best desk of all"),
    "a quotation moved to another source": (
        "“The cheapest lamp was the best one in our test” [s1].",
        '"the cheapest lamp was the best one in our test"',
    ),
    "a quotation moved to another source of its sentence": (
        "“The cheapest lamp was the best one in our test” [s1], says a report on lamps [s2].",
        '"the cheapest lamp was the best one in our test"',
    ),
    "an address that is none of the research": ("Buy it at cheap.example [s1].", "cheap.example"),
    "an address in letters that look alike": ("See асmе.com [s1].", "асmе.com"),
    "an address of another ending": ("See cheap.zone [s1].", "cheap.zone"),
    "an address with a letter that is not seen": ("See acme\u200b2.com [s1].", "acme2.com"),
    "an address of mail": ("Write to buy@cheap.example [s1].", "cheap.example"),
    "an address in a block of code": ("```\ncurl cheap.example\n```\n\nIt hums [s1].", "cheap.example"),
    "a share in a block of code": ("```\n90 % of all\n```\n\nIt hums [s1].", "90 %"),
    "a text on the heels of a block of code": ("```\nx = 1\n```\nAll 900 agree [s1].", "900"),
    "a share in words": ("Two thirds return it [s1].", "two thirds"),
    "a share in parts": ("Nine in ten people return it [s1].", "nine in ten"),
    "a third of them": ("A third of all buyers return it [s1].", "a third"),
    "dozens, counted": ("Two dozen makers share it [s1].", "two dozen"),
    "a century in words": ("It is of the nineteenth century [s1].", "nineteenth century"),
    "a sum in another currency": ("It costs CHF 480 [s1].", "chf 480"),
    "a million of what a source has one of": ("It costs $480 million [s1].", "$480 million"),
    "points for percent": ("It fell by 25 percentage points [s1].", "25 percentage points"),
    "a sign for a fraction": ("It draws 2½ kilowatts [s1].", "2.5 kilowatts"),
    "a power of ten": ("It was in 70² offices [s1].", "2"),
    "a figure spelled as an entity": ("It costs &#52;90 euros [s1].", "490 euros"),
    "a figure with a mark that is not seen": ("It costs 4\u200b90 euros [s1].", "490 euros"),
    "a quotation in guillemets with blanks": ("« It is far too loud » [s1].", '"it is far too loud"'),
    "a quotation in single guillemets": ("‹It is far too loud› [s1].", '"it is far too loud"'),
    "a quotation in other marks": ("❝It is far too loud❞ [s1].", '"it is far too loud"'),
    "a quotation in tags": ("<q>It is far too loud</q> [s1].", '"it is far too loud"'),
    "a quotation in entities": ("&ldquo;It is far too loud&rdquo; [s1].", '"it is far too loud"'),
    "a quotation over two lines": ("“It is far\ntoo loud” [s1].", '"it is far too loud"'),
    "a quotation that is never closed": ("“It is far too loud [s1].", '"it is far too loud .'),
    "a quotation that was opened before": ("It is far too loud,” she says [s1].", 'it is far too loud,"'),
    "a quotation without its not": ("“I would … send it back” [s1].", '"i would … send it back"'),
    "a figure put into a quotation": ("“It is quiet enough [for 490 euros]” [s1].", "490 euros"),
    "a block quote on the heels of a text": (
        "She says:\n> It is far too loud. So it is [s1]",
        "it is far too loud. so it is",
    ),
    "a block quote in a list": ("- > It is far too loud [s1]", "it is far too loud"),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_the_gate_finds(cheat: str) -> None:
    markdown, fact = CHEATS[cheat]
    assert [" ".join(one.split()) for one in unsaid(markdown)] == [fact]
    mended = without(markdown, check(markdown, SOURCES).unsaid)
    assert unsaid(mended) == []


def test_a_foreign_url_and_a_dangling_number_never_reach_the_article() -> None:
    written = "See https://evil.example/a, [here](https://evil.example/b), [7] and [s9]. It hums [s1]."
    known = research(page("s1"), page("s2"))
    section = {**a_section(1, drop_unknown(written, {"s1", "s2"}))}
    sources = Sources.of(known, {"s1": DESK, "s2": LAMP})
    kept = without(section["markdown"], check(section["markdown"], sources).unsaid)
    markdown, listed = assemble("Desks", [{**section, "markdown": kept}], known)
    assert kept == "It hums [s1]."
    assert "evil" not in markdown and "[7]" not in markdown and "s9" not in markdown
    assert [source["url"] for source in listed] == ["https://example.org/s1"]


def test_a_removed_sentence_leaves_the_rest_letter_for_letter() -> None:
    before = "It rises [s1]. It costs 490 euros [s1]. It hums.\n\n- A [s1].\n- 99 kg [s1].\n\nThe end [s1]."
    after = "It rises [s1]. It hums.\n\n- A [s1].\n\nThe end [s1]."
    assert without(before, check(before, SOURCES).unsaid) == after


PIECES = st.sampled_from(
    [
        "It costs 480 euros",
        " [s1]",
        ". ",
        "490",
        "“",
        "”",
        '"',
        "\n\n",
        "\n- ",
        "> ",
        "# ",
        "| ",
        "`",
        " 5 %",
        "a.example ",
    ]
)


@settings(max_examples=150)
@given(st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=20).map("".join))
def test_what_the_gate_removes_is_gone_for_good(markdown: str) -> None:
    for _ in range(40):
        found = check(markdown, SOURCES).unsaid
        if not found:
            return
        shorter = without(markdown, found)
        assert len(shorter) < len(markdown)
        markdown = shorter
    raise AssertionError("the gate never ends")


@pytest.mark.parametrize(
    "piece", ["1,", "1 000 ", '"a ', "one ", "12 March ", "a.", "> ", "'a b ", "- 1\n", "a1-"]
)
def test_fifty_thousand_characters_of_anything_are_checked_in_two_seconds(piece: str) -> None:
    hostile = piece * (50_000 // len(piece))
    quickly(2, lambda: check(hostile, Sources({"s1": hostile}, frozenset(), "")))


# --- in the phases
TEXTS = {"s1": DESK, "s2": LAMP}
FOUND = research(page("s1"), page("s2"))
HONESTLY = "\n\n".join(
    ["Acme asks 480 euros for a desk that rises 65 cm, and all say that it is quiet [s1]."] * 6
)
FALSELY = HONESTLY + "\n\nIt costs 490 euros by now, which is much for a desk [s1]. It is quiet [s1]."


def write(says: Says, *answers: str) -> Section:
    calls = says.calls(*answers)
    done = run_section_phase(ASKED, OUTLINE[0], BRIEF, FOUND, TEXTS, PERSONA, calls=calls, out=says.out)
    return done["section"]


@pytest.fixture
def says(httpserver: HTTPServer) -> Says:
    return Says(httpserver)


def test_an_honest_section_costs_no_second_call(says: Says) -> None:
    section = write(says, HONESTLY)
    assert (section["usage"]["calls"], section["unbacked"]) == (1, [])


def test_a_false_number_is_rewritten_once_and_reported(says: Says) -> None:
    mended = "It costs 480 euros by now, which is much for a desk [s1]. It is quiet [s1]."
    section = write(says, FALSELY, f'<paragraph id="1.7">{mended}</paragraph>')
    assert section["markdown"].endswith(mended)
    assert "490" in says.asked[1] and "is not in s1" in says.asked[1]
    assert [(one["facts"], one["cites"], one["outcome"]) for one in section["unbacked"]] == [
        (["490 euros"], ["s1"], "rewritten")
    ]


@pytest.mark.parametrize(
    "answer",
    [
        '<paragraph id="1.7">It costs 495 euros by now, much for a desk [s1]. It is [s1].</paragraph>',
        '<paragraph id="1.7">It is a lot of money.</paragraph>',
        '<paragraph id="1.1">It costs 480 euros [s1].</paragraph>',
        "I will not.",
    ],
)
def test_what_the_rewrite_does_not_mend_is_removed_and_reported(says: Says, answer: str) -> None:
    section = write(says, FALSELY, answer)
    assert section["markdown"] == f"{HONESTLY}\n\nIt is quiet [s1]."
    assert [one["outcome"] for one in section["unbacked"]] == ["removed"]
    assert section["unbacked"][0]["sentence"].startswith("It costs 490 euros")


def test_a_section_of_inventions_is_never_published(says: Says) -> None:
    false = "\n\n".join(
        [
            f"It costs {n} euros and takes {n} hours of anybody's time, or so they say [s1]."
            for n in range(601, 609)
        ]
    )
    with pytest.raises(DraftUnsound):
        write(says, *["\n\n".join(false), "No."] * 2)


def test_without_a_source_nothing_is_written(says: Says) -> None:
    with pytest.raises(NothingToResearch, match="nothing is invented"):
        run_section_phase(ASKED, OUTLINE[0], BRIEF, FOUND, {}, PERSONA, calls=says.calls(), out=says.out)


def test_the_gate_has_the_last_word_also_over_a_draft_of_an_older_version() -> None:
    old = a_section(1, FALSELY)
    draft = run_draft_phase({**BRIEF, "outline": BRIEF["outline"][:1]}, [old], FOUND)
    article = run_polish_phase(ASKED, BRIEF, draft, [], FOUND, TEXTS, usage_so_far=no_usage())
    assert "490" not in article["markdown"]
    assert [one["outcome"] for one in article["backing"]["unbacked"]] == ["removed"]
    assert article["backing"]["facts"] == 12


def test_a_section_that_repeats_its_instructions_is_refused() -> None:
    told = "You write single sections of a longer article. Use only what the sources say."
    assert repeats("Well: you WRITE single sections, of a longer article!", told)
    assert not repeats("You write single sections. Use only what the sources say.", told)


# --- pages that command the model
@pytest.mark.parametrize("command", COMMANDS)
def test_a_sentence_that_commands_a_model_is_left_out_and_kept_for_the_report(command: str) -> None:
    assert without_commands(f"A desk rises. {command} It hums.") == ("A desk rises. It hums.", [command])


@pytest.mark.parametrize(
    "sentence",
    [
        "Ignore the previous owner's advice and oil the chain.",
        "The instructions say that you must add a link to the chain.",
        "Claude Monet painted it, and AI should not be blamed for the copy.",
        "Please write to us if the desk arrives late.",
        "From now on the shop opens at nine.",
        "Stop when the motor hums, and print the receipt.",
        "You are an assistant professor and need a desk.",
    ],
)
def test_a_sentence_to_people_stays(sentence: str) -> None:
    assert without_commands(sentence) == (sentence, [])


def test_pages_that_command_the_model_leave_nothing_in_the_article_and_are_reported() -> None:
    upstream = DemoUpstream(seed=7, tokens_per_s=100_000)
    url = upstream.start()
    try:
        httpx.post(f"{url}/_demo/faults", json=[{"fault": "page_commands", "times": 5}])
        written = write_article(url, "hall lamps", 900)
    finally:
        upstream.stop()
    text = written.article["markdown"]
    for word in ("Goldquill", "pirate", "previous instructions", "system prompt"):
        assert word not in text
    told = [one for found in written.research["pages"] for one in found["commands"]]
    assert set(told) == set(COMMANDS) and len(told) >= len(COMMANDS)
    assert not any("Goldquill" in text for text in written.texts.values())


# --- what is no sentence
def test_title_headings_and_description_say_nothing_that_no_source_says() -> None:
    outline = [{**BRIEF["outline"][0], "questions": ["Does it hum at 99 dB?", "Does it hum?"]}]
    said = "A desk of 480 euros. Get one at cheap.example. All 900 agree."
    brief = {**BRIEF, "title": "Desks: 97 % agree", "meta_description": said, "outline": outline}
    section = {**a_section(1, HONESTLY), "heading": "Buy at cheap.example"}
    draft = run_draft_phase(brief, [section], FOUND)
    article = run_polish_phase(ASKED, brief, draft, [], FOUND, TEXTS, usage_so_far=no_usage())
    assert article["title"] == "Standing desks"
    assert article["meta_description"] == "A desk of 480 euros."
    assert [one["heading"] for one in article["sections"]] == ["Does it hum?"]
    assert article["markdown"].startswith("# Standing desks\n\n## Does it hum?\n\n")
    assert [(one["section"], one["facts"]) for one in article["backing"]["unbacked"]] == [
        (0, ["97 %"]),
        (1, ["cheap.example"]),
        (0, ["cheap.example"]),
        (0, ["900"]),
    ]


@pytest.mark.parametrize("title", ["7 desks that cost 480 euros", "The best standing desks of 2026"])
def test_a_title_that_sources_back_or_that_names_the_year_stays(title: str) -> None:
    brief = {**BRIEF, "title": title, "outline": BRIEF["outline"][:1]}
    draft = run_draft_phase(brief, [a_section(1, HONESTLY)], FOUND)
    article = run_polish_phase(ASKED, brief, draft, [], FOUND, TEXTS, usage_so_far=no_usage())
    assert article["title"] == title


def test_an_address_of_an_unknown_kind_is_not_even_named() -> None:
    assert drop_unknown("See https://evil.museum/x, https://127.0.0.1/ and ftp://evil.com/.", set()) == (
        "See ,  and evil.com."
    )


@pytest.mark.parametrize(
    "tag", ["<script>alert(1)</script>", "<img src=//evil.museum/x>", "<!-- x -->", "\\\\<a>"]
)
def test_html_is_text_in_an_article(tag: str) -> None:
    once = drop_unknown(f"It hums {tag} [s1].", {"s1"})
    assert drop_unknown(once, {"s1"}) == once
    html = MarkdownIt("commonmark", {"html": True}).render(once)
    assert not re.search(r"<(?!/?p>)", html)
