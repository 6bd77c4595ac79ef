"""The Supabase store keeps the contract over its real client, and says what is wrong with a project."""

import base64
import json
from contextlib import closing

import pytest

from briefworks.errors import ConfigError, StoreUnavailable
from briefworks.stores.supabase import SupabaseStore
from lossy import HTTP, Lossy
from postgres_server import clocked, emptied, letting_in
from store_contract import StoreContract
from store_machine import LOST_AFTER_S
from store_rows import RUN
from store_script import SECRET_KEY, kept, open_store, play, played_by_the_killed
from supabase_lite import SupabaseLite, missing
from test_store_postgres import CutMachine, LosesAnswers, run_machine

needs_lite = pytest.mark.skipif(bool(missing()), reason=missing() or "it is here")


# --- what a project says, in the words of its gateway and of PostgREST
REFUSALS = [
    (401, {"message": "Invalid API key", "hint": "Double check your API key."}, ConfigError, "secret key"),
    (401, {"code": "PGRST301", "message": "JWSError"}, ConfigError, "secret key"),
    (401, {"code": "42501", "message": "permission denied for function"}, ConfigError, "secret key"),
    (404, {"code": "PGRST202", "message": "Could not find the function"}, ConfigError, "briefworks migrate"),
    (404, "<html>no such host</html>", ConfigError, "SUPABASE_URL"),
    (503, {"code": "PGRST002", "message": "no connection to the database"}, StoreUnavailable, ""),
    (500, {"code": "55P03", "message": "canceling statement due to lock timeout"}, StoreUnavailable, ""),
    pytest.param(429, "slow down", StoreUnavailable, "", marks=pytest.mark.slow),
    pytest.param(502, "<html>bad gateway</html>", StoreUnavailable, "", marks=pytest.mark.slow),
    pytest.param(522, "error code: 522", StoreUnavailable, "", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("status", "body", "error", "hint"), REFUSALS)
def test_what_a_project_refuses_is_said_with_the_way_out(httpserver, status, body, error, hint):
    answer = httpserver.expect_request("/rest/v1/rpc/article_read")
    if isinstance(body, dict):
        answer.respond_with_json(body, status=status)
    else:
        answer.respond_with_data(body, status=status)
    with closing(SupabaseStore(httpserver.url_for(""), SECRET_KEY)) as store:
        with pytest.raises(error) as caught:
            store.read("p")
        assert hint in caught.value.hint
        assert SECRET_KEY not in str(caught.value) + caught.value.hint


def legacy_key(role):
    claims = base64.urlsafe_b64encode(json.dumps({"iss": "supabase", "role": role}).encode()).decode()
    return f"eyJhbGciOiJIUzI1NiJ9.{claims.rstrip('=')}.signature"


@pytest.mark.parametrize("key", ["sb_publishable_" + "x" * 30, legacy_key("anon")])
def test_a_publishable_key_in_the_place_of_the_secret_one_is_refused_at_once(key):
    with pytest.raises(ConfigError) as caught:
        SupabaseStore("http://127.0.0.1:9", key)
    assert "sb_secret_" in caught.value.hint
    assert key not in str(caught.value)
    SupabaseStore("http://127.0.0.1:9", legacy_key("service_role")).close()


def test_an_answer_that_was_lost_is_asked_for_again_and_one_that_never_comes_is_said(httpserver):
    httpserver.expect_ordered_request("/rest/v1/rpc/article_heads").respond_with_data("", status=503)
    httpserver.expect_ordered_request("/rest/v1/rpc/article_heads").respond_with_json({"p": 3})
    with closing(SupabaseStore(httpserver.url_for(""), SECRET_KEY)) as store:
        assert store.heads(["p"]) == {"p": 3}
    nowhere = SupabaseStore("http://127.0.0.1:9", SECRET_KEY)
    with closing(nowhere), pytest.raises(StoreUnavailable, match="ConnectError"):
        nowhere.read("p")


# --- over the wire
@pytest.fixture(scope="module")
def database_url(postgres):
    return postgres.url(postgres.testing(supabase=True))


@pytest.fixture(scope="module")
def lite(database_url, tmp_path_factory):
    lite = SupabaseLite(tmp_path_factory.mktemp("lite") / "project", database_url, SECRET_KEY)
    yield lite
    lite.close()


@pytest.fixture
def store_factory(lite, database_url):
    yield from factory(lite.url, database_url)


@pytest.fixture
def let_in(database_url):
    return letting_in(database_url)


def factory(url, database_url):
    emptied(database_url)
    opened = []

    def open_one(lost_after_s=480, clock=None):
        store = SupabaseStore(url, SECRET_KEY, lost_after_s)
        opened.append(store)
        return clocked(store, database_url, clock) if clock else store

    yield open_one
    for store in opened:
        store.close()


@needs_lite
@pytest.mark.slow
class TestSupabase(StoreContract):
    """The contract, by the Data API."""


@needs_lite
@pytest.mark.slow
class TestSupabaseWhenEveryAnswerIsLostOnce(LosesAnswers, StoreContract):
    """The contract, when the connection is cut before the answer of every call, once."""

    @pytest.fixture
    def store_factory(self, lite, database_url):
        lossy = Lossy(lite.port, HTTP)
        lossy.every = True
        yield from factory(f"http://127.0.0.1:{lossy.port}", database_url)
        assert lossy.lost
        lossy.close()


@needs_lite
@pytest.mark.slow
def test_the_store_answers_like_the_model_whatever_is_cut(lite, database_url, patient):
    lossy = Lossy(lite.port, HTTP)

    class Machine(CutMachine):
        def open_store(self):
            url = f"http://127.0.0.1:{self.lossy.port}"
            return clocked(SupabaseStore(url, SECRET_KEY, LOST_AFTER_S), self.direct_url, self.store_clock)

    run_machine(Machine, lossy, database_url, max_examples=6, stateful_step_count=20)


@needs_lite
@pytest.mark.slow
def test_a_writer_killed_after_every_call_leaves_what_one_that_lives_would(lite, database_url, tmp_path):
    with closing(open_store(str(tmp_path / "stream.db"))) as lives:
        play(lives)
        expected = kept(lives)
    emptied(database_url)
    assert played_by_the_killed(lite.url) == expected


@needs_lite
@pytest.mark.slow
def test_a_publishable_key_reads_nothing_and_writes_nothing(lite, database_url, monkeypatch):
    emptied(database_url)
    monkeypatch.setattr("briefworks.stores.supabase.check_secret_key", lambda key: None)
    with closing(SupabaseStore(lite.url, "sb_publishable_" + "t" * 32)) as store:
        for call in (lambda: store.read("p"), lambda: store.start_run("p", "a", "r1", RUN)):
            with pytest.raises(ConfigError) as caught:
                call()
            assert "secret key" in caught.value.hint
