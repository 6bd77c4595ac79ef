"""The page of an app that has Supabase: people sign in by e-mail, and rows come by Realtime."""

import json
import re
from contextlib import contextmanager

import psycopg
import pytest
from screen import equals_fold, fits, nothing_serious
from signed import Site, Tabs, sign_in
from written import Writer

from briefworks.web.tokens import LEEWAY_S
from store_rows import FAILED, token
from waiting import wait_for

pytestmark = pytest.mark.timeout(180)
slow = pytest.mark.slow
MEMBER = "ada@example.org"
REALTIME, EVENTS = "live by Realtime", "live by server events"


@pytest.fixture(scope="module")
def site(tmp_path_factory, postgres):
    site = Site(tmp_path_factory.mktemp("supabase"), postgres)
    site.project.add_user(MEMBER, "p")
    yield site
    site.close()


class Typing:
    """A section that is being written."""

    def __init__(self, store, article):
        self.writer = Writer(store, article).researched().planned()
        self.take, self.count = self.writer.open("draft-section-1"), 0

    def type(self, text="Zwölf 書 😀 "):
        one = token(f"{self.count} {text}")
        self.writer.write("draft-section-1", one, take=self.take, first=self.count)
        self.count += 1

    def end(self):
        self.writer.end("run-failed", FAILED)


def way(page, word):
    wait_for(lambda: page.locator(".link").text_content() == word, what=f"the page to be {word}")


def reason(page):
    return page.locator(".link").get_attribute("title")


def asked_of(page):
    """The addresses that it asks for from now on, sockets included."""
    found = []
    page.on("request", lambda request: found.append(request.url))
    page.on("websocket", lambda socket: found.append(socket.url))
    return found


@pytest.mark.slow
def test_rows_come_by_realtime_word_for_word(site, tabs):
    typing = Typing(site.store, "live")
    page = tabs.signed(site.app.article("live"), MEMBER)
    way(page, REALTIME)
    begun = site.store.read("p")["head"]
    asked = asked_of(page)
    for _ in range(20):
        typing.type()
    equals_fold(page, site.store, "live")
    read = [int(found[1]) for url in asked if (found := re.search(r"/stream\?after=(\d+)", url))]
    assert all(after <= begun for after in read)  # the channel brought all that came later
    typing.writer.drafted().polished()
    way(page, "complete")
    equals_fold(page, site.store, "live")


@slow
def test_a_lost_last_message_is_healed_within_fifteen_seconds(site, tabs):
    typing = Typing(site.store, "lost")
    page = tabs.signed(site.app.article("lost"), MEMBER)
    way(page, REALTIME)
    typing.type()
    equals_fold(page, site.store, "lost")
    site.peer.drop = 1
    typing.type("the last word")
    wait_for(lambda: "the last word" in page.locator(".text").inner_text(), 15)
    equals_fold(page, site.store, "lost")
    assert page.locator(".link").inner_text() == REALTIME


@slow
def test_a_token_that_is_renewed_in_time_keeps_the_channel_without_a_gap(site, tabs):
    site.project.lifetime_s = 40.0  # supabase-js looks every 25 s
    typing = Typing(site.store, "renewed")
    page = tabs.signed(site.app.article("renewed"), MEMBER)
    way(page, REALTIME)
    channel = [one for socket in site.peer.sockets for one in socket.channels.values()]
    first_ends_at = channel[0].expires_at
    wait_for(lambda: channel[0].expires_at > first_ends_at, 35, "a new token on the channel")
    page.wait_for_timeout(max(0, first_ends_at - page.evaluate("Date.now() / 1000") + 1) * 1000)
    for _ in range(5):
        typing.type()
    equals_fold(page, site.store, "renewed")
    assert [one for socket in site.peer.sockets for one in socket.channels.values()] == channel
    assert page.locator(".link").inner_text() == REALTIME


@slow
def test_a_token_that_ends_costs_a_new_channel_and_no_word(site, tabs):
    site.project.lifetime_s = 5.0
    typing = Typing(site.store, "ended")
    page = tabs.signed(site.app.article("ended"), MEMBER)
    way(page, REALTIME)

    def joined():
        return [one for socket in list(site.peer.sockets) for one in list(socket.channels.values())]

    first = wait_for(joined)[0]  # one may just be over

    def other():
        typing.type()
        return any(one is not first for one in joined())

    wait_for(other, what="a new channel")
    typing.type()
    equals_fold(page, site.store, "ended")
    way(page, REALTIME)


@contextmanager
def nobody_may_listen(site):
    """Realtime refuses every join: its policy says no."""
    policy = "alter policy article_members_listen on realtime.messages using ({})"
    with psycopg.connect(site.project.database_url, autocommit=True) as db:
        (was,) = db.execute(
            "select qual from pg_policies where policyname = 'article_members_listen'"
        ).fetchone()
        db.execute(policy.format("false"))
        try:
            yield
        finally:
            db.execute(policy.format(was))


@slow
def test_a_refused_join_is_followed_by_server_events(site, tabs):
    typing = Typing(site.store, "refused")
    with nobody_may_listen(site):
        page = tabs.signed(site.app.article("refused"), MEMBER)
        way(page, EVENTS)
        assert "You do not have permissions to read from this Channel topic" in reason(page)
        typing.type()
        equals_fold(page, site.store, "refused")


@slow
def test_server_events_that_end_with_a_token_go_on_with_the_next_one(site, tabs):
    site.project.lifetime_s = 5.0
    typing = Typing(site.store, "events-ended")
    with nobody_may_listen(site):
        page = tabs.signed(site.app.article("events-ended"), MEMBER)
        way(page, EVENTS)
        first = json.loads(page.evaluate("localStorage.getItem('briefworks-supabase')"))["access_token"]
        asked = []
        page.on("request", lambda request: asked.append(request.headers))

        def tokens():
            """With which events were asked for again."""
            way(page, EVENTS)
            events = [headers for headers in asked if "event-stream" in headers.get("accept", "")]
            return {headers["authorization"] for headers in events} - {f"Bearer {first}"}

        wait_for(tokens, 5 + LEEWAY_S + 15, "events by another token, before the channel is tried again")
        typing.type()
        equals_fold(page, site.store, "events-ended")


@slow
def test_a_socket_that_nobody_answers_is_followed_by_server_events(site, tabs):
    typing = Typing(site.store, "away")
    site.peer.realtime_down = True
    try:
        page = tabs.signed(site.app.article("away"), MEMBER)
        way(page, "live by polling")
        typing.type()
        equals_fold(page, site.store, "away")
        way(page, EVENTS)
        assert "it was not joined in time" in reason(page)
    finally:
        site.peer.realtime_down = False
    typing.type()
    equals_fold(page, site.store, "away")


@slow
def test_without_the_cdn_it_follows_by_server_events_and_says_so(site, tabs):
    typing = Typing(site.store, "no-cdn")
    page = tabs.signed(site.app.article("no-cdn"), MEMBER)
    way(page, REALTIME)
    tabs.script = None
    page.reload()
    way(page, EVENTS)
    assert "supabase-js could not be loaded from cdn.jsdelivr.net" in reason(page)
    typing.type()
    equals_fold(page, site.store, "no-cdn")
    nothing_serious(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()
    assert page.evaluate("localStorage.getItem('briefworks-supabase')") is None


@slow
def test_a_script_that_differs_in_one_byte_does_not_run(site, tabs):
    tabs.script = tabs.script + b" "
    context = tabs.context()
    page = context.new_page()  # its console says why, which is no fault here
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(site.app.url)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("E-mail").fill(MEMBER)
    page.get_by_label("Password").fill("x")
    page.locator("#sign-in-email button").click()
    page.get_by_text("supabase-js could not be loaded from cdn.jsdelivr.net").wait_for()
    assert page.evaluate("typeof globalThis.supabase") == "undefined"
    assert any("integrity" in text for text in said)


@slow
def test_what_is_wrong_with_signing_in_is_said(site, tabs):
    page = tabs.open(site.app.url)
    page.get_by_role("button", name="Sign in").click()
    nothing_serious(page)
    page.get_by_label("E-mail").fill(MEMBER)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("The e-mail address or the password is wrong.").wait_for()
    nothing_serious(page)
    site.peer.http_down = True
    try:
        page.locator("#sign-in-email button").click()
        page.get_by_text("Supabase does not answer.").wait_for()
    finally:
        site.peer.http_down = False


@slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "dark"), (360, "light")])
def test_signing_in_and_the_way_that_is_shown_fit_everywhere(site, tabs, width, scheme):
    typing = Typing(site.store, f"fits-{width}")
    context = tabs.context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = tabs.open(site.app.url, context)
    page.get_by_role("button", name="Sign in").click()
    nothing_serious(page)
    fits(page)
    page.goto(site.app.url)
    sign_in(page, MEMBER)
    page.goto(site.app.article(f"fits-{width}"))
    for word in (REALTIME, EVENTS):
        way(page, word)
        nothing_serious(page)
        fits(page)
        site.peer.realtime_down = True
        site.peer.cut()
    site.peer.realtime_down = False
    typing.end()


@pytest.mark.slow
def test_signed_out_nothing_is_kept_and_no_token_was_in_an_address(site, tabs, caplog):
    Typing(site.store, "out").end()
    context = tabs.context()
    page = tabs.open(site.app.url, context)
    asked = asked_of(page)
    sign_in(page, MEMBER)
    page.goto(site.app.article("out"))
    way(page, "ended")
    kept = json.loads(page.evaluate("localStorage.getItem('briefworks-supabase')"))
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()
    assert page.evaluate("Object.values(localStorage).join()").find(kept["access_token"]) == -1
    secrets = (kept["access_token"], kept["refresh_token"])
    assert len(asked) > 20 and not [url for url in asked if any(one in url for one in secrets)]
    assert "POST /auth/v1/logout" in site.peer.asked
    assert not [one for one in secrets if one in caplog.text]


@slow
def test_the_page_of_the_runs_asks_as_the_member_who_signed_in(tmp_path, postgres, browser, visit):
    site = Site(tmp_path, postgres, api_keys=f"p:{'0' * 64}")  # so nobody is seen to by being on this machine
    site.project.add_user(MEMBER, "p")
    Writer(site.store, "run").researched()
    tabs = Tabs(browser, visit, site.peer)
    try:
        page = tabs.signed(f"{site.app.article('run')}/run", MEMBER)
        page.locator("#status").get_by_text("The engine does not answer").wait_for()
    finally:
        tabs.close()
        site.close()
