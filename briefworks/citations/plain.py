"""The plain form of a text, as all comparing sees it, so that nothing hides in its spelling."""

from __future__ import annotations

import html
import re
import unicodedata

from briefworks.text import without_unseen

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_QUOTE_TAG = re.compile(r"</?(?:q|blockquote)>", re.IGNORECASE)
_TAG = re.compile(
    r"</?[A-Za-z][A-Za-z0-9]{0,20}[ \t]{0,8}/?>"
)  # one with attributes stays: it may hold anything
_THIN = re.compile("(?<=\\d)[\u00a0\u2009\u202f](?=\\d{3}(?!\\d))")
_FRACTION = re.compile("(\\d?)([\u00bc-\u00be\u2150-\u215e])")
_POWER = re.compile("(?<=\\d)(?=[\u00b2\u00b3\u00b9\u2070\u2074-\u2079])")
_PAIRS = re.compile(
    "\u00ab([^\u00ab\u00bb]*)\u00bb|\u00bb([^\u00ab\u00bb]*)\u00ab"
    "|\u2039([^\u2039\u203a]*)\u203a|\u203a([^\u2039\u203a]*)\u2039"
    "|``([^`\n]{1,2000}?)''"
)
_DOUBLE = (
    "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u2039\u203a\u275d\u275e\u301d\u301e\u301f\uff02"
    "\u300c\u300d\u300e\u300f\u300a\u300b"
)
_SINGLE = "\u2018\u2019\u201a\u201b\u2032\u275b\u275c"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_STRAIGHT = str.maketrans(
    _DOUBLE + _SINGLE + _DASHES + "\u2026",
    '"' * len(_DOUBLE) + "'" * len(_SINGLE) + "-" * len(_DASHES) + "\x01",
)


def plain(text: str) -> str:
    """The text in small letters, with one kind of quote, dash and blank and nothing unseen."""
    text = _TAG.sub("", _QUOTE_TAG.sub('"', _ENTITY.sub(lambda match: html.unescape(match.group()), text)))
    text = without_unseen(text)
    text = _POWER.sub("^", _FRACTION.sub(_decimal, _THIN.sub("", text)))
    text = _PAIRS.sub(lambda match: f'"{match[match.lastindex or 0].strip()}"', text)
    text = unicodedata.normalize("NFKC", text.translate(_STRAIGHT)).casefold()
    return re.sub(r" ?\n ?", "\n", re.sub(r"[^\S\n]+", " ", re.sub(r"[*\\`]|__", "", text)))


def _decimal(match: re.Match[str]) -> str:
    """2½ as 2.5, ¾ as 0.75, ⅓ as 1/3."""
    shown = f"{unicodedata.numeric(match[2]):g}"
    if len(shown) <= 5:
        return f"{match[1] or '0'}{shown[1:]}"
    return f"{match[1]} {unicodedata.normalize('NFKC', match[2])}".strip().replace("\u2044", "/")
