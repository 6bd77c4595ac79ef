"""The page of an app that has Supabase: people sign in by e-mail, and rows come by Realtime."""

from __future__ import annotations

import re

import pytest
from screen import equals_fold
from signed import Site, Tabs
from written import Writer

from store_rows import token
from waiting import wait_for

pytestmark = pytest.mark.timeout(180)
slow = pytest.mark.slow
MEMBER = "ada@example.org"


@pytest.fixture(scope="module")
def site(tmp_path_factory, postgres):
    site = Site(tmp_path_factory.mktemp("supabase"), postgres)
    site.project.add_user(MEMBER, "p", "q")
    yield site
    site.close()


@pytest.fixture
def tabs(browser, visit, site):
    tabs = Tabs(browser, visit, site.peer)
    yield tabs
    tabs.close()


def way(page, word):
    wait_for(lambda: page.locator(".link").inner_text() == word, 20, f"to be {word}")


def test_rows_come_by_realtime_word_for_word(site, tabs):
    writer = Writer(site.store, "live").researched().planned()
    page = tabs.signed(site.app.article("live"), MEMBER)
    way(page, "live by Realtime")
    begun = site.store.read("p")["head"]
    requests = []
    page.on("request", lambda asked: requests.append(asked.url))
    take = writer.write("draft-section-1", token("Zwölf – "))
    for n in range(20):
        writer.write("draft-section-1", token(f"書 {n} 😀 "), take=take, first=n + 1)
    equals_fold(page, site.store, "live")
    read = [int(re.search(r"after=(\d+)", url)[1]) for url in requests if "/stream?" in url]
    assert all(after <= begun for after in read)  # the channel brought all that came later
    writer.drafted().polished()
    way(page, "complete")
    equals_fold(page, site.store, "live")
