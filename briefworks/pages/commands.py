"""
Sentences of a page that are addressed to a model: they are left out of what is read, and reported.

A second wall, not the first: page text reaches a model as data only, and what it writes passes the citation
gate. The patterns are bounded; a sentence that merely writes about such commands may be left out too. Letters
that look alike and characters that are not seen hide nothing; other spellings (1gnore, i g n o r e) do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from briefworks.text import paragraph_spans, sentence_spans, squash, without_unseen

MOST_SHOWN, MOST_CHARS = 10, 300
_MODEL = (
    r"(?:AI|A\.I\.|LLMs?|language models?|AI (?:assistant|model|agent|writer)s?|chatbots?|ChatGPT|Claude|GPT)"
)
_YOURS = r"(?:the|this|your|its) (?:article|answer|response|reply|text|summary|output|section|draft)"
_DO = r"(?:add|include|insert|link|recommend|mention|write|say|stop|reply|respond|output|cite)"
_OVERRIDES = (  # “ignore all previous instructions”, en de fr es it pt nl pl ru zh ja
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|system)\b"
    r".{0,30}\b(?:instructions?|prompts?|rules|guidelines|directions)\b",
    r"\b(?:ignorier\w{0,4}|vergiss|vergesst|vergessen sie|missachte\w{0,2})\b.{0,40}"
    r"\b(?:bisherig|vorherig|vorig|vorangehend|obig|alle).{0,30}\b(?:Anweisung|Instruktion|Vorgabe|Prompt)",
    r"\b(?:ignore[zr]?|oublie[zr]?)\b.{0,40}\b(?:toutes|tous|précédent|antérieur|ci-dessus)"
    r".{0,30}(?:instruction|consigne|directive)",
    r"\b(?:ignor[ae]n?|olvid[ae]n?)\b.{0,40}\b(?:todas|anteriores|previas).{0,30}"
    r"\b(?:instrucciones|indicaciones|órdenes)",
    r"\b(?:ignora(?:te)?|dimentica(?:te)?)\b.{0,40}\b(?:tutte|precedenti).{0,30}\b(?:istruzioni|indicazioni)",
    r"\b(?:ignor[ae]m?|esque[çc]a)\b.{0,40}\b(?:todas|anteriores).{0,30}\b(?:instruções|orientações)",
    r"\b(?:negeer|vergeet)\b.{0,40}\b(?:alle|vorige|voorgaande|eerdere).{0,30}\b(?:instructies|opdrachten)",
    r"\b(?:z?ignoruj|zapomnij)\w{0,3}\b.{0,40}\b(?:wszystki|poprzedni|wcześniejsz).{0,30}"
    r"\b(?:instrukcj|poleceni)",
    r"\b(?:игнорируй|забудь)\w{0,3}\b.{0,40}\b(?:все|предыдущ).{0,30}\b(?:инструкци|указани)",
    r"忽略.{0,20}(?:之前|以上|所有|先前).{0,20}(?:指令|指示|说明|提示)",
    r"(?:以前|これまで|上記|前).{0,10}(?:指示|命令|指令).{0,10}(?:無視|忘れ)",
)
_PATTERNS = (
    *_OVERRIDES,
    rf"\b(?:you are|you're|act as|pretend to be)\b(?! not)[^.]{{0,30}}\b{_MODEL}\b",
    r"\b(?:reveal|print|repeat|output|show|disclose|quote)\b[^.]{0,30}"
    r"\b(?:system prompt|your (?:\w{1,12} )?(?:prompt|instructions)|initial instructions)\b",
    rf"\b{_MODEL}\b[^.]{{0,60}}\b(?:must|should|shall|are (?:instructed|required|asked) to|please)\b"
    rf"[^.]{{0,40}}\b{_DO}\b",
    r"^[\W\d]{0,8}(?:(?:dear|attention|note (?:to|for)|message to|hey|to)\b,? )?(?:any |all |every |the )?"
    rf"{_MODEL}(?:[^.,:]{{0,40}}:|,)",
    r"\b(?:add|include|insert|place|put|append)\b[^.]{0,60}\b(?:link|url|hyperlink|backlink|address)\b"
    rf".{{0,80}}\b{_YOURS}",
    rf"\b(?:in|into|to|at the end of) {_YOURS}\b[^.]{{0,10}}[:,]? ?(?:always |you must |please ){_DO}\b",
    r"\b(?:Hinweis|Anweisung|note|nota|avviso|uwaga|opmerking|aviso) "
    r"(?:für|an|pour|para|per|dla|voor|aos?|às?)\b.{0,12}"
    r"(?:(?-i:\b(?:KI|IA|AI)\b)|Sprachmodell|modèles? de langage|modelos? de l|modell[io] ling|taalmodel)",
    r"\bnew (?:system )?instructions? ?:|<\|?(?:im_start|im_end|endoftext|assistant|human)\|?>|\[/?INST\]",
    r"</?(?:system|tool_|function_)[a-z_-]{0,16}\b[^<>]{0,80}>|^(?:Human|Assistant): ",
    r"\b(?:the|your) (?:new )?task (?:has changed|is now)\b|\bdeveloper mode (?:enabled|on|activated)\b",
    r"\b(?:repeat|print|output|begin|start|write)\b[^.]{0,30}"
    r"\b(?:everything|all|text) (?:above|before) this\b",
    r"\bdo not (?:write|say|output) anything else\b",
    r"\b(?:stop|end) your (?:answer|response|reply|output)\b",
    r"\b(?:speak|talk|write|answer|respond) (?:only )?(?:like|as|in the voice of) [^.]{1,30}\bfrom now on\b",
    r"\byou (?:must|will)(?: now)? (?:only )?(?:advertise|praise|(?:write|speak|talk|answer) (?:like|as))\b",
    r"[\"“](?:meta_description|intent_why|verdicts|paragraph_id|outline)[\"”] ?: ?[\[\"“{]",
    r"\b(?:stop|cease|refuse) (?:writing|generating|answering) (?:here|now|at once|immediately|the|this)\b",
    r"\bfrom now on\b[^.]{0,20}\b(?:you|write|respond|answer|speak)\b",
    r"\b(?:change|switch|drop|abandon) your (?:persona|tone|voice|role|style)\b",
)
_COMMAND = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)
_OVERRIDE = re.compile("|".join(_OVERRIDES), re.IGNORECASE)
_ALIKE = str.maketrans(
    "аеорсухіѕјԁһɡοаΑΒΕΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТУХІЅЈ", "aeopcyxisjdhgoaABEHIKMNOPTYXABEKMHOPCTYXISJ"
)
_REACH = 200  # characters of two neighbours that may be one command


def without_commands(text: str) -> tuple[str, list[str]]:
    """The text without the sentences that command a model, and what they said."""
    spans = [
        (start + a, start + b)
        for start, end in paragraph_spans(text)
        for a, b in sentence_spans(text[start:end])
    ]
    said: list[str] = []
    parts: list[str] = []
    at = 0
    for start, end in _commands(text, spans):
        said.append(squash(text[start:end])[:MOST_CHARS])
        parts.append(text[at:start])
        at = end + (text[end : end + 1] == " ")
    return "".join([*parts, text[at:]]), said[:MOST_SHOWN]


def _commands(text: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The sentences that command, and two neighbours that do so together."""
    seen = [_seen(text[start:end]) for start, end in spans]
    found = [any(map(_COMMAND.search, {*ways})) for ways in seen]
    for n in range(1, len(spans)):
        if not (found[n - 1] or found[n]):
            pairs = {f"{a[-_REACH:]} {b[:_REACH]}" for a, b in zip(seen[n - 1], seen[n], strict=True)}
            if any(map(_OVERRIDE.search, pairs)):
                found[n - 1] = found[n] = True
    return (span for span, commands in zip(spans, found, strict=True) if commands)


def _seen(sentence: str) -> tuple[str, str]:
    """A sentence as it looks, and with letters of other scripts as the Latin ones that they look like."""
    shown = squash(unicodedata.normalize("NFKC", without_unseen(sentence)))
    return shown, shown.translate(_ALIKE)
