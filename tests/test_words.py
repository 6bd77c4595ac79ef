"""Our errors in Inngest's words: only what can work is tried again, and the reader learns why it ended."""

import inngest
import pytest

from briefworks import errors
from briefworks.pipeline.words import in_inngests_words, run_failed


def said(error, **options):
    """What Inngest is told when a body raises `error`."""
    with pytest.raises(Exception) as told, in_inngests_words("draft-section-2", **options):
        raise error
    return told.value


def every_error(cls=errors.BriefworksError):
    for sub in cls.__subclasses__():
        yield sub
        yield from every_error(sub)


@pytest.mark.parametrize(
    "cls", sorted(set(every_error()), key=lambda cls: cls.__name__), ids=lambda cls: cls.__name__
)
def test_an_error_is_retried_if_that_can_help_and_its_reason_comes_back(cls):
    told = said(cls(hint="Do this."))
    assert isinstance(told, inngest.NonRetriableError) is not cls.retriable
    row = run_failed({"name": type(told).__name__, "message": str(told)})
    assert (row["code"], row["step"], row["hint"]) == (cls.code, "draft-section-2", "Do this.")
    assert row["message"] == str(cls()) and row["retriable"] is cls.retriable


def test_a_rate_limit_is_retried_when_the_upstream_says():
    told = said(errors.RateLimited(retry_after_s=90))
    assert isinstance(told, inngest.RetryAfterError)


def test_a_refused_section_spares_its_siblings_and_a_rejected_key_does_not():
    assert not isinstance(said(errors.ModelRefused(), spare_siblings=True), inngest.NonRetriableError)
    assert isinstance(said(errors.ModelRejected(), spare_siblings=True), inngest.NonRetriableError)


def test_what_is_no_error_of_ours_passes_unchanged():
    assert isinstance(said(ZeroDivisionError()), ZeroDivisionError)


def test_an_unknown_failure_says_so_without_its_message():
    row = run_failed({"name": "KeyError", "message": "sk-secret"})
    assert row["code"] == "internal" and "sk-secret" not in str(row)
