"""
The shapes that cross a border: the request, stream rows, phase results, the folded state.

JSON everywhere: what is written here is what a memo, a row and the wire carry. snake_case, except event
data (camelCase). Sections and sources are 1-based. Instants end in `_at`, UTC ISO-8601 with `Z`. Offsets
are code points. Results carry `"v": 1`, so that memos of released versions can be told apart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, Protocol, Self, TypedDict

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from briefworks.errors import RequestInvalid
from briefworks.text import squash

Phase = Literal["research", "brief", "draft", "polish"]
Event = Literal[
    "run-started",
    "research-progress",
    "research-done",
    "thinking",
    "brief-token",
    "brief-done",
    "review-waiting",
    "review-done",
    "draft-token",
    "section-done",
    "draft-done",
    "polish-token",
    "critique-done",
    "polish-done",
    "run-failed",
    "run-cancelled",
]
Terminal = Literal["polish-done", "run-failed", "run-cancelled"]  # exactly one ends a run
TERMINAL: frozenset[str] = frozenset({"polish-done", "run-failed", "run-cancelled"})
RESULT: frozenset[str] = frozenset(
    {"research-done", "brief-done", "section-done", "draft-done", "critique-done", "polish-done"}
)


class StreamRow(TypedDict):
    """One row of `article_streams`; `data` has the shape of its event."""

    project_id: str
    seq: int  # per project: 1, 2, 3 … in commit order
    article_id: str
    run_id: str
    step: str  # rows of the run itself belong to the pseudo-steps "start" and "end"
    take: int  # per (project, article, step): 1, 2, 3 …, rising across runs
    event: Event
    data: dict[str, Any]
    created_at: str


# --- data, per event (EVENT_DATA, below, says which)
class RunStarted(TypedDict):
    v: Literal[1]
    keyword: str
    persona: str
    language: str
    market: str
    target_words: int
    parent_run_id: str | None


class ResearchProgress(TypedDict):
    stage: Literal["serp", "pages", "entities"]
    done: int
    of: int
    note: str


class Thinking(TypedDict):
    since_ms: int


class Token(TypedDict):
    text: str  # readable text, never JSON
    paragraph: NotRequired[int]  # in polish-token only


class RunFailed(TypedDict):
    code: str
    step: str
    message: str
    hint: str  # what the reader can do
    retriable: bool


class RunCancelled(TypedDict):
    by: Literal["user", "engine"]
    reason: str


# --- phase results
class Usage(TypedDict):
    calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    usd: float | None  # None: no price known for the model


class Score(TypedDict):
    total: float  # 0..100
    parts: dict[str, float]  # 0..1 each
    unknown: list[str]  # parts that could not be measured; the others are renormalised
    missing: list[str]  # terms that the other pages share and this one lacks


class Page(TypedDict):
    source_id: str  # "s1" …: the only name of a source that a model ever sees
    url: str
    title: str
    position: int
    snapshot_id: str | None  # None: not fetched
    note: str  # "" or why the page could not be used
    words: int
    headings: list[str]
    published_at: str | None
    score: Score | None
    commands: NotRequired[list[str]]  # sentences addressed to a model, left out of its text; since 0.2
    fetched_at: NotRequired[str]  # when it was read; since 0.3


class Entity(TypedDict):
    name: str
    kind: Literal["term", "entity"]
    pages: list[str]  # source ids in which it occurs verbatim
    mentions: int


class ScoreCheck(TypedDict):
    spearman: float  # of score and position: -1 when the best come first, 1 when they come last
    pages: int  # so many were scored


class Research(TypedDict):
    v: Literal[1]
    keyword: str
    provider: str
    fetched_at: str
    pages: list[Page]
    questions: list[str]
    related: list[str]
    entities: list[Entity]
    usage: Usage
    score_check: NotRequired[ScoreCheck]  # with four scored pages or more


class SectionPlan(TypedDict):
    n: int
    heading: str
    purpose: str
    points: list[str]
    questions: list[str]
    entities: list[str]
    sources: list[str]  # source ids
    words: int


class Gap(TypedDict):
    kind: Literal[
        "entity", "question", "source", "words", "job"
    ]  # "job": two sections have the same; since 0.3
    what: str
    weight: float


# What somebody who searches wants: to know, to do, to compare before buying, to buy or book, to find one site
Intent = Literal["informational", "how-to", "commercial", "transactional", "navigational"]


class Brief(TypedDict):
    v: Literal[1]
    title: str
    angle: str
    reader: str
    meta_description: str
    outline: list[SectionPlan]
    gaps: list[Gap]  # of the model's own plan; the outline has a section for each question, name and source
    usage: Usage
    intent: NotRequired[Intent]  # since 0.3
    intent_why: NotRequired[str]


class Unbacked(TypedDict):
    """A sentence that stated what its sources do not say, and what became of it."""

    section: int
    sentence: str
    facts: list[str]  # what they do not say
    cites: list[str]  # source ids
    outcome: Literal["rewritten", "removed"]


class Backing(TypedDict):
    """What the citation gate did; numbers, dates, quotations and addresses are facts."""

    facts: int  # that the article states, each said by a source it cites
    unbacked: list[Unbacked]  # of all sections, on the way to the article


class Mended(TypedDict):
    """What a guard kept out of the article, other than a fact without a source (`Unbacked`)."""

    section: int
    what: Literal["talk", "heading", "placeholder", "asked-again", "said-twice", "rewrite-refused"]
    text: str  # what was cut, or why the model was asked again or its rewrite refused; cut short


class Section(TypedDict):
    n: int
    heading: str
    markdown: str  # without its heading; cites as [s3]
    sources: list[str]
    words: int
    usage: Usage
    unbacked: NotRequired[list[Unbacked]]  # since 0.2
    mended: NotRequired[list[Mended]]  # since 0.3


class SectionDone(TypedDict):
    """What a drafting step and a rewriting step of polish return."""

    n: int
    section: Section


class ReviewWaiting(TypedDict):
    """A person is asked about the brief."""

    round: int
    brief: Brief
    until_at: str


class ReviewDone(TypedDict):
    """What became of the question; `brief` is the edited one."""

    round: int
    action: Literal["approve", "edit", "reject", "timeout"]
    remark: str
    brief: Brief | None


class Source(TypedDict):
    number: int
    source_id: str
    url: str
    title: str
    fetched_at: str


class Draft(TypedDict):
    v: Literal[1]
    title: str
    sections: list[Section]
    sources: list[Source]
    usage: Usage


class Finding(TypedDict):
    section: int
    paragraph: int  # 1-based within the section
    start: int  # of `quote` within the paragraph, code points
    end: int
    quote: str
    rule: str
    by: Literal["linter", "critic"]
    why: str
    weight: float
    fixed: bool


class Critique(TypedDict):
    """What a critique step returns: the paragraphs to rewrite are those with a finding."""

    v: Literal[1]
    round: int
    findings: list[Finding]
    usage: Usage


class RuleTells(TypedDict):
    """The weight of one rule's findings in the draft and in the article."""

    before: float
    after: float


class Scorecard(TypedDict):
    """What can be counted of a text; the measures are defined in `phases.scorecard` and docs/QUALITY.md."""

    v: Literal[1]
    measures: dict[str, float | None]  # None: could not be measured
    outside: list[str]  # the measures that lie outside of their band
    rules_version: str  # of the linter


class Provenance(TypedDict):
    """What an article was made with; its sources have their own times."""

    v: Literal[1]
    models: list[str]  # that answered, in the order of their first answer
    persona: str
    search: str
    begun_at: str
    finished_at: str
    versions: dict[str, str]  # of briefworks, the linter's rules, the prompts, the prices


class Polished(TypedDict):
    """The article."""

    v: Literal[1]
    title: str
    meta_description: str
    sections: list[Section]
    sources: list[Source]
    markdown: str  # code has numbered the citations [1] … and added the source list
    words: int
    findings: list[Finding]
    tells_before: float  # weighted, per 1,000 words
    tells_after: float
    complete: bool
    stopped_by: Literal["", "budget", "finish-now"]
    usage: Usage  # of the whole article, all phases
    backing: NotRequired[Backing]  # since 0.2
    tells_by_rule: NotRequired[dict[str, RuleTells]]  # since 0.2
    scores: NotRequired[Scorecard]  # since 0.2
    mended: NotRequired[list[Mended]]  # since 0.3, of all sections
    provenance: NotRequired[Provenance]  # since 0.3
    disclosure: NotRequired[str]  # the line below the title, where one is wanted; since 0.3


EVENT_DATA: Mapping[Event, type] = {
    "run-started": RunStarted,
    "research-progress": ResearchProgress,
    "research-done": Research,
    "thinking": Thinking,
    "brief-token": Token,
    "brief-done": Brief,
    "review-waiting": ReviewWaiting,
    "review-done": ReviewDone,
    "draft-token": Token,
    "section-done": SectionDone,
    "draft-done": Draft,
    "polish-token": Token,
    "critique-done": Critique,
    "polish-done": Polished,
    "run-failed": RunFailed,
    "run-cancelled": RunCancelled,
}


# --- the fold
class SectionState(TypedDict):
    n: int
    heading: str
    take: int
    status: Literal["waiting", "writing", "done"]
    markdown: str


class ArticleState(TypedDict):
    """What the rows of an article add up to; see `fold`."""

    project_id: str
    article_id: str
    run_id: str
    seq: int
    status: Literal["running", "review", "done", "failed", "cancelled"]
    phase: Phase
    takes: dict[str, int]  # newest take seen, per step
    brief_text: str
    research: Research | None
    brief: Brief | None
    sections: list[SectionState]
    polished: Polished | None
    error: RunFailed | None
    usage: Usage
    started_at: str
    updated_at: str


# --- what a step body is given
class StepOutput(Protocol):
    """Where a phase says what it is doing; every call returns at once and raises when the take is over."""

    def token(self, text: str, paragraph: int | None = None) -> None:
        """A piece of readable model text, as it comes."""

    def progress(
        self, stage: Literal["serp", "pages", "entities"], done: int, of: int, note: str = ""
    ) -> None:
        """Research has `done` of `of` parts of a stage; `note` says what happened to the last one."""

    def thinking(self, since_ms: int) -> None:
        """The model has been at work for `since_ms` milliseconds without a visible word."""


# --- the request
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_id(value: object) -> bool:
    """Whether it can name a project or an article."""
    return isinstance(value, str) and ID.fullmatch(value) is not None


def check_id(name: str, value: object) -> None:
    """`RequestInvalid` for a field or option of that name whose value can name nothing."""
    if not is_id(value):
        raise RequestInvalid(f"{name}: {ID_WORDS}", field=name.removeprefix("--"))


ID_WORDS = "1 to 64 of A-Z a-z 0-9 _ -"
Id = Annotated[str, StringConstraints(pattern=f"^{ID.pattern}$"), Field(description=ID_WORDS)]
Letters = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Squashed = BeforeValidator(lambda value: squash(value) if isinstance(value, str) else value)


class ArticleRequest(BaseModel):
    """
    Somebody wants an article; the `data` of the event `article.requested`.

    `article_id` is made by the sender, so that asking twice with the same id asks once. `target_words` is
    600–6000. `language` is an ISO 639-1 code, `market` an ISO 3166-1 code of two letters.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, strict=True
    )

    project_id: Id
    keyword: Annotated[
        str,
        Squashed,
        StringConstraints(min_length=2, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
        Field(description="2 to 200 characters on one line"),
    ]
    persona: Id = "plain-expert"
    article_id: Annotated[Id | None, Field(description=ID_WORDS)] = None
    language: Annotated[Letters, Field(description="two small letters of ISO 639-1, like en")] = "en"
    market: Annotated[Letters, Field(description="two small letters of ISO 3166-1, like us")] = "us"
    target_words: Annotated[int, Field(ge=600, le=6000, description="a number from 600 to 6000")] = 1800
    review: bool = False
    budget_usd: Annotated[float, Field(gt=0)] | None = None

    @classmethod
    def parse(
        cls, data: object, *, event_id: str | None = None, extra: Literal["forbid", "ignore"] = "forbid"
    ) -> Self:
        """
        Read event data. `event_id` names the article when the data does not; `extra="ignore"` lets a raw
        event carry fields of its own.

        Raises `RequestInvalid`, whose `field` is the first wrong one in the spelling of the wire.
        """
        try:
            asked = cls.model_validate(data, extra=extra)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            takes = {known.alias: known.description for known in cls.model_fields.values()}
            wanted = takes.get(field) if first["type"] != "missing" else None
            raise RequestInvalid(f"{field or 'The request'}: {wanted or first['msg']}", field=field) from None
        if asked.review:
            raise RequestInvalid("review: pausing for a review is not available yet", field="review")
        if asked.budget_usd is not None:
            raise RequestInvalid("budgetUsd: a budget is not available yet", field="budgetUsd")
        if asked.article_id is None and event_id is not None:
            asked = asked.model_copy(update={"article_id": event_id[:64]})
        return asked

    def event(self) -> dict[str, Any]:
        """
        The Inngest event that asks for this article: `inngest.Event(**request.event())`.

        Its `id` is `projectId/articleId`, so an engine drops repeats; without an `article_id` it has none.
        """
        data = self.model_dump(by_alias=True, exclude_none=True)
        event: dict[str, Any] = {"name": "article.requested", "data": data}
        if self.article_id is not None:
            event["id"] = f"{self.project_id}/{self.article_id}"
        return event

    def run_started(self, parent_run_id: str | None = None) -> RunStarted:
        """The data of this request's `run-started` row."""
        return {
            "v": 1,
            "keyword": self.keyword,
            "persona": self.persona,
            "language": self.language,
            "market": self.market,
            "target_words": self.target_words,
            "parent_run_id": parent_run_id,
        }


def no_usage() -> Usage:
    """Nothing spent."""
    return {
        "calls": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "usd": 0.0,
    }


def add_usage(*parts: Mapping[str, Any]) -> Usage:
    """The sum of several usages; its `usd` is None as soon as one price is unknown."""
    total = no_usage()
    for part in parts:
        for key in ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"):
            total[key] += part[key]
        spent, more = total["usd"], part["usd"]
        total["usd"] = None if spent is None or more is None else math.floor((spent + more) * 1e6 + 0.5) / 1e6
    return total
