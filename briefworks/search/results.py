"""What any answer of a provider becomes: at most ten clean, distinct addresses, and what people ask."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NotRequired, TypedDict
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from briefworks.text import clean, instant_at, now_at, squash

MOST_RESULTS = 10
MOST_LINES = 20
TITLE_CHARS, SNIPPET_CHARS, LINE_CHARS, URL_CHARS = 200, 500, 200, 2000
_AGO = re.compile(r"(\d{1,3}) (minute|hour|day|week|month|year)s? ago")
_DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1, "week": 7, "month": 30.4, "year": 365.25}
_FRONT = re.compile(r"^(?:www|m|mobile|amp)\.")
_PATH_END = re.compile(r"(?:/index\.(?:html?|php)|/amp|\.amp(?:\.html?)?)?/*$")
_TRACKING = re.compile(r"utm_\w+|amp|\w*clid|mc_[ce]id|igshid|srsltid|ref|ref_src|_ga|_gl", re.IGNORECASE)
_FORMS = ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y")


class SearchResult(TypedDict):
    position: int  # 1 … within this page, without gaps
    url: str  # absolute, http or https, no fragment
    title: str
    snippet: str
    published_at: str | None  # as the provider says; relative dates count from now


class SearchPage(TypedDict):
    provider: str
    fetched_at: str
    results: list[SearchResult]
    questions: list[str]
    related: list[str]
    kept: NotRequired[bool]  # remembered from an earlier question of the same day


class Found(TypedDict):
    """One result in the provider's words; anything may be missing or of a wrong type."""

    url: Any
    title: Any
    snippet: Any
    date: Any


def search_page(
    provider: str, found: Iterable[Found], questions: Iterable[Any], related: Iterable[Any]
) -> SearchPage:
    """
    Clean, number and limit what a provider found.

    Left out: what is no http(s) address, PDFs, and other addresses of a page that is there already.
    """
    results: dict[str, SearchResult] = {}
    for one in found:
        url = _web_url(one["url"])
        if url is None or (key := _key(url)) in results:
            continue
        results[key] = {
            "position": len(results) + 1,
            "url": url,
            "title": _line(one["title"], TITLE_CHARS) or urlsplit(url).netloc,
            "snippet": _line(one["snippet"], SNIPPET_CHARS),
            "published_at": _instant(one["date"]),
        }
        if len(results) == MOST_RESULTS:
            break
    return {
        "provider": provider,
        "fetched_at": now_at(),
        "results": list(results.values()),
        "questions": _distinct(questions),
        "related": _distinct(related),
    }


def dicts_in(answer: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in a list of the answer; what is missing or of another type is no result."""
    listed = answer.get(key)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _web_url(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > URL_CHARS or re.search(r"[\x00-\x20\x7f]", value.strip()):
        return None
    try:
        parts = urlsplit(clean(value.strip()))
        usable = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        _ = parts.port  # raises for what is no number
    except ValueError:
        return None
    if not usable or parts.path.lower().endswith(".pdf"):
        return None
    return parts._replace(fragment="").geturl()


def _key(url: str) -> str:
    """What all addresses of one page have in common: no scheme, www, AMP or tracking; the query sorted."""
    parts = urlsplit(url)
    host = _FRONT.sub("", _in_ascii((parts.hostname or "").lower()))
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    path = _PATH_END.sub("", unquote(parts.path))
    asked = sorted(
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0])
    )
    return f"{host}{port}{path}?{urlencode(asked)}"


def _in_ascii(host: str) -> str:
    """As it is asked for: `bücher.example` and `xn--bcher-kva.example` are one host."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _line(value: Any, most_chars: int) -> str:
    return squash(clean(value))[:most_chars].rstrip() if isinstance(value, str) else ""


def _distinct(values: Iterable[Any]) -> list[str]:
    lines: dict[str, str] = {}
    for value in values:
        line = _line(value, LINE_CHARS)
        if line:
            lines.setdefault(line.casefold(), line)
    return list(lines.values())[:MOST_LINES]


def _instant(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    if (ago := _AGO.fullmatch(value.strip().lower())) is not None:
        days = timedelta(days=int(ago[1]) * _DAYS[ago[2]])
        return instant_at((datetime.now(UTC) - days).date().isoformat())
    for form in _FORMS:
        try:
            return instant_at(datetime.strptime(value.strip(), form).date().isoformat())
        except ValueError:
            continue
    return instant_at(value)
