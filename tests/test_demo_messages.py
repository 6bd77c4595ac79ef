"""The demo upstream speaks the Messages API: what Anthropic's own SDK makes of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

import anthropic
import httpx
import pytest
from pydantic import BaseModel, ConfigDict, Field

from briefworks.demo import DemoUpstream
from briefworks.demo.messages import tokens_in

SECTION = (
    "<keyword>tea</keyword>\n\n"
    + "\n".join(
        f'<source id="s{n}" title="t">\nThe pot of shop {n} holds {n}0 cups and keeps them warm.\n</source>'
        for n in range(1, 30)
    )
    + "\n1. Pots – Says what pots do. (s1, s2; 300 words)\n"
    '<section n="1" words="300">\nPots\n</section>'
)


HALF_A_PAIR = (
    b'{"model": "synthetic", "max_tokens": 9, "messages": [{"role": "user", "content": "a half: \\ud83d"}]}'
)


class Demo:
    def __init__(self, **options: Any) -> None:
        self.upstream = DemoUpstream(**{"seed": 7, "tokens_per_s": 50_000, **options})
        self.url = self.upstream.start()
        self.sdk = anthropic.Anthropic(api_key="any", base_url=self.url, max_retries=0)
        self.http = httpx.Client(base_url=self.url, trust_env=False)

    def close(self) -> None:
        self.sdk.close()
        self.http.close()
        self.upstream.stop()

    def stream(self, prompt: str = SECTION, **more: Any) -> tuple[list[str], str, anthropic.types.Message]:
        """The types of the raw events, the text, the message."""
        with self.sdk.messages.stream(**asked(prompt, **more)) as stream:
            events = list(stream)
            message = stream.get_final_message()
        text = "".join(event.text for event in events if event.type == "text")
        return [event.type for event in events], text, message

    def create(self, prompt: str = SECTION, **more: Any) -> anthropic.types.Message:
        return self.sdk.messages.create(**asked(prompt, **more))


def asked(prompt: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt}]
    return {"model": "claude-sonnet-5-5", "max_tokens": 4000, "messages": messages, **more}


def text_of(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.fixture(scope="module")
def shared() -> Iterator[Demo]:
    demo = Demo()
    yield demo
    demo.close()


@pytest.fixture
def demo(shared: Demo) -> Demo:
    shared.upstream.reset()
    return shared


@pytest.fixture
def start() -> Iterator[Any]:
    """Starts an upstream of the test's own."""
    started: list[Demo] = []

    def start(**options: Any) -> Demo:
        started.append(Demo(**options))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_streamed_and_whole_answers_have_the_same_text_and_usage(demo: Demo) -> None:
    _, text, streamed = demo.stream()
    whole = demo.create()
    assert text == text_of(streamed) == text_of(whole) and len(text) > 500
    assert streamed.usage == whole.usage
    assert streamed.usage.output_tokens == 24 + tokens_in(text)
    assert streamed.stop_reason == whole.stop_reason == "end_turn"


def test_thinking_comes_first_unless_it_is_for_between_tools(demo: Demo) -> None:
    events, _, message = demo.stream()
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert events.index("signature") < events.index("text")
    events, _, message = demo.stream(thinking={"type": "between_tools"})
    assert [block.type for block in message.content] == ["text"]
    assert "signature" not in events


def test_thinking_takes_its_time(start: Any) -> None:
    demo = start(thinking_s=0.3)
    seen: dict[str, float] = {}
    with demo.sdk.messages.stream(**asked("hello")) as stream:
        for event in stream:
            seen.setdefault(event.type, time.monotonic())
    assert seen["signature"] - seen["content_block_start"] > 0.25


def test_the_wire_has_pings_a_request_id_and_no_length(demo: Demo) -> None:
    with demo.http.stream("POST", "/v1/messages", headers={"x-api-key": "k"},
                      json=asked("hello", stream=True)) as answer:  # fmt: skip
        body = answer.read().decode()
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["request-id"].startswith("req_")
    assert (
        body.startswith("event: message_start\ndata: {") and 'event: ping\ndata: {"type": "ping"}\n\n' in body
    )
    assert body.endswith("\n\n") and "event: message_stop\n" in body


def test_the_same_seed_writes_the_same_and_another_seed_does_not(demo: Demo, start: Any) -> None:
    same, other = start(seed=7), start(seed=8)
    assert demo.stream()[1] == same.stream()[1]
    assert demo.stream()[1] != other.stream()[1]


@pytest.mark.parametrize("streams", [1, 12])
def test_every_stream_keeps_the_rate_however_many_there_are(start: Any, streams: int) -> None:
    demo = start(tokens_per_s=100)
    took: list[float] = []

    def run() -> None:
        began = time.monotonic()
        text = demo.stream(thinking={"type": "between_tools"}, max_tokens=100)[1]
        took.append(tokens_in(text) / (time.monotonic() - began))

    threads = [threading.Thread(target=run) for _ in range(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(took) == streams
    assert all(20 < rate < 105 for rate in took), took  # one rate shared by twelve would be 8


def test_max_tokens_truncates(demo: Demo) -> None:
    message = demo.create(max_tokens=100)
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == 100
    assert demo.create().content[1].text.startswith(text_of(message))


def test_a_cut_answer_is_continued_from_its_last_words(demo: Demo) -> None:
    whole = text_of(demo.create())
    partial = text_of(demo.create(max_tokens=100))
    blocks = [SECTION, f"You were cut off.\n<written>{partial}</written>\nRepeat five words and go on."]
    content = [{"type": "text", "text": block} for block in blocks]
    rest = text_of(demo.create(messages=[{"role": "user", "content": content}]))
    repeated = next(n for n in range(len(rest), 0, -1) if partial.endswith(rest[:n]))
    assert len(rest[:repeated].split()) == 5
    assert partial + rest[repeated:] == whole


class Mood(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Leaf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=3, max_length=12)
    mood: Mood
    weight: float = Field(ge=0, le=1)
    note: str | None = None


class Tree(BaseModel):
    model_config = ConfigDict(extra="forbid")
    leaves: list[Leaf] = Field(min_length=2, max_length=4)
    first: Leaf
    count: int = Field(gt=10, lt=20)


class Shape(BaseModel):
    kind: Literal["circle"]
    radius: Annotated[int, Field(multiple_of=5, ge=5)]


class Square(BaseModel):
    kind: Literal["square"]
    sides: list[Annotated[str, Field(min_length=200)]] = Field(min_length=1)


class Drawing(BaseModel):
    parts: list[Annotated[Shape | Square, Field(discriminator="kind")]] = Field(min_length=3)
    day: str = Field(json_schema_extra={"format": "date"})
    done: bool
    nothing: None
    either: int | str


@pytest.mark.parametrize("answer", [Leaf, Tree, Drawing])
@pytest.mark.parametrize("prompt", ["one", "two", "three"])
def test_a_structured_answer_obeys_its_schema(demo: Demo, answer: type[BaseModel], prompt: str) -> None:
    form = {"format": {"type": "json_schema", "schema": anthropic.transform_schema(answer)}}
    _, text, message = demo.stream(prompt, output_config=form)
    assert message.stop_reason == "end_turn"
    answer.model_validate_json(text)
    assert text == demo.stream(prompt, output_config=form)[1]


def test_a_structured_answer_depends_on_the_prompt(demo: Demo) -> None:
    form = {"format": {"type": "json_schema", "schema": anthropic.transform_schema(Tree)}}
    assert demo.stream("one", output_config=form)[1] != demo.stream("two", output_config=form)[1]


def cached(system: str, task: str, **control: Any) -> dict[str, Any]:
    block = {"type": "text", "text": system, "cache_control": {"type": "ephemeral", **control}}
    return asked(task, system=[block])


def figures(usage: Any) -> tuple[int, int, int]:
    return usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens


def test_a_long_prefix_is_written_once_and_then_read(demo: Demo) -> None:
    system = "word " * 1000  # 1,250 tokens
    usages = [
        demo.sdk.messages.create(**cached(system, task)).usage for task in ("first task", "another one")
    ]
    assert figures(usages[0]) == (3, 1250, 0)
    assert figures(usages[1]) == (3, 0, 1250)
    other = demo.sdk.messages.create(**cached(system + "more", "first task")).usage
    assert figures(other) == (3, 1251, 0)


def test_a_longer_prefix_reads_what_it_shares_and_writes_the_rest(demo: Demo) -> None:
    blocks = [
        {"type": "text", "text": letter * 4000, "cache_control": {"type": "ephemeral"}} for letter in "ab"
    ]
    one = demo.create("task", system=blocks[:1]).usage
    two = demo.create("task", system=blocks).usage
    assert (figures(one), figures(two)) == ((1, 1000, 0), (1, 1000, 1000))


def test_a_prefix_below_the_minimum_is_not_cached(demo: Demo) -> None:
    for _ in range(2):
        usage = demo.sdk.messages.create(**cached("word " * 400, "task")).usage
        assert figures(usage) == (501, 0, 0)


def test_tokens_are_counted_and_models_listed(demo: Demo) -> None:
    request = {"model": "synthetic", "messages": [{"role": "user", "content": "a" * 41}]}
    assert demo.sdk.messages.count_tokens(**request).input_tokens == 11
    ids = [model.id for model in demo.sdk.models.list()]
    assert "claude-sonnet-5-5" in ids
    assert demo.sdk.models.retrieve("synthetic").lifecycle == "active"
    with pytest.raises(anthropic.NotFoundError):
        demo.sdk.models.retrieve("gpt-2")


@pytest.mark.parametrize(
    "more",
    [
        {"extra_body": {"temperature": 0.5}},
        {"extra_body": {"top_p": 0.5}},
        {"extra_body": {"top_k": 5}},
        {"thinking": {"type": "disabled"}},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        {"tool_choice": {"type": "any"}},
        {"tool_choice": {"type": "tool", "name": "t"}},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "So"}]},
        {"messages": []},
        {"messages": [{"role": "user", "content": " "}]},
        {"max_tokens": 0},
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        {"system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}] * 5},
    ],
    ids=str,
)
def test_what_sonnet_refuses_is_refused(demo: Demo, more: dict[str, Any]) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        demo.create(**more)
    assert refused.value.type == "invalid_request_error"
    assert refused.value.request_id
    assert demo.upstream.calls("model")[-1]["ended"] == "error"


def test_an_unknown_model_is_not_found(demo: Demo) -> None:
    with pytest.raises(anthropic.NotFoundError):
        demo.create(model="gpt-2")


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer any"}, {"x-api-key": "any"}])
def test_any_key_is_taken_by_either_header(demo: Demo, headers: dict[str, str]) -> None:
    answer = demo.http.post("/v1/messages", headers=headers, json=asked("hello"))
    assert answer.status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer"}, {"x-api-key": ""}])
def test_an_empty_key_is_not(demo: Demo, headers: dict[str, str]) -> None:
    answer = demo.http.post("/v1/messages", headers=headers, json=asked("hello"))
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "authentication_error"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"messages": 3}', b"[" * 100_000, b"\xff\xfe", HALF_A_PAIR]
)
def test_a_body_that_is_no_request_is_a_clear_error(demo: Demo, body: bytes) -> None:
    answer = demo.http.post("/v1/messages", headers={"x-api-key": "k"}, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
