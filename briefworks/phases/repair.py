"""What code mends in a section as a model writes it: fences, headings, talk. Citations: see `citations`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from briefworks.text import sentences_with_gaps

_ELEMENT = re.compile(r"<(thinking|function_calls|tool_use|tool_call|scratchpad)>", re.IGNORECASE)
_FENCE = re.compile(r"\A```[\w-]{0,12}[ \t]{0,8}\n(.*?)\n?```[ \t]{0,8}\Z", re.DOTALL)
_TAG = re.compile(
    r"</?(?:section|paragraph|source|keyword|outline|finding|thinking|function_calls|tool_use|tool_call"
    r"|scratchpad)\b[^<>\n]{0,200}>",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^[ \t]{0,3}(#{1,6})[ \t]+(.{0,300})$")
_TALK: dict[str, Any] = tomllib.loads((Path(__file__).parent / "talk.toml").read_text("utf-8"))
_SPOKEN = [entry for entry in _TALK.values() if isinstance(entry, dict)]


def _any_of(kind: str) -> str:
    return "|".join(f"(?:{pattern})" for entry in _SPOKEN for pattern in entry[kind])


_LEADS = "|".join(entry["lead"] for entry in _SPOKEN)
_OPENING = re.compile(f"(?:{_any_of('opening')})", re.IGNORECASE)
_CLOSING = re.compile(f"(?:{_any_of('closing')})", re.IGNORECASE)
_PLACEHOLDER = re.compile(_any_of("placeholder"), re.IGNORECASE)
_NARRATION = re.compile(  # a sentence about the task, wherever it stands; one with a citation is none
    rf"[\W_]{{0,4}}(?:(?:{_LEADS})\b[,.!:]?\s)?(?:{_any_of('narration')})", re.IGNORECASE
)
_WORDS = re.compile(r"\w+")
_ROUND = re.compile(r"\((s\d{1,4}(?:\s{0,3}[,;]\s{0,3}s\d{1,4}){0,9})\)", re.IGNORECASE)


MENDED_CHARS = 160  # of what is told in `Mended`


class Cut(NamedTuple):
    """A piece of the model's text that is not published."""

    what: Literal["talk", "heading", "placeholder"]
    text: str


def repaired(text: str, heading: str) -> tuple[str, list[Cut]]:
    """A section's Markdown as it can be published, apart from its citations, and what was cut from it."""
    cuts: list[Cut] = []
    text = _without_elements(text.strip(), cuts)
    if fenced := _FENCE.match(text):
        text = fenced.group(1)
    text = _ROUND.sub(r"[\1]", _TAG.sub("", text))
    blocks = [block.strip() for block in re.split(r"\n[ \t]*\n", text) if block.strip()]
    blocks = _without_talk(_without_heading(_without_talk(blocks, cuts), heading, cuts), cuts)
    kept = (_without_sentences(_lowered(block), cuts) for block in blocks)
    return "\n\n".join(block for block in kept if block), cuts


def _without_elements(text: str, cuts: list[Cut]) -> str:
    """Without what a model thinks or calls in tags; of an unclosed one only the tag goes, with the others."""
    while opened := _ELEMENT.search(text):
        end = text.lower().find(closing := f"</{opened[1].lower()}>", opened.end())
        if end < 0:
            break
        cuts.append(Cut("talk", text[opened.end() : end].strip()))
        text = (text[: opened.start()] + text[end + len(closing) :]).strip()
    return text


def _plain(text: str) -> str:
    return "".join(re.findall(r"\w+", text.casefold()))


def _without_heading(blocks: list[str], heading: str, cuts: list[Cut]) -> list[str]:
    """Without the section's own heading on top, whether it is marked as one or not."""
    while blocks:
        first, _, rest = blocks[0].partition("\n")
        marked = _HEADING.match(first)
        title = _plain(marked.group(2) if marked else first)
        if not (title == _plain(heading) or (marked and len(marked.group(1)) <= 2) or not title):
            break
        cuts.append(Cut("heading", first))
        blocks = [rest.strip(), *blocks[1:]] if rest.strip() else blocks[1:]
    return blocks


def _lowered(block: str) -> str:
    """Headings inside a section are of the third level."""
    if "#" not in block or "```" in block:
        return block
    return "\n".join(_HEADING.sub(r"### \2", line) for line in block.split("\n"))


def _without_talk(blocks: list[str], cuts: list[Cut]) -> list[str]:
    """Without a first and a last block that speak of the task; a block with a citation is never talk."""
    while len(blocks) > 1 and _OPENING.match(blocks[0]) and "[s" not in blocks[0]:
        cuts.append(Cut("talk", blocks[0]))
        blocks = blocks[1:]
    while len(blocks) > 1 and _CLOSING.match(blocks[-1].lstrip("#-* ")):
        cuts.append(Cut("talk", blocks[-1]))
        blocks = blocks[:-1]
    return blocks


def _without_sentences(block: str, cuts: list[Cut]) -> str:
    """The block without its sentences that hold a placeholder or speak of the task."""
    if "```" in block:
        return block
    kept = []
    for sentence, with_gap in sentences_with_gaps(block):
        if _PLACEHOLDER.search(sentence):
            cuts.append(Cut("placeholder", sentence))
        elif is_talk(sentence):
            cuts.append(Cut("talk", sentence))
        else:
            kept.append(with_gap)
    return "".join(kept).strip()


def is_talk(sentence: str) -> bool:
    """Whether a sentence speaks of the task, or refuses it, instead of telling the reader something."""
    return "[s" not in sentence and _NARRATION.match(sentence.replace("’", "'")) is not None


def other_headings(markdown: str, headings: Iterable[str]) -> list[str]:
    """Those of the `headings` that stand in the text as headings of their own."""
    marked = (_HEADING.match(line) for line in markdown.split("\n"))
    found = {_plain(match.group(2)) for match in marked if match}
    return [heading for heading in headings if _plain(heading) in found]


def repeats(text: str, instructions: str) -> bool:
    """Whether the text has a whole sentence of eight words or more of the instructions it was written by."""
    said = f" {' '.join(_WORDS.findall(text.casefold()))} "
    for sentence in re.split(r"[.!?:\n]\s", instructions.casefold()):
        words = _WORDS.findall(sentence)
        if len(words) >= 8 and f" {' '.join(words)} " in said:
            return True
    return False
