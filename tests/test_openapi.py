"""docs/openapi.json is the app's routes, and no request made out of it does harm."""

import json
import re
import sqlite3
from pathlib import Path

import pytest
import schemathesis
from hypothesis import settings

from briefworks.keys import hash_key
from briefworks.settings import Settings
from briefworks.web import create_app
from briefworks.web.openapi import document
from briefworks.web.parts import build_parts

DOCUMENT = document()
KEY = "bw_test"
schema = schemathesis.openapi.from_dict(DOCUMENT).exclude(path="/api/inngest")  # the SDK's own
thorough = settings(max_examples=25)


@pytest.fixture(scope="module")
def engine(threaded_server):
    """Takes every event and does nothing."""
    threaded_server.expect_request(re.compile("/e/.*")).respond_with_json({"ids": ["1"], "status": 200})
    threaded_server.expect_request("/health").respond_with_json({})
    return threaded_server.url_for("").rstrip("/")


def make_app(folder, engine, **more):
    nowhere = "http://127.0.0.1:9"
    chosen = Settings.load(
        _env_file=None, anthropic_base_url=nowhere, searxng_url=nowhere, inngest_dev=engine, data_dir=folder,
        **more,
    )  # fmt: skip
    parts = build_parts(chosen)
    app = create_app(chosen, parts)
    app.config["STORE"] = parts.store
    return app


@pytest.fixture(scope="module")
def app(tmp_path_factory, engine):
    app = make_app(tmp_path_factory.mktemp("open"), engine)
    yield app
    app.config["STORE"].close()


@pytest.fixture(scope="module")
def keyed(tmp_path_factory, engine):
    app = make_app(tmp_path_factory.mktemp("keyed"), engine, api_keys=f"acme:{hash_key(KEY)}")
    yield app
    app.config["STORE"].close()


def test_the_file_is_what_the_app_says(app):
    kept = json.loads((Path(__file__).parent.parent / "docs/openapi.json").read_text())
    assert kept == DOCUMENT, "run `python docs/openapi_file.py`"
    assert app.test_client().get("/api/openapi.json").json == DOCUMENT


def test_it_names_every_route_and_method_and_no_other(app):
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if not rule.endpoint.startswith(("page.", "run-page."))  # of the pages, which are no API
    }
    assert served == {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}


def stored(app):
    """How much there is of everything."""
    with sqlite3.connect(app.config["STORE"]._file.path) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    db.close()
    return found


def harmless(case, app, **headers):
    """Send it: an answer as documented, no server error, and nothing stored unless it was accepted."""
    before = stored(app)
    response = case.call(app=app, headers={"Accept": "application/json", **headers})
    assert response.status_code < 500, response.text
    assert "Traceback" not in response.text
    if response.status_code >= 400:
        assert stored(app) == before
        assert response.headers["content-type"] == ["application/problem+json"]
    return response


@schema.parametrize()
@thorough
def test_no_request_does_harm(case, app):
    harmless(case, app)


@schema.parametrize()
@thorough
def test_no_request_with_a_key_does_harm(case, keyed):
    harmless(case, keyed, Authorization=f"Bearer {KEY}")


@schema.include(path_regex="^/api/(articles|projects|personas)").parametrize()
@settings(thorough, max_examples=8)
def test_no_request_without_a_key_is_answered(case, keyed):
    answer = harmless(case, keyed)
    asks_what_may_be_asked = case.method == "OPTIONS" and answer.text == ""
    assert answer.status_code in (401, 405, 413, 415) or asks_what_may_be_asked
