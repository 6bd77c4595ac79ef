"""A project's Realtime channel, held open by a thread of its own: joined, renewed, and begun anew."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from realtime import AsyncRealtimeClient, RealtimeSubscribeStates
from realtime.types import BroadcastPayload, RealtimeChannelOptions

from briefworks.client.place import Timing
from briefworks.errors import BriefworksError, Forbidden, StoreUnavailable, Unauthorized
from briefworks.keys import claims_of
from briefworks.stores.supabase import RENEW_HINT

# Without a handler of the program's own, the library would write each failed attempt to standard error.
logging.getLogger("realtime").addHandler(logging.NullHandler())

CHANNEL: RealtimeChannelOptions = {
    "config": {
        "private": True,
        "broadcast": {"ack": False, "self": False, "replication_ready": True},
        "presence": {"key": "", "enabled": False},
    }
}
CONNECT_S, GOODBYE_S, LEAST_RENEW_S = 10, 2.0, 1.0
MOST_MESSAGES = 256  # for a reader that is slow; what falls out is a gap, and gaps are read
MEMBER_HINT = "Is the user in article_members, or in your own private.my_article_projects()?"


class Ear:
    """
    Hears what is said in the channel of a project, with `key` and, for a user, his `token`.

    At most once and now and then not at all, which is all that Realtime promises: `next` also says when to
    read the table. A channel that was refused for good raises `Forbidden` or `Unauthorized` there.
    """

    def __init__(
        self, url: str, key: str, token: Callable[[], str] | None, project_id: str, timing: Timing
    ) -> None:
        self._url, self._key, self._token = f"{url.rstrip('/')}/realtime/v1", key, token
        self._project_id, self._timing = project_id, timing
        self._changed = threading.Condition()
        self._messages: deque[dict[str, Any]] = deque(maxlen=MOST_MESSAGES)
        self._troubles: deque[BriefworksError] = deque(maxlen=4)
        self._look = self._live = self._closed = False
        self._refused: BriefworksError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._connection: asyncio.Future[str] | None = None  # done when it has ended, with the reason
        self._thread = threading.Thread(target=self._run, name=f"realtime {project_id}", daemon=True)

    def start(self) -> None:
        """Connect, unless it has begun already; `close` ends it."""
        with self._changed:
            if self._closed:
                raise BriefworksError("The client is closed.")
            if self._thread.ident is None:
                self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            if self._task:
                self._soon(self._task.cancel)
        if self._thread.ident is not None:
            self._thread.join()

    def next(self) -> tuple[dict[str, Any] | None, bool]:
        """A message, or None: read; and whether a channel that is live has been silent for that long."""
        with self._changed:
            wait_s = self._timing.check_s if self._live else self._timing.poll_s
            told = self._changed.wait_for(self._has_news, wait_s)
            if self._refused:
                raise self._refused
            if self._closed:
                raise BriefworksError("The client is closed.")
            if self._look or not self._messages:
                self._look = False
                return None, self._live and not told
            return self._messages.popleft(), False

    def join(self, within_s: float) -> None:
        """Start, and wait until the channel is joined; what refuses or prevents it is raised."""
        self.start()
        with self._changed:
            self._changed.wait_for(lambda: self._live or self._refused or self._closed, within_s)
            if self._refused:
                raise self._refused
            if not self._live:
                last = self._troubles[-1] if self._troubles else None
                raise last or StoreUnavailable(f"Realtime lets nobody join within {within_s:.0f} s.")

    def troubles(self) -> list[BriefworksError]:
        """What was met since the last time and is being dealt with."""
        with self._changed:
            told = list(self._troubles)
            self._troubles.clear()
            return told

    def renew(self) -> None:
        """A channel that says nothing of what is there is left for a new one."""
        self._soon(self._end, "it had fallen silent")

    def _soon(self, act: Callable[..., object], *args: object) -> None:
        """In the thread, unless that has ended."""
        if self._loop:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(act, *args)

    def _has_news(self) -> bool:
        return bool(self._messages or self._look or self._refused or self._closed)

    def _tell(self, **state: Any) -> None:
        with self._changed:
            for name, value in state.items():
                setattr(self, f"_{name}", value)
            self._changed.notify_all()

    # --- in the thread
    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._keep())

    async def _keep(self) -> None:
        """Connections, one after the other, until one is refused for good."""
        with self._changed:
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
            if self._closed:
                return None
        failures = 0
        while True:
            try:
                trouble = await self._connected()
            except BriefworksError as error:
                trouble = error
            except Exception as error:  # the library's own, and its transport's
                trouble = StoreUnavailable(f"Realtime cannot be reached ({type(error).__name__}).")
            if not trouble.retriable:
                return self._tell(refused=trouble)
            failures = 0 if self._live else failures + 1
            if failures > 1:
                self._troubles.append(trouble)
            self._tell(live=False, look=True)
            waits_s = self._timing.waits_s
            wait_s = waits_s[min(failures, len(waits_s) - 1)]
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311

    async def _connected(self) -> BriefworksError:
        """One connection from beginning to end; what ended it."""
        self._connection = asyncio.get_running_loop().create_future()
        # Its own reconnecting gives up for ever after five attempts, so that ours begins anew instead.
        socket = AsyncRealtimeClient(
            self._url, self._key, auto_reconnect=False, max_retries=1, timeout=CONNECT_S
        )
        try:
            token = await self._set_token(socket)
            await _whole(socket.connect())
            channel = socket.channel(f"project:{self._project_id}", CHANNEL)
            channel.on_broadcast("rows", self._heard)
            channel.on_system(self._ready)
            await channel.subscribe(self._joined)
            while not self._connection.done():
                await asyncio.wait([self._connection], timeout=self._renew_in_s(token))
                if not self._connection.done():
                    token = await self._renewed(socket, token)
            return self._why(self._connection.result())
        finally:
            await _whole(_hang_up(socket))
            await _end_tasks()

    async def _set_token(self, socket: AsyncRealtimeClient) -> str:
        if self._token is None:
            return ""
        token = await asyncio.to_thread(self._token)
        await socket.set_auth(token)
        return token

    async def _renewed(self, socket: AsyncRealtimeClient, token: str) -> str:
        """The next token, set; the same one when there is none yet, which is asked for again."""
        try:
            return await self._set_token(socket)
        except BriefworksError as error:
            self._troubles.append(error)
            self._tell(look=True)
            return token

    def _renew_in_s(self, token: str) -> float | None:
        if (expires_at := expiry(token)) is None:
            return None
        left_s = expires_at - time.time()
        return max(left_s - min(self._timing.renew_s, left_s / 2), LEAST_RENEW_S)

    def _heard(self, said: BroadcastPayload) -> None:
        with self._changed:
            self._messages.append(said["payload"])
            self._changed.notify_all()

    def _ready(self, _: object) -> None:
        """Only from here on everything is said: what was written since the join is read."""
        self._tell(look=True)

    def _joined(self, state: RealtimeSubscribeStates, error: Exception | None) -> None:
        if state is RealtimeSubscribeStates.SUBSCRIBED:
            self._tell(live=True, look=True)
        else:
            self._end(_reason(error) or state.value.lower().replace("_", " "))

    def _end(self, reason: str) -> None:
        if self._connection and not self._connection.done():
            self._connection.set_result(reason)

    def _why(self, reason: str) -> BriefworksError:
        if reason.startswith(("Unauthorized", "You do not have permissions")):
            return Forbidden(
                f"Supabase lets nobody but members listen to project {self._project_id!r}.", hint=MEMBER_HINT
            )
        if reason.startswith(("InvalidJWT", "MalformedJWT", "JwtSignature")):
            return Unauthorized(f"Realtime does not take the token: {reason[:200]}.", hint=RENEW_HINT)
        return StoreUnavailable(f"The Realtime channel ended: {reason[:200]}.")


def expiry(token: str) -> float | None:
    """When a token is over, as it says itself; None when it does not say."""
    at = claims_of(token).get("exp")
    return float(at) if isinstance(at, int | float) else None


def _reason(error: Exception | None) -> str:
    """Realtime's own words out of the JSON in which the library hands them on."""
    with suppress(ValueError, AttributeError):
        said = json.loads(str(error))
        return str(said.get("reason") or said.get("message") or "")
    return type(error).__name__ if error else ""


async def _hang_up(socket: AsyncRealtimeClient) -> None:
    """Say goodbye, for as long as the other side may need for its own; then just go."""
    connection = socket._ws_connection  # which the library forgets before it has closed it
    try:
        with suppress(Exception):
            await asyncio.wait_for(socket.close(), GOODBYE_S)
    finally:
        if connection is not None:
            connection.transport.abort()


async def _whole(handshake: Coroutine[Any, Any, None]) -> None:
    """To its end also when this is cancelled: half a handshake would leave its socket open."""
    task = asyncio.ensure_future(handshake)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(Exception):
            await asyncio.wait_for(task, GOODBYE_S)
        raise


async def _end_tasks() -> None:
    """All that the library has begun on this loop: a late time-out would end the next connection."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
