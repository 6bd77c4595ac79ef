"""What the page is told of Supabase and its policy allows: nothing without the settings, no secret ever."""

import base64
import hashlib
import html
import json
import re
from pathlib import Path

import flask
import pytest

from briefworks.errors import ConfigError
from briefworks.settings import Settings
from briefworks.web.page import page_routes
from briefworks.web.supabase_js import INTEGRITY, SCRIPT, VERSION, supabase_js

URL, KEY = "https://abcdefgh.supabase.co", "sb_publishable_" + "x" * 20
NPM = Path(__file__).parent / "lite"


def legacy(role):
    claims = base64.urlsafe_b64encode(json.dumps({"role": role}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{claims}.sig"


def asked(**settings):
    return supabase_js(Settings.load(_env_file=None, **{"store": "supabase", **settings}))


def page_of(**settings):
    app = flask.Flask("page", static_folder=None)
    app.register_blueprint(page_routes(home=False, supabase=asked(**settings)))
    return app.test_client().get("/projects/acme")


def test_with_both_settings_the_page_is_told_and_its_policy_allows_exactly_that():
    page = page_of(supabase_url=URL + "/", supabase_publishable_key=KEY)
    told = re.search(r'<meta name="briefworks-supabase" content="([^"]*)" />', page.text)
    assert json.loads(html.unescape(told[1])) == {
        "url": URL,
        "key": KEY,
        "script": SCRIPT,
        "integrity": INTEGRITY,
    }
    assert page.headers["Content-Security-Policy"] == (
        f"default-src 'none'; script-src 'self' {SCRIPT}; style-src 'self'; img-src 'self' data:;"
        f" connect-src 'self' {URL} wss://abcdefgh.supabase.co;"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


BOTH = {"supabase_url": URL, "supabase_publishable_key": KEY}


@pytest.mark.parametrize(
    "some",
    [{}, {"supabase_url": URL}, {"supabase_publishable_key": KEY}, {**BOTH, "store": ""}],
    ids=["none", "no key", "no address", "a store without members"],
)
def test_without_all_of_it_nothing_is_in_the_page_or_the_policy(some):
    page = page_of(**some)
    assert "supabase" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy and "connect-src 'self';" in policy


@pytest.mark.parametrize("store", ["supabase", "postgresql://db.example.org/x"])
def test_the_key_may_be_a_new_or_an_old_one(store):
    assert asked(**BOTH, store=store).key == KEY
    assert asked(supabase_url=URL, supabase_publishable_key=legacy("anon"), store=store)


@pytest.mark.parametrize(
    "key", ["sb_secret_" + "x" * 20, legacy("service_role"), "x", "a.b.c", "a.W10.c", "sb_publish"]
)
def test_a_key_that_is_not_for_everybody_is_refused_and_not_repeated(key):
    with pytest.raises(ConfigError, match="SUPABASE_PUBLISHABLE_KEY") as told:
        asked(supabase_url=URL, supabase_publishable_key=key)
    assert key not in str(told.value).split() and "sb_publishable_" in told.value.hint


@pytest.mark.parametrize(
    "url", ["abcdefgh.supabase.co", "ftp://x.example", "https://", "https://a b", "https://x;script-src *"]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ConfigError, match="SUPABASE_URL"):
        asked(supabase_url=url, supabase_publishable_key=KEY)


def test_the_version_is_the_one_that_the_tests_get_from_npm():
    asked_for = json.loads((NPM / "package.json").read_text())["dependencies"]["@supabase/supabase-js"]
    locked = json.loads((NPM / "package-lock.json").read_text())["packages"]
    assert asked_for == VERSION == locked["node_modules/@supabase/supabase-js"]["version"]
    assert f"@{VERSION}/" in SCRIPT


def test_the_checksum_is_that_of_npms_file():
    file = NPM / "node_modules/@supabase/supabase-js/dist/umd/supabase.js"
    if not file.is_file():
        pytest.skip(f"supabase-js is missing: npm ci --prefix {NPM}")
    digest = hashlib.sha384(file.read_bytes()).digest()
    assert f"sha384-{base64.b64encode(digest).decode()}" == INTEGRITY
