"""
Sentences of a page that are addressed to a model: they are left out of what is read, and reported.

A second wall, not the first: page text reaches a model as data only, and what it writes passes the citation
gate. The patterns are bounded; a sentence that merely writes about such commands may be left out too.
"""

from __future__ import annotations

import re

from briefworks.text import paragraph_spans, sentence_spans, squash

MOST_SHOWN, MOST_CHARS = 10, 300
_MODEL = (
    r"(?:AI|A\.I\.|LLMs?|language models?|AI (?:assistant|model|agent|writer)s?|chatbots?|ChatGPT|Claude|GPT)"
)
_YOURS = r"(?:the|this|your|its) (?:article|answer|response|reply|text|summary|output|section|draft)"
_DO = r"(?:add|include|insert|link|recommend|mention|write|say|stop|reply|respond|output|cite)"
_PATTERNS = (
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|system)\b"
    r".{0,30}\b(?:instructions?|prompts?|rules|guidelines|directions)\b",
    rf"\b(?:you are|you're|act as|pretend to be)\b(?! not)[^.]{{0,30}}\b{_MODEL}\b",
    r"\b(?:reveal|print|repeat|output|show|disclose|quote)\b[^.]{0,30}"
    r"\b(?:system prompt|your (?:\w{1,12} )?(?:prompt|instructions)|initial instructions)\b",
    rf"\b{_MODEL}\b[^.]{{0,60}}\b(?:must|should|shall|are (?:instructed|required|asked) to|please)\b"
    rf"[^.]{{0,40}}\b{_DO}\b",
    rf"^[\W\d]{{0,8}}(?:(?:dear|attention|note to|message to|hey|to)\b,? )?(?:any |all |every |the )?{_MODEL}"
    r"(?:[^.,:]{0,40}:|,)",
    r"\b(?:add|include|insert|place|put|append)\b[^.]{0,60}\b(?:link|url|hyperlink|backlink|address)\b"
    rf".{{0,80}}\b{_YOURS}",
    rf"\b(?:in|into|to|at the end of) {_YOURS}\b[^.]{{0,10}}[:,]? ?(?:always |you must |please ){_DO}\b",
    r"\bnew (?:system )?instructions? ?:|<\|?(?:system|im_start|im_end|assistant)\|?>|\[/?INST\]",
    r"\b(?:stop|cease|refuse) (?:writing|generating|answering) (?:here|now|at once|immediately|the|this)\b",
    r"\bfrom now on\b[^.]{0,20}\b(?:you|write|respond|answer|speak)\b",
    r"\b(?:change|switch|drop|abandon) your (?:persona|tone|voice|role|style)\b",
)
_COMMAND = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)


def without_commands(text: str) -> tuple[str, list[str]]:
    """The text without the sentences that command a model, and what they said."""
    said: list[str] = []
    parts: list[str] = []
    at = 0
    for start, end in paragraph_spans(text):
        for a, b in sentence_spans(text[start:end]):
            sentence = squash(text[start + a : start + b])
            if _COMMAND.search(sentence):
                said.append(sentence[:MOST_CHARS])
                parts.append(text[at : start + a])
                at = start + b + (text[start + b : start + b + 1] == " ")
    return "".join([*parts, text[at:]]), said[:MOST_SHOWN]
