"""Where a continued answer goes on: what it repeats of the part before is left out, while it streams."""

from __future__ import annotations

from collections.abc import Callable

from briefworks.errors import ModelAnswerInvalid
from briefworks.model.request import Request

_QUOTED_CHARS = 12_000
_CERTAIN_CHARS = 16  # a repetition this long is one wherever it begins
_ANEW_CHARS = 120  # so much of the part before, and then something else: it was begun anew


def continuation(request: Request, partial: str) -> Request:
    """The request that has a truncated answer continued; without any text yet, twice the room for it."""
    if not partial.strip():
        return request.plus("Answer briefly.", max_tokens=2 * request.max_tokens)
    return request.plus(
        "You have begun this answer already and were cut off. This is what you wrote, or the end of it:\n\n"
        f"<written>{partial[-_QUOTED_CHARS:]}</written>\n\n"
        "Do not begin again. Repeat the last five words of it exactly, and go straight on from there to the "
        "end, with no word about the interruption."
    )


class Seam:
    """
    Passes a continuation on to `on_text` without what it repeats of `partial`.

    Held back until it cannot be a repetition any more. `finish` after the last piece; `text` is then the part
    that was new. Raises `ModelAnswerInvalid` when the answer was begun anew in other words.
    """

    def __init__(self, partial: str, on_text: Callable[[str], None]) -> None:
        self._partial, self._on_text = partial, on_text
        self._held: str | None = ""
        self.text = ""

    def feed(self, piece: str) -> None:
        if self._held is None:
            self._pass(piece)
            return
        self._held += piece
        if self._held not in self._partial and self._held.lstrip() not in self._partial:
            self.finish()

    def finish(self) -> None:
        if self._held is None:
            return
        held, self._held = self._held, None
        for candidate in (held, held.lstrip()):
            if repeated := _overlap(self._partial, candidate):
                self._pass(candidate[repeated:])
                return
        if len(held) > _ANEW_CHARS and held[:_ANEW_CHARS] in self._partial:
            raise ModelAnswerInvalid("The model began anew instead of going on where its answer was cut off.")
        if _begins_anew(self._partial, held):
            raise ModelAnswerInvalid("The model did not go on where its answer was cut off.")
        gap = " " if self._partial.endswith((".", "!", "?")) and held[:1].isalnum() else ""
        self._pass(gap + held)

    def _pass(self, text: str) -> None:
        if text:
            self.text += text
            self._on_text(text)


def _begins_anew(partial: str, going_on: str) -> bool:
    """Whether a sentence, a heading or a fence begins where another sentence is still under way."""
    before, begun = partial.rstrip()[-1:], going_on.lstrip()
    in_sentence = before in (",", ";") or (before.isalpha() and not before.isupper())
    return in_sentence and (begun.startswith(("#", "```", "<")) or begun[:1].isupper())


def _overlap(partial: str, going_on: str) -> int:
    """How many characters at the end of `partial` are repeated at the beginning of what goes on."""
    for length in range(min(len(partial), len(going_on)), 0, -1):
        if partial.endswith(going_on[:length]):
            before = partial[-length - 1 : -length]
            if length >= _CERTAIN_CHARS or not before or before.isspace():
                return length
    return 0
