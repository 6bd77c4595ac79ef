"""Numbers in words, in the languages of `words.toml`: twenty-five, zweihundertfünfzig, quatre-vingt-dix."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_TOKEN = re.compile(
    r"(?<![^\W\d_])(?:two|three|four|five|six|seven|eight|nine|ten|twenty|hundred|thousand)(?=fold\b)|[^\W\d_]+"
)
_LONGEST = 60  # letters of a number written as one word
_MILLION = 10**6


class Word(NamedTuple):
    """One word of a number: it adds to what stands before, or multiplies it."""

    value: int
    is_times: bool


class Worded(NamedTuple):
    """A number in words at `[start:end]` of a text."""

    start: int
    end: int
    value: Decimal


@dataclass(frozen=True)
class Language:
    """The words of one language."""

    words: dict[str, Word]
    spelled: dict[str, Word]  # the words, and the stems that stand only within one
    joins: frozenset[str]
    has_compounds: bool
    half: tuple[str, ...]
    articles: tuple[str, ...]
    parts: dict[str, int]
    of: frozenset[str]
    out_of: tuple[str, ...]
    joins_teens: bool
    months: dict[str, int]

    def is_parted(self, text: str, at: int) -> bool:
        """Whether what follows is what a part is of: “a third of”, not “a third one”."""
        follows = re.match(r"[ \n]([^\W\d_]+)", text[at : at + 30])
        return not self.of or (follows is not None and follows[1] in self.of)

    @classmethod
    def of_file(cls, name: str, entry: dict[str, object]) -> Language:
        """The language as its table in the file says."""
        table: dict[str, dict[str, int]] = {key: one for key, one in entry.items() if isinstance(one, dict)}
        listed: dict[str, list[str]] = {key: one for key, one in entry.items() if isinstance(one, list)}
        words = {word: Word(n, False) for word, n in table["numbers"].items()}
        words |= {word: Word(n, True) for word, n in table["times"].items()}
        return cls(
            words=words,
            spelled=words | {word: Word(n, False) for word, n in table.get("stems", {}).items()},
            joins=frozenset(listed["joins"]),
            has_compounds=bool(entry.get("compounds")),
            half=tuple(listed["half"]),
            articles=tuple(listed.get("article", [])),
            parts=table["parts"],
            of=frozenset(listed["of"]),
            out_of=tuple(listed["out_of"]),
            joins_teens=name == "fr",
            months=table["months"],
        )


LANGUAGES = {
    name: Language.of_file(name, entry)
    for name, entry in tomllib.loads((Path(__file__).parent / "words.toml").read_text("utf-8")).items()
}


MONTHS = {month: n for language in LANGUAGES.values() for month, n in language.months.items()}


def scales() -> dict[str, int]:
    """The words that multiply a number in digits: 5 million, 2,5 Milliarden, 3 mil."""
    return {
        word: one.value
        for language in LANGUAGES.values()
        for word, one in language.words.items()
        if one.is_times and one.value >= 1000
    }


def worded(text: str, languages: Sequence[str]) -> Iterator[Worded]:
    """The numbers in words of a text in plain form, language by language."""
    tokens = [(match.start(), match.end(), match.group()) for match in _TOKEN.finditer(text)]
    for name in languages:
        yield from _Reader(text, tokens, name).numbers()


@lru_cache(maxsize=50_000)
def _parsed(token: str, name: str) -> tuple[Word, ...]:
    """The words of a number that one token is, none if it is no number."""
    language = LANGUAGES[name]
    if word := language.words.get(token):
        return (word,)
    if not language.has_compounds or len(token) > _LONGEST:
        return ()
    ways: dict[int, tuple[Word, ...]] = {0: ()}
    for at in range(len(token)):
        if at not in ways:
            continue
        rest, before = token[at:], ways[at]
        for spelled, one in language.spelled.items():
            if rest.startswith(spelled) and (len(rest) > len(spelled) or spelled in language.words):
                ways[at + len(spelled)] = (*before, one)
        for join in language.joins:
            if before and rest.startswith(join) and rest != join:
                ways.setdefault(at + len(join), before)
    return ways.get(len(token), ())


class _Reader:
    """Reads the numbers of one language out of the tokens of a text."""

    def __init__(self, text: str, tokens: Sequence[tuple[int, int, str]], name: str) -> None:
        self.text, self.tokens, self.name, self.language = text, tokens, name, LANGUAGES[name]

    def numbers(self) -> Iterator[Worded]:
        n = 0
        while n < len(self.tokens):
            first = n
            n, words = self._at(n)
            while words and (more := self._more(n, words[-1])):
                n, words = more[0], (*words, *more[1])
            if words and (one := self._number(self.tokens[first][0], self.tokens[n][1], words)):
                yield one
            n += 1

    def _at(self, n: int) -> tuple[int, tuple[Word, ...]]:
        """What stands here of a number, two tokens with a hyphen where they are one; and the last token."""
        _, end, token = self.tokens[n]
        if self.text[end : end + 1] == "-" and self._follows(n, n + 1):
            both = f"{token}-{self.tokens[n + 1][2]}"
            if word := self.language.words.get(both):
                return n + 1, (word,)
        return n, _parsed(token, self.name)

    def _more(self, n: int, last: Word) -> tuple[int, tuple[Word, ...]] | None:
        """What goes on with a number, over a joining word."""
        after = n + 1
        joined = self._follows(n, after) and self.tokens[after][2] in self.language.joins
        if joined:
            after += 1
        if not self._follows(after - 1, after):
            return None
        after, found = self._at(after)
        if not found:
            return None
        goes_on = (
            (last.value >= 100 and (found[0].value < last.value or found[0].is_times))
            or (20 <= last.value < 100 and found[0].value < (20 if self.language.joins_teens else 10))
            or (found[0].is_times and not joined)
        )
        return (after, found) if goes_on else None

    def _follows(self, n: int, after: int) -> bool:
        return after < len(self.tokens) and self.text[self.tokens[n][1] : self.tokens[after][0]] in (
            " ",
            "-",
            "\n",
        )

    def _number(self, start: int, end: int, words: Sequence[Word]) -> Worded | None:
        value = Decimal(_value(words))
        if words[0].is_times:
            before = self.text[max(0, start - 12) : start]
            for half in self.language.half:
                if before.endswith(f"{half} "):
                    return Worded(start - len(half) - 1, end, value / 2)
            for article in self.language.articles:
                if re.search(rf"(?<!\w){article} $", before):
                    return Worded(start - len(article) - 1, end, value)
            if words[0].value >= _MILLION or words[0].value < 100 or self.text[start:end].endswith("s"):
                return None  # millions of them
        return Worded(start, end, value)


def _value(words: Sequence[Word]) -> int:
    total = part = 0
    for word in words:
        if not word.is_times:
            part += word.value
        elif word.value <= 100:
            part = max(1, part) * word.value
        else:
            total, part = total + max(1, part) * word.value, 0
    return total + part
