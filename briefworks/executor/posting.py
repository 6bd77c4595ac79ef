"""One request to an app and its answer: one connection each, nothing read beyond what an answer may have."""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from briefworks.executor.answers import MAX_ANSWER_BYTES

CONNECT_S = 10.0


class NotThere(Exception):
    """Nobody answers at the app's address."""


class WentAway(Exception):
    """The connection broke before the answer was complete."""


class Silent(Exception):
    """Nothing was heard for as long as an app may take."""


class Unreadable(Exception):
    """What came back is not HTTP, or the URL cannot be asked."""


@dataclass(frozen=True)
class Response:
    """An answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Response:
    """
    Send `body`; the answer, whatever its status. `timeout_s` is the longest silence.

    By the standard library: of the time that a step takes, a client with pools and redirects is a third.
    """
    connection = _connected(url)
    try:
        connection.sock.settimeout(timeout_s)
        connection.request("POST", _path(url), body, dict(headers))
        answer = connection.getresponse()
        raw = answer.read(MAX_ANSWER_BYTES + 1)
        said = {name.lower(): value for name, value in answer.getheaders()}
        if said.get("content-encoding", "").lower() == "gzip":
            raw = zlib.decompressobj(31).decompress(raw, MAX_ANSWER_BYTES + 1)
        elif answer.length and len(raw) <= MAX_ANSWER_BYTES:
            raise WentAway  # fewer bytes than announced
        return Response(answer.status, said, raw)
    except TimeoutError:
        raise Silent from None
    except (OSError, http.client.IncompleteRead) as error:
        raise WentAway from error
    except (http.client.HTTPException, zlib.error, ValueError) as error:
        raise Unreadable(f"{type(error).__name__} {error}".strip()) from None
    finally:
        connection.close()


def _connected(url: str) -> http.client.HTTPConnection:
    try:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_S)
    except (http.client.HTTPException, ValueError) as error:
        raise Unreadable(str(error)) from None
    try:
        connection.connect()
    except (OSError, ValueError) as error:  # ValueError: a name that no resolver can be asked for
        raise NotThere from error
    return connection


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
