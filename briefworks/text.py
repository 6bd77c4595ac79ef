"""Small facts about text and time that every layer shares: cleaning, counting, naming."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

_WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")
_CITATION = re.compile(r"\[s?\d{1,4}\]")


def now_at() -> str:
    """This instant as UTC ISO-8601 with milliseconds and `Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def squash(text: str) -> str:
    """Trimmed, and every run of white space made one blank."""
    return " ".join(text.split())


def count_words(markdown: str) -> int:
    """Words as a reader counts them: citations and punctuation are none, "ten-year" is one."""
    return len(_WORD.findall(_CITATION.sub(" ", markdown)))


def slugify(text: str, max_chars: int = 60) -> str:
    """A file name or id of a-z, 0-9 and `-` for any text; "article" where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:max_chars].strip("-")
    return slug or "article"


def clean(text: str) -> str:
    """Without what PostgreSQL's jsonb and browsers refuse: U+0000 and lone halves of surrogate pairs."""
    text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:  # join halves that stand side by side, replace those that stand alone
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
