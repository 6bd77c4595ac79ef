"""Prices: data with a source and a date, exact to the token, and None where none is known."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from briefworks import costs
from briefworks.errors import ConfigError
from briefworks.settings import Settings

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
