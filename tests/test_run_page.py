"""The page of an article's runs, in a real browser and over HTTP: drawn as they were, and run once more."""

import shutil
from hashlib import sha256

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from briefworks.executor.history import History
from briefworks.settings import Settings
from briefworks.shapes import TERMINAL
from briefworks.web import create_app
from local import Local
from waiting import wait_for

expect.set_options(timeout=30_000)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    local = Local(tmp_path_factory.mktemp("page"), upstream.url, executor_options=["--retry-scale", "0.01"])
    yield local
    local.close()


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium here: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


def written(local, project, **asked):
    """Ask for an article and wait for its end; its run once the engine has seen the end too."""
    local.ask(project, **asked)
    run_id = local.wait_end(project)[-1]["run_id"]
    history = History(local.folder / "executor.db")
    wait_for(lambda: history.run(run_id)["ended_at"])
    return run_id


def runs(local, project):
    return local.http.get(f"/api/projects/{project}/articles/a1/runs").json()["runs"]


def replay(local, project, **body):
    return local.http.post(f"/api/projects/{project}/articles/a1/replay", json=body)


def ends(local, project):
    return [row["event"] for row in local.rows(project) if row["event"] in TERMINAL]


@pytest.mark.slow
def test_a_failed_article_is_seen_with_its_steps_and_goes_on_over_http(local, upstream):
    upstream.fault("auth", match="<section n=", times=50)
    run_id = written(local, "http")
    upstream.reset()
    (run,) = runs(local, "http")
    assert (run["id"], run["status"]) == (run_id, "FAILED")
    assert run["error"].startswith("ModelRejected: draft-section-")
    assert [step["name"] for step in run["steps"]][:3] == ["start", "research", "brief"]
    other = written(local, "another", keyword="green tea")
    for body, status in (
        ({}, 400),
        ({"runId": run_id, "from": ""}, 400),
        ({"runId": run_id, "from": "nowhere"}, 400),
        ({"runId": run_id, "from": "brief", "anew": True}, 400),
        ({"runId": run_id, "anew": 1}, 400),
        ({"runId": "01M814WXTK0QJ94NR77VMSBZXG"}, 404),
        ({"runId": other, "anew": True}, 404),  # of another project
    ):
        answer = replay(local, "http", **body)
        assert (answer.status_code, answer.json()["status"]) == (status, status), body
    assert local.http.get("/api/projects/http/articles/none/runs").status_code == 404
    new = replay(local, "http", runId=run_id)
    assert new.status_code == 202
    wait_for(lambda: runs(local, "http")[0]["status"] == "COMPLETED")
    newest, first = runs(local, "http")
    assert (newest["id"], first["id"]) == (new.json()["runId"], run_id)
    assert {"research", "brief"} <= {step["name"] for step in newest["steps"] if step["kept"]}
    assert ends(local, "http") == ["run-failed", "polish-done"]
    assert replay(local, "http", runId=newest["id"]).status_code == 400  # nothing is left to run


def test_the_run_page_is_there_only_with_a_local_engine(tmp_path):
    said = {"anthropic_api_key": "x", "searxng_url": "http://127.0.0.1:9", "data_dir": tmp_path}
    keys = {"inngest_signing_key": "signkey-test-00", "inngest_event_key": "k"}
    for engine, there in (({"inngest_dev": "1"}, True), (keys, False)):
        app = create_app(Settings.load(_env_file=None, **said, **engine))
        rules = {rule.rule for rule in app.url_map.iter_rules()}
        assert any(rule.endswith("/replay") for rule in rules) is there


def test_with_keys_the_runs_are_shown_and_replayed_only_to_their_project(tmp_path):
    key, other = "bw_" + "a" * 43, "bw_" + "b" * 43
    known = ",".join(f"{p}:{sha256(k.encode()).hexdigest()}" for p, k in (("acme", key), ("else", other)))
    said = {"anthropic_api_key": "x", "searxng_url": "http://127.0.0.1:9", "data_dir": tmp_path}
    app = create_app(Settings.load(_env_file=None, **said, inngest_dev="1", api_keys=known))
    client, article = app.test_client(), "/api/projects/acme/articles/a1"
    for headers, status in (({}, 401), ({"Authorization": f"Bearer {other}"}, 404)):
        assert client.get(f"{article}/runs", headers=headers).status_code == status
        assert client.post(f"{article}/replay", json={}, headers=headers).status_code == status
    mine = client.post(f"{article}/replay", json={}, headers={"Authorization": f"Bearer {key}"})
    assert mine.status_code == 400
    page = client.get("/projects/acme/articles/a1/run")
    assert page.status_code == 200 and "script-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_draws_a_run_and_runs_it_again_from_a_step(local, upstream, browser, width):
    upstream.fault("cut", match='<section n="1"', times=1)
    project = f"page-{width}"
    first = written(local, project, keyword=f"<img src=x onerror=alert(1)> {width}")
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme="dark")
    troubles = []
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{local.app.url}/projects/{project}/articles/a1/run")
    expect(page.get_by_role("heading", name=f"Run {first}")).to_be_visible()
    expect(page.get_by_text("attempt 1: ModelUnavailable")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Run again from draft-section-2").click()
    expect(page.locator("section")).to_have_count(2)
    wait_for(lambda: ends(local, project) == ["polish-done"] * 2)
    newest = page.locator("section").first
    expect(newest.locator("caption")).to_contain_text("finished")
    expect(newest.locator("tr.kept").first).to_contain_text("start")
    newest.get_by_role("button", name="Run anew").click()
    expect(page.locator("section")).to_have_count(3)
    wait_for(lambda: ends(local, project) == ["polish-done"] * 3)
    expect(page.locator("section").first.locator("caption")).to_contain_text("finished")
    found = Axe().run(page).response["violations"]
    assert not [each["id"] for each in found if each["impact"] in ("serious", "critical")]
    assert troubles == []
    page.close()
