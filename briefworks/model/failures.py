"""What goes wrong with Anthropic's SDK and its transport, said in our error tree."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

import anthropic
import httpx2

from briefworks.errors import (
    BriefworksError,
    ModelRejected,
    ModelSpendLimit,
    ModelUnavailable,
    RateLimited,
)
from briefworks.text import clean, squash

# What the SDK and its transport raise before a stream; within one a garbled answer is possible as well
UNSENT = (anthropic.AnthropicError, httpx2.HTTPError)
TROUBLE = (anthropic.AnthropicError, httpx2.HTTPError, httpx2.StreamError, ValueError, RecursionError)

# The nearest class in a failure's ancestry decides; those that stand for several things are looked into below
MEANINGS: Mapping[type[Exception], type[BriefworksError]] = {
    anthropic.BadRequestError: ModelRejected,
    anthropic.AuthenticationError: ModelRejected,
    anthropic.PaymentRequiredError: ModelSpendLimit,
    anthropic.PermissionDeniedError: ModelRejected,
    anthropic.NotFoundError: ModelRejected,
    anthropic.RequestTimeoutError: ModelUnavailable,
    anthropic.ConflictError: ModelUnavailable,
    anthropic.PreconditionFailedError: ModelRejected,
    anthropic.ContentTooLargeError: ModelRejected,
    anthropic.UnprocessableEntityError: ModelRejected,
    anthropic.RateLimitError: RateLimited,
    anthropic.RampLimitExceededError: RateLimited,
    anthropic.ContractSpendLimitReachedError: ModelSpendLimit,
    anthropic.EnforcedSpendLimitReachedError: ModelSpendLimit,
    anthropic.RequestHeaderFieldsTooLargeError: ModelRejected,
    anthropic.ClientClosedRequestError: ModelUnavailable,
    anthropic.InternalServerError: ModelUnavailable,
    anthropic.APIConnectionError: ModelUnavailable,
    anthropic.APIResponseValidationError: ModelUnavailable,
    anthropic.APIWebhookValidationError: ModelUnavailable,
    anthropic.RetryableError: ModelUnavailable,
    anthropic.CredentialsError: ModelRejected,
}
# An error event within a stream has HTTP status 200, so only its type tells
_BY_TYPE: Mapping[str, type[BriefworksError]] = {
    "invalid_request_error": ModelRejected,
    "authentication_error": ModelRejected,
    "permission_error": ModelRejected,
    "not_found_error": ModelRejected,
    "request_too_large": ModelRejected,
    "billing_error": ModelSpendLimit,
    "rate_limit_error": RateLimited,
}
_DEFAULT_RETRY_AFTER_S, _MOST_RETRY_AFTER_S = 30.0, 3600.0
_MESSAGE_CHARS = 300


def failure(error: Exception, host: str, secret: str = "") -> BriefworksError:
    """The error to raise in place of `error`; its message names `host`, never `secret`."""
    if isinstance(error, anthropic.APIStatusError):
        return _answered(error, host, secret)
    if isinstance(error, anthropic.APITimeoutError | httpx2.TimeoutException):
        return ModelUnavailable(f"The model at {host} went silent.")
    if isinstance(error, anthropic.APIConnectionError):
        why = type(error.__cause__ or error).__name__
        return ModelUnavailable(f"The model at {host} cannot be reached ({why}).")
    if isinstance(error, anthropic.AnthropicError):
        return _meaning(type(error))(f"The request to {host} failed ({type(error).__name__}).")
    if isinstance(error, httpx2.HTTPError):
        return ModelUnavailable(f"The model's answer was cut off ({type(error).__name__}).")
    return ModelUnavailable(f"{host} answered with something that is not the Messages API.")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait, at least 0.1 s and at most an hour; None when it does not say."""
    try:
        if millis := headers.get("retry-after-ms"):
            wait_s = float(millis) / 1000
        else:
            wait_s = _seconds(headers.get("retry-after", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait_s, 0.1), _MOST_RETRY_AFTER_S) if isfinite(wait_s) else None


def _seconds(asked: str) -> float:
    try:
        return float(asked)
    except ValueError:
        return (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds()


def _answered(error: anthropic.APIStatusError, host: str, secret: str) -> BriefworksError:
    meaning = _meaning_of_status(error)
    said = error.api_message if isinstance(error.api_message, str) else ""
    if secret:
        said = said.replace(secret, "…")
    said = f": {squash(clean(said))[:_MESSAGE_CHARS].rstrip('.')}" if said else ""
    asked_as = f" (request {error.request_id[:80]})" if error.request_id else ""
    what = error.status_code if error.status_code != 200 else error.type or "an error"
    message = f"The model at {host} answered {what}{said}{asked_as}."
    if meaning is RateLimited:
        wait_s = retry_after_s(error.response.headers)
        return RateLimited(message, retry_after_s=_DEFAULT_RETRY_AFTER_S if wait_s is None else wait_s)
    return meaning(message)


def _meaning_of_status(error: anthropic.APIStatusError) -> type[BriefworksError]:
    if error.error_code == "enforced_spend_limit_reached" or "credit balance" in (error.api_message or ""):
        return ModelSpendLimit
    if error.status_code == 200:
        return _BY_TYPE.get(error.type or "", ModelUnavailable)
    if type(error) is anthropic.APIStatusError:  # a status without a class of its own
        return ModelRejected if error.status_code < 500 else ModelUnavailable
    if error.status_code >= 500 and retry_after_s(error.response.headers) is not None:
        return RateLimited
    return _meaning(type(error))


def _meaning(cls: type[Exception]) -> type[BriefworksError]:
    return next((MEANINGS[one] for one in cls.__mro__ if one in MEANINGS), ModelUnavailable)
