"""The app's routes: clear errors, nothing stored for a bad request, no way in for a foreign web page."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from briefworks.errors import ConfigError
from briefworks.settings import Settings
from briefworks.web import create_app
from served import app_and_store

GOOD = {"projectId": "acme", "keyword": "standing desks"}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    app, store = app_and_store(folder)
    app.extensions["store"] = store
    yield app
    store.close()


@pytest.fixture
def web(app):
    return app.test_client()


def nothing_stored(app):
    return app.extensions["store"].read("acme")["head"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "projectId"),
        ({"projectId": "acme"}, "keyword"),
        ({**GOOD, "keyword": " a "}, "keyword"),
        ({**GOOD, "keyword": "x" * 10_000}, "keyword"),
        ({**GOOD, "keyword": "a\x00bc"}, "keyword"),
        ({**GOOD, "projectId": "a/b"}, "projectId"),
        ({**GOOD, "persona": "nobody"}, "persona"),
        ({**GOOD, "persona": "../../etc/passwd"}, "persona"),
        ({**GOOD, "targetWords": 599}, "targetWords"),
        ({**GOOD, "targetWords": "1800"}, "targetWords"),
        ({**GOOD, "review": True}, "review"),
        ({**GOOD, "budgetUsd": 1.5}, "budgetUsd"),
        ({**GOOD, "colour": "red"}, "colour"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_a_bad_request_names_its_field(app, web, body, field):
    answer = web.post("/api/articles", json=body)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.json["field"] == field and answer.json["detail"]
    assert nothing_stored(app)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 30_000, b'{"a":' * 5000 + b"1", b"\xff\xfe", b"null", b"[]", b"1"]
)
def test_a_body_that_is_no_request_is_refused(app, web, body):
    answer = web.post("/api/articles", data=body, content_type="application/json")
    assert answer.status_code == 400 and answer.json["code"] == "invalid"
    assert nothing_stored(app)


def test_a_body_above_64_kb_is_refused(web):
    assert web.post("/api/articles", json={**GOOD, "keyword": "x" * 70_000}).status_code == 413


def test_an_unreachable_engine_is_said_with_the_way_out(app, web):
    answer = web.post("/api/articles", json=GOOD)
    assert (answer.status_code, answer.json["code"]) == (503, "engine-unavailable")
    assert "same id" in answer.json["hint"]
    assert nothing_stored(app)


FOREIGN = [
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://127.0.0.1.evil.example"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
]
OURS = ["/api/articles", "/api/projects/acme/articles/a1/cancel"]


@pytest.mark.parametrize(("headers", "status"), FOREIGN, ids=str)
@pytest.mark.parametrize("path", [*OURS, "/api/inngest"])
def test_a_foreign_web_page_cannot_start_or_stop_anything(app, web, path, headers, status):
    answer = web.post(path, data=json.dumps(GOOD), headers={"Content-Type": "application/json", **headers})
    assert answer.status_code == status
    assert nothing_stored(app)


@pytest.mark.parametrize("path", OURS)
def test_an_unknown_host_name_is_refused(app, web, path):
    answer = web.post(path, json=GOOD, headers={"Host": "evil.example:8000"})
    assert answer.status_code == 403
    assert nothing_stored(app)


def test_our_own_pages_and_tools_may_ask(web):
    for origin in ("http://127.0.0.1:8000", "http://localhost:3000", "http://[::1]:8000"):
        assert web.post("/api/articles", json={}, headers={"Origin": origin}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/api/projects/acme/articles/none", "/api/projects/acme/articles/none.md", "/nope"]
)
def test_what_is_not_there_is_404(web, path):
    answer = web.get(path)
    assert answer.status_code == 404 and answer.content_type == "application/problem+json"
    assert ("There is no /nope here." if path == "/nope" else "of project 'acme'") in answer.json["detail"]


def test_an_article_without_a_row_has_not_started(web):
    assert web.get("/api/projects/acme/articles/none").json["code"] == "not-started"


def test_the_stream_of_an_unknown_project_is_empty(web):
    assert web.get("/api/projects/nobody/stream", headers={"Accept": "application/json"}).json == {
        "rows": [],
        "head": 0,
        "upto": 0,
    }


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=9" + "9" * 30, "limit=0.5", "after=١", "article=a/b"]
)
def test_a_bad_query_is_400(web, query):
    assert web.get(f"/api/projects/acme/stream?{query}").status_code == 400


def test_health_says_what_is_wrong_and_no_secret(web):
    answer = web.get("/healthz")
    assert answer.status_code == 503
    assert (answer.json["store"], answer.json["engine"]) == (True, False)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(
    [
        "projectId",
        "keyword",
        "persona",
        "articleId",
        "language",
        "market",
        "targetWords",
        "review",
        "budgetUsd",
    ]
)


@settings(max_examples=150)
@given(body=st.dictionaries(fields, json_values, max_size=6) | json_values)
def test_no_body_is_answered_by_a_server_error(app, web, body):
    answer = web.post("/api/articles", data=json.dumps(body), content_type="application/json")
    assert answer.status_code in (400, 503) and answer.json["code"] in ("invalid", "engine-unavailable")


@settings(max_examples=100)
@given(path=st.text(max_size=60), method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]))
def test_no_path_is_answered_by_a_server_error(app, web, path, method):
    answer = web.open("/api/" + path.replace("\r", "").replace("\n", ""), method=method)
    assert answer.status_code < 500


def test_half_a_configuration_is_refused_with_the_way_out(tmp_path):
    half = Settings.load(_env_file=None, anthropic_api_key="x", inngest_dev="1", data_dir=tmp_path)
    with pytest.raises(ConfigError, match="no search") as told:
        create_app(half)
    assert "SERPER_API_KEY" in told.value.hint


def test_no_engine_is_refused_with_the_way_out(tmp_path):
    none = Settings.load(
        _env_file=None, anthropic_api_key="x", searxng_url="http://127.0.0.1:9", data_dir=tmp_path
    )
    with pytest.raises(ConfigError, match="No engine") as told:
        create_app(none)
    assert "INNGEST_DEV" in told.value.hint
