"""
Every error briefworks raises on purpose, and whether trying again can help.

BriefworksError                try again?   HTTP
├── ConfigError                no           500    half a configuration, a wrong key
├── RequestInvalid             no           400    names the `field` that is wrong
├── Unauthorized               no           401    no key, or one that is not known here
├── Forbidden                  no           403    a web page of another site, an unknown host name
├── NotFound                   no           404
│   └── NotStarted             no           404    its first row is still to come, or it was never asked for
├── Conflict                   no           409    the id is another request's, or all is over
├── NotJson                    no           415
├── NothingToResearch          no           422    the search found no page that could be read
├── DraftUnsound               no           500    a section that no repair could make publishable
├── ModelError                 no           502
│   ├── ModelRejected          no           502    the model's server will not take this request or this key
│   ├── ModelSpendLimit        no           402    the account's spending limit is reached
│   ├── ModelRefused           no           422    the model declined to answer
│   └── ModelAnswerInvalid     yes          502    not the JSON that was asked for, even after a repair
├── UpstreamUnavailable        yes          503    something outside did not answer as it should
│   ├── ModelUnavailable       yes          503    overloaded, cut, stalled, empty
│   ├── SearchUnavailable      yes          503
│   ├── EngineUnavailable      yes          503
│   ├── StoreUnavailable       yes          503
│   └── RateLimited            yes, later   429    carries `retry_after_s`
│       └── TooManyWatchers    yes, later   503    all places of readers that are sent events are taken
└── StoreRefused                                   the store's answers to a writer; told apart by `code`
    ├── NoProject              no           404
    ├── StaleTake              yes          409    a newer take of the step has begun
    ├── RunOver                no           410    the run has its terminal row, or is not the article's run
    └── Hole                   no           422    rows that would leave a gap in their take

The docstring's first line is the default message; `hint` says what the reader can do about it.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar


class BriefworksError(Exception):
    """Something briefworks can explain went wrong."""

    code: ClassVar[str] = "error"
    retriable: ClassVar[bool] = False
    status: ClassVar[int] = 500
    hint: str = ""

    def __init__(self, message: str | None = None, *, hint: str = "") -> None:
        super().__init__(message or inspect.cleandoc(self.__doc__ or "").splitlines()[0])
        if hint:
            self.hint = hint
        if self.hint:
            self.add_note(self.hint)  # a traceback says the way out as well

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.args, dict(self.__dict__)))


def _rebuild(cls: type[BriefworksError], args: tuple[Any, ...], state: dict[str, Any]) -> BriefworksError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigError(BriefworksError):
    """The configuration cannot work."""

    code = "config"


class RequestInvalid(BriefworksError):
    """The request is not valid."""

    code = "invalid"
    status = 400

    def __init__(self, message: str | None = None, *, field: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class Unauthorized(BriefworksError):
    """A key is needed, and this one is not known here."""

    code = "unauthorized"
    status = 401


class Forbidden(BriefworksError):
    """This request may not come from there."""

    code = "forbidden"
    status = 403


class NotFound(BriefworksError):
    """There is no such thing, or it is not yours."""

    code = "not-found"
    status = 404


class NotStarted(NotFound):
    """The article has no row yet: it has not started, or was never asked for."""

    code = "not-started"


class Conflict(BriefworksError):
    """What is asked contradicts what is already there."""

    code = "conflict"
    status = 409


class NotJson(BriefworksError):
    """Send JSON, with `Content-Type: application/json`."""

    code = "not-json"
    status = 415


class NothingToResearch(BriefworksError):
    """The search found no page that could be read, and an article is never invented without sources."""

    code = "nothing-to-research"
    status = 422
    hint = "Try a broader keyword, or check the search provider with `briefworks doctor`."


class DraftUnsound(BriefworksError):
    """A section could not be made publishable; asking the model again would only recall its answers."""

    code = "draft-unsound"
    hint = "Ask for the article again with a new id, or with another persona or model."


class ModelError(BriefworksError):
    """The model did not give a usable answer."""

    code = "model"
    status = 502


class ModelRejected(ModelError):
    """The model's server rejects the request or the key."""

    code = "model-rejected"
    hint = "Check ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL and BRIEFWORKS_MODEL with `briefworks doctor`."


class ModelSpendLimit(ModelError):
    """The account's spending limit is reached."""

    code = "model-spend-limit"
    status = 402
    hint = "Raise the limit in the account's console, then ask again: finished calls are not paid twice."


class ModelRefused(ModelError):
    """The model declined to answer."""

    code = "model-refused"
    status = 422
    hint = "Change the keyword or the persona; the same request will be declined again."


class ModelAnswerInvalid(ModelError):
    """The model's answer is not what was asked for, even after a repair."""

    code = "model-answer-invalid"
    retriable = True
    hint = "If it goes on, choose a model that follows a JSON schema (BRIEFWORKS_MODEL)."


class UpstreamUnavailable(BriefworksError):
    """Something briefworks depends on did not answer as it should."""

    code = "upstream-unavailable"
    retriable = True
    status = 503
    hint = "It is usually temporary: ask again with the same id."


class ModelUnavailable(UpstreamUnavailable):
    """The model is overloaded, or its answer was cut off."""

    code = "model-unavailable"


class SearchUnavailable(UpstreamUnavailable):
    """The search did not answer."""

    code = "search-unavailable"


class EngineUnavailable(UpstreamUnavailable):
    """The engine that runs the function cannot be reached."""

    code = "engine-unavailable"
    hint = "Is it running (`briefworks dev`)? Nothing is lost: ask again with the same id."


class StoreUnavailable(UpstreamUnavailable):
    """The stream store cannot be reached."""

    code = "store-unavailable"


class RateLimited(UpstreamUnavailable):
    """The upstream asks to wait before the next request."""

    code = "rate-limited"
    status = 429

    def __init__(self, message: str | None = None, *, retry_after_s: float = 30.0, hint: str = "") -> None:
        super().__init__(message or f"The upstream asks to wait {retry_after_s:.0f} s.", hint=hint)
        self.retry_after_s = retry_after_s


class TooManyWatchers(RateLimited):
    """As many readers as this server has places for are being sent events."""

    code = "too-many-watchers"
    status = 503
    hint = "Ask for pages (`Accept: application/json`) every two seconds, and for events again later."

    def __init__(self, message: str | None = None, *, retry_after_s: float = 5.0, hint: str = "") -> None:
        super().__init__(
            message or inspect.cleandoc(self.__doc__ or ""), retry_after_s=retry_after_s, hint=hint
        )


class StoreRefused(BriefworksError):
    """The store refuses the write."""

    code = "store-refused"
    status = 409


class NoProject(StoreRefused):
    """There is no such project."""

    code = "no-project"
    status = 404


class StaleTake(StoreRefused):
    """A newer take of this step has begun; this one may write no more."""

    code = "stale-take"
    retriable = True


class RunOver(StoreRefused):
    """The run has ended, so nothing more is written to it."""

    code = "run-over"
    status = 410


class Hole(StoreRefused):
    """These rows would leave a gap in the take."""

    code = "hole"
    status = 422
