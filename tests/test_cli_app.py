"""`write`, `follow`, `articles`, `cancel`, `delete`: real processes against a real app."""

import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import termios

import pytest
from click.testing import CliRunner

from briefworks.cli import main
from briefworks.cli import watch as watching
from briefworks.cli.watch import TerminalView
from environment import environment
from local import Local
from stream_server import StreamServer, row
from test_cli import BRIEFWORKS, run, told_by
from waiting import free_port, wait_for


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    local = Local(tmp_path_factory.mktemp("app"), upstream.url)
    yield local
    local.close()


@pytest.fixture
def briefworks(local, tmp_path):
    """Runs a command in an empty folder, against the app."""
    return lambda *args, **settings: run(tmp_path, *args, BRIEFWORKS_URL=local.app.url, **settings)


@pytest.fixture(scope="module")
def written(local):
    """An article that is finished."""
    local.ask("p", "done", keyword="vacuum robots for small flats")
    local.wait_end("p", "done")
    return local.state("p", "done")


def start(local, folder, *args, **streams):
    env = environment(BRIEFWORKS_URL=local.app.url)
    return subprocess.Popen([*BRIEFWORKS, *args], cwd=folder, env=env, **streams)


@pytest.mark.slow
def test_write_shows_the_article_and_saves_it(local, briefworks, tmp_path):
    done = briefworks("write", "standing desks", "--words", "900", "--project", "p", "--article", "w1")
    assert done.returncode == 0, done.stdout + done.stderr
    state = local.state("p", "w1")
    assert (tmp_path / "standing-desks.md").read_text() == state["polished"]["markdown"]
    for section in state["sections"]:
        assert f"## {section['heading']}" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr  # no terminal, no control codes
    assert [path.name for path in tmp_path.iterdir()] == ["standing-desks.md"]

    again = briefworks("follow", "w1", "--project", "p", "--out", "again.md")
    assert again.returncode == 0 and state["polished"]["markdown"].strip() in again.stdout
    assert (tmp_path / "again.md").read_text() == state["polished"]["markdown"]


def test_json_is_a_row_a_line_and_may_be_cut_off(local, written, tmp_path):
    with start(
        local, tmp_path, "follow", "done", "--project", "p", "--json", stdout=-1, stderr=-1, text=True
    ) as all_of_it:
        rows = [json.loads(line) for line in all_of_it.stdout]
        assert all_of_it.wait(20) == 0
    assert rows == local.rows("p", "done")
    with start(
        local, tmp_path, "follow", "done", "--project", "p", "--json", stdout=-1, stderr=-1, text=True
    ) as cut:
        json.loads(cut.stdout.readline())
        cut.stdout.close()
        assert "Traceback" not in cut.stderr.read()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_ends_the_watching_only_and_says_how_to_come_back(local, briefworks, tmp_path):
    args = ("write", "standing desks", "--words", "900", "--project", "p", "--article", "c1")
    with start(local, tmp_path, *args, stdout=-1, stderr=-1, text=True) as child:
        while "start" not in child.stdout.readline():
            assert child.poll() is None
        child.send_signal(signal.SIGINT)
        told = child.stderr.read()
        assert child.wait(30) == 130
    assert "briefworks follow c1 --project p --out c1.md\n" in told
    assert "briefworks cancel c1 --project p\n" in told
    assert "Traceback" not in told and list(tmp_path.iterdir()) == []
    assert briefworks("follow", "c1", "--project", "p").returncode == 0
    assert local.state("p", "c1")["status"] == "done"


def test_ctrl_c_before_the_app_has_answered_says_the_id_as_well(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        args = [*BRIEFWORKS, "write", "standing desks", "--url", url, "--out", "my desks.md"]
        with (
            subprocess.Popen(args, cwd=tmp_path, env=environment(), stderr=-1, text=True) as child,
            silent.accept()[0] as asked,
        ):
            while b"standing desks" not in asked.recv(4096):
                assert child.poll() is None
            child.send_signal(signal.SIGINT)
            told = child.stderr.read()
    assert child.returncode == 130 and "Traceback" not in told
    assert re.search(rf"briefworks follow [0-9A-Z]{{26}} --url {url} --out 'my desks.md'\n", told)


@pytest.mark.slow
def test_cancel_stops_the_run_and_whoever_watches_it_hears_of_it(local, upstream, briefworks, tmp_path):
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=5)
    local.ask("p", "x1", targetWords=6000)
    wait_for(lambda: local.rows("p", "x1"))
    with start(local, tmp_path, "follow", "x1", "--project", "p", stdout=-1, stderr=-1, text=True) as watcher:
        told = briefworks("cancel", "x1", "--project", "p")
        assert told.returncode == 0 and "x1 is cancelled" in told.stdout
        assert "cancelled by user" in watcher.stdout.read() and watcher.wait(20) == 1
    again = briefworks("cancel", "x1", "--project", "p")
    assert again.returncode == 1 and "has ended" in again.stderr


def test_a_cancel_of_what_nobody_asked_for_says_so(briefworks):
    told = briefworks("cancel", "typing-eror", "--project", "p")
    assert "'typing-eror' of project 'p' has not started, or was never asked for." in told.stdout


def test_a_file_that_cannot_be_written_says_how_to_save_the_article(written, briefworks, tmp_path):
    told = briefworks("follow", "done", "--project", "p", "--out", "long" * 90)
    assert told.returncode == 2 and "cannot be written: File name too long" in told.stderr
    assert "The article is kept: briefworks follow done --project p --out FILE" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_same_id_with_another_request_is_refused(local, briefworks, tmp_path):
    local.ask("p", "same")
    wait_for(lambda: local.rows("p", "same"))
    told = briefworks("write", "oak chairs", "--project", "p", "--article", "same")
    assert told.returncode == 1 and "another request" in told.stderr and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["write", "x"], "keyword"),
        (["write", "standing desks", "--words", "9"], "targetWords"),
        (["write", "standing desks", "--article", "../a"], "articleId"),
        (["write", "standing desks", "--project", "a/b"], "projectId"),
        (["write", "standing desks", "--persona", "nobody"], "nobody"),
        (["write", "standing desks", "--out", "no/such/folder.md"], "no/such"),
        (["follow", "a b"], "article_id"),
        (["cancel", "ä"], "article_id"),
        (["articles", "--project", "a b"], "project_id"),
        (["articles", "--url", "ftp://x"], "address"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_cannot_be_asked_is_said_before_it_is(local, tmp_path, monkeypatch, args, says):
    monkeypatch.chdir(tmp_path)
    before = local.store.read("default")["head"]
    told = told_by(*args, BRIEFWORKS_URL=local.app.url)
    assert told.exit_code == 2 and says in told.stderr, told.output
    assert local.store.read("default")["head"] == before and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["write", "follow", "articles", "cancel", "delete"])
def test_without_an_app_it_is_said_what_starts_one(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    args = [] if command == "articles" else ["desks"]
    told = told_by(command, *args, BRIEFWORKS_URL=f"http://127.0.0.1:{free_port()}")
    assert told.exit_code == 1 and "No app answers" in told.stderr
    assert "briefworks dev" in told.stderr and "briefworks serve" in told.stderr


@pytest.fixture(scope="module")
def other():
    """An app whose answers a test says."""
    server = StreamServer()
    yield server
    server.close()


def test_articles_are_a_table_or_a_line_of_json_each(other):
    at = "2026-11-25T10:00:00.000Z"
    texts = {
        "keyword": "desks",
        "persona": "plain-expert",
        "status": "running",
        "title": "",
        "updated_at": at,
    }
    other.listed = [{"article_id": f"a{n}", **texts, "started_at": at[:-2] + f"{n}Z"} for n in range(3)]
    other.listed[2] |= {"title": "All about\x1b[2J desks", "status": "done"}
    table = told_by("articles", "--url", other.url).stdout.splitlines()
    assert [line.split()[:2] for line in table] == [["a2", "done"], ["a1", "running"], ["a0", "running"]]
    assert table[0].endswith("All about[2J desks") and table[1].endswith("(desks)")
    as_json = told_by("articles", "--url", other.url, "--json").stdout.splitlines()
    assert [json.loads(line)["article_id"] for line in as_json] == ["a2", "a1", "a0"]
    short = told_by("articles", "--url", other.url, "--limit", "1")
    assert len(short.stdout.splitlines()) == 1 and "--limit" in short.stderr


def test_a_silence_is_spoken_of_and_after_a_row_the_next_one(monkeypatch, capsys):
    monkeypatch.setattr(watching, "QUIET_S", 0.02)
    told = []

    def spoken_of(times):
        told.append(capsys.readouterr().err)
        return "".join(told).count("Nothing has come") == times

    class Slow:
        def follow(self, *_, **__):
            for n in (1, 2):
                wait_for(lambda n=n: spoken_of(n))
                yield row(n)

    watching.watch(Slow(), watching.JsonLines("p", "a"))


def test_delete_asks_first(other):
    other.rows = [row(1, "a1", "run-cancelled")]
    state = {"status": "cancelled", "seq": 1, "brief": None}
    other.answers["/api/projects/p/articles/a1"] = (200, json.dumps(state), {})
    told = CliRunner().invoke(main, ["delete", "a1", "--project", "p", "--url", other.url], input="n\n")
    assert told.exit_code == 1 and "a1" in told.stdout and "cancelled" in told.stdout
    assert ("DELETE", "/api/projects/p/articles/a1") not in other.asked
    told = told_by("delete", "a1", "--project", "p", "--url", other.url, "--yes")
    assert told.exit_code == 0 and ("DELETE", "/api/projects/p/articles/a1") in other.asked


def test_what_delete_asks_steers_no_terminal(other):
    other.rows = [row(1, "a1", "run-cancelled")]
    state = {"status": "cancelled", "seq": 1, "brief": {"title": "a\x1b]0;b\x07c"}}
    other.answers["/api/projects/p/articles/a1"] = (200, json.dumps(state), {})
    args = ["delete", "a1", "--project", "p", "--url", other.url]
    assert "Erase “a]0;bc”" in CliRunner().invoke(main, args, input="n\n", color=True).output


def on_a_terminal(local, folder, columns, *args):
    """The screen's bytes of a command that ends."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with start(local, folder, *args, stdin=follower, stdout=follower, stderr=follower) as child:
        os.close(follower)
        screen = b""
        while True:
            try:
                read = os.read(leader, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not read:
                break
            screen += read
        child.wait(20)
    os.close(leader)
    return screen.decode()


def test_on_a_narrow_terminal_lines_end_between_words(local, written, tmp_path):
    screen = on_a_terminal(local, tmp_path, 60, "follow", "done", "--project", "p")
    assert "\x1b[32m" in screen  # and in colour
    lines = re.sub(r"\x1b\[[0-9;]*m", "", screen).replace("\r", "").split("\n")
    assert [line for line in lines if len(line) > 60 and " " in line.strip()] == []
    markdown = written["polished"]["markdown"]
    assert " ".join(markdown.split()) in " ".join(" ".join(lines).split())


def test_text_of_models_and_pages_moves_no_cursor(capsys):
    evil = "a\x1b[2J\x1b]0;title\x07b\u202ec\x9b31m"
    view = TerminalView.of("p", "a")
    outline = {"title": evil, "gaps": [], "usage": usage(), "outline": [{"n": 1, "heading": evil}]}
    started = {"v": 1, "keyword": evil, "persona": evil}
    rows = [("run-started", "start", started), ("brief-done", "brief", outline)]
    rows += [("draft-token", "draft-section-1", {"text": evil})]
    failed = {"code": "x", "step": "", "message": evil, "hint": evil, "retriable": False}
    rows += [("run-failed", "end", failed)]
    for seq, (event, step, data) in enumerate(rows, 1):
        view.row({**row(seq), "event": event, "step": step, "data": data})
    shown = capsys.readouterr().out
    assert not set(shown) & {"\x1b", "\x07", "\u202e", "\x9b"} and shown.count("title") >= 5


def usage():
    return dict.fromkeys(
        ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "usd"), 0
    )


def test_sections_whose_rows_were_dropped_before_they_were_read_are_shown_at_the_end(local, written, capsys):
    view = TerminalView.of("p", "done")
    *before, last = local.rows("p", "done")
    token = {**last, "seq": last["seq"] - 0.5, "event": "draft-token", "step": "draft-section-1", "take": 99}
    for each in [*before, {**token, "data": {"text": "Once"}}, last]:
        view.row(each)
    shown = capsys.readouterr().out
    assert "Once" in shown
    for section in written["sections"]:
        assert shown.count(f"## {section['heading']}\n") == 1 and section["markdown"][-60:] in shown


def test_an_app_that_has_lost_its_rows_begins_anew_on_screen(capsys):
    view = TerminalView.of("p", "a")
    started = {"v": 1, "keyword": "desks", "persona": "plain-expert"}
    for seq in (1, 2, 1):
        view.row({**row(seq), "event": "run-started", "step": "start", "data": started})
    assert "begins anew" in capsys.readouterr().out and view.state["seq"] == 1


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_no_color_is_honoured(no_color, coloured):
    env = {"BRIEFWORKS_STORE": "mysql://x", "NO_COLOR": no_color}
    assert ("\x1b[31m" in CliRunner().invoke(main, ["doctor"], env=env, color=True).output) == coloured
