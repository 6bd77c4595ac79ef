"""The readable part of JSON that is still being written: its string values, as they come."""

from __future__ import annotations

from collections.abc import Callable

_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class ReadableText:
    """
    Feeds `on_text` with the string values of the first JSON object in the pieces it is fed, keys left out.

    What is heard, joined, is the decoded values joined by line breaks, cleaned (see `text.clean`). What
    stands before and after the object is skipped. Broken JSON is heard as far as it goes; nothing is raised.
    """

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text
        self._open: list[str] = []  # brackets that are not closed yet
        self._over = False
        self._in_string = self._is_value = False
        self._wants_key = False
        self._escape: str | None = None  # an escape so far, without its backslash
        self._half = ""  # first half of a surrogate pair
        self._values = 0
        self._heard: list[str] = []

    def feed(self, piece: str) -> None:
        for char in piece:
            if self._over:
                break
            if self._escape is not None:
                self._unescape(char)
            elif self._in_string:
                self._string(char)
            else:
                self._structure(char)
        if self._heard:
            text, self._heard = "".join(self._heard), []
            self._on_text(text)

    def _structure(self, char: str) -> None:
        if char == "{" or (char == "[" and self._open):
            self._open.append(char)
            self._wants_key = char == "{"
        elif not self._open:
            return
        elif char in "}]":
            self._open.pop()
            self._over = not self._open
        elif char == ",":
            self._wants_key = self._open[-1] == "{"
        elif char == ":":
            self._wants_key = False
        elif char == '"':
            self._in_string, self._is_value = True, not self._wants_key
            if self._is_value:
                self._values += 1
                if self._values > 1:
                    self._heard.append("\n")

    def _string(self, char: str) -> None:
        if char == "\\":
            self._escape = ""
        elif char == '"':
            self._in_string = False
            self._end_half()
        else:
            self._hear(char)

    def _unescape(self, char: str) -> None:
        self._escape = (self._escape or "") + char
        if self._escape[0] != "u":
            self._hear(_ESCAPED.get(char, char))
        elif len(self._escape) < 5:
            return
        else:
            try:
                self._hear(chr(int(self._escape[1:], 16)))
            except ValueError:
                self._hear("\ufffd")
        self._escape = None

    def _hear(self, char: str) -> None:
        if not self._is_value or char == "\x00":
            return
        if self._half and "\udc00" <= char <= "\udfff":
            pair, self._half = self._half + char, ""
            self._heard.append(pair.encode("utf-16", "surrogatepass").decode("utf-16"))
            return
        self._end_half()
        if "\ud800" <= char <= "\udbff":
            self._half = char
        else:
            self._heard.append("\ufffd" if "\udc00" <= char <= "\udfff" else char)

    def _end_half(self) -> None:
        if self._half:
            self._half = ""
            self._heard.append("\ufffd")
