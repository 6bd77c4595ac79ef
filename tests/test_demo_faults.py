"""Faults on request: how each shows in Anthropic's SDK, and that the log is a true witness of every call."""

from __future__ import annotations

import json
import time
from typing import Any

import anthropic
import httpx
import httpx2
import pytest

from briefworks.demo.messages import tokens_in
from demo_sdk import ONE, heard
from in_time import in_time
from waiting import wait_for


@pytest.mark.parametrize(
    ("fault", "error", "status", "kind"),
    [
        ("overloaded", anthropic.OverloadedError, 529, "overloaded_error"),
        ("rate_limit", anthropic.RateLimitError, 429, "rate_limit_error"),
        ("server_error", anthropic.InternalServerError, 500, "api_error"),
        ("auth", anthropic.AuthenticationError, 401, "authentication_error"),
        ("bad_request", anthropic.BadRequestError, 400, "invalid_request_error"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_http_fault_is_the_apis_own_error(
    upstream: Any,
    sdk: Any,
    fault: str,
    error: type[anthropic.APIStatusError],
    status: int,
    kind: str,
    stream: bool,
) -> None:
    upstream.fault(fault)
    with pytest.raises(error) as raised:
        sdk.messages.create(**ONE, stream=stream)
    assert (raised.value.status_code, raised.value.type) == (status, kind)
    assert raised.value.request_id
    call = upstream.calls("model")[-1]
    assert (call["fault"], call["ended"], call["tokens"]) == (fault, "error", 0)


def test_a_rate_limit_says_how_long_to_wait(upstream: Any, sdk: Any) -> None:
    upstream.fault("rate_limit", retry_after=7)
    _, error = heard(sdk)
    assert error.response.headers["retry-after"] == "7"
    upstream.fault("overloaded")
    _, error = heard(sdk)
    assert "retry-after" not in error.response.headers


def test_the_spend_cap_has_its_code_and_no_time_to_wait(upstream: Any, sdk: Any) -> None:
    upstream.fault("spend_cap")
    _, error = heard(sdk)
    assert isinstance(error, anthropic.RateLimitError)
    assert error.error_code == "enforced_spend_limit_reached"
    assert "retry-after" not in error.response.headers


def test_a_drop_ends_before_the_headers(upstream: Any, sdk: Any) -> None:
    upstream.fault("drop")
    text, error = heard(sdk)
    assert text == "" and isinstance(error, anthropic.APIConnectionError)
    assert upstream.calls("model")[-1]["ended"] == "cut"


@pytest.mark.parametrize(
    ("fault", "error"), [("cut", httpx2.RemoteProtocolError), ("reset", httpx2.ReadError)]
)
def test_a_broken_stream_is_a_transport_error_after_some_text(
    upstream: Any, sdk: Any, fault: str, error: type[Exception]
) -> None:
    whole, _ = heard(sdk)
    upstream.fault(fault, after_tokens=30)
    text, raised = heard(sdk)
    assert isinstance(raised, error)
    assert whole.startswith(text)
    if fault == "cut":  # a reset may take back what was still on its way
        assert tokens_in(text) == 30
    call = upstream.calls("model")[-1]
    assert (call["ended"], call["tokens"], call["fault"]) == ("cut", 30, fault)


def test_a_clean_cut_looks_like_success_without_a_stop_reason(upstream: Any, sdk: Any) -> None:
    upstream.fault("clean_cut", after_tokens=30)
    text, message = heard(sdk)
    assert isinstance(message, anthropic.types.Message)
    assert message.stop_reason is None and tokens_in(text) == 30


def test_an_error_event_comes_with_status_200(upstream: Any, sdk: Any) -> None:
    upstream.fault("error_event")
    text, error = heard(sdk)
    assert isinstance(error, anthropic.APIStatusError)
    assert (error.status_code, error.type) == (200, "overloaded_error")
    assert tokens_in(text) == 20


def test_a_stall_is_a_read_timeout_and_then_an_aborted_call(upstream: Any, sdk: Any) -> None:
    upstream.fault("stall")
    text, error = heard(sdk, timeout=1)
    assert isinstance(error, httpx2.ReadTimeout)
    assert tokens_in(text) == 20
    wait_for(lambda: upstream.calls("model")[-1]["ended"] == "aborted")


def test_a_short_stall_goes_on_where_it_was(upstream: Any, sdk: Any) -> None:
    whole, _ = heard(sdk)
    upstream.fault("stall", seconds=0.3)
    began = time.monotonic()
    text, message = heard(sdk)
    assert text == whole and message.stop_reason == "end_turn"
    assert time.monotonic() - began > 0.3


def test_slow_is_slow(upstream: Any, sdk: Any) -> None:
    upstream.fault("slow", tokens_per_s=200)
    with in_time(more_than_s=0.4):
        text, _ = heard(sdk, max_tokens=124)
    assert tokens_in(text) == 100


def test_bad_json_is_no_json(upstream: Any, sdk: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
              "required": ["a", "b"], "additionalProperties": False}  # fmt: skip
    form = {"format": {"type": "json_schema", "schema": schema}}
    upstream.fault("bad_json")
    text, message = heard(sdk, output_config=form)
    assert message.stop_reason == "end_turn"
    with pytest.raises(ValueError):
        json.loads(text)
    assert json.loads(heard(sdk, output_config=form)[0]).keys() == {"a", "b"}


def test_a_refusal_has_its_reason(upstream: Any, sdk: Any) -> None:
    upstream.fault("refusal")
    text, message = heard(sdk)
    assert (text, message.stop_reason) == ("", "refusal")
    assert message.stop_details.explanation


def test_truncate_ends_at_max_tokens(upstream: Any, sdk: Any) -> None:
    upstream.fault("truncate", after_tokens=50)
    text, message = heard(sdk)
    assert message.stop_reason == "max_tokens" and tokens_in(text) == 50


@pytest.mark.parametrize(
    ("fault", "error"),
    [("cut", anthropic.APIConnectionError), ("reset", anthropic.APIConnectionError),
     ("error_event", anthropic.OverloadedError)],
)  # fmt: skip
def test_a_whole_answer_breaks_as_well(upstream: Any, sdk: Any, fault: str, error: type[Exception]) -> None:
    upstream.fault(fault)
    with pytest.raises(error):
        sdk.messages.create(**ONE)
    assert sdk.messages.create(**ONE).stop_reason == "end_turn"


def test_a_fault_hits_the_prompts_that_match_as_often_as_it_says(upstream: Any, sdk: Any) -> None:
    upstream.fault("overloaded", match="nowhere")
    upstream.fault("auth", match="tea was good", times=2)
    kinds = [getattr(heard(sdk)[1], "type", "") for _ in range(3)]
    assert kinds == ["authentication_error", "authentication_error", "message"]
    assert [call["fault"] for call in upstream.calls("model")] == ["auth", "auth", ""]


def test_faults_with_a_rhythm_hit_every_so_many_th_request_in_turn(upstream: Any, sdk: Any) -> None:
    upstream.fault("overloaded", times=2, skip=1, every=4)
    upstream.fault("auth", times=100, skip=3, every=4)
    for _ in range(10):
        heard(sdk)
    hit = ["", "overloaded", "", "auth", "", "overloaded", "", "auth", "", ""]
    assert [call["fault"] for call in upstream.calls("model")] == hit


def test_a_fault_without_a_path_hits_the_model_only(http: httpx.Client, upstream: Any, sdk: Any) -> None:
    upstream.fault("auth")
    for path in ("/search?q=tea&format=json", "/pages/tea/1", "/robots.txt"):
        assert http.get(path).status_code == 200
    assert isinstance(heard(sdk)[1], anthropic.AuthenticationError)


def test_a_fault_that_matches_a_path_hits_search_and_pages(http: httpx.Client, upstream: Any) -> None:
    upstream.fault("rate_limit", match="/search", retry_after=3)
    upstream.fault("drop", match="/pages/tea/2")
    query = {"q": "tea", "format": "json"}
    limited = http.get("/search", params=query)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
    assert http.get("/search", params=query).status_code == 200
    assert http.get("/pages/tea/1").status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        http.get("/pages/tea/2")


def test_pages_have_faults_of_their_own(http: httpx.Client, upstream: Any, sdk: Any) -> None:
    for fault in ("page_500", "page_huge", "page_slow"):
        upstream.fault(fault)
    assert heard(sdk)[1].stop_reason == "end_turn"
    url = "/pages/tea/1"
    assert http.get(url).status_code == 500
    assert len(http.get(url).content) > 3_000_000
    with http.stream("GET", url) as slow:
        first = next(slow.iter_raw())
        assert 0 < len(first) < int(slow.headers["content-length"]) / 10


@pytest.mark.parametrize(
    "wrong",
    [{}, [{"fault": "nonsense"}], [{"fault": "cut", "seconds": 3}], [{"fault": "cut", "times": 0}],
     [{"fault": "cut", "every": 0}], [{"fault": "cut", "skip": -1}], [{"fault": "cut", "every": "x"}],
     [{"fault": "cut", "after_tokens": "x"}], [{"fault": "slow", "tokens_per_s": 0}], ["cut"]],
    ids=str,
)  # fmt: skip
def test_a_fault_there_is_not_is_refused_whole(
    http: httpx.Client, upstream: Any, sdk: Any, wrong: Any
) -> None:
    faults = [{"fault": "overloaded"}, *wrong] if isinstance(wrong, list) else wrong
    assert http.post("/_demo/faults", json=faults).status_code == 400
    assert heard(sdk)[1].stop_reason == "end_turn"


def test_faults_can_be_taken_back(http: httpx.Client, upstream: Any, sdk: Any) -> None:
    upstream.fault("overloaded", times=100)
    http.delete("/_demo/faults")
    assert heard(sdk)[1].stop_reason == "end_turn"


def test_a_web_pages_form_cannot_set_faults(http: httpx.Client, upstream: Any) -> None:
    answer = http.post("/_demo/faults", content='[{"fault": "auth"}]',
                        headers={"content-type": "text/plain"})  # fmt: skip
    assert answer.status_code == 415
