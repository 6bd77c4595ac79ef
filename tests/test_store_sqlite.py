"""The SQLite store keeps the contract, and what a file on disk promises beyond it."""

import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from briefworks.errors import ConfigError, StoreUnavailable
from briefworks.stores import sqlite
from briefworks.stores.sqlite import SqliteStore
from store_contract import StoreContract, begun, outcome
from store_machine import LOST_AFTER_S, StoreMachine
from store_rows import RUN, Clock, token
from store_script import SCRIPT

WRITER = Path(__file__).with_name("store_writer.py")


@pytest.fixture
def let_in():
    """A file has no members."""


class TestSqlite(StoreContract):
    """The contract, on a file."""


# --- a crash after any statement
class Crash(BaseException):
    """The process is gone: nothing more of it runs."""


class Fuse:
    """Blows at the k-th statement from now, before it runs or after; then every statement fails."""

    def __init__(self):
        self.left, self.runs_first = None, False

    def set(self, left, runs_first):
        self.left, self.runs_first = left, runs_first

    def connection(self):
        """A connection class whose statements go through this fuse."""
        fuse = self

        class Fused(sqlite3.Connection):
            def execute(self, *args):
                return fuse.statement(super().execute, *args)

            def executemany(self, *args):
                return fuse.statement(super().executemany, *args)

        return Fused

    def statement(self, run, *args):
        if self.left is None:
            return run(*args)
        self.left -= 1
        if self.left == 0 and self.runs_first:
            run(*args)
        if self.left <= 0:
            raise Crash
        return run(*args)


class CrashingMachine(StoreMachine):
    """Half of the calls crash on their way; the file is then opened again and the caller repeats the call."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.fuse = Fuse()
        super().__init__()

    def open_store(self):
        path = Path(self.folder.name) / "stream.db"
        return SqliteStore(
            path, LOST_AFTER_S, clock=self.store_clock, factory=self.fuse.connection(), busy_s=0.5
        )

    def attempt(self, data, method, *args):
        at = data.draw(st.integers(0, 14), label="crash at statement")
        if at == 0:
            return super().attempt(data, method, *args)
        before = self.seen_in_model()
        self.fuse.set(at, data.draw(st.booleans(), label="after it ran"))
        try:
            found = self.in_store(method, *args)
        except Crash:
            self.fuse.set(None, False)
            self.store.close()
            self.store = self.open_store()
            answer = self.in_model(method, *args)
            assert self.seen_in_store() in (before, self.seen_in_model())
            if self.seen_in_store() == self.seen_in_model() != before:
                answer = self.in_model(method, *args)
            found = self.in_store(method, *args)
            assert found == answer
            return found
        self.fuse.set(None, False)
        assert found == self.in_model(method, *args)
        return found

    def teardown(self):
        super().teardown()
        self.folder.cleanup()


TestCrashingMachine = CrashingMachine.TestCase
TestCrashingMachine.settings = settings(max_examples=40, stateful_step_count=30)


def tables(path):
    """All that is in the file, but instants."""
    with closing(sqlite3.connect(path)) as db:
        names = [
            name
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = {}
        for name in names:
            columns = [column[1] for column in db.execute(f"PRAGMA table_info({name})")]
            kept = ", ".join(column for column in columns if not column.endswith("_at")) or "*"
            found[name] = sorted(db.execute(f"SELECT {kept} FROM {name}").fetchall(), key=repr)
        return found


def test_a_crash_at_any_statement_of_any_call_leaves_all_of_it_or_nothing(tmp_path):
    path, copy = tmp_path / "stream.db", tmp_path / "copy.db"
    clock, fuse, crashes = Clock(), Fuse(), 0
    connection = fuse.connection()
    for method, *args in SCRIPT:
        if method == "silence":
            clock.advance(LOST_AFTER_S + 10)
            continue
        with closing(SqliteStore(path, LOST_AFTER_S, clock=clock)) as store:
            before = tables(path)
            with closing(sqlite3.connect(path)) as db:
                saved = db.serialize()
            answer = outcome(getattr(store, method), "p", *args)
            after = tables(path)
        for runs_first in (False, True):
            for k in range(1, 100):
                copy.write_bytes(saved)
                broken = SqliteStore(copy, LOST_AFTER_S, clock=clock, factory=connection)
                fuse.set(k, runs_first)
                try:
                    outcome(getattr(broken, method), "p", *args)
                    break
                except Crash:
                    crashes += 1
                finally:
                    fuse.set(None, False)
                    broken.close()
                left = tables(copy)
                assert left in (before, after), (method, args, k)
                with closing(SqliteStore(copy, LOST_AFTER_S, clock=clock)) as again:
                    repeated = outcome(getattr(again, method), "p", *args)
                assert tables(copy) == after, (method, args, k)
                if left == before:
                    assert repeated == answer
            else:
                raise AssertionError("the call never ends")
    assert crashes > 250


def test_a_crash_while_the_file_is_made_leaves_one_that_can_be_made(tmp_path):
    fuse = Fuse()
    for k in range(1, 100):
        path = tmp_path / f"{k}.db"
        fuse.set(k, runs_first=k % 2 == 0)
        try:
            SqliteStore(path, factory=fuse.connection()).close()
            break
        except Crash:
            with closing(SqliteStore(path)) as store:
                assert store.start_run("p", "a", "r1", RUN)
    assert k > 10


# --- processes
def writer(path, step, count):
    command = [sys.executable, str(WRITER), str(path), step, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_writers_in_eight_processes_leave_no_hole_no_disorder_no_repeat(tmp_path):
    path = tmp_path / "stream.db"
    with closing(SqliteStore(path)) as store:
        store.start_run("p", "a", "r1", RUN)
        children = [writer(path, f"draft-section-{n}", 40) for n in range(8)]
        seen = []
        while len(seen) < 1 + 8 * 40:
            assert store.wait("p", len(seen), 30) > len(seen)
            seen += store.read("p", len(seen), limit=50)["rows"]
        for child in children:
            child.communicate()
            assert child.returncode == 0
        assert [row["seq"] for row in seen] == list(range(1, 322))
        for n in range(8):
            texts = [row["data"]["text"] for row in seen if row["step"] == f"draft-section-{n}"]
            assert texts == [f"draft-section-{n} {i}" for i in range(40)]


def test_a_writer_killed_at_any_moment_leaves_a_sound_file_with_all_that_was_confirmed(tmp_path):
    path = tmp_path / "stream.db"
    with closing(SqliteStore(path)) as store:
        store.start_run("p", "a", "r1", RUN)
    for step, confirmed in (("one", 1), ("two", 7), ("three", 40)):
        with writer(path, step, 100_000) as child:
            heads = [int(child.stdout.readline()) for _ in range(confirmed)]
            child.kill()
            heads += [int(line) for line in child.stdout.read().splitlines()]
        tables(path)
        with closing(SqliteStore(path)) as store:
            page = store.read("p", limit=1_000_000)
            assert page["head"] >= heads[-1]
            assert [row["seq"] for row in page["rows"]] == list(range(1, page["head"] + 1))
            take = store.open_take("p", "a", "r1", step, "after the kill")["take"]
            assert (take, store.append("p", "a", step, take, 0, [token("x")])) == (2, page["head"] + 1)


def test_many_may_make_the_file_at_once(tmp_path):
    for n in range(5):
        path = tmp_path / f"{n}" / "stream.db"
        start = threading.Barrier(6)

        def make(path=path, start=start):
            start.wait()
            return SqliteStore(path)

        with ThreadPoolExecutor() as pool:
            stores = [made.result() for made in [pool.submit(make) for _ in range(6)]]
        assert stores[0].start_run("p", "a", "r1", RUN)
        assert stores[5].read("p")["head"] == 1
        for store in stores:
            store.close()


# --- the file
def test_the_file_is_private_and_durable(tmp_path):
    path = tmp_path / "new" / "folder" / "stream.db"
    with closing(SqliteStore(path)) as store:
        store.start_run("p", "a", "r1", RUN)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
        with store._file.reading() as db:
            assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
            assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "stream.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
        db.execute("CREATE TABLE ours (x)")
    content = path.read_bytes()
    with pytest.raises(ConfigError, match="newer"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_file_of_the_first_version_is_brought_on_with_all_that_is_in_it(tmp_path):
    path = tmp_path / "stream.db"
    first = Path(sqlite.__file__).with_name("sqlite.sql").read_text()
    with closing(sqlite3.connect(path)) as db:
        db.executescript(first + "PRAGMA user_version = 1;")
        db.execute("INSERT INTO projects (project_id, head) VALUES ('p', 7)")
        db.commit()
    with closing(SqliteStore(path)) as store:
        assert store.read("p")["head"] == 7
        assert store.start_run("p", "a", "r1", RUN)
        store.enter("p", "a", "01", {"usd": 0.0})
        assert store.entries("p", "a") == [{"usd": 0.0}]


def test_a_place_that_cannot_hold_a_store_is_a_configuration_error(tmp_path):
    (tmp_path / "file").write_text("not a database, whatever its name says")
    for path in (tmp_path / "file", tmp_path / "file" / "stream.db", tmp_path):
        with pytest.raises(ConfigError, match="cannot be opened") as told:
            SqliteStore(path)
        assert "aside" in told.value.hint


def test_a_locked_file_is_unavailable_and_works_again_afterwards(tmp_path):
    path = tmp_path / "stream.db"
    with closing(SqliteStore(path, busy_s=0.05)) as store:
        take = begun(store)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                store.append("p", "a", "draft-section-1", take, 0, [token("x")])
            assert store.read("p")["head"] == 1
            other.execute("ROLLBACK")
        assert store.append("p", "a", "draft-section-1", take, 0, [token("x")]) == 2


def test_a_closed_store_is_unavailable_also_to_those_who_wait(tmp_path):
    store = SqliteStore(tmp_path / "stream.db")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(store.wait, "p", 0, 30)
        store.close()
        with pytest.raises(StoreUnavailable):
            waiting.result(timeout=30)
    with pytest.raises(StoreUnavailable):
        store.read("p")


def test_reading_an_article_uses_its_index(store):
    begun(store)
    with store._file.reading() as db:
        args = {"project": "p", "article": "a", "after": 0, "limit": 10}
        plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {sqlite._READ_ARTICLE}", args)]
    assert len(plan) == 1
    assert "article_streams_by_article (project_id=? AND article_id=? AND seq>?)" in plan[0]
