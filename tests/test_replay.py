"""Local replay as a person uses it: runs listed and seen, run once more whole or from a step, pruned."""

import json
import signal
import subprocess
import sys
from dataclasses import asdict

import httpx
import pytest
from click.testing import CliRunner

from briefworks.asking import APP_ID
from briefworks.cli import main
from briefworks.cli.prose import plain_line
from briefworks.cli.timeline import run_json, took
from briefworks.errors import Conflict, RequestInvalid
from briefworks.executor.history import History
from briefworks.executor.journal import Journal
from briefworks.pipeline.function import FN_ID
from briefworks.replay import ARTICLE_FN, replay_request
from briefworks.shapes import TERMINAL
from local import Local
from waiting import wait_for


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    local = Local(tmp_path_factory.mktemp("replay"), upstream.url, executor_options=["--retry-scale", "0.01"])
    yield local
    local.close()


def cli(local, *args, columns=100, **settings):
    """A command in this process: starting one takes most of a second."""
    env = {**local.env, "COLUMNS": str(columns), **settings}
    return CliRunner().invoke(main, args, env=env)


def written(local, project, **asked):
    """Ask for an article and wait for its end; the id of its run once the engine has seen the end too."""
    assert local.ask(project, **asked).status_code == 202
    run_id = local.wait_end(project)[-1]["run_id"]
    wait_for(lambda: run_of(local, run_id)["ended_at"])
    return run_id


def run_of(local, run_id):
    """What `runs <id> --json` says, without a process of its own: it is asked again and again."""
    history = History(local.folder / "executor.db")
    return run_json(history.run(run_id)) | {"timeline": [asdict(span) for span in history.timeline(run_id)]}


def steps_of(run, *statuses):
    return [step["name"] for step in run["timeline"] if step["status"] in statuses]


def prompts(upstream):
    return [call["prompt_sha"] for call in upstream.calls("model")]


def newest(local):
    return json.loads(cli(local, "runs", "--json", "--limit", "1").stdout)[0]["run_id"]


def ends(local, project):
    return [(row["event"], row["take"]) for row in local.rows(project) if row["event"] in TERMINAL]


@pytest.mark.slow
def test_a_failed_article_goes_on_with_what_was_finished_and_pays_only_for_the_rest(local, upstream):
    upstream.fault("auth", match="<section n=", times=50)
    first = written(local, "failed")
    assert ends(local, "failed") == [("run-failed", 1)]
    paid = prompts(upstream)
    upstream.reset()
    command = [sys.executable, "-m", "briefworks", "replay", first[-7:]]
    done = subprocess.run(command, check=False, env=local.env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    second = run_of(local, done.stdout.split()[0])
    assert second["original_run_id"] == first and "Completed" in done.stdout
    assert {"start", "research", "brief"} <= set(steps_of(second, "kept"))
    assert steps_of(second, "done")[0] == "start-2" and "polish" in steps_of(second, "done")
    assert ends(local, "failed") == [("run-failed", 1), ("polish-done", 1)]
    assert not [call for call in upstream.calls() if call["kind"] != "model"]  # no search, no page
    assert len(set(prompts(upstream))) == len(prompts(upstream))
    assert not set(prompts(upstream)) & set(paid[:1])


@pytest.mark.slow
def test_a_finished_article_is_run_again_from_a_step_and_the_model_is_not_asked_twice(local, upstream):
    first = written(local, "finished")
    article = local.state("finished")["polished"]["markdown"]
    refused = cli(local, "replay", first)
    assert refused.exit_code == 2 and "--anew" in refused.stderr
    paid = prompts(upstream)
    for nth in (2, 3):  # and the replay again
        done = cli(local, "replay", newest(local) if nth == 3 else first, "--from", "draft-section-2")
        assert done.exit_code == 0, done.stdout + done.stderr
        run = run_of(local, done.stdout.split()[0])
        assert "draft-section-1" in steps_of(run, "kept") and "start" in steps_of(run, "kept")
        ran = steps_of(run, "done")
        assert {"draft-section-2", "draft", "polish"} <= set(ran) and "research" not in ran
        assert ends(local, "finished") == [("polish-done", take) for take in range(1, nth + 1)]
        assert local.state("finished")["status"] == "done"
        assert local.state("finished")["polished"]["markdown"] == article
    assert prompts(upstream) == paid
    assert local.ask("finished").status_code == 200  # asking again is still no new run


@pytest.mark.slow
def test_anew_every_step_runs_again(local, upstream):
    first = written(local, "anew")
    searches = len(upstream.calls("search"))
    done = cli(local, "replay", first, "--anew")
    assert done.exit_code == 0, done.stdout + done.stderr
    run = run_of(local, done.stdout.split()[0])
    assert steps_of(run, "kept") == ["start"] and "research" in steps_of(run, "done")
    assert len(upstream.calls("search")) == searches > 0  # its answer is kept for a day
    assert "Several runs" in cli(local, "runs", "0").stderr
    assert ends(local, "anew") == [("polish-done", 1), ("polish-done", 2)]
    assert len(set(prompts(upstream))) == len(prompts(upstream))


@pytest.mark.slow
def test_two_replays_at_once_are_one_run_of_the_article(local, upstream):
    first = written(local, "twice")
    rerun = f"{local.executor.url}/v2/runs/{first}/rerun"
    body = replay_request(ARTICLE_FN, "Completed", ["start", "research"], anew=True)
    both = [httpx.post(rerun, json=body, trust_env=False).json()["data"]["runId"] for _ in "12"]
    wait_for(lambda: all(run_of(local, run_id)["ended_at"] for run_id in both))
    assert [row["event"] for row in local.rows("twice")].count("run-started") == 2
    assert ends(local, "twice") == [("polish-done", 1), ("polish-done", 2)]


@pytest.mark.slow
def test_a_living_run_is_not_replayed_and_ctrl_c_leaves_a_replay_running(local, upstream):
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=5)
    local.ask("living", keyword="tea kettles")
    wait_for(lambda: any(row["event"] == "draft-token" for row in local.rows("living")))
    refused = cli(local, "replay", newest(local))
    assert refused.exit_code == 1 and "still running" in refused.stderr
    assert "Running" in cli(local, "runs").stdout
    local.http.post("/api/projects/living/articles/a1/cancel", json={})
    local.wait_end("living")
    run_id = next(row["run_id"] for row in local.rows("living"))
    wait_for(lambda: run_of(local, run_id)["ended_at"])
    watching = subprocess.Popen(
        [sys.executable, "-u", "-m", "briefworks", "replay", run_id],
        env=local.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    new = watching.stdout.readline().split()[0]
    wait_for(lambda: open_run(local, new))
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate(timeout=60)
    assert watching.returncode == 130 and f"briefworks runs {new}" in said and "Traceback" not in said
    assert run_of(local, new)["status"] == "Running"
    local.http.post("/api/projects/living/articles/a1/cancel", json={})
    wait_for(lambda: run_of(local, new)["ended_at"])


def open_run(local, run_id):
    return run_of(local, run_id)["timeline"] and not run_of(local, run_id)["ended_at"]


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 100])
def test_runs_and_timelines_fit_the_terminal_and_show_failed_attempts(local, upstream, columns):
    upstream.fault("cut", match='<section n="1"', times=1)
    project = f"wide-{columns}-{'x' * 50}"
    run_id = written(local, project, keyword=f"desk lamps {columns}")
    listed, shown = (cli(local, *args, columns=columns).stdout for args in (["runs"], ["runs", run_id]))
    assert run_id in listed and project[:10] in listed and "1 failed" in listed
    assert max(len(line) for line in (listed + shown).splitlines()) <= columns
    lines = shown.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("draft-section-1"))
    assert "░" in lines[at] and "█" in lines[at]
    assert lines[at + 1].strip().startswith("attempt 1: ModelUnavailable")
    steps = [line.split()[0] for line in lines[4:] if line[0] != " "]
    assert steps[:3] == ["start", "research", "brief"] and steps[-1] == "announce"


@pytest.mark.slow
def test_what_is_wrong_is_said_with_the_way_out(local, tmp_path):
    for args, says, status in (
        (["runs", "nowhere"], "no run 'nowhere'", 1),
        (["runs", "--", "%"], "no run", 1),
        (["replay", "nowhere"], "no run", 1),
        (["runs", "prune", "--older-than", "soon"], "not a duration", 2),
    ):
        done = cli(local, *args)
        assert (done.exit_code, says in done.stderr, type(done.exception)) == (status, True, SystemExit), args
    elsewhere = cli(local, "runs", BRIEFWORKS_DATA_DIR=str(tmp_path))
    assert elsewhere.exit_code == 2 and "no journal" in elsewhere.stderr
    (tmp_path / "executor.db").write_text("a shopping list")
    assert "cannot be read" in cli(local, "runs", BRIEFWORKS_DATA_DIR=str(tmp_path)).stderr


@pytest.mark.slow
def test_pruning_forgets_old_runs_while_the_engine_runs_and_when_it_does_not(local, upstream, tmp_path):
    run_id = written(local, "old", keyword="old chairs")
    assert cli(local, "runs", "prune", "--older-than", "1d").stdout == "0 runs forgotten.\n"
    assert run_of(local, run_id)
    done = cli(local, "runs", "prune", "--older-than", "0s")
    assert done.exit_code == 0 and not done.stdout.startswith("0 runs")
    assert "Nothing has run yet." in cli(local, "runs").stdout
    assert local.state("old")["status"] == "done"  # the article is the store's
    run_id = written(local, "after", keyword="new chairs")  # and the engine goes on
    Journal(tmp_path / "executor.db").close()
    assert cli(local, "runs", "prune", "--older-than", "0s", BRIEFWORKS_DATA_DIR=str(tmp_path)).exit_code == 0
    lost = cli(local, "replay", run_id, BRIEFWORKS_DATA_DIR=str(tmp_path))
    assert lost.exit_code == 1 and "no run" in lost.stderr


def test_what_a_replay_asks_of_the_engine():
    steps = ["start", "start-2", "research", "brief"]

    def asked(status="Failed", from_step=None, anew=False, fn_id=ARTICLE_FN):
        return replay_request(fn_id, status, steps, from_step, anew=anew)

    assert asked() == {"keepFinished": True}
    assert asked(from_step="brief") == {"fromStep": {"stepId": "brief"}}
    assert asked(anew=True) == asked(from_step="start") == {"fromStep": {"stepId": "research"}}
    assert asked(anew=True, fn_id="other-f") == {}
    assert asked("Completed", from_step="start", fn_id="other-f") == {"fromStep": {"stepId": "start"}}
    for wrong, error in (
        ({"status": "Running"}, Conflict),
        ({"status": "COMPLETED"}, RequestInvalid),
        ({"from_step": "brief", "anew": True}, RequestInvalid),
    ):
        with pytest.raises(error):
            asked(**wrong)
    assert f"{APP_ID}-{FN_ID}" == ARTICLE_FN


def test_text_of_an_app_cannot_steer_the_terminal():
    assert plain_line("a\x1b[2Jb\r\n\u202ec") == "a [2Jb c"
    assert [took(s) for s in (0.0421, 1.234, 42.24, 185, 7805)] == [
        "42 ms",
        "1.23 s",
        "42.2 s",
        "3:05 min",
        "2:10 h",
    ]
