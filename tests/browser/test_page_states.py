"""Every state an article can be in: readable by everybody, at any width, and harmless whatever it says."""

from __future__ import annotations

import hashlib

import pytest
from app_here import AppHere
from screen import equals_fold, fits, nothing_serious
from written import TEXTS, Writer, every_state, finding, source

from in_time import in_time
from waiting import wait_for

STATES = ["begun", "thinking", "briefing", "drafting", "polishing", "done", "review", "failed", "cancelled"]
HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>\u202e\u2066\" onmouseover=alert(1) '"
ATTACKS = (
    "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> <svg onload=alert(1)>",
    "[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](java\tscript:alert(1)) [d](data:text/html,<b>x)"
    " [e](vbscript:x) [f]( javascript:alert(1)) [g](&#106;avascript:alert(1)) <javascript:alert(1)>",
    "![x](https://evil.example/pixel.png) ![](https://evil.example/x.png) [u](//evil.example/)"
    " [v](/api/session)\n\n"
    '[t](https://example.org/ "x\\" onmouseover=alert(1)") [s1](https://evil.example/) <https://example.org/"onx>',
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = AppHere(tmp_path_factory.mktemp("states"))
    assert every_state(site.store) == STATES
    yield site
    site.close()


@pytest.mark.parametrize("state", ["drafting", "done"])
def test_the_screen_is_the_folded_stream_and_reads_well_for_everybody(site, visit, state):
    page = visit(site.article(state))
    equals_fold(page, site.store, state)
    nothing_serious(page)
    fits(page)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark"), (360, "light")])
def test_no_state_is_too_wide_or_hard_to_read(site, visit, width, scheme):
    tab = visit(site.url, color_scheme=scheme)
    tab.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/projects/none", "/projects/p", "/projects/p?keyword=x", "/projects/%20"):
        tab.goto(site.url + path)
        tab.wait_for_selector("h1")
        nothing_serious(tab)
        fits(tab)
    for state in STATES:
        tab.goto(site.article(state))
        equals_fold(tab, site.store, state)
        tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        nothing_serious(tab)
        fits(tab)


def test_findings_are_marked_where_they_are_and_lead_to_their_reason(site, visit):
    page = visit(site.article("done"))
    equals_fold(page, site.store, "done")
    assert page.locator("mark").all_inner_texts() == ["It is important to note that", "Moreover,"]
    page.get_by_role("link", name="Moreover,").click()
    reason = page.locator("#finding-2")
    assert reason.is_visible() and "A connective that connects nothing." in reason.inner_text()
    assert (
        "12.3" in page.locator("#findings").inner_text() and "4.1" in page.locator("#findings").inner_text()
    )


def test_sources_lead_out_of_the_page_safely(site, visit):
    page = visit(site.article("done"))
    equals_fold(page, site.store, "done")
    link = page.locator("#source-2 a")
    assert link.get_attribute("href") == "https://example.org/2"
    assert (
        link.get_attribute("rel") == "noopener noreferrer nofollow"
        and link.get_attribute("target") == "_blank"
    )


def test_the_research_table_is_sorted_by_its_heads(site, visit):
    page = visit(site.article("done"))
    equals_fold(page, site.store, "done")
    words = page.get_by_role("columnheader", name="Words")
    words.get_by_role("button").click()
    assert words.get_attribute("aria-sort") == "descending"
    assert page.locator(".pages td.words").all_inner_texts() == ["1,240", "830", "–"]
    words.get_by_role("button").click()
    assert words.get_attribute("aria-sort") == "ascending"
    assert page.locator(".pages td.words").all_inner_texts() == ["–", "830", "1,240"]
    assert "coverage 80 %" in page.locator(".parts").first.get_attribute("aria-label")
    assert "questions not known" in page.locator(".parts").first.get_attribute("aria-label")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("failed", "The model refused."),
        ("failed", "Ask for another keyword."),
        ("failed", "Go on where it stopped"),
        ("cancelled", "This run was cancelled."),
        ("review", "The brief waits for a person."),
        ("drafting", "Begun anew (take 2)"),
        ("nobody", "Waiting for the article to begin"),
    ],
)
def test_a_state_is_said_in_words(site, visit, state, said):
    page = visit(site.article(state))
    page.get_by_text(said).first.wait_for()


@pytest.mark.slow
def test_on_paper_there_is_the_text_with_its_sources_and_nothing_else(site, visit):
    page = visit(site.article("done"))
    page.locator("#scorecard").wait_for()
    page.emulate_media(media="print")
    assert page.locator(".text .prose").first.is_visible() and page.locator("#sources li").first.is_visible()
    assert not any(page.locator(gone).is_visible() for gone in (".top", ".rail", "#scorecard", "#research"))


@pytest.mark.slow
def test_an_open_run_without_a_row_for_five_minutes_is_shown_as_stalled(site, visit):
    page = visit(site.url)
    page.clock.install()
    page.goto(site.article("begun"))
    equals_fold(page, site.store, "begun")
    assert page.locator(".link").inner_text() != "stalled"
    page.clock.fast_forward(5 * 60_000 + 2000)
    wait_for(lambda: page.locator(".link").inner_text() == "stalled")
    assert page.get_by_text("No news for five minutes.").is_visible()


@pytest.mark.slow
def test_only_a_change_of_phase_is_said_aloud(site, visit):
    writer = Writer(site.store, "aloud")
    page = visit(site.article("aloud"))
    wait_for(lambda: page.locator("#announce").inner_text() == "Researching")
    page.evaluate(
        """() => { window.said = []; const at = document.querySelector("#announce");
        new MutationObserver(() => said.push(at.textContent)).observe(at, {childList: true}); }"""
    )
    writer.researched().planned()
    take = writer.write("draft-section-1", ("draft-token", {"text": "One "}))
    for i, word in enumerate(("two ", "three ", "four"), 1):
        writer.write("draft-section-1", ("draft-token", {"text": word}), take=take, first=i)
        equals_fold(page, site.store, "aloud")
    writer.drafted().polished()
    wait_for(lambda: page.evaluate("said.at(-1)") == "The article is finished")
    said = page.evaluate("said")
    assert len(said) == len(set(said)) <= 4 and all(
        page.evaluate("document.querySelectorAll('[aria-live]').length") == 1 for _ in said
    )


def test_what_models_pages_and_people_write_stays_text(site, visit):
    marks = [finding(2, 1, "[a](javascript:alert(1))", ATTACKS[1], why=HOSTILE)]
    hostile = Writer(site.store, "hostile", keyword=HOSTILE).researched(HOSTILE)
    hostile.planned(*[f"{n} {HOSTILE}" for n in range(3)], title=HOSTILE, purpose=HOSTILE).drafted(*ATTACKS)
    bad = [
        source(1, HOSTILE, "javascript:alert(1)"),
        source(2, HOSTILE, 'https://example.org/"><script>alert(1)'),
    ]
    page = visit(site.article("hostile"))
    page.wait_for_selector("#section-3")
    hostile.polished(ATTACKS, title="x" + HOSTILE, sources=bad, findings=marks)
    wait_for(lambda: page.locator("#source-2").count())
    assert page.locator("main :is(img, script, iframe, object, embed, style, base)").count() == 0
    links = page.evaluate("[...document.querySelectorAll('main a')].map((one) => one.protocol)")
    assert set(links) <= {"http:", "https:"}
    assert (
        page.evaluate(
            "[...document.querySelectorAll('main *')].flatMap((one) => one.getAttributeNames())"
            ".filter((name) => name.startsWith('on') || name === 'style')"
        )
        == []
    )
    assert page.locator("#source-1 a").count() == 0
    page.goto(f"{site.url}/projects/p")
    page.get_by_text("<script>alert(1)</script>").first.wait_for()
    page.goto(f"{site.url}/projects/p?keyword=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&persona=%3Cb%3E")
    assert page.get_by_label("Keyword").input_value() == '"><script>alert(1)</script>'


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "title"])
def test_a_bomb_hangs_nothing(site, visit, kind):
    bomb = "[" * 100_000 + "> " * 10_000 + "`*_" * 30_000
    article = f"bomb-{kind}"
    writer = Writer(site.store, article).researched(bomb if kind == "title" else "x")
    writer.planned(title="y").drafted(bomb if kind == "text" else "z")
    with in_time():  # with the visit; what rendering alone may take: test_markdown_js.py
        page = visit(site.article(article))
        wait_for(lambda: page.locator("#section-1").get_attribute("data-status") == "done")
        page.evaluate("new Promise(requestAnimationFrame)")


@pytest.mark.slow
def test_fifty_articles_are_shown_page_by_page(site, visit):
    for n in range(50):
        writer = Writer(site.store, f"n{n}", "many", keyword=f"keyword number {n}")
        if n % 2:
            writer.end("run-cancelled", {"by": "user", "reason": ""})
    page = visit(f"{site.url}/projects/many")
    page.get_by_text("keyword number 49").wait_for()
    shown = page.locator(".articles li")
    older = page.get_by_role("button", name="Show older articles")
    for count in (20, 40, 50):
        wait_for(lambda count=count: shown.count() == count)
        if count < 50:
            older.click()
    assert older.is_hidden()
    names = page.locator(".articles a").all_inner_texts()
    assert names == [f"keyword number {n}" for n in reversed(range(50))]
    Writer(site.store, "n50", "many", keyword="keyword number 50")
    wait_for(lambda: shown.first.inner_text().startswith("keyword number 50"))  # without asking
    assert shown.count() == 51


@pytest.mark.slow
def test_an_empty_project_teaches_and_a_wrong_address_says_so(site, visit):
    page = visit(f"{site.url}/projects/nothing-yet")
    page.get_by_text("Nothing here yet. Ask for an article: a keyword is enough.").wait_for()
    page.goto(f"{site.url}/")
    assert page.get_by_label("Project").input_value() == "nothing-yet"  # remembered
    page.goto(f"{site.url}/projects/a%20b")
    page.get_by_role("heading", name="There is no such page").wait_for()


@pytest.mark.slow
def test_what_the_app_refuses_is_said_beside_its_field(site, visit):
    page = visit(f"{site.url}/projects/p")
    page.get_by_label("Keyword").fill("standing desks")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Market").fill("zz")
    page.get_by_role("button", name="Write it").click()
    page.get_by_text("The engine did not take the event").wait_for()  # nothing listens there
    assert page.get_by_role("button", name="Ask again").is_enabled()


@pytest.mark.slow
def test_an_article_can_be_copied_as_it_stands(site, visit):
    page = visit(site.article("drafting"), permissions=["clipboard-read", "clipboard-write"])
    equals_fold(page, site.store, "drafting")
    page.get_by_role("button", name="Copy Markdown").click()
    page.get_by_text("Copied.").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("# Standing desks, measured\n\n## Why stand at all\n\nStanding **helps**")
    assert TEXTS[0] in copied


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """The app with keys: one of project `acme`, one of all."""
    keys = f"acme:{hashlib.sha256(b'bw_acme').hexdigest()},*:{hashlib.sha256(b'bw_all').hexdigest()}"
    site = AppHere(tmp_path_factory.mktemp("locked"), api_keys=keys)
    Writer(site.store, "a1", "acme").researched().planned().drafted().polished()
    Writer(site.store, "b1", "other").researched()
    yield site
    site.close()


@pytest.mark.slow
def test_a_key_opens_its_projects_and_signing_out_closes_them(locked, visit):
    page = visit(locked.url)
    page.get_by_label("API key").fill("bw_wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("This key is not known here.").wait_for()
    nothing_serious(page)
    page.get_by_label("API key").fill("bw_acme")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="acme").click()
    page.get_by_role("link", name="Standing desks, measured").click()
    equals_fold(page, locked.store, "a1", "acme")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download .md").click()
    assert download.value.suggested_filename == "standing-desks.md"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download .html").click()
    assert download.value.suggested_filename == "standing-desks.html"
    page.goto(locked.article("b1", "other"))
    page.get_by_text("There is no project 'other' here").wait_for()
    assert page.locator(".link").inner_text() == "not followed"
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("API key").wait_for()
    assert page.context.cookies() == []
    page.goto(locked.article("a1", "acme"))
    page.get_by_label("API key").wait_for()
    assert page.get_by_text("Standing desks").count() == 0
