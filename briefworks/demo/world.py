"""The invented names, things and numbers behind a keyword: the same on all its pages, so that pages agree."""

from __future__ import annotations

import random
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

_SLOT = re.compile(r"\{(\w+)\}")
_SURNAMES = (
    "Lindholm", "Tarnbrook", "Pellworth", "Varnholt", "Esterhay", "Quenby", "Maddern", "Osgarth", "Rillstone",
    "Thornby", "Wexcombe", "Ackerly", "Brindle", "Calderon", "Dunmore", "Fairlie", "Grantham", "Hollis",
)  # fmt: skip
_FIRST_NAMES = ("Ilse", "Marten", "Odile", "Teodor", "Wanda", "Emeric", "Solveig", "Piet")
_TOWNS = ("Port Ellery", "Upper Norwick", "Saint Aldmoor", "Kestrel Bay", "Little Farrow", "Mill Haven")
_MAKERS = (
    "Fernhollow Works", "Copperline Supply", "Oddstreet Cooperative", "Bluegate Trading", "Harrowmill Tools",
    "Larkspur Goods", "Ninefold Studio", "Pinemark Depot", "Rushlight Makers",
)  # fmt: skip
_THINGS = {
    "doc": (
        "paper checklist", "cost record", "maintenance log", "planning sheet", "comparison table",
        "decision note", "weekly report", "photo record",
    ),
    "offer": (
        "trial period", "return window", "service plan", "full guarantee", "support line", "payment plan",
        "spare set", "starter discount",
    ),
    "info": (
        "test report", "buying guide", "short manual", "price list", "safety notice", "quality label",
        "field report", "reference sheet",
    ),
    "group": (
        "member forum", "local club", "practice group", "reading circle", "study group", "user club",
        "repair circle", "walking group",
    ),
}  # fmt: skip
_THINGS_OF_A_KIND = 4  # that the pages of a keyword share
_FEW = ("two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBERS = {
    "n": (120, 2400), "n2": (20, 60), "pct": (12, 88), "eur": (15, 480), "eur2": (15, 480),
    "min": (5, 55), "h": (3, 40), "days": (3, 60), "weeks": (3, 26), "months": (4, 36), "year": (2018, 2025),
}  # fmt: skip


@lru_cache(maxsize=1)
def topics() -> dict[str, dict[str, list[str]]]:
    """Headings and sentences of each topic."""
    return tomllib.loads((Path(__file__).parent / "sentences.toml").read_text("utf-8"))


class World:
    """All that is true about a keyword for a seed."""

    def __init__(self, keyword: str, seed: int) -> None:
        self.keyword, self._key = keyword, f"{seed}|{keyword.casefold()}"
        dice = self.dice("names")
        names = dice.sample(_SURNAMES, 5)
        makers = dice.sample(_MAKERS, 3)
        self.names = {
            "survey": f"{names[0]} Survey",
            "lab": f"{names[1]} Laboratory",
            "body": f"{names[2]} Association",
            "guide": f"{names[3]} Guideline",
            "person": f"{dice.choice(_FIRST_NAMES)} {names[4]}",
            "town": dice.choice(_TOWNS),
            "maker": makers[0],
            "maker2": makers[1],
            "maker3": makers[2],
        }
        self.things = {kind: dice.sample(all_of, _THINGS_OF_A_KIND) for kind, all_of in _THINGS.items()}

    def dice(self, *what: object) -> random.Random:
        """Dice of their own for each purpose: the same in every process."""
        return random.Random("|".join([self._key, *map(str, what)]))  # noqa: S311 – a demo's dice

    def say(self, template: str) -> str:
        """The sentence with its names, things and numbers: on every page the same, so that pages agree."""
        dice = self.dice("sentence", template)
        values: dict[str, Any] = {"k": self.keyword, **self.names}
        values |= {kind: dice.choice(of_kind) for kind, of_kind in self.things.items()}
        values["low"] = dice.randint(8, 34)
        values["high"] = values["low"] + dice.randint(12, 45)
        values["few"] = dice.choice(_FEW)
        for name, (least, most) in _NUMBERS.items():
            values[name] = f"{dice.randint(least, most):,}" if name == "n" else dice.randint(least, most)
        return _SLOT.sub(lambda slot: str(values[slot[1]]), template)
