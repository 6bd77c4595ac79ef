"""A store that goes away in mid-section: the same article, no word lost, no model call repeated."""

import subprocess
import time
from collections import Counter

import pytest

from briefworks.errors import StoreUnavailable
from briefworks.settings import Settings
from briefworks.stores.postgres import PostgresStore
from briefworks.web import create_app
from local import Local
from postgres_server import PostgresServer
from upstream import Upstream
from waiting import wait_for

AWAY_S = 60


def memory_mb(pid):
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], check=True, capture_output=True, text=True)
    return int(shown.stdout) / 1024


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_sixty_seconds_without_a_store_cost_no_word_no_model_call_and_no_memory(tmp_path):
    server = PostgresServer()
    url = server.url(server.migrated(supabase=False))
    slow = Upstream(tmp_path / "calls.jsonl", "--seed", "7", "--tokens-per-s", "60")
    local = Local(tmp_path, slow.url, BRIEFWORKS_STORE=url)
    local.store.close()
    local.store = PostgresStore(url)
    try:
        assert local.ask().status_code == 202
        wait_for(lambda: sum(row["event"] == "draft-token" for row in local.rows()) > 20, 60)
        runs = {row["run_id"] for row in local.rows()}
        before_mb, peak_mb = memory_mb(local.app.child.pid), 0.0
        server.stop()
        back = time.monotonic() + AWAY_S
        while time.monotonic() < back:
            peak_mb = max(peak_mb, memory_mb(local.app.child.pid))
            time.sleep(0.2)
        server.start()
        rows = local.wait_end(timeout_s=120)
        peak_mb = max(peak_mb, memory_mb(local.app.child.pid))
        prompts = Counter(call["prompt_sha"] for call in slow.calls("model"))
    finally:
        local.close()
        slow.close()
        server.close()
    assert rows[-1]["event"] == "polish-done"
    assert {row["run_id"] for row in rows} == runs
    assert set(prompts.values()) == {1}
    assert peak_mb - before_mb < 20


def test_asking_while_the_store_is_away_is_told_why(tmp_path):
    settings = Settings.load(
        _env_file=None,
        anthropic_base_url="http://127.0.0.1:9",
        searxng_url="http://127.0.0.1:9",
        inngest_dev="http://127.0.0.1:9",
        store="postgresql://postgres:sesame@127.0.0.1:9/none",
        data_dir=tmp_path,
    )
    asked = {"projectId": "p", "articleId": "a", "keyword": "standing desks"}
    answer = create_app(settings).test_client().post("/api/articles", json=asked)
    assert (answer.status_code, answer.json["code"]) == (503, StoreUnavailable.code)
    assert "refused" in answer.json["detail"] and "sesame" not in answer.text
