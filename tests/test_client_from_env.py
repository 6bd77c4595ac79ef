"""`Client.from_env`: what it needs, what each of its questions answers without an app, and who may what."""

import json
import os
from contextlib import closing

import pytest

from briefworks import (
    ArticleRequest,
    Client,
    ConfigError,
    Conflict,
    Forbidden,
    NotFound,
    NotStarted,
    RequestInvalid,
    UpstreamUnavailable,
)
from briefworks.stores.postgres import PostgresStore
from environment import environment
from local import Local
from store_rows import RUN, polish_done, research_done
from supabase_project import PUBLISHABLE_KEY, SECRET_KEY

URL = "http://127.0.0.1:9"
KEYS = {"SUPABASE_SECRET_KEY": SECRET_KEY, "SUPABASE_PUBLISHABLE_KEY": PUBLISHABLE_KEY}
REQUEST = ArticleRequest(project_id="p", keyword="standing desks", article_id="a", target_words=900)


@pytest.fixture
def store(database_url):
    with closing(PostgresStore(database_url)) as store:
        yield store


@pytest.fixture
def client_of(monkeypatch, tmp_path):
    """A client of exactly this environment."""
    opened = []

    def open_client(access_token=None, **variables):
        for name in os.environ.keys() - environment().keys():
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        opened.append(Client.from_env(access_token=access_token))
        return opened[-1]

    yield open_client
    for client in opened:
        client.close()


@pytest.fixture
def engine(httpserver):
    """Takes events; `sent()` are those it got."""
    httpserver.expect_request("/e/key", method="POST").respond_with_json({"ids": ["1"], "status": 200})
    httpserver.sent = lambda: [
        (event["name"], event["data"]) for request, _ in httpserver.log for event in json.loads(request.data)
    ]
    return httpserver


@pytest.fixture
def client(client_of, peer, engine):
    return client_of(SUPABASE_URL=peer.url, INNGEST_DEV=engine.url_for(""), INNGEST_EVENT_KEY="key", **KEYS)


@pytest.mark.parametrize(
    ("as_user", "variables", "said"),
    [
        (False, {}, "SUPABASE_URL and SUPABASE_SECRET_KEY"),
        (True, {"SUPABASE_SECRET_KEY": SECRET_KEY}, "SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY"),
        (False, {"SUPABASE_URL": URL}, "SUPABASE_SECRET_KEY"),
        (True, {"SUPABASE_URL": URL, "SUPABASE_SECRET_KEY": SECRET_KEY}, "SUPABASE_PUBLISHABLE_KEY"),
        (False, {"BRIEFWORKS_STORE": "sqlite:///x.db", "SUPABASE_URL": URL, **KEYS}, "sqlite"),
        (
            False,
            {"BRIEFWORKS_STORE": "postgresql://me:hidden@h/d", **KEYS},
            "postgresql",
        ),
        (False, {"SUPABASE_URL": URL, "SUPABASE_SECRET_KEY": PUBLISHABLE_KEY}, "SUPABASE_SECRET_KEY"),
        (True, {"SUPABASE_URL": URL, "SUPABASE_PUBLISHABLE_KEY": SECRET_KEY}, "SUPABASE_PUBLISHABLE_KEY"),
        (False, {"SUPABASE_URL": "my project", **KEYS}, "SUPABASE_URL"),
    ],
)
def test_what_is_missing_or_in_the_wrong_place_is_named(client_of, as_user, variables, said):
    with pytest.raises(ConfigError, match=said) as caught:
        client_of((lambda: "token") if as_user else None, **variables)
    words = str(caught.value) + caught.value.hint
    assert caught.value.hint and "hidden" not in words and SECRET_KEY not in words
    assert ("Client(url)" in words) == ("Not set" in words or "only the app" in words)


def test_who_only_reads_needs_no_engine_and_who_asks_is_told_which_key(client_of, peer):
    client = client_of(SUPABASE_URL=peer.url, **KEYS)
    assert repr(client) == f"Client({peer.url!r})" and SECRET_KEY not in repr(vars(client))
    assert list(client.articles("p")) == []
    with pytest.raises(ConfigError) as caught:
        client.request_article(REQUEST)
    assert "INNGEST_EVENT_KEY" in caught.value.hint and "SIGNING" not in caught.value.hint


def test_an_article_is_asked_for_once_through_the_engine(client, store, engine):
    assert not client.request_article(REQUEST).existed
    assert engine.sent() == [("article.requested", REQUEST.event()["data"])]
    store.start_run("p", "a", "r", RUN)
    assert client.request_article(REQUEST).existed
    with pytest.raises(Conflict):
        client.request_article(REQUEST.model_copy(update={"keyword": "chairs"}))
    with pytest.raises(RequestInvalid, match="persona"):
        client.request_article(REQUEST.model_copy(update={"persona": "nobody", "article_id": "b"}))
    assert len(engine.sent()) == 1


def test_it_answers_what_an_app_would(client, store, engine):
    with pytest.raises(NotStarted):
        client.article("p", "a")
    store.start_run("p", "a", "r", RUN)
    store.open_take("p", "a", "r", "research", "c1")
    store.finish("p", "a", "research", 1, 0, [research_done()])
    with pytest.raises(NotFound, match="not finished"):
        client.markdown("p", "a")
    store.open_take("p", "a", "r", "polish", "c1")
    store.finish("p", "a", "polish", 1, 0, [polish_done()], True)
    assert client.article("p", "a")["status"] == "done"
    assert client.markdown("p", "a") == polish_done()[1]["markdown"]
    assert client.costs("p", "a")["total"]["paid"]["calls"] == 0
    assert [row["event"] for row in client.follow("p", article_id="a")][-1] == "polish-done"
    assert list(client.follow("p", after=3, article_id="a")) == []
    assert [one["article_id"] for one in client.articles("p")] == ["a"]
    assert "plain-expert" in [one["name"] for one in client.personas()]
    with pytest.raises(Conflict):
        client.cancel("p", "a")
    client.cancel("p", "early")
    assert engine.sent()[-1] == ("article.cancelled", {"projectId": "p", "articleId": "early"})
    client.delete("p", "a")
    assert list(client.articles("p")) == []


def test_a_list_of_more_than_a_page_has_each_article_once(client, store):
    for n in range(53):
        store.start_run("p", f"a{n}", f"r{n}", RUN)
    assert sorted(one["article_id"] for one in client.articles("p")) == sorted(f"a{n}" for n in range(53))


def test_a_user_reads_his_projects_and_changes_nothing(client_of, peer, store, engine):
    user = peer.project.add_user("reader@example.org", "p")
    store.start_run("p", "a", "r", RUN)
    store.start_run("other", "a", "r2", RUN)
    client = client_of(
        lambda: peer.project.mint(user.id), SUPABASE_URL=peer.url, INNGEST_DEV=engine.url_for(""), **KEYS
    )
    assert client.article("p", "a")["status"] == "running"
    with pytest.raises(NotStarted):
        client.article("other", "a")
    for forbidden in (client.cancel, client.delete, client.costs):
        with pytest.raises(Forbidden) as caught:
            forbidden("p", "a")
        assert "Client(url)" in caught.value.hint
    assert engine.sent() == [] and store.read("p")["head"] == 1


def test_a_token_that_ended_by_a_moment_is_asked_for_again(client_of, peer, store):
    user = peer.project.add_user("reader@example.org", "p")
    store.start_run("p", "a", "r", RUN)
    tokens = [peer.project.mint(user.id, -1), peer.project.mint(user.id)]
    client = client_of(lambda: tokens.pop(0), SUPABASE_URL=peer.url, **KEYS)
    assert client.article("p", "a")["status"] == "running" and tokens == []


def test_what_breaks_in_access_token_is_said_without_what_it_said(client_of, peer):
    def broken():
        raise OSError("a secret of yours")

    client = client_of(broken, SUPABASE_URL=peer.url, **KEYS)
    with pytest.raises(UpstreamUnavailable, match=r"access_token\(\) failed \(OSError\)") as caught:
        client.article("p", "a")
    assert "secret of yours" not in str(caught.value)


@pytest.mark.slow
def test_an_article_from_the_request_to_the_text_with_no_app_asked(client_of, peer, upstream, tmp_path):
    supabase = {"BRIEFWORKS_STORE": "supabase", "SUPABASE_URL": peer.url, **KEYS}
    local = Local(tmp_path, upstream.url, **supabase)
    with closing(local):
        client = client_of(INNGEST_DEV=local.executor.url, **supabase)
        asked = client.request_article(REQUEST)
        rows = list(client.follow("p", article_id=asked.article_id))
        assert rows[-1]["event"] == "polish-done"
        assert any(row["event"] == "draft-token" for row in rows)
        article = client.article("p", "a")
        assert article["polished"]["markdown"] == client.markdown("p", "a")
        assert client.costs("p", "a")["total"]["paid"] == article["polished"]["usage"]
        assert peer.joined >= 1
