"""
Who may ask a server on loopback: everybody on this machine, but no web page of another site.

A foreign page can send requests to loopback: plain forms, and by DNS rebinding also readable ones. The `Host`
it uses gives the second away, the `Origin` the first; and a body declared as JSON is what a page may not
send to another site without asking.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from briefworks.errors import Forbidden, NotJson

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def host_of(netloc: str) -> str:
    """The name in `name:port`, also of `[::1]:8000`; "" when it cannot be read."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def check_host(netloc: str) -> None:
    """Raises `Forbidden` unless the request came under a name of loopback."""
    if host_of(netloc) not in LOOPBACK:
        raise Forbidden(f"Unknown host {netloc[:80]!r}.", hint="Use http://127.0.0.1 or http://localhost.")


def check_origin(origin: str | None, site: str | None) -> None:
    """
    Raises `Forbidden` for what a web page of another site sends.

    `origin` and `site` are the headers `Origin` and `Sec-Fetch-Site`, None when absent.
    """
    foreign = origin is not None and host_of(origin.partition("://")[2]) not in LOOPBACK
    if foreign or site == "cross-site":
        raise Forbidden("A web page of another site may not ask for this.")


def check_json(method: str, mimetype: str) -> None:
    """Raises `NotJson` for a request with a body that is not declared as JSON."""
    if method in ("POST", "PUT", "PATCH") and mimetype != "application/json":
        raise NotJson
