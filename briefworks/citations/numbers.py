"""Numbers in their normal form: 1,000 = 1000, “two million” = 2000000, 25 % = 25 percent, 0.65 m = 65 cm."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

Value = tuple[str, str]  # a number and its base unit, "" for none

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: n for n, word in enumerate(_SMALL)} | {word: 20 + 10 * n for n, word in enumerate(_TENS)}
_TIMES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip
_ALSO = {  # what a source may say for a number; never a claim of its own
    "half": ("50", "%"),
    "quarter": ("25", "%"),
    "twice": ("2", "x"),
    "double": ("2", "x"),
    "doubled": ("2", "x"),
    "halved": ("50", "%"),
    "dozen": ("12", ""),
} | {word: (str(n), "") for n, word in enumerate(_ORDINALS, 1)}
_ONE = "|".join([*_WORDS, *_TIMES])
_WORDED = re.compile(
    rf"(?<![\w-])(?:(?P<half>half )?an? (?=(?:{'|'.join(_TIMES)})\b))?"
    rf"(?:{_ONE})(?:(?:[ -]| and )(?:{_ONE}))*(?!\w)"
)
_DIGITS = re.compile(
    r"(?<![\w.])(?P<before>(?:us)?[$€£¥] ?|eur |usd |gbp )?(?P<number>\d{1,3}(?: \d{3})+(?![\d.,/:'])"
    r"|\d+(?:[.,'/:]\d+)*)(?P<tail>st|nd|rd|th|s)?(?![^\W\d_]{5})"
)
_SCALE = re.compile(r" ?-?(k|mn|bn|thousand|million|billion|trillion)\b")
_MONEY_SCALE = re.compile(r" ?(m|k|bn)\b")
_SCALES = _TIMES | {"k": 10**3, "mn": 10**6, "m": 10**6, "bn": 10**9}
_RANGE = re.compile(r" ?(?:-|to|and|or|through|up to|bis|und) ?")


def _units() -> dict[str, tuple[str, Decimal]]:
    listed = tomllib.loads((Path(__file__).parent / "units.toml").read_text("utf-8"))["unit"]
    return {name: (unit["base"], Decimal(unit["factor"])) for unit in listed for name in unit["names"]}


UNITS = _units()
_UNIT = re.compile(
    rf" ?-?({'|'.join(re.escape(name) for name in sorted(UNITS, key=len, reverse=True))})(?![\w'])"
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


def numbers(text: str) -> list[Number]:
    """The numbers of a text in plain form (see `facts.plain`), rising, none overlapping."""
    found = [
        _measured(text, *one) for one in sorted([*_in_digits(text), *_in_words(text)], key=lambda one: one[0])
    ]
    return [number for n, number in enumerate(found) if n == 0 or number.start >= found[n - 1].end]


def all_values(text: str) -> set[Value]:
    """Every number that a source states, also as the first of a range, and in parts where it may be two."""
    found = numbers(text)
    values = {value for number in found for value in number.values}
    for one, other in pairwise(found):
        if other.has_unit and not one.has_unit and _RANGE.fullmatch(text[one.end : other.start]):
            base = text[other.start : other.end]
            unit = _UNIT.search(base)
            for number, _ in one.values:
                values |= {_scaled(Decimal(number), unit[1])} if unit else set()
    for match in re.finditer(r"\d{1,3}(?: \d{3})+", text):
        values |= {(_shown(Decimal(part)), "") for part in match.group().split(" ")}
    return values | {_ALSO[word] for word in re.findall(r"[a-z]+", text) if word in _ALSO}


def _in_digits(text: str) -> Iterator[tuple[int, int, set[str], str, bool]]:
    for match in _DIGITS.finditer(text):
        if readings := _readings(match["number"]):
            yield match.start(), match.end(), readings, (match["before"] or "").strip(), False


def _in_words(text: str) -> Iterator[tuple[int, int, set[str], str, bool]]:
    for match in _WORDED.finditer(text):
        total = part = 0
        for word in re.findall(r"[a-z]+", match.group()):
            if word in _WORDS:
                part += _WORDS[word]
            elif word == "hundred":
                part = max(1, part) * 100
            elif word in _TIMES:
                total, part = total + max(1, part) * _TIMES[word], 0
        whole = Decimal(total + part) / (2 if match["half"] else 1)
        yield match.start(), match.end(), {_shown(whole)}, "", True


def _measured(text: str, start: int, end: int, readings: set[str], money: str, is_word: bool) -> Number:
    """The number with the scale and the unit behind it, or the currency before it."""
    factor = 1
    if scale := (_MONEY_SCALE if money else _SCALE).match(text, end):
        factor, end = _SCALES[scale[1]], scale.end()
    values: set[Value] = set()
    unit = None if money else _UNIT.match(text, end)
    for reading in readings:
        if not re.fullmatch(r"\d+(?:\.\d+)?", reading):
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
