"""The steps of polish: critique and rewrite, at most twice, then the best version."""

from __future__ import annotations

from briefworks import phases
from briefworks.model import ModelCalls
from briefworks.personas import Persona
from briefworks.pipeline.publishing import published
from briefworks.pipeline.run import Body, Run
from briefworks.shapes import (
    Brief,
    Critique,
    Draft,
    Polished,
    Research,
    Section,
    SectionDone,
    Usage,
    add_usage,
)
from briefworks.stream import StepWriter

MOST_ROUNDS = 2


def polish_article(
    run: Run, persona: Persona, found: Research, planned: Brief, drafted: Draft, spent: Usage
) -> Polished:
    """Steps `polish-critique-<r>`, `polish-section-<n>-<r>` and `polish`; `spent` is all before them."""
    language = run.asked.language
    rounds: list[phases.Round] = []
    current = drafted["sections"]

    def critique(r: int, sections: list[Section]) -> Body[Critique]:
        return lambda _out, calls: phases.run_critique_phase(sections, r, calls=calls, language=language)

    def rewrite(section: Section, criticised: Critique) -> Body[SectionDone]:
        return lambda out, calls: phases.run_rewrite_phase(
            section,
            criticised["findings"],
            persona,
            research=found,
            texts=run.texts(found),
            calls=calls,
            out=out,
            language=language,
        )

    def polish(_out: StepWriter, _calls: ModelCalls) -> Polished:
        article = phases.run_polish_phase(
            run.asked, planned, drafted, rounds, found, run.texts(found), usage_so_far=total
        )
        return published(article, run, found)

    for r in range(1, MOST_ROUNDS + 1):
        criticised = run.step(f"polish-critique-{r}", "polish", "critique-done", critique(r, current))
        flagged = phases.flagged_sections(criticised)
        rewritten = run.parallel(
            "polish",
            "section-done",
            {
                f"polish-section-{section['n']}-{r}": rewrite(section, criticised)
                for section in current
                if section["n"] in flagged
            },
        )
        rounds.append({"critique": criticised, "sections": rewritten})
        new = {done["n"]: done["section"] for done in rewritten}
        before, current = current, [new.get(section["n"], section) for section in current]
        if not phases.worth_another_round(before, current, language):
            break
    total = add_usage(
        spent,
        *(done["critique"]["usage"] for done in rounds),
        *(rewritten["section"]["usage"] for done in rounds for rewritten in done["sections"]),
    )
    return run.step("polish", "polish", "polish-done", polish, ends_run=True)
