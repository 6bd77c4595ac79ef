"""The PostgreSQL store keeps the contract, on a real postgres, whatever is lost on the way to it."""

import os
import re
import socket
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from briefworks.errors import BriefworksError, ConfigError, StaleTake, StoreUnavailable
from briefworks.stores import heads
from briefworks.stores.postgres import PostgresStore
from briefworks.stream import StepWriter, rows_of
from in_time import in_time
from lossy import POSTGRES, Lossy
from postgres_server import PostgresServer, clocked, emptied, letting_in
from store_contract import StoreContract, begun, outcome
from store_machine import LOST_AFTER_S, StoreMachine
from store_rows import FAILED, RUN, section_done, token
from store_script import kept, open_store, play, played_by_the_killed
from waiting import wait_for

WRITER = Path(__file__).with_name("store_writer.py")


@pytest.fixture(scope="module", params=["plain", pytest.param("supabase", marks=pytest.mark.slow)])
def database(request, postgres):
    """A migrated database, plain (told by NOTIFY) or like Supabase's (told by broadcast)."""
    return postgres.testing(supabase=request.param == "supabase")


@pytest.fixture(scope="module")
def plain_database(postgres):
    return postgres.testing(supabase=False)


@pytest.fixture
def url(postgres, database):
    emptied(postgres.url(database))
    return postgres.url(database)


@pytest.fixture
def plain_url(postgres, plain_database):
    emptied(postgres.url(plain_database))
    return postgres.url(plain_database)


@pytest.fixture
def store_factory(url):
    yield from factory(url)


@pytest.fixture
def let_in(url):
    return letting_in(url)


def factory(url, direct_url=None):
    opened = []

    def open_one(lost_after_s=480, clock=None):
        store = PostgresStore(url, lost_after_s)
        opened.append(store)
        return clocked(store, direct_url or url, clock) if clock else store

    yield open_one
    for store in opened:
        store.close()


class TestPostgres(StoreContract):
    """The contract, on a plain database and on one like Supabase's."""


class LosesAnswers:
    """The one promise that reads otherwise when answers are lost."""

    def test_of_two_runs_and_two_claims_at_once_one_wins(self, store_factory):
        handles = [store_factory() for _ in range(8)]
        with ThreadPoolExecutor() as pool:
            won = list(pool.map(lambda n: handles[n].start_run("p", "a", f"r{n}", RUN), range(8)))
            assert sum(won) == 1
            run = f"r{won.index(True)}"

            def claims(n):  # who asks again after a newer claim is stale
                return outcome(handles[n].open_take, "p", "a", run, "brief", f"c{n}")

            found = list(pool.map(claims, range(8)))
        takes = sorted(take["take"] for take in found if take is not StaleTake)
        assert takes[-1] == 8
        assert len(set(takes)) == len(takes)


@pytest.mark.slow
class TestPostgresWhenEveryAnswerIsLostOnce(LosesAnswers, StoreContract):
    """The contract, when the connection is cut before the answer of every call, once."""

    @pytest.fixture
    def store_factory(self, postgres, plain_url):
        lossy = Lossy(postgres.port, POSTGRES)
        lossy.every = True
        yield from factory(plain_url.replace(str(postgres.port), str(lossy.port)), plain_url)
        assert lossy.lost
        lossy.close()

    @pytest.fixture
    def let_in(self, plain_url):
        return letting_in(plain_url)


# --- the state machine, with cuts and crashes at any call
class Crash(BaseException):
    """The process is gone: nothing more of it runs."""


class CutMachine(StoreMachine):
    """
    Some calls lose their request or their answer on the way, which the caller must not notice; at others the
    process dies before the request or after it, and another one repeats the call.
    """

    direct_url = ""
    lossy = None

    def __init__(self):
        emptied(self.direct_url)
        super().__init__()

    def open_store(self):
        url = re.sub(r":\d+/", f":{self.lossy.port}/", self.direct_url)
        return clocked(PostgresStore(url, LOST_AFTER_S), self.direct_url, self.store_clock)

    def attempt(self, data, method, *args):
        fate = data.draw(st.sampled_from(["", "", "request", "answer", "dies before", "dies after"]))
        if not fate.startswith("dies"):
            self.lossy.fault = fate
            return super().attempt(data, method, *args)
        before = self.seen_in_model()
        self.let_it_die(fate == "dies after")
        try:
            found = self.in_store(method, *args)
        except Crash:
            self.store.close()
            self.store = self.open_store()
            answer = self.in_model(method, *args)
            after = self.seen_in_model()
            assert self.seen_in_store() == (after if fate == "dies after" else before)
            if fate == "dies after":  # what the second of two such calls is told
                answer = self.in_model(method, *args)
            found = self.in_store(method, *args)
            assert found == answer
            return found
        self.store = self.open_store()  # a call that asks nothing of the database
        assert found == self.in_model(method, *args)
        return found

    def let_it_die(self, after):
        ask = self.store.ask

        def die(function, arguments):
            if after:
                with suppress(BriefworksError):
                    ask(function, arguments)
            raise Crash

        self.store.ask = die


def run_machine(machine, lossy, database_url, **options):
    machine.lossy, machine.direct_url = lossy, database_url
    case = machine.TestCase
    case.settings = settings(**options)
    case("runTest").runTest()
    assert lossy.lost
    lossy.close()


def test_the_store_answers_like_the_model_whatever_is_cut(postgres, plain_url, patient):
    run_machine(CutMachine, Lossy(postgres.port, POSTGRES), plain_url, max_examples=4, stateful_step_count=12)


@pytest.mark.slow
def test_the_store_answers_like_the_model_whatever_is_cut_for_long(postgres, plain_url, patient):
    run_machine(
        CutMachine, Lossy(postgres.port, POSTGRES), plain_url, max_examples=25, stateful_step_count=40
    )


def test_whose_answer_was_lost_is_told_that_the_ending_was_his(postgres, plain_url, patient):
    lossy = Lossy(postgres.port, POSTGRES)
    mine = PostgresStore(plain_url.replace(str(postgres.port), str(lossy.port)))
    with closing(mine), closing(PostgresStore(plain_url)) as other:
        mine.start_run("p", "a", "r1", RUN)
        mine.start_run("p", "b", "r2", RUN)
        lossy.fault = "answer"
        assert mine.end_run("p", "r1", "run-failed", FAILED)
        assert not other.end_run("p", "r1", "run-failed", FAILED)
        lossy.fault = "answer"
        assert mine.decide("p", "b", "cancel", {"by": "user"})
        assert not other.decide("p", "b", "cancel", {"by": "user"})
        assert lossy.lost == 2
        assert mine.read("p")["head"] == 4
    lossy.close()


# --- processes
@pytest.mark.slow
def test_a_writer_killed_after_every_call_leaves_what_one_that_lives_would(plain_url, tmp_path):
    with closing(open_store(str(tmp_path / "stream.db"))) as lives:
        play(lives)
        expected = kept(lives)
    assert played_by_the_killed(plain_url) == expected
    assert played_by_the_killed(str(tmp_path / "killed.db")) == expected


@pytest.mark.slow
def test_writers_in_three_processes_leave_no_hole_no_disorder_no_repeat(plain_url):
    with closing(PostgresStore(plain_url)) as store:
        store.start_run("p", "a", "r1", RUN)
        steps = [f"draft-section-{n}" for n in range(3)]
        children = [
            subprocess.Popen([sys.executable, str(WRITER), plain_url, step, "40"], stdout=subprocess.DEVNULL)
            for step in steps
        ]
        seen = []
        while len(seen) < 1 + 3 * 40:
            assert store.wait("p", len(seen), 30) > len(seen)
            seen += store.read("p", len(seen), limit=50)["rows"]
        assert [child.wait() for child in children] == [0, 0, 0]
        assert [row["seq"] for row in seen] == list(range(1, 122))
        for step in steps:
            texts = [row["data"]["text"] for row in seen if row["step"] == step]
            assert texts == [f"{step} {i}" for i in range(40)]


# --- waiting
OURS = "from pg_stat_activity where application_name = 'briefworks'"


def one_listens(db):
    """Wait until exactly one connection of a store listens."""
    listen = f"select count(*) {OURS} and query like 'listen%%'"
    wait_for(lambda: db.execute(listen).fetchone() == (1,), what="one who listens")


def test_one_connection_listens_for_all_who_wait(postgres, plain_url, monkeypatch):
    with closing(PostgresStore(plain_url)) as store, ThreadPoolExecutor(12) as pool:
        store.start_run("p", "a", "r1", RUN)
        with monkeypatch.context() as patched:
            patched.setattr(heads, "LOOK_S", 60)  # told, not found by looking
            waiting = [pool.submit(store.wait, "p", 1, 30) for _ in range(12)]
            wait_for(lambda: store._heads._waiting["p"] == 12)
            with psycopg.connect(plain_url) as db:
                one_listens(db)
        with closing(PostgresStore(plain_url)) as other:
            other.start_run("p", "b", "r2", RUN)
            assert {one.result(20) for one in waiting} == {2}


def test_who_waits_does_not_notice_that_the_connections_were_cut(plain_url):
    with closing(PostgresStore(plain_url)) as store, ThreadPoolExecutor() as pool:
        store.start_run("p", "a", "r1", RUN)
        waiting = pool.submit(store.wait, "p", 1, 30)
        with psycopg.connect(plain_url, autocommit=True) as db:
            one_listens(db)
            db.execute(f"select pg_terminate_backend(pid) {OURS}")
            store.start_run("p", "b", "r2", RUN)
        assert waiting.result() == 2


@pytest.mark.slow
def test_a_database_that_is_read_only_for_a_while_is_away_and_then_there(plain_url):
    name = psycopg.conninfo.conninfo_to_dict(plain_url)["dbname"]
    with (
        closing(PostgresStore(plain_url)) as store,
        psycopg.connect(plain_url, autocommit=True) as db,
    ):
        db.execute(f"alter database {name} set default_transaction_read_only = on")
        try:
            with pytest.raises(StoreUnavailable, match="read-only"):
                store.start_run("p", "a", "r1", RUN)
        finally:
            db.execute(f"alter database {name} reset default_transaction_read_only")
        assert store.start_run("p", "a", "r1", RUN)


def test_who_listens_is_not_put_off_by_what_others_notify(plain_url):
    with closing(PostgresStore(plain_url)) as store, ThreadPoolExecutor() as pool:
        store.start_run("p", "a", "r1", RUN)
        waiting = pool.submit(store.wait, "p", 1, 60)
        with psycopg.connect(plain_url, autocommit=True) as db:
            one_listens(db)
            for odd in ("", "p", "p x", "p 2 3", "p ²"):
                db.execute("select pg_notify('article_rows', %s)", [odd])
        with closing(PostgresStore(plain_url)) as other:
            other.start_run("p", "b", "r2", RUN)
        assert waiting.result(timeout=20) == 2


def test_a_closed_store_is_unavailable_also_to_those_who_wait(plain_url):
    store = PostgresStore(plain_url)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(store.wait, "p", 0, 30)
        wait_for(lambda: store._heads._waiting)
        store.close()
        with pytest.raises(StoreUnavailable):
            waiting.result(timeout=30)
    with pytest.raises(StoreUnavailable):
        store.read("p")


# --- what a database says
def test_a_writer_that_hangs_makes_the_others_wait_two_seconds_and_then_say_so(plain_url):
    with closing(PostgresStore(plain_url)) as store, psycopg.connect(plain_url) as hanging:
        take = begun(store)
        other = begun_in_another_project(store)
        hanging.execute("select * from article_projects where project_id = 'p' for update")
        with in_time(), pytest.raises(StoreUnavailable):
            store.append("p", "a", "draft-section-1", take, 0, [token("x")])
        assert store.append("q", "a", "draft-section-1", other, 0, [token("x")]) == 2
        hanging.rollback()
        assert store.append("p", "a", "draft-section-1", take, 0, [token("x")]) == 2


def begun_in_another_project(store):
    store.start_run("q", "a", "r1", RUN)
    return store.open_take("q", "a", "r1", "draft-section-1", "c1")["take"]


def test_a_database_without_our_tables_says_what_to_run(postgres):
    with closing(PostgresStore(postgres.url(postgres.database()))) as store:
        with pytest.raises(ConfigError) as caught:
            store.read("p")
        assert "briefworks migrate" in caught.value.hint


def test_a_database_that_is_away_is_said_without_its_password():
    with closing(PostgresStore("postgresql://me:sesame@127.0.0.1:9/none")) as store:
        with pytest.raises(StoreUnavailable) as caught:
            store.read("p")
        assert "refused" in str(caught.value)
        assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("password", ["ses@ame", "ses%ame", "ses ame", "ses/ame"])
def test_an_address_that_is_none_is_said_without_its_password(password):
    with pytest.raises(ConfigError) as caught:
        PostgresStore(f"postgresql://me:{password}@127.0.0.1:9/none")
    assert "not one" in str(caught.value) and "%40" in caught.value.hint
    assert "ses" not in "".join(traceback.format_exception(caught.value)).replace(__file__, "")


def test_what_no_second_attempt_mends_is_not_called_away(postgres, plain_url):
    for wrong in (plain_url.replace("postgres@", "nobody@"), postgres.url("none")):
        store = PostgresStore(wrong)
        with closing(store), pytest.raises(ConfigError, match="does not exist"):
            store.read("p")


def test_text_is_utf_8_whatever_the_environment_says(plain_url):
    with closing(PostgresStore(f"{plain_url}?client_encoding=latin1")) as store:
        take = begun(store)
        store.append("p", "a", "draft-section-1", take, 0, [token("書 😀")])
        assert store.read("p")["rows"][-1]["data"] == {"text": "書 😀"}


def test_a_connection_that_says_nothing_is_kept_alive(plain_url):
    with closing(PostgresStore(plain_url)) as store:
        store.read("p")
        (db,) = store._idle
        with socket.socket(fileno=os.dup(db.fileno())) as wire:
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30


def test_what_a_pooler_hands_on_to_the_wrong_connection_is_not_kept(plain_url):
    with closing(PostgresStore(plain_url)) as store:
        store.start_run("p", "a", "r1", RUN)
        (db,) = store._idle
        db.execute("listen article_rows")
        store.start_run("p", "b", "r2", RUN)
        with pytest.warns(RuntimeWarning, match="handlers"):
            assert list(db.notifies(timeout=0)) == []


def test_a_user_without_rights_is_told_whom_to_ask(postgres, plain_url):
    postgres.admin("drop role if exists guest; create role guest login")
    with closing(PostgresStore(plain_url.replace("postgres@", "guest@"))) as store:
        with pytest.raises(ConfigError) as caught:
            store.start_run("p", "a", "r1", RUN)
        assert "briefworks migrate" in caught.value.hint


def test_reading_an_article_uses_its_index(plain_url):
    with closing(PostgresStore(plain_url)) as store, psycopg.connect(plain_url) as db:
        begun(store)
        db.execute(
            "insert into article_streams"
            " select 'p', n, 'a' || n % 100, 'r', 's', 1, 'draft-token', '{}', now()"
            " from generate_series(2, 5000) n"
        )
        db.execute("analyze article_streams")
        body = "select prosrc from pg_proc where proname = 'article_read'"
        (query,) = db.execute(body).fetchone()
        for name, value in (("p_project", "'p'"), ("p_after", "0"), ("p_article", "'a7'"), ("p_limit", "10")):
            query = query.replace(name, value)
        plan = "\n".join(line for (line,) in db.execute(f"explain {query}"))
        assert "article_streams_by_article" in plan
        db.rollback()


# --- a store that goes away under a writer
@pytest.mark.slow
def test_a_server_that_is_killed_and_comes_back_costs_no_word_and_no_time_of_the_model(tmp_path):
    server = PostgresServer()
    url = server.url(server.migrated(supabase=False))
    try:
        with closing(PostgresStore(url)) as store:
            take = begun(store)
            words = [f"word{n} " for n in range(400)]
            with StepWriter(store, "p", "a", "draft-section-1", take, "draft", flush_ms=20) as out:
                took = []
                for n, word in enumerate(words):
                    if n == 100:
                        server.stop()
                    if n == 300:
                        server.start()
                    begin = time.perf_counter()
                    out.token(word)
                    took.append(time.perf_counter() - begin)
                    time.sleep(0.002)
                wait_for(lambda: read_text(store) == "".join(words))
                assert sorted(took)[-40] < 0.1  # the server is away for 200 of them
                out.done(*section_done())
            assert [row["event"] for row in rows_of(store, "p", "a")] == ["run-started", "section-done"]
    finally:
        server.close()


def read_text(store):
    try:
        return "".join(row["data"].get("text", "") for row in rows_of(store, "p", "a"))
    except StoreUnavailable:
        return ""
