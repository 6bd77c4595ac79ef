"""`briefworks explain`: an account in a terminal of any width, and nothing in it that steers the terminal."""

from __future__ import annotations

from typing import Any

import click
import httpx
import pytest

from briefworks.account import ArticleCosts
from briefworks.cli.account import account_lines
from briefworks.client import Client
from test_access import make_app
from test_account import costs, entry, recalled, row, used

HOSTILE = "\x1b[2J\u202eevil\r\n" * 40


def an_account() -> ArticleCosts:
    entries = [
        entry(1, "research", "answered", 0.013832),
        entry(2, "draft-section-2", "model-unavailable", 1.000001, reason=HOSTILE, retries=[HOSTILE, "529"]),
        entry(3, "draft-section-10", "", 0.0, usage={**used(0.0), "calls": 0}, estimate=used(0.2)),
        recalled(4, "polish-section-10-1", 0.31, run_id="r2"),
        entry(5, "polish-critique-1", "x" * 99, 0.02, run_id="r2", model=HOSTILE),
    ]
    return costs(entries, row("run-started"), row("run-failed"), row("run-started", "r2"))


@pytest.mark.parametrize("width", [60, 80, 120, 300])
def test_no_line_is_longer_than_the_terminal_and_none_steers_it(width: int) -> None:
    lines = [click.unstyle(line) for line in account_lines(an_account(), width)]
    assert max(map(len, lines)) <= width
    assert all(line.isprintable() for line in lines)
    assert sum("evil" in line for line in lines) > 2


def test_it_says_what_was_paid_wasted_estimated_and_not_paid_again() -> None:
    text = "\n".join(click.unstyle(line) for line in account_lines(an_account(), 120))
    said = (
        "paid       $1.033833  3 requests",
        "wasted     $1.020001  of it, on 2 requests that failed",
        "untold    ~$0.200000",
        "saved      $0.310000  not paid again",
        "run 2  running",
        "lost",
        "($0.310000)",
        "sent again: 529",
    )
    assert [one for one in said if one not in text] == []
    tables = text.partition("  section ")[2].splitlines()
    assert [line.split()[0] for line in tables[1:4]] == ["2", "10", "other"]


def test_an_account_without_a_price_says_so() -> None:
    text = "\n".join(account_lines(costs([entry(1, "brief", usd=None, model="llama3.1")]), 80))
    assert "no price" in text and "llama3.1: its price is not known" in click.unstyle(text)


def test_the_client_reads_the_account_from_the_app(tmp_path: Any) -> None:
    app = make_app(tmp_path)
    store = app.config["STORE"]
    data: Any = {**row("run-started")["data"], "v": 1, "keyword": "desks", "persona": "p"}
    store.start_run("p", "a", "r1", data)
    store.enter("p", "a", "01", dict(entry(1, "brief")))
    with httpx.Client(transport=httpx.WSGITransport(app=app)) as http:
        found = Client(http_client=http).costs("p", "a")
    assert found["total"]["paid"]["usd"] == 0.01
    store.close()
