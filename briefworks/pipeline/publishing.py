"""What an article carries beside its text: how it was made, and where wanted that a machine wrote it."""

from __future__ import annotations

from briefworks.phases.provenance import disclosed, versions
from briefworks.pipeline.run import Run
from briefworks.shapes import Polished, Provenance, Research
from briefworks.stream import rows_of
from briefworks.text import now_at

_ANSWERED = ("answered", "continued", "recalled")


def published(article: Polished, run: Run, found: Research) -> Polished:
    """The article with its provenance and, where it is wanted, the disclosure line."""
    store = run.parts.store
    rows = run.patiently(rows_of, store, run.project_id, run.article_id)
    entries = run.patiently(store.entries, run.project_id, run.article_id)
    made: Provenance = {
        "v": 1,
        "models": list(dict.fromkeys(one["model"] for one in entries if one["outcome"] in _ANSWERED)),
        "persona": run.asked.persona,
        "search": found["provider"],
        "begun_at": next(row["created_at"] for row in rows if row["event"] == "run-started"),
        "finished_at": now_at(),
        "versions": versions(run.parts.prices_version),
    }
    article = {**article, "provenance": made}
    return disclosed(article, run.parts.disclosure) if run.parts.disclosure else article
