"""`Client`: each of its questions, and what an app's refusals and silences become."""

import json
import logging
import pickle
import subprocess
import sys

import httpx
import pytest

import briefworks
from briefworks import (
    ArticleRequest,
    BriefworksError,
    Client,
    ConfigError,
    Conflict,
    EngineUnavailable,
    Forbidden,
    NotFound,
    NotStarted,
    RateLimited,
    RequestInvalid,
    Unauthorized,
    UpstreamUnavailable,
)
from stream_server import StreamServer
from waiting import free_port

KEY = "bw_top-secret-key"
STATE = "/api/projects/p/articles/a1"


@pytest.fixture(scope="module")
def running():
    server = StreamServer()
    yield server
    server.close()


@pytest.fixture
def server(running):
    running.reset()
    return running


@pytest.fixture
def client(server):
    with Client(server.url, api_key=KEY, timeout_s=3) as client:
        yield client


REQUEST = ArticleRequest(project_id="p", keyword="standing desks")


def ids(server):
    return [json.loads(body)["articleId"] for kind, body in server.asked if kind == "POST"]


def test_what_is_answered_unclearly_is_asked_again_with_the_same_id(server, client):
    server.faults = [("drop", 0), ("refuse", 503)]
    asked = client.request_article(REQUEST)
    assert ids(server) == [asked.article_id] * 3 and asked.project_id == "p" and not asked.existed


def test_the_id_of_the_request_is_kept_and_without_one_each_request_has_its_own(server, client):
    assert client.request_article(REQUEST.model_copy(update={"article_id": "mine"})).article_id == "mine"
    assert client.request_article(REQUEST).article_id != client.request_article(REQUEST).article_id


def test_asking_ends_after_a_few_attempts_and_says_the_id_to_ask_again_with(server, client):
    server.faults = [("refuse", 503)] * 9
    with pytest.raises(EngineUnavailable, match="no engine") as caught:
        client.request_article(REQUEST)
    (article_id,) = set(ids(server))
    assert len(ids(server)) == 4 and article_id in caught.value.hint and "wait" in caught.value.hint


def test_a_refusal_is_not_asked_again(server, client):
    server.faults = [("refuse", 409)] * 2
    with pytest.raises(Conflict):
        client.request_article(REQUEST)
    assert len(ids(server)) == 1


def listed(n):
    texts = {"keyword": f"k{n}", "persona": "plain-expert", "status": "done", "title": f"Title {n}"}
    at = f"2026-11-25T10:00:0{n}.000Z"
    return {"article_id": f"a{n}", **texts, "started_at": at, "updated_at": at}


def test_articles_are_listed_page_by_page_and_no_page_is_fetched_in_vain(server, client):
    server.listed = [listed(n) for n in range(5)]
    found = client.articles("p")
    assert [next(found)["article_id"] for _ in range(2)] == ["a4", "a3"] and len(server.asked) == 1
    assert [each["article_id"] for each in found] == ["a2", "a1", "a0"] and len(server.asked) == 3
    server.listed = []
    assert list(client.articles("p")) == []


def test_delete_and_personas(server, client):
    client.delete("p", "a1")
    assert server.asked == [("DELETE", STATE)]
    voices = [{"name": "plain-expert", "description": "Plain."}]
    server.answers["/api/personas"] = (200, json.dumps({"personas": voices}), {})
    assert client.personas() == voices


def test_the_text_of_an_article_comes_as_it_is(server, client):
    server.answers[f"{STATE}.md"] = (200, "# Ein Wörd 🙂\r\n", {"Content-Type": "text/markdown"})
    assert client.markdown("p", "a1") == "# Ein Wörd 🙂\r\n"


def problem(status, code="", **more):
    body = {"detail": "so it is", "code": code, **more}
    return (status, json.dumps(body), {"Content-Type": "application/problem+json"})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(401, "unauthorized"), Unauthorized),
        (problem(403, "forbidden"), Forbidden),
        (problem(404, "not-found"), NotFound),
        (problem(404, "not-started"), NotStarted),
        (problem(409, "conflict"), Conflict),
        (problem(400, "invalid", field="keyword", hint="shorter"), RequestInvalid),
        (problem(503, "engine-unavailable"), EngineUnavailable),
        (problem(503, "of-the-future"), UpstreamUnavailable),
        (problem(500, "internal"), UpstreamUnavailable),
        (problem(418, "teapot"), RequestInvalid),
        ((404, "<h1>nginx</h1>", {}), NotFound),
        ((502, "", {}), UpstreamUnavailable),
        ((302, "", {"Location": "/login"}), BriefworksError),
        ((200, "<h1>Log in</h1>", {}), UpstreamUnavailable),
        ((200, "{}", {}), UpstreamUnavailable),
        ((429, "", {"Retry-After": "7"}), RateLimited),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else f"{value[0]} {value[1][:40]}",
)
def test_every_refusal_is_one_of_our_errors(server, client, answer, error):
    server.answers[STATE] = answer
    with pytest.raises(error) as caught:
        client.article("p", "a1")
    told = pickle.loads(pickle.dumps(caught.value))
    assert type(told) is error and str(told)
    if answer[1].startswith('{"detail'):
        assert str(told) == "so it is"
    if error is RequestInvalid and answer[0] == 400:
        assert (told.field, told.hint) == ("keyword", "shorter")
    if "nginx" in answer[1]:
        assert "Is this the app's address?" in told.hint
    if error is RateLimited:
        assert told.retry_after_s == 7


def test_no_app_is_said_with_what_starts_one():
    with Client(f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(UpstreamUnavailable, match="No app answers") as caught:
            client.article("p", "a1")
        assert "briefworks dev" in caught.value.hint and "serve" in caught.value.hint


def test_a_slow_app_is_said(server):
    server.faults = [("silent", 0)]
    with Client(server.url, timeout_s=0.1) as client, pytest.raises(UpstreamUnavailable, match="in time"):
        list(client.follow("p", quiet_s=0.1, patience_s=0))


def test_the_key_is_sent_and_shown_nowhere(server, caplog):
    caplog.set_level(logging.DEBUG)
    seen = []
    with httpx.Client(event_hooks={"request": [lambda r: seen.append(r.headers["Authorization"])]}) as http:
        client = Client(server.url, api_key=KEY, http_client=http)
        server.answers[STATE] = problem(401, "unauthorized")
        with pytest.raises(Unauthorized) as caught:
            client.article("p", "a1")
        client.close()
        assert not http.is_closed  # it is its owner's
    assert seen == [f"Bearer {KEY}"]
    shown = repr(client) + repr(caught.value) + str(caught.value) + caught.value.hint + caplog.text
    assert KEY not in shown and "Bearer" not in shown


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://x", "http://", "http://x/?q=1", "http://[", 7])
def test_an_address_that_is_none_is_said_at_once(url):
    with pytest.raises(ConfigError, match="address"):
        Client(url)


def test_no_secret_comes_in_by_the_address_or_goes_out_by_an_error():
    with pytest.raises(ConfigError) as caught:
        Client("http://me:hunter2@127.0.0.1")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        Client(api_key="bw_secret\nX-Evil: 1")
    assert "bw_secret" not in str(caught.value)


@pytest.mark.parametrize("wrong", ["", "../x", "a/b", "ä", "x" * 65, None, 7])
def test_ids_that_are_none_never_become_a_path(server, client, wrong):
    for question in (client.article, client.cancel, client.delete, client.markdown):
        with pytest.raises(RequestInvalid):
            question(wrong, "a1")
    with pytest.raises(RequestInvalid):
        client.article("p", wrong if wrong is not None else "")
    with pytest.raises(RequestInvalid):
        client.follow(wrong)
    with pytest.raises(RequestInvalid):
        list(client.articles(wrong))
    assert server.asked == []


def test_every_public_name_is_there_and_listed_in_order():
    assert briefworks.__all__ == sorted(briefworks.__all__)
    for name in [*briefworks.__all__, "__version__"]:
        assert getattr(briefworks, name) is not None and name in dir(briefworks)
    with pytest.raises(AttributeError, match="Clinet"):
        _ = briefworks.Clinet


def test_importing_briefworks_takes_150_ms_at_the_most_and_its_client_no_server():
    code = (
        "import sys, time; at = time.process_time(); import briefworks; took = time.process_time() - at\n"
        "briefworks.Client\n"
        "print(took, [m for m in ('flask', 'inngest', 'anthropic', 'sqlite3') if m in sys.modules])"
    )
    told = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split(
            maxsplit=1
        )
        for _ in range(3)
    ]
    assert min(float(took) for took, _ in told) <= 0.15
    assert {loaded.strip() for _, loaded in told} == {"[]"}
