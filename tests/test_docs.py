"""
What a newcomer reads is true: every fenced block of README.md and docs/*.md runs, or what it says is checked.

The word after the language says how:

```python            runs; the python blocks of a document share one session, in their order
```sh                runs, `bash -euo pipefail`; `briefworks` and `python` are this checkout's
```sql               runs in a database like a Supabase project's, after `briefworks migrate`
```js                runs in Node as a module; "/briefworks/fold.js" is the file that the app serves
```sh stays          runs until Ctrl-C: it says a url, which answers /healthz
```sh clone          runs in a fresh clone, with pip (slow)
```text output       what the block before it printed; `…` stands for anything, also within a line
```json              can be parsed
```text              a picture, a listing: nothing runs
```python function   stands in briefworks/pipeline/function.py
```html, ```jsx      stands in a file of examples/
```<any> elsewhere   cannot run here (another machine, a cloud): its syntax and our options are checked, and
                     it is listed in ELSEWHERE

The blocks of a document run one after the other in a folder with the clone's examples/, benchmarks/, docs/,
tests/, .env.example and inngest.json, beside a stack of our own with the demo upstream: BRIEFWORKS_URL is the
app, INNGEST_DEV the engine; http://127.0.0.1:8000 and :8288 in a block are replaced by them. No block may
take more than a minute; what takes more than a few seconds belongs into a document of SLOW.
"""

import functools
import json
import os
import re
import runpy
import subprocess
import textwrap

import click
import pytest

from briefworks.cli import COMMANDS, main
from briefworks.settings import Settings
from briefworks.web import create_app
from doc_blocks import DOCUMENTS, ROOT, Shell, assert_shown, blocks_of, check_elsewhere
from local import Local

README = (ROOT / "README.md").read_text()
BLOCKS = {path: blocks_of(path) for path in DOCUMENTS}
SLOW = {"README.md", "docs/SDK.md", "docs/CLI.md"}
ELSEWHERE: set[tuple[str, str]] = {  # (document, first line of the block)
    ("docs/DEPLOY.md", "pip install . 'gunicorn>=23,<26'  # in a clone of this repository"),
    ("docs/DEPLOY.md", "curl -X PUT https://briefworks.example/api/inngest"),
    (
        "docs/DEPLOY.md",
        "curl https://briefworks.example/api/articles -H 'Authorization: Bearer bw_…'"
        " -H 'Content-Type: application/json' \\",
    ),
    ("docs/DEPLOY.md", "docker build -t briefworks ."),
    ("docs/DEPLOY.md", "from briefworks.web import create_app"),
    (
        "docs/EXECUTOR.md",
        "python -m briefworks.executor --journal executor.db --app http://127.0.0.1:5000/api/inngest",
    ),
    ("docs/SDK.md", "from briefworks import ArticleRequest, Client"),
    ("docs/SUPABASE.md", "pip install '.[postgres]'  # in a clone of this repository"),
    ("docs/SUPABASE.md", "briefworks doctor"),
    ("docs/SUPABASE.md", "briefworks doctor --project acme --user-token -"),
    ("docs/SDK.md", "def token() -> str:"),
    ("docs/SUPABASE.md", 'briefworks write "standing desks" --project acme'),
    ("docs/SUPABASE.md", "briefworks migrate postgresql://briefworks@db.example.org/briefworks"),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory, upstream):
    """One app and engine for all blocks."""
    local = Local(tmp_path_factory.mktemp("stack"), upstream.url)
    yield local
    local.close()


@pytest.fixture
def shell(stack, tmp_path):
    """Where one document's blocks run."""
    env = {key: value for key, value in stack.env.items() if key != "BRIEFWORKS_DATA_DIR"}
    urls = {"http://127.0.0.1:8000": stack.app.url, "http://127.0.0.1:8288": stack.executor.url}
    shell = Shell(tmp_path, {**env, "BRIEFWORKS_URL": stack.app.url}, urls)
    yield shell
    shell.close()


def documents():
    for path in DOCUMENTS:
        name = path.relative_to(ROOT).as_posix()
        yield pytest.param(path, id=name, marks=pytest.mark.slow if name in SLOW else ())


@pytest.mark.parametrize("path", list(documents()))
def test_every_block_of_a_document_runs(path, shell, request):
    output = ""
    for block in BLOCKS[path]:
        match (block.language, block.mark):
            case ("python" | "sh" | "js", ""):
                output = shell.run(block)
            case ("sql", ""):
                postgres = request.getfixturevalue("postgres")
                postgres.admin(block.text, migrated(postgres))
            case ("sh", "stays"):
                output = shell.run_until_interrupted(block)
            case ("text", "output"):
                assert_shown(block, output)
            case ("json", ""):
                json.loads(block.text)
            case (_, "elsewhere"):
                check_elsewhere(block)
            case ("html" | "jsx", ""):
                assert stands_in(block.text, "examples"), f"{block} is not in examples/"
            case ("python", "function"):
                source = (ROOT / "briefworks/pipeline/function.py").read_text()
                assert textwrap.indent(block.text, " " * 8) in source, block
            case _:
                assert (block.language, block.mark) in [("text", ""), ("sh", "clone")], (
                    f"{block}: say how it is run, as test_docs.py lists"
                )


@functools.cache
def migrated(postgres):
    """The database of all sql blocks."""
    return postgres.migrated(supabase=True)


def stands_in(text, folder):
    return any(
        text in path.read_text()
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".html", ".jsx", ".js")
    )


def test_the_blocks_that_run_elsewhere_are_these():
    assert {
        (block.document, block.first)
        for blocks in BLOCKS.values()
        for block in blocks
        if block.mark == "elsewhere"
    } == ELSEWHERE


def test_a_readme_block_runs_and_none_is_left_out():
    assert len(re.findall(r"^ *```", README, re.MULTILINE)) == 2 * len(BLOCKS[ROOT / "README.md"])
    assert {block.language for block in BLOCKS[ROOT / "README.md"]} >= {"python", "sh", "text"}


@pytest.mark.slow
@pytest.mark.timeout(400)  # it installs everything
def test_the_demo_command_runs_in_a_fresh_clone(tmp_path):
    (command,) = re.findall(r"<!-- demo command -->\n```sh clone\n(.*?)```", README, re.DOTALL)
    subprocess.run(["git", "clone", "-q", ROOT, tmp_path / "clone"], check=True)
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        check=False,
        cwd=tmp_path / "clone",
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "clone/standing-desks.md").exists()


def test_the_shapes_for_other_languages_are_what_shapes_py_says():
    made = runpy.run_path(str(ROOT / "docs/stream_schema.py"))["made"]()
    assert len(made) == 2
    for path, text in made.items():
        assert path.read_text() == text, f"{path.name}: run `python docs/stream_schema.py`"


def test_every_file_that_is_linked_is_there():
    for path in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_every_command_is_listed_with_what_it_is():
    for name, line in COMMANDS.items():
        command = main.get_command(click.Context(main), name)
        assert command is not None and command.help and line.endswith(".")


def test_inngest_json_points_at_our_endpoint():
    config = json.loads((ROOT / "inngest.json").read_text())
    assert config["sdk-url"] == ["http://127.0.0.1:8000/api/inngest"]


@pytest.mark.parametrize("route", re.findall(r"^\| `(?:GET|POST) (\S+?)[`?]", README, re.MULTILINE))
def test_every_route_in_the_table_is_served(route, tmp_path):
    app = create_app(
        Settings.load(
            _env_file=None,
            anthropic_api_key="x",
            searxng_url="http://127.0.0.1:9",
            inngest_dev="1",
            data_dir=tmp_path,
        )
    )
    rules = {re.sub(r"<\w+?_id>", "<>", rule.rule) for rule in app.url_map.iter_rules()}
    assert re.sub(r"<\w>", "<>", route) in rules
