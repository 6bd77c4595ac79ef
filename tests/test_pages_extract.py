"""Reading HTML: the text without what stands around it, and a child that hostile pages cannot hold up."""

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from briefworks.pages.extract import Unreadable, read_html
from briefworks.pages.extractor import Extractor
from briefworks.pages.guard import Refused
from briefworks.pages.plain import MOST_TEXT_CHARS
from in_time import in_time, quickly
from waiting import wait_for

GUIDE = (Path(__file__).parent / "pages" / "guide.html").read_bytes()
WORDS = "The desk stands on four legs and carries a lamp, a screen and a cup of tea, as it did before. "


def page(body: str, head: str = "") -> bytes:
    return f"<html><head>{head}</head><body><article>{body}</article></body></html>".encode()


@pytest.fixture(scope="module")
def extractor():
    with Extractor() as running:
        running.read(GUIDE, "", time.monotonic() + 30)
        yield running


def soon() -> float:
    return time.monotonic() + 30


def test_the_text_has_headings_lists_tables_and_paragraphs_between_blank_lines():
    text = read_html(GUIDE, "")["text"]
    assert "# How high should a standing desk be?\n\nA standing desk is at the right height" in text
    assert "\n\n## Measure it in three steps\n\n- Stand upright in the shoes you work in.\n- Bend" in text
    assert "| 160 cm | 98 cm |" in text
    assert "\n\nPeople who change between sitting and standing" in text


def test_marks_and_links_leave_their_words_and_nothing_else():
    text = read_html(GUIDE, "")["text"]
    assert "when your elbows rest at about ninety degrees and your wrists stay straight while" in text
    assert "guide to monitor arms" in text
    assert "http" not in text


@pytest.mark.parametrize(
    "words",
    ["Browse the shop", "Office chairs", "Log in", "Subscribe now", "Copyright", "Imprint", "tracking"],
)
def test_menus_offers_and_footers_are_not_in_the_text(words):
    assert words not in read_html(GUIDE, "")["text"]


@pytest.mark.parametrize("words", ["Zorblax", "quixotic", "Decorative icon", "editor's remark"])
def test_what_a_reader_cannot_see_is_not_in_the_text(words):
    assert words not in json.dumps(read_html(GUIDE, ""))


def test_title_and_headings_are_those_of_the_page():
    read = read_html(GUIDE, "")
    assert read["title"] == "How high should a standing desk be?"
    assert read["headings"] == [
        "How high should a standing desk be?",
        "Measure it in three steps",
        "What the numbers say",
    ]


def test_headings_of_the_site_and_the_signs_behind_headings_are_left_out():
    banner = "<div id=banner><h1><a href=/>The House of Desks</a></h1></div>"
    side = f"<div class='sphinxsidebar'><h3>Quick search</h3><p>{WORDS}</p></div>"
    legs = "<h2>Legs<a class=headerlink href=#legs>¶</a></h2>"
    body = f"<h1>Desk</h1><p>{WORDS * 5}</p>{legs}<p>{WORDS * 3}</p>"
    read = read_html(f"<html><body>{banner}<article>{body}</article>{side}</body></html>".encode(), "")
    assert read["headings"] == ["Desk", "Legs"]
    assert "Quick search" not in read["text"] and "House of Desks" not in read["text"]


@pytest.mark.parametrize(
    "line",
    [
        "<p>[ <a href=a>previous</a> ] [ <a href=b>contents</a> ] [ 4 ] [ <a href=c>next</a> ]</p>",
        "<div>Next: <a href=a>Merging</a>, Up: <a href=b>Overview of all</a> [<a href=c>Contents</a>]</div>",
        "<p><a href=top>previous</a></p>",
        "<ul class='nav-list menu'><li><a href=a>previous</a></li><li>contents</li></ul>",
        "<address>previous <a href=mailto:a@b.example>Jo Doe</a></address>",
    ],
)
def test_a_line_of_links_is_no_text(line):
    text = read_html(page(f"{line}<h1>Desk</h1><p>{WORDS * 5}</p><p>{WORDS * 3}</p>{line}"), "")["text"]
    for word in ("previous", "ontents", "Merging", "Jo Doe"):
        assert word not in text
    assert WORDS.strip() in text


def test_a_sentence_with_links_stays():
    said = "<p>See <a href=a>the legs</a>, <a href=b>the lamp</a> and <a href=c>the screen</a> first.</p>"
    assert (
        "See the legs, the lamp and the screen first"
        in read_html(page(f"<p>{WORDS * 5}</p>{said}"), "")["text"]
    )


def test_what_is_called_a_menu_and_holds_most_of_the_page_is_the_page():
    body = f"<div class=related-menu><h1>Desk</h1><p>{WORDS * 9}</p></div><p>{WORDS}</p>"
    assert read_html(f"<html><body>{body}</body></html>".encode(), "")["text"].count(WORDS.strip()) >= 9


def test_a_page_written_by_hand_keeps_its_headings_and_its_loose_text():
    legs = (
        f"<h2>Legs</h2>\nLoose words about <b>legs</b>. {WORDS}<br><br>Then.<ul><li>One<li>Two</ul>And so on."
    )
    body = f"<h1>Desk</h1>{WORDS * 3}{legs}<a name=lamp><h2>Lamp</h2></a>Bright. {WORDS * 2}"
    read = read_html(f"<html><body>{body}</body></html>".encode(), "")
    assert read["headings"] == ["Desk", "Legs", "Lamp"]
    assert "## Legs\n\nLoose words about legs." in read["text"] and "And so on." in read["text"]


def test_loose_text_around_a_paragraph_is_text_too():
    loose = "<h2>Legs</h2>Loose words about legs.<h2>Future</h2>…Nothing else is planned."
    body = f"<h1>Desk</h1><p>{WORDS * 6}</p>{loose}"
    text = read_html(f"<html><body>{body}</body></html>".encode("utf-16"), "")["text"]
    assert "## Legs\n\nLoose words about legs." in text
    assert "## Future\n\n…Nothing else is planned." in text


ITEMS = "<ul><li>A desk for one person</li><li>A desk for two people</li></ul>"
LINKS = "".join(f"<li><a href='#p{n}'>Part {n}</a></li>" for n in range(3))


def by_hand(body: str, title: str = "") -> bytes:
    """No frame that a reader of articles would know."""
    return f"<title>{title}</title><body>{body}</body>".encode()


def test_headings_of_every_level_are_headings_and_a_break_or_an_icon_is_no_part_of_them():
    body = f"<h2><br>At<br>home</h2><p>{WORDS * 5}<h4>Legs<a href='#legs'>&#xf0c1;</a></h4><p>{WORDS * 5}"
    read = read_html(by_hand(body), "")
    assert read["headings"] == ["At home", "Legs"]
    assert "## At home\n" in read["text"] and "#### Legs\n" in read["text"]


def test_a_page_without_any_heading_keeps_its_lists():
    terms = "<dl><dt>Lamp<dd>Gives light to a desk</dl>"
    read = read_html(by_hand(f"<p>{WORDS * 5}{ITEMS}{terms}<p>{WORDS * 4}"), "")
    assert "- A desk for two people" in read["text"] and "Gives light to a desk" in read["text"]


@pytest.mark.parametrize("title", ["Desks at home", "Desks at home | The shop", "Manual: Desks at home"])
def test_the_pages_own_title_stands_over_its_text_though_it_is_in_a_banner(title):
    banner = "<div id='header'><div class='title'>Desks at home</div></div>"
    read = read_html(by_hand(f"{banner}<div id='content'><h2>Legs</h2><p>{WORDS * 9}</p></div>", title), "")
    assert read["headings"] == ["Desks at home", "Legs"]
    assert read["text"].startswith("# Desks at home\n\n## Legs\n")


def test_the_sites_name_in_a_banner_is_not_put_over_the_text():
    body = f"<div id='header'><h1>The shop</h1></div><div id='content'><h2>Legs</h2><p>{WORDS * 9}</p></div>"
    assert "The shop" not in read_html(by_hand(body, "The shop 10 - Legs"), "")["text"]


def test_a_table_of_contents_is_no_text_and_neither_is_its_heading():
    body = f"<h1>Desks</h1><h2>Contents</h2><div><ul>{LINKS}</ul></div><h2>Legs</h2><p>{WORDS * 9}</p>"
    read = read_html(by_hand(body), "")
    assert read["headings"] == ["Desks", "Legs"]
    assert "Contents" not in read["text"] and "Part 1" not in read["text"]


def test_a_heading_with_a_table_of_contents_and_text_below_stays():
    body = f"<h1>Desks</h1><h2>Choice</h2><ul>{LINKS}</ul><p>{WORDS * 9}</p><h2>Legs</h2><p>{WORDS * 9}</p>"
    assert read_html(by_hand(body), "")["headings"] == ["Desks", "Choice", "Legs"]


def test_a_table_of_one_row_of_links_is_a_menu_and_one_with_more_rows_is_a_table():
    row = "<tr><td><a href='a'>Pine</a></td><td><a href='b'>Oak</a></td><td><a href='c'>Ash</a></td></tr>"
    head = f"<h1>Desks</h1><p>{WORDS * 9}</p>"
    assert "Pine" not in read_html(by_hand(f"{head}<table>{row}</table>"), "")["text"]
    assert "| Pine | Oak | Ash |" in read_html(by_hand(f"{head}<table>{row}{row}</table>"), "")["text"]


@pytest.mark.slow
def test_a_page_of_thousands_of_tables_of_contents_is_read_in_seconds():
    page = by_hand(f"<h1>Desks</h1><p>{WORDS * 4000}</p>" + f"<ul>{LINKS}</ul>" * 6000)
    quickly(10, lambda: read_html(page, ""))


def test_without_og_title_the_title_element_counts_then_the_first_heading():
    body = f"<h1>Top</h1><p>{WORDS * 5}</p>"
    assert read_html(page(body, "<title> A \n title </title>"), "")["title"] == "A title"
    assert read_html(page(body, "<title> </title>"), "")["title"] == "Top"


def test_lists_and_tables_count_when_they_are_part_of_the_text():
    read = read_html(GUIDE, "")
    assert read["has_list"]
    assert read["has_table"]
    menu = "<nav><ul><li>Home</li><li>Shop</li></ul></nav>"
    bare = read_html(page(f"{menu}<h1>Desk</h1><p>{WORDS * 5}</p><p>{WORDS * 3}</p>"), "")
    assert not bare["has_list"]
    assert not bare["has_table"]


def linked(data: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


def meta(name: str, content: str) -> str:
    return f'<meta property="article:{name}_time" content="{content}">'


@pytest.mark.parametrize(
    ("head", "published_at"),
    [
        (linked({"@type": "BlogPosting", "datePublished": "2026-02-03"}), "2026-02-03T00:00:00Z"),
        (linked([{"@graph": [{"dateModified": "2025-01-01T00:00:00+0100"}]}]), "2024-12-31T23:00:00Z"),
        (meta("published", "2026-02-03T04:05:06.789Z"), "2026-02-03T04:05:06Z"),
        (meta("modified", "2026-02-04") + meta("published", "2026-02-03"), "2026-02-03T00:00:00Z"),
        (linked({"dateModified": "2026-03-01"}) + meta("published", "2026-02-03"), "2026-02-03T00:00:00Z"),
        (linked({"itemListElement": [{"datePublished": "2026-02-03"}]}), None),
        (linked({"datePublished": "yesterday"}), None),
        (linked({"datePublished": "2999-01-01"}), None),
        (linked({"datePublished": "1066-10-14"}), None),
        (linked({"datePublished": {"a": 1}}), None),
        ('<script type="application/ld+json">{"datePublished": "2026-</script>', None),
        ('<script type="application/ld+json">' + "[" * 100_000 + "</script>", None),
        ("", None),
    ],
)
def test_dates_are_the_declared_ones_or_unknown(head, published_at):
    body = f"<h1>Desk</h1><p>Updated on January 5, 1995. {WORDS * 5}</p>"
    assert read_html(page(body, head), "")["published_at"] == published_at


def test_the_date_of_the_article_wins_over_that_of_the_site():
    assert read_html(GUIDE, "")["published_at"] == "2026-03-04T08:00:00Z"


META_1252 = "<meta charset=windows-1252>"
GERMAN = "Größe, Höhe und Stühle: “ein Tisch” für jeden Menschen – über 100 € günstiger als früher. " * 8


@pytest.mark.parametrize(
    ("said", "encoding"),
    [
        ("Slaktforskning aer en soekning efter sina foerfaeder.", "cp1252"),
        (
            "Släktforskning är sökandet efter sina förfäder, en för en: här är några råd för den som börjar.",
            "cp1252",
        ),
        ("Поиск предков требует терпения, и вот несколько советов для тех, кто только начинает.", "koi8-r"),
        ("Поиск предков требует терпения, и вот несколько советов для тех, кто только начинает.", "cp1251"),
        ("先祖をたどるには根気がいります。始める人のための助言をいくつか書きます。", "shift_jis"),
        ("先祖をたどるには根気がいります。始める人のための助言をいくつか書きます。", "euc_jp"),
        ("조상을 찾는 일에는 끈기가 필요합니다. 처음 시작하는 사람을 위한 조언입니다.", "euc_kr"),
    ],
)
def test_a_page_that_declares_no_encoding_is_taken_for_what_pages_are_written_in(said, encoding):
    body = f"<h1>{said[:20]}</h1>" + f"<p>{said}</p>" * 12
    assert said in read_html(f"<html><body>{body}</body></html>".encode(encoding), "")["text"].replace(
        "\n", " "
    )


@pytest.mark.parametrize(
    ("charset", "meta_charset", "encoding"),
    [
        ("utf-8", "", "utf-8"),
        ("windows-1252", "", "cp1252"),
        ("ISO-8859-1", "", "cp1252"),
        ("", "windows-1252", "cp1252"),
        ("", "utf-8", "utf-8"),
        ("", "", "utf-8"),
        ("", "", "utf-8-sig"),
        ("", "", "utf-16"),
        ("utf-8", "", "utf-16"),
        ("iso-8859-1", "", "utf-8-sig"),
        ("utf-8", "windows-1252", "cp1252"),
        ("windows-1252", "utf-8", "cp1252"),
        ("no-such-thing", "windows-1252", "cp1252"),
        ("rot13", "", "utf-8"),
        ("punycode", "idna", "utf-8"),
        ("\x00\ud800", "", "utf-8"),
    ],
)
def test_the_encoding_is_that_of_http_then_meta_then_the_bytes(charset, meta_charset, encoding):
    head = f"<meta charset={meta_charset}>" if meta_charset else ""
    body = page(f"<h1>Tisch</h1><p>{GERMAN}</p>", head).decode().encode(encoding)
    assert "Größe, Höhe und Stühle: “ein Tisch” für" in read_html(body, charset)["text"]


def test_http_is_believed_before_meta():
    body = page(f"<h1>Стол</h1><p>{'Стол должен быть на высоте локтя, когда вы стоите. ' * 8}</p>", META_1252)
    assert "Стол должен быть" in read_html(body.decode().encode("cp1251"), "windows-1251")["text"]


def test_an_encoding_that_the_web_does_not_know_is_not_believed():
    assert "four legs" in read_html(page(f"<h1>Desk</h1><p>{WORDS * 5}</p>"), "cp500")["text"]


def test_an_undeclared_encoding_is_found_by_its_looks():
    japanese = "机の高さは、肘が直角になるところがちょうどよいと言われています。" * 12
    body = page(f"<h1>机</h1><p>{japanese}</p>").decode().encode("shift_jis")
    assert "机の高さは、肘が直角" in read_html(body, "")["text"]


def test_one_broken_byte_does_not_change_the_encoding():
    body = page(f"<h1>Tisch</h1><p>{GERMAN * 4}</p>").replace(b"Tisch", b"T\xffsch", 1)
    assert "Größe" in read_html(body, "utf-8")["text"]


@pytest.mark.parametrize("body", [b"", b"\x00" * 1000, b"\xff\xfe", b"<", b"<!-- only -->", b"\xfe\xff\xd8"])
def test_bytes_that_say_nothing_give_no_text(body):
    try:
        assert len(read_html(body, "")["text"]) < 5
    except Unreadable as error:
        assert str(error) == "no readable text"


def test_any_bytes_at_all_give_text_that_can_be_stored():
    for charset in ("", "utf-16", "utf-32", "shift_jis", "base64", "hex", "mbcs", "\u0130"):
        json.dumps(read_html(page(f"<p>{WORDS * 5}</p>") + bytes(range(256)) * 20, charset)).encode()


def test_nothing_in_the_text_is_refused_by_a_database():
    body = page(f"<h1>De\x00sk</h1><p>{WORDS * 5}&#0;&#xD800;</p>", "<title>A&#0;b\x00</title>")
    json.dumps(read_html(body, "")).encode().decode("utf-8")
    assert "\x00" not in "".join(str(value) for value in read_html(body, "").values())


def test_a_long_text_ends_with_a_whole_paragraph():
    text = read_html(page("".join(f"<p>{n}. {WORDS * 5}</p>" for n in range(400))), "")["text"]
    assert MOST_TEXT_CHARS * 0.9 < len(text) <= MOST_TEXT_CHARS
    assert text.endswith("as it did before.")


BOMBS = {
    "attributes": "<p " + " ".join(f'a{n}="{n}"' for n in range(100_000)) + ">x</p>",
    "attributes behind a sign": '<p x=">" ' + " ".join(f'a{n}=">"' for n in range(100_000)) + ">x</p>",
    "attributes without values": "<p " + " ".join(f"a{n}" for n in range(100_000)) + ">x</p>",
    "tags": "<p>x" * 200_000,
    "open tags": "<a" * 900_000,
    "open quotes": "<a x='" * 300_000,
    "open scripts": "<script " * 200_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_markup_that_would_take_minutes_is_refused_before_it_is_parsed(bomb):
    def refused():
        with pytest.raises(Unreadable, match="too complex"):
            read_html(BOMBS[bomb].encode(), "")

    quickly(2, refused)


def test_a_script_full_of_signs_is_no_bomb():
    script = "<script>" + "if(a<b){c=1}" * 20_000 + "</script>"
    assert "four legs" in read_html(page(f"{script}<h1>Desk</h1><p>{WORDS * 5}</p>"), "")["text"]


def test_nesting_without_end_is_survived(extractor):
    with contextlib.suppress(Refused):
        extractor.read(b"<div>" * 55_000 + WORDS.encode() * 10, "", soon())
    assert extractor.read(GUIDE, "", soon())["headings"]


def test_the_child_reads_as_the_function_does(extractor):
    assert extractor.read(GUIDE, "utf-8", soon()) == read_html(GUIDE, "utf-8")


def test_the_child_gives_the_note_of_an_unreadable_page(extractor):
    with pytest.raises(Refused, match="too complex"):
        extractor.read(BOMBS["tags"].encode(), "", soon())


def test_one_child_reads_all_pages(extractor):
    pids = set()
    for n in range(3):
        extractor.read(page(f"<h1>{n}</h1><p>{WORDS * 5}</p>"), "", soon())
        pids.add(extractor.pid)
    assert len(pids) == 1


def test_a_child_that_was_killed_costs_one_page(extractor):
    extractor.read(GUIDE, "", soon())
    os.kill(extractor.pid, signal.SIGKILL)
    with pytest.raises(Refused, match="too complex"):
        extractor.read(GUIDE, "", soon())
    assert extractor.read(GUIDE, "", soon())["headings"]


def test_a_page_that_takes_too_long_is_given_up_and_the_next_one_is_read(extractor):
    slow = page("".join(f"<p>{WORDS}" for _ in range(18_000)))  # seconds of work, below every other limit
    with Extractor(page_s=0.6) as hurried:
        with in_time(), pytest.raises(Refused, match="too complex"):
            hurried.read(slow, "", soon())

        def title():
            with contextlib.suppress(Refused):  # a machine may pause for longer than a page has
                return hurried.read(page(f"<h1>Desk</h1><p>{WORDS * 5}</p>"), "", soon())["title"]

        assert wait_for(title) == "Desk"


def test_no_time_left_is_not_the_fault_of_the_page():
    with Extractor() as fresh, pytest.raises(Refused, match="no time was left"):
        fresh.read(GUIDE, "", time.monotonic())


def test_the_child_knows_no_key(monkeypatch):
    monkeypatch.setenv("SERPER_API_KEY", "sk-secret")
    with Extractor() as fresh:
        fresh.read(GUIDE, "", soon())
        known = Path(f"/proc/{fresh.pid}/environ")
        if known.exists():  # where there is /proc
            assert b"sk-secret" not in known.read_bytes()


def test_the_child_ends_with_the_batch():
    with Extractor() as fresh:
        fresh.read(GUIDE, "", soon())
        pid = fresh.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_reader_that_does_not_start_is_said_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")  # as when a library is missing
    with Extractor() as broken, pytest.raises(Refused, match="does not start"):
        broken.read(b"<p>text", "", time.monotonic() + 20)
