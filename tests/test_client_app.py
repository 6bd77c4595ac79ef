"""`Client` and a real app: killed while it is followed, with keys, with everything it can be asked."""

import hashlib
import threading

import pytest

from briefworks import ArticleRequest, Client, Conflict, NotFound, NotStarted, RequestInvalid, Unauthorized
from local import Local, Process
from waiting import wait_for

KEY = "bw_" + "k" * 43


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    local = Local(tmp_path_factory.mktemp("app"), upstream.url)
    yield local
    local.close()


@pytest.fixture
def client(local):
    with Client(local.app.url) as client:
        yield client


def request(article_id=None, **more):
    return ArticleRequest(
        project_id="p", keyword="standing desks", target_words=900, article_id=article_id, **more
    )


@pytest.mark.slow
def test_an_app_that_is_killed_and_started_again_is_followed_as_if_nothing_had_been(local, client):
    asked = client.request_article(request("killed", persona="plain-expert"))
    rows, kinds = [], set()

    def read():
        for row in client.follow("p", article_id=asked.article_id):
            rows.append(row)
            kinds.add(row["event"])

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    wait_for(lambda: kinds & {"brief-token", "brief-done", "draft-token"})
    local.app.kill()
    local.app.start()
    reader.join(120)
    assert not reader.is_alive() and rows[-1]["event"] == "polish-done"
    seqs = [row["seq"] for row in rows]
    assert seqs == sorted(set(seqs)) and rows[0]["event"] == "run-started"
    stored = local.rows("p", "killed")  # what is left of them was seen, and as it is
    assert [row for row in rows if row["seq"] in {kept["seq"] for kept in stored}] == stored


@pytest.mark.slow
def test_everything_an_app_can_be_asked(local, client):
    with pytest.raises(NotStarted):
        client.article("p", "one")
    assert not client.request_article(request("one")).existed
    last = list(client.follow("p", article_id="one"))[-1]
    assert last["event"] == "polish-done" and client.request_article(request("one")).existed
    assert list(client.follow("p", last["seq"], article_id="one")) == []
    assert client.article("p", "one") == local.state("p", "one")
    assert client.markdown("p", "one") == last["data"]["markdown"]
    with pytest.raises(Conflict):
        client.request_article(request("one", market="gb"))
    with pytest.raises(Conflict):
        client.cancel("p", "one")
    with pytest.raises(RequestInvalid) as caught:
        client.request_article(request(persona="nobody"))
    assert caught.value.field == "persona"
    listed = {article["article_id"]: article for article in client.articles("p")}
    assert (listed["one"]["status"], listed["one"]["keyword"]) == ("done", "standing desks")
    assert "plain-expert" in {persona["name"] for persona in client.personas()}
    client.delete("p", "one")
    client.delete("p", "one")
    with pytest.raises(NotFound):
        client.markdown("p", "one")


@pytest.mark.slow
def test_who_cancels_ends_the_following(client):
    client.request_article(ArticleRequest(project_id="p", keyword="oak", target_words=6000, article_id="c"))
    following = client.follow("p", article_id="c")
    next(following)
    client.cancel("p", "c")
    assert list(following)[-1]["event"] == "run-cancelled"


@pytest.mark.slow
def test_an_app_with_keys_lets_in_who_has_one(local):
    hashed = hashlib.sha256(KEY.encode()).hexdigest()
    env = {**local.env, "BRIEFWORKS_API_KEYS": f"p:{hashed}"}
    app = Process("keyed", ["briefworks", "serve", "--json", "--port", "0"], env, local.folder / "keyed.log")
    try:
        for key in (None, "bw_wrong"):
            with Client(app.url, api_key=key) as client:
                for ask in (client.articles("p").__next__, client.personas, client.follow("p").__next__):
                    with pytest.raises(Unauthorized) as caught:
                        ask()
                assert "api_key" in caught.value.hint or "BRIEFWORKS_API_KEY" in caught.value.hint
        with Client(app.url, api_key=KEY) as client:
            asked = client.request_article(request())
            assert next(client.follow("p", article_id=asked.article_id))["event"] == "run-started"
            with pytest.raises(NotFound):
                client.article("q", asked.article_id)
            client.cancel("p", asked.article_id)
    finally:
        app.stop()
