"""
What a function may do and how that ends, case by case: on our executor, and on a dev server if there is one.

`INNGEST_DEV_SERVER=http://127.0.0.1:8288 pytest tests/test_executor_scenarios.py` asks `npx inngest-cli dev
--no-discovery --tick 10 --retry-interval 1` for the same outcomes.
"""

import os

import pytest

from briefworks.executor import Executor
from executor.scenarios import CASES, Lab
from executor.scenarios.lab import ANY

DEV_SERVER = os.environ.get("INNGEST_DEV_SERVER", "")
ENGINES = [
    "embedded",
    pytest.param(
        "dev-server",
        marks=pytest.mark.skipif(
            not DEV_SERVER, reason="start `npx inngest-cli dev` and name it in INNGEST_DEV_SERVER"
        ),
    ),
]


@pytest.fixture(scope="module", params=ENGINES)
def lab(request, tmp_path_factory):
    """One app with all functions on one engine; the runs of all cases that only have to end are under way."""
    if request.param == "dev-server":
        yield from _started(Lab(DEV_SERVER))
    else:
        journal = tmp_path_factory.mktemp("scenarios") / "journal.db"
        with Executor(journal, 0, retry_scale=0.02) as executor:
            yield from _started(Lab(executor.url, executor))


def _started(lab):
    with lab:
        lab.alone = {
            name: lab.send(case.event, case.data) for name, case in CASES.items() if case.play is None
        }
        yield lab


@pytest.mark.parametrize("name", CASES)
def test_a_run_ends_as_it_should(lab, name):
    case, here = CASES[name], lab.here[name]
    if case.play is not None:
        case.play(lab, here)
        return
    run = lab.ended(lab.alone[name])
    assert run["status"] == case.status, f"{case.sentence}: {run['output']}"
    assert case.output is ANY or run["output"] == case.output, case.sentence
    assert case.marks is None or dict(here.marks) == case.marks, case.sentence


def test_there_are_enough_cases_and_each_says_what_it_promises():
    assert len(CASES) >= 50
    assert len({case.sentence for case in CASES.values()}) == len(CASES)
