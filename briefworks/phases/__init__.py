"""The four editorial phases: JSON in, JSON out. They know neither the engine nor the web nor the store."""

from briefworks.phases.brief import gaps_worth_another, run_brief_phase
from briefworks.phases.critique import flagged_sections, run_critique_phase
from briefworks.phases.draft import run_draft_phase, run_section_phase
from briefworks.phases.polish import Round, run_polish_phase, run_rewrite_phase, worth_another_round
from briefworks.phases.research import run_research_phase
from briefworks.phases.scorecard import score_markdown

__all__ = [
    "Round",
    "flagged_sections",
    "gaps_worth_another",
    "run_brief_phase",
    "run_critique_phase",
    "run_draft_phase",
    "run_polish_phase",
    "run_research_phase",
    "run_rewrite_phase",
    "run_section_phase",
    "score_markdown",
    "worth_another_round",
]
