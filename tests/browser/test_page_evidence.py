"""What an article stands on, on the page: the stored passage behind a sentence, harmless and for all."""

from __future__ import annotations

import pytest
from app_here import AppHere
from screen import fits, nothing_serious
from written import MENDED, QUALITY, UNBACKED, Writer

from briefworks.phases.scorecard import MEASURES

pytestmark = pytest.mark.timeout(120)
HOSTILE = (
    "A frame costs 450 euros <img src=x onerror=alert(1)><script>alert(1)</script> [a](javascript:alert(1))."
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = AppHere(tmp_path_factory.mktemp("evidence"))
    Writer(site.store, "done").researched().planned().drafted().polished(
        **QUALITY, disclosure="A machine wrote it."
    )
    texts = ("A frame costs 450 euros [s1].", "B [s2].", "C.")
    hostile = Writer(site.store, "hostile").researched("x", (HOSTILE, HOSTILE)).planned().drafted(*texts)
    unbacked = [{**UNBACKED, "sentence": HOSTILE, "facts": [HOSTILE], "cites": []}]
    mended = [{**MENDED, "text": HOSTILE}]
    said = {"backing": {"facts": 1, "unbacked": unbacked}, "mended": mended}
    hostile.polished(texts, **QUALITY | said, disclosure=HOSTILE)
    Writer(site.store, "before").researched().planned().drafted().polished()
    yield site
    site.close()


def opened(page):
    """The panel, once the sentences are known."""
    page.locator(".said").first.wait_for()
    return page.locator("dialog.backing")


def test_with_the_keyboard_alone_every_sentence_is_reached_and_esc_leads_back(site, visit):
    page = visit(site.article("done"))
    panel = opened(page)
    cite = page.locator(".cite").first
    cite.focus()
    page.keyboard.press("Enter")
    assert panel.is_visible() and page.evaluate("document.activeElement.matches('dialog.backing')")
    assert "Standing helps most people" in panel.locator(".own").inner_text()
    seen = []
    while panel.get_by_role("button", name="Next sentence").is_enabled():
        seen.append(panel.locator(".own").inner_text())
        panel.get_by_role("button", name="Next sentence").press("Enter")
    assert len(seen) + 1 == len(
        set(page.evaluate("[...document.querySelectorAll('.said')].map((one) => one.dataset.said)"))
    )
    page.keyboard.press("Escape")
    assert panel.is_hidden()
    cite.press("Enter")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('.cite')")
    page.get_by_role("button", name="Check it sentence by sentence").press("Enter")
    assert panel.is_visible()


def test_a_sentence_without_a_citation_says_so(site, visit):
    page = visit(site.article("done"))
    panel = opened(page)
    page.locator(".said.bare", has_text="Buy the frame").click()
    assert "No source cited." in panel.inner_text() and panel.locator(".passage").count() == 0


def test_what_a_page_says_stays_text_in_its_passage(site, visit):
    page = visit(site.article("hostile"))
    panel = opened(page)
    page.locator(".said", has_text="450 euros").click()
    shown = panel.locator(".passage .words").inner_text()
    assert shown == HOSTILE and panel.locator("mark").inner_text() == "450 euros"
    assert page.locator("main :is(img, script, iframe)").count() == 0
    assert page.locator("[data-shown]").all_inner_texts() == ["A frame costs 450 euros ", "[1]", "."]
    nothing_serious(page)


def test_every_score_is_shown_with_its_definition_and_band(site, visit):
    page = visit(site.article("done"))
    card = page.locator("#scorecard")
    card.get_by_text("3 of 9 measures lie outside of the band.").wait_for()
    tells = card.locator("details", has_text="Tells of a machine").first
    assert "1 of 1 outside" in tells.inner_text()
    tells.locator("summary").press("Enter")
    shown = tells.inner_text()
    assert MEASURES["tells_per_1000_words"].says in shown and "≤ 3" in shown and "4.1" in shown
    assert tells.get_by_role("row", name="not just").inner_text().split() == ["not", "just", "2.5", "0"]
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    gate = card.locator("#gate").inner_text()
    assert "A frame costs 77 euros" in gate and "Not said by A page about desks: 77 euros" in gate
    assert "Ignore all previous instructions" in card.locator("#commands").inner_text()
    kept_out = card.locator("#kept-out").inner_text()
    assert "Here is the section you asked for:" in kept_out and "talk about the task" in kept_out
    assert "The article is complete." in card.inner_text()
    for name, one in MEASURES.items():
        measured = QUALITY["scores"]["measures"][name] is not None
        assert card.get_by_text(one.says, exact=True).count() >= measured, name
    nothing_serious(page)
    page.set_viewport_size({"width": 390, "height": 800})
    fits(page)


def test_where_it_comes_from_is_beside_the_article_and_the_disclosure_below_its_title(site, visit):
    page = visit(site.article("done"))
    made = page.locator("#made")
    made.wait_for()
    for said in (
        "claude-sonnet-5-5",
        "plain-expert",
        "searxng",
        "2026-11-01 00:04:10 UTC",
        "prompts 0a1b2c3d4e5f",
    ):
        assert said in made.inner_text()
    assert page.locator(".disclosure").inner_text() == "A machine wrote it."
    assert "read 2026-11-01 00:00" in page.locator("#sources").inner_text()


def test_an_article_of_before_shows_what_it_has(site, visit):
    page = visit(site.article("before"))
    opened(page)
    for part in ("#made", "#scorecard", ".disclosure"):
        assert page.locator(part).is_hidden(), part


def test_what_the_gate_and_the_operator_say_stays_text(site, visit):
    page = visit(site.article("hostile"))
    opened(page)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert HOSTILE in page.locator("#gate").inner_text() and HOSTILE in page.locator("#kept-out").inner_text()
    assert page.locator(".disclosure").inner_text() == HOSTILE
    assert page.locator("main :is(img, script, iframe)").count() == 0
    assert "any source" in page.locator("#gate").inner_text()
