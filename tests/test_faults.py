"""What goes wrong around a run: lost answers, an app that is away, a slow or absent model or search."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from briefworks.shapes import TERMINAL
from in_time import ROOM_S
from local import Local
from waiting import wait_for


class LossyProxy:
    """Stands between executor and app and swallows the app's first answer to each kind of request."""

    def __init__(self) -> None:
        self.target, self.lost = "", Counter()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Proxied,), {"proxy": self}))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_port

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Proxied(BaseHTTPRequestHandler):
    proxy: LossyProxy

    def log_message(self, *_args: object) -> None:
        pass

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = httpx.request(
            self.command, self.proxy.target + self.path, content=body, headers=dict(self.headers), timeout=60,
            trust_env=False,
        )  # fmt: skip
        ops = answer.json() if answer.status_code == 206 else [{"op": "end", "displayName": self.path}]
        for op in ops if self.command == "POST" else []:
            if op["op"] in ("StepRun", "end") and not self.proxy.lost[op["displayName"]]:
                self.proxy.lost[op["displayName"]] += 1
                self.connection.close()  # what the app did is done; nobody hears of it
                return
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name not in ("content-length", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_PUT = _forward


@pytest.mark.slow
def test_the_acknowledgement_of_each_step_is_lost_once_and_nothing_is_paid_twice(tmp_path, upstream):
    proxy = LossyProxy()
    local = Local(tmp_path, upstream.url, behind=proxy)
    try:
        local.ask()
        rows = local.wait_end()
        assert [row["event"] for row in rows if row["event"] in TERMINAL] == ["polish-done"]
        wait_for(lambda: proxy.lost["announce"])
        sections = {f"draft-section-{s['n']}" for s in rows[-1]["data"]["sections"]}
        assert {"start", "research", "brief", "draft", "polish", "polish-critique-1"} | sections <= set(
            proxy.lost
        )
        assert set(Counter(call["prompt_sha"] for call in upstream.calls("model")).values()) == {1}
        assert local.rows()[-1] == rows[-1]
    finally:
        local.close()
        proxy.close()


@pytest.mark.slow
def test_an_app_that_is_away_until_the_attempts_are_burned_finds_its_terminal_row_later(tmp_path, upstream):
    local = Local(
        tmp_path,
        upstream.url,
        executor_options=["--burn-attempts-when-away", "--retry-scale", "0.2"],
        BRIEFWORKS_RETRIES="1",
    )
    try:
        upstream.fault("slow", match="<section n=", times=50, tokens_per_s=60)
        local.ask()
        wait_for(lambda: any(row["event"] == "draft-token" for row in local.rows()))
        local.app.kill()
        run_id = local.rows()[0]["run_id"]
        status = f"{local.executor.url}/v1/runs/{run_id}"
        wait_for(lambda: httpx.get(status, trust_env=False).json()["data"]["status"] == "Failed")
        local.app.start()
        rows = local.wait_end()
        assert [row["event"] for row in rows if row["event"] in TERMINAL] == ["run-failed"]
        assert rows[-1]["event"] == "run-failed" and rows[-1]["data"]["hint"]
    finally:
        local.close()


def seconds(call):
    begun, ended = (datetime.fromisoformat(call[key]) for key in ("at", "ended_at"))
    return (ended - begun).total_seconds()


@pytest.mark.slow
def test_a_slow_model_stays_within_the_step_limit_and_the_article_is_written(tmp_path, upstream):
    local = Local(tmp_path, upstream.url, BRIEFWORKS_STEP_LIMIT_S="6")
    try:
        upstream.fault("stall", match='<section n="2"', times=1, seconds=60)
        upstream.fault("slow", match="<section n=", times=50, tokens_per_s=120)
        local.ask()
        rows = local.wait_end()
        assert rows[-1]["event"] == "polish-done"
        assert max(map(seconds, upstream.calls("model"))) < ROOM_S  # as the upstream saw it
    finally:
        local.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "code"),
    [("ANTHROPIC_BASE_URL", "model-unavailable"), ("SEARXNG_URL", "search-unavailable")],
)
def test_an_unreachable_upstream_is_the_reason_of_the_failed_run(tmp_path, upstream, setting, code):
    local = Local(tmp_path, upstream.url, BRIEFWORKS_RETRIES="0", **{setting: "http://127.0.0.1:9"})
    try:
        assert local.ask().status_code == 202
        end = local.wait_end()[-1]
        assert (end["event"], end["data"]["code"], end["data"]["step"]) == ("run-failed", code, "research")
        assert end["data"]["retriable"] is True and end["data"]["hint"]
    finally:
        local.close()
