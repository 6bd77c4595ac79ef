"""Somebody asks for an article and watches; whatever breaks, the screen ends as the folded stream."""

from __future__ import annotations

import json

import pytest
from screen import equals_fold, figure_is_backed, fits, nothing_serious

from local import Local
from waiting import wait_for

pytestmark = pytest.mark.timeout(180)
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    local = Local(tmp_path_factory.mktemp("live"), upstream.url)
    yield local
    local.close()


@pytest.fixture
def project(request, local):
    """A project of the test's own."""
    return "".join(one if one.isalnum() else "-" for one in request.node.name)[-60:]


@pytest.fixture
def watch(local, visit, project):
    """Asks for an article and opens a tab on it; called again, another tab."""

    def open_tab(context=None, article="a1", asked=True, **more):
        if asked and not local.rows(project, article):
            assert local.ask(project, article, **more).status_code == 202
        return visit(f"{local.app.url}/projects/{project}/articles/{article}", context)

    return open_tab


def ended(page):
    return page.locator(".link").inner_text() in ("complete", "ended")


def wait_ended(page, timeout_s=90):
    wait_for(lambda: ended(page), timeout_s, "the end on screen")


def drafting(page):
    """Some sections have words, and not all are done."""
    wait_for(
        lambda: page.locator('.section[data-status="writing"] .prose p').count(), 60, "a section at work"
    )


@pytest.mark.slow
def test_an_article_is_asked_for_and_watched_to_its_end(local, visit, project):
    page = visit(local.app.url)
    page.get_by_label("Project").fill(project)
    page.get_by_role("button", name="Open").click()
    page.get_by_label("Keyword").fill("standing desks")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Words").fill("600")
    page.get_by_role("button", name="Write it").click()
    page.wait_for_url("**/articles/*")
    article = page.url.rpartition("/")[2]
    wait_ended(page)
    state = equals_fold(page, local.store, article, project)
    assert state["status"] == "done" and len(state["sections"]) > 1
    figure_is_backed(page)
    nothing_serious(page)
    page.reload()  # also for whoever comes back
    figure_is_backed(page)
    page.goto(f"{local.app.url}/projects/{project}")
    page.get_by_role("link", name=state["polished"]["title"]).wait_for()
    assert "finished" in page.locator(".articles li").inner_text()


@slow
def test_words_appear_while_they_are_written(watch, local, upstream, project):
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=60)
    page = watch()
    drafting(page)
    lengths = set()

    def grown():
        lengths.add(len(page.locator(".text").inner_text()))
        return len(lengths) >= 8

    wait_for(lambda: page.locator('.section[data-status="writing"]').count() > 1, what="all at once")
    wait_for(grown, what="the text to grow")
    equals_fold(page, local.store, "a1", project)
    wait_ended(page)
    equals_fold(page, local.store, "a1", project)


@slow
def test_a_tab_closed_in_the_draft_and_opened_again_shows_all(watch, local, upstream, project):
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=60)
    page = watch()
    drafting(page)
    page.close()
    again = watch()
    equals_fold(again, local.store, "a1", project)
    wait_ended(again)
    equals_fold(again, local.store, "a1", project)
    late = watch()
    wait_ended(late)
    equals_fold(late, local.store, "a1", project)


@slow
def test_two_tabs_show_the_same(watch, local, upstream, project):
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=120)
    one = watch()
    two = watch(one.context)
    drafting(two)
    for page in (one, two):
        equals_fold(page, local.store, "a1", project)
    for page in (one, two):
        wait_ended(page)
        equals_fold(page, local.store, "a1", project)


@slow
@pytest.mark.parametrize("seconds", [3, 30])
def test_the_network_goes_and_comes_back(watch, local, upstream, project, seconds):
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=60)
    page = watch()
    drafting(page)
    page.context.set_offline(True)
    page.wait_for_timeout(seconds * 1000)  # that is what is tested: time without a network
    page.context.set_offline(False)
    wait_ended(page)
    equals_fold(page, local.store, "a1", project)


@slow
def test_the_app_is_killed_and_started_again(watch, local, upstream, project):
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=60)
    page = watch()
    drafting(page)
    local.app.kill()
    wait_for(lambda: page.locator(".link").inner_text() == "reconnecting")
    words = page.locator(".text").inner_text()
    assert words  # what was read stays
    nothing_serious(page)
    local.app.start()
    wait_ended(page)
    assert equals_fold(page, local.store, "a1", project)["status"] == "done"


@slow
def test_a_retry_in_mid_section_takes_back_what_it_wrote(watch, local, upstream, project):
    upstream.fault("cut", match='<section n="2"', times=1, after_tokens=60)
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=60)
    page = watch()
    page.get_by_text("Begun anew (take 2)").first.wait_for(timeout=60_000)
    equals_fold(page, local.store, "a1", project)
    wait_ended(page)
    assert equals_fold(page, local.store, "a1", project)["status"] == "done"
    assert page.get_by_text("Begun anew").count() == 0


@slow
def test_cancelled_with_the_keyboard_alone(visit, local, upstream, project):
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=4)
    page = visit(f"{local.app.url}/projects/{project}")
    page.get_by_label("Keyword").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "keyword"
    page.keyboard.type("standing desks")
    page.keyboard.press("Enter")
    page.wait_for_url("**/articles/*")
    article = page.url.rpartition("/")[2]
    drafting(page)
    for _ in range(30):
        page.keyboard.press("Tab")
        outlined = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outlined != "none"  # the focus is always seen
        if page.evaluate("document.activeElement.textContent") == "Cancel …":
            break
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    nothing_serious(page)
    assert page.evaluate("document.activeElement.textContent") == "Go on writing"  # the harmless one
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Cancel …"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("This run was cancelled.").wait_for()
    assert equals_fold(page, local.store, article, project)["status"] == "cancelled"


@slow
def test_six_thousand_words_are_followed_without_a_halt(watch, local, project):
    page = watch(asked=False)
    page.evaluate(
        "window.halts = []; new PerformanceObserver((list) => {"
        " halts.push(...list.getEntries().map((one) => one.duration)); }).observe({type: 'longtask'})"
    )
    assert local.ask(project, targetWords=6000).status_code == 202
    wait_ended(page, 150)
    state = equals_fold(page, local.store, "a1", project)
    assert state["polished"]["words"] > 4500
    halts = sorted(page.evaluate("halts"))  # ms that the page did not answer
    assert len(halts) < 4 or halts[-4] < 500, halts  # three may be pauses of the machine
    fits(page)
    nothing_serious(page)


@slow
def test_the_reader_is_left_where_they_are(watch, local, upstream, project):
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=20)
    page = watch()
    drafting(page)
    heading = page.locator("#section-3 h2")
    heading.evaluate("(one) => scrollBy(0, one.getBoundingClientRect().top - 76)")
    assert page.evaluate("scrollY") > 100
    before = heading.bounding_box()["y"]
    words = len(page.locator("#section-1").inner_text())
    wait_for(lambda: len(page.locator("#section-1").inner_text()) > words + 200, what="text above to grow")
    assert abs(heading.bounding_box()["y"] - before) < 40


@slow
def test_a_dark_phone_follows_a_run(visit, local, upstream, project):
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=120)
    assert local.ask(project).status_code == 202
    url = f"{local.app.url}/projects/{project}/articles/a1"
    page = visit(url, color_scheme="dark", has_touch=True, is_mobile=True)
    page.set_viewport_size({"width": 390, "height": 844})
    drafting(page)
    fits(page)
    nothing_serious(page)
    red, green, blue = json.loads(
        page.evaluate("getComputedStyle(document.body).backgroundColor")
        .replace("rgb(", "[")
        .replace(")", "]")
    )
    assert max(red, green, blue) < 60
    wait_ended(page)
    equals_fold(page, local.store, "a1", project)
    fits(page)
