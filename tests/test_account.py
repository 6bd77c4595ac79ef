"""The account of an article summed up: every group adds up, and nothing is counted as what it is not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from briefworks.account import AccountEntry, ArticleCosts
from briefworks.costs import price_list, summed_up
from briefworks.shapes import StreamRow, no_usage
from test_access import make_app

STEPS = (
    "research",
    "brief",
    "draft-section-1",
    "draft-section-12",
    "polish-critique-1",
    "polish-section-12-1",
)
OUTCOMES = ("", "answered", "continued", "recalled", "invalid", "model-refused", "stale-take", "stopped")


def used(usd: float | None) -> Any:
    return {**no_usage(), "calls": 1, "output_tokens": 7, "usd": usd}


def entry(
    n: int, step: str, outcome: str = "answered", usd: float | None = 0.01, **more: Any
) -> AccountEntry:
    at = f"2026-11-25T12:00:{n:02}.000Z"
    found: Any = {
        "v": 1, "id": f"{n:02}", "run_id": "r1", "step": step, "take": 1, "attempt": 0, "call": "c",
        "request": 1, "model": "claude-opus-5", "outcome": outcome, "reason": "", "retries": [],
        "started_at": at, "finished_at": at, "usage": used(usd), "thinking_tokens": 2, "estimate": no_usage(),
        "saved": no_usage(),
    }  # fmt: skip
    return {**found, **more}


def recalled(n: int, step: str, usd: float, **more: Any) -> AccountEntry:
    return entry(n, step, "recalled", 0.0, usage=no_usage(), saved=used(usd), **more)


def row(event: str, run_id: str = "r1", parent: str | None = None) -> StreamRow:
    found: Any = {
        "project_id": "p", "seq": 1, "article_id": "a", "run_id": run_id, "step": "start", "take": 1,
        "event": event, "data": {"parent_run_id": parent},
        "created_at": f"2026-11-25T12:0{run_id[1]}:00.000Z",
    }  # fmt: skip
    return found  # type: ignore[no-any-return]


def costs(entries: list[AccountEntry], *rows: StreamRow) -> ArticleCosts:
    return summed_up("p", "a", entries, rows or (row("run-started"),), price_list())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(STEPS),
            st.sampled_from(OUTCOMES),
            st.integers(0, 10**9),
            st.sampled_from(["r1", "r2"]),
        ),
        max_size=30,
    )
)
def test_phases_sections_and_runs_each_add_up_exactly(given: list[tuple[str, str, int, str]]) -> None:
    entries = [
        entry(n, step, outcome, millionths / 1e6, run_id=run_id, saved=used(millionths // 2 / 1e6))
        for n, (step, outcome, millionths, run_id) in enumerate(given)
    ]
    found = costs(entries, row("run-started"), row("run-failed"), row("run-started", "r2"))
    total: Any = found["total"]
    for part in ("paid", "wasted", "estimate", "saved"):
        groups: Any
        for groups in (found["phases"].values(), found["sections"].values(), found["runs"]):
            assert sum(Decimal(str(one[part]["usd"])) for one in groups) == Decimal(str(total[part]["usd"]))
    assert Decimal(str(total["paid"]["usd"])) == sum(Decimal(paid) for _, _, paid, _ in given) / 10**6
    assert set(found["sections"]) <= {"1", "12", "other"}
    assert total["thinking_tokens"] == 2 * len(given)


def test_only_what_failed_is_wasted() -> None:
    found = costs([entry(n, "brief", outcome) for n, outcome in enumerate(OUTCOMES)])
    assert [one["outcome"] for one in found["entries"] if one["wasted"]] == [*OUTCOMES[4:]]
    assert found["total"]["wasted"]["calls"] == 4


def test_a_request_under_way_is_lost_once_its_take_or_its_run_is_over() -> None:
    def outcomes(entries: list[AccountEntry], *rows: StreamRow) -> list[str]:
        return [one["outcome"] for one in costs(entries, row("run-started"), *rows)["entries"]]

    open_one = entry(1, "brief", "", usage=no_usage(), estimate=used(0.002))
    assert outcomes([open_one]) == [""]
    assert outcomes([open_one, entry(2, "brief", take=2)]) == ["lost", "answered"]
    assert outcomes([open_one, entry(2, "draft-section-1", take=2)]) == ["", "answered"]
    assert outcomes([open_one], row("run-failed")) == ["lost"]
    assert costs([open_one])["total"]["estimate"]["usd"] == 0
    lost = costs([open_one], row("run-started"), row("run-failed"))
    assert lost["total"]["estimate"]["usd"] == 0.002 and lost["total"]["paid"]["usd"] == 0


def test_a_section_is_reused_when_its_last_take_asked_nothing() -> None:
    entries = [
        entry(1, "draft-section-1", "model-unavailable"), recalled(2, "draft-section-1", 0.01, take=2),
        entry(3, "draft-section-2"), recalled(4, "draft-section-3", 0.02),
        entry(5, "draft-section-3", "invalid"), recalled(6, "polish-section-4-1", 0.01),
    ]  # fmt: skip
    (run,) = costs(entries)["runs"]
    assert (run["sections_reused"], run["sections"]) == (1, 3)
    assert run["saved"]["usd"] == 0.04


def test_what_a_replay_kept_is_saved_and_what_it_has_not_reached_is_not() -> None:
    first = [
        entry(1, "research"), entry(2, "draft-section-1", "invalid"), entry(3, "draft-section-1"),
        entry(4, "draft-section-2", "model-unavailable"), entry(5, "polish-critique-1"),
    ]  # fmt: skip
    rows = [row("run-started"), row("run-failed"), row("run-started", "r2", parent="r1")]
    second = entry(6, "draft-section-2", run_id="r2")
    first.append(entry(7, "polish-section-1-1", "failed"))

    def kept(*more: StreamRow) -> dict[str, float | None]:
        found = costs([*first, second], *rows, *more)["entries"]
        return {one["step"]: one["saved"]["usd"] for one in found if one["outcome"] == "kept"}

    assert kept() == {"research": 0.01}
    assert kept(row("run-failed", "r2")) == {"research": 0.01}
    assert kept(row("polish-done", "r2")) == {
        "research": 0.01, "draft-section-1": 0.02, "polish-critique-1": 0.01,
    }  # fmt: skip
    rows += [row("polish-done", "r2"), row("run-started", "r3", "r2"), row("polish-done", "r3")]
    third = costs([*first, second], *rows)
    assert third["runs"][2]["saved"]["usd"] == 0.05  # what the second kept, and what it paid itself
    fresh = [row("run-started"), row("run-failed"), row("run-started", "r2"), row("polish-done", "r2")]
    assert not [one for one in costs([*first, second], *fresh)["entries"] if one["outcome"] == "kept"]


def test_a_price_that_is_not_known_makes_the_sum_unknown_and_is_named() -> None:
    found = costs([entry(1, "brief"), entry(2, "research", usd=None, model="llama3.1")])
    assert found["total"]["paid"]["usd"] is None and found["phases"]["brief"]["paid"]["usd"] == 0.01
    assert found["prices"]["llama3.1"] is None
    assert (found["prices"]["claude-opus-5"] or {})["url"].startswith("https://platform.claude.com")


def test_searches_are_counted_by_provider_and_are_no_model() -> None:
    pages = [{"snapshot_id": "x"}, {"snapshot_id": None}]
    done: Any = {**row("research-done"), "data": {"provider": "serper", "pages": pages}}
    entries = [entry(n, "research", "searched", 0.0, model="serper") for n in (1, 2)]
    found = costs([*entries, entry(3, "research", "failed", 0.0, model="")], row("run-started"), done)
    assert found["searches"] == [{"provider": "serper", "searches": 2, "pages": 2, "pages_read": 1}]
    assert found["prices"] == {} and found["total"]["wasted"]["usd"] == 0


def test_the_route_answers_with_the_account_of_the_article_alone(tmp_path: Any) -> None:
    app = make_app(tmp_path)
    store, web = app.config["STORE"], app.test_client()
    started: Any = {
        "v": 1, "keyword": "desks", "persona": "plain-expert", "language": "en", "market": "us",
        "target_words": 900, "parent_run_id": None,
    }  # fmt: skip
    path = "/api/projects/p/articles/a/costs"
    assert web.get(path).json["code"] == "not-started"
    for article in ("a", "b"):
        store.start_run("p", article, f"of-{article}", started)
        store.enter("p", article, "01", dict(entry(1, "brief", run_id=f"of-{article}")))
    said = web.get(path).json
    assert said["total"]["paid"]["usd"] == 0.01 and [run["run_id"] for run in said["runs"]] == ["of-a"]
    assert said.keys() == ArticleCosts.__annotations__.keys()
    assert web.get("/api/projects/q/articles/a/costs").status_code == 404
    store.close()
