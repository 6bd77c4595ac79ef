"""The command line as a person uses it: real processes in an empty directory."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner

from briefworks.cli import main
from briefworks.cli.dev import dev_server
from briefworks.stores.sqlite import SqliteStore
from briefworks.stream import rows_of
from briefworks.text import count_words
from environment import OURS, environment
from waiting import wait_for

README = (Path(__file__).parent.parent / "README.md").read_text()
BRIEFWORKS = [sys.executable, "-m", "briefworks"]


def run(folder, *args, **settings):
    return subprocess.run(
        [*BRIEFWORKS, *args],
        check=False,
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=100,
    )


def told_by(*args, **settings):
    """The same, in this process: for what is said before anything is done."""
    env = {name: None for name in os.environ if name.startswith(OURS)} | settings
    before = structlog.get_config()
    try:
        return CliRunner().invoke(main, args, env=env)
    finally:
        structlog.configure(**before)


def research_and_texts(folder):
    """What the demo's research found, and the text of every page it read, by source id."""
    store = SqliteStore(folder / ".briefworks/demo/stream.db")
    article_id = store.articles("demo")[0]["article_id"]
    rows = rows_of(store, "demo", article_id)
    research = next(row["data"] for row in rows if row["event"] == "research-done")
    texts = {
        page["source_id"]: store.snapshot("demo", page["snapshot_id"])
        for page in research["pages"]
        if page["snapshot_id"]
    }
    store.close()
    return research, texts


@pytest.mark.slow
def test_demo_writes_an_article_whose_every_claim_leads_to_a_page_that_was_read(tmp_path):
    (tmp_path / ".env").write_text(  # of no concern to the demo
        "ANTHROPIC_API_KEY=sk-real\nSERPER_API_KEY=real\nBRIEFWORKS_STORE=sqlite:///other.db\n"
        f"BRIEFWORKS_API_KEYS=acme:{'0' * 64}\n"
        "INNGEST_SIGNING_KEY=signkey-prod-00\nINNGEST_BASE_URL=http://127.0.0.1:9\n"
    )
    done = run(tmp_path, "demo", "standing desks", "--tokens-per-s", "2000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "other.db").exists()
    assert "synthetic" in done.stdout.splitlines()[0]
    article = (tmp_path / "standing-desks.md").read_text()
    body, _, sources = article.partition("## Sources")
    assert count_words(body) >= 900
    assert "synthetic" in body.split("\n\n")[0] and "synthetic demo text" in body
    for heading in re.findall(r"^## .*$", body, re.MULTILINE):
        assert heading in done.stdout  # it was seen in the terminal as well
    shown = re.search(r"<!-- demo output -->\n```text\n(.*?)```", README, re.DOTALL)[1]
    assert [line for line in shown.splitlines() if line != "…" and line not in done.stdout] == []
    research, texts = research_and_texts(tmp_path)
    read = {page["url"] for page in research["pages"] if page["source_id"] in texts}
    listed = dict(re.findall(r"^(\d+)\. \[.*\]\((\S+)\)", sources, re.MULTILINE))
    cited = set(re.findall(r"\[(\d+)\]", body))
    assert cited and cited == set(listed) and set(listed.values()) <= read
    assert research["entities"]
    for entity in research["entities"]:
        assert all(entity["name"] in texts[page] for page in entity["pages"]) and entity["pages"]


@pytest.mark.slow
def test_demo_killed_with_9_goes_on_where_it_was(tmp_path):
    database = tmp_path / ".briefworks/demo/stream.db"
    child = subprocess.Popen(
        [*BRIEFWORKS, "demo", "standing desks", "--tokens-per-s", "200"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(database.exists)
    store = SqliteStore(database)
    wait_for(lambda: any(row["event"] == "draft-token" for row in store.read("demo")["rows"]))
    child.send_signal(signal.SIGKILL)
    child.wait()
    before = len(model_calls(tmp_path))
    again = run(tmp_path, "demo", "standing desks", "--tokens-per-s", "2000")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "goes on where it was" in again.stdout
    events = [row["event"] for row in store.read("demo")["rows"]]
    store.close()
    assert events.count("run-started") == 1 and events[-1] == "polish-done"
    assert (tmp_path / "standing-desks.md").exists()
    answered = [call for call in model_calls(tmp_path)[:before] if call["ended"] == "ok"]
    shas = [call["prompt_sha"] for call in model_calls(tmp_path)[before:]]
    repeated = [call for call in answered if call["prompt_sha"] in shas]
    assert len(repeated) <= 1  # one answer at the most may have come without being remembered


def model_calls(folder):
    """The model calls of the upstream's log, each as it last stood."""
    calls = {}
    for line in (folder / ".briefworks/demo/upstream.jsonl").read_text().splitlines():
        call = json.loads(line)
        if call["kind"] == "model":
            calls[call["n"]] = call
    return list(calls.values())


@pytest.mark.parametrize(
    ("args", "settings", "says"),
    [
        (["demo", "x"], {}, "keyword: 2 to 200 characters on one line"),
        (["demo", "x" * 10_000], {}, "keyword: 2 to 200 characters on one line"),
        (["demo", "standing desks", "--words", "10"], {}, "targetWords: a number from 600 to 6000"),
        (["demo", "standing desks", "--out", "/proc/none/a.md"], {}, "'/proc/none' cannot be written to"),
        (["demo", "standing desks", "--out", ""], {}, "'.' is a folder"),
        (["demo", "standing desks", "--tokens-per-s", "0"], {}, "0.0 is not in the range x>0"),
        (["demo", "standing desks", "--persona", "nobody"], {}, "there are field-reporter, "),
        (
            ["serve"],
            {"ANTHROPIC_API_KEY": "sk-secret"},
            "SERPER_API_KEY, BRAVE_API_KEY, TAVILY_API_KEY or SEARXNG_URL",
        ),
        (["dev"], {"SEARXNG_URL": "http://127.0.0.1:9"}, "ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL"),
        (["serve", "--host", "0.0.0.0"], {}, "can be reached by others"),
        (
            ["serve", "--host", "0.0.0.0"],
            {"BRIEFWORKS_API_KEYS": f"acme:{'0' * 64}", "INNGEST_DEV": "1"},
            "unsigned requests to /api/inngest would start paid work",
        ),
        (
            ["serve", "--host", "::"],
            {"BRIEFWORKS_API_KEYS": "acme:secret"},
            "entry 1 is not project:sha256hex",
        ),
        (["dev"], {"BRIEFWORKS_STEP_LIMIT_S": "soon"}, "BRIEFWORKS_STEP_LIMIT_S"),
        (["doctor"], {"BRIEFWORKS_STORE": "mysql://x"}, "BRIEFWORKS_STORE"),
        (["doctor"], {"BRIEFWORKS_STORE": "supabase"}, "SUPABASE_URL"),
        (["migrate"], {}, "DATABASE_URL"),
        (["migrate", "postgresql://me:sk-secret@127.0.0.1:9/x"], {}, "host and port"),
        (["demo", "standing desks"], {"BRIEFWORKS_DATA_DIR": "/proc/none"}, "BRIEFWORKS_DATA_DIR"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_a_mistake_is_said_in_a_sentence_with_the_way_out(tmp_path, monkeypatch, args, settings, says):
    monkeypatch.chdir(tmp_path)
    told = told_by(*args, **settings)
    assert told.exit_code in (1, 2) and isinstance(told.exception, SystemExit)
    assert says in told.output and "sk-secret" not in told.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "Neither a model nor a search"),
        ({"BRIEFWORKS_ORIGINS": "https://a.example/path"}, "BRIEFWORKS_ORIGINS"),
        ({"BRIEFWORKS_MAX_WATCHERS": "49"}, "at most 48 may watch"),
        ({"BRIEFWORKS_THREADS": "50"}, "at most 34 may watch"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_server_that_must_not_serve_says_why(tmp_path, settings, says):
    told = run(tmp_path, "serve", "--port", "0", **settings)
    assert told.returncode == 2 and says in told.stderr and "Traceback" not in told.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_doctor_tells_what_does_not_answer(tmp_path):
    told = run(
        tmp_path,
        "doctor",
        ANTHROPIC_BASE_URL="http://127.0.0.1:9",
        SEARXNG_URL="http://127.0.0.1:9",
        INNGEST_DEV="http://127.0.0.1:9",
        BRIEFWORKS_API_KEYS="acme:not-a-hash",
    )
    assert told.returncode == 1
    for what in ("model", "search", "engine", "keys"):
        assert f"✗  {what}" in told.stdout
    assert "✓  store" in told.stdout and "Traceback" not in told.stderr


@pytest.mark.slow
def test_doctor_is_content_with_servers_that_answer(tmp_path, upstream):
    told = run(tmp_path, "doctor", ANTHROPIC_BASE_URL=upstream.url, SEARXNG_URL=upstream.url)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "✓  model" in told.stdout and "✓  search" in told.stdout
    assert "its price is of 20" in told.stdout


def dev(folder, **streams):
    command = [*BRIEFWORKS, "dev", "--port", "8600"]
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True, **streams
    )


def test_dev_serves_until_it_is_told_to_stop(tmp_path):
    child = dev(tmp_path)
    said = ""
    while "Ctrl-C" not in said:
        line = child.stdout.readline()
        assert line, said
        said += line
    assert "SYNTHETIC" in said and re.search(r"app  http://127.0.0.1:86", said)
    child.send_signal(signal.SIGINT)
    assert child.wait(30) == 0
    assert "Stopped" in child.stdout.read()
    child.stdout.close()


@pytest.mark.slow
def test_dev_says_why_the_app_did_not_start_this_time(tmp_path):
    told = run(tmp_path, "dev", "--port", "8600", "--app", "none.py")
    assert "The app did not start: There is no app at 'none.py'" in told.stderr
    (tmp_path / "own.py").write_text("raise RuntimeError('of its own')")
    told = run(tmp_path, "dev", "--port", "8600", "--app", "own.py")
    assert "The app did not start: RuntimeError: of its own" in told.stderr and told.returncode == 2


def test_an_env_file_that_is_no_text_is_said(tmp_path):
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")
    told = run(tmp_path, "doctor")
    assert told.returncode == 2 and told.stderr.startswith("Error: .env cannot be read: 'utf-8' codec")


@pytest.mark.slow
def test_dev_can_be_stopped_while_it_starts(tmp_path):
    child = dev(tmp_path, stderr=subprocess.STDOUT)
    assert child.stdout.readline() == "Starting …\n"
    child.send_signal(signal.SIGINT)
    said = child.stdout.read()
    child.stdout.close()
    assert child.wait(20) == 130 and said == "\nStopped.\n"


@pytest.mark.parametrize(
    ("health", "genuine"),
    [
        ({"status": 200, "message": "OK"}, True),
        ({"status": 200, "message": "OK", "server": "briefworks"}, False),
        ({"hello": "world"}, False),
        ([], False),
    ],
)
def test_dev_tells_inngests_dev_server_from_an_executor_of_ours(httpserver, health, genuine):
    httpserver.expect_request("/health").respond_with_json(health)
    url = httpserver.url_for("").rstrip("/")
    assert dev_server(url) == (url if genuine else "")


@pytest.mark.parametrize("command", ["", "demo", "dev", "serve", "doctor", "keys"])
def test_help_teaches(command):
    told = told_by(*([command] if command else []), "--help")
    assert told.exit_code == 0 and "Usage:" in told.stdout and len(told.stdout) > 200
