"""Structured answers: valid or an error, mended once, and heard as text and never as JSON."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from pytest_httpserver import HTTPServer

from briefworks.errors import ModelAnswerInvalid, ModelRefused, ModelRejected, ModelUnavailable
from briefworks.model import Model, Prompt
from briefworks.model.readable import ReadableText
from briefworks.model.structured import read_answer
from briefworks.text import clean
from model_talk import Memo, Out, Scripted, calls_to, message, refusal_of
from upstream import Upstream

PROMPT = Prompt(system="You plan.", task="Plan a text about <keyword>standing desks</keyword>.")


class Part(BaseModel):
    heading: str
    words: Annotated[int, Field(ge=10, le=700)]


class Plan(BaseModel):
    title: Annotated[str, Field(min_length=3)]
    tone: Literal["plain", "warm"]
    parts: Annotated[list[Part], Field(min_length=1)]


GOOD = {"title": "Desks", "tone": "plain", "parts": [{"heading": "Motors", "words": 200}]}
POOR = {"title": "Desks", "tone": "loud", "parts": [{"heading": "Motors", "words": 2}]}


@pytest.fixture
def scripted(httpserver: HTTPServer) -> Scripted:
    return Scripted(httpserver)


# --- with the upstream, which obeys the schema
def test_an_answer_has_the_shape_that_was_asked_for_and_is_paid_once(upstream: Upstream) -> None:
    memo, first, again = Memo(), Out(), Out()
    plan = calls_to(upstream.url, memo, first).ask(PROMPT, Plan, first.token)
    assert plan.title in first.text and plan.parts[0].heading in first.text
    assert "{" not in first.text and '"' not in first.text
    calls = calls_to(upstream.url, memo, again)
    assert calls.ask(PROMPT, Plan, again.token) == plan
    assert again.text == first.text and calls.usage["calls"] == 0
    assert len(upstream.calls("model")) == 1


def test_bad_json_is_mended_once_and_remembered_as_the_answer(upstream: Upstream) -> None:
    upstream.fault("bad_json")
    memo, out = Memo(), Out()
    calls = calls_to(upstream.url, memo, out)
    plan = calls.ask(PROMPT, Plan, out.token)
    assert len(upstream.calls("model")) == 2 and calls.usage["calls"] == 2
    assert calls_to(upstream.url, memo, Out()).ask(PROMPT, Plan) == plan
    assert len(upstream.calls("model")) == 2
    assert plan.title in out.text.partition("\n\n")[2]


def test_bad_json_twice_is_an_invalid_answer_and_not_remembered(upstream: Upstream) -> None:
    upstream.fault("bad_json", times=2)
    memo = Memo()
    with pytest.raises(ModelAnswerInvalid) as caught:
        calls_to(upstream.url, memo, Out()).ask(PROMPT, Plan)
    assert caught.value.hint and caught.value.retriable and not memo
    assert len(upstream.calls("model")) == 2


def test_a_truncated_object_is_asked_for_with_more_room(scripted: Scripted) -> None:
    scripted.answers = [message(json.dumps(GOOD)[:30], "max_tokens"), message(json.dumps(GOOD))]
    assert calls_to(scripted.url, Memo(), Out()).ask(PROMPT, Plan).title == "Desks"
    assert scripted.asked[1]["max_tokens"] == 2 * scripted.asked[0]["max_tokens"]
    assert "cut off" in scripted.prompt(1)


@pytest.mark.parametrize(("fault", "error"), [("refusal", ModelRefused), ("cut", ModelUnavailable)])
def test_a_refusal_or_a_cut_is_not_mended(upstream: Upstream, fault: str, error: type[Exception]) -> None:
    upstream.fault(fault)
    memo = Memo()
    with pytest.raises(error):
        calls_to(upstream.url, memo, Out()).ask(PROMPT, Plan)
    assert len(upstream.calls("model")) == 1 and not memo


def test_a_memo_of_another_shape_is_asked_for_anew(upstream: Upstream) -> None:
    memo, out = Memo(), Out()
    plan = calls_to(upstream.url, memo, out).ask(PROMPT, Plan)
    for record in memo.values():
        record["text"] = json.dumps(POOR)
    assert calls_to(upstream.url, memo, out).ask(PROMPT, Plan, out.token) == plan
    assert len(upstream.calls("model")) == 2 and "Motors" not in out.text
    assert json.loads(next(iter(memo.values()))["text"])["title"] == plan.title


def test_without_a_listener_the_model_is_still_said_to_think(upstream: Upstream) -> None:
    out = Out()
    calls_to(upstream.url, Memo(), out).ask(PROMPT, Plan)
    assert out.thought and not out.pieces


# --- with servers that are not Anthropic's
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "Here is the plan:\n```json\n{}\n```\nI hope it helps.",
        '<think>A set {{like this}} or {{"title": 1}}?</think>\n{}',
        '{} {{"title": "Another"}}',
    ],
)
def test_a_server_that_ignores_the_schema_is_understood(scripted: Scripted, around: str) -> None:
    scripted.answers = [message(around.format(json.dumps(GOOD)))]
    assert calls_to(scripted.url, Memo(), Out()).ask(PROMPT, Plan).model_dump() == GOOD
    assert '"heading"' in scripted.prompt(0) and "JSON schema" in scripted.prompt(0)


def test_the_repair_says_what_was_wrong(scripted: Scripted) -> None:
    scripted.answers = [message(json.dumps(POOR)), message(json.dumps(GOOD))]
    out = Out()
    assert calls_to(scripted.url, Memo(), out).ask(PROMPT, Plan, out.token).tone == "plain"
    repair = scripted.prompt(1)
    assert "tone: Input should be 'plain' or 'warm'" in repair and "parts.0.words" in repair
    assert json.dumps(POOR) in repair and PROMPT.task in repair
    assert out.text == "Desks\nloud\nMotors\n\nDesks\nplain\nMotors"


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_the_schema_gets_it_in_the_prompt_only(scripted: Scripted, status: int) -> None:
    refused = refusal_of(status, "invalid_request_error", "output_config: Extra inputs are not permitted")
    scripted.answers = [refused, message(json.dumps(GOOD)), message(json.dumps(GOOD))]
    model = Model(model="llama", base_url=scripted.url)
    for n in range(2):
        calls = model.calls(Memo(), Out(), time.monotonic() + 10)
        assert calls.ask(Prompt(system="", task=f"{PROMPT.task} {n}"), Plan).title == "Desks"
    assert ["output_config" in asked for asked in scripted.asked] == [True, False, False]


def test_another_bad_request_with_a_schema_is_rejected(scripted: Scripted) -> None:
    scripted.answers = [refusal_of(400, "invalid_request_error", "max_tokens: too many")]
    with pytest.raises(ModelRejected, match="max_tokens"):
        calls_to(scripted.url, Memo(), Out()).ask(PROMPT, Plan)


@pytest.mark.parametrize("text", ["", "[1]", "{" * 100_000, '{"title": ' * 5000, '{"n": ' + "9" * 9999 + "}"])
def test_what_is_no_object_is_a_fault_and_never_more(text: str) -> None:
    found, faults = read_answer(text, Plan)
    assert found is None and faults


def test_a_part_of_an_object_is_not_taken_for_the_whole() -> None:
    assert read_answer('{"part": {"heading": "x", "words": 20}}', Part)[0] is None


def test_texts_of_an_answer_can_be_stored() -> None:
    found, _ = read_answer('{"heading": "a\\u0000b\\ud83d", "words": 10}', Part)
    assert found is not None and found.heading == "ab\ufffd"


# --- readable text
def values(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in inner for text in values(item)]


TEXTS = st.text(st.characters() | st.sampled_from('"\\/\b\n\x00{}[],:\ud83d\ude80🚀'))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(TEXTS, JSON, max_size=4), st.booleans(), st.none() | st.integers(0, 2), st.integers(1, 9)
)
@example({"a": "\ud83dx\ud83d\ud83d\ude80\ude80"}, True, None, 1)
@example({"a": "\ud83d", "b": "\ude80"}, False, None, 1)
def test_readable_text_is_the_values_however_the_json_is_split(
    value: dict[str, Any], ascii_only: bool, indent: int | None, size: int
) -> None:
    written = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    written = "Here:\n" + written + '\n{"more": "x"}'
    heard: list[str] = []
    readable = ReadableText(heard.append)
    for at in range(0, len(written), size):
        readable.feed(written[at : at + size])
    assert "".join(heard) == "\n".join(clean(text) for text in values(value))
    assert all(heard)


@given(st.lists(st.sampled_from(['{"a": "b\\', "u", "12", '"', "\\", "{", "}", "]", "[", ",", ":", "x"])))
def test_broken_json_is_heard_without_an_error(pieces: list[str]) -> None:
    heard: list[str] = []
    readable = ReadableText(heard.append)
    for piece in pieces:
        readable.feed(piece)
    "".join(heard).encode()
