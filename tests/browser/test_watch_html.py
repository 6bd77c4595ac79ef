"""examples/watch.html, as an app of one's own serves it, in a browser."""

from pathlib import Path

import pytest

from local import Local

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    app = ["--app", str(EXAMPLES / "own_app.py")]
    local = Local(tmp_path_factory.mktemp("own"), upstream.url, app_options=app)
    yield local
    local.close()


def test_a_page_of_ones_own_shows_an_article_as_it_is_written(local, visit):
    page = visit(f"{local.app.url}/?article=watched")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('running')")
    assert local.ask("acme", "watched").status_code == 202
    page.wait_for_function("document.querySelectorAll('pre').length > 1", timeout=30_000)
    page.wait_for_function(
        "document.querySelector('[role=status]').textContent.startsWith('done')", timeout=60_000
    )
    state = local.state("acme", "watched")
    shown = page.eval_on_selector_all("main > *", "all => all.map(one => one.textContent)")
    assert shown == [text for one in state["sections"] for text in (one["heading"], one["markdown"])]
    assert page.text_content("h1") == state["polished"]["title"]
