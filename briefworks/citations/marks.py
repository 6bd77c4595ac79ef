"""
Citations: a model cites as `[s3]`; here they are checked, mended and numbered, and the list of sources made.

Code in a text is left alone: `items[3]` is no citation. What is not code can only point to a known source:
bare numbers, links, link definitions and URLs of a model's own are faults, and `drop_unknown` mends them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, urlsplit

from briefworks.citations.facts import is_address
from briefworks.shapes import Page, Research, Section, Source
from briefworks.text import clean, code_spans, squash

_ID = r"s\d{1,9}"
_MORE = rf"(?:[ \t]{{0,4}}(?:[,;&+]|and)[ \t]{{0,4}}(?:sources?[ \t]{{1,2}})?{_ID}){{0,20}}"
_CITATION = re.compile(
    rf"(?<!\\)\\*+[\[【][ \t]{{0,4}}\^?(?:sources?:?[ \t]{{1,2}})?({_ID}{_MORE})[ \t]{{0,4}}\\?[\]】]",
    re.IGNORECASE,
)
_CITED = re.compile(rf"\[({_ID})\]")
_REPEATED = re.compile(rf"(\[{_ID}\])(?:[ \t]{{0,2}}\1)+")
_TARGET = r"\((?:[^()\n]|\([^()\n]{0,200}\)){0,500}\)"
_CITATION_LINK = re.compile(rf"(\[{_ID}\]){_TARGET}")
_LINK = re.compile(rf"!?\[([^\[\]\n]{{0,300}})\]{_TARGET}")
_DEFINITION = re.compile(
    r"^[ \t>]{0,20}(?:[-*+][ \t]{1,4})?"
    r"(?:\[[^\[\]\n]{1,200}\]:[ \t]{0,8}<?(?:https?:|www\.)|\[\^?\d{1,9}\]:)[^\n]*(?:\n|\Z)",
    re.MULTILINE | re.IGNORECASE,
)
_URL = re.compile(
    r"(?:[a-z][a-z0-9+]{1,10}://|\bwww\.)[^\s<>\[\]]{1,2000}|<[a-z][a-z0-9+.-]{1,30}:[^\s<>]{0,2000}>",
    re.IGNORECASE,
)
_NUMBER = (
    r"(?<!\\)\\*+\[[ \t]{0,4}\^?\d{1,9}(?:[ \t]{0,4}[,;–-][ \t]{0,4}\^?\d{1,9}){0,20}[ \t]{0,4}\\?\]"
    rf"(?:{_TARGET})?"
)
_MALFORMED = (
    r"\[(?:sources?|refs?|references?|citations?|cite)\b[^\[\]\n]{0,80}\]|【[^【】\n]{0,80}】"
    r"|:?contentReference\[[^\[\]\n]{0,80}\](?:\{[^{}\n]{0,80}\})?"
    r"|\bturn\d{1,3}(?:search|view|news|fetch)\d{1,3}\b"
)
_FAULTS = (  # in this order: a definition and a link may hold a number, a link a URL
    (_DEFINITION, "It defines links: {}. Cite the source's id, as in [s1]."),
    (re.compile(_NUMBER), "It cites by bare number: {}. Cite the source's id, as in [s1]."),
    (re.compile(_MALFORMED, re.IGNORECASE), "It has citations that cannot be read: {}. Write [s1]."),
    (_LINK, "It has links: {}. Write the words alone and cite the source's id."),
    (_URL, "It has URLs: {}. Cite the source's id, as in [s1]."),
)
_UNSEEN = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\x00-\x1f\x7f-\x9f]")
_TAG = re.compile(r"(?<!\\)((?:\\\\)*)<(?=[A-Za-z/!?])")
_MARKUP = re.compile(r"[\\`*_\[\]<>|~]|&(?=#?\w{1,31};)|(?<!\S)#")
_CODE_CHARS = re.compile("[\U000f0000-\U000ffffd]")  # private use, plane 15: no text of the web needs them
_MOST_CODES = 0xFFFD


def _without_code(markdown: str) -> tuple[str, list[str]]:
    """The text with one private character for each stretch of code, and the stretches."""
    markdown = _CODE_CHARS.sub("", markdown)
    spans = code_spans(markdown)[:_MOST_CODES]
    parts: list[str] = []
    at = 0
    for n, (start, end) in enumerate(spans):
        parts += [markdown[at:start], chr(0xF0000 + n)]
        at = end
    return "".join([*parts, markdown[at:]]), [markdown[start:end] for start, end in spans]


def _with_code(text: str, codes: Sequence[str]) -> str:
    return _CODE_CHARS.sub(lambda match: codes[ord(match.group()) - 0xF0000], text)


def _outside_code(markdown: str, change: Callable[[str], str]) -> str:
    text, codes = _without_code(markdown)
    return _with_code(change(text), codes)


def normalise(markdown: str) -> str:
    """Every citation as `[s3]`: `[S3]`, `[s1, s4]`, `[source s3]`, `【s3】` and `[s3](link)` become that."""
    return _outside_code(markdown, _normal)


def _normal(text: str) -> str:
    text = _CITATION.sub(_each_alone, text)
    return _REPEATED.sub(r"\1", _CITATION_LINK.sub(r"\1", text))


def _each_alone(match: re.Match[str]) -> str:
    ids = re.findall(_ID, match[1].lower())
    return "".join(f"[{source_id}]" for source_id in dict.fromkeys(ids))


def cited(markdown: str) -> list[str]:
    """The source ids a text cites, each once, in the order of first use."""
    return list(dict.fromkeys(_CITED.findall(_normal(_without_code(markdown)[0]))))


def problems(markdown: str, allowed: set[str]) -> list[str]:
    """
    What is wrong with the citations of a text, in sentences for whoever wrote it.

    `allowed` are the ids of the sources that may be cited. `drop_unknown` mends all of it, except that a
    text without any citation has none afterwards either.
    """
    text = _normal(_without_code(markdown)[0])
    ids = list(dict.fromkeys(_CITED.findall(text)))
    found = [f"It cites [{source_id}], which is no source." for source_id in ids if source_id not in allowed]
    for pattern, fault in _FAULTS:
        shown = list(dict.fromkeys(squash(match.group())[:80] for match in pattern.finditer(text)))
        text = pattern.sub("", text)
        if shown:
            found.append(fault.format(", ".join(shown[:5])))
    if not allowed.intersection(ids):
        found.append("It cites no source.")
    return found


def drop_unknown(markdown: str, allowed: set[str]) -> str:
    """
    The text with normal citations of `allowed` sources and nothing else that looks like one.

    Citations of other sources, bare numbers and link definitions go, with the blank before them; of a link
    its words stay, of a URL its host, if the gate can hold that against the sources. HTML becomes text.
    Doing it twice changes nothing more.
    """
    text = _without_unknown(markdown, allowed)
    return _outside_code(text, lambda prose: _TAG.sub(r"\1\\<", prose))


def _without_unknown(markdown: str, allowed: set[str]) -> str:
    known = "|".join(sorted(map(re.escape, allowed)))
    bad = rf"(?:\[(?!(?:{known})\]){_ID}\]|{_NUMBER}|{_MALFORMED})"
    run = rf"{bad}(?:[ \t,;]{{0,8}}{bad}){{0,50}}"
    unwanted = re.compile(
        rf"(?:(?<=\])[,;])?[ \t]{{0,8}}(?:\([ \t]{{0,4}}{run}[ \t]{{0,4}}\)|{run})[ \t]{{0,8}}", re.IGNORECASE
    )
    brackets = re.compile(rf"\[(?!(?:{known})\])|(?<!\d)\]")
    for _ in range(5):  # what is taken out may bring the next one together, as in [[3]3]
        before, markdown = markdown, _outside_code(markdown, lambda text: _mended(text, unwanted))
        if markdown == before:
            break
    else:
        markdown = _outside_code(markdown, lambda text: brackets.sub("", text))
    return _outside_code(markdown, lambda text: text.replace("](", "]\\("))


def _mended(text: str, unwanted: re.Pattern[str]) -> str:
    before = text = _normal(text)
    text = unwanted.sub(_gap, _DEFINITION.sub("", text))
    text = _URL.sub(_host, _LINK.sub(r"\1", text))
    return text if text == before else re.sub(r"\n{3,}", "\n\n", text)


def _gap(match: re.Match[str]) -> str:
    """What stays where a citation was: a blank between words that had one, else nothing."""
    text = match.string
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    if not before.strip() or not after.strip() or after in ".,;:!?)]" or before in "([":
        return ""
    spaced = match.group().strip(" \t,;") != match.group().strip(",;")
    return " " if spaced or (before.isalnum() and after.isalnum()) else ""


def _host(match: re.Match[str]) -> str:
    url = match.group().strip("<>")
    end = url[len(url.rstrip(".,;:!?)'\"*_")) :]
    try:
        host = urlsplit(url if "://" in url else f"//{url}").hostname or ""
    except ValueError:
        host = ""
    host = host.rstrip(".").removeprefix("www.")
    return (host if is_address(host) else "") + end


def assemble(
    title: str,
    sections: Sequence[Section],
    research: Research,
    fetched_at: Mapping[str, str] | None = None,
) -> tuple[str, list[Source]]:
    """
    The article as Markdown, and its sources in the order of first use.

    `[s3]` becomes `[1]` and so on; the list at the end has every source that is cited and no other. Only
    pages that were read can be cited: anything else that looks like a citation is dropped, so every number
    resolves. `fetched_at` says by source id when a page was read; else the page does, or it is when the
    search was made. Titles and URLs come from the web and are escaped.
    """
    readable = {page["source_id"]: page for page in research["pages"] if _is_readable(page)}
    numbers: dict[str, int] = {}

    def numbered(text: str) -> str:
        text = _CITED.sub(lambda match: f"[{numbers.setdefault(match[1], len(numbers) + 1)}]", text)
        return text.replace("]:", "]\\:")  # else it might define where a number leads

    parts = [f"# {one_line(title)}"]
    for section in sections:
        markdown = _outside_code(drop_unknown(section["markdown"], set(readable)), numbered)
        parts += [f"## {one_line(section['heading'])}", _closed(markdown.strip("\n"))]
    sources = [
        _source(
            number,
            readable[source_id],
            (fetched_at or {}).get(source_id)
            or readable[source_id].get("fetched_at")
            or research["fetched_at"],
        )
        for source_id, number in numbers.items()
    ]
    if sources:
        parts += ["## Sources", "\n".join(_listed(source) for source in sources)]
    return "\n\n".join(part for part in parts if part) + "\n", sources


def _is_readable(page: Page) -> bool:
    return page["snapshot_id"] is not None and page["url"].lower().startswith(("http://", "https://"))


def _source(number: int, page: Page, fetched_at: str) -> Source:
    url = clean(page["url"].strip())
    return {
        "number": number,
        "source_id": page["source_id"],
        "url": url,
        "title": squash(_UNSEEN.sub(" ", clean(page["title"]))) or url,
        "fetched_at": fetched_at,
    }


def _listed(source: Source) -> str:
    title = source["title"] if len(source["title"]) <= 200 else f"{source['title'][:199]}…"
    title = _escaped(title.replace("[", "(").replace("]", ")"))  # a number in brackets is a citation here
    url = re.sub(r"&(?=#?\w{1,31};)", "&amp;", quote(source["url"], safe=":/?#@!$&*+,;=%-._~"))
    return f"{source['number']}. [{title}]({url}), read {source['fetched_at'][:10]}"


def one_line(text: str) -> str:
    """One escaped line without citations; code marks go, as nothing may hide in a heading."""
    line = squash(_UNSEEN.sub(" ", re.sub(r"`|~{3,}", "", clean(text))))
    return _escaped(squash(_without_unknown(line, set())))


def _escaped(text: str) -> str:
    return _MARKUP.sub(lambda match: f"\\{match.group()}", text)


def _closed(markdown: str) -> str:
    """The text with its last code block closed, so that it cannot swallow what follows."""
    spans = code_spans(markdown)
    last = markdown[spans[-1][0] :] if spans and spans[-1][1] == len(markdown) else ""
    marks = re.match(r"`{3,}|~{3,}", last)
    if marks is None:
        return markdown
    closing = last.rpartition("\n")[2].strip() if "\n" in last else ""
    is_closed = closing.startswith(marks.group()) and not closing.strip(marks.group()[0])
    return markdown if is_closed else f"{markdown}\n{marks.group()}"
