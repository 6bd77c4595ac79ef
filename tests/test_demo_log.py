"""The demo upstream's log is a true witness of every call, also after a crash; and it runs as a process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from briefworks.demo import DemoUpstream
from demo_sdk import ONE, heard
from waiting import wait_for


def test_the_log_names_a_prompt_and_knows_it_again(upstream: Any, sdk: Any) -> None:
    for task in ("one", "two", "one"):
        heard(sdk, system="You are a pot.", messages=[{"role": "user", "content": task}])
    one, two, again = upstream.calls("model")
    assert one["prompt_sha"] == again["prompt_sha"] != two["prompt_sha"]
    assert (one["system_head"], two["task_head"]) == ("You are a pot.", "two")
    assert [call["ended"] for call in (one, two, again)] == ["ok", "ok", "ok"]
    assert one["n"] < two["n"] < again["n"]


def test_every_kind_of_request_is_in_the_log_and_no_key(http: httpx.Client, upstream: Any, sdk: Any) -> None:
    heard(sdk)
    for path in ("/search?q=t&format=json", "/pages/t/1", "/robots.txt", "/nowhere"):
        http.get(path, headers={"Authorization": "Bearer secret-key"})
    calls = upstream.calls()
    assert [call["kind"] for call in calls] == ["model", "search", "page", "robots", "other"]
    assert "secret-key" not in json.dumps(calls) + upstream.log.read_text()


def test_a_client_that_leaves_is_seen_within_moments(upstream: Any, sdk: Any) -> None:
    upstream.fault("slow", tokens_per_s=4)
    with sdk.messages.stream(**ONE) as stream:
        next(iter(stream.text_stream))
        assert upstream.calls("model")[-1]["ended"] == "open"
    wait_for(lambda: upstream.calls("model")[-1]["ended"] == "aborted")
    assert upstream.calls("model")[-1]["tokens"] < 20  # five seconds' worth


def test_the_file_has_a_line_when_a_call_begins_and_one_when_it_ends(upstream: Any, sdk: Any) -> None:
    upstream.fault("slow", tokens_per_s=20)
    with sdk.messages.stream(**ONE) as stream:
        next(iter(stream.text_stream))
        n = upstream.calls("model")[-1]["n"]
        assert [line["ended"] for line in lines(upstream.log) if line["n"] == n] == ["open"]
    wait_for(lambda: [line["ended"] for line in lines(upstream.log) if line["n"] == n] == ["open", "aborted"])


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_log_that_goes_on_after_a_crash_uses_no_number_twice(http: httpx.Client, tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    for _ in range(2):
        upstream = DemoUpstream(log_path=log)
        http.get(upstream.start() + "/robots.txt")
        upstream.stop()
        with log.open("a") as file:
            file.write('{"n": 9')  # cut short by a crash
            file.write("\n")
    numbers = [json.loads(line)["n"] for line in log.read_text().splitlines() if line.endswith("}")]
    assert numbers == [1, 1, 2, 2]


# --- the process ---
@contextlib.contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    args = [sys.executable, "-m", "briefworks.demo", *options]
    with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield child, json.loads(child.stdout.readline())["url"]
        finally:
            child.kill()


def test_a_busy_port_means_the_next_one_and_ctrl_c_is_quiet() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with process("--port", str(port), "--fault", '[{"fault": "drop", "match": "/robots"}]') as (
            child,
            url,
        ):
            assert port < int(url.rpartition(":")[2]) < port + 100
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.get(f"{url}/robots.txt")
            os.kill(child.pid, signal.SIGINT)
            out, err = child.communicate(timeout=30)
            assert (child.returncode, out, err) == (0, "", "")


def test_stopping_closes_the_port_and_every_connection() -> None:
    upstream = DemoUpstream()
    url = upstream.start()
    with httpx.Client() as client:
        assert client.get(f"{url}/robots.txt").status_code == 200
        upstream.stop()
        with pytest.raises(httpx.TransportError):
            client.get(f"{url}/robots.txt")
