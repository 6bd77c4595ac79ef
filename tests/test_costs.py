"""Prices: data with a source and a date, exact to the token, and None where none is known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from briefworks import costs
from briefworks.account import AccountEntry, Spending, no_entry
from briefworks.errors import ConfigError
from briefworks.settings import Settings
from briefworks.shapes import StreamRow, add_usage, no_usage

MILLION = 1_000_000


def test_every_kind_of_token_has_its_own_price() -> None:
    one = {"input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0}
    prices = [costs.price("claude-sonnet-5-5", **{**one, kind: MILLION}) for kind in one]
    assert prices == [2.0, 10.0, 0.1, 2.5]
    assert costs.price("claude-sonnet-5-5", **dict.fromkeys(one, MILLION)) == pytest.approx(14.6)


@pytest.mark.parametrize("model", ["claude-haiku-4-5-20251001", "claude-haiku-4-5"])
def test_a_dated_id_costs_what_the_undated_one_costs(model: str) -> None:
    assert costs.price(model, input_tokens=1000, output_tokens=1000) == pytest.approx(0.006)


@pytest.mark.parametrize("model", ["llama3.1", "", "claude-sonnet-9", "claude-sonnet-5-5-2026"])
def test_an_unknown_model_has_no_price(model: str) -> None:
    assert costs.price(model, input_tokens=1, output_tokens=1) is None


def test_a_long_prompt_costs_more_where_the_list_says_so() -> None:
    short = costs.price("claude-haiku-5-5", input_tokens=60_000, output_tokens=0, cache_read_tokens=40_000)
    long = costs.price("claude-haiku-5-5", input_tokens=60_000, output_tokens=0, cache_read_tokens=40_001)
    assert short == pytest.approx(0.0064) and long == pytest.approx(0.032, abs=1e-6)


def test_every_price_has_a_source_with_a_date() -> None:
    listed = costs.price_list()
    assert date.fromisoformat(listed.version)
    for name, row in listed.models.items():
        source = listed.source(name)
        assert source is not None and source["version"] == listed.version
        assert source["url"].startswith("https://") and date.fromisoformat(source["as_of"]), name
        assert 0 < row.cache_read < row.input < row.cache_write < row.output, name
    assert set(listed.sources) == {row.source for row in listed.models.values()}
    assert listed.source("llama3.1") is None


def own_list(tmp_path: Path, **changes: object) -> Path:
    row = {"input": 1, "output": 2, "cache_read": 0, "cache_write": 1, "source": "table"}
    whole = {
        "version": "mine",
        "sources": {"table": {"url": "https://example.org", "as_of": "2026-11-01"}},
        "models": {"llama3.1": row, "claude-opus-5": row},
    }
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({**whole, **changes}))
    return path


def test_a_list_of_ones_own_adds_models_and_wins_over_ours(tmp_path: Path) -> None:
    listed = costs.price_list(own_list(tmp_path))
    assert listed.price("llama3.1", input_tokens=MILLION, output_tokens=MILLION) == 3
    assert listed.price("claude-opus-5", input_tokens=MILLION, output_tokens=0) == 1
    assert listed.price("claude-opus-4-8", input_tokens=MILLION, output_tokens=0) == 5
    ours, theirs = listed.source("claude-opus-4-8"), listed.source("claude-opus-5")
    assert ours and theirs and ours["url"] != theirs["url"] == "https://example.org"
    assert "mine" in theirs["version"]


@pytest.mark.parametrize(
    "changes",
    [
        {"models": {"x": {"input": -1, "output": 2, "cache_read": 0, "cache_write": 1, "source": "table"}}},
        {"models": {"x": {"input": 1, "output": 2, "cache_read": 0, "cache_write": 1, "source": "nowhere"}}},
        {"models": {"x": {"input": 1}}},
        {"models": []},
        {"sources": {}},
        {"more": 1},
    ],
)
def test_a_list_that_is_none_is_refused_with_its_fault(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="form of ours"):
        costs.price_list(own_list(tmp_path, **changes))


def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        costs.price_list(tmp_path / "nothing.json")


def test_the_default_model_has_a_price() -> None:
    assert costs.price(Settings.model_fields["model"].default, input_tokens=1, output_tokens=1)


# --- an account adds up
STEPS = ("research", "brief", "draft-section-1", "draft-section-2", "polish-section-2-1", "polish")
OUTCOMES = ("answered", "continued", "recalled", "invalid", "stopped", "overloaded", "failed", "searched", "")
TOKENS = st.integers(0, 3_000_000)


@st.composite
def an_entry(draw: st.DrawFn) -> AccountEntry:
    model = draw(st.sampled_from(["claude-sonnet-5-5", "claude-haiku-5-5-20261001", "claude-opus-5-5"]))
    kinds = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    tokens = {kind: draw(TOKENS) for kind in kinds}
    used = add_usage({**no_usage(), **tokens, "calls": 1, "usd": costs.price(model, **tokens)})
    return {
        **no_entry(model, "k"),
        "outcome": draw(st.sampled_from(OUTCOMES)),
        "usage": used,
        "saved": add_usage(used),
        "thinking_tokens": draw(st.integers(0, tokens["output_tokens"])),
        "id": draw(st.uuids()).hex,
        "run_id": draw(st.sampled_from(["r1", "r2"])),
        "step": draw(st.sampled_from(STEPS)),
        "take": draw(st.integers(1, 3)),
        "attempt": 0,
    }


def exact(spendings: Iterable[Spending], part: Literal["paid", "saved"], kind: str) -> Decimal:
    found: list[Mapping[str, Any]] = [one[part] for one in spendings]
    return sum((Decimal(json.dumps(one[kind])) for one in found), Decimal(0))


@settings(max_examples=60)
@given(st.lists(an_entry(), max_size=25))
def test_any_account_adds_up_to_the_millionth_of_a_dollar(entries: list[AccountEntry]) -> None:
    rows = [a_row(n, run_id) for n, run_id in enumerate(("r1", "r2"), 1)]
    found = costs.summed_up("p", "a", entries, rows, costs.price_list())
    for kind in ("usd", "calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"):
        for part in ("paid", "saved"):
            whole = exact([found["total"]], part, kind)
            for groups in (found["phases"].values(), found["sections"].values(), found["runs"]):
                assert exact(groups, part, kind) == whole
        alone = sum((Decimal(json.dumps(one["usage"][kind])) for one in entries), Decimal(0))
        assert exact([found["total"]], "paid", kind) == alone


def test_one_unknown_price_makes_the_sum_unknown_and_not_smaller() -> None:
    known, unknown = no_entry("claude-sonnet-5-5", "k"), no_entry("llama3.1", "k")
    known["usage"]["usd"], unknown["usage"]["usd"] = 0.5, None
    who = {"run_id": "r1", "step": "brief", "take": 1, "attempt": 0}
    asked = [{**one, **who, "id": f"e{n}", "outcome": "answered"} for n, one in enumerate((known, unknown))]
    found = costs.summed_up("p", "a", cast(list[AccountEntry], asked), [a_row(1, "r1")], costs.price_list())
    assert found["total"]["paid"]["usd"] is None
    assert found["prices"]["llama3.1"] is None


def a_row(seq: int, run_id: str) -> StreamRow:
    return {
        "project_id": "p",
        "seq": seq,
        "article_id": "a",
        "run_id": run_id,
        "step": "start",
        "take": 1,
        "event": "run-started",
        "data": {},
        "created_at": f"2026-11-29T00:00:0{seq}.000Z",
    }
