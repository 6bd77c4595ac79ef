"""Rewritten paragraphs: what they may not lose, and how they are heard as they come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from briefworks import citations
from briefworks.text import count_words, split_paragraphs

_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*\s?%?")
_URL = re.compile(r"https?://[^\s<>()\[\]]+")
_QUOTED = re.compile(r'"([^"\n]{3,300})"|“([^”\n]{3,300})”|«([^»\n]{3,300})»')
_NAME = re.compile(r"(?<![.!?:\"“(*-] )(?<!^)(?<!\n)\b[A-Z][\w’'&-]{1,40}")
_CITATION = re.compile(r"\s{0,3}\[s\d{1,4}\]")
_OPEN = re.compile(r'<paragraph id="(?:\d+\.)?(\d+)">')
_CLOSE = "</paragraph>"


def is_prose(paragraph: str) -> bool:
    """Whether it is text to polish, not a heading, a table or code."""
    return not paragraph.lstrip().startswith(("#", "|", "```", "~~~", "    ", "\t"))


def losses(old: str, new: str, names: Iterable[str] = (), *, capitals: bool = True) -> list[str]:
    """
    What a rewritten paragraph must not do and does, in words; empty means it may replace the old one.

    Numbers, citations, URLs, quotations and names of the old one survive, and no number or citation is new.
    `names` are names to look for; `capitals` adds capitalised words inside sentences (not for languages that
    capitalise nouns). The length stays within 0.6 and 1.4 times.
    """
    found = []
    if len(split_paragraphs(new)) != 1 or not is_prose(new) or "<paragraph" in new:
        return ["it is no longer one paragraph"]
    bare_old, bare_new = _CITATION.sub("", old), _CITATION.sub("", new)
    if (before := set(_numbers(bare_old))) != (after := set(_numbers(bare_new))):
        found.append(f"numbers differ: {', '.join(sorted(before ^ after))}")
    if set(citations.cited(old)) != set(citations.cited(new)):
        found.append("citations differ")
    found.extend(f"lost {url}" for url in _URL.findall(old) if url not in new)
    for groups in _QUOTED.findall(old):
        quoted = "".join(groups)
        if " " in quoted and quoted not in new:
            found.append(f"lost the quotation “{quoted}”")
    kept = {name for name in names if name in old}
    if capitals:
        kept |= {name for name in _NAME.findall(bare_old) if name != "I"}
    found.extend(f"lost the name {name}" for name in sorted(kept) if name not in new)
    if not 0.6 <= count_words(new) / max(1, count_words(old)) <= 1.4:
        found.append(f"{count_words(new)} words instead of {count_words(old)}")
    return found


def _numbers(text: str) -> list[str]:
    return [re.sub(r"\s", "", number) for number in _NUMBER.findall(text)]


class ParagraphStream:
    """Hears `<paragraph id="2.3">…</paragraph>` piece by piece and tells the text of each as it comes."""

    def __init__(self, on_text: Callable[[str, int], None]) -> None:
        self._on_text = on_text
        self._held = ""
        self._inside: int | None = None
        self._begun = False  # a word of the paragraph has been told

    def feed(self, text: str) -> None:
        """Pass on what is certainly text of a paragraph; half a tag is held back."""
        self._held += text
        while True:
            if self._inside is None:
                opened = _OPEN.search(self._held)
                if not opened:
                    return
                self._inside, self._held = int(opened.group(1)), self._held[opened.end() :]
                self._begun = False
            if not self._begun:
                self._held = self._held.lstrip()
            body, closed, rest = self._held.partition(_CLOSE)
            if closed:
                self._tell(body.rstrip())
                self._inside, self._held = None, rest
                continue
            cut = self._held.rfind("<")
            head = self._held[:cut] if cut >= 0 and _CLOSE.startswith(self._held[cut:]) else self._held
            safe = len(head.rstrip())  # blanks wait too: they may be the last ones of the paragraph
            self._tell(self._held[:safe])
            self._held = self._held[safe:]
            return

    def _tell(self, text: str) -> None:
        if text and self._inside is not None:
            self._begun = True
            self._on_text(text, self._inside)


def rewritten(answer: str) -> dict[int, str]:
    """The paragraphs of a finished answer by their number; the last one wins, an unclosed one is none."""
    found = {}
    for match in _OPEN.finditer(answer):
        body, closed, _ = answer[match.end() :].partition(_CLOSE)
        if closed:
            found[int(match.group(1))] = body.strip()
    return found
