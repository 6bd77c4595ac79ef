"""However a run ends, it has one terminal row, nothing comes after it, and nothing is paid twice."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from briefworks.shapes import TERMINAL
from local import Local
from waiting import wait_for


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    local = Local(tmp_path_factory.mktemp("endings"), upstream.url)
    yield local
    local.close()


def cancel(local, project, article="a1"):
    return local.http.post(f"/api/projects/{project}/articles/{article}/cancel", json={})


def the_end(local, project):
    """The terminal event of the article, seen to be the last of its rows and the only one."""
    rows = local.wait_end(project)
    terminal = [row for row in rows if row["event"] in TERMINAL]
    assert len(terminal) == 1 and rows[-1] == terminal[0]
    return terminal[0]


def still_the_end(local, project, upstream):
    """After everything in flight has ended, still nothing follows the terminal row."""
    wait_for(lambda: all(call["ended"] != "open" for call in upstream.calls()))
    return the_end(local, project)["event"]


def test_a_cancel_before_the_run_exists_is_kept_and_pays_nothing(local, upstream):
    assert cancel(local, "early").status_code == 202
    assert local.ask("early").status_code == 202
    assert the_end(local, "early")["event"] == "run-cancelled"
    assert upstream.calls("model") == []


@pytest.mark.slow
def test_a_queued_article_that_is_deleted_never_begins_and_pays_nothing(tmp_path, upstream):
    local = Local(tmp_path, upstream.url, BRIEFWORKS_CONCURRENCY="1")  # the first one has the only place
    try:
        upstream.fault("page_slow", match="/pages/", times=1, seconds=2)
        assert local.ask(article="first", targetWords=600).status_code == 202
        wait_for(lambda: local.rows(article="first"))
        assert local.ask(article="queued", keyword="whale songs").status_code == 202
        assert local.rows(article="queued") == []
        assert local.http.delete("/api/projects/p/articles/queued").status_code == 204
        local.wait_end(article="first")
        runs = f"{local.executor.url}/v2/runs"

        def ended():
            found = [one["status"] for one in httpx.get(runs, trust_env=False).json()["data"]]
            return len(found) >= 2 and not {"RUNNING", "QUEUED"} & set(found)

        wait_for(ended, what="the end of both runs")
        listed = local.http.get("/api/projects/p/articles").json()["articles"]
        assert [one["article_id"] for one in listed] == ["first"] and local.rows(article="queued") == []
        assert not [call for call in upstream.calls() if "whale" in str(call)]
    finally:
        local.close()


@pytest.mark.parametrize(("event", "slow"), [("research-progress", ""), ("draft-token", "<section n=")])
def test_a_cancel_during_the_run_ends_it_at_once(local, upstream, event, slow):
    project = f"cancel-{event}"
    upstream.fault("slow", match=slow, times=20, tokens_per_s=40)
    local.ask(project)
    wait_for(lambda: any(row["event"] == event for row in local.rows(project)))
    assert cancel(local, project).status_code == 202
    assert the_end(local, project)["event"] == "run-cancelled"
    assert cancel(local, project).status_code == 409
    assert still_the_end(local, project, upstream) == "run-cancelled"


def test_a_cancel_after_the_end_is_refused(local, upstream):
    local.ask("late")
    assert the_end(local, "late")["event"] == "polish-done"
    assert cancel(local, "late").status_code == 409
    assert the_end(local, "late")["event"] == "polish-done"


def test_the_same_request_again_is_the_same_article_and_another_one_a_conflict(local, upstream):
    local.ask("again")
    the_end(local, "again")
    calls = len(upstream.calls("model"))
    assert local.ask("again").status_code == 200
    assert local.ask("again", keyword="something else").status_code == 409
    assert len(upstream.calls("model")) == calls


def test_a_fatal_section_ends_the_run_with_its_reason(local, upstream):
    upstream.fault("auth", match="<section n=", times=50)
    local.ask("fatal")
    end = the_end(local, "fatal")
    assert end["event"] == "run-failed"
    assert end["data"]["code"] == "model-rejected"
    assert end["data"]["step"].startswith("draft-section-")
    assert end["data"]["hint"]
    assert still_the_end(local, "fatal", upstream) == "run-failed"


@pytest.mark.slow
def test_an_overloaded_model_is_asked_again_and_siblings_are_not_repeated(local, upstream):
    upstream.fault("cut", match="<section n=", times=1)
    local.ask("overload")
    assert the_end(local, "overload")["event"] == "polish-done"
    repeats = [
        count for count in Counter(c["prompt_sha"] for c in upstream.calls("model")).values() if count > 1
    ]
    assert repeats == [2]


def test_an_invalid_raw_event_fails_the_run_of_a_valid_project(local):
    event = {"name": "article.requested", "data": {"projectId": "raw", "articleId": "a1", "keyword": ""}}
    assert httpx.post(f"{local.executor.url}/e/test", json=event, trust_env=False).status_code == 200
    end = the_end(local, "raw")
    assert (end["event"], end["data"]["code"]) == ("run-failed", "invalid")
    assert "keyword" in end["data"]["message"]


@pytest.mark.slow
def test_a_raw_event_without_an_article_id_is_named_by_the_event(local):
    event = {
        "name": "article.requested",
        "id": "from-elsewhere",
        "data": {"projectId": "raw2", "keyword": "tea"},
    }
    httpx.post(f"{local.executor.url}/e/test", json=event, trust_env=False)
    wait_for(lambda: local.store.articles("raw2"))
    assert local.wait_end("raw2", local.store.articles("raw2")[0]["article_id"])[-1]["event"] == "polish-done"


@pytest.mark.slow
def test_the_example_that_knows_only_inngest_gets_an_article(local):
    example = Path(__file__).parent.parent / "examples/send_event.py"
    ran = subprocess.run(
        [sys.executable, str(example), "green", "tea"],
        check=True,
        env={**os.environ, "INNGEST_DEV": local.executor.url},
        capture_output=True,
        text=True,
    )
    assert "/api/projects/acme/stream?article=from-an-event" in ran.stdout
    rows = local.wait_end("acme", "from-an-event")
    assert rows[-1]["event"] == "polish-done" and rows[0]["data"]["keyword"] == "green tea"
