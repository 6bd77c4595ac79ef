"""Expressions of triggers, waits, cancels and keys hold as on the real server."""

import pytest

from briefworks.executor import triggers

EVENT = {"name": "a", "data": {"p": "acme", "a": "1", "n": 3, "none": None, "deep": {"x": [1, {"y": 2}]}}}
LATER = {"name": "b", "data": {"p": "acme", "n": 3.0}}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("", True),
        ("event.data.p == async.data.p", True),
        ("event.data.p == async.data.p && event.data.a == async.data.a", False),
        ("event.data.missing == async.data.missing", True),  # measured: missing equals missing
        ("event.data.missing.deeper == 'x'", False),
        ("event.data.missing != 'x'", True),
        ("event.data['p'] == 'acme'", True),
        ("event.data.n == async.data.n", True),
        ("event.data.none == null && event.data.missing == null", True),
        ("has(event.data.p) && !has(event.data.missing)", True),
        ("event.data.p.startsWith('ac')", True),
        ("event.data.missing.startsWith('ac')", False),
        ("event.data.deep.x[1].y == 2", True),
        ("event.data.p == 'event.data.missing'", False),
        ("event.data.deep.x[7] == 1", False),
        ("event.data.p", False),  # not a truth value
        ("nonsense((", False),
        ("unknown == 1", False),
        ("1 == " + "1" * 5000, False),
    ],
)
def test_an_expression_holds_or_not_and_never_breaks(expression, holds):
    assert triggers.matches(expression, EVENT, LATER) is holds


def test_the_event_itself_is_left_as_it_is():
    triggers.matches("event.data.missing.deeper == async.data.gone", EVENT, LATER)
    assert "missing" not in EVENT["data"] and "gone" not in LATER["data"]


def test_a_key_has_a_value_only_when_all_its_fields_are_there():
    assert triggers.value('event.data.p + "/" + event.data.a', EVENT) == "acme/1"
    assert triggers.value("event.data.none", EVENT) is None  # null is a value, a missing field is none
    with pytest.raises(ValueError, match="missing"):
        triggers.value('event.data.p + "/" + event.data.missing', EVENT)
