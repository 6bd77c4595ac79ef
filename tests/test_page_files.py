"""The page's files over HTTP: a strict policy on each, updates seen at once, and nothing else to be had."""

import flask
import pytest

from briefworks.web.page import STATIC, page_routes

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@pytest.fixture(scope="module")
def web():
    app = flask.Flask("files", static_folder=None)
    app.register_blueprint(page_routes(home=True))
    return app.test_client()


@pytest.mark.parametrize(
    "path", ["/", "/projects/acme", "/projects/acme/articles/a-1_B", "/briefworks/page.js"]
)
def test_every_answer_has_the_policy(web, path):
    answer = web.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_every_file_the_page_is_made_of_is_served_as_what_it_is(web):
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for path in STATIC.iterdir():
        answer = web.get(f"/briefworks/{path.name}")
        assert answer.status_code == (200 if path.suffix in kinds else 404), path.name
        assert answer.status_code == 404 or answer.mimetype == kinds[path.suffix]


def test_an_update_is_seen_and_the_same_is_not_sent_twice(web):
    first = web.get("/briefworks/page.css")
    assert first.headers["Cache-Control"] == "no-cache"
    again = web.get("/briefworks/page.css", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and again.data == b""
    assert again.headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize(
    "path",
    ["/briefworks/..%2fsettings.py", "/briefworks/../settings.py", "/briefworks/settings.py",
     "/briefworks/.js", "/briefworks/index.html", "/briefworks/",
     "/briefworks/page.js%00", "/briefworks/a/page.js"],
)  # fmt: skip
def test_nothing_else_is_served(web, path):
    assert web.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/projects/a%20b", "/projects/a/articles/%3Cscript%3E", "/projects/" + "x" * 65]
)
def test_an_address_that_can_name_nothing_is_404_with_the_page_that_says_so(web, path):
    answer = web.get(path)
    assert answer.status_code == 404 and answer.mimetype == "text/html"
    assert b"%3C" not in answer.data and answer.data == web.get("/").data


def test_no_file_is_longer_than_a_reader_likes():
    for path in STATIC.glob("*.js"):
        text = path.read_text()
        assert text.startswith("/**") and text.count("\n") <= 260, path.name
        assert "innerHTML" not in text and "outerHTML" not in text and "insertAdjacent" not in text, path.name


def test_an_app_of_ones_own_keeps_its_home():
    app = flask.Flask("own", static_folder=None)
    app.register_blueprint(page_routes(home=False))
    app.add_url_rule("/", view_func=lambda: "mine")
    assert app.test_client().get("/").text == "mine"
    assert app.test_client().get("/projects/acme").status_code == 200
