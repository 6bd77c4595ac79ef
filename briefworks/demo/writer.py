"""
What the demo upstream answers: it plays the model for our own prompts, from their markup alone.

Nothing here is written by a model, and the text says so. The same prompt and seed give the same answer, in
any process; a section's text depends on the keyword, the sources and the outline only, so that the other
sections know which sentences are taken.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from briefworks.demo import phrases

T = TypeVar("T")
_KEYWORD = re.compile(r"<keyword>([^<>]{1,400})</keyword>")
_SOURCE = re.compile(r'<source id="(s\d+)" title="([^"]*)">\n(.*?)\n</source>', re.DOTALL)
_LISTED = re.compile(r"<(entities|questions|missing)>\n(.*?)\n</\1>", re.DOTALL)
_OUTLINED = re.compile(r"^(\d+)\. (.+) – .* \(([s\d, ]*); (\d+) words\)$", re.MULTILINE)
_SECTION = re.compile(r'<section n="(\d+)" words="(\d+)"[^>]*>\n(.*?)\n</section>', re.DOTALL)
_PARAGRAPH = re.compile(r'<paragraph id="(\d+\.\d+)">(.*?)</paragraph>', re.DOTALL)
_NUMBER = {name: re.compile(rf"<{name}>(\d+)</{name}>") for name in ("words", "sections")}
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“])")
_NAME = re.compile(r"(?<![.!?:] )(?<!^)\b[A-Z][a-z]+(?: [A-Z][a-z]+){1,2}\b|\b[A-Z]{3,6}\b", re.MULTILINE)
_STARTER = re.compile(
    r"(?:An?|The|This|That|These|Those|It|They|There|Most|Many|Some|Few|Each|Every|All|Both|Several|In|On|At|For"
    r"|From|With|Without|Before|After|When|While|If|As|Since|Because|Between|During|Once|People|Buyers)\b"
)  # a sentence that begins so may begin with a small letter


def write_text(prompt: str, seed: int) -> str:
    """A section, rewritten paragraphs, or for any other prompt a sentence that says what this is."""
    if section := _SECTION.search(prompt):
        return _section(prompt, int(section[1]), int(section[2]), section[3], seed)
    if found := _PARAGRAPH.findall(prompt):
        return "\n\n".join(f'<paragraph id="{place}">{_plain(text)}</paragraph>' for place, text in found)
    return phrases.NOTICE


def write_json(prompt: str, schema: dict[str, Any], seed: int) -> dict[str, Any] | None:
    """The answer to one of our structured prompts, told apart by the schema; None for any other."""
    asked_for = set(schema.get("properties", {}))
    if "names" in asked_for:
        return {"names": [*_names(prompt), phrases.INVENTED]}
    if "outline" in asked_for:
        return _brief(prompt, seed)
    if "verdicts" in asked_for:
        return {"verdicts": _verdicts(prompt)}
    return None


def _number(*parts: object) -> int:
    """A number that any process makes of the same parts."""
    return int.from_bytes(hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:6])


def _nth(items: Sequence[T], n: int) -> T:
    """Round and round."""
    return items[n % len(items)]


def _keyword(prompt: str) -> str:
    found = _KEYWORD.search(prompt)
    return found[1].strip() if found else "this subject"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _names(prompt: str) -> list[str]:
    found = [
        name if not _STARTER.match(name) else name.partition(" ")[2]
        for _, _, text in _SOURCE.findall(prompt)
        for name in _NAME.findall(text)
    ]
    found = [name for name in found if " " in name or name.isupper()]
    return sorted(set(found), key=lambda name: (-found.count(name), name))[:15]


def _brief(prompt: str, seed: int) -> dict[str, Any]:
    keyword, listed = _keyword(prompt), {name: _lines(text) for name, text in _LISTED.findall(prompt)}
    n = _asked(prompt, "sections", 6)
    words = _asked(prompt, "words", 1800) // n
    sources = [source_id for source_id, _, _ in _SOURCE.findall(prompt)]
    each = max(2, -(-len(sources) // n))
    headings = [_nth(phrases.HEADINGS, i).format(k=keyword) for i in range(n)]
    entities = [re.sub(r" \(\d+ of \d+ pages\)$", "", line) for line in listed.get("entities", [])]
    if "missing" not in listed:  # the first plan forgets something, for the code that asks again
        entities = _forgetful(entities, headings, _number(seed, keyword, "forgets"))
    outline = [
        {
            "heading": heading,
            "purpose": f"Tells the reader: {heading.lower()}.",
            "points": [f"Say what the pages say about {name}" for name in entities[i::n][:3]]
            or ["Say what the pages agree on"],
            "questions": listed.get("questions", [])[i::n],
            "entities": entities[i::n],
            "sources": list(dict.fromkeys(_nth(sources, i * each + j) for j in range(each)))
            if sources
            else [],
            "words": words * (80 + _number(seed, keyword, i) % 41) // 100,
        }
        for i, heading in enumerate(headings)
    ]
    return {
        "title": f"Demo: {keyword}, put together from synthetic pages",
        "intent": "informational",
        "intent_why": "The demo's pages explain, and nothing in them is for sale.",
        "angle": f"What a handful of demo pages say about {keyword}, in one place and with its sources",
        "reader": "Somebody who tries briefworks without any key",
        "meta_description": f"Synthetic demo text about {keyword}, made by briefworks' demo upstream.",
        "outline": outline,
    }


def _asked(prompt: str, name: str, default: int) -> int:
    found = _NUMBER[name].search(prompt)
    return max(1, int(found[1])) if found else default


def _lines(text: str) -> list[str]:
    lines = [line.removeprefix("- ").strip() for line in text.split("\n")]
    return [line for line in lines if line and line != "(none)"]


def _forgetful(entities: Sequence[str], headings: Sequence[str], chance: int) -> list[str]:
    """For two keywords of three, without some of the first entities: those that nothing else contains."""
    if chance % 3 == 0:
        return list(entities)
    others = [*headings, *entities]
    alone = [n for n in entities[:12] if sum(n.casefold() in other.casefold() for other in others) == 1]
    return [name for name in entities if name not in alone[:5]]


def _section(prompt: str, n: int, words: int, task: str, seed: int) -> str:
    keyword = _keyword(prompt)
    mine = _deal(prompt, keyword, seed).get(n, [])
    questions = _lines(task.partition("Questions to answer:\n")[2].partition("\nNames to use:")[0])
    sentences = [phrases.NOTICE] if n == 1 else []
    sentences.append(_nth(phrases.OPENERS, n - 1))
    planted = [_nth(phrases.TELLING_STARTS, n + seed)[0]]
    planted += [tell for tell, _ in phrases.TELLING_SENTENCES[n - 1 : n]]  # each in one section only
    size, paragraphs = len(" ".join(sentences).split()), []
    for i, (source_id, text) in enumerate(mine * 3):
        if size >= words * 0.88:
            break
        phrase = _nth(phrases.PHRASES, _number(seed, keyword, n) + i) if i < len(mine) else phrases.AGAIN
        tell = planted.pop() if i in (2, 6) and planted else ""
        sentences.append(_phrased(phrase, text, source_id, tell))
        size += len(sentences[-1].split())
        if len(sentences) >= 4 + (i + n) % 2:
            paragraphs.append(" ".join(sentences))
            sentences = [questions.pop(0)] if questions else []
    if len(sentences) == 1 and paragraphs:  # a question without an answer is dropped
        paragraphs[-1] += "" if sentences[0].endswith("?") else f" {sentences[0]}"
    elif sentences:
        paragraphs.append(" ".join(sentences))
    return "\n\n".join(paragraphs)


def _deal(prompt: str, keyword: str, seed: int) -> dict[int, list[tuple[str, str]]]:
    """By section, (source id, sentence): each goes to one section, first to those planned with its source."""
    plans = {int(n): (ids.split(", "), int(words)) for n, _, ids, words in _OUTLINED.findall(prompt)}
    pool = _pool(prompt, lambda sentence: _number(seed, keyword, sentence))
    needs = {n: words * 0.9 for n, (_, words) in plans.items()}
    dealt: dict[int, list[tuple[str, str]]] = {n: [] for n in plans}

    def deal(item: tuple[str, str], sections: Iterable[int]) -> bool:
        n = max((n for n in sections if needs[n] > 0), key=needs.__getitem__, default=0)
        if n:
            dealt[n].append(item)
            needs[n] -= len(item[1].split()) + 2
        return n > 0

    spare = [item for item in pool if not deal(item, [n for n, (ids, _) in plans.items() if item[0] in ids])]
    for item in spare:
        deal(item, plans)
    return dealt


def _pool(prompt: str, order: Callable[[str], int]) -> list[tuple[str, str]]:
    """Every usable sentence of the sources once; what begins like another one comes last."""
    found: dict[str, tuple[str, str]] = {}
    for source_id, _, text in _SOURCE.findall(prompt):
        for sentence in _sentences(text.split("\n")):
            found.setdefault(sentence.casefold(), (source_id, sentence))
    first: list[tuple[str, str]] = []
    later: list[tuple[str, str]] = []
    begun: set[tuple[str, ...]] = set()
    for item in sorted(found.values(), key=lambda item: order(item[1])):
        beginning = tuple(item[1].casefold().split()[:4])
        (later if beginning in begun else first).append(item)
        begun.add(beginning)
    return first + later


def _sentences(lines: Iterable[str]) -> list[str]:
    split = (sentence.strip() for line in lines for sentence in _SENTENCES.split(line.strip(" -*+>")))
    return [
        sentence
        for sentence in split
        if sentence.endswith(".")
        and 6 <= len(sentence.split()) <= 45
        and not re.search(r"https?:|\[", sentence)
    ]


def _phrased(phrase: str, text: str, source_id: str, tell: str) -> str:
    """One sentence of a source in other clothes, cited; `tell` goes before it."""
    body, citation = text.rstrip("."), f"[{source_id}]"
    starts_plainly = _STARTER.match(body) is not None
    if not starts_plainly and "{s}" in phrase:  # a name keeps its capital, and stays at the front
        phrase = phrases.PHRASES[0]
    lowered = _small(body) if starts_plainly else body
    sentence = phrase.format(S=_capital(body), s=lowered, c=citation)
    if tell.endswith(" "):
        return tell + (_small(sentence) if starts_plainly else sentence)
    return f"{sentence} {tell}".strip()


def _verdicts(prompt: str) -> list[dict[str, Any]]:
    return [
        {"paragraph_id": place, "quote": tell.strip(), **kind}
        for place, text in _PARAGRAPH.findall(prompt)
        for tells, kind in (
            (phrases.TELLING_SENTENCES, phrases.FORMULA),
            (phrases.TELLING_STARTS, phrases.EMPTY),
        )
        for tell, _ in tells
        if tell.strip() in text
    ]


def _plain(paragraph: str) -> str:
    """The paragraph without the planted tells; all else stays, so nothing is lost."""
    for tell, plain in phrases.TELLING_SENTENCES:
        paragraph = paragraph.replace(tell, plain)
    for tell, _ in phrases.TELLING_STARTS:
        paragraph = re.sub(re.escape(tell) + "(.)", lambda match: match[1].upper(), paragraph)
    return paragraph
