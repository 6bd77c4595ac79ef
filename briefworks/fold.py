"""What an article's rows add up to; `static/fold.js` is the same, held equal by recorded cases."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, get_args

from briefworks.shapes import ArticleState, Event, Phase, SectionState, StreamRow, add_usage, no_usage

_DRAFT = re.compile(r"draft-section-([0-9]+)")
_BRIEF = ("brief", "regenerate-brief")
_EVENTS = frozenset(get_args(Event))


def empty_state(project_id: str, article_id: str) -> ArticleState:
    """The article before its first row."""
    return {
        "project_id": project_id,
        "article_id": article_id,
        "run_id": "",
        "seq": 0,
        "status": "running",
        "phase": "research",
        "takes": {},
        "brief_text": "",
        "research": None,
        "brief": None,
        "sections": [],
        "polished": None,
        "error": None,
        "usage": no_usage(),
        "started_at": "",
        "updated_at": "",
    }


def fold(project_id: str, article_id: str, rows: Iterable[StreamRow]) -> ArticleState:
    """The state after all these rows."""
    state = empty_state(project_id, article_id)
    for row in rows:
        state = apply(state, row)
    return state


def apply(state: ArticleState, row: StreamRow) -> ArticleState:
    """
    The state after one more row; `state` itself is not changed.

    Rows of other articles and rows seen before change nothing; rows of an older take, and events this
    version does not know, only move `seq`. Rows that a finished step or article has dropped leave no trace,
    so whoever reads late has exactly the state of whoever watched.
    """
    same = (row["project_id"], row["article_id"]) == (state["project_id"], state["article_id"])
    if not same or row["seq"] <= state["seq"]:
        return state
    state = {**state, "seq": row["seq"]}
    step, take = row["step"], row["take"]
    newest = state["takes"].get(step, 0)
    if row["event"] not in _EVENTS or take < newest:
        return state
    state["takes"] = {**state["takes"], step: take}
    state["run_id"], state["updated_at"] = row["run_id"], row["created_at"]
    state["phase"] = phase_of(step, state["phase"])
    if take > newest:
        _begin_take(state, step, take)
    _take_in(state, row)
    return state


def phase_of(step: str, phase: Phase) -> Phase:
    """The phase a step belongs to; the run's own rows leave it, but that a new run begins with research."""
    first = step.partition("-")[0]
    if first in ("brief", "regenerate", "review"):
        return "brief"
    if first in ("start", "research"):
        return "research"
    if first == "draft":
        return "draft"
    return "polish" if first == "polish" else phase


def _begin_take(state: ArticleState, step: str, take: int) -> None:
    """The text of the step starts anew."""
    if step in _BRIEF:
        state["brief_text"] = ""
    elif drafting := _DRAFT.fullmatch(step):
        _change_section(state, int(drafting[1]), take=take, status="writing", markdown="")


def _take_in(state: ArticleState, row: StreamRow) -> None:
    data: Any = row["data"]
    match row["event"]:
        case "run-started":
            state["status"], state["error"], state["started_at"] = "running", None, row["created_at"]
        case "research-done":
            state["research"] = data
            _spend(state, data["usage"])
        case "brief-token":
            state["brief_text"] += data["text"]
        case "brief-done":
            _plan(state, data)
            _spend(state, data["usage"])
        case "review-waiting":
            state["status"] = "review"
        case "review-done":
            state["status"] = "running"
            if data["brief"] is not None:
                _plan(state, data["brief"])
        case "draft-token":
            _draft_token(state, row)
        case "section-done":
            _section_done(state, row)
            _spend(state, data["section"]["usage"])
        case "draft-done" | "critique-done":
            _spend(state, data["usage"])
        case "polish-done":
            _finish(state, row)
        case "run-failed":
            state["status"], state["error"] = "failed", data
        case "run-cancelled":
            state["status"] = "cancelled"


def _spend(state: ArticleState, usage: Any) -> None:
    state["usage"] = add_usage(state["usage"], usage)


def _plan(state: ArticleState, brief: Any) -> None:
    """A brief is there: its text is carried by it, and its outline names the sections to come."""
    state["brief"], state["brief_text"] = brief, ""
    state["sections"] = [
        {"n": plan["n"], "heading": plan["heading"], "take": 0, "status": "waiting", "markdown": ""}
        for plan in brief["outline"]
    ]


def _draft_token(state: ArticleState, row: StreamRow) -> None:
    drafting = _DRAFT.fullmatch(row["step"])
    section = drafting and _section(state, int(drafting[1]))
    if section:
        markdown = section["markdown"] + row["data"]["text"]
        _change_section(state, section["n"], take=row["take"], status="writing", markdown=markdown)


def _section_done(state: ArticleState, row: StreamRow) -> None:
    """A drafted section, or one rewritten by polish: that has takes of its own."""
    done = row["data"]["section"]
    changes = {"heading": done["heading"], "status": "done", "markdown": done["markdown"]}
    if _DRAFT.fullmatch(row["step"]):
        changes["take"] = row["take"]
    _change_section(state, row["data"]["n"], **changes)


def _finish(state: ArticleState, row: StreamRow) -> None:
    """
    The article carries all that came before it.

    Of the takes only its own is kept: the rows of the others may be gone, and no older one can come.
    """
    polished: Any = row["data"]
    state["status"], state["error"], state["brief_text"] = "done", None, ""
    state["polished"], state["usage"] = polished, polished["usage"]
    state["takes"] = {row["step"]: row["take"]}
    state["sections"] = [
        {
            "n": section["n"],
            "heading": section["heading"],
            "take": row["take"],
            "status": "done",
            "markdown": section["markdown"],
        }
        for section in polished["sections"]
    ]


def _section(state: ArticleState, n: int) -> SectionState | None:
    return next((section for section in state["sections"] if section["n"] == n), None)


def _change_section(state: ArticleState, n: int, **changes: Any) -> None:
    """Change section `n`, if the outline has it."""
    state["sections"] = [
        {**section, **changes} if section["n"] == n else section  # type: ignore[typeddict-item]
        for section in state["sections"]
    ]
