"""The model of a process: what it sends, what it never picks up by itself, and whether it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from briefworks.errors import ConfigError, ModelRejected, ModelUnavailable
from briefworks.model import Model, Prompt
from model_talk import Memo, Out, Scripted, message, refusal_of
from upstream import Upstream

PROMPT = Prompt(system="You write.", task="Go.", shared="Sources.", max_tokens=77)


@pytest.fixture
def scripted(httpserver: HTTPServer) -> Scripted:
    return Scripted(httpserver)


def write(model: Model, prompt: Prompt = PROMPT) -> str:
    return model.calls(Memo(), Out(), time.monotonic() + 10).write(prompt, lambda _: None)


def test_a_request_is_what_every_server_takes(scripted: Scripted) -> None:
    scripted.answers = [message("Fine.")]
    write(Model(model="llama3.1", base_url=scripted.url + "/v1/"))
    (asked,) = scripted.asked
    assert asked == {
        "model": "llama3.1",
        "max_tokens": 77,
        "stream": True,
        "system": [{"type": "text", "text": "You write."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Sources.", "cache_control": {"type": "ephemeral"}},
                    {"type": "text", "text": "Go."},
                ],
            }
        ],
    }


def test_without_a_shared_part_nothing_is_cached_and_no_block_is_empty(scripted: Scripted) -> None:
    scripted.answers = [message("Fine.")]
    write(Model(model="m", base_url=scripted.url), Prompt(system="", task="Half \ud83d of it."))
    assert "system" not in scripted.asked[0] and "cache_control" not in json.dumps(scripted.asked)
    assert scripted.prompt(0) == "Half \ufffd of it."


@pytest.mark.parametrize(("key", "sent"), [("sk-one", "sk-one"), (None, "no-key-needed"), (" sk\n", "sk")])
def test_a_server_of_ones_own_gets_the_key_in_both_headers(
    scripted: Scripted, key: str | None, sent: str
) -> None:
    scripted.answers = [message("Fine.")]
    write(Model(model="m", api_key=key, base_url=scripted.url))
    assert scripted.headers[0]["authorization"] == f"Bearer {sent}"
    assert scripted.headers[0]["x-api-key"] == sent


@pytest.mark.slow
def test_nothing_comes_from_the_environment(scripted: Scripted, tmp_path: Path) -> None:
    scripted.answers = [message("Fine.")]
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "default.json").write_text('{"base_url": "http://127.0.0.1:9"}')
    leaks = {
        "ANTHROPIC_API_KEY": "sk-leak",
        "ANTHROPIC_AUTH_TOKEN": "leak",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "ANTHROPIC_CUSTOM_HEADERS": "authorization: leak\nX-Leak: leak",
        "ANTHROPIC_CONFIG_DIR": str(tmp_path),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    code = (
        "import sys\n"
        "from briefworks.model import Model\n"
        "print(Model(model='m', api_key='sk-mine', base_url=sys.argv[1]).check())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, scripted.url],
        env={**os.environ, **leaks},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.endswith("answers\n"), done.stderr
    assert "leak" not in json.dumps(scripted.headers)
    assert scripted.headers[0]["x-api-key"] == "sk-mine"


@pytest.mark.parametrize(
    ("key", "base_url"),
    [
        (None, None),
        ("", None),
        ("sk-é", None),
        ("sk-1\n2", None),
        ("sk", "127.0.0.1:11434"),
        ("sk", "ftp://127.0.0.1"),
        ("sk", "http://"),
        ("sk", "http://u:secret@127.0.0.1"),
    ],
)
def test_what_cannot_work_is_said_at_once(key: str | None, base_url: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        Model(model="m", api_key=key, base_url=base_url)
    assert caught.value.hint and "secret" not in str(caught.value)


# --- check
@pytest.mark.parametrize("model", ["claude-sonnet-5-5", "synthetic"])
def test_a_model_that_is_listed_is_there_and_costs_nothing(upstream: Upstream, model: str) -> None:
    said = Model(model=model, api_key="k", base_url=upstream.url).check()
    assert model in said and "127.0.0.1" in said
    assert [call["kind"] for call in upstream.calls()] == ["models"]


def test_a_model_that_is_not_listed_is_asked(upstream: Upstream) -> None:
    with pytest.raises(ModelRejected, match="gpt-none"):
        Model(model="gpt-none", api_key="k", base_url=upstream.url).check()


@pytest.mark.parametrize("listed", [None, "<h1>Hello</h1>", {"object": "list", "data": [{"id": "m:latest"}]}])
def test_a_server_without_a_list_is_asked_for_a_token(
    scripted: Scripted, httpserver: HTTPServer, listed: object
) -> None:
    if isinstance(listed, str):
        httpserver.expect_request("/v1/models").respond_with_data(listed, content_type="text/html")
    elif listed:
        httpserver.expect_request("/v1/models").respond_with_json(listed)
    else:
        httpserver.expect_request("/v1/models").respond_with_data("", 404)
    scripted.answers = [message("", "max_tokens")]
    assert Model(model="m", base_url=scripted.url).check().startswith("m at localhost:")
    assert scripted.asked[0]["max_tokens"] == 1


@pytest.mark.parametrize(("lifecycle", "says"), [("deprecated", "deprecated"), ("active", "available")])
def test_a_model_that_ends_is_noted(httpserver: HTTPServer, lifecycle: str, says: str) -> None:
    found = {"data": [{"id": "m", "lifecycle": lifecycle}]}
    httpserver.expect_request("/v1/models").respond_with_json(found)
    assert says in Model(model="m", base_url=httpserver.url_for("")).check()


def test_a_retired_model_is_rejected(httpserver: HTTPServer) -> None:
    found = {"data": [{"id": "m", "lifecycle": "retired"}]}
    httpserver.expect_request("/v1/models").respond_with_json(found)
    with pytest.raises(ModelRejected, match="retired"):
        Model(model="m", base_url=httpserver.url_for("")).check()


def test_a_wrong_key_is_rejected_by_the_list(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/models").respond_with_response(
        refusal_of(401, "authentication_error", "No.")
    )
    with pytest.raises(ModelRejected, match="401"):
        Model(model="m", base_url=httpserver.url_for("")).check()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(ModelUnavailable):
        Model(model="m", base_url="http://127.0.0.1:9").check()
