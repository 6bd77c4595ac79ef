"""
What every stream store promises, as tests: a store's own test file inherits `StoreContract`.

It needs the fixtures `store_factory` (opens the test's one store; called again, another handle on the same
one; takes `clock` and `lost_after_s`), `store` and `let_in` (makes a user a member of a project; None where
there are no members).
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from briefworks.errors import Hole, NoProject, NotFound, RunOver, StaleTake, Unauthorized
from briefworks.fold import apply, empty_state, fold
from briefworks.pipeline.keeping import erase_deleted
from briefworks.stream import DELETED, rows_of
from in_time import HELD_S, in_time
from store_rows import (
    FAILED,
    RUN,
    Clock,
    brief_done,
    polish_done,
    research_done,
    section_done,
    token,
)

CANCEL = {"by": "user", "reason": "enough"}


def events(store, article="a"):
    return [row["event"] for row in rows_of(store, "p", article)]


def begun(store, step="draft-section-1", claim="c1", article="a", run="r1"):
    """A take of a living run."""
    assert store.start_run("p", article, run, RUN)
    return store.open_take("p", article, run, step, claim)["take"]


def finished(store, step, *rows, article="a", run="r1", ends_run=False):
    """A step from its opening to its done row; the head."""
    take = store.open_take("p", article, run, step, f"{run}-{step}")["take"]
    return store.finish("p", article, step, take, 0, list(rows), ends_run)


def outcome(call, *args):
    """What a call answers or which error it raises."""
    try:
        return call(*args)
    except Exception as error:
        return type(error)


@pytest.mark.usefixtures("patient")
class StoreContract:
    # --- runs
    def test_a_run_claims_its_article_once_and_for_itself_alone(self, store):
        assert [store.start_run("p", "a", run, RUN) for run in ("r1", "r1", "r2", "r1")] == [
            True,
            True,
            False,
            True,
        ]
        assert events(store) == ["run-started"]
        assert rows_of(store, "p", "a")[0]["data"] == RUN

    def test_a_run_that_failed_or_was_cancelled_gives_the_article_free(self, store):
        store.start_run("p", "a", "r1", RUN)
        store.end_run("p", "r1", "run-failed", FAILED)
        assert not store.start_run("p", "a", "r1", RUN)
        assert store.start_run("p", "a", "r2", RUN)
        store.decide("p", "a", "cancel", CANCEL)
        assert store.start_run("p", "a", "r3", RUN)
        assert events(store) == ["run-started", "run-failed", "run-started", "run-cancelled", "run-started"]

    def test_a_finished_article_takes_no_other_run(self, store):
        store.start_run("p", "a", "r1", RUN)
        finished(store, "polish", polish_done("One."), ends_run=True)
        assert not store.start_run("p", "a", "r2", RUN)
        assert events(store) == ["run-started", "polish-done"]

    def test_a_finished_article_takes_a_run_that_replays_one_of_its_own(self, store):
        store.start_run("p", "a", "r1", RUN)
        finished(store, "brief", brief_done("One"))
        finished(store, "polish", polish_done("One."), ends_run=True)
        store.start_run("p", "b", "other", RUN)
        assert not any(
            store.start_run("p", "a", f"r2-{parent}", {**RUN, "parent_run_id": parent})
            for parent in ("other", "nobody")
        )
        replay = {**RUN, "parent_run_id": "r1"}
        assert [store.start_run("p", "a", "r2", replay) for _ in "12"] == [True, True]
        assert not store.start_run("p", "a", "r3", replay)  # r2 is alive
        finished(store, "polish", polish_done("Two.", title="Two"), run="r2", ends_run=True)
        assert not store.start_run("p", "a", "r4", RUN)
        assert store.start_run("p", "a", "r3", replay)
        rows = rows_of(store, "p", "a")
        assert [(row["event"], row["take"]) for row in rows if row["step"] in ("start", "polish")] == [
            ("run-started", 1),
            ("polish-done", 1),
            ("run-started", 2),
            ("polish-done", 2),
            ("run-started", 3),
        ]
        assert rows[3]["data"]["parent_run_id"] == "r1"
        assert fold("p", "a", rows)["polished"]["title"] == "Two"

    def test_an_erased_article_is_not_brought_back_by_a_replay_of_its_run(self, store):
        store.start_run("p", "a", "r1", RUN)
        finished(store, "polish", polish_done("One."), ends_run=True)
        store.delete_article("p", "a")
        assert not store.start_run("p", "a", "r2", {**RUN, "parent_run_id": "r1"})
        assert events(store) == []
        assert store.start_run("p", "a", "r3", RUN)

    def test_a_run_belongs_to_one_article(self, store):
        store.start_run("p", "a", "r1", RUN)
        with pytest.raises(RunOver):
            store.start_run("p", "b", "r1", RUN)
        with pytest.raises(RunOver):
            store.open_take("p", "b", "r1", "brief", "c1")

    def test_the_first_ending_of_a_run_is_its_only_one(self, store):
        store.start_run("p", "a", "r1", RUN)
        assert store.end_run("p", "r1", "run-failed", FAILED)
        assert not store.end_run("p", "r1", "run-cancelled", {"by": "engine", "reason": ""})
        assert not store.decide("p", "a", "cancel", CANCEL)
        assert events(store) == ["run-started", "run-failed"]

    def test_what_is_unknown_is_said_by_name(self, store):
        with pytest.raises(NoProject):
            store.end_run("p", "r1", "run-failed", FAILED)
        with pytest.raises(NoProject):
            store.open_take("p", "a", "r1", "brief", "c1")
        with pytest.raises(NoProject):
            store.append("p", "a", "brief", 1, 0, [token("x")])
        with pytest.raises(NoProject):
            store.finish("p", "a", "brief", 1, 0, [brief_done("One")])
        with pytest.raises(NoProject):
            store.remember("p", "a", "key", {})
        store.start_run("p", "a", "r1", RUN)
        with pytest.raises(NotFound):
            store.end_run("p", "r2", "run-failed", FAILED)

    def test_a_silent_run_is_ended_as_lost_and_taken_over(self, store_factory):
        clock = Clock()
        store = store_factory(clock=clock, lost_after_s=100)
        take = begun(store)
        clock.advance(90)
        store.append("p", "a", "draft-section-1", take, 0, [token("x")])
        clock.advance(90)
        assert not store.start_run("p", "a", "r2", RUN)
        clock.advance(11)
        assert store.start_run("p", "a", "r2", RUN)
        rows = rows_of(store, "p", "a")
        assert [(row["run_id"], row["event"]) for row in rows[2:]] == [
            ("r1", "run-failed"),
            ("r2", "run-started"),
        ]
        assert rows[2]["data"]["code"] == "lost"
        with pytest.raises(RunOver):
            store.append("p", "a", "draft-section-1", take, 1, [token("y")])

    def test_a_run_in_review_is_never_lost(self, store_factory):
        clock = Clock()
        store = store_factory(clock=clock, lost_after_s=100)
        take = begun(store, "review-open-1")
        waiting = {"round": 1, "brief": {}, "until_at": ""}
        store.append("p", "a", "review-open-1", take, 0, [("review-waiting", waiting)])
        clock.advance(1000)
        assert not store.start_run("p", "a", "r2", RUN)

    # --- takes
    def test_takes_of_a_step_rise_across_runs_and_apart_from_other_steps(self, store):
        assert begun(store, claim="c1") == 1
        assert store.open_take("p", "a", "r1", "draft-section-1", "c2")["take"] == 2
        assert store.open_take("p", "a", "r1", "draft-section-2", "c3")["take"] == 1
        store.end_run("p", "r1", "run-failed", FAILED)
        assert begun(store, claim="c4", run="r2") == 3

    def test_the_newest_claim_repeated_gives_its_take_and_an_older_one_opens_nothing(self, store):
        begun(store, claim="c1")
        assert store.open_take("p", "a", "r1", "draft-section-1", "c1") == {"take": 1, "done": None}
        store.open_take("p", "a", "r1", "draft-section-1", "c2")
        with pytest.raises(StaleTake):
            store.open_take("p", "a", "r1", "draft-section-1", "c1")
        assert store.open_take("p", "a", "r1", "draft-section-1", "c2") == {"take": 2, "done": None}

    def test_an_older_take_writes_nothing(self, store):
        old = begun(store, claim="c1")
        store.append("p", "a", "draft-section-1", old, 0, [token("old")])
        store.open_take("p", "a", "r1", "draft-section-1", "c2")
        for first_idx in (0, 1):
            with pytest.raises(StaleTake):
                store.append("p", "a", "draft-section-1", old, first_idx, [token("late")])
            with pytest.raises(StaleTake):
                store.finish("p", "a", "draft-section-1", old, first_idx, [section_done()])
        assert events(store) == ["run-started", "draft-token"]

    def test_a_take_that_nobody_opened_is_a_hole(self, store):
        take = begun(store)
        with pytest.raises(Hole):
            store.append("p", "a", "draft-section-1", take + 1, 0, [token("x")])
        with pytest.raises(Hole):
            store.append("p", "a", "brief", 1, 0, [token("x")])

    def test_a_step_finished_in_this_run_gives_its_result_again(self, store):
        store.start_run("p", "a", "r1", RUN)
        event, brief = brief_done("One")
        finished(store, "brief", (event, brief))
        for claim in ("r1-brief", "another"):
            assert store.open_take("p", "a", "r1", "brief", claim) == {"take": 1, "done": brief}
        store.end_run("p", "r1", "run-failed", FAILED)
        assert store.open_take("p", "a", "r1", "brief", "late")["done"] == brief
        store.start_run("p", "a", "r2", RUN)
        assert store.open_take("p", "a", "r2", "brief", "anew") == {"take": 2, "done": None}
        assert store.open_take("p", "a", "r1", "brief", "later")["done"] == brief

    def test_the_last_step_gives_its_result_after_the_run_and_a_dropped_one_is_over(self, store):
        store.start_run("p", "a", "r1", RUN)
        finished(store, "draft-section-1", section_done())
        last = polish_done("One.")
        finished(store, "polish", last, ends_run=True)
        assert store.open_take("p", "a", "r1", "polish", "again") == {"take": 1, "done": last[1]}
        with pytest.raises(RunOver):
            store.open_take("p", "a", "r1", "draft-section-1", "again")

    def test_a_run_that_has_ended_or_does_not_hold_the_article_opens_nothing(self, store):
        store.start_run("p", "a", "r1", RUN)
        with pytest.raises(RunOver):
            store.open_take("p", "a", "r2", "brief", "c1")
        store.end_run("p", "r1", "run-cancelled", CANCEL)
        with pytest.raises(RunOver):
            store.open_take("p", "a", "r1", "brief", "c1")

    def test_nothing_is_written_to_a_run_that_has_ended(self, store):
        take = begun(store)
        store.append("p", "a", "draft-section-1", take, 0, [token("x")])
        store.decide("p", "a", "cancel", CANCEL)
        with pytest.raises(RunOver):
            store.append("p", "a", "draft-section-1", take, 1, [token("y")])
        with pytest.raises(RunOver):
            store.finish("p", "a", "draft-section-1", take, 1, [section_done()])
        assert events(store) == ["run-started", "draft-token", "run-cancelled"]

    # --- rows
    def test_rows_sent_twice_are_stored_once(self, store):
        take = begun(store)
        batch = [token("a"), token("b")]
        assert store.append("p", "a", "draft-section-1", take, 0, batch) == 3
        assert store.append("p", "a", "draft-section-1", take, 0, batch) == 3
        assert store.append("p", "a", "draft-section-1", take, 1, [token("b"), token("c")]) == 4
        assert store.append("p", "a", "draft-section-1", take, 0, []) == 4
        assert [row["data"]["text"] for row in rows_of(store, "p", "a")[1:]] == ["a", "b", "c"]

    def test_a_gap_in_a_take_is_refused_whole(self, store):
        take = begun(store)
        for first_idx in (1, -1):
            with pytest.raises(Hole):
                store.append("p", "a", "draft-section-1", take, first_idx, [token("x"), token("y")])
        with pytest.raises(Hole):
            store.finish("p", "a", "draft-section-1", take, 1, [section_done()])
        assert events(store) == ["run-started"]

    def test_done_and_terminal_rows_are_written_by_finish_and_only_last(self, store):
        take = begun(store)
        place = ("p", "a", "draft-section-1", take, 0)
        for row in (section_done(), polish_done("One."), ("run-failed", FAILED)):
            with pytest.raises(Hole):
                store.append(*place, [row])
        for rows in ([], [token("x")], [section_done(), token("x")], [section_done(), section_done()]):
            with pytest.raises(Hole):
                store.finish(*place, rows)
        with pytest.raises(Hole):
            store.finish(*place, [polish_done("One.")])
        with pytest.raises(Hole):
            store.finish(*place, [section_done()], True)
        assert events(store) == ["run-started"]

    def test_finish_twice_is_one_and_a_finished_take_takes_no_more(self, store):
        take = begun(store)
        place = ("p", "a", "draft-section-1", take)
        store.append(*place, 0, [token("a")])
        head = store.finish(*place, 1, [token("b"), section_done()])
        assert store.finish(*place, 1, [token("b"), section_done()]) == head
        assert store.append(*place, 0, [token("a"), token("b")]) == head
        with pytest.raises(StaleTake):
            store.append(*place, 3, [token("c")])
        with pytest.raises(StaleTake):
            store.finish(*place, 3, [section_done()])
        assert events(store) == ["run-started", "section-done"]

    def test_a_done_row_in_the_place_of_a_stored_row_is_a_hole(self, store):
        take = begun(store)
        store.append("p", "a", "draft-section-1", take, 0, [token("a")])
        with pytest.raises(Hole):
            store.finish("p", "a", "draft-section-1", take, 0, [section_done()])

    def test_finish_drops_what_its_done_row_carries_of_all_takes_and_only_of_its_step(self, store):
        begun(store, claim="c1")
        store.open_take("p", "a", "r1", "draft-section-2", "other")
        for take, claim in ((1, "c1"), (2, "c2"), (3, "c3")):
            store.open_take("p", "a", "r1", "draft-section-1", claim)
            rows = [("thinking", {"since_ms": 5}), token("x")]
            store.append("p", "a", "draft-section-1", take, 0, rows)
        store.append("p", "a", "draft-section-2", 1, 0, [token("y")])
        store.finish("p", "a", "draft-section-1", 3, 2, [section_done()])
        left = [(row["seq"], row["step"], row["take"], row["event"]) for row in rows_of(store, "p", "a")]
        assert left == [
            (1, "start", 1, "run-started"),
            (8, "draft-section-2", 1, "draft-token"),
            (9, "draft-section-1", 3, "section-done"),
        ]

    def test_the_end_of_an_article_leaves_a_handful_of_rows_whatever_its_runs_were(self, store):
        for run in ("r1", "r2"):
            store.start_run("p", "a", run, RUN)
            progress = ("research-progress", {"stage": "serp", "done": 1, "of": 1, "note": ""})
            finished(store, "research", progress, research_done(), run=run)
            finished(store, "brief", brief_done("One"), run=run)
            finished(store, "draft-section-1", section_done(), run=run)
            store.append(
                "p", "a", "draft-section-2", *self._open(store, run, "draft-section-2"), [token("x")]
            )
            if run == "r1":
                store.end_run("p", run, "run-failed", FAILED)
        store.start_run("p", "b", "other", RUN)
        finished(store, "draft-section-1", section_done(), article="b", run="other")
        finished(store, "polish-critique-1", ("critique-done", {"v": 1, "round": 1}), run="r2")
        finished(store, "polish", polish_done("One."), run="r2", ends_run=True)
        first = ["run-started", "research-done", "brief-done"]
        assert events(store) == [*first, "run-failed", *first, "polish-done"]
        assert events(store, "b") == ["run-started", "section-done"]
        with pytest.raises(RunOver):
            store.append("p", "a", "draft-section-2", 2, 1, [token("late")])

    @staticmethod
    def _open(store, run, step):
        return store.open_take("p", "a", run, step, f"{run}-{step}")["take"], 0

    def test_any_text_comes_back_as_it_was_given(self, store):
        take = begun(store)
        texts = ["“ü” 字 🙂", 'quote " and \\ and \n', "x" * 300_000, ""]
        store.append("p", "a", "draft-section-1", take, 0, [token(text) for text in texts])
        assert [row["data"]["text"] for row in rows_of(store, "p", "a")[1:]] == texts

    def test_half_a_character_is_no_reason_to_lose_a_row(self, store):
        store.start_run("p", "a", "r1", {**RUN, "keyword": "half \ud83d"})
        store.decide("p", "a", "cancel", {"by": "user", "reason": "half \ud83d"})
        assert store.articles("p")[0]["keyword"] == "half \ufffd"
        assert rows_of(store, "p", "a")[-1]["data"]["reason"] == "half \ufffd"

    # --- decisions
    def test_a_cancel_ends_a_living_run_at_once(self, store):
        store.start_run("p", "a", "r1", RUN)
        assert store.decide("p", "a", "cancel", CANCEL)
        assert not store.decide("p", "a", "cancel", CANCEL)
        last = rows_of(store, "p", "a")[-1]
        assert (last["event"], last["step"], last["data"]) == ("run-cancelled", "end", CANCEL)
        assert store.decision("p", "a", "cancel") is None

    def test_a_cancel_before_the_run_meets_it_at_its_start(self, store):
        assert store.decide("p", "a", "cancel", {"by": "user", "reason": "first"})
        assert store.decide("p", "a", "cancel", CANCEL)
        assert store.decision("p", "a", "cancel") == CANCEL
        assert not store.start_run("p", "a", "r1", RUN)
        assert not store.start_run("p", "a", "r1", RUN)
        assert events(store) == ["run-started", "run-cancelled"]
        assert rows_of(store, "p", "a")[-1]["data"] == CANCEL
        assert store.decision("p", "a", "cancel") is None
        with pytest.raises(RunOver):
            store.open_take("p", "a", "r1", "research", "c1")
        assert store.start_run("p", "a", "r2", RUN)

    def test_other_decisions_wait_until_the_run_is_over(self, store):
        assert store.decide("p", "a", "finish-now", {"by": "user"})
        store.start_run("p", "a", "r1", RUN)
        assert store.decide("p", "a", "review", {"action": "approve"})
        assert store.decide("p", "a", "review", {"action": "reject"})
        assert store.decision("p", "a", "finish-now") == {"by": "user"}
        assert store.decision("p", "a", "review") == {"action": "reject"}
        assert store.decision("p", "b", "review") is None
        store.end_run("p", "r1", "run-failed", FAILED)
        assert store.decision("p", "a", "finish-now") is None
        assert not store.decide("p", "a", "finish-now", {"by": "user"})

    # --- reading
    def test_a_page_says_how_far_it_reaches(self, store):
        assert store.read("p") == {"rows": [], "head": 0, "upto": 0}
        take = begun(store)
        store.start_run("p", "b", "r2", RUN)
        store.append("p", "a", "draft-section-1", take, 0, [token(text) for text in "wxyz"])

        def page(*args, **options):
            found = store.read("p", *args, **options)
            return [row["seq"] for row in found["rows"]], found["head"], found["upto"]

        assert page() == ([1, 2, 3, 4, 5, 6], 6, 6)
        assert page(limit=2) == ([1, 2], 6, 2)
        assert page(0, "a", 2) == ([1, 3], 6, 3)
        assert page(3, "a", 4) == ([4, 5, 6], 6, 6)
        assert page(2, "b") == ([], 6, 6)
        assert page(99) == ([], 6, 6)
        assert page(limit=6) == ([1, 2, 3, 4, 5, 6], 6, 6)
        assert page(5, limit=0)[0] == [6]

    def test_projects_have_streams_of_their_own(self, store):
        for project in ("p", "q"):
            store.start_run(project, "a", "r1", {**RUN, "keyword": project})
        for project in ("p", "q"):
            (row,) = store.read(project)["rows"]
            assert (row["seq"], row["project_id"], row["data"]["keyword"]) == (1, project, project)

    def test_waiting_ends_with_the_next_row_or_with_the_time(self, store_factory):
        store, other = store_factory(), store_factory()
        assert store.wait("p", 0, 0) == 0
        store.start_run("p", "a", "r1", RUN)
        assert store.wait("p", 0, 5) == 1
        begin = time.monotonic()
        assert store.wait("p", 1, 0.1) == 1
        assert time.monotonic() - begin >= 0.1
        for writer, article in ((store, "b"), (other, "c")):
            with ThreadPoolExecutor() as pool:
                head = store.read("p")["head"]
                waiting = [pool.submit(store.wait, "p", head, HELD_S) for _ in range(3)]
                with in_time():
                    writer.start_run("p", article, f"run-{article}", RUN)
                    assert {one.result() for one in waiting} == {head + 1}

    def test_articles_are_listed_newest_first_and_paged_without_gap(self, store_factory):
        store = store_factory(clock=lambda: "2026-11-01T00:00:00.000Z")
        for n in range(5):
            store.start_run("p", f"a{n}", f"r{n}", {**RUN, "keyword": f"keyword {n}"})
        store.start_run("q", "elsewhere", "r", RUN)
        finished(store, "polish", polish_done("One.", title="Done"), article="a0", run="r0", ends_run=True)
        store.decide("p", "a1", "cancel", CANCEL)
        store.decide("p", "unborn", "cancel", CANCEL)
        pages, before = [], None
        while page := store.articles("p", 2, before):
            pages += page
            before = page[-1]["started_at"]
        assert [article["article_id"] for article in pages] == ["a4", "a3", "a2", "a1", "a0"]
        assert [article["status"] for article in pages] == ["running"] * 3 + ["cancelled", "done"]
        assert set(pages[0]) == {
            "article_id", "keyword", "persona", "status", "title", "started_at", "updated_at",
        }  # fmt: skip
        assert (pages[-1]["title"], pages[-1]["keyword"]) == ("Done", "keyword 0")
        started = {
            row["article_id"]: row["created_at"] for row in store.read("p")["rows"] if row["step"] == "start"
        }
        assert started == {article["article_id"]: article["started_at"] for article in pages}

    # --- beside the rows
    def test_the_first_answer_of_a_call_is_remembered_past_the_end_of_the_run(self, store):
        store.start_run("p", "a", "r1", RUN)
        store.remember("p", "a", "key", {"text": "first 🙂"})
        store.end_run("p", "r1", "run-failed", FAILED)
        store.remember("p", "a", "key", {"text": "second"})
        store.remember("p", "a", "late", {"text": "late"})
        assert store.recall("p", "a", "key") == {"text": "first 🙂"}
        assert store.recall("p", "a", "late") == {"text": "late"}
        assert store.recall("p", "a", "other") is None
        assert store.recall("p", "b", "key") is None
        assert store.recall("q", "a", "key") is None

    def test_an_account_keeps_the_last_word_of_each_entry_in_order_past_the_end_of_the_run(self, store):
        assert store.entries("p", "a") == []
        store.start_run("p", "a", "r1", RUN)
        assert store.entries("p", "a") == []
        store.enter("p", "a", "02", {"outcome": ""})
        store.enter("p", "a", "01", {"usd": 0.000001, "reason": "half a pair \ud83d 🙂"})
        store.end_run("p", "r1", "run-failed", FAILED)
        store.enter("p", "a", "02", {"outcome": "stopped"})
        store.enter("p", "a", "02", {"outcome": "stopped"})
        found = [{"usd": 0.000001, "reason": "half a pair \ufffd 🙂"}, {"outcome": "stopped"}]
        assert store.entries("p", "a") == found
        assert store.entries("p", "b") == store.entries("q", "a") == []
        assert outcome(store.enter, "p", "never begun", "01", {}) is RunOver
        assert outcome(store.enter, "q", "a", "01", {}) is NoProject

    def test_a_page_is_kept_once_for_its_url_and_text(self, store):
        store.start_run("p", "a", "r1", RUN)
        kept = store.put_snapshot("p", "https://example.org", "text\x00 🙂", "2026-11-01T00:00:00.000Z")
        assert store.put_snapshot("p", "https://example.org", "text\x00 🙂", "later") == kept
        assert store.put_snapshot("p", "https://example.org/2", "text\x00 🙂", "later") != kept
        assert store.snapshot("p", kept) == "text 🙂"
        with pytest.raises(NotFound):
            store.snapshot("p", "nothing")
        with pytest.raises(NotFound):
            store.snapshot("q", kept)

    def test_an_article_deleted_before_its_run_begins_never_begins_and_leaves_nothing(self, store):
        assert store.decide("p", "a", "cancel", {"by": "user", "reason": DELETED})
        assert not store.start_run("p", "a", "r1", RUN)
        assert events(store) == ["run-started", "run-cancelled"]
        erase_deleted(store, "p", "a")
        assert events(store) == [] and store.articles("p") == []
        assert not store.start_run("p", "a", "r1", RUN) and events(store) == []
        assert store.decide("p", "b", "cancel", CANCEL) and not store.start_run("p", "b", "r2", RUN)
        erase_deleted(store, "p", "b")
        assert events(store, "b") == ["run-started", "run-cancelled"]  # only cancelled: it stays to be read

    # --- members
    def test_members_have_their_projects_and_strangers_none(self, store, let_in):
        one, other = ({"sub": f"{n}0000000-0000-4000-8000-000000000000"} for n in (1, 2))
        if let_in is None:
            with pytest.raises(Unauthorized) as caught:
                store.projects_of(one)
            assert "BRIEFWORKS_STORE" in caught.value.hint
            return
        for project in ("p", "q"):
            let_in(project, one["sub"])
        assert store.projects_of(one) == {"p", "q"}
        assert store.projects_of({**other, "note": "nul \x00"}) == frozenset()

    def test_an_erased_article_is_gone_and_its_run_is_over(self, store):
        take = begun(store)
        store.append("p", "a", "draft-section-1", take, 0, [token("x")])
        store.remember("p", "a", "key", {"text": "x"})
        store.enter("p", "a", "01", {})
        store.decide("p", "a", "finish-now", {})
        store.delete_article("p", "a")
        store.delete_article("p", "a")
        assert store.read("p") == {"rows": [], "head": 2, "upto": 2}
        assert store.articles("p") == []
        assert store.recall("p", "a", "key") is None
        assert store.entries("p", "a") == []
        assert store.decision("p", "a", "finish-now") is None
        place = ("p", "a", "draft-section-1", take)
        assert outcome(store.append, *place, 1, [token("y")]) is RunOver
        assert outcome(store.finish, *place, 1, [section_done()]) is RunOver
        assert outcome(store.open_take, "p", "a", "r1", "brief", "c9") is RunOver
        assert outcome(store.remember, "p", "a", "key", {}) is RunOver
        assert outcome(store.enter, "p", "a", "02", {}) is RunOver
        assert not store.start_run("p", "a", "r1", RUN)
        assert not store.end_run("p", "r1", "run-failed", FAILED)
        assert store.read("p")["head"] == 2

    def test_an_article_asked_for_again_after_its_erasure_is_safe_from_its_former_writers(self, store):
        old = begun(store)
        store.delete_article("p", "a")
        assert store.start_run("p", "a", "r2", RUN)
        place = ("p", "a", "draft-section-1", old, 0)
        assert outcome(store.append, *place, [token("old")]) is StaleTake
        new = store.open_take("p", "a", "r2", "draft-section-1", "c1")["take"]
        assert new > old
        assert outcome(store.append, *place, [token("old")]) is StaleTake
        assert events(store) == ["run-started"]

    def test_erasing_takes_the_pages_that_no_other_article_uses(self, store):
        for article, run in (("a", "r1"), ("b", "r2")):
            store.start_run("p", article, run, RUN)
        own, shared = (store.put_snapshot("p", url, "text", "") for url in ("https://own", "https://shared"))
        finished(store, "research", research_done(own, None, shared))
        finished(store, "research", research_done(shared, None), article="b", run="r2")
        store.delete_article("p", "a")
        assert outcome(store.snapshot, "p", own) is NotFound
        assert store.snapshot("p", shared) == "text"
        store.delete_article("p", "b")
        assert outcome(store.snapshot, "p", shared) is NotFound

    def test_erasing_spares_the_pages_of_a_research_under_way(self, store):
        store.start_run("p", "a", "r1", RUN)
        store.start_run("p", "b", "r2", RUN)
        shared = store.put_snapshot("p", "https://shared", "text", "")
        finished(store, "research", research_done(shared))
        store.delete_article("p", "a")
        assert store.snapshot("p", shared) == "text"

    # --- many at once
    def test_eight_writers_at_once_leave_no_hole_no_disorder_no_repeat(self, store_factory):
        store = store_factory()
        store.start_run("p", "a", "r1", RUN)
        seen, stop = [], threading.Event()

        def watch():
            mine = store_factory()
            while not stop.is_set() or mine.read("p", len(seen))["rows"]:
                mine.wait("p", len(seen), 0.5)
                seen.extend(mine.read("p", len(seen), limit=7)["rows"])

        def write(n):
            mine, step = store_factory(), f"draft-section-{n}"
            take = mine.open_take("p", "a", "r1", step, f"claim-{n}")["take"]
            for i in range(0, 30, 2):
                batch = [token(f"{n}.{i}"), token(f"{n}.{i + 1}")]
                for _ in range(1 + i % 4 // 2):  # every other batch twice: an answer was lost
                    mine.append("p", "a", step, take, i, batch)

        with ThreadPoolExecutor() as pool:
            watching = pool.submit(watch)
            for done in [pool.submit(write, n) for n in range(8)]:
                done.result()
            stop.set()
            watching.result()
        assert [row["seq"] for row in seen] == list(range(1, 242))
        for n in range(8):
            texts = [row["data"]["text"] for row in seen if row["step"] == f"draft-section-{n}"]
            assert texts == [f"{n}.{i}" for i in range(30)]

    def test_of_two_runs_and_two_claims_at_once_one_wins(self, store_factory):
        handles = [store_factory() for _ in range(8)]
        with ThreadPoolExecutor() as pool:
            won = list(pool.map(lambda n: handles[n].start_run("p", "a", f"r{n}", RUN), range(8)))
            assert sum(won) == 1
            run = f"r{won.index(True)}"
            takes = list(
                pool.map(lambda n: handles[n].open_take("p", "a", run, "brief", f"c{n}")["take"], range(8))
            )
            assert sorted(takes) == list(range(1, 9))

            def ends(n):
                return handles[n].end_run("p", run, "run-failed", FAILED)

            assert sum(pool.map(ends, range(8))) == 1
        assert events(handles[0]) == ["run-started", "run-failed"]

    def test_a_reader_that_pages_while_steps_finish_ends_with_what_is_there(self, store_factory):
        store, mine = store_factory(), store_factory()
        store.start_run("p", "a", "r1", RUN)
        finished(store, "brief", brief_done("One", "Two"))
        stop = threading.Event()

        def write():
            for round_n in range(12):
                for n in (1, 2):
                    step, claim = f"draft-section-{n}", f"{round_n}.{n}"
                    run = f"r{round_n + 1}"
                    take = store.open_take("p", "a", run, step, claim)["take"]
                    for i in range(0, 12, 3):
                        store.append("p", "a", step, take, i, [token(f"{i} ")] * 3)
                    store.finish("p", "a", step, take, 12, [section_done(n, f"{claim} is done")])
                store.end_run("p", run, "run-failed", FAILED)
                store.start_run("p", "a", f"r{round_n + 2}", RUN)
            stop.set()

        with ThreadPoolExecutor() as pool:
            writing = pool.submit(write)
            state, seen, ending = empty_state("p", "a"), 0, False
            while not ending:
                ending = stop.is_set()
                while True:
                    page = mine.read("p", seen, "a", 5)
                    seqs = [seen, *(row["seq"] for row in page["rows"]), page["upto"]]
                    assert seqs == sorted(seqs)
                    assert page["upto"] <= page["head"]
                    for row in page["rows"]:
                        state = apply(state, row)
                    seen = page["upto"]
                    if seen >= page["head"]:
                        break
            writing.result()
        late = fold("p", "a", rows_of(mine, "p", "a"))
        assert state == late
        assert [section["markdown"] for section in late["sections"]] == ["11.1 is done", "11.2 is done"]
