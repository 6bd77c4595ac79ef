"""
The linter: finds the tells of `rules.toml` in Markdown and says where each is.

Code, quotations, URLs and citations are hidden from the rules, each by as many private characters, so that
offsets stay those of the given text. It is no judge of who wrote a text: people write like this too, only
less often.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from briefworks.errors import ConfigError
from briefworks.text import code_spans, count_words

MOST_CHARS = 200_000  # what is linted of a text: five times the longest article

_CODE, _QUOTATION, _URL, _CITATION = "\ue000", "\ue001", "\ue002", "\ue003"
_PRIVATE = re.compile("[\ue000-\ue003]")
_QUOTED = re.compile(r'"[^"\n]{1,300}"|“[^”\n]{1,300}”|«[^»\n]{1,300}»|^ {0,3}>[^\n]*', re.MULTILINE)
_LINKED = re.compile(r"\b(?:https?|ftp)://[^\s<>()\[\]]{1,2000}|\bwww\.[^\s<>()\[\]]{1,2000}")
_CITED = re.compile(r"\[s?\d{1,4}\]")
_SOFT_BREAK = re.compile(
    r"^(?! {0,3}[#|])(?=[ \t]*\S)([^\n]+)\n(?=[^\W\d_]|[(“\"\ue000-\ue003])", re.MULTILINE
)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]{1,8}([^\n]{1,200})$", re.MULTILINE)
_HEADING_WORD = re.compile(r"[A-Za-z][\w'’-]*")


class Tell(TypedDict):
    """One tell: `quote` is `markdown[start:end]`, in code points; `why` is for whoever wrote it."""

    rule: str
    start: int
    end: int
    quote: str
    why: str
    weight: float


@dataclass(frozen=True)
class Rule:
    """One rule of the file; `find` yields the places in the masked text, rising, none overlapping."""

    id: str
    find: Callable[[str], Iterable[tuple[int, int]]]
    weight: float
    free: int
    free_per_1000: float
    sees_urls: bool
    why: str


def lint(markdown: str, language: str = "en") -> list[Tell]:
    """
    The tells of an English text in the order of their places; none for other languages.

    Hits that a rule takes for human (a few dashes, a word or two) are left out. Of a text longer than
    `MOST_CHARS` only the beginning is read.
    """
    if language != "en":
        return []
    markdown = markdown[:MOST_CHARS]
    with_urls, masked = _masked(markdown)
    words = count_words(markdown)
    found: list[Tell] = []
    for rule in RULES:
        free = rule.free + int(rule.free_per_1000 * words / 1000)
        spans = list(rule.find(with_urls if rule.sees_urls else masked))
        found.extend(_tell(rule, markdown, start, end) for start, end in spans[free:])
    found.sort(key=lambda tell: (tell["start"], tell["end"], tell["rule"]))
    return found


def rate(tells: Iterable[Tell], words: int) -> float:
    """Weight of the tells per 1,000 words; 0 for a text without words."""
    return round(1000 * sum(tell["weight"] for tell in tells) / words, 2) if words > 0 else 0.0


def _tell(rule: Rule, markdown: str, start: int, end: int) -> Tell:
    return {
        "rule": rule.id,
        "start": start,
        "end": end,
        "quote": markdown[start:end],
        "why": rule.why,
        "weight": rule.weight,
    }


def _masked(markdown: str) -> tuple[str, str]:
    """
    The text with code, quotations and citations hidden, and with URLs hidden as well.

    Lines of one paragraph are joined, so that a rule sees its sentences whole.
    """
    text = _PRIVATE.sub(" ", markdown)
    parts: list[str] = []
    at = 0
    for start, end in code_spans(text):
        parts += [text[at:start], _CODE * (end - start)]
        at = end
    text = _SOFT_BREAK.sub(r"\1 ", "".join([*parts, text[at:]]))
    text = _QUOTED.sub(lambda match: _QUOTATION * len(match.group()), text)
    text = _CITED.sub(lambda match: _CITATION * len(match.group()), text)
    return text, _LINKED.sub(lambda match: _URL * len(match.group()), text)


def _pattern(patterns: Iterable[str]) -> Callable[[str], Iterable[tuple[int, int]]]:
    pattern = re.compile("|".join(f"(?:{one})" for one in patterns), re.IGNORECASE | re.MULTILINE)

    def find(text: str) -> Iterator[tuple[int, int]]:
        for match in pattern.finditer(text):
            hit = match.group()
            start = match.start() + len(hit) - len(hit.lstrip())
            end = match.end() - len(hit) + len(hit.rstrip())
            if start < end:
                yield start, end

    return find


def title_case_headings(text: str) -> Iterator[tuple[int, int]]:
    """Headings of four words or more in which all longer words after the first have a capital."""
    for match in _HEADING.finditer(text):
        words = _HEADING_WORD.findall(match[1])
        longer = [word for word in words[1:] if len(word) > 3]
        if len(words) >= 4 and len(longer) >= 2 and all(word[0].isupper() for word in longer):
            yield match.span(1)


_CHECKS: dict[str, Callable[[str], Iterable[tuple[int, int]]]] = {"title_case_headings": title_case_headings}


def _rules(path: Path) -> tuple[str, list[Rule]]:
    """The version and the rules of a file; `ConfigError` names the rule that cannot be read."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return str(content["version"]), [_rule(entry) for entry in content["rule"]]


def _rule(entry: dict[str, Any]) -> Rule:
    try:
        find = _CHECKS[entry["check"]] if "check" in entry else _pattern(entry["patterns"])
        return Rule(
            entry["id"],
            find,
            float(entry["weight"]),
            int(entry.get("free", 0)),
            float(entry.get("free_per_1000", 0)),
            entry.get("sees") == "urls",
            entry["why"],
        )
    except (KeyError, ValueError, re.error) as error:
        raise ConfigError(f"The rule {entry.get('id')!r} of rules.toml cannot be read: {error}") from error


RULES_VERSION, RULES = _rules(Path(__file__).parent / "rules.toml")
