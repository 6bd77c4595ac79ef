"""What several pages talk about: terms they share, and names that a model proposed and the pages confirm."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from briefworks.scoring.words import WORD, is_content, mentions, stems
from briefworks.shapes import Entity
from briefworks.text import squash

_LONGEST = 3  # words of a term
_MOST_NAME_CHARS = 80


def shared_by(pages: int) -> int:
    """On how many of so many pages a term must stand to be shared: 30 %, but at least two."""
    return max(2, math.ceil(0.3 * pages))


def weight(pages_with: int, pages: int, name: str, times: int) -> float:
    """How much a term counts that stands `times` on `pages_with` of the pages; longer ones say more."""
    words = len(name.split())
    return pages_with / pages * (1 + 0.35 * (words - 1)) * math.log(1 + times / pages_with)


def shared_terms(
    texts: Mapping[str, str], keyword: str, limit: int = 40, language: str = "en"
) -> list[Entity]:
    """
    Terms of one to three words that many of the pages use, the weightiest first.

    `texts` are the pages by source id. A term is counted in the spelling that most pages use, so each stands
    letter for letter in its pages. The keyword itself, plural or not, is none; a term that nearly always
    stands inside a longer one is left out for it.
    """
    needed, counts = shared_by(len(texts)), _counts(texts, language)
    spellings: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        spellings[name.lower()].append(name)
    bare = stems(keyword)
    found: list[tuple[float, Entity]] = []
    for term, names in spellings.items():
        name = max(names, key=lambda one: (len(counts[one]), sum(counts[one].values()), one))
        pages, times = counts[name], sum(counts[name].values())
        if len(pages) < needed or stems(term) == bare:
            continue
        entity: Entity = {"name": name, "kind": "term", "pages": list(pages), "mentions": times}
        found.append((weight(len(pages), len(texts), name, times), entity))
    found.sort(key=lambda pair: (-pair[0], pair[1]["name"]))
    return _without_parts([entity for _, entity in found])[:limit]


def _counts(texts: Mapping[str, str], language: str) -> dict[str, Counter[str]]:
    """How often each term of the texts, as it is spelled, stands on which page."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for source_id, text in texts.items():
        for name in _candidates(text, language):
            counts[name][source_id] += 1
    return counts


def _candidates(text: str, language: str) -> Iterable[str]:
    words = [(match.start(), match.end(), match.group().lower()) for match in WORD.finditer(text)]
    content = [len(word) > 1 and is_content(word, language) for _, _, word in words]
    for first, (start, end, word) in enumerate(words):
        if not content[first]:
            continue
        if len(word) > 2 and not word[0].isdigit():
            yield text[start:end]
        for last in range(first + 1, min(first + _LONGEST, len(words))):
            if text[words[last - 1][1] : words[last][0]] != " ":
                break
            if content[last] and words[last][2] != word:  # else it could overlap itself
                yield text[start : words[last][1]]


def _without_parts(terms: Sequence[Entity]) -> list[Entity]:
    """Without the terms of which four in five mentions belong to a longer term of the list."""
    longer: dict[str, int] = {}
    for term in terms:
        words = term["name"].lower().split()
        for size in range(1, len(words)):
            for start in range(len(words) - size + 1):
                part = " ".join(words[start : start + size])
                longer[part] = max(longer.get(part, 0), term["mentions"])
    return [term for term in terms if longer.get(term["name"].lower(), 0) < 0.8 * term["mentions"]]


def verify_entities(names: Iterable[str], texts: Mapping[str, str]) -> list[Entity]:
    """
    The names that the pages really contain, most widespread first; all others are dropped.

    A name must stand in a page letter for letter, as whole words. One of several words that stands nowhere
    in that spelling takes the spelling of the pages. Of names with the same letters the most frequent stays.
    """
    best: dict[str, Entity] = {}
    for proposed in names:
        name = squash(proposed)
        if not 2 <= len(name) <= _MOST_NAME_CHARS or not (key := _letters(name)):
            continue
        entity = _found(name, texts) or (_found(_respelled(name, texts), texts) if " " in name else None)
        if entity and (key not in best or entity["mentions"] > best[key]["mentions"]):
            best[key] = entity
    return sorted(best.values(), key=lambda one: (-len(one["pages"]), -one["mentions"], one["name"]))


def _found(name: str, texts: Mapping[str, str]) -> Entity | None:
    times = {source_id: mentions(name, text) for source_id, text in texts.items()} if name else {}
    pages = [source_id for source_id, n in times.items() if n]
    if not pages:
        return None
    return {"name": name, "kind": "entity", "pages": pages, "mentions": sum(times.values())}


def _respelled(name: str, texts: Mapping[str, str]) -> str:
    """The name as the pages spell it, most often if in several ways; "" when they do not have it."""
    pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    spellings = Counter(spelling for text in texts.values() for spelling in pattern.findall(text))
    return max(spellings, key=lambda one: (spellings[one], one), default="")


def _letters(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
