"""The writer of a step's rows: at once, in order, in batches, bounded, honest about a store that refuses."""

import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from functools import partial

import pytest

from briefworks.errors import Hole, RunOver, StaleTake, StoreUnavailable
from briefworks.stores.sqlite import SqliteStore
from briefworks.stream import StepWriter, rows_of
from in_time import in_time
from store_rows import RUN, polish_done, section_done
from waiting import wait_for

STEP = "draft-section-1"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stream.db"


@pytest.fixture
def store(path):
    with closing(SqliteStore(path, busy_s=0.02)) as store:
        store.start_run("p", "a", "r1", RUN)
        yield store


@contextmanager
def away(path):
    """The store is there but lets nobody write."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def writer(store, phase="draft", step=STEP, claim="c1", **options):
    take = store.open_take("p", "a", "r1", step, claim)["take"]
    return StepWriter(store, "p", "a", step, take, phase, **options)


def written(store):
    """Event and data of the rows beyond run-started."""
    return [(row["event"], row["data"]) for row in rows_of(store, "p", "a")[1:]]


def texts(store):
    return [data["text"] for event, data in written(store) if event.endswith("-token")]


until = partial(wait_for, timeout_s=30.0)  # for the thread


def until_raised(error, call):
    """Call until the thread has noticed what it raises."""

    def noticed():
        try:
            call()
        except error:
            return True
        return False

    until(noticed)


def test_the_first_token_is_written_at_once_and_the_next_when_enough_has_gathered(store):
    with writer(store, flush_ms=60_000, max_chars=20) as out:
        out.token("first")
        until(lambda: texts(store) == ["first"])
        for _ in range(9):
            out.token("xy")
        assert texts(store) == ["first"]
        out.token("xy")
        until(lambda: texts(store) == ["first", "xy" * 10])
        out.done(*section_done())


def test_tokens_are_written_together_every_flush(store):
    begin = time.monotonic()
    with writer(store, flush_ms=30) as out:
        for n in range(100):
            out.token(f"{n} ")
            time.sleep(0.001)
            if n == 0:
                until(lambda: texts(store))
        until(lambda: "".join(texts(store)) == "".join(f"{n} " for n in range(100)))
        assert 2 <= len(texts(store)) <= 2 + (time.monotonic() - begin) / 0.03
        out.done(*section_done())


def test_rows_keep_their_order_and_paragraphs_are_not_mixed(store):
    out = writer(store, phase="polish", step="polish-section-1-1", flush_ms=60_000)
    out.token("a", 1)
    until(lambda: len(written(store)) == 1)
    out.token("b", 1)
    out.token("c", 1)
    out.token("d", 2)
    out.thinking(40)
    out.token("e", 2)
    out.progress("pages", 1, 2, "note")
    out.token("f")
    out.abandon()
    assert written(store) == [
        ("polish-token", {"text": "a", "paragraph": 1}),
        ("polish-token", {"text": "bc", "paragraph": 1}),
        ("polish-token", {"text": "d", "paragraph": 2}),
        ("thinking", {"since_ms": 40}),
        ("polish-token", {"text": "e", "paragraph": 2}),
        ("research-progress", {"stage": "pages", "done": 1, "of": 2, "note": "note"}),
        ("polish-token", {"text": "f"}),
    ]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["a\x00b"], "ab"),
        (["🙂 ", "x"], "🙂 x"),
        (["a\ud83d", "\ude42b"], "a🙂b"),
        (["\ud83d\x00", "\x00", "", "\ude42"], "🙂"),
        (["\ud83d", "\ud83d", "\ude42"], "\ufffd🙂"),
        (["a\ud83d", "b"], "a\ufffdb"),
        (["\ude42\ud83d", "x"], "\ufffd\ufffdx"),
    ],
)
def test_text_is_cleaned_even_when_a_character_is_split_over_two_tokens(store, given, kept):
    out = writer(store, flush_ms=0)
    for text in given:
        out.token(text)
    out.abandon()
    assert "".join(texts(store)) == kept


def test_half_a_character_does_not_join_another_paragraph_or_outlast_another_row(store):
    out = writer(store, flush_ms=60_000)
    out.thinking(0)
    until(lambda: written(store))
    out.token("\ud83d", 1)
    out.token("\ude42", 2)
    out.token("\ud83d", 2)
    out.thinking(1)
    out.token("\ude42", 2)
    out.abandon()
    halves = [(data.get("text"), data.get("paragraph")) for _, data in written(store)]
    assert [half for half in halves if half[0]] == [("\ufffd", 1), ("\ufffd\ufffd", 2), ("\ufffd", 2)]


def test_the_result_is_cleaned_too(store):
    with writer(store) as out:
        event, result = section_done(markdown="a\x00\ud83d")
        result["section"]["sources"] = ["s1\x00"]
        out.done(event, result)
    ((_, kept),) = written(store)
    assert (kept["section"]["markdown"], kept["section"]["sources"]) == ("a\ufffd", ["s1"])


def test_done_stores_the_result_with_all_that_waits_and_drops_the_tokens(store):
    with writer(store, flush_ms=60_000) as out:
        out.token("first")
        until(lambda: texts(store) == ["first"])
        out.token("second")
        out.progress("serp", 1, 1)
        out.done(*section_done(markdown="Text."))
    assert [event for event, _ in written(store)] == ["research-progress", "section-done"]
    assert store.read("p")["head"] == 5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stream ")]


def test_done_ends_the_run_when_it_is_the_last(store):
    with writer(store, phase="polish", step="polish") as out:
        out.done(*polish_done("One."), ends_run=True)
    assert not store.start_run("p", "a", "r1", RUN)


def test_an_exception_inside_abandons_the_take_and_keeps_what_was_said(store):
    with pytest.raises(KeyError), writer(store, flush_ms=60_000) as out:
        out.token("one ")
        until(lambda: texts(store))
        out.token("two")
        raise KeyError
    assert texts(store) == ["one ", "two"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stream ")]
    with pytest.raises(RuntimeError):
        out.token("three")


def test_a_newer_take_stops_the_writer(store):
    out = writer(store, flush_ms=0)
    out.token("old")
    until(lambda: texts(store) == ["old"])
    newer = writer(store, claim="c2", flush_ms=0)
    until_raised(StaleTake, lambda: out.token("late"))
    for call in (
        lambda: out.progress("serp", 0, 1),
        lambda: out.thinking(1),
        lambda: out.done(*section_done()),
    ):
        with pytest.raises(StaleTake):
            call()
    out.abandon()
    newer.done(*section_done())
    assert written(store) == [section_done()]


def test_a_newer_take_refuses_the_result_of_a_writer_without_rows(store):
    out = writer(store)
    writer(store, claim="c2")
    with pytest.raises(StaleTake), out:
        out.done(*section_done())
    assert written(store) == []


def test_the_end_of_the_run_stops_the_writer_within_a_flush(store):
    with pytest.raises(RunOver), writer(store, flush_ms=20) as out:
        out.token("x")
        until(lambda: texts(store) == ["x"])
        store.decide("p", "a", "cancel", {"by": "user", "reason": ""})
        until_raised(RunOver, lambda: out.token("y"))
        out.done(*section_done())
    assert [event for event, _ in written(store)] == ["draft-token", "run-cancelled"]


def test_a_store_that_is_away_never_slows_the_tokens_and_loses_none(store, path):
    with writer(store, flush_ms=0) as out:
        with away(path), in_time():
            for n in range(2000):
                out.token(f"{n} ")
        until(lambda: "".join(texts(store)) == "".join(f"{n} " for n in range(2000)))
        out.done(*section_done())


def test_done_waits_for_a_store_that_comes_back(store, path):
    with writer(store, flush_ms=0) as out:
        with away(path):
            out.token("x")
            done = threading.Thread(target=out.done, args=section_done())
            done.start()
            done.join(0.2)
            assert done.is_alive()
        done.join(10)
    assert written(store) == [section_done()]


def test_a_store_that_stays_away_is_given_up_and_said_by_the_next_call(store, path):
    store.open_take("p", "a", "r1", STEP, "c1")
    with away(path):
        out = writer_when_away(store, give_up_s=0.1)
        out.token("x")
        until_raised(StoreUnavailable, lambda: out.thinking(1))
        with pytest.raises(StoreUnavailable):
            out.done(*section_done())
        quiet = writer_when_away(store, give_up_s=0.1)
        with pytest.raises(StoreUnavailable):
            quiet.done(*section_done())
    quiet.done(*section_done())
    assert written(store) == [section_done()]


def test_a_step_that_must_be_answered_does_not_wait_for_the_store_any_longer(store, path):
    store.open_take("p", "a", "r1", STEP, "c1")
    with away(path):
        out = writer_when_away(store, give_up_s=60, until=time.monotonic() + 0.1)
        with in_time(), pytest.raises(StoreUnavailable):
            out.done(*section_done())


def test_a_store_that_is_away_does_not_hold_up_who_abandons(path, store):
    tried = threading.Event()

    class Tried(SqliteStore):
        def append(self, *args):
            try:
                return super().append(*args)
            finally:
                tried.set()

    store.open_take("p", "a", "r1", STEP, "c1")
    with closing(Tried(path, busy_s=0.02)) as mine, away(path):
        out = writer_when_away(mine, give_up_s=60)
        out.token("x")
        assert tried.wait(10)
        with in_time():
            out.abandon()


def writer_when_away(store, **options):
    """A writer of the first take, which was opened before."""
    return StepWriter(store, "p", "a", STEP, 1, "draft", flush_ms=0, **options)


def test_what_waits_is_bounded(store, path):
    out = writer(store, flush_ms=0, max_waiting_chars=1000)
    with away(path):
        with pytest.raises(StoreUnavailable):
            for _ in range(101):
                out.token("0123456789")
        with pytest.raises(StoreUnavailable):
            out.thinking(1)
    out.abandon()
    assert "".join(texts(store)) == "0123456789" * 100


def test_a_mistake_of_the_caller_is_said_and_not_retried(store):
    with pytest.raises(Hole), writer(store) as out:
        out.done("draft-token", {"text": "not a result"})
    with pytest.raises(TypeError), writer(store, claim="c2") as out:
        out.progress("serp", {"no JSON"}, 1)
        until_raised(TypeError, lambda: out.token("x"))
        out.done(*section_done())
    assert written(store) == []
