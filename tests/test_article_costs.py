"""What an article cost: its calls add up to the cent, and a second run says what it did not pay again."""

import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from briefworks import Client
from briefworks.cli import main
from local import Local
from waiting import wait_for

PRICES = {
    "version": "of this test",
    "sources": {"test": {"url": "https://example.org/no-real-price", "as_of": "2026-11-25"}},
    "models": {
        "demo": {"input": 2, "output": 10, "cache_read": 0.1, "cache_write": 2.5, "source": "test"},
    },
}


def usd(usage):
    """Exactly: JSON's own digits."""
    return Decimal(json.dumps(usage["usd"]))


def paid(entries):
    return sum((usd(entry["usage"]) for entry in entries), Decimal(0))


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    folder = tmp_path_factory.mktemp("costs")
    prices = folder / "prices.json"
    prices.write_text(json.dumps(PRICES))
    local = Local(folder, upstream.url, BRIEFWORKS_PRICES=str(prices))
    yield local
    local.close()


def costs_of(local, project):
    with Client(local.app.url) as client:
        return client.costs(project, "a1")


def adds_up(costs):
    """Every sum in it, from its entries alone."""
    entries, total = costs["entries"], costs["total"]
    for part in ("paid", "wasted", "estimate", "saved"):
        for groups in (costs["phases"].values(), costs["sections"].values(), costs["runs"]):
            assert sum((usd(one[part]) for one in groups), Decimal(0)) == usd(total[part]), part
            for count in ("calls", "input_tokens", "output_tokens", "cache_read_tokens"):
                assert sum(one[part][count] for one in groups) == total[part][count]
    assert paid(entries) == usd(total["paid"])
    assert paid(one for one in entries if one["wasted"]) == usd(total["wasted"])
    return usd(total["paid"])


@pytest.mark.slow
def test_an_articles_cost_adds_up_from_its_calls_to_the_cent(local, upstream):
    upstream.fault("bad_json", times=1)
    assert local.ask("calm").status_code == 202
    article = local.wait_end("calm")[-1]["data"]
    costs = costs_of(local, "calm")
    assert adds_up(costs) == usd(article["usage"]) > 0
    assert costs["total"]["paid"] == article["usage"]
    assert costs["total"]["paid"]["calls"] == len(upstream.calls("model"))
    assert usd(costs["total"]["wasted"]) > 0 and usd(costs["total"]["saved"]) == 0
    assert costs["prices"]["demo"]["url"] == "https://example.org/no-real-price"
    command = ["explain", "a1", "--project", "calm", "--url", local.app.url]
    shown = CliRunner().invoke(main, command, env=local.env)
    assert f"paid       ${usd(article['usage']):.6f}" in shown.output, shown.output
    assert json.loads(CliRunner().invoke(main, [*command, "--json"], env=local.env).output) == costs
    assert "standing" not in json.dumps(costs)  # no prompt, no answer


def drafted(local, project):
    return [row["step"] for row in local.rows(project) if row["event"] == "section-done"]


def begin_and_kill(local, upstream, project):
    """An article whose app is killed while one section is still being written and the others are done."""
    upstream.fault("slow", match='<section n="2"', tokens_per_s=20)
    assert local.ask(project).status_code == 202
    sections = wait_for(lambda: local.state(project)["sections"])
    others = {f"draft-section-{section['n']}" for section in sections} - {"draft-section-2"}
    wait_for(lambda: others <= set(drafted(local, project)))
    wait_for(lambda: any(row["event"] == "draft-token" for row in local.rows(project)))
    local.app.kill()
    local.app.start()
    return len(sections)


def replay(local, project, **how):
    """Once more; the costs of that run."""
    run_id = costs_of(local, project)["runs"][-1]["run_id"]
    path = f"/api/projects/{project}/articles/a1/replay"
    asked = {"runId": run_id, **how}
    again = wait_for(lambda: (said := local.http.post(path, json=asked)).status_code == 202 and said.json())
    wait_for(
        lambda: any(
            row["event"] == "polish-done" and row["run_id"] == again["runId"] for row in local.rows(project)
        )
    )
    costs = costs_of(local, project)
    adds_up(costs)
    assert costs["runs"][-1]["run_id"] == again["runId"]
    return costs


@pytest.mark.slow
def test_a_second_run_after_a_kill_shows_what_it_did_not_pay_again(local, upstream):
    sections = begin_and_kill(local, upstream, "killed")
    assert local.http.post("/api/projects/killed/articles/a1/cancel", json={}).status_code == 202
    first = costs_of(local, "killed")
    (lost,) = [entry for entry in first["entries"] if entry["wasted"]]
    assert (lost["outcome"], lost["step"]) == ("lost", "draft-section-2")
    assert usd(lost["usage"]) == 0 < usd(lost["estimate"]) == usd(first["total"]["estimate"])
    before = len(upstream.calls("model"))

    costs = replay(local, "killed")
    was, again = costs["runs"]
    assert was["ended_by"] == "run-cancelled" and again["ended_by"] == "polish-done"
    assert (again["sections_reused"], again["sections"]) == (sections - 1, sections)
    assert usd(again["saved"]) == usd(was["paid"]) == usd(first["total"]["paid"]) > 0
    assert again["paid"]["calls"] == len(upstream.calls("model")) - before
    new = [entry for entry in costs["entries"] if entry["run_id"] == again["run_id"]]
    assert [entry["section"] for entry in new if entry["phase"] == "draft" and entry["usage"]["calls"]] == [2]


@pytest.mark.slow
def test_the_same_run_goes_on_after_a_kill_and_a_run_anew_pays_nothing(local, upstream):
    sections = begin_and_kill(local, upstream, "anew")
    local.wait_end("anew")
    once = costs_of(local, "anew")
    assert len(once["runs"]) == 1 and [e["outcome"] for e in once["entries"] if e["wasted"]] == ["lost"]
    paid_for = adds_up(once)
    before = len(upstream.calls("model"))

    costs = replay(local, "anew", anew=True)
    assert len(upstream.calls("model")) == before
    again = costs["runs"][-1]
    assert usd(again["paid"]) == 0 and usd(again["saved"]) == paid_for == usd(costs["total"]["paid"])
    assert (again["sections_reused"], again["sections"]) == (sections, sections)
    assert {e["outcome"] for e in costs["entries"] if e["run_id"] == again["run_id"]} == {"recalled"}
