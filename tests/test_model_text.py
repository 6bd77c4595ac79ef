"""Text from the model: heard as it comes, paid once, continued without a seam."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import nullcontext
from types import SimpleNamespace

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from briefworks import costs
from briefworks.errors import ModelAnswerInvalid, ModelUnavailable, RunOver, StoreUnavailable
from briefworks.model import Prompt
from briefworks.model.answer import Answer
from briefworks.model.request import Request
from briefworks.model.seam import Seam
from briefworks.model.server import Server
from briefworks.model.watch import Watch
from model_talk import Memo, Out, Scripted, calls_to, message
from upstream import Upstream
from waiting import wait_for

TASK = "Write about <keyword>standing desks</keyword>."
PROMPT = Prompt(system="You write.", task=TASK)
LONG = "The motor lifts the frame in eleven seconds. " * 60


@pytest.fixture
def scripted(httpserver: HTTPServer) -> Scripted:
    return Scripted(httpserver)


def test_text_is_heard_piece_by_piece_and_returned_whole(upstream: Upstream) -> None:
    out = Out()
    text = calls_to(upstream.url, Memo(), out).write(PROMPT, out.token)
    assert text == out.text and len(out.pieces) > 5


def test_an_emoji_split_over_two_pieces_comes_out_whole(scripted: Scripted) -> None:
    scripted.answers = [message("", pieces=iter(["It lifts \ud83d", "\ude80 off \ud83d."]))]
    assert calls_to(scripted.url, Memo(), Out()).write(PROMPT, lambda _: None) == "It lifts 🚀 off \ufffd."


# --- the memo
def test_an_answer_is_paid_once(upstream: Upstream) -> None:
    memo, first, again = Memo(), Out(), Out()
    text = calls_to(upstream.url, memo, first).write(PROMPT, first.token)
    calls = calls_to(upstream.url, memo, again)
    assert calls.write(PROMPT, again.token) == text
    assert again.pieces == [text] and not again.thought
    assert calls.usage["calls"] == 0 and calls.usage["usd"] == 0
    assert len(upstream.calls("model")) == 1
    (record,) = memo.values()
    assert (record["v"], record["model"], record["usage"]["calls"]) == (1, "claude-sonnet-5-5", 1)


@pytest.mark.parametrize(
    "other",
    [
        Prompt(system="You write well.", task=TASK),
        Prompt(system="You write.", task=TASK, shared="x"),
        Prompt(system="You write.", task=TASK + " Please."),
    ],
)
def test_another_prompt_is_another_call(upstream: Upstream, other: Prompt) -> None:
    memo, out = Memo(), Out()
    calls = calls_to(upstream.url, memo, out)
    calls.write(PROMPT, out.token)
    calls.write(other, out.token)
    calls_to(upstream.url, memo, out, model="synthetic").write(PROMPT, out.token)
    assert len(upstream.calls("model")) == 3 and len(memo) == 3


@pytest.mark.parametrize("record", [{"v": 2, "text": "x"}, {"v": 1, "text": " "}, {"v": 1, "text": 3}, {}])
def test_a_memo_that_is_none_is_asked_for_anew(upstream: Upstream, record: dict[str, object]) -> None:
    memo, out = Memo(), Out()
    text = calls_to(upstream.url, memo, out).write(PROMPT, out.token)
    memo.update(dict.fromkeys(memo, record))
    assert calls_to(upstream.url, memo, out).write(PROMPT, out.token) == text
    assert len(upstream.calls("model")) == 2


def test_an_answer_survives_a_memo_that_cannot_be_written(upstream: Upstream) -> None:
    class Away(Memo):
        def remember(self, call_key: str, answer: object) -> None:
            raise StoreUnavailable

    assert calls_to(upstream.url, Away(), Out()).write(PROMPT, lambda _: None)


# --- what it costs
def test_usage_counts_the_cache_and_the_price(upstream: Upstream) -> None:
    out = Out()
    calls = calls_to(upstream.url, Memo(), out)
    calls.write(Prompt(system="You write.", task=TASK + " One.", shared=LONG), out.token)
    first = calls.usage
    calls.write(Prompt(system="You write.", task=TASK + " Two.", shared=LONG), out.token)
    both = calls.usage
    assert first["cache_write_tokens"] > 600 and first["cache_read_tokens"] == 0
    assert both["cache_read_tokens"] == first["cache_write_tokens"] == both["cache_write_tokens"]
    assert both["calls"] == 2 and both["output_tokens"] > first["output_tokens"] > 1
    counts = {name: count for name, count in both.items() if name.endswith("_tokens")}
    assert both["usd"] == pytest.approx(costs.price("claude-sonnet-5-5", **counts), abs=2e-6)


def test_a_model_without_a_price_has_none(upstream: Upstream) -> None:
    calls = calls_to(upstream.url, Memo(), Out(), model="synthetic")
    calls.write(PROMPT, lambda _: None)
    assert calls.usage["usd"] is None and calls.usage["output_tokens"] > 0


def test_usage_adds_up_over_threads(upstream: Upstream) -> None:
    calls = calls_to(upstream.url, Memo(), Out())
    threads = [
        threading.Thread(target=calls.write, args=(Prompt(system="s", task=f"{TASK} {n}"), lambda _: None))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls.usage["calls"] == 8


# --- truncation
def test_a_truncated_answer_is_continued_once_and_remembered_as_one(upstream: Upstream) -> None:
    whole = calls_to(upstream.url, Memo(), Out()).write(PROMPT, lambda _: None)
    upstream.fault("truncate", after_tokens=9)
    memo, out = Memo(), Out()
    calls = calls_to(upstream.url, memo, out)
    assert calls.write(PROMPT, out.token) == whole == out.text
    assert calls.usage["calls"] == 2
    assert len(upstream.calls("model")) == 3
    assert calls_to(upstream.url, memo, Out()).write(PROMPT, lambda _: None) == whole
    (record,) = memo.values()
    assert record["usage"] == calls.usage
    assert len(upstream.calls("model")) == 3


def test_a_second_truncation_is_an_invalid_answer(upstream: Upstream) -> None:
    upstream.fault("truncate", times=2, after_tokens=9)
    memo = Memo()
    with pytest.raises(ModelAnswerInvalid, match="cut off"):
        calls_to(upstream.url, memo, Out()).write(PROMPT, lambda _: None)
    assert not memo


def test_a_continuation_that_looks_like_a_repetition_to_its_end_is_not_lost(scripted: Scripted) -> None:
    scripted.answers = [message("It rests. It ", "max_tokens"), message("rests.")]
    out = Out()
    text = calls_to(scripted.url, Memo(), out).write(PROMPT, out.token)
    assert text == out.text == "It rests. It rests."


def test_the_continuation_is_shown_what_was_written_and_the_prompt(scripted: Scripted) -> None:
    scripted.answers = [message("The motor lifts the fra", "max_tokens"), message("lifts the frame.")]
    out = Out()
    text = calls_to(scripted.url, Memo(), out).write(PROMPT, out.token)
    assert text == out.text == "The motor lifts the frame."
    assert TASK in scripted.prompt(1) and "<written>The motor lifts the fra</written>" in scripted.prompt(1)
    assert [message["role"] for message in scripted.asked[1]["messages"]] == ["user"]


def test_an_answer_that_was_all_thinking_is_asked_for_with_more_room(scripted: Scripted) -> None:
    scripted.answers = [message("", "max_tokens"), message("Now.")]
    assert calls_to(scripted.url, Memo(), Out()).write(PROMPT, lambda _: None) == "Now."
    assert scripted.asked[1]["max_tokens"] == 2 * scripted.asked[0]["max_tokens"]


@pytest.mark.parametrize(
    ("partial", "going_on", "joined"),
    [
        ("The motor lifts the fra", "me.", "The motor lifts the frame."),
        ("The motor lifts the fra", "frame.", "The motor lifts the frame."),
        ("The motor lifts the fra", "The motor lifts the frame.", "The motor lifts the frame."),
        ("The motor lifts", " lifts the frame.", "The motor lifts the frame."),
        ("The motor lifts ", "\nlifts the frame.", "The motor lifts the frame."),
        ("The motor lifts", " the frame.", "The motor lifts the frame."),
        ("It stops.", "Then it rests.", "It stops. Then it rests."),
        ("- one\n- ", "- two", "- one\n- two"),
        ("It goes on and on", "on and on it goes.", "It goes on and on it goes."),
        ("It rests. It ", "rests.", "It rests. It rests."),
        ("A cable", "eels", "A cableeels"),  # one letter in common is no repetition
    ],
)
def test_a_seam_repeats_nothing_and_loses_nothing(partial: str, going_on: str, joined: str) -> None:
    for size in (1, 4, 99):
        heard: list[str] = []
        seam = Seam(partial, heard.append)
        for at in range(0, len(going_on), size):
            seam.feed(going_on[at : at + size])
        seam.finish()
        assert partial + "".join(heard) == partial + seam.text == joined


WORDS = st.lists(st.sampled_from(["a", "motor", "lifts", "the", "frame", "it", "rests"]), min_size=12)


@given(WORDS, st.data())
def test_whatever_repetition_of_its_end_goes_on_is_left_out(words: list[str], data: st.DataObject) -> None:
    whole = " ".join(f"{n}{word}" for n, word in enumerate(words))
    cut = data.draw(st.integers(8, len(whole)))
    back = whole.rfind(" ", 0, data.draw(st.integers(1, cut))) + 1
    heard: list[str] = []
    seam = Seam(whole[:cut], heard.append)
    for char in whole[back:]:
        seam.feed(char)
    seam.finish()
    assert whole[:cut] + "".join(heard) == whole


def test_an_answer_begun_anew_in_other_words_is_invalid(scripted: Scripted) -> None:
    scripted.answers = [message(LONG[:400] + "And so", "max_tokens"), message(LONG[:200] + "Otherwise.")]
    with pytest.raises(ModelAnswerInvalid, match="anew"):
        calls_to(scripted.url, Memo(), Out()).write(PROMPT, lambda _: None)


@pytest.mark.parametrize("talk", ["Let me go on.", "## Motors\n\nIt hums.", "```\nit hums."])
def test_talk_in_the_middle_of_a_sentence_is_no_continuation(scripted: Scripted, talk: str) -> None:
    scripted.answers = [message("The motor lifts the ", "max_tokens"), message(talk)]
    with pytest.raises(ModelAnswerInvalid, match="did not go on"):
        calls_to(scripted.url, Memo(), Out()).write(PROMPT, lambda _: None)


# --- thinking, and leaving
def test_thinking_is_said_when_it_begins(upstream: Upstream) -> None:
    out = Out()
    calls_to(upstream.url, Memo(), out).write(PROMPT, lambda _: out.pieces.append("word"))
    assert len(out.thought) == 1 and 0 <= out.thought[0] < 2000


def test_silence_is_said_again_and_again_until_a_word_comes() -> None:
    said: list[int] = []
    with Watch(said.append, time.monotonic() + 20, silence_s=0.05) as watch:
        wait_for(lambda: len(said) >= 3)
        assert said == sorted(said) and said[0] >= 50
        watch.visible()
        before = len(said)
        wait_for(lambda: len(said) > before)
        assert said[before] < said[before - 1] + 50


def test_a_connection_is_cut_at_the_deadline_unless_its_answer_is_complete() -> None:
    for complete in (False, True):
        ours, theirs = socket.socketpair()
        stream = SimpleNamespace(get_extra_info={"socket": ours}.get)
        with ours, theirs, Watch(lambda _: None, time.monotonic() + 0.5, silence_s=9) as watch:
            watch.attend(httpx2.Response(200, extensions={"network_stream": stream}))
            if complete:
                watch.let_go()
            watch._thread.join(30)
            theirs.settimeout(0.1)
            with pytest.raises(TimeoutError) if complete else nullcontext():
                assert theirs.recv(1) == b""


def test_a_take_that_is_over_stops_a_silent_stream(upstream: Upstream) -> None:
    upstream.fault("stall", after_tokens=8, seconds=60)

    heard: list[str] = []

    def over(since_ms: int) -> None:
        if heard:
            raise RunOver

    server = Server("synthetic", None, upstream.url)
    with pytest.raises(RunOver), Watch(over, time.monotonic() + 20, silence_s=0.1) as watch:
        server.stream(Request.of(PROMPT), Answer(), watch, heard.append)
    wait_for(lambda: upstream.calls("model")[0]["ended"] == "aborted")


@pytest.mark.parametrize("error", [RunOver(), KeyboardInterrupt(), ValueError("of the caller")])
def test_what_the_listener_raises_closes_the_stream_and_passes_through(
    upstream: Upstream, error: BaseException
) -> None:
    upstream.fault("slow", tokens_per_s=30)
    memo = Memo()

    def refuse(_text: str) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        calls_to(upstream.url, memo, Out()).write(PROMPT, refuse)
    assert caught.value is error and not memo
    wait_for(lambda: upstream.calls("model")[0]["ended"] == "aborted")


def test_a_model_that_answers_after_the_deadline_has_answered_nothing(upstream: Upstream) -> None:
    upstream.fault("slow", times=1, tokens_per_s=10)
    memo = Memo()
    with pytest.raises(ModelUnavailable):
        calls_to(upstream.url, memo, Out(), limit_s=0.3).write(PROMPT, lambda _: None)
    assert not memo
    wait_for(lambda: upstream.calls("model")[0]["ended"] == "aborted")
