"""What an article cost: its calls add up to the cent, and a second run says what it did not pay again."""

import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from briefworks import Client
from briefworks.cli import main
from local import Local
from prices import prices_of_tests
from waiting import wait_for


def usd(usage):
    """Exactly: JSON's own digits."""
    return Decimal(json.dumps(usage["usd"]))


def paid(entries):
    return sum((usd(entry["usage"]) for entry in entries), Decimal(0))


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    folder = tmp_path_factory.mktemp("costs")
    local = Local(folder, upstream.url, BRIEFWORKS_PRICES=str(prices_of_tests(folder)))
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


def used_by_results(costs):
    """What the last take of each step paid: the others have no result."""
    steps = {}
    for entry in costs["entries"]:
        if entry["outcome"] != "kept":
            steps.setdefault(entry["step"], {}).setdefault(entry["take"], []).append(entry)
    return sum((paid(takes[max(takes)]) for takes in steps.values()), Decimal(0))


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
    assert costs["prices"]["synthetic"]["url"] == "https://example.org/no-real-price"
    command = ["explain", "a1", "--project", "calm", "--url", local.app.url]
    shown = CliRunner().invoke(main, command, env=local.env)
    assert f"paid       ${usd(article['usage']):.6f}" in shown.output, shown.output
    assert json.loads(CliRunner().invoke(main, [*command, "--json"], env=local.env).output) == costs
    assert "standing" not in json.dumps(costs)  # no prompt, no answer


@pytest.mark.slow
def test_what_failed_takes_paid_is_in_the_cost_and_in_no_result(local, upstream):
    upstream.fault("cut", match='<section n="1"', after_tokens=30)
    upstream.fault("error_event", match='<section n="2"', after_tokens=30)
    upstream.fault("refusal", match='<section n="3"')
    upstream.fault("overloaded", match='<section n="4"')
    assert local.ask("faults").status_code == 202
    article = local.wait_end("faults")[-1]["data"]
    costs = costs_of(local, "faults")
    wasted = usd(costs["total"]["wasted"])
    assert wasted > 0 and adds_up(costs) - wasted == usd(article["usage"]) == used_by_results(costs)
    failed = {entry["section"]: entry for entry in costs["entries"] if entry["wasted"]}
    assert {n: entry["outcome"] for n, entry in failed.items()} == {
        1: "model-unavailable",
        2: "model-unavailable",
        3: "model-refused",
    }
    assert failed[1]["estimate"]["output_tokens"] > 0 and failed[3]["estimate"]["output_tokens"] == 0
    assert ["529" in retry for entry in costs["entries"] for retry in entry["retries"]] == [True]


def drafted(local, project):
    return [row["step"] for row in local.rows(project) if row["event"] == "section-done"]


def begin_and_kill(local, upstream, project, slow_takes=1):
    """An article whose app is killed while one section is still being written and the others are done."""
    upstream.fault("slow", match='<section n="2"', times=slow_takes, tokens_per_s=20)
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
    sections = begin_and_kill(local, upstream, "killed", slow_takes=2)  # it is not over before the cancel
    assert local.http.post("/api/projects/killed/articles/a1/cancel", json={}).status_code == 202
    first = costs_of(local, "killed")
    lost, *cancelled = [entry for entry in first["entries"] if entry["wasted"]]
    assert (lost["outcome"], lost["step"]) == ("lost", "draft-section-2")
    assert {entry["take"] for entry in cancelled} <= {2}  # it may have begun
    assert usd(lost["usage"]) == 0 < usd(lost["estimate"]) <= usd(first["total"]["estimate"])

    costs = replay(local, "killed")
    was, again = costs["runs"]
    assert was["ended_by"] == "run-cancelled" and again["ended_by"] == "polish-done"
    assert (again["sections_reused"], again["sections"]) == (sections - 1, sections)
    assert usd(again["saved"]) == usd(was["paid"]) - usd(was["wasted"]) > 0
    sent = [entry for entry in costs["entries"] if entry["request"]]
    assert len(upstream.calls("model")) == len(sent) and not any(entry["retries"] for entry in sent)
    new = [entry for entry in costs["entries"] if entry["run_id"] == again["run_id"]]
    assert [entry["section"] for entry in new if entry["phase"] == "draft" and entry["usage"]["calls"]] == [2]


@pytest.mark.slow
def test_the_same_run_goes_on_after_a_kill_and_a_run_anew_pays_nothing(local, upstream):
    sections = begin_and_kill(local, upstream, "anew")
    local.wait_end("anew")
    once = costs_of(local, "anew")
    assert len(once["runs"]) == 1 and [e["outcome"] for e in once["entries"] if e["wasted"]] == ["lost"]
    paid_for = adds_up(once)
    assert used_by_results(once) == usd(local.rows("anew")[-1]["data"]["usage"])
    before = len(upstream.calls("model"))

    costs = replay(local, "anew", anew=True)
    assert len(upstream.calls("model")) == before
    again = costs["runs"][-1]
    assert usd(again["paid"]) == 0 and usd(again["saved"]) == paid_for == usd(costs["total"]["paid"])
    assert (again["sections_reused"], again["sections"]) == (sections, sections)
    assert {e["outcome"] for e in costs["entries"] if e["run_id"] == again["run_id"]} == {"recalled"}
    assert [found["searches"] for found in costs["searches"]] == [1]  # its answer is kept for a day
