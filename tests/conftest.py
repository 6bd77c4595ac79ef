"""Fixtures that several test files share."""

import signal
import sys
import threading
from contextlib import closing

import anthropic
import httpx
import psycopg
import pytest
import structlog
from hypothesis import HealthCheck, settings
from pytest_httpserver import HTTPServer

from briefworks.stores import functions
from briefworks.stores.sqlite import SqliteStore
from in_time import HELD_S
from postgres_server import PostgresServer, emptied
from realtime_peer import RealtimePeer
from upstream import Upstream
from waiting import wait_for

pytest.register_assert_rewrite("store_contract", "store_machine")
# As the processes do: a thread's log line is nothing that a command has said which a test runs meanwhile.
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))
# How long an example takes says how busy the machine is. The examples are the same ones on every run;
# `--hypothesis-profile=searching` tries others.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.register_profile("searching", settings.get_profile("steady"), derandomize=False)
settings.load_profile("steady")
# A shell starts what it runs in the background deaf to Ctrl-C, and so would be every process of the tests.
signal.signal(signal.SIGINT, signal.default_int_handler)


THREADS = ("heads ", "stream ", "realtime ", "asyncio", "watch model call", "executor-", "link ", "event")
PROCESSES = {"local", "stack", "served", "browser", "lab"}  # of tests that wait for them


def pytest_collection_modifyitems(items):
    """
    A slow proof may take longer than the time limit of the others.

    Files that wait for processes come first, with the type checker: at the end a core would be idle.
    """
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(600))
    waiting = {item.path for item in items if PROCESSES & set(item.fixturenames)}
    items.sort(key=lambda item: item.path not in waiting and item.path.name != "test_repo.py")


@pytest.fixture(scope="module", autouse=True)
def no_thread_left():
    """What a file has begun ends with it: a thread of ours would ask a store that is gone, and say so."""
    before = set(threading.enumerate())
    yield

    def left():
        names = [thread.name for thread in threading.enumerate() if thread not in before]
        return [name for name in names if name.startswith(THREADS)]

    wait_for(lambda: not left(), 20, f"the end of {left()}")


@pytest.fixture
def patient(monkeypatch):
    """A store that asks again does so for longer than a machine may pause."""
    monkeypatch.setattr(functions, "_RETRY_S", HELD_S)


@pytest.fixture
def store_factory(tmp_path):
    """Opens the test's one store; called again, another handle on the same file, as another process has."""
    opened = []

    def open_store(**options):
        opened.append(SqliteStore(tmp_path / "data" / "stream.db", **options))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(store_factory):
    return store_factory()


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL of this worker's own."""
    postgres = PostgresServer()
    yield postgres
    postgres.close()


@pytest.fixture(scope="module")
def database_url(postgres):
    """A database with Supabase's roles and our tables."""
    return postgres.url(postgres.testing(supabase=True))


@pytest.fixture
def peer(database_url):
    """The Supabase project of that database, with nothing in it yet."""
    emptied(database_url)
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute("truncate realtime.messages")
    with closing(RealtimePeer(database_url)) as peer:
        yield peer


@pytest.fixture(scope="session")
def upstream(tmp_path_factory):
    """Model, search and web pages, played by a process of their own."""
    upstream = Upstream(
        tmp_path_factory.mktemp("upstream") / "calls.jsonl", "--seed", "7", "--tokens-per-s", "4000"
    )
    yield upstream
    upstream.close()


@pytest.fixture(autouse=True)
def fresh_upstream(request):
    """A test that uses the upstream begins without faults and with an empty log."""
    if "upstream" in request.fixturenames:
        request.getfixturevalue("upstream").reset()


@pytest.fixture(scope="module")
def sdk(upstream):
    """Anthropic's own client of the upstream, without retries."""
    with anthropic.Anthropic(api_key="secret-key", base_url=upstream.url, max_retries=0) as sdk:
        yield sdk


@pytest.fixture(scope="module")
def http(upstream):
    """A plain client of the upstream."""
    with httpx.Client(base_url=upstream.url, trust_env=False) as http:
        yield http


@pytest.fixture(scope="module")
def threaded_server():
    """A web server on loopback that answers several requests at once."""
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server
