"""What can be asked of an article, once: begin, cancel, erase it; said to the store and to the engine."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import inngest
import structlog

from briefworks.errors import ConfigError, Conflict, EngineUnavailable
from briefworks.settings import Settings
from briefworks.shapes import ArticleRequest
from briefworks.stream import DELETED, Store, rows_of

log = structlog.get_logger("briefworks.asking")
APP_ID = "briefworks"
ASKED_WITHIN_S, TOLD_WITHIN_S = 10.0, 1.0


def inngest_client(settings: Settings, *, serves: bool = True) -> inngest.Inngest:
    """
    The SDK's client for the engine that the INNGEST_ settings name.

    Raises `ConfigError` when they name none: who `serves` needs the signing key, who only asks the event key.
    """
    local, signing, event_key = settings.inngest_dev, settings.inngest_signing_key, settings.inngest_event_key
    if not local and (signing if serves else event_key) is None:
        keys = "INNGEST_SIGNING_KEY and INNGEST_EVENT_KEY" if serves else "INNGEST_EVENT_KEY"
        raise ConfigError(
            "No engine is configured.", hint=f"Set INNGEST_DEV=1 for a local engine, or {keys}."
        )
    origin = settings.inngest_base_url or (local if local and local.startswith("http") else None)
    return inngest.Inngest(
        app_id=APP_ID,
        is_production=not local,
        api_base_url=origin,
        event_api_base_url=origin,
        event_key=event_key.get_secret_value() if event_key else None,
        signing_key=signing.get_secret_value() if signing else None,
        request_timeout=timedelta(seconds=10),
    )


def request(store: Store, client: inngest.Inngest, asked: ArticleRequest) -> bool:
    """Ask the engine for the article, which has an id; True when it has begun already."""
    first = store.read(asked.project_id, 0, asked.article_id, limit=1)["rows"]
    if first and any(first[0]["data"].get(key) != value for key, value in asked.run_started().items()):
        raise Conflict(
            f"Article {asked.article_id!r} was asked for with another request.",
            hint="Follow the one that is there, or ask with another id.",
        )
    if not first:
        _send(client, asked.event(), ASKED_WITHIN_S)
    return bool(first)


def cancel(store: Store, client: inngest.Inngest, project_id: str, article_id: str) -> None:
    """Stop the run, also one that has not begun; `Conflict` when it has ended."""
    # Stored first: an engine loses a cancel that comes before the run; the event only stops the work.
    if not store.decide(project_id, article_id, "cancel", {"by": "user", "reason": ""}):
        raise Conflict(f"Article {article_id!r} has ended.")
    _tell_cancelled(client, project_id, article_id)


def erase(store: Store, client: inngest.Inngest, project_id: str, article_id: str) -> None:
    """Erase the article and all that belongs to it; a run of it is cancelled, also one that has not begun."""
    # Stored first, as for a cancel: what is still queued is refused when it begins, and erased then.
    goes_on = store.decide(project_id, article_id, "cancel", {"by": "user", "reason": DELETED})
    if rows_of(store, project_id, article_id):
        store.delete_article(project_id, article_id)
    if goes_on:
        _tell_cancelled(client, project_id, article_id)


def _send(client: inngest.Inngest, event: dict[str, Any], within_s: float) -> None:
    """
    Hand an event to the engine; `EngineUnavailable` when it has not taken it within that time.

    It may yet take it then: the SDK tries five times, 10 s each, and is not waited for any longer.
    """
    taken: Future[list[str]] = Future()

    def send() -> None:
        try:
            taken.set_result(client.send_sync(inngest.Event(**event)))
        except Exception as error:  # the SDK's own errors and its transport's share no class
            taken.set_exception(error)

    threading.Thread(target=send, name="event", daemon=True).start()
    try:
        taken.result(within_s)
    except Exception as error:
        raise EngineUnavailable(f"The engine did not take the event ({type(error).__name__}).") from error


def _tell_cancelled(client: inngest.Inngest, project_id: str, article_id: str) -> None:
    """Tell the engine that a run is over; the store stops the run also when the engine does not hear it."""
    event = {"name": "article.cancelled", "data": {"projectId": project_id, "articleId": article_id}}
    try:
        _send(client, event, TOLD_WITHIN_S)
    except EngineUnavailable as error:
        log.warning("the engine does not know of a cancel yet; the store stops the run", reason=str(error))
