"""Small facts about text and time that every layer shares: cleaning, counting, naming."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")
_CITATION = re.compile(r"\[s?\d{1,4}\]")
_BLANK_LINE = re.compile(r"\n(?:[ \t]*\n)+")
_QUOTE_LINE = re.compile(r"\n(?=[ \t]{0,3}>)")
_FENCE = re.compile(r"([ \t]*)(`{3,}(?=[^`]*$)|~{3,})")
_CONTAINED_FENCE = re.compile(r"[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]*)++(?:`{3}|~{3})")
_TICKS = re.compile(r"`+")
_LINE_BREAK = re.compile(
    r"\n(?=[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]|[ \t]*[#|])|(?<=\|)\n|^[ \t]{0,3}#[^\n]*\n", re.MULTILINE
)
_STOP = re.compile(r"[.!?…][\"'”’)*_]*(?:[ \t]?\[s?\d{1,4}\])*\s+|[。！？]")
_QUOTED_STRETCH = re.compile(
    r"“[^“”„]{0,3000}”|„[^“”„]{0,3000}[“”]|«[^«»]{0,3000}»|»[^«»]{0,3000}«|「[^「」]{0,3000}」"
    r'|(?<!\w)"[^"]{0,1500}"'
)
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|approx|dr|mr|mrs|ms|prof|st|no|fig|inc|ltd|jr|sr|ca|cf|al|u\.s|u\.k)|\b[A-Z]"
    r"|(?:^|\n)[ \t]*\d{1,9})\.$",
    re.IGNORECASE,
)
_DAY_STOP = re.compile(  # of German, where other languages have no stop or a small letter behind it
    r"(?<!\d)\d{1,2}\.[ \t\u00a0\u202f](?:Jan|Jän|Feb|März|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Jahrh|Jahrt)"
)
_LIST_ITEM = re.compile(r"[ ]{0,3}(?:[-*+]|\d{1,9}[.)])[ \t]")


def now_at() -> str:
    """This instant as UTC ISO-8601 with milliseconds and `Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_at(text: str) -> str | None:
    """An ISO-8601 date or instant as UTC with `Z` (without a zone it is taken as UTC), or None."""
    try:
        instant = datetime.fromisoformat(text.strip())
        instant = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def squash(text: str) -> str:
    """Trimmed, and every run of white space made one blank."""
    return " ".join(text.split())


def count_words(markdown: str) -> int:
    """Words as a reader counts them: citations and punctuation are none, "ten-year" is one."""
    return len(_WORD.findall(_CITATION.sub(" ", markdown)))


def slugify(text: str, max_chars: int = 60) -> str:
    """A file name or id of a-z, 0-9 and `-` for any text; "article" where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:max_chars].strip("-")
    return slug or "article"


def clean(text: str) -> str:
    """Without what PostgreSQL's jsonb and browsers refuse: U+0000 and lone halves of surrogate pairs."""
    text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:  # join halves that stand side by side, replace those that stand alone
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def without_unseen(text: str) -> str:
    """Without characters that nobody sees: soft hyphens, joiners, marks of direction, tags."""
    return _UNSEEN.sub("", text)


def clean_json(value: Any) -> Any:
    """The JSON value with every text in it `clean`."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): clean_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_json(item) for item in value]
    return value


def code_spans(markdown: str) -> list[tuple[int, int]]:
    """
    Where the code is, as (start, end) in rising order: fenced blocks, and inline code within one line.

    In doubt a stretch is not code, so that nothing can hide in it: behind a fence that sits on the line of a
    list item or whose end is not plain to see, and in a paragraph with a backtick that has no partner on its
    line. A fence at the margin that is never closed goes on to the end.
    """
    spans: list[tuple[int, int]] = []
    prose_from = at = 0
    fence: tuple[int, str, str] | None = None  # where it begins, its indentation, its marks
    for line in markdown.split("\n"):
        mark = line.strip()
        if fence:
            start, indent, marks = fence
            closing = mark.startswith(marks) and not mark.strip(marks[0])
            if (mark and not line.startswith(indent)) or (closing and line[len(indent)] != marks[0]):
                return spans
            if closing:
                spans.append((start, at + len(line)))
                fence, prose_from = None, at + len(line)
        elif opened := _FENCE.match(line):
            spans.extend(_inline_code(markdown, prose_from, at))
            fence = (at, opened.group(1), opened.group(2))
        elif _CONTAINED_FENCE.match(line):
            return [*spans, *_inline_code(markdown, prose_from, at)]
        at += len(line) + 1
    if not fence:
        spans.extend(_inline_code(markdown, prose_from, len(markdown)))
    elif not fence[1]:
        spans.append((fence[0], len(markdown)))
    return spans


def _inline_code(markdown: str, start: int, end: int) -> list[tuple[int, int]]:
    """Pairs of backticks of the same length, of the paragraphs in which every one has its partner."""
    found: list[tuple[int, int]] = []
    for gap in [*_BLANK_LINE.finditer(markdown, start, end), None]:
        until = gap.start() if gap else end
        if (block := markdown[start:until]) and "`" in block and "\\`" not in block:
            found.extend((start + a, start + b) for a, b in _pairs(block))
        start = gap.end() if gap else until
    return found


def _pairs(block: str) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    opened: re.Match[str] | None = None
    for run in _TICKS.finditer(block):
        if opened is None:
            opened = run
        elif "\n" in block[opened.end() : run.start()]:
            return []
        elif len(opened.group()) == len(run.group()):
            pairs.append((opened.start(), run.end()))
            opened = None
    return [] if opened else pairs


def paragraph_spans(markdown: str) -> list[tuple[int, int]]:
    """
    Where the paragraphs are, as (start, end): what blank lines part.

    A list or a code block is one, and so is a block quote, also where no blank line parts it from the text.
    """
    code = code_spans(markdown)
    spans: list[tuple[int, int]] = []
    start = 0
    for gap_start, gap_end in [*_gaps(markdown, code), (len(markdown), len(markdown))]:
        if gap_end <= start < len(markdown):
            continue
        if markdown[start:gap_start].strip():
            spans.append((start, gap_start))
        start = gap_end
    return _lists_joined(markdown, spans)


def _gaps(markdown: str, code: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What stands between paragraphs, rising."""
    gaps = [match.span() for match in _BLANK_LINE.finditer(markdown)]
    for match in _QUOTE_LINE.finditer(markdown):
        before = markdown[markdown.rfind("\n", 0, match.start()) + 1 : match.start()]
        gaps += [] if before.lstrip().startswith(">") else [match.span()]
    gaps = [(a, b) for a, b in gaps if not _is_inside(a, code)]
    for start, end in code:
        if _FENCE.match(markdown[start:end].split("\n", 1)[0]):
            gaps += [(start - 1, start)] if markdown[start - 1 : start] == "\n" else []
            gaps += [(end, end + 1)] if markdown[end : end + 1] == "\n" else []
    return sorted(gaps, key=lambda gap: (gap[0], -gap[1]))


def _is_inside(at: int, spans: list[tuple[int, int]]) -> bool:
    before = bisect_left(spans, (at, 0)) - 1
    return before >= 0 and at < spans[before][1]


def _lists_joined(markdown: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    in_list = False
    for start, end in spans:
        item = bool(_LIST_ITEM.match(markdown, start))
        if in_list and (item or markdown.startswith(("  ", "\t"), start)):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
            in_list = item
    return joined


def split_paragraphs(markdown: str) -> list[str]:
    """The paragraphs of a text (see `paragraph_spans`)."""
    return [markdown[start:end] for start, end in paragraph_spans(markdown)]


def join_paragraphs(paragraphs: Iterable[str]) -> str:
    """A text of these paragraphs: the inverse of `split_paragraphs` up to the number of blank lines."""
    return "\n\n".join(paragraphs)


def sentences_with_gaps(paragraph: str) -> list[tuple[str, str]]:
    """Each sentence, alone and with all that stands before the next one, for joining those that stay."""
    spans = sentence_spans(paragraph)
    untils = [*(start for start, _ in spans[1:]), len(paragraph)]
    return [
        (paragraph[start:end], paragraph[start:until])
        for (start, end), until in zip(spans, untils, strict=False)
    ]


def sentence_spans(paragraph: str) -> list[tuple[int, int]]:
    """
    Where the sentences of a paragraph are, as (start, end), with the citations behind their full stops.

    List items, table rows and headings are sentences of their own, a block quote is one. No sentence ends
    inside a quotation, behind a common abbreviation or in a German date.
    """
    whole = paragraph.lstrip().startswith(">")
    quoted = [match.span() for match in _QUOTED_STRETCH.finditer(paragraph)]
    ends = [] if whole else [match.end() for match in _LINE_BREAK.finditer(paragraph)]
    for stop in () if whole else _STOP.finditer(paragraph):
        first = stop.group()[0]
        before = paragraph[max(0, stop.start() - 12) : stop.start() + 1]
        after = paragraph[stop.end() : stop.end() + 4].lstrip("\"'“‘(*_[")
        at = bisect_left(quoted, (stop.start() + 1, 0)) - 1
        inside = at >= 0 and stop.start() + 1 < quoted[at][1] - 1
        ordinal = _DAY_STOP.search(paragraph, max(0, stop.start() - 2), stop.end() + 11)
        goes_on = first == "." and (_ABBREVIATED.search(before) or ordinal)
        if not inside and not (after[:1].islower() or goes_on):
            ends.append(stop.end())
    starts = [0, *sorted(set(ends))]
    pairs = zip(starts, [*starts[1:], len(paragraph)], strict=True)
    return [(a, a + len(paragraph[a:b].rstrip())) for a, b in pairs if paragraph[a:b].strip()]
