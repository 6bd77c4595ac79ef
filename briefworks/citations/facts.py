"""
Numbers, dates, quotations and addresses of a text in one normal form, so that two texts can be compared.

The normal form. Letters are NFKC in small letters; curly quotes are straight, dashes hyphens. 1,000 = 1 000 =
1'000 = 1000, 1,5 = 1.5, 1.500 is read both ways, “two million” = 2m = 2000000. A unit is one of `units.toml`
in its base unit (25 % = 25 percent, 0.65 m = 65 cm, $5 = 5 dollars); where only one side names a unit, the
number alone decides. Dates are ISO (12 March 2024 = 3/12/2024 = 12.3.2024 = 2024-03-12; of 3/12 both orders
are read), and a source's whole date also backs its month and its year. Digits with letters (A4, COVID-19) are
names, blanks and hyphens apart. A quotation has two words or more (three in single quotes) or is a block
quote; its words count, their case and punctuation do not; … and [insertions] part it. An address is a host.

Not facts: signs; number words up to ten without a unit, and “one”; in digits up to twelve what follows “step”
and the like or stands in a heading; “half”, “twice” and their kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from briefworks.citations.numbers import UNITS, Number, Value, all_values, numbers
from briefworks.citations.plain import plain
from briefworks.citations.words import MONTHS

Kind = Literal["number", "date", "quotation", "address"]

_MONTH = rf"(?P<month>{'|'.join(sorted(MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th|er|º|o|e)?"
_OF = "(?:of |de |del )?"
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\d)(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:t\d{2}:[\d:.]{2,12}z?)?(?!\d)",
        r"(?<![\d./])(?P<m>\d{1,2})[./](?P<d>\d{1,2})[./](?P<y>\d{4})(?!\d)",
        rf"(?<![\d.,]){_DAY}\.? {_OF}{_MONTH},? {_OF}(?P<y>\d{{4}})(?!\d)",
        rf"\b{_MONTH} {_DAY},? (?P<y>\d{{4}})(?!\d)",
        rf"\b{_MONTH},? {_OF}(?P<y>\d{{4}})(?!\d)",
        rf"(?<![\d.,]){_DAY}\.? {_OF}{_MONTH}(?!\w)",
        rf"\b{_MONTH} {_DAY}(?![\w%]|[.,]\d)",
    )
)
_NAMED = re.compile(
    r"(?<![\w.$€£¥-])(?:[^\W\d_]{1,12}-?\d[\w-]{0,20}(?:\.\d{1,6}){0,4}|\d{1,9}-?[^\W\d_]{1,4})(?!\w)"
)
_LABELLED = re.compile(
    r"\b(?:step|part|tip|option|phase|point|stage|section|chapter|figure|table|rule|mistake|type|no\.?) ?$"
)
_QUOTED = re.compile(
    r'(?<![\w"])"(?=\S)([^"]{3,})(?<=\S)"(?!\w)'
    r"|(?<![\w'])'(?=\S)((?:[^']|(?<=\w)'(?=\w)){8,600})(?<=\S)'(?!\w)"
)
_HALF_QUOTED = re.compile(r'(?<![\w"])"(?=\w)([^"]{3,})\Z|\A([^"]{3,})(?<=[^\W\d_]|[.,!?])"(?!\w)')
_LABEL = r"[^\W_](?:[^\W_]|-){0,62}"
_ADDRESS = re.compile(
    rf"(?<![\w.-])(?:{_LABEL}\.){{1,5}}(?:com|org|net|io|co|info|biz|dev|app|ai|example|test|shop|store|online"
    r"|site|xyz|me|tv|us|uk|eu|de|fr|es|it|nl|ch|at|ca|au|jp|cn|ru|in|br|pl|se|no|dk|fi|ie|nz|kr|mx|ar|za|ua|cz"
    r"|gr|pt|hu|ro|tr|il|sg|hk|tw|ly|gg|cc|be|рф|gov|edu|mil|zone|club|news|blog|cloud|tech|wiki|icu|vip|onion"
    r"|world|space|agency|media|digital|top|xn--[a-z0-9-]{2,59})\b(?![\w-]|\.\w)"
)
_INSERTED = re.compile(r"\[[^\]\n]{0,80}\]")
_LEFT_OUT = re.compile(r"\x01|\.{3}")
_LEAST_QUOTED = 3  # words of a part beside what is left out, else a “not” may be
_WORD = re.compile(r"\w+")
_ENDINGS = frozenset({"s", "st", "nd", "rd", "th", "k", "m", "mn", "bn"})
_SMALL = 12


@dataclass(frozen=True)
class Fact:
    """What a text states: `text` as it stands there in plain form, `values` any of which will do."""

    kind: Kind
    text: str
    values: frozenset[Value]
    at: int


def is_address(host: str) -> bool:
    """Whether the gate sees a host name as the address that it is."""
    return _ADDRESS.fullmatch(plain(host)) is not None


def words(text: str) -> str:
    """The words of a plain text, each between blanks."""
    return f" {' '.join(_WORD.findall(text))} "


def facts(text: str, *, heading: bool = False, language: str = "en") -> list[Fact]:
    """The facts that a sentence states; the text in plain form, without its citations."""
    quoted: list[Fact] = []
    for pattern, least_in_second in ((_QUOTED, 3), (_HALF_QUOTED, 2)):
        for match in pattern.finditer(_without(text, quoted)):
            body, least = (match[1], 2) if match[1] else (match[2], least_in_second)
            if len(_WORD.findall(body)) >= least:
                quoted.append(quotation(match.group(), body, match.start()))
    inserted = [match.span() for match in _INSERTED.finditer(text)]
    text = _without(text, quoted, but=inserted)  # the numbers of a quotation are its own, but what it inserts
    found = [_fact("address", match, {(match.group(), "host")}) for match in _ADDRESS.finditer(text)]
    text = _without(text, found)
    found += [_fact("date", match, {(iso, "date") for iso in isos}) for match, isos in _dates(text)]
    text = _without(text, found)
    found += [
        _fact("number", match, {(_compact(match.group()), "name")})
        for match in _NAMED.finditer(text)
        if not _is_measure(match.group())
    ]
    text = _without(text, found)
    found += [
        Fact("number", text[number.start : number.end].strip(), number.values, number.start)
        for number in numbers(text, language)
        if not _says_little(number, text, heading)
    ]
    return sorted([*quoted, *found], key=lambda fact: fact.at)


def quotation(shown: str, body: str, at: int = 0) -> Fact:
    """Quoted words: their parts, each as `words`, in one value."""
    left = [part for part in _LEFT_OUT.split(body) if _WORD.search(part)]
    if any(len(_WORD.findall(part)) < _LEAST_QUOTED for part in left) and len(left) > 1:
        left = [body]
    parts = [words(part) for one in left for part in _INSERTED.split(one) if _WORD.search(part)]
    return Fact("quotation", shown, frozenset({("\x01".join(parts), "quotation")}), at)


def _says_little(number: Number, text: str, heading: bool) -> bool:
    whole = number.whole
    if number.is_word:
        return whole == 1 or (not number.has_unit and whole is not None and whole <= 10)
    small = whole is not None and whole <= _SMALL and not number.has_unit
    return small and (heading or _LABELLED.search(text[max(0, number.start - 12) : number.start]) is not None)


def _fact(kind: Kind, match: re.Match[str], values: set[Value]) -> Fact:
    return Fact(kind, match.group(), frozenset(values), match.start())


def _without(text: str, found: Sequence[Fact], but: Sequence[tuple[int, int]] = ()) -> str:
    """The text of the same length in which nothing stands where these facts are, but in these places."""
    left = list(text)
    for fact in found:
        left[fact.at : fact.at + len(fact.text)] = "\x02" * len(fact.text)
    for start, end in but:
        left[start:end] = text[start:end]
    return "".join(left)


def _compact(text: str) -> str:
    return re.sub(r"[ -]", "", text)


def _is_measure(named: str) -> bool:
    """Whether digits and letters are a number with its unit, scale or ending: 65cm, 5k, 1990s, 21st."""
    tail = re.fullmatch(r"\d+-?(\D+)", named)
    return tail is not None and (tail[1] in UNITS or tail[1] in _ENDINGS)


def _dates(text: str) -> Iterator[tuple[re.Match[str], set[str]]]:
    """The dates of a text, none inside another, each with its readings."""
    taken = bytearray(len(text))
    for pattern in _DATES:
        for match in pattern.finditer(text):
            start, end = match.span()
            if not any(taken[start:end]) and (isos := _isos(match)):
                taken[start:end] = b"\x01" * (end - start)
                yield match, isos


def _isos(match: re.Match[str]) -> set[str]:
    part = match.groupdict()
    year, day = part.get("y"), part.get("d")
    month = str(MONTHS[part["month"]]) if "month" in part else part["m"]
    pairs = {(month, day)}
    if "month" not in part and "-" not in match.group():
        pairs.add((day, month))
    return {
        (f"{year}-" if year else "--") + f"{int(m):02}" + (f"-{int(d):02}" if d else "")
        for m, d in pairs
        if 1 <= int(m) <= 12 and (d is None or 1 <= int(d) <= 31)
    }


@dataclass(frozen=True)
class Stated:
    """All that a source states, ready to be asked."""

    words: str
    values: frozenset[Value] = field(repr=False)
    compact: str = field(repr=False)

    def has(self, fact: Fact) -> bool:
        """Whether one of the fact's values is among what is stated; addresses are not asked here."""
        return any(self._has(*value) for value in fact.values)

    def _has(self, what: str, unit: str) -> bool:
        if unit == "quotation":
            at = 0
            for part in what.split("\x01"):
                at = self.words.find(part, at)
                if at < 0:
                    return False
                at += len(part) - 1
            return True
        if unit == "name":
            return what in self.compact
        if (what, unit) in self.values or unit == "date":
            return (what, unit) in self.values
        return (what, "") in self.values if unit else any((what, one) in self.values for one in _BASES)


_BASES = frozenset({"", *(base for base, _ in UNITS.values())})


@lru_cache(maxsize=64)
def stated(text: str) -> Stated:
    """What a source states; the text as it was read."""
    text = plain(text)
    dates: set[Value] = set()
    found = list(_dates(text))
    for _, isos in found:
        for iso in isos:
            year, _, rest = iso.removeprefix("--").partition("-")
            dates |= {(iso, "date")}
            if year and not iso.startswith("--"):
                dates |= {(str(int(year)), "")}
            if "-" in rest:
                dates |= {(iso[:7], "date"), (f"--{rest}", "date")}
    bare = _without(text, [_fact("date", match, set()) for match, _ in found])
    return Stated(words(text), frozenset(all_values(bare) | dates), _compact(text))
