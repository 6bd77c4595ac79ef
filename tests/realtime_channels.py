"""Phoenix channels as Supabase's Realtime speaks them: one socket's messages, joins, tokens and pushes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

# A topic's reader, by his claims; raises BadToken for a token that is none.
Claims = Callable[[str], dict[str, Any]]
MayRead = Callable[[str, dict[str, Any]], bool]
MOST_BYTES = 256 * 1024  # of a broadcast: what is larger is dropped without a word


class BadToken(Exception):
    """Realtime's own words for why it takes a token not."""


@dataclass
class Channel:
    """A joined topic of one socket."""

    topic: str
    join_ref: str | None
    private: bool
    expires_at: float
    told: bool  # when it hears
    hears: bool = False  # once the server's replication is ready


class Socket:
    """One websocket: it answers what it is sent, and is handed what the database says."""

    def __init__(
        self, wire: ServerConnection, vsn: str, apikey: str, claims: Claims, may_read: MayRead
    ) -> None:
        self._wire, self._vsn, self._apikey = wire, vsn, apikey
        self._claims, self._may_read = claims, may_read
        self.ready, self.silent, self.unanswered = True, False, 0
        self.channels: dict[str, Channel] = {}
        self.heartbeats = 0
        self._turn = threading.RLock()

    def run(self) -> None:
        """Until the socket is closed, by whichever side."""
        with suppress(ConnectionClosed):
            for said in self._wire:
                join_ref, ref, topic, event, payload = self._parsed(json.loads(said))
                with self._turn:
                    self._answer(join_ref, ref, topic, event, payload)

    def cut(self) -> None:
        """As a network does it: no goodbye."""
        self._wire.close_socket()

    def _parsed(self, said: Any) -> tuple[str | None, str | None, str, str, dict[str, Any]]:
        if self._vsn == "2.0.0":
            return tuple(said)
        return said.get("join_ref"), said["ref"], said["topic"], said["event"], said["payload"]

    def _answer(
        self, join_ref: str | None, ref: str | None, topic: str, event: str, payload: dict[str, Any]
    ) -> None:
        if topic == "phoenix":
            self.heartbeats += 1
            return self._reply(None, ref, topic, "ok", {})
        if event == "phx_join":
            if self.silent:
                self.unanswered += 1
                return None
            return self._join(join_ref, ref, topic, payload)
        channel = self.channels.get(topic)
        if event == "phx_leave":
            self._reply(join_ref, ref, topic, "ok", {})
            if self.channels.pop(topic, None):
                self._say(join_ref, join_ref, topic, "phx_close", {})
            return None
        if event == "access_token" and channel:
            return self._renew(channel, payload.get("access_token") or self._apikey)
        return None  # a broadcast of a reader: no policy lets him

    def _join(self, join_ref: str | None, ref: str | None, topic: str, payload: dict[str, Any]) -> None:
        config, name = payload.get("config", {}), topic.removeprefix("realtime:")
        private = bool(config.get("private"))
        try:
            claims = self._claims(payload.get("access_token") or self._apikey)
            if private and not self._may_read(name, claims):
                raise BadToken(f"Unauthorized: {_not_permitted(name)}")
        except BadToken as error:
            return self._reply(join_ref, ref, topic, "error", {"reason": str(error)})
        join_ref = join_ref or ref
        told = bool(config.get("broadcast", {}).get("replication_ready"))
        self.channels[topic] = Channel(topic, join_ref, private, claims.get("exp", float("inf")), told)
        self._reply(join_ref, ref, topic, "ok", {"postgres_changes": []})
        return self.get_ready() if self.ready else None

    def get_ready(self) -> None:
        """From here on its channels hear all."""
        with self._turn:
            self.ready, self.silent, self.unanswered = True, False, 0
            for channel in [one for one in self.channels.values() if not one.hears]:
                channel.hears = True
                if channel.told:
                    self._system(channel, "ok", "Replication connection established")

    def _renew(self, channel: Channel, token: str) -> None:
        """The next token: the policy is asked again, and who may no more is out at once."""
        try:
            claims = self._claims(token)
        except BadToken as error:
            return self._close(channel, str(error))
        name = channel.topic.removeprefix("realtime:")
        if channel.private and not self._may_read(name, claims):
            return self._close(channel, _not_permitted(name))
        channel.expires_at = claims.get("exp", float("inf"))
        return None

    def expire(self) -> None:
        """Close the channels whose token is over."""
        with self._turn:
            for channel in [c for c in self.channels.values() if c.expires_at <= time.time()]:
                self._close(channel, "Token has expired")

    def broadcast(self, name: str, event: str, payload: Any, message_id: str) -> None:
        """A row of realtime.messages, if it is for this socket."""
        channel = self.channels.get(f"realtime:{name}")
        body = json.dumps(payload)
        if not channel or not channel.hears or not channel.private or len(body.encode()) > MOST_BYTES:
            return None
        meta = {"id": message_id}
        if self._vsn == "2.0.0":
            parts = [channel.topic.encode(), event.encode(), json.dumps(meta).encode()]
            head = bytes([4, *map(len, parts), 1])
            return self._send(head + b"".join(parts) + body.encode())
        pushed = {"event": event, "meta": meta, "payload": payload, "type": "broadcast"}
        return self._say(None, None, channel.topic, "broadcast", pushed)

    def _close(self, channel: Channel, why: str) -> None:
        self.channels.pop(channel.topic, None)
        self._system(channel, "error", why)
        self._say(channel.join_ref, channel.join_ref, channel.topic, "phx_close", {})

    def _system(self, channel: Channel, status: str, message: str) -> None:
        name = channel.topic.removeprefix("realtime:")
        said = {"message": message, "status": status, "extension": "system", "channel": name}
        self._say(channel.join_ref, None, channel.topic, "system", said)

    def _reply(
        self, join_ref: str | None, ref: str | None, topic: str, status: str, response: dict[str, Any]
    ) -> None:
        self._say(join_ref, ref, topic, "phx_reply", {"status": status, "response": response})

    def _say(self, join_ref: str | None, ref: str | None, topic: str, event: str, payload: Any) -> None:
        if self._vsn == "2.0.0":
            return self._send(json.dumps([join_ref, ref, topic, event, payload]))
        return self._send(json.dumps({"ref": ref, "event": event, "topic": topic, "payload": payload}))

    def _send(self, frame: str | bytes) -> None:
        with suppress(ConnectionClosed, OSError):
            self._wire.send(frame)


def _not_permitted(name: str) -> str:
    return f"You do not have permissions to read from this Channel topic: {name}"
