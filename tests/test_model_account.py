"""The account of model calls: every request has its entry, and the entries add up to what was paid."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel
from pytest_httpserver import HTTPServer

from briefworks.account import CallEntry
from briefworks.errors import (
    BriefworksError,
    ModelAnswerInvalid,
    ModelRefused,
    ModelUnavailable,
    StaleTake,
    StoreUnavailable,
)
from briefworks.model import ModelCalls, Prompt
from briefworks.shapes import add_usage
from model_talk import Memo, Out, Scripted, calls_to, message, refusal_of
from upstream import Upstream

PROMPT = Prompt(system="You write.", task="A text about <keyword>standing desks</keyword>.")
CUT = message("Twelve words and then nothing more of them will ever come here", stop_reason=None)


class Plan(BaseModel):
    title: str


@pytest.fixture
def scripted(httpserver: HTTPServer) -> Scripted:
    return Scripted(httpserver)


def write(calls: ModelCalls) -> str:
    return calls.write(PROMPT, lambda _: None)


def ask(calls: ModelCalls) -> Plan:
    return calls.ask(PROMPT, Plan)


@pytest.mark.parametrize(
    ("do", "answers", "outcomes", "error"),
    [
        (write, [message("All.")], ["answered"], None),
        (write, [message("One two", "max_tokens"), message("two three.")], ["continued", "answered"], None),
        (write, [message(" ")], ["model-answer-invalid"], ModelAnswerInvalid),
        (write, [message("", "refusal")], ["model-refused"], ModelRefused),
        (write, [CUT], ["model-unavailable"], ModelUnavailable),
        (ask, [message("no"), message('{"title": "x"}')], ["invalid", "answered"], None),
        (ask, [message("no"), message("no")], ["invalid", "model-answer-invalid"], ModelAnswerInvalid),
        (ask, [message("no"), CUT], ["invalid", "model-unavailable"], ModelUnavailable),
    ],
)
def test_every_request_has_an_entry_that_says_what_became_of_it(
    scripted: Scripted,
    do: Callable[[ModelCalls], Any],
    answers: list[Any],
    outcomes: list[str],
    error: type[BriefworksError] | None,
) -> None:
    scripted.answers = [*answers]
    memo = Memo()
    calls = calls_to(scripted.url, memo, Out())
    if error is None:
        do(calls)
    else:
        with pytest.raises(error):
            do(calls)
    found = list(memo.account.values())
    assert [entry["outcome"] for entry in found] == outcomes
    assert [entry["request"] for entry in found] == list(range(1, len(found) + 1))
    assert len({entry["call"] for entry in found}) == 1
    assert all(entry["started_at"] <= entry["finished_at"] for entry in found)
    assert add_usage(*(entry["usage"] for entry in found)) == calls.usage
    assert calls.usage["calls"] == len(answers) and calls.usage["usd"]
    assert [bool(entry["reason"]) for entry in found] == [False] * (len(found) - 1) + [error is not None]


def test_what_a_cut_answer_used_untold_is_an_estimate_beside_what_was_told(
    scripted: Scripted,
) -> None:
    scripted.answers = [CUT, message("All.")]
    memo = Memo()
    calls = calls_to(scripted.url, memo, Out())
    with pytest.raises(ModelUnavailable):
        write(calls)
    write(calls)
    cut, whole = memo.account.values()
    assert cut["usage"]["input_tokens"] == 10 and cut["usage"]["output_tokens"] == 1
    assert cut["estimate"]["output_tokens"] == 62 // 4  # one of them was told
    assert cut["estimate"]["usd"] == pytest.approx(15 * 10 / 1e6)
    assert whole["estimate"]["output_tokens"] == 0 and whole["estimate"]["usd"] == 0


def test_a_request_is_in_the_account_before_it_is_sent(scripted: Scripted) -> None:
    memo, seen = Memo(), []

    def hear(_text: str) -> None:
        seen.append(json.loads(json.dumps(list(memo.account.values()))))

    scripted.answers = [message("All.")]
    calls_to(scripted.url, memo, Out()).write(PROMPT, hear)
    (under_way,) = seen[0]
    assert under_way["outcome"] == under_way["finished_at"] == "" and under_way["usage"]["calls"] == 0
    assert under_way["estimate"]["input_tokens"] > 10 and under_way["estimate"]["usd"] > 0


def test_a_take_that_is_over_has_paid_for_what_it_heard(upstream: Upstream) -> None:
    memo = Memo()

    def hear(_text: str) -> None:
        raise StaleTake

    with pytest.raises(StaleTake):
        calls_to(upstream.url, memo, Out()).write(PROMPT, hear)
    (entry,) = memo.account.values()
    assert entry["outcome"] == "stale-take" and entry["usage"]["input_tokens"] > 0


def test_what_is_sent_again_before_its_first_byte_costs_nothing_and_says_why(scripted: Scripted) -> None:
    overloaded = refusal_of(529, "overloaded_error", "Too much.", **{"retry-after-ms": "100"})
    scripted.answers = [overloaded, overloaded, message("All.")]
    memo = Memo()
    calls = calls_to(scripted.url, memo, Out())
    write(calls)
    (entry,) = memo.account.values()
    assert len(entry["retries"]) == 2 and "529: Too much" in entry["retries"][0]
    assert entry["usage"] == calls.usage and calls.usage["calls"] == 1


def test_a_refused_request_costs_nothing(scripted: Scripted) -> None:
    scripted.answers = [refusal_of(400, "invalid_request_error", "No.")]
    memo = Memo()
    with pytest.raises(BriefworksError):
        write(calls_to(scripted.url, memo, Out()))
    (entry,) = memo.account.values()
    assert (entry["outcome"], entry["usage"]["usd"], entry["estimate"]["usd"]) == ("model-rejected", 0, 0)


def test_a_remembered_answer_says_what_it_had_cost(scripted: Scripted) -> None:
    scripted.answers = [message("no"), message('{"title": "x"}')]
    memo = Memo()
    first = calls_to(scripted.url, memo, Out())
    ask(first)
    again = calls_to(scripted.url, memo, Out())
    ask(again)
    recalled = list(memo.account.values())[-1]
    assert recalled["outcome"] == "recalled" and recalled["saved"] == first.usage
    assert recalled["usage"] == again.usage and again.usage["calls"] == 0
    assert recalled["call"] == next(iter(memo.account.values()))["call"]


def test_thinking_is_counted_within_the_output(upstream: Upstream) -> None:
    memo = Memo()
    write(calls_to(upstream.url, memo, Out()))
    (entry,) = memo.account.values()
    assert 0 < entry["thinking_tokens"] < entry["usage"]["output_tokens"]


def test_a_model_without_a_price_costs_nobody_knows_what(upstream: Upstream) -> None:
    memo = Memo()
    write(calls_to(upstream.url, memo, Out(), model="synthetic"))
    (entry,) = memo.account.values()
    assert entry["usage"]["usd"] is None and entry["usage"]["output_tokens"] > 0


def test_an_answer_survives_an_account_that_cannot_be_written(upstream: Upstream) -> None:
    class Away(Memo):
        def enter(self, entry_id: str, entry: CallEntry) -> None:
            raise StoreUnavailable

    assert write(calls_to(upstream.url, Away(), Out()))
