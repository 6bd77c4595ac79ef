"""Text without markup, light to load: decoding, cutting, and the shape of an extracted page."""

from __future__ import annotations

import re
from typing import TypedDict

import charset_normalizer

MOST_TEXT_CHARS = 60_000
DETECT_BYTES = 100_000
CHARS_PER_BAD_CHAR = 2000  # more damage than this and the declared encoding is not the real one

_META_CHARSET = re.compile(
    rb"""<meta[^>]{0,300}?charset\s{0,9}=\s{0,9}["']?\s{0,9}([a-zA-Z0-9_:.-]{2,40})""", re.IGNORECASE
)
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_ON_THE_WEB = (  # what a page that declares nothing may be in; cp1250 is not told from cp1252
    "cp1252 cp1251 koi8_r cp1253 cp1254 cp1255 cp1256 shift_jis euc_jp iso2022_jp euc_kr gb18030 big5"
)
_NOT_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf_7", "undefined"})


class Extracted(TypedDict):
    title: str
    text: str  # headings as "## …", lists as "- …", blank lines between paragraphs; no links, no images
    headings: list[str]  # h1 to h6
    published_at: str | None  # as the page declares it; never a guess
    has_list: bool
    has_table: bool


def decode(body: bytes, charset: str) -> str:
    """The markup as text: by byte order mark, HTTP, meta, UTF-8, and at last by what the bytes look like."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace").replace("\x00", "")
    meta = _META_CHARSET.search(body[:4096])
    for declared in (charset, meta[1].decode("ascii") if meta else "", "utf-8"):
        text = _decoded(body, declared)
        if text is not None:
            return text
    guessed = charset_normalizer.from_bytes(body[:DETECT_BYTES], cp_isolation=_ON_THE_WEB.split()).best()
    text = body.decode(guessed.encoding if guessed else "utf-8", "replace")
    return text.replace("\x00", "")


def _decoded(body: bytes, charset: str) -> str | None:
    name = charset.strip().lower().replace("-", "_")
    if name in ("iso_8859_1", "latin1", "latin_1", "ascii", "us_ascii"):
        name = "cp1252"  # what browsers take these for
    if not name or name in _NOT_CHARSETS:
        return None
    try:
        if not name.startswith("utf") and b"<a>".decode(name, "replace") != "<a>":
            return None  # EBCDIC, say, which takes any bytes for letters
        text = body.decode(name, "replace")
    except (LookupError, ValueError):
        return None
    bad = text.count("\ufffd") + text.count("\x00")
    return text.replace("\x00", "") if bad * CHARS_PER_BAD_CHAR <= len(text) else None


def cut_at_paragraph(text: str) -> str:
    """The first 60,000 characters, ending with a whole paragraph where there is one."""
    if len(text) <= MOST_TEXT_CHARS:
        return text
    kept = text[:MOST_TEXT_CHARS]
    return (kept.rpartition("\n\n")[0] or kept).strip()
