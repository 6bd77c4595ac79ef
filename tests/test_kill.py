"""kill -9 at any point of a run: it ends by itself with the undisturbed article, and little is paid twice."""

import random
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from local import Local
from waiting import wait_for

pytestmark = pytest.mark.slow
POINTS = 10


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    local = Local(tmp_path_factory.mktemp("kill"), upstream.url)
    yield local
    local.close()


@pytest.fixture(scope="module")
def undisturbed(local, upstream):
    """The article as it is without a kill, its rows, and how many model calls it took."""
    upstream.reset()
    assert local.ask(project="calm").status_code == 202
    rows = local.wait_end(project="calm")
    assert rows[-1]["event"] == "polish-done"
    assert set(Counter(prompts(upstream)).values()) == {1}
    return rows[-1]["data"], rows[-1]["seq"], len(prompts(upstream))


def prompts(upstream):
    return [call["prompt_sha"] for call in upstream.calls("model")]


def remembered(local, project):
    """How many model calls of the project have their answer in the store."""
    with closing(sqlite3.connect(local.folder / "stream.db")) as db:
        of_articles = "SELECT count(*) FROM calls WHERE project_id = ? AND article_id NOT LIKE '~search-%'"
        return db.execute(of_articles, [project]).fetchone()[0]


def plan():
    dice = random.Random(20261124)
    for point in range(POINTS):
        yield point, (point + dice.random()) / POINTS, ("app", "executor", "both")[point % 3]


@pytest.mark.parametrize(("point", "share", "what"), list(plan()), ids=lambda value: str(value)[:4])
def test_a_killed_run_ends_as_if_nothing_had_happened(local, upstream, undisturbed, point, share, what):
    article, all_calls = undisturbed[0], undisturbed[2]
    upstream.reset()
    project = f"kill{point}"
    assert local.ask(project=project).status_code == 202
    wait_for(lambda: len(prompts(upstream)) >= max(1, round(share * all_calls)))

    for process in (local.app, local.executor):
        if what in (process.name, "both"):
            process.kill()
    in_flight = len(prompts(upstream)) - remembered(local, project)
    for process in (local.executor, local.app):
        if what in (process.name, "both"):
            process.start()

    rows = local.wait_end(project=project)
    assert [row["event"] for row in rows if row["step"] == "end" or row["event"] == "polish-done"] == [
        "polish-done"
    ]
    assert rows[-1]["data"]["markdown"] == article["markdown"]
    repeated = sum(count - 1 for count in Counter(prompts(upstream)).values())
    assert repeated <= in_flight
    state = local.state(project=project)
    assert [section["n"] for section in state["sections"]] == list(range(1, len(article["sections"]) + 1))
    assert [section["markdown"] for section in state["sections"]] == [
        section["markdown"] for section in article["sections"]
    ]
