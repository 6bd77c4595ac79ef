"""The phases with the real model client, against a server that says exactly what the test wants it to say."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from briefworks.account import CallEntry
from briefworks.errors import DraftUnsound, ModelAnswerInvalid
from briefworks.model import Model, ModelCalls
from briefworks.personas import Persona
from briefworks.phases import (
    gaps_worth_another,
    run_brief_phase,
    run_critique_phase,
    run_rewrite_phase,
    run_section_phase,
)
from briefworks.phases.outline import sound_outline
from briefworks.shapes import ArticleRequest, Finding, Section, no_usage
from briefworks.text import count_words
from test_phases_outline import RESEARCH, a_brief, section
from test_phases_outline import TEXTS as PAGES

ASKED = ArticleRequest(project_id="p1", keyword="standing desks", target_words=900)
PERSONA = Persona(name="p", title="An expert", description="d", voice="Plain.", samples=[], banned=[])
TEXTS = {
    **PAGES,
    "s1": f"{PAGES['s1']} It rises 65 cm in nine seconds. Sentences: {', '.join(map(str, range(12)))}.",
    "s3": f"{PAGES['s3']} Each tray takes 12 cables.",
}
OUTLINE = sound_outline([section("Motors"), section("Tops"), section("Trays")], RESEARCH, TEXTS, 900)
BRIEF = a_brief(OUTLINE)
GOOD = "\n\n".join(f"Sentence {n} says that a motor carries a warranty of its own [s1]." for n in range(12))


class Heard:
    """A `StepOutput` that remembers."""

    def __init__(self) -> None:
        self.tokens: list[tuple[str, int | None]] = []
        self.rows: list[tuple[str, int, int, str]] = []

    def token(self, text: str, paragraph: int | None = None) -> None:
        self.tokens.append((text, paragraph))

    def progress(self, stage: str, done: int, of: int, note: str = "") -> None:
        self.rows.append((stage, done, of, note))

    def thinking(self, since_ms: int) -> None:
        pass

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.tokens)


class Memo:
    """A `CallMemo` in a dict."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}

    def recall(self, call_key: str) -> dict[str, Any] | None:
        return self.answers.get(call_key)

    def remember(self, call_key: str, answer: dict[str, Any]) -> None:
        self.answers.setdefault(call_key, answer)

    def enter(self, entry_id: str, entry: CallEntry) -> None:
        pass


def frames(text: str) -> Iterator[str]:
    message = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
    }
    message |= {"stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1}}
    yield frame("message_start", message=message)
    yield frame("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for start in range(0, len(text), 7):
        yield frame(
            "content_block_delta", index=0, delta={"type": "text_delta", "text": text[start : start + 7]}
        )
    yield frame("content_block_stop", index=0)
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    yield frame("message_delta", delta=end, usage={"output_tokens": len(text) // 4})
    yield frame("message_stop")


def frame(event: str, **data: Any) -> str:
    return f"event: {event}\ndata: {json.dumps({'type': event, **data})}\n\n"


class Says:
    """A model's server that says one text after the other, and keeps what it was asked."""

    def __init__(self, server: HTTPServer) -> None:
        self.answers: list[str] = []
        self.asked: list[str] = []
        self.out = Heard()
        server.expect_request("/v1/messages", method="POST").respond_with_handler(self._answer)
        self._model = Model(
            model="claude-sonnet-5-5", api_key="test", base_url=server.url_for("").rstrip("/")
        )

    def _answer(self, request: Request) -> Response:
        self.asked.append(json.dumps(request.json, ensure_ascii=False))
        return Response("".join(frames(self.answers.pop(0))), content_type="text/event-stream")

    def calls(self, *answers: object) -> ModelCalls:
        self.answers = [text if isinstance(text, str) else json.dumps(text) for text in answers]
        return self._model.calls(Memo(), self.out, time.monotonic() + 20)


@pytest.fixture
def says(httpserver: HTTPServer) -> Says:
    return Says(httpserver)


def write(says: Says, *answers: str) -> Section:
    calls = says.calls(*answers)
    done = run_section_phase(ASKED, OUTLINE[0], BRIEF, RESEARCH, TEXTS, PERSONA, calls=calls, out=says.out)
    assert done["n"] == 1
    return done["section"]


def test_a_section_is_heard_as_it_comes_and_kept_mended(says: Says) -> None:
    said = f"Here is the section:\n\n## Motors\n\n{GOOD}\n\nIt also flies [s77]."
    written = write(says, said)
    assert written["markdown"].startswith("Sentence 0 says")
    assert "[s77]" not in written["markdown"]
    assert written["sources"] == ["s1"]
    assert written["words"] == count_words(written["markdown"])
    assert written["usage"]["calls"] == 1
    assert says.out.text == said


@pytest.mark.parametrize(
    "poor", [GOOD.replace(" [s1]", ""), "A motor hums [s1].", GOOD.replace("[s1]", "[s88]")]
)
def test_a_section_without_citation_or_text_is_asked_for_once_more_with_what_is_wrong(
    says: Says, poor: str
) -> None:
    written = write(says, poor, GOOD)
    assert written["markdown"] == GOOD
    assert written["usage"]["calls"] == 2
    assert "<wrong>" not in says.asked[0] and "<wrong>" in says.asked[1]


@pytest.mark.parametrize(
    ("poor", "why"),
    [
        ("I'm sorry, but I cannot write this section.", "0 words"),
        (f"{GOOD}\n\n## Trays\n\nA tray takes 12 cables [s3].", "“Trays”, which is another section"),
        (json.dumps({"section": GOOD}), "not prose"),
        (f"You write single sections of a longer article.\n\n{GOOD}", "repeats its instructions"),
    ],
)
def test_a_reply_that_is_no_section_is_asked_for_once_more_and_that_is_reported(
    says: Says, poor: str, why: str
) -> None:
    written = write(says, poor, GOOD)
    assert written["markdown"] == GOOD
    assert why in " ".join(one["text"] for one in written["mended"] if one["what"] == "asked-again")
    assert why in says.asked[1]


def test_what_was_cut_from_a_section_is_reported_but_no_word_of_its_instructions(says: Says) -> None:
    told = "I will write the section: you write single sections of a longer article."
    written = write(says, f"Let me search first.\n\n## Motors\n\n{GOOD} TODO: add one.\n\n{told}")
    assert written["markdown"] == GOOD
    assert [(one["what"], one["text"]) for one in written["mended"]] == [
        ("talk", "Let me search first."),
        ("heading", "## Motors"),
        ("placeholder", "TODO: add one."),
        ("talk", ""),
    ]


def test_a_section_that_is_no_better_the_second_time_is_unsound(says: Says) -> None:
    with pytest.raises(DraftUnsound, match="Section 1, “Motors”"):
        write(says, "A motor hums [s1].", "It hums.")


# --- the brief
def planned(*headings: str, **changes: object) -> dict[str, Any]:
    outline = [section(heading, **changes).model_dump() for heading in headings]
    intent = {"intent": "commercial", "intent_why": "They  compare prices.", "angle": "a"}
    return {"title": "# Desks ", **intent, "reader": "r", "meta_description": "m", "outline": outline}


def test_a_brief_is_heard_readably_and_comes_out_sound(says: Says) -> None:
    calls = says.calls(planned("Motors", "Tops", sources=["s1", "s9"]))
    brief = run_brief_phase(ASKED, RESEARCH, TEXTS, PERSONA, calls=calls, out=says.out)
    assert brief["title"] == "Desks"
    assert [plan["sources"][0] for plan in brief["outline"]] == ["s1", "s1"]
    assert {source for plan in brief["outline"] for source in plan["sources"]} == {"s1", "s2", "s3"}
    assert (brief["intent"], brief["intent_why"]) == ("commercial", "They compare prices.")
    assert sum(plan["words"] for plan in brief["outline"]) == 900
    assert "Motors" in says.out.text and "{" not in says.out.text
    assert brief["usage"]["calls"] == 1


def test_the_second_brief_is_told_what_the_first_left_out_and_the_better_one_wins(says: Says) -> None:
    poor, rich = planned("Frames", "Tops"), planned("Frames", "Tops", entities=["motor", "Acme Labs"])

    def brief(answer: object, former: Any = None) -> Any:
        return run_brief_phase(
            ASKED, RESEARCH, TEXTS, PERSONA, calls=says.calls(answer), out=says.out, former=former
        )

    first = brief(poor)
    second = brief(rich, first)
    assert "entity: motor (weight 1 of 1)" in says.asked[-1]
    assert "question: Is walnut heavy? (weight 0.4 of 1)" in says.asked[-1]
    assert second["outline"][0]["entities"] == ["motor", "Acme Labs"]
    worse = brief(poor, second)
    assert worse["outline"] == second["outline"]
    assert worse["usage"]["calls"] == 1


def test_two_sections_with_the_same_job_are_sent_back_and_merged_if_they_come_again(says: Says) -> None:
    twins = planned("Costs over ten years", "Tops", "Over the years: costs")

    def brief(former: Any = None) -> Any:
        calls = says.calls(twins)
        return run_brief_phase(ASKED, RESEARCH, TEXTS, PERSONA, calls=calls, out=says.out, former=former)

    first = brief()
    assert len(first["outline"]) == 3 and gaps_worth_another(first)
    second = brief(first)
    assert "job: “Costs over ten years” and “Over the years: costs” have the same job" in says.asked[-1]
    assert [plan["heading"] for plan in second["outline"]] == ["Costs over ten years", "Tops"]


def test_a_plan_with_no_usable_heading_is_an_invalid_answer(says: Says) -> None:
    with pytest.raises(ModelAnswerInvalid):
        run_brief_phase(ASKED, RESEARCH, TEXTS, PERSONA, calls=says.calls(planned("##", " * ")), out=says.out)


# --- polish
FIRST = "The desk by Acme Labs rises 65 cm in nine seconds, which its maker measured in Leeds twice [s1]."
SECOND = (
    "Moreover, the tray is not just a tray, but a promise that keeps 12 cables off the floor every day [s3]."
)


def a_section() -> Section:
    markdown = f"{FIRST}\n\n{SECOND}"
    return {
        "n": 2,
        "heading": "Trays",
        "markdown": markdown,
        "sources": ["s1", "s3"],
        "words": count_words(markdown),
        "usage": no_usage(),
    }


def verdict(place: str, quote: str, severity: str = "high") -> dict[str, str]:
    return {
        "paragraph_id": place,
        "quote": quote,
        "category": "formula",
        "severity": severity,
        "why": "Empty.",
    }


def critique(says: Says, *answers: object, language: str = "en") -> list[Finding]:
    return run_critique_phase([a_section()], 1, calls=says.calls(*answers), language=language)["findings"]


def test_a_critique_joins_the_linter_and_what_the_critic_can_prove(says: Says) -> None:
    found = critique(
        says,
        {"verdicts": [verdict("2.2", "keeps 12 cables"), verdict("2.2", "never said"), verdict("2.9", "x")]},
    )
    critic = [finding for finding in found if finding["by"] == "critic"]
    assert [(f["section"], f["paragraph"], f["quote"], f["weight"]) for f in critic] == [
        (2, 2, "keeps 12 cables", 2.0)
    ]
    linter = [finding for finding in found if finding["by"] == "linter"]
    assert linter
    for finding in found:
        text = (FIRST, SECOND)[finding["paragraph"] - 1]
        assert text[finding["start"] : finding["end"]] == finding["quote"]


def test_a_linters_finding_is_at_its_place_in_the_section_it_is_in(says: Says) -> None:
    sections = [{**a_section(), "n": n, "markdown": f"{FIRST}\n\n{SECOND}"} for n in (1, 2, 3)]
    found = run_critique_phase(sections, 1, calls=says.calls({"verdicts": []}))["findings"]
    found = [finding for finding in found if finding["rule"] != "said-twice"]
    assert {(finding["section"], finding["paragraph"]) for finding in found} == {(1, 2), (2, 2), (3, 2)}
    assert all(SECOND[finding["start"] : finding["end"]] == finding["quote"] != "" for finding in found)


def test_a_critic_that_only_talks_leaves_the_linters_findings(says: Says) -> None:
    found = critique(says, *["I like it."] * 4)
    assert found and all(finding["by"] == "linter" for finding in found)


def test_in_another_language_only_the_critic_speaks(says: Says) -> None:
    found = critique(says, {"verdicts": [verdict("2.2", "keeps 12 cables")]}, language="de")
    assert [finding["by"] for finding in found] == ["critic"]


def rewrite(says: Says, answer: str, flagged: tuple[int, ...] = (1, 2)) -> str:
    return rewritten_section(says, answer, flagged)["markdown"]


def rewritten_section(says: Says, answer: str, flagged: tuple[int, ...]) -> Section:
    findings = critique(says, {"verdicts": [verdict(f"2.{k}", "the" if k == 2 else "The") for k in flagged]})
    findings = [finding for finding in findings if finding["paragraph"] in flagged]
    done = run_rewrite_phase(
        a_section(), findings, PERSONA, research=RESEARCH, texts=TEXTS, calls=says.calls(answer), out=says.out
    )
    assert done["section"]["words"] == count_words(done["section"]["markdown"])
    return done["section"]


MENDED = "The tray keeps 12 cables off the floor every day, which is what its maker promised to do [s3]."


def test_a_rewritten_paragraph_takes_the_place_of_the_flagged_one_and_is_heard_with_its_number(
    says: Says,
) -> None:
    markdown = rewrite(says, f'<paragraph id="2.2">{MENDED}</paragraph>', flagged=(2,))
    assert markdown == f"{FIRST}\n\n{MENDED}"
    assert says.out.text == MENDED
    assert {paragraph for _, paragraph in says.out.tokens} == {2}
    assert FIRST not in says.asked[-1]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("12", "some"),
        lambda text: text.replace("[s3]", "[s1]"),
        lambda text: text.replace(
            "The tray", "Moreover, it is crucial that the tray is not just a tray, but a vital tray that"
        ),
        lambda text: text[:20] + " [s3].",
        lambda text: "",
    ],
)
def test_a_rewrite_that_loses_something_or_reads_no_better_is_thrown_away(
    says: Says, spoil: Callable[[str], str]
) -> None:
    answer = f'<paragraph id="2.2">{spoil(MENDED)}</paragraph>'
    assert rewrite(says, answer, flagged=(2,)) == f"{FIRST}\n\n{SECOND}"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("I rewrote it.", "it did not come"),
        (f'<paragraph id="2.2">{SECOND.replace("12", "13")}</paragraph>', "numbers differ: 12, 13"),
        (
            f'<paragraph id="2.2">Here is the paragraph. {MENDED}</paragraph>',
            "it speaks of the task",
        ),
    ],
)
def test_a_rewrite_that_is_refused_is_reported_with_the_reason(says: Says, answer: str, why: str) -> None:
    section = rewritten_section(says, answer, flagged=(2,))
    assert section["markdown"] == f"{FIRST}\n\n{SECOND}"
    assert section["mended"] == [{"section": 2, "what": "rewrite-refused", "text": why}]


def test_a_rewrite_of_a_paragraph_that_was_not_flagged_is_neither_taken_nor_heard(says: Says) -> None:
    other = FIRST.replace("which", "as")
    answer = f'<paragraph id="2.1">{other}</paragraph>\n<paragraph id="2.2">{MENDED}</paragraph>'
    assert rewrite(says, answer, flagged=(2,)) == f"{FIRST}\n\n{MENDED}"
    assert says.out.text == MENDED


def test_a_section_without_flagged_paragraphs_costs_no_call(says: Says) -> None:
    done = run_rewrite_phase(
        a_section(), [], PERSONA, research=RESEARCH, texts=TEXTS, calls=says.calls(), out=says.out
    )
    assert done["section"]["markdown"] == a_section()["markdown"]
    assert done["section"]["usage"]["calls"] == 0


def test_a_rewrite_brings_in_no_link(says: Says) -> None:
    linked = MENDED.replace("its maker", "[its maker](https://buy.example/now)")
    markdown = rewrite(says, f'<paragraph id="2.2">{linked}</paragraph>', flagged=(2,))
    assert markdown == f"{FIRST}\n\n{MENDED}"
