"""
Who may ask for what: keys and their projects, hosts, origins, and the headers that every answer carries.

Without keys and users everybody on this machine may, and nobody else; likewise with users in dev mode, as
long as no token is shown. Else a request shows a key, as a bearer token or in the session's cookie, or the
token of a Supabase user. A browser sends a cookie by itself, so a change that comes with one must come from
our own page.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

import flask

from briefworks.errors import Forbidden, NotFound, Unauthorized
from briefworks.keys import ALL, keys_of
from briefworks.loopback import LOOPBACK, check_host, check_json, check_origin, host_of
from briefworks.settings import Settings
from briefworks.shapes import check_id
from briefworks.stream import Store
from briefworks.web.tokens import Tokens, is_token
from briefworks.web.users import User, Users

COOKIE = "briefworks"
_USER = "briefworks_user"  # in `flask.g`: a token is checked once for a request
MAX_BODY_BYTES = 64 * 1024
SECURE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
CORS_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Expose-Headers": "Retry-After, Content-Disposition",
    "Access-Control-Max-Age": "600",
}


class Access:
    """The rules of one app, from its settings."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.keys = keys_of(settings)
        self._users = Users(Tokens(settings), store) if settings.has_users else None
        self._here = not self.keys and (self._users is None or settings.inngest_dev is not None)
        self._origins = frozenset(settings.origins)

    @property
    def login(self) -> bool:
        """Whether nobody may anything without a key or a token."""
        return not self._here

    def protect(self, routes: flask.Blueprint, *, is_open: bool = False) -> None:
        """Put the rules before every route; those that are open need no key."""

        @routes.before_request
        def guard() -> None:
            request = flask.request
            request.max_content_length = MAX_BODY_BYTES
            self._check_place()
            if request.method == "OPTIONS":
                return
            check_json(request.method, request.mimetype)
            if not is_open and not (self._projects() or self._user()):
                raise Unauthorized
            for name, value in (request.view_args or {}).items():
                check_id(name, value)
            if project_id := (request.view_args or {}).get("project_id"):
                self.check_project(project_id)

        routes.after_request(self._admit_origin)
        routes.after_request(secure)

    def visible(self) -> frozenset[str]:
        """The projects that this request may see; `{"*"}` for all, nothing without a good key or token."""
        return self._projects()

    def check_project(self, project_id: str) -> None:
        """Raises `NotFound` for a project that is not the asker's: there is none, or it is not yours."""
        if not self._projects() & {ALL, project_id}:
            raise NotFound(f"There is no project {project_id!r} here, or it is not yours.")

    def lasting(self, project_id: str) -> Callable[[], bool]:
        """Says, also when the request is answered, whether who asked may still see the project."""
        user, users = self._user(), self._users
        if user is None or users is None:
            return lambda: True
        return lambda: users.sees(user, project_id)

    def _projects(self) -> frozenset[str]:
        if (user := self._user()) and self._users:
            return self._users.projects(user)
        if self._here:
            return frozenset([ALL])
        if (key := _bearer()) is not None:
            return self.keys.projects(key)
        request = flask.request
        projects = self.keys.projects(request.cookies.get(COOKIE, ""))
        if projects and request.method not in ("GET", "HEAD") and not self._same_origin():
            raise Forbidden(
                "With a cookie this may only be asked from the app's own page.",
                hint="Send the key as `Authorization: Bearer …`.",
            )
        return projects

    def _user(self) -> User | None:
        """Whose token the request carries; `Unauthorized` when it is not a good one."""
        if _USER in flask.g:
            return flask.g.get(_USER)  # type: ignore[no-any-return]
        token = _bearer()
        if token is None or not is_token(token) or self.keys.projects(token):
            return None
        if self._users is not None:
            flask.g.setdefault(_USER, found := self._users.user(token))
            return found
        if self._here:
            return None
        raise Unauthorized(
            "This app takes no tokens of users.",
            hint="Send an API key. It would take them with SUPABASE_URL and a store that has members.",
        )

    def _check_place(self) -> None:
        origin, site = flask.request.headers.get("Origin"), flask.request.headers.get("Sec-Fetch-Site")
        if self._here:
            check_neighbour("Set BRIEFWORKS_API_KEYS (`briefworks keys new` makes one).")
            check_host(flask.request.host)
        if origin in self._origins:
            return
        if self._here:
            check_origin(origin, site)
        elif site == "cross-site" or (origin is not None and not self._same_origin()):
            raise Forbidden(
                "A web page of another site may not ask for this.",
                hint="BRIEFWORKS_ORIGINS names the front ends that may.",
            )

    def _same_origin(self) -> bool:
        request = flask.request
        if site := request.headers.get("Sec-Fetch-Site"):  # said by the browser itself
            return site == "same-origin"
        try:
            return urlsplit(request.headers.get("Origin", "")).netloc == request.host != ""
        except ValueError:
            return False

    def _admit_origin(self, response: flask.Response) -> flask.Response:
        """Let the pages of allowed origins read the answer; never with a cookie."""
        response.vary.add("Origin")
        origin = flask.request.headers.get("Origin")
        local = self._here and origin and host_of(origin.partition("://")[2]) in LOOPBACK
        if origin and (origin in self._origins or local):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers.update(CORS_HEADERS)
        return response


def _bearer() -> str | None:
    """What the request shows in its header."""
    kind, _, shown = flask.request.headers.get("Authorization", "").partition(" ")
    return shown.strip() if kind.lower() == "bearer" else None


def check_neighbour(hint: str) -> None:
    """Raises `Forbidden` unless the request comes from this machine, also through a proxy that says so."""
    forwarded = flask.request.headers.get("X-Forwarded-For", "")
    for address in [flask.request.remote_addr or "", *filter(None, map(str.strip, forwarded.split(",")))]:
        try:
            near = ipaddress.ip_address(address).is_loopback
        except ValueError:
            near = False
        if not near:
            raise Forbidden("This may only be asked from the machine that serves it.", hint=hint)


def secure(response: flask.Response) -> flask.Response:
    """The headers that keep an answer from being more than data; a route may have set its own."""
    for name, value in SECURE_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def is_https() -> bool:
    """Whether the browser speaks https, to us or to the proxy before us."""
    return flask.request.is_secure or flask.request.headers.get("X-Forwarded-Proto") == "https"
