"""Takes and the call memo, seen from the engine: other runs and doubled requests pay nothing twice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha1

import pytest

from briefworks.settings import Settings
from briefworks.shapes import ArticleRequest, add_usage
from briefworks.stream import rows_of
from briefworks.web import create_app
from briefworks.web.parts import build_parts
from prices import prices_of_tests
from waiting import wait_for

ASKED = {"projectId": "p", "articleId": "a1", "keyword": "standing desks", "targetWords": 600}


class Engine:
    """Calls the app as an engine does, one request at a time, and stops where a test wants it to."""

    def __init__(self, app, run_id, article="a1"):
        self.app, self.run_id, self.memos, self.names = app, run_id, {}, []
        self.asked = {**ASKED, "articleId": article}

    def request(self, target="step"):
        event = {
            "name": "article.requested",
            "id": f"p/{self.asked['articleId']}",
            "data": self.asked,
            "ts": 1,
        }
        ctx = {
            "attempt": 0,
            "max_attempts": 1,
            "disable_immediate_execution": target != "step",
            "run_id": self.run_id,
            "stack": {"current": 0, "stack": []},
        }
        body = {"ctx": ctx, "event": event, "events": [event], "steps": self.memos, "use_api": False}
        path = f"/api/inngest?fnId=briefworks-generate-article&stepId={target}"
        return self.app.test_client().post(path, json=body, headers={"X-Inngest-Server-Kind": "dev"})

    def until(self, stop):
        """Run steps until `stop(name of the next step)` or the end; the last answer."""
        while True:
            answer = self.request()
            if answer.status_code != 206:
                return answer
            for op in answer.json:
                if stop(op["displayName"]):
                    return answer
                done = self.request(op["id"]).json[0] if op["op"] == "StepPlanned" else op
                self.names.append(done["displayName"])
                self.memos[done["id"]] = {"data": done["data"]}


@pytest.fixture
def app(tmp_path, upstream):
    settings = Settings.load(
        _env_file=None,
        anthropic_base_url=upstream.url,
        searxng_url=upstream.url,
        model="synthetic",
        allow_hosts=[upstream.url.partition("://")[2]],
        inngest_dev="http://127.0.0.1:9",
        data_dir=tmp_path,
        prices=prices_of_tests(tmp_path),
    )
    parts = build_parts(settings)
    app = create_app(settings, parts)
    app.extensions["store"] = parts.store
    yield app
    parts.store.close()


@pytest.mark.parametrize(("claimed", "status"), [(True, 206), (False, 200)])
def test_a_run_that_began_before_start_told_its_run_goes_on(app, claimed, status):
    engine = Engine(app, "run-1")
    asked = ArticleRequest.model_validate(ASKED)
    app.extensions["store"].start_run("p", "a1", "run-1", asked.run_started(None))
    engine.memos[sha1(b"start").hexdigest()] = {"data": claimed}
    answer = engine.request()
    assert answer.status_code == status, answer.text


@pytest.mark.slow
def test_another_article_on_the_keyword_asks_the_search_no_second_time_that_day(app, upstream):
    Engine(app, "run-1").until(lambda name: name == "brief")
    Engine(app, "run-2", "a2").until(lambda name: name == "brief")
    assert len(upstream.calls("search")) == 1
    store = app.extensions["store"]
    first, second = (
        next(row["data"] for row in rows_of(store, "p", article) if row["event"] == "research-done")
        for article in ("a1", "a2")
    )
    assert [page["url"] for page in first["pages"]] == [page["url"] for page in second["pages"]]
    asked = [[entry["outcome"] for entry in store.entries("p", article)] for article in ("a1", "a2")]
    assert [outcomes.count("searched") for outcomes in asked] == [1, 0]
    assert [article["article_id"] for article in store.articles("p")] == ["a2", "a1"]


def prompts(upstream):
    return Counter(call["prompt_sha"] for call in upstream.calls("model"))


@pytest.mark.slow
def test_another_run_of_the_article_pays_only_for_what_was_never_answered(app, upstream):
    store = app.extensions["store"]
    first = Engine(app, "run-1")
    first.until(lambda name: name == "draft")
    assert {"research", "brief", "draft-section-1", "draft-section-2"} <= set(first.names)
    paid = prompts(upstream)
    store.end_run(
        "p", "run-1", "run-failed", {"code": "x", "step": "", "message": "", "hint": "", "retriable": True}
    )

    second = Engine(app, "run-2")
    second.until(lambda name: name == "announce")
    assert prompts(upstream) - paid and set(prompts(upstream).values()) == {1}
    rows = rows_of(store, "p", "a1")
    assert rows[-1]["event"] == "polish-done" and rows[-1]["run_id"] == "run-2"


@pytest.mark.slow
def test_a_replay_from_a_step_is_a_run_of_its_own_and_pays_nothing_twice(app, upstream):
    store = app.extensions["store"]
    first = Engine(app, "run-1")
    first.until(lambda name: name == "announce")
    paid = prompts(upstream)
    done = rows_of(store, "p", "a1")[-1]["data"]

    second = Engine(app, "run-2")
    second.memos = {  # what an engine keeps that runs this again from `draft`
        sha1(name.encode()).hexdigest(): first.memos[sha1(name.encode()).hexdigest()]
        for name in ("start", "research", "brief", *first.names)
        if name.split("-")[0] != "polish" and name != "draft"
    }
    second.until(lambda name: name == "announce")
    assert second.names[:2] == ["start-2", "draft"] and second.names[-1] == "polish"
    assert prompts(upstream) == paid
    rows = rows_of(store, "p", "a1")
    assert [(r["run_id"], r["event"], r["take"]) for r in rows if r["step"] in ("start", "polish")] == [
        ("run-1", "run-started", 1),
        ("run-1", "polish-done", 1),
        ("run-2", "run-started", 2),
        ("run-2", "polish-done", 2),
    ]
    assert rows[-1]["data"]["markdown"] == done["markdown"]

    third = Engine(app, "run-3")  # the same event once more is still a duplicate
    assert third.until(lambda _: False).json is None and third.names == ["start"]


@pytest.mark.slow
def test_two_requests_for_one_step_give_one_result(app, upstream):
    engine = Engine(app, "run-1")
    upstream.fault("slow", match='<section n="1"', times=2, tokens_per_s=100)
    engine.until(lambda name: name.startswith("draft-section-"))
    target = sha1(b"draft-section-1").hexdigest()
    store = app.extensions["store"]
    with ThreadPoolExecutor(2) as pool:
        loser = pool.submit(engine.request, target)
        wait_for(lambda: any(row["event"] == "draft-token" for row in rows_of(store, "p", "a1")))
        winner = pool.submit(engine.request, target)
        (lost,), (won,) = loser.result().json, winner.result().json
    assert lost["op"] == won["op"] == "StepRun"
    assert lost["data"] == won["data"]
    done = [row for row in rows_of(store, "p", "a1") if row["step"] == "draft-section-1"]
    assert [(row["event"], row["take"]) for row in done] == [("section-done", 2)]
    assert won["data"] == done[0]["data"]
    assert [call["ended"] for call in upstream.calls("model")].count("aborted") == 1
    entries = [entry for entry in store.entries("p", "a1") if entry["step"] == "draft-section-1"]
    assert [(entry["take"], entry["outcome"]) for entry in entries] == [(1, "stale-take"), (2, "answered")]
    assert entries[0]["usage"]["input_tokens"] > 0


def test_a_take_that_fails_for_another_reason_than_the_model_says_so_in_the_account(app, upstream):
    engine, store = Engine(app, "run-1"), app.extensions["store"]
    upstream.fault("page_500", match="/", times=99)
    engine.until(lambda name: name == "research")
    searched, entry = store.entries("p", "a1")
    assert (searched["outcome"], searched["model"], searched["take"]) == ("searched", "searxng", 1)
    assert (entry["step"], entry["take"], entry["outcome"]) == ("research", 1, "failed")
    assert "page" in entry["reason"] and entry["usage"]["calls"] == 0


def test_what_a_result_says_it_used_is_the_sum_of_the_entries_of_its_take(app, upstream):
    engine, store = Engine(app, "run-1"), app.extensions["store"]
    upstream.fault("bad_json")
    engine.until(lambda name: name.startswith("draft-section-"))
    assert engine.names == ["start", "research", "brief"]
    entries = store.entries("p", "a1")
    assert [entry["outcome"] for entry in entries].count("invalid") == 1
    done = [row for row in rows_of(store, "p", "a1") if row["event"].endswith("-done")]
    for row in done:
        of_it = [e["usage"] for e in entries if (e["step"], e["take"]) == (row["step"], row["take"])]
        assert add_usage(*of_it) == row["data"]["usage"] and row["data"]["usage"]["usd"] > 0
    costs = app.test_client().get("/api/projects/p/articles/a1/costs").json
    assert costs["total"]["paid"] == add_usage(*(row["data"]["usage"] for row in done))
    assert {(e["run_id"], e["attempt"]) for e in costs["entries"]} == {("run-1", 0)}


def test_a_step_whose_answer_was_lost_answers_from_the_store(app, upstream):
    engine = Engine(app, "run-1")
    engine.until(lambda name: name == "research")  # its answer is not kept: the engine asks again
    asked = len(upstream.calls())
    (again,) = engine.request().json
    assert again["displayName"] == "research" and again["data"]["pages"]
    assert len(upstream.calls()) == asked  # no search, no page, no model
