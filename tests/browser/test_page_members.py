"""The page of an app that is open to members alone: they see their projects, as long as they are members."""

import pytest
from screen import equals_fold, nothing_serious
from signed import Site, sign_in
from written import Writer

from store_rows import token
from waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
MEMBER, LEAVING, STRANGER = "ada@example.org", "bob@example.org", "eve@example.org"
NO_DEV = {"inngest_dev": "", "inngest_signing_key": "signkey-test-00", "inngest_event_key": "key"}


@pytest.fixture(scope="module")
def site(tmp_path_factory, postgres):
    site = Site(tmp_path_factory.mktemp("members"), postgres, **NO_DEV)
    for email, projects in ((MEMBER, ["p"]), (LEAVING, ["p"]), (STRANGER, [])):
        site.project.add_user(email, *projects)
    yield site
    site.close()


def test_a_member_signs_in_reads_downloads_and_signs_out(site, tabs):
    Writer(site.store, "done").researched().planned().drafted().polished()
    page = tabs.open(site.app.article("done"))
    page.get_by_label("E-mail").wait_for()
    nothing_serious(page)
    assert page.get_by_text("Standing desks").count() == 0
    sign_in(page, MEMBER)
    equals_fold(page, site.store, "done")
    for kind in ("md", "html"):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download .{kind}").click()
        assert download.value.suggested_filename == f"standing-desks.{kind}"
        assert "Standing desks, measured" in download.value.path().read_text()
    page.goto(site.app.url)
    page.get_by_role("link", name="p", exact=True).click()
    page.get_by_role("link", name="Standing desks, measured").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail").wait_for()
    page.goto(site.app.article("done"))
    page.get_by_label("E-mail").wait_for()


def test_somebody_without_a_project_is_told_so(site, tabs):
    page = tabs.open(site.app.url)
    sign_in(page, STRANGER)
    page.get_by_text(f"You are signed in as {STRANGER}, who is no member of a project here.").wait_for()
    nothing_serious(page)


def test_a_removed_member_is_out_at_the_next_token(site, tabs):
    site.project.lifetime_s = 6.0
    writer = Writer(site.store, "left").researched().planned()
    page = tabs.signed(site.app.article("left"), LEAVING)
    wait_for(lambda: page.locator(".link").inner_text() == "live by Realtime")
    take = writer.write("draft-section-1", token("Before. "))
    equals_fold(page, site.store, "left")
    site.project.remove(site.project.users[LEAVING], "p")
    page.get_by_text("There is no project 'p' here").wait_for(timeout=60_000)
    assert page.locator(".link").inner_text() == "not followed"
    writer.write("draft-section-1", token("After."), take=take, first=1)
    assert site.peer.channels("project:p") == 0
    assert "After." not in page.locator(".text").inner_text()
