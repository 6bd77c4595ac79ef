"""What code mends in a section before anybody sees it as finished."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from briefworks.phases.repair import repaired
from in_time import quickly

BODY = "A desk rises in ten seconds [s1].\n\nIts motor is quiet [s2]."


@pytest.mark.parametrize(
    ("said", "is_left"),
    [
        (BODY, BODY),
        (f"```markdown\n{BODY}\n```", BODY),
        (f"## How a desk rises\n\n{BODY}", BODY),
        (f"**How a desk rises**\n{BODY}", BODY),
        (f"How a desk rises\n\n{BODY}", BODY),
        (f"# Another title altogether\n\n{BODY}", BODY),
        (f"Here is the section you asked for:\n\n{BODY}", BODY),
        (f"Let me search the sources first.\n\n{BODY}", BODY),
        (f"Here is the section:\n\n## How a desk rises\n\n{BODY}", BODY),
        (f"{BODY}\n\nLet me know if you want changes.", BODY),
        (f"{BODY}\n\n(Word count: 12)", BODY),
        (f"{BODY}\n\nSources:\n- s1", BODY),
        (f'<section n="1">\n{BODY}\n</section>', BODY),
        ("A motor (s1) hums (S2, s3).", "A motor [s1] hums [S2, s3]."),
        ("A todo list keeps its TODO [s1].", "A todo list keeps its TODO [s1]."),
        ("It rises [s1]. TODO: find out how [s1].", "It rises [s1]."),
        (
            "It hums [s1]. Ask [insert name here] for more [s2]. It stops [s3].",
            "It hums [s1]. It stops [s3].",
        ),
        ("It rises [s1]. Let me look up the motor. It hums [s2].", "It rises [s1]. It hums [s2]."),
        (f"{BODY}\n\nI’ll now draft the next part.\n\nIt stops [s3].", f"{BODY}\n\nIt stops [s3]."),
        (f"<thinking>\nThe motor first.\n\nThen the top.\n</thinking>\n\n{BODY}", BODY),
        (f"<thinking>{BODY}", BODY),
        (f"{BODY} As an AI language model I have no desk.", BODY),
        (f"{BODY}\n\nLorem ipsum dolor sit amet.", BODY),
        (f"{BODY} It costs <insert price>.", BODY),
        ("Let me say it plainly: it hums [s1].", "Let me say it plainly: it hums [s1]."),
        ("I will write with it for a week.", "I will write with it for a week."),
        ("#### Inside\n\nIt hums [s1].", "### Inside\n\nIt hums [s1]."),
    ],
)
def test_a_section_is_mended(said: str, is_left: str) -> None:
    assert repaired(said, "How a desk rises")[0] == is_left


def test_a_sentence_that_only_begins_like_talk_stays_when_it_is_cited() -> None:
    text = f"Here is what the makers measured [s1].\n\n{BODY}"
    assert repaired(text, "H") == (text, [])


@given(st.text(alphabet="aA s123[](){}#*`\n.,:;<>/^【】http", max_size=400))
def test_mending_any_text_invents_no_citation(text: str) -> None:
    assert set(re.findall(r"\[(s\d+)\]", repaired(text, "H")[0])) <= set(re.findall(r"s\d+", text))


def test_mending_hostile_text_takes_no_time() -> None:
    pieces = (
        "[s1",
        "[s1 ",
        "# ",
        "[a](",
        "<section ",
        "{{",
        " \n",
        "**",
        "[insert ",
        "<thinking>",
        "I will ",
    )
    quickly(5, lambda: [repaired(piece * 20_000, "H") for piece in pieces])


TALK = {
    "de": """Lass mich zuerst die Quellen prüfen. Ich werde nun den Abschnitt schreiben. Hier ist der
        überarbeitete Abschnitt. Als KI-Sprachmodell habe ich keinen Tisch. Es tut mir leid. Ich kann
        diesen Text nicht schreiben. Ich habe keinen Zugriff auf das Netz. Es kostet [Preis einfügen] im
        Laden.""",
    "fr": """Laissez-moi chercher les sources. Je vais rédiger la section. Voici la nouvelle version. En tant
        qu'IA, je n'ai pas de bureau. Je suis désolé. Je ne peux pas écrire cela. J'ai vérifié les
        sources. Il coûte [insérer le prix] en magasin.""",
    "es": """Déjame buscar más. Ahora voy a redactar la sección. Aquí tienes la nueva versión. Como modelo de
        lenguaje no tengo mesa. Lo siento mucho. No puedo escribir eso. No tengo acceso a la red. Cuesta
        [insertar precio].""",
    "it": """Lasciami cercare le fonti. Scriverò questa sezione. Ecco la nuova versione. Come modello
        linguistico non ho un tavolo. Mi dispiace molto. Non posso scrivere questo. Ho scritto la
        sezione. Costa [inserire prezzo].""",
    "pt": """Deixe-me pesquisar as fontes. Vou redigir a seção. Aqui está a nova versão. Como modelo de
        linguagem não tenho mesa. Sinto muito, mas não. Não posso escrever isso. Não tenho acesso à
        rede. Custa [inserir preço].""",
    "nl": """Laat me eerst de bronnen controleren. Ik ga nu de tekst schrijven. Hier is de nieuwe versie. Als
        taalmodel heb ik geen bureau. Het spijt me. Ik kan dit niet schrijven. Ik heb geen toegang. Het
        kost [prijs invoegen].""",
    "pl": """Pozwól mi sprawdzić źródła. Teraz wyszukam więcej. Oto nowa wersja. Jako model językowy nie mam
        biurka. Przykro mi. Nie mogę napisać tego. Napisałam już wszystko. Kosztuje [wstaw cenę] w
        sklepie.""",
}
PLAIN = {
    "de": "Hier ist der Motor leise. Ich habe den Tisch getestet. Als Kind stand ich gern. Lassen Sie ihn.",
    "fr": "Voici la raison. Je vais debout au travail. En tant que lecteur, je sais. Je ne peux pas dormir.",
    "es": "Aquí está la razón. Voy a pie. Como una mesa, pesa. No puedo dormir. Claro que sube.",
    "it": "Ecco la ragione. Come un tavolo, pesa. Non posso dormire. Certo, sale.",
    "pt": "Aqui está a razão. Vou a pé. Como uma mesa, pesa. Não posso dormir.",
    "nl": "Hier is de motor stil. Ik ga staan. Als kind stond ik. Laat me staan. Ik kan niet slapen.",
    "pl": "Oto powód. Jako dziecko stałem. Nie mogę spać. Nie mam dostępu do biurka.",
}


@pytest.mark.parametrize("language", TALK)
def test_talk_and_placeholders_of_other_languages_are_cut_and_plain_sentences_stay(language: str) -> None:
    text, cuts = repaired(f"{' '.join(TALK[language].split())}\n\n{PLAIN[language]}\n\n{BODY}", "H")
    assert text == f"{PLAIN[language]}\n\n{BODY}"
    assert [cut.what for cut in cuts] == ["talk"] * 7 + ["placeholder"]


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("Gerne! Das ist er:", "Ich hoffe, das hilft."),
        ("Bien sûr !", "N'hésitez pas à demander."),
        ("¡Claro!", "No dudes en preguntar."),
        ("Certo!", "Fammi sapere."),
        ("Conforme solicitado:", "Avise-me se quiser mais."),
        ("Zoals gevraagd:", "Laat het me weten."),
        ("Jasne!", "Daj znać."),
    ],
)
def test_a_first_and_a_last_paragraph_of_talk_go_in_other_languages_too(opening: str, closing: str) -> None:
    assert repaired(f"{opening}\n\n{BODY}\n\n{closing}", "H")[0] == BODY
