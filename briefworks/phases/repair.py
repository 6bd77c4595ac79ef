"""What code mends in a section as a model writes it: fences, headings, talk. Citations: see `citations`."""

from __future__ import annotations

import re

_FENCE = re.compile(r"\A```[\w-]{0,12}[ \t]{0,8}\n(.*?)\n?```[ \t]{0,8}\Z", re.DOTALL)
_TAG = re.compile(r"</?(?:section|paragraph|source|keyword|outline|finding)\b[^<>\n]{0,200}>", re.IGNORECASE)
_HEADING = re.compile(r"^[ \t]{0,3}(#{1,6})[ \t]+(.{0,300})$")
_OPENING = re.compile(
    r"^(?:here(?:'s| is| are)|below is|sure\b|certainly\b|of course\b|okay\b|absolutely\b|let me\b"
    r"|i(?:'ll| will)\b|as requested\b|this is the section\b|the following (?:is|section)\b)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"^(?:let me know\b|i hope\b|would you like\b|feel free\b|if you(?:'d| would) like\b|\W{0,3}word count\b"
    r"|\W{0,3}(?:about |approximately )?\d+ words\W{0,3}$|\W{0,3}(?:sources|references)\W{0,3}(?:$|\n|:))",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\[(?:insert|your|add|todo|tbd|placeholder|company|name of|link to|citation needed|source needed)\b"
    r"[^\]\n]{0,120}\]"
    r"|(?<!`)\{\{[^{}\n]{0,120}\}\}(?!`)|(?-i:\bTODO:|\bTBD\b)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])(?:\s?\[s\d{1,4}\])*\s+")
_WORDS = re.compile(r"\w+")
_ROUND = re.compile(r"\((s\d{1,4}(?:\s{0,3}[,;]\s{0,3}s\d{1,4}){0,9})\)", re.IGNORECASE)


def repaired(text: str, heading: str) -> str:
    """A section's Markdown as it can be published, apart from its citations."""
    text = text.strip()
    if fenced := _FENCE.match(text):
        text = fenced.group(1)
    text = _ROUND.sub(r"[\1]", _TAG.sub("", text))
    blocks = [block.strip() for block in re.split(r"\n[ \t]*\n", text) if block.strip()]
    blocks = _without_talk(_without_heading(_without_talk(blocks), heading))
    return "\n\n".join(mended for block in blocks if (mended := _mended(_lowered(block))))


def _plain(text: str) -> str:
    return "".join(re.findall(r"\w+", text.casefold()))


def _without_heading(blocks: list[str], heading: str) -> list[str]:
    """Without the section's own heading on top, whether it is marked as one or not."""
    while blocks:
        first, _, rest = blocks[0].partition("\n")
        marked = _HEADING.match(first)
        title = _plain(marked.group(2) if marked else first)
        if not (title == _plain(heading) or (marked and len(marked.group(1)) <= 2) or not title):
            break
        blocks = [rest.strip(), *blocks[1:]] if rest.strip() else blocks[1:]
    return blocks


def _lowered(block: str) -> str:
    """Headings inside a section are of the third level."""
    if "#" not in block or "```" in block:
        return block
    return "\n".join(_HEADING.sub(r"### \2", line) for line in block.split("\n"))


def _without_talk(blocks: list[str]) -> list[str]:
    """Without a first and a last block that speak of the task; a block with a citation is never talk."""
    while len(blocks) > 1 and _OPENING.match(blocks[0]) and "[s" not in blocks[0]:
        blocks = blocks[1:]
    while len(blocks) > 1 and _CLOSING.match(blocks[-1].lstrip("#-* ")):
        blocks = blocks[:-1]
    return blocks


def _mended(block: str) -> str:
    """The block without its sentences that hold a placeholder."""
    if "```" in block or not _PLACEHOLDER.search(block):
        return block
    starts = [0, *(match.end() for match in _SENTENCE_END.finditer(block))]
    sentences = [block[start:end] for start, end in zip(starts, [*starts[1:], len(block)], strict=True)]
    return "".join(sentence for sentence in sentences if not _PLACEHOLDER.search(sentence)).strip()


def repeats(text: str, instructions: str) -> bool:
    """Whether the text has a whole sentence of eight words or more of the instructions it was written by."""
    said = f" {' '.join(_WORDS.findall(text.casefold()))} "
    for sentence in re.split(r"[.!?:\n]\s", instructions.casefold()):
        words = _WORDS.findall(sentence)
        if len(words) >= 8 and f" {' '.join(words)} " in said:
            return True
    return False
