"""Citations: whatever a model writes, every number in the article leads to a page that was read."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from briefworks.citations import assemble, cited, drop_unknown, normalise, problems
from briefworks.shapes import Page, Research, Section, no_usage
from briefworks.text import code_spans, join_paragraphs, split_paragraphs
from in_time import quickly

KNOWN = {"s1", "s2", "s4"}


def page(source_id: str, title: str = "A page", url: str = "", *, was_read: bool = True) -> Page:
    return {
        "source_id": source_id,
        "url": url or f"https://example.org/{source_id}",
        "title": title,
        "position": 1,
        "snapshot_id": "snap" if was_read else None,
        "note": "",
        "words": 100,
        "headings": [],
        "published_at": None,
        "score": None,
    }


def research(*pages: Page) -> Research:
    return {
        "v": 1,
        "keyword": "desk",
        "provider": "demo",
        "fetched_at": "2026-11-22T08:00:00.000Z",
        "pages": list(pages) or [page(source_id) for source_id in sorted(KNOWN)],
        "questions": [],
        "related": [],
        "entities": [],
        "usage": no_usage(),
    }


def section(markdown: str, n: int = 1, heading: str = "Heading") -> Section:
    return {"n": n, "heading": heading, "markdown": markdown, "sources": [], "words": 0, "usage": no_usage()}


# --- normalise, cited
@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("a [s1] b", "a [s1] b"),
        ("a [S1].", "a [s1]."),
        ("a [s1, s4].", "a [s1][s4]."),
        ("a [s1; S4 and s2].", "a [s1][s4][s2]."),
        ("a [ s1 ].", "a [s1]."),
        ("a [^s1].", "a [s1]."),
        ("a [source s1, source s2].", "a [s1][s2]."),
        ("a 【s1】.", "a [s1]."),
        (r"a \[s1\].", "a [s1]."),
        ("a [s1][s1] [s1].", "a [s1]."),
        ("a [s1](https://evil.example/x(y)).", "a [s1]."),
        ("`x[S1]` and [sofa] and [s]", "`x[S1]` and [sofa] and [s]"),
    ],
)
def test_citations_are_written_in_one_way(written: str, normal: str) -> None:
    assert normalise(written) == normal == normalise(normal)


def test_what_is_cited_comes_once_in_the_order_of_first_use_and_not_from_code() -> None:
    assert cited("[S4] and [s1, s4].\n\n```\nx[s2]\n```\n") == ["s4", "s1"]


# --- problems
@pytest.mark.parametrize(
    ("markdown", "problem"),
    [
        ("One [s1] and [s9].", "It cites [s9], which is no source."),
        ("One [s1] and [3].", "by bare number: [3]"),
        ("One [s1] and [1, 2].", "by bare number: [1, 2]"),
        ("One [s1] and [^2].", "by bare number: [^2]"),
        ("One [s1], [here](https://evil.example).", "links: [here](https://evil.example)"),
        ("One [s1], [here](/path).", "links: [here](/path)"),
        ("One [s1], ![x](y.png).", "links: ![x](y.png)"),
        ("One [s1], https://evil.example/a.", "URLs: https://evil.example/a"),
        ("One [s1], www.evil.example.", "URLs: www.evil.example"),
        ("One [s1], <javascript:alert(1)>.", "URLs: <javascript:alert(1)>"),
        ("One [s1].\n\n[s1]: https://evil.example", "defines links: [s1]: https://evil.example"),
        ("One [s1].\n\n[1]: nowhere", "defines links: [1]: nowhere"),
        ("One [s1] and [source 3].", "cannot be read: [source 3]"),
        ("One [s1] and 【4†source】.", "cannot be read: 【4†source】"),
        ("One [s1] turn0search3.", "cannot be read: turn0search3"),
        ("None at all.", "It cites no source."),
        ("Only `[s1]` in code.", "It cites no source."),
        ("Only unknown [s9].", "It cites no source."),
    ],
)
def test_each_way_to_cheat_is_a_problem(markdown: str, problem: str) -> None:
    assert any(problem in one for one in problems(markdown, KNOWN))


@pytest.mark.parametrize(
    "markdown", ["A [s1].", "A [S1, s4].", "`items[3]` hold [s2].", "See example.org [s1].", "A [s1]: b."]
)
def test_a_sound_text_has_no_problem(markdown: str) -> None:
    assert problems(markdown, KNOWN) == []


# --- drop_unknown
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A desk [s9] stands.", "A desk stands."),
        ("A desk [s9].", "A desk."),
        ("A desk [s9], then [s1].", "A desk, then [s1]."),
        ("A desk [s1][s9].", "A desk [s1]."),
        ("A desk [s9][s1].", "A desk [s1]."),
        ("A desk [s1, s9].", "A desk [s1]."),
        ("A desk [s1], [s9].", "A desk [s1]."),
        ("A desk [s9] [s8] stands.", "A desk stands."),
        ("A desk [s9], [s8].", "A desk."),
        ("A desk ([s9]).", "A desk."),
        ("A desk (see [s1], [s9]).", "A desk (see [s1])."),
        ("[s9] A desk.", "A desk."),
        ("- [s9] A desk.", "- A desk."),
        ("A.\n\n[s9]\n\nB.", "A.\n\nB."),
        ("A desk [3] stands [1][2].", "A desk stands."),
        ("A desk [3](https://x.example) stands.", "A desk stands."),
        ("The [frame](https://x.example/a_(b)) holds.", "The frame holds."),
        ("The [frame\nitself](x) holds.", "The [frame\nitself]\\(x) holds."),
        ("At https://www.shop.example/x?y=1, cheap.", "At shop.example, cheap."),
        ("A.\n[s1]: https://x.example\nB [s1].", "A.\nB [s1]."),
        ("`items[3]` stays [3].", "`items[3]` stays."),
        ("```\na[1]\n\n\n\nb\n```\n\nText [7].", "```\na[1]\n\n\n\nb\n```\n\nText."),
        ("Nothing  to do .", "Nothing  to do ."),
    ],
)
def test_what_is_no_citation_goes_and_leaves_no_gap(before: str, after: str) -> None:
    assert drop_unknown(before, KNOWN) == after


PIECES = st.sampled_from(
    [
        *[
            "[s1]",
            "[s2]",
            "[s9]",
            "[S4]",
            "[s1, s9]",
            "[3]",
            "[1, 2]",
            "[^1]",
            "[",
            "]",
            "(",
            ")",
            ":",
            "\\",
            "!",
            "s1",
        ],
        *[
            "[x](https://evil.example)",
            "](",
            "[3](x)",
            "https://evil.example/[3]",
            "<https://e.example>",
            "[1]: x",
        ],
        *[
            "`",
            "``",
            "`a[3]`",
            "```\n",
            "\n```\n",
            "~~~",
            "\n",
            "\n\n",
            "- ",
            "> ",
            "    ",
            "# ",
            "a",
            "3",
            ".",
            " ",
        ],
        *[
            "【3】",
            "[source 2]",
            "turn0search1",
            "\U000f0000",
            "\n[s1]: https://e.example\n",
            "<b>",
            "&lt;",
            "*",
            "|",
        ],
    ]
)
TEXTS = st.lists(st.one_of(PIECES, PIECES, PIECES, st.text(max_size=3)), max_size=25).map("".join)


@settings(max_examples=250)
@given(TEXTS)
@example(r"\\[s1]")
@example("[[[s9]3]3]")
@example("[s9]```\n```\n[s9]")
def test_dropping_twice_changes_nothing_more_and_leaves_no_problem(markdown: str) -> None:
    once = drop_unknown(markdown, KNOWN)
    assert drop_unknown(once, KNOWN) == once
    assert set(cited(once)) <= KNOWN
    assert set(problems(once, KNOWN)) <= {"It cites no source."}


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            ["desk", "frame [s9]", "top [s1]", "[3] leg", "motor,", "[s9][s8] end.", "(foot [s7])"]
        )
    )
)
def test_sentences_keep_single_blanks_and_no_blank_before_a_stop(words: list[str]) -> None:
    mended = drop_unknown(" ".join(words), KNOWN)
    assert not re.search(r" {2}| [.,)]|\( | $|^ |\(\)", mended)


# --- assemble
def test_numbers_follow_first_use_and_the_list_has_what_is_cited() -> None:
    markdown, sources = assemble(
        "Desks", [section("A [s4]. B [s1].", 1, "One"), section("C [s4][s2].", 2, "Two")], research()
    )
    assert markdown == (
        "# Desks\n\n## One\n\nA [1]. B [2].\n\n## Two\n\nC [1][3].\n\n## Sources\n\n"
        "1. [A page](https://example.org/s4), read 2026-11-22\n"
        "2. [A page](https://example.org/s1), read 2026-11-22\n"
        "3. [A page](https://example.org/s2), read 2026-11-22\n"
    )
    assert [(source["number"], source["source_id"]) for source in sources] == [
        (1, "s4"),
        (2, "s1"),
        (3, "s2"),
    ]


def test_a_source_says_when_it_was_read_itself() -> None:
    markdown, sources = assemble("T", [section("A [s1].")], research(), {"s1": "2026-10-01T00:00:00Z"})
    assert "read 2026-10-01" in markdown
    assert sources[0]["fetched_at"] == "2026-10-01T00:00:00Z"


def test_a_page_that_was_not_read_or_has_no_web_address_is_no_source() -> None:
    pages = [page("s1", was_read=False), page("s2", url="javascript:alert(1)"), page("s3")]
    markdown, sources = assemble("T", [section("A [s1]. B [s2]. C [s3]. D [s8].")], research(*pages))
    assert "A. B. C [1]. D." in markdown
    assert [source["source_id"] for source in sources] == ["s3"]


def test_without_a_citation_there_is_no_list() -> None:
    assert assemble("T", [section("A.")], research()) == ("# T\n\n## Heading\n\nA.\n", [])


def test_a_code_block_that_is_never_closed_swallows_nothing() -> None:
    markdown, _ = assemble(
        "T", [section("A [s1].\n\n```py\nx = 1"), section("B [s1].", 2, "Next")], research()
    )
    assert "```py\nx = 1\n```\n\n## Next" in markdown


@pytest.mark.parametrize(
    "title",
    [
        "A] (b) [c](https://evil.example)",
        "](https://evil.example) [x",
        "Line\n\n# Heading\n1. [7] item",
        "<script>alert(1)</script>",
        "back\\",
        "`code` **bold** _it_ ~~s~~ | cell",
        "![i](x.png)",
        "&lt;b&gt; &amp;",
        "[7]",
        "\u202eright to left",
        " ",
    ],
)
def test_a_title_of_the_web_cannot_break_out_of_its_place(title: str) -> None:
    markdown, sources = assemble("T", [section("A [s1].")], research(page("s1", title)))
    html = MarkdownIt("commonmark", {"html": False}).render(markdown)
    assert html.count("<a ") == 1
    assert 'href="https://example.org/s1"' in html
    assert html.count("<li>") == 1
    assert not re.search(r"<(?:script|strong|em|code|img|h1>[^T])", html)
    assert "[7]" not in html  # else it would look like a citation
    assert "\u202e" not in markdown
    assert sources[0]["title"] == (" ".join(title.replace("\u202e", "").split()) or "https://example.org/s1")


@pytest.mark.parametrize(
    "url",
    [
        "https://e.example/a_(b)",
        "https://e.example/a b\n",
        "https://e.example/)[x](https://evil.example",
        'https://e.example/"><script>',
        "https://e.example/a\\",
        "https://e.example/?a=1&copy;=2",
        "https://e.example/é%20[3]",
    ],
)
def test_an_address_of_the_web_stays_one_address(url: str) -> None:
    markdown, _ = assemble("T", [section("A [s1].")], research(page("s1", url=url)))
    html = MarkdownIt("commonmark", {"html": False}).render(markdown)
    assert re.findall(r'href="([^"]*)"', html)[0].startswith("https://e.example/")
    assert html.count("<a ") == 1
    assert html.count("read 2026-11-22") == 1


def shown(markdown: str) -> tuple[list[str], list[str], str]:
    """The hrefs, the headings and the text outside code of an article as a reader's browser shows it."""
    hrefs: list[str] = []
    headings: list[str] = []
    text: list[str] = []
    tokens = MarkdownIt("commonmark", {"html": False}).parse(markdown)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "inline":
            children = token.children or []
            hrefs += [str(child.attrs["href"]) for child in children if child.type == "link_open"]
            text.append(
                "".join(
                    "\n"
                    if child.type.endswith("break")
                    else ""
                    if child.type == "code_inline"
                    else child.content
                    for child in children
                )
            )
            if before and before.type == "heading_open" and before.tag == "h2":
                headings.append(text[-1])
    return hrefs, headings, "\n".join(text)


@settings(max_examples=250)
@given(st.lists(TEXTS, min_size=1, max_size=3), TEXTS)
@example([""], "0https://evil.example/[3]")
@example([""], "`a[3]`")
@example(["[s1]: x\n[s1]\n\n[s2]:\nhttps://evil.example"], "")
def test_every_number_resolves_whatever_the_sections_say(texts: list[str], title: str) -> None:
    sections = [section(text, n, title) for n, text in enumerate(texts, 1)]
    markdown, sources = assemble(title, sections, research())
    hrefs, _, text = shown(markdown)
    numbers = {int(number) for number in re.findall(r"\[(\d+)\]", text)}
    assert numbers <= {source["number"] for source in sources}
    assert [source["number"] for source in sources] == list(range(1, len(sources) + 1))
    assert {source["source_id"] for source in sources} <= KNOWN
    assert set(hrefs) <= {source["url"] for source in sources}
    assert not re.search(r"https?://(?!example\.org)", text)


# --- code and paragraphs
@pytest.mark.parametrize(
    ("markdown", "code"),
    [
        ("a `b` c ``d`e``", ["`b`", "``d`e``"]),
        ("```py\nx\n\ny\n```\nz", ["```py\nx\n\ny\n```"]),
        ("~~~\n```\n~~~", ["~~~\n```\n~~~"]),
        ("```\nopen", ["```\nopen"]),
        ("`a\nb`", []),
        ("`foo\nbar` [7] `baz`", []),
        ("- ```\n  x\n  ```\n  y [7]\n  ```\nz", []),
        ("- x\n  ```\n[7]\n  ```", []),
        (r"`a\` [7] `b`", []),
    ],
)
def test_only_what_is_surely_code_is_code(markdown: str, code: list[str]) -> None:
    assert [markdown[start:end] for start, end in code_spans(markdown)] == code


def test_a_list_a_table_and_a_code_block_are_one_paragraph_each() -> None:
    parts = ["One.", "- a\n- b\n\n- c\n\n  more of c", "| a |\n|---|\n| b |", "```\nx\n\ny\n```", "Last."]
    assert split_paragraphs("\n\n".join(parts) + "\n\n \n") == parts


@given(TEXTS)
def test_joining_is_the_inverse_of_splitting(markdown: str) -> None:
    parts = split_paragraphs(markdown)
    assert all(part.strip() and part in markdown for part in parts)
    assert split_paragraphs(join_paragraphs(parts)) == parts


@pytest.mark.parametrize(
    "piece",
    ["[s9] ", "[[3]", "[", "](", " ", "\n", "`", "`a`\n\n", "https://a.b/c ", "[1, ", "(", "[x](", "【"],
)
def test_a_hundred_thousand_characters_of_anything_are_mended_in_two_seconds(piece: str) -> None:
    hostile = piece * (100_000 // len(piece))
    quickly(2, lambda: problems(drop_unknown(hostile, KNOWN), KNOWN))
