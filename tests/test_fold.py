"""The fold: what rows add up to, the same in Python and JavaScript, the same for early and late readers."""

import copy
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings

from any_stream import ACTIONS, replay
from briefworks.fold import apply, empty_state, fold
from store_rows import FAILED, RUN, brief_done, polish_done, research_done, section_done, token, usage

CASES = sorted(Path(__file__).with_name("stream_cases").glob("*.json"))
RUNNER = Path(__file__).with_name("fold_runner.mjs")


@pytest.fixture(scope="module")
def javascript():
    """`fold` of fold.js."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on the PATH; install Node.js 18 or newer to test fold.js")
    with subprocess.Popen([node, RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:

        def fold_js(project_id, article_id, rows):
            line = json.dumps({"project_id": project_id, "article_id": article_id, "rows": rows})
            child.stdin.write(line + "\n")
            child.stdin.flush()
            return json.loads(child.stdout.readline())

        yield fold_js
        child.stdin.close()


# --- the recorded cases
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_python_folds_the_recorded_case(path):
    case = json.loads(path.read_text())
    assert fold("p", "a", case["rows"]) == case["state"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_javascript_folds_the_recorded_case(path, javascript):
    case = json.loads(path.read_text())
    assert javascript("p", "a", case["rows"]) == case["state"]


def test_the_recorded_cases_know_every_event():
    rows = [row for path in CASES for row in json.loads(path.read_text())["rows"]]
    known = {
        "run-started", "research-progress", "research-done", "thinking", "brief-token", "brief-done",
        "review-waiting", "review-done", "draft-token", "section-done", "draft-done", "polish-token",
        "critique-done", "polish-done", "run-failed", "run-cancelled",
    }  # fmt: skip
    assert {row["event"] for row in rows} >= known


# --- single promises
class Rows:
    """Rows of one article in the order of writing."""

    def __init__(self):
        self.rows = []

    def add(self, step, take, *rows, run="r1", article="a"):
        for event, data in rows:
            seq = len(self.rows) + 1
            self.rows.append(
                {
                    "project_id": "p",
                    "seq": seq,
                    "article_id": article,
                    "run_id": run,
                    "step": step,
                    "take": take,
                    "event": event,
                    "data": data,
                    "created_at": f"2026-11-01T00:00:{seq:02}.000Z",
                }
            )
        return self

    def state(self):
        return fold("p", "a", self.rows)


def started():
    rows = Rows().add("start", 1, ("run-started", RUN)).add("research", 1, research_done())
    return rows.add("brief", 1, brief_done("One", "Two"))


def test_a_retry_never_doubles_a_word():
    rows = started().add("draft-section-1", 1, token("Half a sen"), token("tence"))
    assert rows.state()["sections"][0] == {
        "n": 1, "heading": "One", "take": 1, "status": "writing", "markdown": "Half a sentence",
    }  # fmt: skip
    rows.add("draft-section-1", 2, ("thinking", {"since_ms": 1}))
    assert rows.state()["sections"][0] == {
        "n": 1, "heading": "One", "take": 2, "status": "writing", "markdown": "",
    }  # fmt: skip
    rows.add("draft-section-1", 2, token("A whole one."))
    rows.add("draft-section-1", 1, token(" zombie"), section_done(markdown="zombie"))
    assert rows.state()["sections"][0]["markdown"] == "A whole one."
    assert rows.state()["usage"]["calls"] == 2
    assert rows.state()["seq"] == 9


def test_the_brief_is_the_newest_one_and_its_text_is_that_of_the_step_being_written():
    rows = Rows().add("start", 1, ("run-started", RUN)).add("brief", 1, token("first", "brief-token"))
    assert rows.state()["brief_text"] == "first"
    rows.add("brief", 1, brief_done("One", "Two"))
    assert (rows.state()["brief_text"], len(rows.state()["sections"])) == ("", 2)
    rows.add("regenerate-brief", 1, token("sec", "brief-token"), token("ond", "brief-token"))
    assert rows.state()["brief_text"] == "second"
    rows.add("regenerate-brief", 2, token("third", "brief-token"))
    assert rows.state()["brief_text"] == "third"
    rows.add("regenerate-brief", 2, brief_done("Only"))
    assert [section["heading"] for section in rows.state()["sections"]] == ["Only"]
    assert rows.state()["brief"]["outline"][0]["heading"] == "Only"


def test_a_rewritten_section_replaces_the_drafted_one_and_its_tokens_do_not():
    rows = started().add("draft-section-2", 3, section_done(2, "Drafted."))
    rows.add("polish-section-2-1", 1, token("Rewr", "polish-token", paragraph=1))
    assert rows.state()["sections"][1]["markdown"] == "Drafted."
    rows.add("polish-section-2-1", 1, section_done(2, "Rewritten."))
    section = rows.state()["sections"][1]
    assert (section["markdown"], section["status"], section["take"]) == ("Rewritten.", "done", 3)


def test_the_finished_article_stands_for_all_before_it():
    rows = started().add("draft-section-1", 4, token("Half"))
    rows.add("polish", 2, polish_done("First.", "Second.", calls=30, usd=0.3))
    state = rows.state()
    assert (state["status"], state["phase"], state["takes"]) == ("done", "polish", {"polish": 2})
    assert [(s["markdown"], s["take"], s["status"]) for s in state["sections"]] == [
        ("First.", 2, "done"),
        ("Second.", 2, "done"),
    ]
    assert state["usage"] == usage(30, 0.3)
    assert state["research"] is not None
    assert state["brief"] is not None


def test_usage_counts_every_result_once_and_is_unknown_with_one_unknown_price():
    rows = Rows().add("start", 1, ("run-started", RUN)).add("research", 1, research_done(calls=1, usd=0.1))
    rows.add("brief", 1, brief_done("One", calls=2, usd=0.2)).add(
        "draft-section-1", 1, section_done(calls=4, usd=0.4)
    )
    assert rows.state()["usage"] == usage(7, 0.7)
    rows.add("polish-critique-1", 1, ("critique-done", {"usage": usage(1, None)}))
    rows.add("draft-section-1", 2, section_done(calls=4, usd=0.4))
    assert rows.state()["usage"] == usage(12, None)


def test_another_run_keeps_what_is_there_and_starts_the_clock_anew():
    rows = started().add("draft-section-1", 1, section_done()).add("end", 1, ("run-failed", FAILED))
    failed = rows.state()
    assert (failed["status"], failed["error"], failed["phase"]) == ("failed", FAILED, "draft")
    rows.add("start", 2, ("run-started", RUN), run="r2")
    state = rows.state()
    assert (state["status"], state["error"], state["run_id"], state["phase"]) == (
        "running",
        None,
        "r2",
        "research",
    )
    assert state["started_at"] == state["updated_at"] == rows.rows[-1]["created_at"]
    assert state["sections"] == failed["sections"]
    rows.add("end", 2, ("run-cancelled", {"by": "user", "reason": ""}), run="r2")
    assert (rows.state()["status"], rows.state()["error"]) == ("cancelled", None)


def test_rows_seen_before_of_others_or_of_tomorrow_change_nothing():
    rows = started().add("draft-section-1", 1, token("x"))
    state = rows.state()
    before = copy.deepcopy(state)
    for row in rows.rows:
        assert apply(state, row) is state
    new = {**rows.rows[-1], "seq": 99}
    assert apply(state, {**new, "article_id": "b"}) is state
    assert apply(state, {**new, "project_id": "q"}) is state
    assert apply(state, {**new, "event": "tomorrow", "take": 7, "run_id": "r9"}) == {**state, "seq": 99}
    apply(state, new)
    apply(state, {**new, "step": "polish", "event": "polish-done", "data": polish_done("One.")[1]})
    assert state == before


def test_tokens_of_a_section_that_the_outline_lacks_are_not_shown():
    rows = started().add("draft-section-9", 1, token("x"), section_done(9))
    assert [section["n"] for section in rows.state()["sections"]] == [1, 2]


# --- early and late readers
@settings(max_examples=200)
@given(actions=ACTIONS)
def test_whoever_reads_late_has_exactly_the_state_of_whoever_watched(actions):
    live = empty_state("p", "a")
    for store in replay(actions):
        for row in store.read(live["seq"])["rows"]:
            live = apply(live, row)
        assert fold("p", "a", store.rows) == live


@settings(max_examples=60)
@given(actions=ACTIONS)
def test_javascript_and_python_agree_on_any_stream(javascript, actions):
    seen = []
    for store in replay(actions):
        seen += store.read(len(seen) and seen[-1]["seq"])["rows"]
    assert javascript("p", "a", seen) == fold("p", "a", seen)
