"""From the bytes of an HTML page to its text, headings and declared dates. Runs in the child process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import trafilatura
from lxml import etree, html

from briefworks.pages.frame import in_frame, wrap_loose_text
from briefworks.pages.menus import HEADINGS, drop_menus
from briefworks.pages.plain import Extracted, cut_at_paragraph, decode
from briefworks.text import clean, instant_at, squash

MOST_TAG_CHARS = 20_000  # libxml2 needs time quadratic in a tag's attributes
MOST_TAGS = 60_000  # real pages have up to 17,000
MOST_HEADINGS, HEADING_CHARS, TITLE_CHARS = 60, 200, 300

_TAG = re.compile(r"""<[a-zA-Z](?:[^>=]++|=\s*"[^"]*"|=\s*'[^']*'|=)*+""")
_SCRIPT = re.compile(r"<(script|style)\b([^<>]{0,2000})>", re.I)
_SCRIPT_END = {name: re.compile(rf"</{name}[^>]{{0,20}}>", re.I) for name in ("script", "style")}
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.I)
_MARKUP_IN_WORDS = ("b", "strong", "em", "i", "u", "s", "mark", "small", "code", "kbd", "font")
_ESCAPED = re.compile(r"(\\+)([*_`~\[\]<])")
_ESCAPED_START = re.compile(r"^(\d{0,9})\\([#>+.)-])", re.M)
_SIGN = re.compile(r"\s*[¶#§]$")  # of a link that leads to the heading itself
_ICON = re.compile("[\ue000-\uf8ff]")  # means something in the page's own font alone
_TITLE_PARTS = re.compile(r"\s+[|–—·-]\s+")  # page | site
_HEADINGS = " | ".join(f"//{tag}" for tag in HEADINGS)
_NOT_THE_PAGE = frozenset(
    {"comment", "review", "itemListElement", "isPartOf", "mentions", "citation", "hasPart"}
)


class Unreadable(Exception):
    """There is nothing to read; the message is the note a person reads."""


def read_html(body: bytes, charset: str) -> Extracted:
    """
    What the page says, without its menus, comments and hidden elements.

    `charset` is what HTTP declares, or "". Text beyond 60,000 characters is left out, from the end of a
    paragraph on. Raises `Unreadable`.
    """
    markup, linked_data = _without_scripts(decode(body, charset))
    _refuse_bombs(markup)
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        tree = html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        raise Unreadable("no readable text") from None
    published_at = _published_at(tree, linked_data)
    _drop_hidden(tree)
    title, first = _title(tree), _first_heading(tree)
    _join_lines_of_headings(tree)
    wrap_loose_text(tree)
    drop_menus(tree)
    headings = _headings(tree)
    lists = [squash(item.text_content()) for item in tree.xpath("//li | //dd")]
    cells = [squash(cell.text_content()) for cell in tree.xpath("//td")]
    etree.strip_tags(tree, *_MARKUP_IN_WORDS)  # else their stars would stand in the midst of phrases
    text = _text(tree, headings, [item for item in lists if item])
    if first and not _said([first], text):
        headings, text = [first, *(one for one in headings if one != first)], f"# {first}\n\n{text}"
    said = squash(text)
    return {
        "title": title,
        "text": cut_at_paragraph(text),
        "headings": _of_the_text(headings, text)[:MOST_HEADINGS],
        "published_at": published_at,
        "has_list": any(item[:60] in said for item in lists if item),
        "has_table": "|" in text and any(cell[:60] in said for cell in cells if cell),
    }


def _without_scripts(markup: str) -> tuple[str, list[str]]:
    """The markup without scripts and styles, and its JSON-LD. What is not closed takes all the rest."""
    kept, linked_data, at = [], [], 0
    while (opening := _SCRIPT.search(markup, at)) is not None:
        kept.append(markup[at : opening.start()])
        closing = _SCRIPT_END[opening[1].lower()].search(markup, opening.end())
        at = closing.end() if closing else len(markup)
        if closing and "ld+json" in opening[2]:
            linked_data.append(markup[opening.end() : closing.start()])
    return "".join([*kept, markup[at:]]), linked_data


def _refuse_bombs(markup: str) -> None:
    for count, tag in enumerate(_TAG.finditer(markup), 1):
        if count > MOST_TAGS or tag.end() - tag.start() > MOST_TAG_CHARS:
            raise Unreadable("too complex to read safely")


def _drop_hidden(tree: html.HtmlElement) -> None:
    hidden = tree.xpath("//body//*[@hidden or @aria-hidden='true' or self::template or @style]")
    for element in hidden:
        style = element.get("style") or ""
        if element.tag in ("main", "article") or element.getparent() is None:
            continue
        by_attribute = element.get("hidden") is not None or element.get("aria-hidden") == "true"
        if by_attribute or element.tag == "template" or _HIDING.search(style):
            element.drop_tree()


def _join_lines_of_headings(tree: html.HtmlElement) -> None:
    """In Markdown a heading is one line; what stands after a break would be none of it."""
    for heading in tree.xpath(_HEADINGS):
        for line_break in heading.iter("br"):
            line_break.tail = f" {line_break.tail or ''}"
        etree.strip_tags(heading, "br")


def _title(tree: html.HtmlElement) -> str:
    for path in ("//meta[@property='og:title']/@content", "//head/title/text()", "//h1"):
        for found in tree.xpath(path):
            title = squash(clean(found if isinstance(found, str) else found.text_content()))
            if title:
                return title[:TITLE_CHARS]
    return ""


def _first_heading(tree: html.HtmlElement) -> str:
    """The page's own title among its headings: what the window's title is or begins with; "" without one."""
    whole = squash(tree.findtext(".//head/title") or "").casefold()
    titles = {whole, _TITLE_PARTS.split(whole)[0], *whole.split(": ")[1:]}
    for element in tree.xpath("//h1 | //div[@class='title']"):
        text = _heading(element)
        if text and text.casefold() in titles:
            return text
    return ""


def _headings(tree: html.HtmlElement) -> list[str]:
    return [text for text in map(_heading, tree.xpath(_HEADINGS)) if text]


def _heading(element: html.HtmlElement) -> str:
    return _SIGN.sub("", squash(_ICON.sub("", clean(element.text_content()))))[:HEADING_CHARS]


def _of_the_text(headings: list[str], text: str) -> list[str]:
    """Those that stand in the text, so not the site's own; all when the text has lost most of them."""
    said = _said(headings, text)
    return said if 2 * len(said) >= len(headings) else headings


def _said(headings: list[str], text: str) -> list[str]:
    said = _bare(text)
    return [heading for heading in headings if _bare(heading) in said]


def _kept(headings: list[str], items: list[str], text: str) -> int:
    """How many headings are such in the Markdown too; of a page without, how many items of its lists."""
    if not headings:
        return len(_said([item[:60] for item in items], text))
    lines = {_bare(line.lstrip("#")) for line in text.splitlines() if line.startswith("#")}
    return sum(_bare(heading) in lines for heading in headings)


def _bare(text: str) -> str:
    return re.sub(r"[\s*_`|]+", "", text)


def _text(tree: html.HtmlElement, headings: list[str], items: list[str]) -> str:
    """The text; where most of it is lost (the page has no frame that is known), that of a framed copy."""
    text = _extracted(tree)
    kept = _kept(headings, items, text)
    if 2 * kept >= len(headings or items):
        return text
    framed = _extracted(in_frame(tree))
    return framed if _kept(headings, items, framed) > kept and len(framed) >= 0.8 * len(text) else text


def _extracted(tree: html.HtmlElement) -> str:
    extracted = trafilatura.extract(
        tree,
        output_format="markdown",
        include_comments=False,
        include_tables=True,
        include_images=False,
        include_links=False,
        with_metadata=False,
    )
    text = "\n".join(line.rstrip() for line in _unescaped(_ICON.sub("", clean(extracted or ""))).splitlines())
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _unescaped(markdown: str) -> str:
    """Names as the page spells them, `snake_case` and `[1]`, without the backslashes that Markdown wants."""
    markdown = _ESCAPED.sub(lambda found: "\\" * (len(found[1]) // 2) + found[2], markdown)
    return _ESCAPED_START.sub(r"\1\2", markdown)


def _published_at(tree: html.HtmlElement, linked_data: list[str]) -> str | None:
    linked = [_dates(script) for script in linked_data]
    for n, name in enumerate(("published", "modified")):
        meta = tree.xpath("//meta[@property=$name or @name=$name]/@content", name=f"article:{name}_time")
        for text in [*(dates[n] for dates in linked), *meta]:
            if (instant := _plausible(text)) is not None:
                return instant
    return None


def _dates(script: str) -> tuple[str, str]:
    """datePublished and dateModified of a JSON-LD script, of its article if it names one."""
    try:
        nodes = list(_nodes(json.loads(script)))
    except (ValueError, RecursionError):
        return "", ""
    nodes.sort(key=lambda node: not re.search("Article|Posting|Report", str(node.get("@type"))))
    published, modified = (
        next((str(node[key]) for node in nodes if node.get(key)), "")
        for key in ("datePublished", "dateModified")
    )
    return published, modified


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    if isinstance(data, dict):
        yield data
        for key, value in data.items():
            if key not in _NOT_THE_PAGE:
                yield from _nodes(value)
    elif isinstance(data, list):
        for value in data:
            yield from _nodes(value)


def _plausible(text: str) -> str | None:
    instant = instant_at(text)
    latest = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    return instant if instant is not None and "1990" <= instant <= latest else None
