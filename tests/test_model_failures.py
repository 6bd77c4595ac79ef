"""Whatever goes wrong at a model's server is one error of our tree, and leaves nothing half-done behind."""

from __future__ import annotations

import pickle
import time
from email.utils import formatdate

import anthropic
import httpx2
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from briefworks.errors import (
    BriefworksError,
    ModelAnswerInvalid,
    ModelRefused,
    ModelRejected,
    ModelSpendLimit,
    ModelUnavailable,
    RateLimited,
)
from briefworks.model import Prompt, failures
from in_time import in_time
from model_talk import Memo, Out, Scripted, calls_to, events, message, refusal_of
from upstream import Upstream

PROMPT = Prompt(system="You write.", task="Write about <keyword>standing desks</keyword>.")


@pytest.fixture
def scripted(httpserver: HTTPServer) -> Scripted:
    return Scripted(httpserver)


def fails(url: str, limit_s: float = 20.0) -> tuple[BriefworksError, Memo, Out]:
    """The error of a call, with what it left in the memo and what was heard of it."""
    memo, out = Memo(), Out()
    with pytest.raises(BriefworksError) as caught:
        calls_to(url, memo, out, limit_s).write(PROMPT, out.token)
    assert "sk-test-secret" not in str(caught.value) + repr(vars(caught.value))
    return caught.value, memo, out


# --- before the first byte
@pytest.mark.parametrize("fault", ["overloaded", "drop", "rate_limit"])
def test_what_passes_by_itself_is_asked_again_at_once(upstream: Upstream, fault: str) -> None:
    upstream.fault(fault, times=2, **({"retry_after": 0} if fault == "rate_limit" else {}))
    out = Out()
    assert calls_to(upstream.url, Memo(), out).write(PROMPT, out.token) == out.text != ""
    assert len(upstream.calls("model")) == 3


@pytest.mark.parametrize(
    ("fault", "meaning", "requests"),
    [
        ("overloaded", ModelUnavailable, 3),
        ("server_error", ModelUnavailable, 3),
        ("auth", ModelRejected, 1),
        ("bad_request", ModelRejected, 1),
        ("spend_cap", ModelSpendLimit, 1),
        ("refusal", ModelRefused, 1),
    ],
)
def test_a_failure_is_asked_again_only_where_that_can_help(
    upstream: Upstream, fault: str, meaning: type[BriefworksError], requests: int
) -> None:
    upstream.fault(fault, times=9)
    error, memo, out = fails(upstream.url)
    assert type(error) is meaning
    assert len(upstream.calls("model")) == requests
    assert not memo and not out.pieces
    assert pickle.loads(pickle.dumps(error)).args == error.args


def test_a_wait_that_is_too_long_is_left_to_whoever_asks_again(upstream: Upstream) -> None:
    upstream.fault("rate_limit", times=9, retry_after=61)
    with in_time():
        error, _, _ = fails(upstream.url, limit_s=10)
    assert isinstance(error, RateLimited) and error.retry_after_s == 61
    assert len(upstream.calls("model")) == 1


def test_a_short_wait_is_waited_for(upstream: Upstream) -> None:
    upstream.fault("rate_limit", times=1, retry_after=0.4)
    begun, out = time.monotonic(), Out()
    calls_to(upstream.url, Memo(), out).write(PROMPT, out.token)
    assert time.monotonic() - begun >= 0.4


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after-ms": "90000"}, 90),
        ({"retry-after": "in 600 s"}, 600),
        ({"retry-after": "1e9"}, 3600),
    ],
)
def test_every_way_to_ask_for_patience_is_understood(
    scripted: Scripted, headers: dict[str, str], wait_s: float
) -> None:
    in_600_s = formatdate(time.time() + 600, usegmt=True)
    headers = {name: value.replace("in 600 s", in_600_s) for name, value in headers.items()}
    scripted.answers = [refusal_of(429, "rate_limit_error", "Slow down.", **headers)]
    error, _, _ = fails(scripted.url)
    assert isinstance(error, RateLimited) and abs(error.retry_after_s - wait_s) < 60


@pytest.mark.parametrize("headers", [{}, {"retry-after": "soon"}, {"retry-after": "nan"}])
def test_without_a_sensible_wait_it_is_tried_again_soon(scripted: Scripted, headers: dict[str, str]) -> None:
    scripted.answers = [refusal_of(429, "rate_limit_error", "Slow down.", **headers), message("Fine.")]
    assert calls_to(scripted.url, Memo(), Out()).write(PROMPT, lambda _: None) == "Fine."


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (refusal_of(404, "not_found_error", "model: gpt"), ModelRejected),
        (refusal_of(403, "permission_error", "No."), ModelRejected),
        (refusal_of(413, "request_too_large", "Too large."), ModelRejected),
        (refusal_of(418, "api_error", "A teapot."), ModelRejected),
        (refusal_of(402, "billing_error", "Pay."), ModelSpendLimit),
        (refusal_of(400, "invalid_request_error", "Your credit balance is too low."), ModelSpendLimit),
        (refusal_of(529, "overloaded_error", "Full.", **{"retry-after": "500"}), RateLimited),
        (Response("", 307, {"Location": "http://127.0.0.1:9/"}), ModelRejected),
        (Response("<h1>Hello</h1>", content_type="text/html"), ModelUnavailable),
        (events(), ModelUnavailable),
        (events("event: message_start\ndata: no json\n\n"), ModelUnavailable),
        (events('event: message_start\ndata: [["list"]]\n\n'), ModelUnavailable),
        (message("Half of", stop_reason=None), ModelUnavailable),
        (message("", stop_reason="end_turn"), ModelAnswerInvalid),
        (message(" \n ", stop_reason="end_turn"), ModelAnswerInvalid),
        (message("x", stop_reason="model_context_window_exceeded"), ModelRejected),
    ],
)
def test_an_answer_that_is_none_says_what_it_is(
    scripted: Scripted, answer: Response, meaning: type[BriefworksError]
) -> None:
    scripted.answers = [answer]
    error, memo, _ = fails(scripted.url)
    assert type(error) is meaning
    assert len(scripted.asked) == 1 and not memo


def test_a_rejection_is_short_and_names_the_request_and_never_the_key(scripted: Scripted) -> None:
    scripted.answers = [refusal_of(401, "authentication_error", "bad key sk-test-secret" + "!" * 9999)]
    error, _, _ = fails(scripted.url)
    assert "401" in str(error) and "req_7" in str(error) and len(str(error)) < 500


def test_a_server_that_is_not_there_is_unavailable() -> None:
    error, _, _ = fails("http://127.0.0.1:9", limit_s=5)
    assert isinstance(error, ModelUnavailable) and "127.0.0.1:9" in str(error)


# --- within the stream
@pytest.mark.parametrize("fault", ["cut", "reset", "clean_cut", "error_event"])
def test_a_stream_that_breaks_is_unavailable_and_not_remembered(upstream: Upstream, fault: str) -> None:
    upstream.fault(fault, after_tokens=12)
    memo, out = Memo(), Out()
    calls = calls_to(upstream.url, memo, out)
    with pytest.raises(ModelUnavailable):
        calls.write(PROMPT, out.token)
    assert not memo
    assert len(upstream.calls("model")) == 1
    assert fault == "reset" or out.text  # a reset may overtake what was sent
    assert calls.usage["calls"] == 1 and calls.usage["input_tokens"] > 0 and calls.usage["usd"]
    assert calls.write(PROMPT, out.token)
    assert len(upstream.calls("model")) == 2


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("overloaded_error", ModelUnavailable),
        ("rate_limit_error", RateLimited),
        ("invalid_request_error", ModelRejected),
        ("billing_error", ModelSpendLimit),
        ("something_new", ModelUnavailable),
    ],
)
def test_an_error_event_means_what_its_type_says(
    scripted: Scripted, kind: str, meaning: type[BriefworksError]
) -> None:
    body = f'{{"type":"error","error":{{"type":"{kind}","message":"It is so."}}}}'
    scripted.answers = [events(f"event: error\ndata: {body}\n\n")]
    error, _, _ = fails(scripted.url)
    assert type(error) is meaning and kind in str(error) and "It is so" in str(error)


def test_the_end_of_an_answer_may_break_when_all_of_it_has_come(httpserver: HTTPServer) -> None:
    scripted = Scripted(httpserver)
    whole = message("All of it.").get_data(as_text=True)
    scripted.answers = [events(whole, "event: error\ndata: {}\n\n")]
    assert calls_to(scripted.url, Memo(), Out()).write(PROMPT, lambda _: None) == "All of it."


def test_a_silent_server_is_left_at_the_deadline(upstream: Upstream) -> None:
    upstream.fault("stall", after_tokens=8, seconds=60)
    with in_time(more_than_s=1.4):
        error, memo, out = fails(upstream.url, limit_s=1.5)
    assert isinstance(error, ModelUnavailable) and "step limit" in str(error)
    assert out.text and not memo


def test_a_slow_stream_is_left_at_the_deadline(upstream: Upstream) -> None:
    upstream.fault("slow", tokens_per_s=4)
    with in_time():
        error, _, out = fails(upstream.url, limit_s=1.5)
    assert "step limit" in str(error)
    assert out.text


def test_a_deadline_that_has_passed_asks_nothing(upstream: Upstream) -> None:
    error, _, _ = fails(upstream.url, limit_s=0)
    assert "step limit" in str(error)
    assert upstream.calls("model") == []


# --- the tree
def _all_below(cls: type) -> set[type]:
    return {cls}.union(*(_all_below(one) for one in cls.__subclasses__()))


def test_every_error_of_the_sdk_and_its_transport_has_a_meaning() -> None:
    roots = {anthropic.AnthropicError, anthropic.APIError, anthropic.APIStatusError}
    public = {one for one in _all_below(anthropic.AnthropicError) if one.__module__ == "anthropic"} - roots
    unsaid = {one.__name__ for one in public if not set(one.__mro__) & set(failures.MEANINGS)}
    assert not unsaid
    # a limit of money looks like one of rate: each of them has been looked at
    assert set(anthropic.RateLimitError.__subclasses__()) <= set(failures.MEANINGS)
    assert _all_below(httpx2.TransportError) < _all_below(httpx2.HTTPError)
    assert set(failures.TROUBLE) >= {anthropic.AnthropicError, httpx2.HTTPError, httpx2.StreamError}
