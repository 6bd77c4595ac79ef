"""The citation gate in eight languages, and across them: the same figure in other words, and no other one."""

from __future__ import annotations

import pytest

from briefworks.citations import Sources, check
from briefworks.citations.words import LANGUAGES, worded

SAID = {
    "en": """Tested on 12 March 2019 by 1,200 people in thirty offices; 25 percent return it,
        3 out of 4 like it. Sales: $7.5 million. A board of 7/4 to 9 cm.""",
    "de": """Getestet am 12. März 2019 von 1.200 Leuten in dreißig Büros. Ein Viertel gibt ihn zurück, drei
        von vier mögen ihn. „Er ist leise genug.“""",
    "fr": """Testé le 12 mars 2019 par 1 200 personnes dans quatre-vingt-dix bureaux. Les trois quarts
        l'aiment. « Il est assez silencieux. »""",
    "es": """Probado el 12 de marzo de 2019 por 1.200 personas en treinta y cinco oficinas. Tres de cada
        cuatro lo aprecian.""",
    "it": """Provata il 12 marzo 2019 da 1.200 persone in venticinque uffici. Due terzi lavorano in piedi.
        Fatturato: 2,5 milioni.""",
    "pt": """Testada em 12 de março de 2019 por 1.200 pessoas em cento e vinte escritórios. Dois terços
        trabalham em pé.""",
    "nl": """Getest op 12 maart 2019 door 1.200 mensen in vijfentwintig kantoren. Drie op de vier raden het
        aan.""",
    "pl": """Testowało 12 marca 2019 r. 1200 osób w dwudziestu pięciu biurach. Dwie trzecie pracuje na
        stojąco.""",
}


def unsaid(markdown: str, language: str, *told: str) -> list[str]:
    texts = {f"s{n}": SAID[one] for n, one in enumerate(told or (language,), 1)}
    found = check(markdown, Sources(texts, frozenset(), "", language)).unsaid
    return [fact for one in found for fact in one.facts]


@pytest.mark.parametrize(
    ("language", "markdown"),
    [
        (
            "en",
            "In March 2019, 1,200 people in 30 offices tried it [s1]. Three quarters, 75 %, like it [s1].",
        ),
        ("en", "Revenue is $7.5m [s1]. A third option: stand on one leg, once. One in four returns it [s1]."),
        ("de", "Am 12. März 2019 testeten es 1200 Leute in 30 Büros [s1]. 25 Prozent geben ihn zurück [s1]."),
        (
            "de",
            "Drei Viertel mögen ihn, 75 % [s1]. Man nehme sich in Acht. »Er ist leise genug« [s1].",
        ),
        (
            "fr",
            "En mars 2019, 90 bureaux l'ont testé [s1]. 75 pour cent l'aiment : « assez silencieux » [s1].",
        ),
        ("es", "En marzo de 2019 lo probaron 35 oficinas [s1]. El 75 % lo aprecia, una vez montado [s1]."),
        ("it", "A marzo 2019 in 25 uffici [s1]. Due su tre lavorano in piedi, 2.500.000 di fatturato [s1]."),
        ("pt", "Em março de 2019, 120 escritórios [s1]. Dois em cada três trabalham em pé [s1]."),
        ("nl", "In maart 2019 in 25 kantoren [s1]. Drie vierde raadt het aan, 75 procent [s1]."),
        ("pl", "W marcu 2019 w 25 biurach [s1]. Dwie trzecie pracuje na stojąco [s1]."),
    ],
)
def test_an_honest_text_of_any_language_passes(language: str, markdown: str) -> None:
    assert unsaid(markdown, language) == []


@pytest.mark.parametrize(
    ("language", "told", "markdown"),
    [
        ("de", "en", "Am 12. März 2019 waren es dreißig Büros, drei von vier mögen es [s1]."),
        ("fr", "de", "Le 12 mars 2019 dans trente bureaux, 1 200 personnes, un quart le rend [s1]."),
        ("en", "fr", "Ninety offices tried it on March 12, 2019; three in four like it [s1]."),
        ("es", "pl", "Eran veinticinco oficinas el 12 de marzo de 2019; dos tercios trabajan de pie [s1]."),
    ],
)
def test_a_source_of_another_language_backs_the_same_figure(language: str, told: str, markdown: str) -> None:
    assert unsaid(markdown, language, told) == []


@pytest.mark.parametrize(
    ("language", "markdown", "fact"),
    [
        ("de", "Es kostet neunhundert Euro [s1].", "neunhundert euro"),
        ("de", "Zweihundertfünfzig Büros [s1].", "zweihundertfünfzig"),
        ("de", "Zwei Drittel mögen ihn [s1].", "zwei drittel"),
        ("de", "Am 12. April 2019 [s1].", "12. april 2019"),
        ("fr", "Quatre-vingt-onze bureaux [s1].", "quatre-vingt-onze"),
        ("fr", "Les deux tiers l'aiment [s1].", "deux tiers"),
        ("es", "Novecientos euros [s1].", "novecientos euros"),
        ("es", "Dos de cada tres [s1].", "dos de cada tre"),
        ("it", "Novecentotré euro [s1].", "novecentotré euro"),
        ("pt", "Novecentos euros [s1].", "novecentos euros"),
        ("nl", "Negenhonderd euro [s1].", "negenhonderd euro"),
        ("pl", "Dziewięćset euro [s1].", "dziewięćset euro"),
        ("pl", "12 kwietnia 2019 [s1].", "12 kwietnia 2019"),
    ],
)
def test_a_figure_in_words_that_no_source_has_is_found(language: str, markdown: str, fact: str) -> None:
    (found,) = unsaid(markdown, language)
    assert found.startswith(fact)


@pytest.mark.parametrize(
    ("language", "text", "numbers"),
    [
        (
            "en",
            "two hundred and fifty, twenty-five thousand, half a million, a hundred",
            [250, 25_000, 500_000, 100],
        ),
        ("en", "between ten and twenty, two and three", [10, 20, 2, 3]),
        ("de", "zweitausenddreihundertvierundvierzig, siebzehn, einhunderttausend", [2344, 17, 100_000]),
        ("fr", "soixante et onze, quatre-vingt-dix-sept, deux mille trois cents", [71, 97, 2300]),
        ("es", "mil novecientos ochenta y cuatro, medio millón", [1984, 500_000]),
        ("it", "duemilatrecentoventuno, ottantotto", [2321, 88]),
        ("pt", "mil novecentos e oitenta e quatro", [1984]),
        ("nl", "tweeëntwintig, driehonderdvijftig", [22, 350]),
        ("pl", "dwa tysiące trzysta czterdzieści pięć", [2345]),
    ],
)
def test_numbers_in_words_are_read_as_they_are_spoken(language: str, text: str, numbers: list[int]) -> None:
    assert [int(one.value) for one in worded(text, [language])] == numbers


def test_every_language_has_all_twelve_months_and_counts_to_twenty() -> None:
    for language in LANGUAGES.values():
        assert set(language.months.values()) == set(range(1, 13))
        assert set(range(21)) <= {word.value for word in language.words.values()}
