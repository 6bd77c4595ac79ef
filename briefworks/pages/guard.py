"""
Which addresses a page may be fetched from, decided on the number that is really dialled.

The name is resolved once, every answer is checked, and the checked number is dialled, so neither a strange
spelling nor a name that changes its answer gets through. TLS still checks the certificate by name.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

PORTS = frozenset({80, 443, 8080, 8443})
MOST_URL_CHARS = 4000
NO_TIME = "no time was left for it"
Resolver = Callable[[str, int], Sequence[str]]  # (host, port) → addresses as text; OSError when there is none

# Routable by the letter, yet never a public page: relays, documentation, a cloud's own services.
_REFUSED_V4 = [
    ipaddress.IPv4Network(block)
    for block in ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/3")
] + [ipaddress.IPv4Network("168.63.129.16")]
_REFUSED_V6 = [
    ipaddress.IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")  # Teredo and kin, 6to4
]
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Refused(Exception):
    """The page may not or cannot be used; the message is the note a person reads."""


class Unreachable(Refused):
    """Its host cannot or may not be connected to, so asking it for anything else is vain too."""


class OutOfTime(Refused):
    """All pages together have used up their time, which says nothing about this page or its host."""


def resolve(host: str, port: int) -> list[str]:
    """All addresses of the host, as the system's resolver orders them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Whether this number belongs to the public internet; for NAT64, whether the number inside does."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv4Address):
        return number.is_global and not any(number in block for block in _REFUSED_V4)
    if number in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)))
    return number.is_global and number in _GLOBAL_V6 and not any(number in block for block in _REFUSED_V6)


class Guard:
    """
    What may be fetched. `allow_hosts` are the operator's "host" or "host:port": these may be private.

    `resolver` and `ssl_context` replace the system's name service and its certificates.
    """

    def __init__(
        self,
        allow_hosts: Sequence[str] = (),
        *,
        resolver: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = {_host_and_port(entry) for entry in allow_hosts if entry.strip()}
        self.resolver = resolver
        self._ssl_context = ssl_context

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """What https is checked with; loading the certificates takes a while, so not before it is needed."""
        return self._ssl_context or httpx.create_ssl_context(trust_env=False)

    def allows(self, host: str, port: int) -> bool:
        """Whether the operator named this host, so that its address may be private."""
        host = host.lower().rstrip(".")
        return (host, None) in self._allowed or (host, port) in self._allowed

    def check_url(self, text: str) -> httpx.URL:
        """The URL without its fragment; `Refused` unless it is a plain web address."""
        try:
            url = httpx.URL(text) if len(text) <= MOST_URL_CHARS else None
        except (httpx.InvalidURL, UnicodeError, ValueError):
            url = None
        if url is None or url.scheme not in ("http", "https"):
            raise Refused("not a web address")
        if not url.host or url.userinfo:
            raise Refused("not a web address" if not url.host else "an address with a user name in it")
        port = port_of(url)
        if port not in PORTS and not self.allows(url.host, port):
            raise Refused(f"port {port}")
        return url.copy_with(fragment=None)

    def addresses(self, host: str, port: int) -> list[str]:
        """The numbers to dial, in order; `Unreachable` if a single one is not public."""
        try:
            found = list(dict.fromkeys(self.resolver(host, port)))
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise Unreachable("the host is not found")
        if not self.allows(host, port) and not all(is_public(address) for address in found):
            raise Unreachable("private address")
        return found


def port_of(url: httpx.URL) -> int:
    """The port that is dialled."""
    return url.port if url.port is not None else {"http": 80, "https": 443}[url.scheme]


def _host_and_port(entry: str) -> tuple[str, int | None]:
    entry = entry.strip().lower()
    if entry.count(":") > 1 and not entry.startswith("["):
        return entry, None  # a bare IPv6 address
    parts = urlsplit(f"//{entry}")
    return (parts.hostname or "").rstrip("."), parts.port


class GuardedBackend(httpcore.NetworkBackend):
    """Dials checked numbers only, and lets nothing on the connection last beyond `deadline` (monotonic)."""

    def __init__(self, guard: Guard, deadline: float) -> None:
        self._guard = guard
        self._deadline = deadline
        self._dial = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._guard.addresses(host, port)
        for address in addresses:
            try:
                stream = self._dial.connect_tcp(
                    address, port, _within(self._deadline, timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if address == addresses[-1]:
                    raise
            else:
                return _TimedStream(stream, self._deadline)
        raise AssertionError("unreachable: there is an address, and the last failure is raised")


class _TimedStream(httpcore.NetworkStream):
    """A connection on which each wait is shortened to what is left until the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _within(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _within(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _within(self._deadline, timeout))
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _within(deadline: float, timeout_s: float | None) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise httpcore.ReadTimeout("the page's time is over")
    return left_s if timeout_s is None else min(left_s, timeout_s)
