"""Numbers in their normal form: 1,000 = 1000, “two million” = 2000000, 25 % = 25 percent, 0.65 m = 65 cm."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from briefworks.citations import words
from briefworks.citations.words import Language

Value = tuple[str, str]  # a number and its base unit, "" for none

_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip
_SHORT = {
    **dict.fromkeys(("k", "tsd", "tys"), 10**3),
    **dict.fromkeys(("mn", "mio", "mln"), 10**6),
    **dict.fromkeys(("bn", "mrd", "mld"), 10**9),
}
_SCALES = words.scales() | _SHORT
_SCALE_NAMES = "|".join(sorted(_SCALES, key=len, reverse=True))
_SCALE = re.compile(rf" ?-?({_SCALE_NAMES})\b(?:(?<=tsd|tys|mio|mln|mrd|mld)\.)?")
_MONEY_SCALE = re.compile(rf" ?-?({_SCALE_NAMES}|m)\b")
_SCALES["m"] = 10**6  # behind a sum of money
_RANGE = re.compile(r" ?(?:-|to|and|or|through|up to|bis|und) ?")
_DECIMAL = re.compile(r"\d+(?:\.\d+)?")
_PART = re.compile(r"[ \n-]([^\W\d_]+)")
_LARGEST_SHARE = 100  # three out of four; not five in 2024


def _units() -> tuple[dict[str, tuple[str, Decimal]], frozenset[str]]:
    """The units by name, and the names that may stand before a number."""
    listed = tomllib.loads((Path(__file__).parent / "units.toml").read_text("utf-8"))["unit"]
    names = {name: (unit["base"], Decimal(unit["factor"])) for unit in listed for name in unit["names"]}
    return names, frozenset(name for unit in listed for name in unit.get("before", []))


UNITS, _BEFORE = _units()
_UNIT = re.compile(
    rf" ?-?({'|'.join(re.escape(name) for name in sorted(UNITS, key=len, reverse=True))})(?![\w'])"
)
CLAIMS = frozenset({"%", *(UNITS[name][0] for name in _BEFORE)})  # the units of shares and money
_MONEY = "|".join(
    re.escape(name) + (" " if name.isalpha() and name.isascii() else " ?")
    for name in sorted(_BEFORE, key=len, reverse=True)
)
_DIGITS = re.compile(
    rf"(?<![\w.])(?P<before>{_MONEY})?(?P<number>\d{{1,3}}(?: \d{{3}})+(?![\d.,/:'])"
    r"|\d+(?:[.,'/:]\d+)*)(?P<tail>st|nd|rd|th|s)?(?![^\W\d_]{5})"
)


@dataclass(frozen=True)
class Number:
    """A number of a plain text at `[start:end]`, its unit within; `values` are its readings."""

    start: int
    end: int
    values: frozenset[Value]
    is_word: bool

    @property
    def has_unit(self) -> bool:
        return any(unit for _, unit in self.values)

    @property
    def whole(self) -> int | None:
        """The number if it is a whole one with one reading."""
        number = next(iter(self.values))[0]
        return int(number) if len(self.values) == 1 and number.isdigit() else None


def numbers(text: str, language: str = "en") -> list[Number]:
    """The numbers and shares of a text in plain form (see `facts.plain`), rising, none overlapping."""
    known = (language if language in words.LANGUAGES else "en",)
    return _with_shares(text, _single(text, known), known)


def all_values(text: str) -> set[Value]:
    """Every number that a source states, also as the first of a range, and in parts where it may be two."""
    known = tuple(words.LANGUAGES)
    found = _single(text, known)
    values = {
        value
        for number in [*found, *_with_shares(text, found, known, is_source=True)]
        for value in number.values
    }
    for one, other in pairwise(found):
        if other.has_unit and not one.has_unit and _RANGE.fullmatch(text[one.end : other.start]):
            base = text[other.start : other.end]
            unit = _UNIT.search(base)
            for number, _ in one.values:
                values |= (
                    {_scaled(Decimal(number), unit[1])} if unit and _DECIMAL.fullmatch(number) else set()
                )
    for match in re.finditer(r"\d{1,3}(?: \d{3})+", text):
        values |= {(_shown(Decimal(part)), "") for part in match.group().split(" ")}
    return values.union(*(_ALSO[word] for word in re.findall(r"[a-z]+", text) if word in _ALSO))


def _single(text: str, languages: Sequence[str]) -> list[Number]:
    """The numbers of a text, each alone."""
    found: list[Number] = []
    in_words = ((one.start, one.end, {_shown(one.value)}, "", True) for one in words.worded(text, languages))
    for one in sorted([*_in_digits(text), *in_words], key=lambda one: (one[0], -one[1])):
        number = _measured(text, *one)
        if not found or number.start >= found[-1].end:
            found.append(number)
    return found


def _with_shares(
    text: str, found: Sequence[Number], languages: Sequence[str], *, is_source: bool = False
) -> list[Number]:
    """
    The numbers of a text, where two make a share (three out of four, two thirds) as that share.

    “A third” alone is one only in a source.
    """
    spoken = [words.LANGUAGES[name] for name in languages]
    between = {f" {words_between} " for one in spoken for words_between in one.out_of}
    shares = [*_articled(text, spoken, is_source)]
    for n, number in enumerate(found):
        behind = found[n + 1] if n + 1 < len(found) else None
        if behind and text[number.end : behind.start].replace("\n", " ") in between:
            shares += _share_of(number, behind.whole if not behind.has_unit else None, behind.end)
        elif part := _PART.match(text, number.end):
            for one in spoken:
                if (whole := one.parts.get(part[1])) and (
                    is_source or number.whole != 1 or one.is_parted(text, part.end())
                ):
                    shares += _share_of(number, whole, part.end())
    kept: list[Number] = []
    for number in sorted([*shares, *found], key=lambda number: (number.start, -number.end)):
        if not kept or number.start >= kept[-1].end:
            kept.append(number)
    return kept


def _share_of(number: Number, whole: int | None, end: int) -> list[Number]:
    part = number.whole
    if part is None or whole is None or number.has_unit or not 0 < part < whole <= _LARGEST_SHARE:
        return []
    return [Number(number.start, end, _share(part, whole), is_word=False)]


def _articled(text: str, spoken: Sequence[Language], is_source: bool) -> Iterator[Number]:
    """A quarter of …"""
    for one in spoken:
        for article in one.articles:
            for match in re.finditer(rf"(?<!\w){article}[ \n]([^\W\d_]+)", text):
                if (whole := one.parts.get(match[1])) and (is_source or one.is_parted(text, match.end())):
                    yield Number(match.start(), match.end(), _share(1, whole), is_word=False)


def _share(part: int, whole: int) -> frozenset[Value]:
    """The ways to say a share: 3/4, 0.75, 75 %; of two thirds 67, 66.7 and 66.67 %."""
    exact = Fraction(part, whole)
    values = {(f"{part}/{whole}", ""), (f"{exact.numerator}/{exact.denominator}", "")}
    percent = Decimal(100 * part) / whole
    for digits in ("1", "0.1", "0.01"):
        for rounding in (ROUND_HALF_UP, ROUND_DOWN):
            rounded = percent.quantize(Decimal(digits), rounding)
            values |= {(_shown(rounded), "%")}
            if rounded == percent:
                values |= {(_shown(rounded / 100), "")}
    return frozenset(values)


def _in_digits(text: str) -> Iterator[tuple[int, int, set[str], str, bool]]:
    for match in _DIGITS.finditer(text):
        if readings := _readings(match["number"]):
            yield match.start(), match.end(), readings, (match["before"] or "").strip(), False


def _measured(text: str, start: int, end: int, readings: set[str], money: str, is_word: bool) -> Number:
    """The number with the scale and the unit behind it, or the currency before it."""
    factor = 1
    if scale := (_MONEY_SCALE if money else _SCALE).match(text, end):
        factor, end = _SCALES[scale[1]], scale.end()
    values: set[Value] = set()
    unit = None if money else _UNIT.match(text, end)
    for reading in readings:
        if re.fullmatch(r"\d{1,2}/\d{1,3}", reading):
            part, whole = map(int, reading.split("/"))
            values |= _share(part, whole) if 0 < part < whole <= _LARGEST_SHARE else {(reading, "")}
        elif not _DECIMAL.fullmatch(reading):
            values.add((reading, ""))
        else:
            values.add(_scaled(Decimal(reading) * factor, money or (unit[1] if unit else "")))
    return Number(start, unit.end() if unit else end, frozenset(values), is_word)


def _scaled(number: Decimal, unit: str) -> Value:
    base, factor = UNITS.get(unit, ("", Decimal(1)))
    return _shown(number * factor), base


def _shown(number: Decimal) -> str:
    shown = f"{number.normalize():f}"
    return "0" if number == 0 else shown


def _readings(token: str) -> set[str]:
    """What digits and marks may mean: 1.500 is 1.5 or 1500, 1,500 is 1500, 1,5 is 1.5, 3:30 is 3:30."""
    if re.search(r"[/:]", token):
        return {token}
    token = token.replace(" ", "").replace("'", "")
    marks = re.findall(r"[.,]", token)
    parts = re.split(r"[.,]", token)
    grouped = len(parts[0]) <= 3 and parts[0] != "0" and all(len(part) == 3 for part in parts[1:])
    if not marks:
        return {_shown(Decimal(token))}
    if len(set(marks)) == 2 and marks.count(marks[-1]) == 1:  # the last one is the decimal
        return {_shown(Decimal("".join(parts[:-1]) + "." + parts[-1]))}
    if grouped and (marks[0] == "," or len(marks) > 1):
        return {_shown(Decimal("".join(parts)))}
    if len(marks) > 1:  # a version, an address
        return {token}
    readings = {_shown(Decimal(".".join(parts)))}
    return readings | {_shown(Decimal("".join(parts)))} if grouped else readings


_ALSO: dict[str, frozenset[Value]] = {  # what a source may say for a number; never a claim of its own
    "half": _share(1, 2),
    "quarter": _share(1, 4),
    "twice": frozenset({("2", "x")}),
    "double": frozenset({("2", "x")}),
    "doubled": frozenset({("2", "x")}),
    "halved": _share(1, 2),
    "dozen": frozenset({("12", "")}),
} | {word: frozenset({(str(n), "")}) for n, word in enumerate(_ORDINALS, 1)}
