"""An article is deleted from its page and from the list, with a question first; what is kept stays."""

from __future__ import annotations

import re

import pytest
from app_here import AppHere
from screen import nothing_serious
from written import Writer

from briefworks.stream import DELETED, rows_of
from waiting import wait_for


@pytest.fixture(scope="module")
def site(tmp_path_factory, threaded_server):
    threaded_server.expect_request(re.compile("/e/.*")).respond_with_json({"ids": ["1"], "status": 200})
    site = AppHere(tmp_path_factory.mktemp("delete"), inngest_dev=threaded_server.url_for("").rstrip("/"))
    for article in ("one", "two", "three"):
        Writer(site.store, article, keyword=f"keyword {article}").researched().planned(
            title=f"Title {article}"
        )
    yield site
    site.close()


def gone(site, article):
    return rows_of(site.store, "p", article) == []


def test_an_article_is_deleted_on_its_page_only_after_a_yes(site, visit):
    page = visit(site.article("one"))
    delete = page.get_by_role("button", name="Delete …")
    delete.press("Enter")
    page.get_by_role("heading", name="Delete “Title one”?").wait_for()
    assert "Its run stops at once." in page.locator("dialog:modal").inner_text()
    nothing_serious(page)
    page.keyboard.press("Enter")  # the harmless answer has the focus
    assert page.locator("dialog:modal").count() == 0 and not gone(site, "one")
    assert delete.evaluate("(one) => one === document.activeElement")
    delete.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/projects/p")
    assert gone(site, "one") and not gone(site, "two")
    page.get_by_role("link", name="keyword two").wait_for()
    assert page.get_by_role("link", name="keyword one").count() == 0


def test_an_article_is_deleted_in_the_list_and_the_focus_goes_on(site, visit):
    page = visit(f"{site.url}/projects/p")
    delete = page.get_by_role("button", name="Delete “keyword three”")
    delete.press("Enter")
    page.keyboard.press("Escape")
    assert not gone(site, "three")
    delete.click()
    page.get_by_role("button", name="Delete it").click()
    wait_for(lambda: page.get_by_role("link", name="keyword three").count() == 0)
    assert gone(site, "three") and page.get_by_role("link", name="keyword two").is_visible()
    assert page.locator("#announce").inner_text() == "“keyword three” is deleted"
    assert page.evaluate("document.activeElement.closest('.articles') !== null")
    page.reload()
    page.get_by_role("link", name="keyword two").wait_for()
    assert page.get_by_role("link", name="keyword three").count() == 0


def test_with_a_local_engine_the_page_leads_to_how_the_article_ran(site, visit):
    page = visit(site.article("two"))
    link = page.get_by_role("link", name="How it ran, step by step")
    link.wait_for()
    assert page.request.get(site.url + link.get_attribute("href")).status == 200


def test_a_queued_article_can_be_deleted_before_its_first_row(site, visit):
    page = visit(site.article("queued"))
    page.get_by_role("button", name="Delete …").click()
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_url("**/projects/p")
    assert site.store.decision("p", "queued", "cancel")["by"] == "user"


@pytest.mark.slow
def test_who_watches_a_deleted_article_is_told_and_not_sent_where_it_went_on(site, visit):
    writer = Writer(site.store, "four").researched().planned()
    page = visit(site.article("four"))
    page.get_by_role("button", name="Cancel …").wait_for()
    writer.end("run-cancelled", {"by": "user", "reason": DELETED})
    page.get_by_text(DELETED).wait_for()
    assert page.get_by_role("link", name="Ask for it again").is_visible()
    assert page.get_by_role("link", name="Go on where it stopped").count() == 0
