"""Pages that say the same: copies under another address add nothing, and would count twice."""

from __future__ import annotations

from collections.abc import Mapping

from briefworks.scoring.words import WORD

RUN_WORDS = 5
SAME = 0.9  # of all runs of five words that either has, both have


def copies(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts that are nearly an earlier one's, letter case and punctuation apart, and which that is."""
    found: dict[str, str] = {}
    firsts: dict[str, frozenset[int]] = {}
    for name, text in texts.items():
        runs = _runs(text)
        same = next((first for first, others in firsts.items() if _is_same(runs, others)), None)
        if same is not None:
            found[name] = same
        elif runs:
            firsts[name] = runs
    return found


def _runs(text: str) -> frozenset[int]:
    words = [word.casefold() for word in WORD.findall(text)]
    return frozenset(hash(tuple(words[n : n + RUN_WORDS])) for n in range(max(0, len(words) - RUN_WORDS + 1)))


def _is_same(one: frozenset[int], other: frozenset[int]) -> bool:
    return len(one & other) >= SAME * len(one | other) > 0
