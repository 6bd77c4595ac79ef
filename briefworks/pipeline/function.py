"""The function `generate-article`: research, brief, draft, polish, each paid for once."""

from __future__ import annotations

from typing import Any

import inngest

from briefworks import personas, phases
from briefworks.model import ModelCalls
from briefworks.pipeline.parts import Parts
from briefworks.pipeline.polishing import polish_article
from briefworks.pipeline.run import Body, Run
from briefworks.pipeline.words import in_inngests_words
from briefworks.shapes import (
    ArticleRequest,
    Brief,
    Draft,
    Polished,
    Research,
    SectionDone,
    SectionPlan,
    add_usage,
)
from briefworks.stream import StepWriter

FN_ID = "generate-article"
SAME_ARTICLE = "event.data.projectId == async.data.projectId && event.data.articleId == async.data.articleId"


def article_function(client: inngest.Inngest, parts: Parts) -> inngest.Function[Any]:
    """The function on `article.requested`; it returns the article (`Polished`), or None for a duplicate."""

    @client.create_function(
        fn_id=FN_ID,
        name="Generate an article",
        trigger=inngest.TriggerEvent(event="article.requested"),
        cancel=[inngest.Cancel(event="article.cancelled", if_exp=SAME_ARTICLE)],
        concurrency=[inngest.Concurrency(limit=parts.concurrency)],
        idempotency='event.data.projectId + "/" + event.data.articleId',
        retries=parts.retries,
    )
    def generate_article(ctx: inngest.ContextSync) -> Polished | None:
        # Inngest calls this anew for every step: outside a step, change nothing.
        with in_inngests_words("start"):
            asked = ArticleRequest.parse(ctx.event.data, event_id=ctx.event.id, extra="ignore")
            persona = personas.load(asked.persona, parts.personas_dir)
        run = Run(ctx, asked, parts)

        def research(out: StepWriter, calls: ModelCalls) -> Research:
            return phases.run_research_phase(
                asked,
                search=run.search(calls.memo),
                pages=parts.pages,
                calls=calls,
                keep_snapshot=run.keep_snapshot,
                out=out,
                deadline=run.deadline(),
            )

        def brief(former: Brief | None = None) -> Body[Brief]:
            return lambda out, calls: phases.run_brief_phase(
                asked, found, run.texts(found), persona, calls=calls, out=out, former=former
            )

        def section(plan: SectionPlan) -> Body[SectionDone]:
            return lambda out, calls: phases.run_section_phase(
                asked, plan, planned, found, run.texts(found), persona, calls=calls, out=out
            )

        def draft(_out: StepWriter, _calls: ModelCalls) -> Draft:
            return phases.run_draft_phase(planned, [done["section"] for done in sections], found)

        if not run.start():
            return None
        found = run.step("research", "research", "research-done", research)
        planned = run.step("brief", "brief", "brief-done", brief())
        spent = add_usage(found["usage"], planned["usage"])
        if phases.gaps_worth_another(planned):
            planned = run.step("regenerate-brief", "brief", "brief-done", brief(planned))
            spent = add_usage(spent, planned["usage"])
        sections = run.parallel(
            "draft",
            "section-done",
            {f"draft-section-{plan['n']}": section(plan) for plan in planned["outline"]},
        )
        drafted = run.step("draft", "draft", "draft-done", draft)
        spent = add_usage(spent, *(done["section"]["usage"] for done in sections))
        polished = polish_article(run, persona, found, planned, drafted, spent)
        run.announce()
        return polished

    return generate_article
