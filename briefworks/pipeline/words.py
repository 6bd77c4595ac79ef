"""Our errors in Inngest's words, and back: what is retried, what ends the run, what the reader is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

import inngest
import structlog

from briefworks import errors
from briefworks.errors import BriefworksError, RateLimited
from briefworks.shapes import RunFailed

log = structlog.get_logger("briefworks.run")
_SAID = re.compile(r"(?:(?P<step>[a-z0-9-]{1,64}): )?(?P<message>.*?)(?:\nHint: (?P<hint>.*))?", re.DOTALL)


_INNGESTS = (inngest.StepError, inngest.NonRetriableError, inngest.RetryAfterError)


@contextmanager
def in_inngests_words(step: str, *, spare_siblings: bool = False) -> Iterator[None]:
    """
    Say our errors so that Inngest retries what can work, and only that.

    A fatal error inside parallel steps ends the run at once and wastes the siblings that are being paid
    for; with `spare_siblings` one that concerns only this step is therefore said as an ordinary one: it
    is retried, then fails the run after the siblings have finished.
    """
    try:
        yield
    except BriefworksError as error:
        log.warning("step failed", step=step, code=error.code, retriable=error.retriable, reason=str(error))
        text = f"{step}: {error}" + (f"\nHint: {error.hint}" if error.hint else "")
        name = next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == errors.__name__)
        if isinstance(error, RateLimited):
            raise _named(name, inngest.RetryAfterError)(
                text, timedelta(seconds=error.retry_after_s), True
            ) from None
        if error.retriable or (spare_siblings and not _hopeless(error)):
            raise _named(name, _Quiet)(text) from None
        raise _named(name, inngest.NonRetriableError)(text, True) from None
    except Exception as error:
        if not isinstance(error, _INNGESTS):
            log.exception("a bug", step=step)
        raise


class _Quiet(Exception):
    """An ordinary error to Inngest; `quiet` keeps the SDK from logging a traceback for what is no bug."""

    quiet = True


@cache
def _named(name: str, base: type[Exception]) -> type[Exception]:
    """A subclass of Inngest's error that keeps our name: the failed event carries only the name."""
    return type(name, (base,), {})


def _hopeless(error: BriefworksError) -> bool:
    """Whether no other step could have worked either."""
    return isinstance(
        error, errors.ConfigError | errors.ModelRejected | errors.ModelSpendLimit | errors.StoreRefused
    )


def run_failed(error: dict[str, Any]) -> RunFailed:
    """The `run-failed` row for the `error` of `inngest/function.failed` (`{name, message, stack, …}`)."""
    name, message = str(error.get("name") or ""), str(error.get("message") or "")
    cls = getattr(errors, name, None)
    if isinstance(cls, type) and issubclass(cls, BriefworksError):
        said = _SAID.fullmatch(message)
        assert said is not None  # every group is optional
        return {
            "code": cls.code,
            "step": said["step"] or "",
            "message": said["message"],
            "hint": said["hint"] or "",
            "retriable": cls.retriable,
        }
    return {
        "code": "internal",
        "step": "",
        "message": f"The run failed in a way briefworks does not know ({name or 'no name'}).",
        "hint": "The log of the app and of the engine say more; ask for the article again with a new id.",
        "retriable": True,
    }
