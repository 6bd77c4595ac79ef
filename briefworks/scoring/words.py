"""Words as scoring counts them: where they are in a text, which say nothing, which are the same."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

WORD = re.compile(r"\w+(?:['’.-]\w+)*")


@cache
def stop_words() -> frozenset[str]:
    """The English words that say nothing about a page's subject, in small letters."""
    lines = (Path(__file__).parent / "stopwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def is_content(word: str, language: str = "en") -> bool:
    """Whether a word (in small letters) may carry a subject; in other languages, whether it is long."""
    return word not in stop_words() if language == "en" else len(word) > 3


def stem(word: str) -> str:
    """The word without its plural: desks and desk are the same, glass and glas are not."""
    word = re.sub(r"['’]s?$", "", word)
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def stems(text: str) -> list[str]:
    """The words of a text in small letters, without plurals, compounds with a hyphen taken apart."""
    return [stem(word) for word in WORD.findall(text.lower().replace("-", " "))]


def mentions(name: str, text: str) -> int:
    """How often the name stands in the text, letter for letter, not inside a longer word."""
    count, at = 0, text.find(name)
    while at >= 0:
        end = at + len(name)
        if not _is_inside_word(text, at) and not _is_inside_word(text, end):
            count += 1
            at = text.find(name, end)
        else:
            at = text.find(name, at + 1)
    return count


def _is_inside_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and _is_wordly(text[at - 1]) and _is_wordly(text[at])


def _is_wordly(character: str) -> bool:
    return character.isalnum() or character == "_"
