"""Who may ask: this machine without keys; with keys only who shows one, and only for its project."""

import subprocess
import sys

import pytest

from briefworks.errors import ConfigError
from briefworks.keys import hash_key, parse_keys
from served import NOWHERE, app_and_store

ACME, ALL = "bw_acme", "bw_all"
ASKED = {"projectId": "acme", "keyword": "standing desks"}
ARTICLE = "/api/projects/acme/articles/a1"
PRIVATE = ["/api/projects/acme/stream", "/api/projects/acme/articles", ARTICLE, f"{ARTICLE}.md",
           f"{ARTICLE}.html", f"{ARTICLE}/costs", f"{ARTICLE}/passages", "/api/personas",
           "/api/measures"]  # fmt: skip
JSON = {"Accept": "application/json"}
FRONT = "https://front.example"


def make_app(folder, **more):
    app, store = app_and_store(folder, **more)
    app.config["STORE"] = store
    return app


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    app = make_app(tmp_path_factory.mktemp("plain"), origins=FRONT)
    yield app
    app.config["STORE"].close()


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    app = make_app(
        tmp_path_factory.mktemp("keyed"),
        api_keys=f"acme:{hash_key(ACME)}, *:{hash_key(ALL)}",
        origins=FRONT,
        inngest_dev="",
        inngest_signing_key="signkey-test-" + "0" * 64,
        inngest_event_key="x",
        inngest_base_url=NOWHERE,
    )
    yield app
    app.config["STORE"].close()


def bearer(key):
    return {"Authorization": f"Bearer {key}", **JSON}


# --- without keys
@pytest.mark.parametrize("path", [*PRIVATE, "/api/session", "/healthz"])
@pytest.mark.parametrize(
    ("address", "headers"),
    [("192.0.2.7", {}), ("", {}), ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7, 127.0.0.1"})],
)
def test_without_keys_only_this_machine_is_answered(plain, path, address, headers):
    answer = plain.test_client().get(
        path, headers={**JSON, **headers}, environ_overrides={"REMOTE_ADDR": address}
    )
    assert answer.status_code == 403 and "briefworks keys new" in answer.json["hint"]


def test_without_keys_nobody_needs_to_log_in(plain):
    web = plain.test_client()
    assert web.get("/api/session").json == {"login": False, "projects": "*", "runs": True}
    assert web.post("/api/session", json={"key": "x"}).status_code == 401


def test_in_dev_mode_the_engine_must_be_on_this_machine(plain):
    far = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    answer = plain.test_client().post("/api/inngest?fnId=x", json={}, **far)
    assert answer.status_code == 403 and "INNGEST_SIGNING_KEY" in answer.json["hint"]
    assert plain.test_client().get("/api/inngest").status_code == 200


# --- with keys
@pytest.mark.parametrize("path", PRIVATE)
@pytest.mark.parametrize(
    "headers",
    [{}, bearer("bw_wrong"), bearer(""), {"Authorization": ACME}, {"Authorization": f"Basic {ACME}"},
     {"Cookie": "briefworks=bw_wrong"}, bearer(hash_key(ACME)), bearer("schlüssel")],
    ids=str,
)  # fmt: skip
def test_without_a_good_key_there_is_no_answer(keyed, path, headers):
    answer = keyed.test_client().get(path, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_opens_its_project_and_no_other(keyed):
    web = keyed.test_client()
    assert web.get("/api/projects/acme/stream", headers=bearer(ACME)).status_code == 200
    for path in ("stream", "articles", "articles/a1", "articles/a1.md"):
        other = web.get(f"/api/projects/other/{path}", headers=bearer(ACME))
        assert (other.status_code, other.json["code"]) == (404, "not-found")
    assert web.delete("/api/projects/other/articles/a1", headers=bearer(ACME)).status_code == 404
    assert (
        web.post("/api/projects/other/articles/a1/cancel", json={}, headers=bearer(ACME)).status_code == 404
    )
    refused = web.post("/api/articles", json={**ASKED, "projectId": "other"}, headers=bearer(ACME))
    assert refused.status_code == 404
    assert web.get("/api/projects/other/stream", headers=bearer(ALL)).status_code == 200


def test_a_session_is_a_cookie_that_no_script_reads(keyed):
    web = keyed.test_client()
    assert web.get("/api/session").json == {"login": True, "projects": [], "runs": False}
    assert web.post("/api/session", json={"key": "bw_wrong"}).status_code == 401
    assert web.post("/api/session", json={"key": 1}).json["field"] == "key"
    said = web.post("/api/session", json={"key": ACME}, headers={"X-Forwarded-Proto": "https"})
    assert said.status_code == 204
    cookie = {part.strip() for part in said.headers["Set-Cookie"].split(";")}
    assert {"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} <= cookie
    web.post("/api/session", json={"key": ACME})
    assert web.get("/api/session").json == {"login": True, "projects": ["acme"], "runs": False}
    assert web.get("/api/projects/acme/articles").status_code == 200
    assert web.delete("/api/session", headers={"Origin": "http://localhost"}).status_code == 204
    assert web.get("/api/projects/acme/articles").status_code == 401


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "https://bw.example", "Sec-Fetch-Site": "same-origin"}, True),  # behind a proxy
        ({}, False),
        ({"Origin": "http://localhost:3000"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": FRONT}, False),
        ({"Origin": FRONT, "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-site"}, False),
    ],
    ids=str,
)
def test_with_a_cookie_only_our_own_page_changes_anything(keyed, headers, allowed):
    web = keyed.test_client()
    web.set_cookie("briefworks", ACME)
    # What is no request: where it may be asked for, no engine is.
    asked = web.post("/api/articles", json={"x": 1}, headers=headers)
    assert asked.status_code == (400 if allowed else 403)
    if not allowed:
        assert web.delete(ARTICLE, headers=headers).status_code == 403
        assert web.post(f"{ARTICLE}/cancel", json={}, headers=headers).status_code == 403


def test_unsigned_requests_of_an_engine_are_refused_by_the_sdk(keyed):
    web = keyed.test_client()
    assert web.post("/api/inngest?fnId=briefworks-generate-article&stepId=step", json={}).status_code == 401
    assert web.get("/api/inngest").status_code == 401


# --- pages of other origins
@pytest.mark.parametrize("app", ["plain", "keyed"])
def test_an_allowed_front_end_may_ask_and_stream(request, app):
    web = request.getfixturevalue(app).test_client()
    asked = {"Origin": FRONT, "Sec-Fetch-Site": "cross-site"}
    before = web.options(
        "/api/projects/acme/stream",
        headers={**asked, "Access-Control-Request-Method": "GET",
                 "Access-Control-Request-Headers": "authorization,last-event-id"},
    )  # fmt: skip
    assert before.status_code == 200
    assert before.headers["Access-Control-Allow-Origin"] == FRONT
    assert {"Authorization", "Last-Event-ID"} <= set(
        before.headers["Access-Control-Allow-Headers"].split(", ")
    )
    answer = web.get("/api/projects/acme/stream", headers={**bearer(ACME), **asked})
    assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == FRONT
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("app", ["plain", "keyed"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://front.example.evil", f"{FRONT}:444", "null"]
)
def test_no_other_origin_is_admitted(request, app, origin):
    web = request.getfixturevalue(app).test_client()
    for answer in (
        web.get("/api/projects/acme/stream", headers={**bearer(ACME), "Origin": origin}),
        web.options("/api/articles", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
    ):
        assert answer.status_code == 403 and "Access-Control-Allow-Origin" not in answer.headers


def test_a_page_on_another_port_of_this_machine_may_ask_while_there_are_no_keys(plain, keyed):
    here = {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}
    answer = plain.test_client().get("/api/personas", headers=here)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert keyed.test_client().get("/api/personas", headers={**bearer(ACME), **here}).status_code == 403


@pytest.mark.parametrize("path", [*PRIVATE, "/healthz", "/api/session", "/nope", "/api/inngest"])
def test_every_answer_says_what_a_browser_may_not_do_with_it(plain, path):
    headers = plain.test_client().get(path, headers=JSON).headers
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


# --- the keys themselves
def test_a_new_key_opens_what_its_line_says(tmp_path):
    told = subprocess.run(
        [sys.executable, "-m", "briefworks", "keys", "new", "--project", "acme"],
        check=True, capture_output=True, text=True, cwd=tmp_path,
    ).stdout  # fmt: skip
    key = next(word for word in told.split() if word.startswith("bw_"))
    line = next(word for word in told.split() if word.startswith("BRIEFWORKS_API_KEYS="))
    keys = parse_keys(line.partition("=")[2])
    assert keys.projects(key) == {"acme"} and not keys.projects(key[:-1])
    assert key not in line and len(key) > 40


@pytest.mark.parametrize("text", ["acme", "acme:", "acme:secret", f"a/b:{'0' * 64}", f":{'0' * 64}"])
def test_a_line_that_is_none_is_refused_without_saying_it_again(text):
    with pytest.raises(ConfigError, match="entry 1") as told:
        parse_keys(text)
    assert "secret" not in str(told.value)
