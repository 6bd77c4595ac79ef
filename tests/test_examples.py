"""Each example is short and does what it says, with the real parts."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from briefworks.fold import fold
from local import Local
from node_tools import TSC, run, tool
from waiting import wait_for

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    """Everything on this machine, with the app of one's own and the persona of one's own."""
    local = Local(
        tmp_path_factory.mktemp("local"),
        upstream.url,
        app_options=["--app", str(EXAMPLES / "own_app.py")],
        BRIEFWORKS_PERSONAS_DIR=str(EXAMPLES / "own_persona"),
    )
    yield local
    local.close()


def test_an_example_has_at_most_30_lines():
    files = [path for path in EXAMPLES.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert len(files) >= 6
    for path in files:
        assert len(path.read_text().splitlines()) <= 30, path


@pytest.mark.slow
def test_an_event_from_the_inngest_sdk_alone_asks_for_an_article(local):
    ran = subprocess.run(
        [sys.executable, EXAMPLES / "send_event.py", "standing", "desks"],
        check=True,
        env=local.env,
        capture_output=True,
        text=True,
    )
    assert "/api/projects/acme/stream?article=from-an-event" in ran.stdout
    wait_for(lambda: local.rows("acme", "from-an-event"))
    assert local.rows("acme", "from-an-event")[0]["data"]["keyword"] == "standing desks"


def example(local, name, *args):
    """What it prints, as whoever has just run `briefworks dev` would see it."""
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *args],
        check=True,
        env={**local.env, "BRIEFWORKS_URL": local.app.url},
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.slow
def test_the_quickstart_shows_every_row_and_the_article(local):
    shown = example(local, "quickstart.py", "oak", "chairs")
    article_id = re.match(r"Asked for article (\w+)", shown)[1]
    polished = local.state("acme", article_id)["polished"]
    assert shown.endswith(polished["markdown"] + "\n") and "oak chairs" in polished["title"]
    assert "run-started" in shown and "draft-token" in shown and "polish-done" in shown


@pytest.mark.slow
def test_whoever_comes_back_later_has_missed_nothing(local):
    first, then, last = example(local, "come_back_later.py").splitlines()
    assert first.startswith("Saw 5 rows") and then.endswith("in order: True.") and "It is done: Demo" in last
    seen, more = re.search(r"up to (\d+)", first)[1], re.search(r"from (\d+)", then)[1]
    assert int(more) > int(seen)


@pytest.mark.slow
def test_an_app_of_ones_own_has_its_own_page_and_writes_in_a_persona_of_ones_own(local, upstream):
    assert local.http.get("/").text == (EXAMPLES / "watch.html").read_text()
    assert local.ask("acme", "desks-1", persona="night-editor").status_code == 202
    rows = local.wait_end("acme", "desks-1")
    assert (rows[0]["data"]["persona"], rows[-1]["event"]) == ("night-editor", "polish-done")
    assert any("The night editor" in call["system_head"] for call in upstream.calls("model"))


@pytest.mark.slow
def test_an_app_that_lacks_its_settings_says_the_way_out_also_in_a_traceback(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "flask", "--app", EXAMPLES / "own_app.py", "routes"],
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(EXAMPLES.parent)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode != 0
    assert "Neither a model nor a search is configured." in ran.stderr
    assert "ANTHROPIC_API_KEY" in ran.stderr.rpartition("configured.")[2]


@pytest.mark.slow
def test_an_app_that_is_not_there_is_said(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "briefworks", "serve", "--port", "0", "--app", "nothing.py"],
        check=False,
        cwd=tmp_path,
        env={**local_settings(), "PYTHONPATH": str(EXAMPLES.parent)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 2
    assert "There is no app at 'nothing.py'" in ran.stderr and "file.py" in ran.stderr


def local_settings():
    return {"ANTHROPIC_API_KEY": "x", "SEARXNG_URL": "http://127.0.0.1:9", "INNGEST_DEV": "1"}


REACT = """
import { JSDOM } from "jsdom";
const dom = new JSDOM("<main></main>", { url: "http://127.0.0.1/" });
Object.assign(globalThis, { window: dom.window, document: dom.window.document });
Object.defineProperty(globalThis, "navigator", { value: dom.window.navigator, configurable: true });
const { createElement } = await import("react");
const { createRoot } = await import("react-dom/client");
const { Article } = await import("./examples/react/useArticle.js");
const main = document.querySelector("main");
createRoot(main).render(createElement(Article, JSON.parse(process.argv[2])));
while (!/^(done|failed)/.test(main.querySelector("[role=status]")?.textContent ?? "")) {
  await new Promise((soon) => setTimeout(soon, 20));
}
const texts = (name) => [...main.querySelectorAll(name)].map((one) => one.textContent);
console.log(JSON.stringify({ title: texts("h1")[0], headings: texts("h2"), texts: texts("pre") }));
process.exit();
"""


@pytest.mark.slow
def test_the_react_hook_shows_an_article_as_it_is_written(local, tmp_path):
    """Type-checked, and rendered for real: React on jsdom, in a copy of the clone with npm's packages."""
    npm, node = tool("npm"), tool("node")
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    shutil.copytree(EXAMPLES.parent / "briefworks/static", tmp_path / "briefworks/static")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "render.js").write_text(REACT)
    packages = "react@19 react-dom@19 jsdom@26 typescript@5.9 @types/react@19 @types/node@22"
    run(npm, "install", "--no-audit", "--no-fund", *packages.split(), folder=tmp_path)
    run(node, "node_modules/typescript/bin/tsc", *TSC, "examples/react/useArticle.js", folder=tmp_path)
    local.ask("acme", "rendered")
    asked = {"url": local.app.url, "project": "acme", "article": "rendered"}
    shown = json.loads(run(node, "render.js", json.dumps(asked), folder=tmp_path))
    state = fold("acme", "rendered", local.rows("acme", "rendered"))
    assert shown["title"] == state["polished"]["title"]
    assert shown["headings"] == [one["heading"] for one in state["sections"]]
    assert shown["texts"] == [one["markdown"] for one in state["sections"]]
