"""Tells and style of texts that people wrote: what the linter and the bands of the scorecard rest on."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from debian_packages import fetch
from human_texts import CORPORA, texts

from briefworks.phases import score_markdown
from briefworks.tells import RULES_VERSION, lint

STYLE = ("reading_ease", "sentence_words", "sentence_spread", "mattr", "repeated_share")


def measure(folder: Path) -> dict[str, Any]:
    """Per measure the percentiles over all texts; tells also per corpus, and the weight of each rule."""
    found: dict[str, list[float]] = defaultdict(list)
    corpora: dict[str, list[float]] = defaultdict(list)
    rules: Counter[str] = Counter()
    words = 0
    for text in texts(folder):
        for name, value in score_markdown(text.text)["measures"].items():
            if value is not None and name in (*STYLE, "tells_per_1000_words"):
                found[name].append(value)
        corpora[text.corpus].append(found["tells_per_1000_words"][-1])
        words += text.words
        for tell in lint(text.text):
            rules[tell["rule"]] += tell["weight"]
    return {
        "rules_version": RULES_VERSION,
        "texts": sum(map(len, corpora.values())),
        "words": words,
        "measures": {name: spread(values) for name, values in found.items()},
        "tells_by_corpus": {
            name: spread(values) | {"texts": len(values)} for name, values in corpora.items()
        },
        "tells_by_rule": {rule: round(1000 * weight / words, 3) for rule, weight in rules.most_common()},
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Percentiles by nearest rank."""
    ordered = sorted(values)
    at = {f"p{n}": ordered[min(len(ordered) - 1, len(ordered) * n // 100)] for n in (5, 90, 95, 99)}
    return {"median": round(statistics.median(ordered), 4), **at, "most": ordered[-1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the packages are; a temporary one if not given")
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as temporary:
        fetch(folder or Path(temporary), CORPORA)
        print(json.dumps(measure(folder or Path(temporary)), indent=1))


if __name__ == "__main__":
    main()
