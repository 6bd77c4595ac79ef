"""Pages written by hand: loose text is put into paragraphs, the body into a frame; else they are lost."""

from __future__ import annotations

from copy import deepcopy

from lxml import etree, html

NEARLY_ALL = 0.9  # of the letters
_HOLDERS = ("body", "div", "td", "center", "section", "article", "main", "dd", "font")
_BOXES = ("div", "section", "main", "center", "font", "form", "table", "tbody", "tr", "td")
_INLINE = (
    "a abbr acronym b bdi bdo big cite code del dfn em font i img ins kbd label mark q s samp small span"
    " strike strong sub sup time tt u var wbr"
)


def wrap_loose_text(tree: html.HtmlElement) -> None:
    """Give every run of text and inline elements beside a block a `p`; two line breaks part such runs."""
    for anchor in tree.xpath("//a[not(@href)]"):
        anchor.drop_tag()  # a heading inside would pass for a link
    inline = frozenset(_INLINE.split())
    for holder in list(tree.iter(*_HOLDERS)):
        if any(child.tag not in inline and child.tag != "br" for child in holder):
            _wrap(holder, inline)


def in_frame(tree: html.HtmlElement) -> html.HtmlElement:
    """A copy whose body holds nothing but an `article`: the innermost element with nearly all of the text."""
    tree = deepcopy(tree)
    body = tree.find(".//body")
    if body is None:
        return tree
    inner, enough = body, NEARLY_ALL * _chars(body)
    boxes = [body]
    while boxes:
        inner = boxes[0]
        boxes = [box for box in inner.iterchildren(*_BOXES) if _chars(box) >= enough]
    article = etree.Element("article")
    article.text = inner.text
    article.extend(list(inner))
    body.clear()
    body.append(article)
    return tree


def _chars(element: html.HtmlElement) -> int:
    return len(element.text_content())


def _wrap(holder: html.HtmlElement, inline: frozenset[str]) -> None:
    children, text = list(holder), holder.text
    holder.text = None
    for child in children:
        holder.remove(child)
    run = _Run(holder)
    run.add_text(text)
    for child in children:
        tail, child.tail = child.tail, None
        if child.tag in inline:
            run.add(child)
        elif child.tag == "br":
            run.line_break(child)
        else:
            run.end()
            holder.append(child)
        run.add_text(tail)
    run.end()


class _Run:
    """The `p` that is being filled."""

    def __init__(self, holder: html.HtmlElement) -> None:
        self._holder = holder
        self._begin()

    def _begin(self) -> None:
        self._p = etree.Element("p")
        self._last: html.HtmlElement | None = None  # asking the `p` for it would count all its children

    def add_text(self, text: str | None) -> None:
        if not text:
            return
        if self._last is None:
            self._p.text = (self._p.text or "") + text
        else:
            self._last.tail = (self._last.tail or "") + text

    def add(self, child: html.HtmlElement) -> None:
        self._p.append(child)
        self._last = child

    def line_break(self, br: html.HtmlElement) -> None:
        last = self._last
        if last is not None and last.tag == "br" and not (last.tail or "").strip():
            self.end()
        else:
            self.add(br)

    def end(self) -> None:
        if "".join(self._p.itertext()).strip():
            self._holder.append(self._p)
        self._begin()
