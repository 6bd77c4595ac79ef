"""Where an article comes from: models, times, versions; and a line that says that a machine wrote it."""

from importlib.metadata import version

import pytest
from click.testing import CliRunner

from briefworks import tells
from briefworks.cli import main
from briefworks.errors import ConfigError
from briefworks.phases.provenance import DISCLOSURE, disclosed, with_provenance
from briefworks.settings import Settings
from briefworks.web.parts import build_parts
from local import Local
from test_access import make_app
from test_article_routes import finish

ARTICLE = "/api/projects/p/articles/a1"


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    local = Local(tmp_path_factory.mktemp("made"), upstream.url, BRIEFWORKS_DISCLOSURE="1")
    assert local.ask(targetWords=600).status_code == 202
    local.wait_end()
    yield local
    local.close()


@pytest.mark.slow
def test_a_finished_article_says_what_it_was_made_with_and_when(local):
    state, rows = local.state(), local.rows()
    made = state["polished"]["provenance"]
    assert (made["models"], made["persona"], made["search"]) == (["synthetic"], "plain-expert", "searxng")
    assert made["begun_at"] == rows[0]["created_at"] < made["finished_at"] <= rows[-1]["created_at"]
    assert made["versions"].keys() == {"briefworks", "rules", "prompts", "prices"}
    assert made["versions"]["briefworks"] == version("briefworks")
    assert made["versions"]["rules"] == tells.RULES_VERSION and all(made["versions"].values())
    read = {
        page["source_id"]: page["fetched_at"] for page in state["research"]["pages"] if page["snapshot_id"]
    }
    assert min(read.values()) > state["research"]["fetched_at"]  # the page's own, not the search's
    for source in state["polished"]["sources"]:
        assert source["fetched_at"] == read[source["source_id"]]
        assert made["begun_at"] < source["fetched_at"] < made["finished_at"]


@pytest.mark.slow
def test_the_disclosure_stands_below_the_title_wherever_the_article_is_read(local):
    article = local.state()["polished"]
    assert article["disclosure"] == DISCLOSURE
    text = local.http.get(f"{ARTICLE}.md").text
    assert text == article["markdown"] and text.split("\n\n")[1] == f"*{DISCLOSURE}*"
    assert f"<p><em>{DISCLOSURE}</em></p>" in local.http.get(f"{ARTICLE}.html").text
    assert article["words"] == sum(section["words"] for section in article["sections"])  # it is none of them


@pytest.mark.slow
def test_a_file_ends_with_how_it_was_made_only_if_asked(local, tmp_path):
    plain, asked = (local.http.get(f"{ARTICLE}.md{query}").text for query in ("", "?provenance=1"))
    assert asked.startswith(plain.rstrip()) and "How this text was made" not in plain
    closing = asked.removeprefix(plain.rstrip())
    made = local.state()["polished"]["provenance"]
    for said in ("Models: synthetic", "Persona: plain-expert", made["begun_at"], made["versions"]["prompts"]):
        assert said in closing
    assert "<h2>How this text was made</h2>" in local.http.get(f"{ARTICLE}.html?provenance=1").text
    out = tmp_path / "desks.md"
    command = ["follow", "a1", "--project", "p", "--url", local.app.url, "--out", str(out), "--provenance"]
    assert CliRunner().invoke(main, command).exit_code == 0
    assert out.read_text("utf-8") == asked


def test_an_article_of_before_has_no_closing_section(tmp_path):
    app = make_app(tmp_path)
    finish(app.config["STORE"], "p", "old", "# Old\n\nText.\n")
    assert app.test_client().get("/api/projects/p/articles/old.md?provenance=1").text == "# Old\n\nText.\n"
    app.config["STORE"].close()


def test_words_of_ones_own_are_one_line_and_no_markup():
    article = {"markdown": "# T\n\nText [1].\n", "title": "T"}
    text = disclosed(article, "By *machines* [1] <b>\n# x")["markdown"]
    assert text == "# T\n\n*By \\*machines\\* \\<b\\> \\# x*\n\nText [1].\n"


@pytest.mark.parametrize(
    ("chosen", "line"), [("", ""), ("0", ""), ("1", DISCLOSURE), ("Made by\n machines.", "Made by machines.")]
)
def test_the_line_is_off_unless_it_is_wanted(tmp_path, chosen, line):
    nowhere = dict.fromkeys(("anthropic_base_url", "searxng_url"), "http://127.0.0.1:9")
    settings = Settings.load(_env_file=None, data_dir=tmp_path, disclosure=chosen, **nowhere)
    parts = build_parts(settings)
    assert parts.disclosure == line
    parts.store.close()


def test_a_line_that_is_none_is_a_clear_error():
    with pytest.raises(ConfigError, match="BRIEFWORKS_DISCLOSURE"):
        Settings.load(_env_file=None, disclosure="x" * 301)


def test_what_the_web_says_stays_text_in_the_closing_section():
    made = {"v": 1, "models": ["<b>[1](x)"], "persona": "p", "search": "s", "begun_at": "", "finished_at": ""}
    text = with_provenance({"markdown": "# T\n", "sources": [], "provenance": {**made, "versions": {}}})
    assert "- Models: \\<b\\>" in text and "](x)" not in text
