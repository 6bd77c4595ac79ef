"""Who may ask: on loopback everybody on this machine, but no web page of another site."""

from __future__ import annotations

from urllib.parse import urlsplit

import flask

from briefworks.errors import Forbidden, NotJson

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def host_of(netloc: str) -> str:
    """The name in `name:port`, also of `[::1]:8000`; "" when it cannot be read."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def from_this_machine() -> None:
    """
    Refuse a request that a web page of another site made, or that came under another name.

    A foreign page can send requests to loopback: plain forms, and by DNS rebinding also readable ones. The
    `Host` it uses gives the second away, the `Origin` the first.
    """
    request = flask.request
    if host_of(request.host) not in LOOPBACK:
        raise Forbidden(f"Unknown host {request.host!r}.", hint="Use http://127.0.0.1 or http://localhost.")
    _own_origin()
    if request.method in ("POST", "PUT", "PATCH") and request.mimetype != "application/json":
        raise NotJson


def engine_on_this_machine() -> None:
    """The same for `/api/inngest` without a signing key; an engine may know us by another name."""
    _own_origin()
    if flask.request.method == "POST" and flask.request.mimetype != "application/json":
        raise NotJson


def _own_origin() -> None:
    origin = flask.request.headers.get("Origin")
    if origin is not None and host_of(origin.partition("://")[2]) not in LOOPBACK:
        raise Forbidden("A web page of another site may not ask for this.")
    if flask.request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden("A web page of another site may not ask for this.")
