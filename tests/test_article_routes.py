"""Articles over HTTP: listed page by page, fetched as Markdown and as harmless HTML, erased."""

import re
import socket

import pytest

from briefworks import personas
from briefworks.stream import DELETED
from briefworks.web import html
from in_time import in_time, quickly
from test_access import make_app
from waiting import wait_for

STARTED = {
    "v": 1, "keyword": "Stehpulte für Müßige", "persona": "plain-expert", "language": "en", "market": "us",
    "target_words": 900, "parent_run_id": None,
}  # fmt: skip
USAGE = {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0,
         "usd": None}  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    app = make_app(tmp_path_factory.mktemp("articles"))
    yield app
    app.config["STORE"].close()


@pytest.fixture
def web(app):
    return app.test_client()


@pytest.fixture
def store(app):
    return app.config["STORE"]


def finish(store, project, article, markdown):
    polished = {
        "v": 1, "title": "T <script>", "meta_description": "", "sections": [], "sources": [],
        "markdown": markdown, "words": 1, "findings": [], "tells_before": 0.0, "tells_after": 0.0,
        "complete": True, "stopped_by": "", "usage": USAGE,
    }  # fmt: skip
    store.start_run(project, article, f"{project}-{article}", STARTED)
    take = store.open_take(project, article, f"{project}-{article}", "polish", "c")["take"]
    store.finish(project, article, "polish", take, 0, [("polish-done", polished)], ends_run=True)


def test_articles_are_listed_newest_first_page_by_page(web, store):
    for n in range(5):
        store.start_run("listed", f"a{n}", f"r{n}", STARTED)
    found, before, pages = [], "", 0
    while before is not None:
        page = web.get(f"/api/projects/listed/articles?limit=2{before and f'&before={before}'}").json
        found += [article["article_id"] for article in page["articles"]]
        before, pages = page["next"], pages + 1
    assert found == ["a4", "a3", "a2", "a1", "a0"] and pages == 3
    assert page["articles"][0].keys() == {
        "article_id", "keyword", "persona", "status", "title", "started_at", "updated_at",
    }  # fmt: skip
    assert web.get("/api/projects/nobody/articles").json == {"articles": [], "next": None}


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "before=yesterday", "before=2026-01-01"])
def test_a_bad_page_is_400(web, query):
    assert web.get(f"/api/projects/listed/articles?{query}").status_code == 400


def test_an_article_is_markdown_and_a_whole_document(web, store):
    finish(store, "acme", "done", "# Desks\n\nSee [1](https://a.example/x?a=1&b=2).\n\n| a |\n|---|\n| b |\n")
    text = web.get("/api/projects/acme/articles/done.md?download=1")
    assert text.text.startswith("# Desks") and text.mimetype == "text/markdown"
    assert text.headers["Content-Disposition"] == 'attachment; filename="stehpulte-fur-mussige.md"'
    assert "Content-Disposition" not in web.get("/api/projects/acme/articles/done.md").headers
    page = web.get("/api/projects/acme/articles/done.html")
    assert page.text.startswith("<!doctype html>") and "<title>T &lt;script&gt;</title>" in page.text
    assert '<a href="https://a.example/x?a=1&amp;b=2" rel="noopener nofollow">1</a>' in page.text
    assert "<td>b</td>" in page.text
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("kind", ["md", "html"])
def test_an_unfinished_article_cannot_be_fetched(web, store, kind):
    store.start_run("acme", "unfinished", "r-unfinished", STARTED)
    answer = web.get(f"/api/projects/acme/articles/unfinished.{kind}")
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")
    assert web.get(f"/api/projects/acme/articles/never.{kind}").json["code"] == "not-started"


ATTACKS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "![x](https://spy.example/p.png)",
    "[x](javascript:alert(1))", "[x](java\nscript:alert(1))", "[x](data:text/html,<script>)",
    "<javascript:alert(1)>", "[x](vbscript:x)", "[x](JaVaScRiPt&#58;alert(1))", '[x](https://a "onclick=1")',
    '[x](https://a" onmouseover="alert(1))', "<iframe src=//evil>", "<style>*{}</style>", "<svg/onload=x>",
    "`<b>`", "[x]: javascript:alert(1)\n\n[x]", "&lt;script&gt;", "<a href=x onclick=y>z</a>", "[x](//evil)",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_an_article_executes_or_loads(attack):
    made = html.body_of(attack)
    assert re.fullmatch(
        r"(?:[^<>]|</?(?:p|code)>|<a (?:href=\"https?://[^\"<>]*\" )?(?:title=\"[^\"<>]*\" )?"
        r"rel=\"noopener nofollow\">"
        r"|</a>)*",
        made,
    ), made


@pytest.mark.parametrize(
    "bomb",
    ["[" * 20_000, "![" * 20_000, "> " * 5_000 + "x", "*" * 20_000, "`" * 20_000, "- " * 5_000 + "x",
     "[a](" * 5_000, "<" * 20_000, "**a " * 5_000, "|" * 5_000 + "\n" + "|-" * 5_000 + "\n" + "|a" * 5_000,
     "\\" * 20_000, "&" * 20_000, "[x]: <" * 3_000, "_a_" * 5_000, "~~a" * 5_000],
    ids=lambda bomb: bomb[:6],
)  # fmt: skip
def test_no_article_holds_the_server_up(bomb):
    quickly(4, lambda: html.body_of(bomb))


def test_an_erased_article_is_gone_and_may_be_erased_again(web, store):
    finish(store, "acme", "erased", "# x")
    for _ in range(2):
        answer = web.delete("/api/projects/acme/articles/erased")
        assert (answer.status_code, answer.data) == (204, b"")
    assert web.get("/api/projects/acme/articles/erased").json["code"] == "not-started"
    assert web.delete("/api/projects/nobody/articles/none").status_code == 204
    assert store.read("nobody")["head"] == 0


def test_erasing_ends_a_living_run_and_tells_the_engine(tmp_path, threaded_server):
    told = []
    threaded_server.expect_request(re.compile("/e/.*")).respond_with_handler(
        lambda request: told.append(request.json) or '{"ids": ["1"], "status": 200}'
    )
    app = make_app(tmp_path, inngest_dev=threaded_server.url_for("").rstrip("/"))
    store = app.config["STORE"]
    store.start_run("acme", "living", "r1", STARTED)
    assert app.test_client().delete("/api/projects/acme/articles/living").status_code == 204
    wait_for(lambda: told)
    assert [event["name"] for event in told[0]] == ["article.cancelled"]
    assert told[0][0]["data"] == {"projectId": "acme", "articleId": "living"}
    assert store.start_run("acme", "living", "r1", STARTED) is False
    assert app.test_client().delete("/api/projects/acme/articles/queued").status_code == 204
    wait_for(lambda: len(told) > 1)
    assert told[1][0]["name"] == "article.cancelled" and told[1][0]["data"]["articleId"] == "queued"
    assert store.decision("acme", "queued", "cancel") == {"by": "user", "reason": DELETED}
    store.close()


def test_nobody_waits_for_an_engine_that_does_not_answer_to_see_an_article_erased(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        app = make_app(tmp_path, inngest_dev=f"http://127.0.0.1:{silent.getsockname()[1]}")
        app.config["STORE"].start_run("acme", "living", "r1", STARTED)
        with in_time():  # the SDK alone would wait for 50 s
            assert app.test_client().delete("/api/projects/acme/articles/living").status_code == 204
        app.config["STORE"].close()


def test_the_voices_are_listed(web):
    found = web.get("/api/personas").json["personas"]
    assert "plain-expert" in [voice["name"] for voice in found] and all(
        voice["description"] for voice in found
    )


def test_a_voice_with_a_fault_hides_no_other(tmp_path):
    (tmp_path / "mine.md").write_text((personas.OWN / "plain-expert.md").read_text())
    (tmp_path / "broken.md").write_text("no front matter")
    app = make_app(tmp_path / "data", personas_dir=tmp_path)
    found = [voice["name"] for voice in app.test_client().get("/api/personas").json["personas"]]
    assert "mine" in found and "plain-expert" in found and "broken" not in found
    app.config["STORE"].close()
